#include "shim/events/queue_format.h"

#include <errno.h>
#include <string.h>

/* With a version: the shim of another release may find the file. */
static const uint8_t magic[] = { 'b', 'r', 'i', 'g', 'e', 'v', '1', '\n' };

/* Little-endian on any machine: the file means the same wherever it is looked at. */
static void put_number(uint64_t value, uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_number(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

/* FNV-1a: what it has to tell apart is a record that was written and one that was not, or half. */
static uint32_t checksum(const uint8_t *bytes, size_t length)
{
	uint32_t sum = 2166136261u;

	for (size_t i = 0; i < length; i++)
		sum = (sum ^ bytes[i]) * 16777619u;
	return sum;
}

void queue_format_put_header(uint64_t head, uint8_t bytes[QUEUE_FORMAT_HEADER])
{
	memcpy(bytes, magic, sizeof(magic));
	put_number(head, bytes + sizeof(magic), sizeof(head));
}

int queue_format_get_header(const uint8_t bytes[QUEUE_FORMAT_HEADER], uint64_t *ret_head)
{
	uint64_t head = get_number(bytes + sizeof(magic), sizeof(head));

	if (memcmp(bytes, magic, sizeof(magic)) != 0 || head < QUEUE_FORMAT_HEADER)
		return -EBADMSG;
	*ret_head = head;
	return 0;
}

void queue_format_put_record(const void *event, size_t length, uint8_t bytes[QUEUE_FORMAT_RECORD])
{
	put_number(length, bytes, sizeof(uint32_t));
	put_number(checksum(event, length), bytes + sizeof(uint32_t), sizeof(uint32_t));
}

int queue_format_get_record(const uint8_t bytes[QUEUE_FORMAT_RECORD], struct queue_format_record *ret)
{
	struct queue_format_record record = {
		.length = (uint32_t)get_number(bytes, sizeof(uint32_t)),
		.checksum = (uint32_t)get_number(bytes + sizeof(uint32_t), sizeof(uint32_t)),
	};

	if (record.length == 0 || record.length > QUEUE_FORMAT_EVENT_MAX)
		return -EBADMSG;
	*ret = record;
	return 0;
}

bool queue_format_is_whole(const struct queue_format_record *record, const void *event)
{
	return checksum(event, record->length) == record->checksum;
}
