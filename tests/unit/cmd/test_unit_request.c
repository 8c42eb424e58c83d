#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/buffer.h"
#include "cmd/systemd/request.h"

#define HEAD "start\nbus system\ntimeout 1000\nunit a.scope\nslice b.slice\ndescription of a test\n"

static int parse(const char *text, struct request *ret, struct error *err)
{
	static char copy[UNIT_REQUEST_MAX + 1];

	snprintf(copy, sizeof(copy), "%s", text);
	return request_parse(copy, ret, err);
}

Test(unit_request, start)
{
	struct request request;
	struct error err = { 0 };

	cr_assert_eq(parse(HEAD "property t MemoryMax 5\nproperty a(st) IOReadBandwidthMax /dev/block/8:0 7\n",
			   &request, &err),
		     0, "%s", err.message);
	cr_expect_eq(request.verb, REQUEST_START);
	cr_expect(!request.user);
	cr_expect_eq(request.timeout_us, 1000000);
	cr_expect_str_eq(request.unit, "a.scope");
	cr_expect_str_eq(request.slice, "b.slice");
	cr_expect_str_eq(request.description, "of a test");
	cr_assert_eq(request.n_properties, 2);
	cr_expect_str_eq(request.properties[0].signature, "t");
	cr_expect_str_eq(request.properties[0].name, "MemoryMax");
	cr_expect_str_eq(request.properties[0].value, "5");
	cr_expect_str_eq(request.properties[1].value, "/dev/block/8:0 7");
}

Test(unit_request, set_and_stop)
{
	struct request request;
	struct error err = { 0 };

	cr_assert_eq(parse("set\nbus user\ntimeout 5\nunit a.scope\nproperty b X true\n", &request, &err), 0, "%s",
		     err.message);
	cr_expect_eq(request.verb, REQUEST_SET);
	cr_expect(request.user);
	cr_assert_eq(parse("stop\nbus system\ntimeout 5\nunit a.scope\n", &request, &err), 0, "%s", err.message);
	cr_expect_eq(request.verb, REQUEST_STOP);
}

Test(unit_request, malformed)
{
	static const char *const texts[] = {
		"",
		"start",
		"start\n",
		"restart\nbus system\ntimeout 5\nunit a.scope\n",
		"stop\nbus other\ntimeout 5\nunit a.scope\n",
		"stop\ntimeout 5\nbus system\nunit a.scope\n",
		"stop\nbus system\ntimeout 0\nunit a.scope\n",
		"stop\nbus system\ntimeout 600001\nunit a.scope\n",
		"stop\nbus system\ntimeout 5\nunit a.scope",
		"start\nbus system\ntimeout 5\nunit a.scope\n",
		"start\nbus system\ntimeout 5\nunit a.scope\nslice b.slice\n",
		HEAD "property t MemoryMax\n",
		HEAD "property t\n",
		HEAD "property t MemoryMax 5",
		HEAD "other\n",
		HEAD "\n",
	};
	struct request request = { .unit = "untouched" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct error err = { 0 };

		cr_expect_eq(parse(texts[i], &request, &err), -EINVAL, "%s", texts[i]);
		cr_expect_gt(strlen(err.message), 0);
		cr_expect_str_eq(request.unit, "untouched");
	}
}

Test(unit_request, too_many_properties)
{
	struct buffer text = { 0 };
	struct request request;
	struct error err = { 0 };

	buffer_append_text(&text, HEAD);
	for (size_t i = 0; i < UNIT_REQUEST_LINES_MAX; i++)
		buffer_append_text(&text, "property b X true\n");
	cr_expect_eq(parse(text.data, &request, &err), 0, "%s", err.message);
	buffer_append_text(&text, "property b X true\n");
	cr_expect_eq(parse(text.data, &request, &err), -EINVAL);
	buffer_done(&text);
}
