#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "proxy/address_class.h"
#include "proxy/allow_list.h"

static struct allow_list list;

static void parse(const char *text)
{
	struct error err = { 0 };

	cr_assert_eq(allow_list_parse(text, &list, &err), 0, "%s: %s", text, err.message);
}

struct asked {
	const char *list, *name;
	uint16_t port, scheme;
	bool wanted;
};

static const struct asked asked[] = {
	{ "example.org", "example.org", 443, 443, true },
	{ "example.org", "example.org", 80, 80, true },
	{ "example.org", "example.org", 8443, 443, false },
	{ "example.org", "example.org", 443, 80, false },
	{ "example.org", "www.example.org", 443, 443, false },
	{ "example.org", "example.orgs", 443, 443, false },
	{ "Example.ORG.", "example.org", 443, 443, true },
	{ "example.org:8443", "example.org", 8443, 443, true },
	{ "example.org:8443", "example.org", 443, 443, false },
	{ "*.example.org", "www.example.org", 443, 443, true },
	{ "*.example.org", "a.b.example.org", 443, 443, true },
	{ "*.example.org", "example.org", 443, 443, false },
	{ "*.example.org", "evilexample.org", 443, 443, false },
	{ "*.example.org", ".example.org", 443, 443, false },
	{ "a.test,b.test:1", "b.test", 1, 443, true },
	{ "localhost:80=127.0.0.1", "localhost", 80, 443, true },
};

Test(allow_list, who_may_be_asked_for)
{
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		parse(asked[i].list);
		cr_expect_eq(allow_list_find(&list, asked[i].name, asked[i].port, asked[i].scheme) != NULL,
			     asked[i].wanted, "%s in %s", asked[i].name, asked[i].list);
	}
}

Test(allow_list, refuses_what_is_no_list)
{
	static const char *const bad[] = {
		"",
		",",
		"a.test,",
		"a.test,,b.test",
		"*",
		"*.",
		"*.*.a.test",
		"a.*.test",
		"a..test",
		".a.test",
		"a.test:",
		"a.test:0",
		"a.test:65536",
		"a.test:080",
		"a.test:4x",
		"a.test:443:443",
		"192.0.2.1",
		"1.2.3.0x10",
		"0x7f000001",
		"2130706433",
		"[::1]:443",
		"::1",
		"-a.test",
		"a-.test",
		"a test",
		" a.test",
		"a.test ",
		"a/b.test",
		"a.test=",
		"a.test=b.test",
		"a.test=10.0.0.1/8",
		"a.test=10.0.0.1:443",
		"a.test=dns=10.0.0.1",
		"a.test=10.0.0.0/8/tcp",
		"user@a.test",
		"\xc3\xa4.test",
		"a.test\n",
	};
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		err = (struct error){ 0 };
		cr_expect_eq(allow_list_parse(bad[i], &list, &err), -EINVAL, "\"%s\" is taken", bad[i]);
		cr_expect_neq(err.message[0], '\0');
	}
}

Test(allow_list, is_bounded)
{
	char text[ALLOW_LIST_BYTES_MAX + 2], label[65];
	struct error err = { 0 };

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cr_expect_eq(allow_list_parse(text, &list, &err), -EINVAL);
	text[0] = '\0';
	for (int i = 0; i <= ALLOW_LIST_ENTRIES_MAX; i++)
		strcat(text, i == 0 ? "a.test" : ",a.test");
	cr_expect_eq(allow_list_parse(text, &list, &err), -EINVAL);
	cr_assert_not_null(strrchr(text, ','));
	*strrchr(text, ',') = '\0';
	parse(text);
	cr_expect_eq(list.n, ALLOW_LIST_ENTRIES_MAX);
	memset(label, 'a', 64);
	label[64] = '\0';
	cr_expect_eq(allow_list_parse(label, &list, &err), -EINVAL, "a label of 64 letters");
	label[63] = '\0';
	parse(label);
}

Test(allow_list, a_place_for_a_name)
{
	parse("a.test:80=10.1.0.0/16,b.test=2001:db8::1");
	cr_expect_eq(list.entries[0].range.bits, 16);
	cr_expect(list.entries[0].has_range);
	cr_expect_eq(list.entries[1].range.family, AF_INET6);
	cr_expect_eq(list.entries[1].range.bits, 128);
}

Test(allow_list, normalise_leaves_its_output_alone_on_failure)
{
	char name[ALLOW_LIST_NAME_MAX + 1] = "untouched", text[] = { 'a', '\0', 'b' };

	cr_expect_eq(allow_list_normalise(text, sizeof(text), name), -EINVAL, "a zero byte");
	cr_expect_eq(allow_list_normalise("A..b", 4, name), -EINVAL);
	cr_expect_str_eq(name, "untouched");
	cr_expect_eq(allow_list_normalise("WWW.Example.Org.", 16, name), 0);
	cr_expect_str_eq(name, "www.example.org");
}

static bool is_public(const char *text)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return address_class_is_public((const struct sockaddr *)&in);
	cr_assert_eq(inet_pton(AF_INET6, text, &in6.sin6_addr), 1, "%s", text);
	return address_class_is_public((const struct sockaddr *)&in6);
}

Test(address_class, special_ranges)
{
	static const char *const special[] = {
		"0.0.0.0",
		"0.1.2.3",
		"10.0.0.1",
		"10.255.255.255",
		"100.64.0.1",
		"100.127.255.255",
		"127.0.0.1",
		"127.255.255.254",
		"168.63.129.16",
		"169.254.169.254",
		"172.16.0.1",
		"172.31.255.255",
		"192.0.0.1",
		"192.0.2.9",
		"192.168.0.1",
		"198.18.0.1",
		"198.19.255.255",
		"198.51.100.1",
		"203.0.113.1",
		"224.0.0.1",
		"239.1.1.1",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"::ffff:8.8.8.8",
		"64:ff9b::808:808",
		"fe80::1",
		"fc00::1",
		"fd12::1",
		"ff02::1",
		"2001:db8::1",
		"2001::1",
		"2002:7f00:1::1",
		"3fff::1",
		"100::1",
	};
	static const char *const everybodys[] = {
		"1.1.1.1",	  "8.8.8.8",	     "9.255.255.255",	"11.0.0.1",
		"100.63.255.255", "100.128.0.1",     "126.255.255.255", "128.0.0.1",
		"172.15.255.255", "172.32.0.1",	     "192.167.255.255", "198.17.255.255",
		"198.20.0.1",	  "223.255.255.255", "2606:4700::1",	"2001:4860:4860::8888",
		"2a00::1"
	};

	for (size_t i = 0; i < ARRAY_SIZE(special); i++)
		cr_expect_not(is_public(special[i]), "%s", special[i]);
	for (size_t i = 0; i < ARRAY_SIZE(everybodys); i++)
		cr_expect(is_public(everybodys[i]), "%s", everybodys[i]);
}
