#include <string.h>

#include <criterion/criterion.h>

#include "base/json.h"
#include "plan/plan_print.h"
#include "plan/report.h"
#include "plan_fixture.h"

static void print(struct plan_fixture *fixture, const struct plan_fixture_json *json, enum plan_print_format format,
		  struct buffer *out)
{
	plan_fixture_good(fixture, json);
	plan_print(fixture->plan, &fixture->report, "conformant", format, out);
	cr_assert_eq(out->failed, 0);
}

static const struct plan_fixture_json rich = {
	.top = ",'hostname':'box','annotations':{'note':'hunter2'},"
	       "'hooks':{'poststop':[{'path':'/hook','env':['TOKEN=hunter2'],'timeout':5}]}",
	.process = ",'env':['PATH=/bin','PASSWORD=hunter2'],'oomScoreAdj':5,'rlimits':[{'type':'RLIMIT_CORE','soft':0,"
		   "'hard':18446744073709551615}],'capabilities':{'bounding':['CAP_KILL','CAP_FOO']}",
	.namespaces = ",{'type':'uts'},{'type':'network','path':'/n'}",
	.linux_ =
		",'sysctl':{'net.ipv4.ip_forward':'1'},'resources':{'memory':{'limit':77},'devices':[{'allow':false}],"
		"'hugepageLimits':[{'pageSize':'2MB','limit':5}],'rdma':{'mlx':{'hcaHandles':4}},'unified':{'memory.high':'9'}},"
		"'seccomp':{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['read'],'action':'SCMP_ACT_ALLOW'}]}",
	.mounts = "{'destination':'/data','type':'cifs','source':'//srv/x','options':['ro','password=hunter2','vers=3']},"
		  "{'destination':'/b','source':'/s','options':['rbind','rro','noatime']}",
};

Test(plan_print, json_is_json_and_says_what_matters)
{
	static const char *const words[] = {
		"\"policy\": \"conformant\"",
		"\"hostname\": \"box\"",
		"\"PASSWORD\"",
		"\"RLIMIT_CORE\"",
		"\"unlimited\"",
		"CAP_KILL",
		"\"net/ipv4/ip_forward\": \"1\"",
		"\"memoryLimit\": 77",
		"\"mlx\"",
		"\"memory.high\": \"9\"",
		"SCMP_ACT_ERRNO",
		"deny a *:* rwm",
		"allow c 136:* rwm",
		"capability-unknown",
		"\"where\": \"hooks.poststop[0]\"",
		"\"vers=3\"",
		"\"rslave\"",
	};
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	struct json_input input = { 0 };
	struct buffer out = { 0 };
	struct error err = { 0 };
	PLAN_FIXTURE(fixture);

	print(&fixture, &rich, PLAN_PRINT_JSON, &out);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		cr_expect_not_null(strstr(out.data, words[i]), "%s is missing in %s", words[i], out.data);
	input.text = out.data;
	input.length = out.length;
	cr_expect_eq(json_decode(&input, &json_ignored, NULL, arena, &err), 0, "%s", err.message);
	buffer_done(&out);
}

Test(plan_print, the_floor_has_a_name)
{
	static const struct {
		enum plan_floor floor;
		bool notifies;
		const char *text, *absent;
	} cases[] = { { PLAN_FLOOR_STRICT, false, "\"floor\": \"strict\"", "floorNotifies" },
		      { PLAN_FLOOR_BASELINE, true, "\"floorNotifies\": true", "\"strict\"" },
		      { PLAN_FLOOR_NONE, true, "\"process\"", "\"seccomp\": {" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);
		struct buffer out = { 0 };

		plan_fixture_good(&fixture, &(struct plan_fixture_json){ 0 });
		fixture.plan->seccomp =
			(struct plan_seccomp){ .floor = cases[i].floor, .floor_notifies = cases[i].notifies };
		plan_print(fixture.plan, &fixture.report, "conformant", PLAN_PRINT_JSON, &out);
		cr_assert_eq(out.failed, 0);
		cr_expect_not_null(strstr(out.data, cases[i].text), "%s is missing in %s", cases[i].text, out.data);
		cr_expect_null(strstr(out.data, cases[i].absent), "%s is in %s", cases[i].absent, out.data);
		buffer_done(&out);
	}
}

