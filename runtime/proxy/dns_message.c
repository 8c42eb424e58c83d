#include "proxy/dns_message.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "proxy/allow_list.h"

#define HEAD 12
#define FLAG_ANSWER 0x8000
#define FLAG_TRUNCATED 0x0200
#define FLAG_RECURSE 0x0100
#define CODE_MASK 0x000f
#define CODE_NO_NAME 3
#define CLASS_IN 1
#define LABEL_POINTER 0xc0
#define LABEL_MAX 63
#define RECORDS_MAX 64

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

/* One question, recursion desired (RFC 1035, 4.1). A name of 253 bytes, its length bytes and the head fit DNS_MESSAGE_MAX. */
int dns_message_ask(uint16_t id, const char *name, enum dns_type type, uint8_t ret[static DNS_MESSAGE_MAX])
{
	size_t at = HEAD;

	if (strlen(name) > ALLOW_LIST_NAME_MAX)
		return -EINVAL;
	memset(ret, 0, HEAD);
	put16(ret, id);
	put16(ret + 2, FLAG_RECURSE);
	put16(ret + 4, 1);
	while (*name) {
		size_t length = strcspn(name, ".");

		if (length == 0 || length > LABEL_MAX)
			return -EINVAL;
		ret[at++] = (uint8_t)length;
		memcpy(ret + at, name, length);
		at += length;
		name += length;
		name += *name == '.';
	}
	ret[at++] = 0;
	put16(ret + at, type);
	put16(ret + at + 2, CLASS_IN);
	return (int)at + 4;
}

/* Past a name; 0: it is broken. Pointers end it and are not followed: whose a record is does not matter to us. */
static size_t skip_name(const uint8_t *data, size_t length, size_t at)
{
	while (at < length) {
		if ((data[at] & LABEL_POINTER) == LABEL_POINTER)
			return at + 2 <= length ? at + 2 : 0;
		if (data[at] > LABEL_MAX)
			return 0;
		if (data[at] == 0)
			return at + 1;
		at += data[at] + 1u;
	}
	return 0;
}

/* The question comes back as it was, but for the letters' case, which servers may change. */
static bool has_question(const uint8_t *data, size_t length, const char *name, enum dns_type *ret)
{
	size_t at = HEAD;

	while (*name) {
		size_t label = strcspn(name, ".");

		if (at + 1 + label > length || data[at] != label ||
		    strncasecmp((const char *)data + at + 1, name, label) != 0)
			return false;
		at += 1 + label;
		name += label;
		name += *name == '.';
	}
	if (at + 5 > length || data[at] != 0 || get16(data + at + 3) != CLASS_IN)
		return false;
	*ret = (enum dns_type)get16(data + at + 1);
	return *ret == DNS_A || *ret == DNS_AAAA;
}

/* Each length is held against what came before it is used, and a broken record ends the reading: what was found until then
 * stands. */
static void take_records(const uint8_t *data, size_t length, struct dns_addresses *ret)
{
	size_t at = skip_name(data, length, HEAD), size = ret->type == DNS_A ? 4 : 16;
	unsigned n = get16(data + 6);

	at += at ? 4 : 0;
	for (unsigned i = 0; at > 0 && i < n && i < RECORDS_MAX; i++) {
		size_t content;

		at = skip_name(data, length, at);
		if (at == 0 || at + 10 > length)
			return;
		content = get16(data + at + 8);
		if (at + 10 + content > length)
			return;
		if (get16(data + at) == ret->type && get16(data + at + 2) == CLASS_IN && content == size &&
		    ret->n < DNS_ADDRESSES_MAX)
			memcpy(ret->bytes[ret->n++], data + at + 10, size);
		at += 10 + content;
	}
}

int dns_message_read(const uint8_t *data, size_t length, uint16_t id, const char *name, struct dns_addresses *ret)
{
	struct dns_addresses found = { 0 };
	unsigned flags;

	if (length < HEAD || get16(data) != id || get16(data + 4) != 1 || !has_question(data, length, name, &found.type))
		return -EAGAIN;
	flags = get16(data + 2);
	if (!(flags & FLAG_ANSWER))
		return -EAGAIN;
	if ((flags & CODE_MASK) != 0 && (flags & CODE_MASK) != CODE_NO_NAME)
		return -EIO;
	found.is_cut = flags & FLAG_TRUNCATED;
	take_records(data, length, &found);
	*ret = found;
	return 0;
}
