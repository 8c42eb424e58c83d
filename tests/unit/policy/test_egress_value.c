#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "policy/egress_value.h"

static struct arena *arena;

static void begin(void)
{
	arena = arena_new((size_t)8 * 1024 * 1024);
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(egress_value, .init = begin, .fini = end);

static struct egress_value good(const char *text)
{
	struct egress_value value = { .n = 42 };
	struct error err = { 0 };

	cr_assert_eq(egress_value_parse("here", text, arena, &value, &err), 0, "%s: %s", text, err.message);
	return value;
}

Test(egress_value, none_is_an_empty_list)
{
	struct egress_value value = good("none");

	cr_expect_eq(value.n, 0);
	cr_expect_str_eq(egress_value_format(&value, arena), "none");
}

Test(egress_value, keeps_the_order)
{
	struct egress_value value = good("192.0.2.0/24:443/tcp,[2001:db8::]/64:443,dns=192.0.2.53");

	cr_assert_eq(value.n, 3);
	cr_expect_str_eq(egress_value_format(&value, arena), "192.0.2.0/24:443/tcp,[2001:db8::]/64:443,dns=192.0.2.53");
}

static void refuse(const char *text, const char *words)
{
	struct egress_value value = { .n = 42 };
	struct error err = { 0 };

	cr_expect_eq(egress_value_parse("here", text, arena, &value, &err), -EINVAL, "\"%.60s\" is taken", text);
	cr_expect_eq(strncmp(err.message, "here: ", 6), 0, "%s", err.message);
	cr_expect_not_null(strstr(err.message, words), "\"%.60s\": %s", text, err.message);
	cr_expect_eq(value.n, 42, "a failed parse must not touch its output");
}

Test(egress_value, refuses_what_is_no_list)
{
	refuse("", "an entry is empty");
	refuse(",", "an entry is empty");
	refuse("192.0.2.1,", "an entry is empty");
	refuse(",192.0.2.1", "an entry is empty");
	refuse("192.0.2.1,,192.0.2.2", "an entry is empty");
	refuse("192.0.2.1,none", "\"none\" stands alone");
	refuse("none,192.0.2.1", "\"none\" stands alone");
	refuse("None", "no address");
	refuse("192.0.2.1, 192.0.2.2", "no address");
	refuse("192.0.2.1;192.0.2.2", "no address");
	refuse("all", "no address");
}

Test(egress_value, has_bounds)
{
	static char text[EGRESS_VALUE_BYTES_MAX + 2];
	size_t length = 0;

	memset(text, '1', EGRESS_VALUE_BYTES_MAX + 1);
	refuse(text, "has more than 8192 bytes");
	text[200] = '\0';
	refuse(text, "longer than any address");
	for (int i = 0; i < EGRESS_VALUE_ENTRIES_MAX; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s192.0.2.%d", i ? "," : "", i);
	cr_expect_eq(good(text).n, EGRESS_VALUE_ENTRIES_MAX);
	snprintf(text + length, sizeof(text) - length, ",192.0.3.1");
	refuse(text, "has 129 entries, 128 are the most");
}

static void expect_beyond(const char *site, const char *list, const char *wanted)
{
	struct egress_value outer = good(site), inner = good(list);
	const struct endpoint *beyond = egress_value_beyond(&outer, &inner);
	char text[ENDPOINT_TEXT_MAX];

	cr_expect_eq(beyond != NULL, wanted != NULL, "%s, %s", site, list);
	if (beyond && wanted)
		cr_expect_str_eq(endpoint_format(beyond, text), wanted);
}

Test(egress_value, finds_what_is_beyond)
{
	expect_beyond("192.0.2.0/24,dns=192.0.2.53", "192.0.2.7:443,dns=192.0.2.53", NULL);
	expect_beyond("192.0.2.0/24", "none", NULL);
	expect_beyond("none", "192.0.2.7", "192.0.2.7");
	expect_beyond("192.0.2.0/24", "192.0.2.7,192.0.3.7", "192.0.3.7");
	expect_beyond("192.0.2.0/24", "dns=192.0.2.53", "dns=192.0.2.53");
}

static void expect_meet(const char *site, const char *list, const char *wanted)
{
	struct egress_value outer = good(site), inner = good(list), both;

	cr_assert_eq(egress_value_meet(&outer, &inner, arena, &both, NULL), 0);
	cr_expect_str_eq(egress_value_format(&both, arena), wanted);
	cr_expect_null(egress_value_beyond(&outer, &both));
	cr_expect_null(egress_value_beyond(&inner, &both));
}

Test(egress_value, meets)
{
	expect_meet("192.0.2.0/24:443", "0.0.0.0/0", "192.0.2.0/24:443");
	expect_meet("192.0.2.0/24:443,2001:db8::/32", "0.0.0.0/0,::/0/tcp", "192.0.2.0/24:443,2001:db8::/32/tcp");
	expect_meet("192.0.2.0/24", "192.0.3.0/24", "none");
	expect_meet("192.0.2.0/24,192.0.0.0/16", "192.0.2.7", "192.0.2.7");
	expect_meet("none", "0.0.0.0/0", "none");
}

Test(egress_value, meets_within_bounds)
{
	struct endpoint site[32], list[32];
	struct egress_value outer = { site, 32 }, inner = { list, 32 }, both;
	struct error err = { 0 };

	/* A port each here, an address each there: a thousand pairs. */
	for (uint16_t i = 0; i < 32; i++) {
		site[i] = good("0.0.0.0/0:1000").list[0];
		site[i].port = (uint16_t)(1000 + i);
		list[i] = good("192.0.2.0").list[0];
		list[i].address[3] = (uint8_t)i;
	}
	cr_expect_eq(egress_value_meet(&outer, &inner, arena, &both, &err), -E2BIG);
	cr_expect_not_null(strstr(err.message, "more than 128 entries"));
}