Test(plan_print, no_secret_is_printed)
{
	for (int format = PLAN_PRINT_TEXT; format <= PLAN_PRINT_JSON; format++) {
		struct buffer out = { 0 };
		PLAN_FIXTURE(fixture);

		print(&fixture, &rich, (enum plan_print_format)format, &out);
		cr_expect_null(strstr(out.data, "hunter2"), "%s", out.data);
		cr_expect_not_null(strstr(out.data, "PASSWORD"));
		cr_expect_not_null(strstr(out.data, "(not shown)"));
		buffer_done(&out);
	}
}

Test(plan_print, text_has_one_line_an_element)
{
	struct buffer out = { 0 };
	PLAN_FIXTURE(fixture);

	print(&fixture, &rich, PLAN_PRINT_TEXT, &out);
	cr_expect_not_null(strstr(out.data,
				  "\n      - destination=/b kind=bind source=/s maker=parent recursive=true "
				  "attributes=[noatime] attributesBelow=[ro] propagation=rslave where=mounts[1]\n"),
			   "%s", out.data);
	cr_expect_not_null(strstr(out.data, "\n    args:\n      - sh\n"), "%s", out.data);
	cr_expect_not_null(strstr(out.data, "- level=warning rule=capability-unknown"), "%s", out.data);
	buffer_done(&out);
}

/* Terminals act on what an argument holds. */
Test(plan_print, text_has_no_control_characters_and_cuts_arguments)
{
	char argument[300], *args[] = { argument, "\x1b[31mred\n\x7f" };
	const struct spec_process process = { .args = (const char *const *)args, .n_args = 2, .cwd = "/" };
	struct buffer out = { 0 };
	PLAN_FIXTURE(fixture);

	/* 127 bytes and then a character of two: it is left out, not cut in half. */
	memset(argument, 'x', sizeof(argument));
	memcpy(argument + 127, "\xc3\xa9", 2);
	argument[299] = '\0';
	plan_fixture_parse(&fixture, &(struct plan_fixture_json){ 0 });
	fixture.spec->process = &process;
	cr_assert_eq(plan_build(&fixture.request, &fixture.plan, &fixture.report, &fixture.err), 0, "%s",
		     fixture.err.message);
	plan_print(fixture.plan, NULL, "conformant", PLAN_PRINT_TEXT, &out);
	for (size_t i = 0; i < out.length; i++)
		cr_expect(out.data[i] == '\n' || (unsigned char)out.data[i] >= ' ', "a control character at %zu", i);
	cr_expect_null(strchr(out.data, 0x7f));
	argument[127] = '\0';
	strcat(argument, "...\n");
	cr_expect_not_null(strstr(out.data, argument), "%s", out.data);
	buffer_done(&out);
}

Test(plan_print, exec_plans_too)
{
	const char *const args[] = { "ls" };
	const struct spec_process process = { .args = args, .n_args = 1, .cwd = "/" };
	struct buffer out = { 0 };
	PLAN_FIXTURE(fixture);

	plan_fixture_parse(&fixture, &rich);
	cr_assert_eq(plan_build_exec(&fixture.request, &process, &fixture.plan, &fixture.report, &fixture.err), 0, "%s",
		     fixture.err.message);
	plan_print(fixture.plan, &fixture.report, "conformant", PLAN_PRINT_JSON, &out);
	cr_expect_not_null(strstr(out.data, "\"ls\""));
	buffer_done(&out);
}

Test(report, grows_and_keeps_its_order)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	struct report report = { .arena = arena };
	struct error err = { 0 };

	for (int i = 0; i < 100; i++)
		cr_assert_eq(report_add(&report,
					&(struct report_line){ REPORT_NOTE, arena_printf(arena, "%d", i), NULL, NULL,
							       NULL, "" },
					&err),
			     0);
	cr_assert_eq(report.n_lines, 100);
	for (int i = 0; i < 100; i++)
		cr_expect_eq(atoi(report.lines[i].rule), i);
}

/* A remark that is lost would be a silent change. */
Test(report, fails_without_memory)
{
	AUTO(arena_free) struct arena *arena = arena_new(8);
	struct report report = { .arena = arena };
	struct error err = { 0 };

	cr_expect_lt(report_add(&report, &(struct report_line){ .rule = "x" }, &err), 0);
	cr_expect_eq(report.n_lines, 0);
	cr_expect_str_eq(report_level_name(REPORT_NOTE), "note");
	cr_expect_str_eq(report_level_name(REPORT_ADJUSTED), "adjusted");
	cr_expect_str_eq(report_level_name(REPORT_WARNING), "warning");
	cr_expect_str_eq(report_level_name(REPORT_REFUSED), "refused");
}
