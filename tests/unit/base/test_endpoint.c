#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <criterion/criterion.h>

#include "base/endpoint.h"

static struct endpoint good(const char *text)
{
	struct endpoint endpoint = { 0 };
	struct error err = { 0 };

	cr_assert_eq(endpoint_parse(text, &endpoint, &err), 0, "%s: %s", text, err.message);
	return endpoint;
}

static void expect_same(const char *text, const char *wanted)
{
	struct endpoint endpoint = good(text);
	char formatted[ENDPOINT_TEXT_MAX];

	cr_expect_str_eq(endpoint_format(&endpoint, formatted), wanted);
}

Test(endpoint, is_written_as_it_is_read)
{
	static const char *const texts[] = {
		"192.0.2.1",	       "192.0.2.0/24",
		"192.0.2.1:443",       "192.0.2.0/24:443/tcp",
		"192.0.2.0/24/udp",    "0.0.0.0/0",
		"0.0.0.0/0:443",       "255.255.255.255:65535/udp",
		"dns=192.0.2.53",      "dns=2001:db8::53",
		"2001:db8::/64",       "2001:db8::1",
		"[2001:db8::]/64:443", "[2001:db8::1]:1/tcp",
		"2001:db8::/64/tcp",   "::/0",
		"[::]/0:443",	       "::1",
		"127.0.0.0/8",	       "128.0.0.0/1:80",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_same(texts[i], texts[i]);
	expect_same("[2001:DB8:0::1]", "2001:db8::1");
	expect_same("192.0.2.1/32", "192.0.2.1");
	expect_same("2001:db8::1/128", "2001:db8::1");
}

Test(endpoint, fields)
{
	struct endpoint endpoint = good("[2001:db8::]/33:8443/udp");

	cr_expect_eq(endpoint.family, AF_INET6);
	cr_expect_eq(endpoint.bits, 33);
	cr_expect_eq(endpoint.port, 8443);
	cr_expect_eq(endpoint.protocol, IPPROTO_UDP);
	cr_expect_not(endpoint.is_resolver);
	endpoint = good("dns=192.0.2.53");
	cr_expect(endpoint.is_resolver && endpoint.port == 53 && endpoint.protocol == 0 && endpoint.bits == 32);
	cr_expect_eq(memcmp(endpoint.address, "\300\0\2\65\0\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
}

struct refused {
	const char *text, *words;
};

Test(endpoint, refuses_all_else)
{
	static const struct refused table[] = {
		{ "", "no address" },
		{ "example.com", "no address" },
		{ "example.com:443", "no address" },
		{ "192.0.2", "no address" },
		{ "192.0.2.256", "no address" },
		{ "192.0.2.01", "no address" },
		{ "0x7f.0.0.1", "no address" },
		{ "3221225985", "no address" },
		{ " 192.0.2.1", "no address" },
		{ "192.0.2.1 ", "no address" },
		{ "192.0.2.1\n", "no address" },
		{ "192.0.2.1/", "behind it" },
		{ "192.0.2.1/33", "0 to 32" },
		{ "192.0.2.0/024", "0 to 32" },
		{ "192.0.2.0/24/24", "behind it" },
		{ "192.0.2.1/8", "beyond BITS" },
		{ "2001:db8::1/64", "beyond BITS" },
		{ "192.0.2.1:", "1 to 65535" },
		{ "192.0.2.1:0", "1 to 65535" },
		{ "192.0.2.1:65536", "1 to 65535" },
		{ "192.0.2.1:99999999999999999999", "1 to 65535" },
		{ "192.0.2.1:+1", "1 to 65535" },
		{ "192.0.2.1:-1", "1 to 65535" },
		{ "192.0.2.1:0443", "1 to 65535" },
		{ "192.0.2.1:443-444", "behind it" },
		{ "192.0.2.1:53", "dns=ADDRESS" },
		{ "[2001:db8::1]:53/udp", "dns=ADDRESS" },
		{ "192.0.2.1:443/sctp", "behind it" },
		{ "192.0.2.1:443/TCP", "behind it" },
		{ "192.0.2.1:443/tcp/udp", "behind it" },
		{ "192.0.2.1:443/24", "behind it" },
		{ "[192.0.2.1]:443", "no IPv6 address" },
		{ "[2001:db8::1", "not closed" },
		{ "[]", "no address" },
		{ "[2001:db8::1%eth0]", "no IPv6 address" },
		{ "fe80::1%eth0", "no address" },
		{ "2001:db8::/129", "0 to 128" },
		{ "2001:db8::/64:443", "in brackets" },
		{ "::ffff:192.0.2.1", "IPv4 address itself" },
		{ "::ffff:0:0/96", "IPv4 address itself" },
		{ "0.0.0.0", "nobody's address" },
		{ "::", "nobody's address" },
		{ "[::]:443", "nobody's address" },
		{ "dns=", "no address" },
		{ "dns=example.com", "no address" },
		{ "dns=192.0.2.0/24", "one address" },
		{ "dns=192.0.2.1:53", "one address" },
		{ "dns=192.0.2.1/udp", "one address" },
		{ "DNS=192.0.2.1", "no address" },
		{ "none", "no address" },
		{ "*", "no address" },
		{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd", "no address" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct endpoint endpoint = { .port = 42 };
		struct error err = { 0 };

		cr_expect_eq(endpoint_parse(table[i].text, &endpoint, &err), -EINVAL, "\"%s\" is taken", table[i].text);
		cr_expect_eq(err.kind, ERROR_INVALID);
		cr_expect_not_null(strstr(err.message, table[i].words), "\"%s\": %s", table[i].text, err.message);
		cr_expect_eq(endpoint.port, 42, "a failed parse must not touch its output");
	}
}

static bool covers(const char *outer, const char *inner)
{
	struct endpoint a = good(outer), b = good(inner);

	return endpoint_covers(&a, &b);
}

Test(endpoint, covers_what_is_narrower)
{
	cr_expect(covers("192.0.2.0/24", "192.0.2.0/24"));
	cr_expect(covers("192.0.2.0/24", "192.0.2.7:443/tcp"));
	cr_expect(covers("192.0.2.0/24/tcp", "192.0.2.128/25:443/tcp"));
	cr_expect(covers("192.0.2.0/24:443", "192.0.2.7:443/udp"));
	cr_expect(covers("::/0", "2001:db8::/64"));
	cr_expect(covers("2001:db8::/33", "2001:db8:7fff::/48"));
	cr_expect(covers("dns=192.0.2.53", "dns=192.0.2.53"));
	cr_expect_not(covers("2001:db8::/33", "2001:db8:8000::/48"));
	cr_expect_not(covers("192.0.2.0/24", "192.0.3.0/24"));
	cr_expect_not(covers("192.0.2.0/25", "192.0.2.0/24"));
	cr_expect_not(covers("192.0.2.0/24:443", "192.0.2.7"));
	cr_expect_not(covers("192.0.2.0/24:443", "192.0.2.7:444"));
	cr_expect_not(covers("192.0.2.0/24/tcp", "192.0.2.7"));
	cr_expect_not(covers("192.0.2.0/24/tcp", "192.0.2.7:443/udp"));
	cr_expect_not(covers("::/0", "192.0.2.7"));
	cr_expect_not(covers("0.0.0.0/0", "2001:db8::1"));
	/* No entry without dns= goes to port 53. */
	cr_expect_not(covers("0.0.0.0/0", "dns=192.0.2.53"));
	cr_expect_not(covers("dns=192.0.2.53", "192.0.2.53"));
}

static void expect_meet(const char *a, const char *b, const char *wanted)
{
	struct endpoint one = good(a), other = good(b), both;
	char text[ENDPOINT_TEXT_MAX];

	for (int turn = 0; turn < 2; turn++) {
		bool met = turn ? endpoint_meet(&other, &one, &both) : endpoint_meet(&one, &other, &both);

		cr_expect_eq(met, wanted != NULL, "%s and %s", a, b);
		if (met && wanted)
			cr_expect_str_eq(endpoint_format(&both, text), wanted);
	}
}

Test(endpoint, meets_in_what_both_let_through)
{
	expect_meet("192.0.2.0/24", "192.0.2.7:443/tcp", "192.0.2.7:443/tcp");
	expect_meet("192.0.2.0/24:443", "192.0.2.7", "192.0.2.7:443");
	expect_meet("192.0.2.0/24/tcp", "192.0.0.0/16:443", "192.0.2.0/24:443/tcp");
	expect_meet("::/0/udp", "2001:db8::/64", "2001:db8::/64/udp");
	expect_meet("dns=192.0.2.53", "dns=192.0.2.53", "dns=192.0.2.53");
	expect_meet("192.0.2.0/24", "192.0.3.0/24", NULL);
	expect_meet("192.0.2.0/24:443", "192.0.2.0/24:444", NULL);
	expect_meet("192.0.2.0/24/tcp", "192.0.2.0/24/udp", NULL);
	expect_meet("0.0.0.0/0", "::/0", NULL);
	expect_meet("0.0.0.0/0", "dns=192.0.2.53", NULL);
}
