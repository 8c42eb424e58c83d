#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "proxy/client_hello.h"

struct bytes {
	uint8_t data[32 * 1024];
	size_t length;
};

static void put(struct bytes *to, const void *data, size_t length)
{
	memcpy(to->data + to->length, data, length);
	to->length += length;
}

static void put_number(struct bytes *to, size_t value, size_t n)
{
	while (n-- > 0)
		to->data[to->length++] = (uint8_t)(value >> 8 * n);
}

static void put_name(struct bytes *to, const char *name)
{
	size_t length = strlen(name);

	put_number(to, 0, 2);
	put_number(to, length + 5, 2);
	put_number(to, length + 3, 2);
	put_number(to, 0, 1);
	put_number(to, length, 2);
	put(to, name, length);
}

/* A handshake with these extensions in it, padded with one of `padding` bytes. */
static void put_hello(struct bytes *to, const struct bytes *extensions, size_t padding)
{
	static const uint8_t random[32] = { 1 }, zeros[20000];
	size_t size = extensions->length + (padding ? padding + 4 : 0);

	put_number(to, 1, 1);
	put_number(to, 2 + 32 + 1 + 2 + 2 + 1 + 1 + 2 + size, 3);
	put_number(to, 0x0303, 2);
	put(to, random, sizeof(random));
	put_number(to, 0, 1);
	put_number(to, 2, 2);
	put_number(to, 0x1301, 2);
	put_number(to, 1, 1);
	put_number(to, 0, 1);
	put_number(to, size, 2);
	if (padding) {
		put_number(to, 21, 2);
		put_number(to, padding, 2);
		put(to, zeros, padding);
	}
	put(to, extensions->data, extensions->length);
}

/* As records of at most `most` bytes each. */
static void put_records(struct bytes *to, const struct bytes *hello, size_t most)
{
	for (size_t at = 0; at < hello->length; at += most) {
		size_t length = hello->length - at < most ? hello->length - at : most;

		put_number(to, 22, 1);
		put_number(to, 0x0301, 2);
		put_number(to, length, 2);
		put(to, hello->data + at, length);
	}
}

static void make(struct bytes *to, const char *name, size_t padding, size_t most)
{
	struct bytes extensions = { .length = 0 }, hello = { .length = 0 };

	to->length = 0;
	if (name)
		put_name(&extensions, name);
	put_hello(&hello, &extensions, padding);
	put_records(to, &hello, most);
}

Test(client_hello, the_name)
{
	struct bytes all;
	char name[CLIENT_HELLO_NAME_MAX + 1] = "untouched";

	make(&all, "www.example.org", 0, 16384);
	cr_assert_eq(client_hello_name(all.data, all.length, name), 1);
	cr_expect_str_eq(name, "www.example.org");
}

Test(client_hello, in_many_records_with_something_behind)
{
	struct bytes all;
	char name[CLIENT_HELLO_NAME_MAX + 1];

	make(&all, "a.test", 3000, 100);
	put(&all, "\x17\x03\x03", 3);
	cr_assert_eq(client_hello_name(all.data, all.length, name), 1);
	cr_expect_str_eq(name, "a.test");
}

Test(client_hello, each_beginning_waits_for_the_rest)
{
	struct bytes all;
	char name[CLIENT_HELLO_NAME_MAX + 1] = "untouched";

	make(&all, "a.test", 40, 50);
	for (size_t i = 0; i < all.length; i++)
		cr_assert_eq(client_hello_name(all.data, i, name), 0, "%zu of %zu bytes", i, all.length);
	cr_expect_str_eq(name, "untouched");
}

Test(client_hello, without_exactly_one_name)
{
	struct bytes all, extensions = { .length = 0 }, hello = { .length = 0 };
	char name[CLIENT_HELLO_NAME_MAX + 1] = "untouched";

	make(&all, NULL, 0, 16384);
	cr_expect_eq(client_hello_name(all.data, all.length, name), -EINVAL, "none");
	make(&all, "", 0, 16384);
	cr_expect_eq(client_hello_name(all.data, all.length, name), -EINVAL, "an empty one");
	put_name(&extensions, "a.test");
	put_name(&extensions, "b.test");
	put_hello(&hello, &extensions, 0);
	all.length = 0;
	put_records(&all, &hello, 16384);
	cr_expect_eq(client_hello_name(all.data, all.length, name), -EINVAL, "two extensions");
	cr_expect_str_eq(name, "untouched");
}

Test(client_hello, a_zero_byte_in_the_name)
{
	struct bytes all;
	char name[CLIENT_HELLO_NAME_MAX + 1];
	uint8_t *found;

	make(&all, "a.test.b.test", 0, 16384);
	found = memmem(all.data, all.length, ".b.", 3);
	cr_assert_not_null(found);
	*found = 0;
	cr_expect_eq(client_hello_name(all.data, all.length, name), -EINVAL);
}

Test(client_hello, other_protocols)
{
	static const char *const others[] = { "GET / HTTP/1.1\r\n\r\n",	  "SSH-2.0-OpenSSH_9.2\r\n",
					      "\x17\x03\x03\x00\x01x",	  "\x16\x02\x00\x00\x01\x01",
					      "\x16\x03\x01\xff\xff\x01", "\x80\x2e\x01\x03" };
	char name[CLIENT_HELLO_NAME_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		cr_expect_eq(client_hello_name(others[i],
					       i == 2	? 6
					       : i == 3 ? 6
							: strlen(others[i]),
					       name),
			     -EINVAL, "%zu", i);
	cr_expect_eq(client_hello_name("\x16\x03\x01\x00\x00", 5, name), -EINVAL, "an empty record");
	cr_expect_eq(client_hello_name("\x16\x03\x03\x00\x04\x02\x00\x00\x00", 9, name), -EINVAL, "a server's hello");
}

Test(client_hello, too_long)
{
	struct bytes all;
	char name[CLIENT_HELLO_NAME_MAX + 1];

	make(&all, "a.test", CLIENT_HELLO_MAX, 16384);
	cr_expect_eq(client_hello_name(all.data, all.length, name), -EINVAL);
	make(&all, "a.test", 15000, 16384);
	cr_expect_eq(client_hello_name(all.data, all.length, name), 1);
}

/* Bytes changed at random: never outside of what was given (for the sanitizers), and a name that is a text. */
Test(client_hello, hostile_bytes)
{
	struct bytes good, all;
	unsigned state = 42;
	char name[CLIENT_HELLO_NAME_MAX + 1];

	make(&good, "www.example.org", 20, 60);
	for (int round = 0; round < 50000; round++) {
		uint8_t *exact;
		size_t length;
		int rc;

		all.length = good.length;
		memcpy(all.data, good.data, good.length);
		for (unsigned i = 0; i < 1 + state % 4; i++) {
			state = state * 1103515245 + 12345;
			all.data[(state >> 8) % all.length] = (uint8_t)(state >> 16);
		}
		state = state * 1103515245 + 12345;
		length = (state >> 10) % 4 == 0 ? (state >> 12) % all.length : all.length;
		exact = malloc(length ?: 1);
		memcpy(exact, all.data, length);
		rc = client_hello_name(exact, length, name);
		free(exact);
		cr_assert(rc == 0 || rc == 1 || rc == -EINVAL);
		if (rc == 1)
			cr_assert_lt(strnlen(name, sizeof(name)), sizeof(name));
	}
}
