#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "proxy/dns_message.h"

#define ID 0x1234

/* The question for a.test with `n` answers behind it, as a server makes it. */
static size_t answer(uint8_t message[static DNS_MESSAGE_MAX], enum dns_type type, unsigned flags, unsigned n)
{
	static const uint8_t alias[] = { 0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 4, 1, 'b', 0xc0, 14 };
	int length = dns_message_ask(ID, "a.test", type, message);
	size_t at = (size_t)length, size = type == DNS_A ? 4 : 16;

	cr_assert_gt(length, 0);
	message[2] = (uint8_t)(flags >> 8);
	message[3] = (uint8_t)flags;
	message[7] = (uint8_t)(n + 1);
	memcpy(message + at, alias, sizeof(alias));
	at += sizeof(alias);
	for (unsigned i = 0; i < n; i++) {
		const uint8_t head[] = { 1, 'b', 0xc0, 14, 0, (uint8_t)type, 0, 1, 0, 0, 0, 9, 0, (uint8_t)size };

		memcpy(message + at, head, sizeof(head));
		at += sizeof(head);
		memset(message + at, (int)(i + 1), size);
		at += size;
	}
	return at;
}

Test(dns_message, a_question)
{
	static const uint8_t wanted[] = { 0x12, 0x34, 1, 0,   0,   1,	0,   0, 0, 0,  0, 0,
					  1,	'a',  4, 't', 'e', 's', 't', 0, 0, 28, 0, 1 };
	uint8_t message[DNS_MESSAGE_MAX];

	cr_assert_eq(dns_message_ask(ID, "a.test", DNS_AAAA, message), sizeof(wanted));
	cr_expect_arr_eq(message, wanted, sizeof(wanted));
	cr_expect_eq(dns_message_ask(ID, "a..test", DNS_A, message), -EINVAL);
}

Test(dns_message, addresses_behind_an_alias)
{
	uint8_t message[DNS_MESSAGE_MAX];
	struct dns_addresses found = { 0 };
	size_t length = answer(message, DNS_A, 0x8180, 2);

	cr_assert_eq(dns_message_read(message, length, ID, "a.test", &found), 0);
	cr_expect_eq(found.n, 2);
	cr_expect_eq(found.type, DNS_A);
	cr_expect_arr_eq(found.bytes[1], "\2\2\2\2", 4);
	length = answer(message, DNS_AAAA, 0x8180, 1);
	cr_assert_eq(dns_message_read(message, length, ID, "a.test", &found), 0);
	cr_expect_eq(found.n, 1);
}

Test(dns_message, is_bounded)
{
	uint8_t message[DNS_MESSAGE_MAX];
	struct dns_addresses found = { 0 };
	size_t length = answer(message, DNS_A, 0x8180, DNS_ADDRESSES_MAX + 20);

	cr_assert_eq(dns_message_read(message, length, ID, "a.test", &found), 0);
	cr_expect_eq(found.n, DNS_ADDRESSES_MAX);
}

Test(dns_message, somebody_elses_answer_is_passed_over)
{
	uint8_t message[DNS_MESSAGE_MAX];
	struct dns_addresses found = { .n = 99 };
	size_t length = answer(message, DNS_A, 0x8180, 1);

	cr_expect_eq(dns_message_read(message, length, ID + 1, "a.test", &found), -EAGAIN, "another question's");
	cr_expect_eq(dns_message_read(message, length, ID, "b.test", &found), -EAGAIN, "about another name");
	cr_expect_eq(dns_message_read(message, length, ID, "a.test.b", &found), -EAGAIN);
	cr_expect_eq(dns_message_read(message, 11, ID, "a.test", &found), -EAGAIN);
	length = answer(message, DNS_A, 0x0100, 1);
	cr_expect_eq(dns_message_read(message, length, ID, "a.test", &found), -EAGAIN, "a question");
	cr_expect_eq(found.n, 99, "untouched");
}

Test(dns_message, failures)
{
	uint8_t message[DNS_MESSAGE_MAX];
	struct dns_addresses found = { .n = 99 };
	size_t length = answer(message, DNS_A, 0x8182, 0);

	cr_expect_eq(dns_message_read(message, length, ID, "a.test", &found), -EIO, "SERVFAIL");
	length = answer(message, DNS_A, 0x8183, 0);
	cr_expect_eq(dns_message_read(message, length, ID, "a.test", &found), 0, "NXDOMAIN");
	cr_expect_eq(found.n, 0);
}

Test(dns_message, an_answer_that_is_cut)
{
	uint8_t message[DNS_MESSAGE_MAX];
	struct dns_addresses found = { 0 };
	size_t length = answer(message, DNS_A, 0x8380, 1);

	cr_assert_eq(dns_message_read(message, length, ID, "a.test", &found), 0);
	cr_expect(found.is_cut);
	cr_expect_eq(found.n, 1, "what there was room for");
	length = answer(message, DNS_A, 0x8180, 1);
	cr_assert_eq(dns_message_read(message, length, ID, "a.test", &found), 0);
	cr_expect_not(found.is_cut);
}

Test(dns_message, hostile_bytes)
{
	uint8_t good[DNS_MESSAGE_MAX];
	size_t whole = answer(good, DNS_A, 0x8180, 3);
	unsigned state = 3;

	for (int round = 0; round < 50000; round++) {
		size_t length = (state >> 8) % 3 == 0 ? (state >> 12) % whole : whole;
		uint8_t *exact = malloc(length ?: 1);
		struct dns_addresses found = { 0 };
		int rc;

		memcpy(exact, good, length);
		for (unsigned i = 0; length > 0 && i < 1 + state % 4; i++) {
			state = state * 1103515245 + 12345;
			/* The answers, most of the time. */
			exact[(state >> 8) % length] = (uint8_t)(state >> 16);
		}
		state = state * 1103515245 + 12345;
		rc = dns_message_read(exact, length, ID, "a.test", &found);
		free(exact);
		cr_assert(rc == 0 || rc == -EAGAIN || rc == -EIO);
		cr_assert_leq(found.n, DNS_ADDRESSES_MAX);
	}
}
