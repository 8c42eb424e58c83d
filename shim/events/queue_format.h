/* The bytes of the queue's file: a header with the place of the first event that still waits, then records of a length, a checksum and
 * an event. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_FORMAT_HEADER 16u /* bytes, of the file */
#define QUEUE_FORMAT_RECORD 8u	/* bytes, before each event */
#define QUEUE_FORMAT_EVENT_MAX ((size_t)1024 * 1024)

struct queue_format_record {
	uint32_t length, checksum; /* of the event */
};

/* head: an offset in the file, QUEUE_FORMAT_HEADER at least. */
void queue_format_put_header(uint64_t head, uint8_t bytes[QUEUE_FORMAT_HEADER]);
/* Returns 0, or -EBADMSG where this is no such file. */
int queue_format_get_header(const uint8_t bytes[QUEUE_FORMAT_HEADER], uint64_t *ret_head);
/* length: of event, bytes, QUEUE_FORMAT_EVENT_MAX at most. */
void queue_format_put_record(const void *event, size_t length, uint8_t bytes[QUEUE_FORMAT_RECORD]);
/* Returns 0, or -EBADMSG for a length that no event has. */
int queue_format_get_record(const uint8_t bytes[QUEUE_FORMAT_RECORD], struct queue_format_record *ret);
/* Is event, of record->length bytes, what was written? */
bool queue_format_is_whole(const struct queue_format_record *record, const void *event);
