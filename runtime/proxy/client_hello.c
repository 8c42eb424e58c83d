#include "proxy/client_hello.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define RECORD_HEAD 5
#define RECORD_HANDSHAKE 22
#define RECORD_MAX 16384u
#define HANDSHAKE_HEAD 4
#define HANDSHAKE_CLIENT_HELLO 1
#define EXTENSION_SERVER_NAME 0
#define NAME_HOST 0

/* What is left to read. Sticky: once too little was there, all that follows is empty. */
struct reader {
	const uint8_t *data;
	size_t length;
	bool failed;
};

static struct reader take(struct reader *from, size_t length)
{
	struct reader part = { .data = from->data, .length = length };

	if (from->failed || length > from->length) {
		from->failed = true;
		return (struct reader){ .failed = true };
	}
	from->data += length;
	from->length -= length;
	return part;
}

/* A number of n bytes, the first one the highest. */
static size_t number(struct reader *from, size_t n)
{
	struct reader part = take(from, n);
	size_t value = 0;

	for (size_t i = 0; !part.failed && i < n; i++)
		value = value << 8 | part.data[i];
	return value;
}

/* A vector with a length of n bytes before it. */
static struct reader vector(struct reader *from, size_t n)
{
	return take(from, number(from, n));
}

/* The records' contents, one after the other. Returns how many bytes of the handshake there are, or -EINVAL. */
static int join_records(struct reader from, uint8_t joined[static CLIENT_HELLO_MAX], size_t *ret)
{
	size_t length = 0;

	while (from.length >= RECORD_HEAD) {
		size_t type = number(&from, 1), version = number(&from, 2), size = number(&from, 2);

		if (type != RECORD_HANDSHAKE || version >> 8 != 3 || size == 0 || size > RECORD_MAX)
			return -EINVAL;
		if (size > from.length)
			size = from.length;
		if (size > CLIENT_HELLO_MAX - length)
			return -EINVAL;
		memcpy(joined + length, take(&from, size).data, size);
		length += size;
		/* What may follow the hello is none of ours. */
		if (length >= HANDSHAKE_HEAD && joined[0] == HANDSHAKE_CLIENT_HELLO &&
		    length - HANDSHAKE_HEAD >= ((size_t)joined[1] << 16 | (size_t)joined[2] << 8 | joined[3]))
			break;
	}
	/* What is too short for a record has to begin like one. */
	if (from.length > 0 && length == 0 && from.data[0] != RECORD_HANDSHAKE)
		return -EINVAL;
	*ret = length;
	return 0;
}

static int take_name(struct reader list, char ret[static CLIENT_HELLO_NAME_MAX + 1])
{
	struct reader names = vector(&list, 2);
	size_t type = number(&names, 1);
	struct reader name = vector(&names, 2);

	if (names.failed || list.length > 0 || names.length > 0 || type != NAME_HOST || name.length == 0 ||
	    name.length > CLIENT_HELLO_NAME_MAX || memchr(name.data, '\0', name.length))
		return -EINVAL;
	memcpy(ret, name.data, name.length);
	ret[name.length] = '\0';
	return 1;
}

static int find_name(struct reader hello, char ret[static CLIENT_HELLO_NAME_MAX + 1])
{
	struct reader extensions;
	int found = -EINVAL;

	number(&hello, 2);
	take(&hello, 32);  /* random */
	vector(&hello, 1); /* session */
	vector(&hello, 2); /* cipher suites */
	vector(&hello, 1); /* compression */
	extensions = vector(&hello, 2);
	if (hello.failed || hello.length > 0)
		return -EINVAL;
	while (extensions.length > 0) {
		size_t type = number(&extensions, 2);
		struct reader content = vector(&extensions, 2);

		if (extensions.failed)
			return -EINVAL;
		if (type != EXTENSION_SERVER_NAME)
			continue;
		/* Two names: who reads the other one sees somebody else. */
		if (found == 1)
			return -EINVAL;
		found = take_name(content, ret);
		if (found < 0)
			return found;
	}
	return found;
}

int client_hello_name(const void *data, size_t length, char ret[static CLIENT_HELLO_NAME_MAX + 1])
{
	uint8_t joined[CLIENT_HELLO_MAX];
	char name[CLIENT_HELLO_NAME_MAX + 1];
	struct reader hello = { .data = joined };
	size_t size, n_joined = 0;
	int rc = join_records((struct reader){ .data = data, .length = length }, joined, &n_joined);

	if (rc < 0)
		return rc;
	hello.length = n_joined;
	if (n_joined > 0 && joined[0] != HANDSHAKE_CLIENT_HELLO)
		return -EINVAL;
	if (n_joined < HANDSHAKE_HEAD)
		return length < CLIENT_HELLO_MAX ? 0 : -EINVAL;
	number(&hello, 1);
	size = number(&hello, 3);
	if (size > CLIENT_HELLO_MAX - HANDSHAKE_HEAD)
		return -EINVAL;
	if (size > hello.length)
		return length < CLIENT_HELLO_MAX ? 0 : -EINVAL;
	rc = find_name(take(&hello, size), name);
	if (rc == 1)
		memcpy(ret, name, sizeof(name));
	return rc;
}
