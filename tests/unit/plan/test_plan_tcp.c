/* A workload that has no TCP: the annotation, and kernels that can't hold it. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "plan/plan_checkpoint.h"
#include "plan/plan_print.h"
#include "plan_fixture.h"

#define NO_TCP .top = ",'annotations':{'brig.dev/tcp':'none'}"

Test(plan_tcp, is_left_alone_without_an_annotation)
{
	PLAN_FIXTURE(fixture);

	fixture.host.landlock = 7;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){ 0 });
	cr_expect_not(fixture.plan->landlock.refuses_tcp);
	cr_expect_not(plan_tcp_is_asked(fixture.spec));
	cr_expect_not(plan_fixture_has_line(&fixture, "tcp"));
}

Test(plan_tcp, is_refused_under_each_policy_and_whatever_the_root)
{
	const struct plan_fixture_json writable = { NO_TCP, .process = ",'noNewPrivileges':true" };
	PLAN_FIXTURE(fixture);

	fixture.host.landlock = 4;
	plan_fixture_good(&fixture, &writable);
	cr_expect(plan_tcp_is_asked(fixture.spec));
	cr_expect(fixture.plan->landlock.refuses_tcp);
	cr_expect_not(fixture.plan->landlock.enabled, "conformant: files are not locked");
	cr_expect_eq(plan_fixture_line(&fixture, "tcp")->level, REPORT_NOTE);
	cr_expect_not(plan_fixture_has_line(&fixture, "annotation-unknown"));
}

Test(plan_tcp, joins_the_lock_on_files)
{
	struct policy policy = { 0 };
	PLAN_FIXTURE(fixture);

	cr_assert_eq(policy_load("conformant", &policy, NULL), 0);
	policy.levels[POLICY_LANDLOCK] = POLICY_ADJUST;
	fixture.request.policy = &policy;
	fixture.host.landlock = 7;
	plan_fixture_parse(&fixture, &(struct plan_fixture_json){ NO_TCP, .process = ",'noNewPrivileges':true" });
	fixture.spec->root.readonly = true;
	cr_assert_eq(plan_build(&fixture.request, &fixture.plan, &fixture.report, &fixture.err), 0, "%s",
		     fixture.err.message);
	cr_expect(fixture.plan->landlock.refuses_tcp);
	cr_expect(fixture.plan->landlock.enabled);
}

Test(plan_tcp, takes_new_privileges_away_and_says_so)
{
	const struct plan_fixture_json json = { NO_TCP, .process = ",'noNewPrivileges':false" };
	bool is_told = false;
	PLAN_FIXTURE(fixture);

	fixture.host.landlock = 7;
	plan_fixture_good(&fixture, &json);
	cr_expect(fixture.plan->process.no_new_privileges);
	for (size_t i = 0; i < fixture.report.n_lines; i++)
		is_told |= strcmp(fixture.report.lines[i].rule, "tcp") == 0 &&
			   fixture.report.lines[i].level == REPORT_ADJUSTED;
	cr_expect(is_told);
}

Test(plan_tcp, an_exec_has_none_either)
{
	const struct plan_fixture_json json = { NO_TCP };
	struct plan *plan = NULL;
	struct report report = { 0 };
	PLAN_FIXTURE(fixture);

	fixture.host.landlock = 7;
	plan_fixture_good(&fixture, &json);
	cr_assert_eq(plan_build_exec(&fixture.request, fixture.spec->process, &plan, &report, &fixture.err), 0, "%s",
		     fixture.err.message);
	cr_expect(plan->landlock.refuses_tcp);
	cr_expect_not(plan->landlock.enabled);
	cr_expect(plan->process.no_new_privileges);
	plan_free(plan);
}

Test(plan_tcp, what_the_kernel_can_not_hold_does_not_start)
{
	static const struct {
		int version;
		const char *words;
	} kernels[] = { { 0, "no Landlock" },
			{ 1, "version 1" },
			{ 3, "has version 3, which knows no TCP: version 4 does; use Linux 6.7" } };
	const struct plan_fixture_json json = { NO_TCP };

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		PLAN_FIXTURE(fixture);
		PLAN_FIXTURE(looked);

		fixture.host.landlock = looked.host.landlock = kernels[i].version;
		plan_fixture_build(&fixture, &json);
		cr_expect_eq(fixture.rc, -EOPNOTSUPP);
		cr_expect_eq(fixture.err.kind, ERROR_UNSUPPORTED);
		cr_expect_not_null(strstr(fixture.err.message, "annotations[\"brig.dev/tcp\"]"));
		cr_expect_not_null(strstr(fixture.err.message, kernels[i].words), "got: %s", fixture.err.message);
		looked.request.collects = true;
		plan_fixture_good(&looked, &json);
		cr_expect_eq(plan_fixture_line(&looked, "tcp")->level, REPORT_REFUSED);
	}
}

Test(plan_tcp, takes_one_word)
{
	plan_fixture_refused(&(struct plan_fixture_json){ .top = ",'annotations':{'brig.dev/tcp':'80'}" },
			     ERROR_INVALID, "annotations[\"brig.dev/tcp\"]: found \"80\", expected \"none\"");
	plan_fixture_refused(&(struct plan_fixture_json){ .top = ",'annotations':{'brig.dev/tcp':''}" }, ERROR_INVALID,
			     "found \"\"");
}

Test(plan_tcp, is_lost_in_images)
{
	const struct plan_fixture_json json = { NO_TCP };
	char reason[PLAN_LOST_MAX];
	PLAN_FIXTURE(fixture);

	fixture.request.decided = true;
	plan_fixture_good(&fixture, &json);
	cr_assert(plan_checkpoint_loses(fixture.request.policy, fixture.plan, reason));
	cr_expect_not_null(strstr(reason, "brig.dev/tcp"), "got: %s", reason);
}

Test(plan_tcp, the_plan_tells_of_it)
{
	const struct plan_fixture_json json = { NO_TCP };
	AUTO(buffer_done) struct buffer text = { 0 };
	PLAN_FIXTURE(fixture);

	fixture.host.landlock = 7;
	plan_fixture_good(&fixture, &json);
	plan_print(fixture.plan, &fixture.report, "conformant", PLAN_PRINT_JSON, &text);
	cr_expect_not_null(strstr(text.data, "\"refuses_tcp\": true"), "got: %s", text.data);
}
