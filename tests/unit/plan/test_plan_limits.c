/* How long a container may run and how much it may write: annotations and the site's maximum. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "plan_fixture.h"

#define NS_PER_S UINT64_C(1000000000)
#define ANNOTATIONS(list)                          \
	{                                          \
		.top = ",'annotations':{" list "}" \
	}

static const struct plan_fixture_json none = { 0 };
static const struct plan_fixture_json asked = ANNOTATIONS("'brig.dev/timeout':'90s','brig.dev/max-output':'10k'");

static struct policy policy_of(const char *text)
{
	struct policy policy = { 0 };
	struct error err = { 0 };

	cr_assert_eq(policy_parse(text, strlen(text), &policy, &err), 0, "%s", err.message);
	return policy;
}

static void good(struct plan_fixture *fixture, const struct policy *policy, const struct plan_fixture_json *json)
{
	fixture->request.holds = PLAN_HOLDS_TIMEOUT | PLAN_HOLDS_MAX_OUTPUT;
	if (policy)
		fixture->request.policy = policy;
	plan_fixture_good(fixture, json);
}

Test(plan_limits, none_where_nobody_asks)
{
	PLAN_FIXTURE(fixture);

	good(&fixture, NULL, &none);
	cr_expect_eq(fixture.plan->limits.timeout.value, 0);
	cr_expect_eq(fixture.plan->limits.max_output.value, 0);
	cr_expect_eq(fixture.report.n_lines, 0);
}

Test(plan_limits, annotations)
{
	PLAN_FIXTURE(fixture);

	good(&fixture, NULL, &asked);
	cr_expect_eq(fixture.plan->limits.timeout.value, 90 * NS_PER_S);
	cr_expect_eq(fixture.plan->limits.max_output.value, 10240);
	cr_expect(!fixture.plan->limits.timeout.by_site && !fixture.plan->limits.max_output.by_site);
	cr_expect_eq(fixture.report.n_lines, 0);
}

Test(plan_limits, bad_values_name_the_annotation)
{
	const struct plan_fixture_json time = ANNOTATIONS("'brig.dev/timeout':'-5s'"),
				       output = ANNOTATIONS("'brig.dev/max-output':''");

	plan_fixture_refused(&time, ERROR_INVALID, "annotations[\"brig.dev/timeout\"]: is \"-5s\"");
	plan_fixture_refused(&output, ERROR_INVALID, "annotations[\"brig.dev/max-output\"]: is \"\"");
}

Test(plan_limits, the_sites_maximum_holds_without_an_annotation)
{
	AUTO(policy_done)
	struct policy policy =
		policy_of("{\"set\":\"conformant\",\"limits\":{\"timeout\":\"1m\",\"max_output\":\"5k\"}}");
	PLAN_FIXTURE(fixture);

	good(&fixture, &policy, &none);
	cr_expect_eq(fixture.plan->limits.timeout.value, 60 * NS_PER_S);
	cr_expect_eq(fixture.plan->limits.max_output.value, 5120);
	cr_expect(fixture.plan->limits.timeout.by_site && fixture.plan->limits.max_output.by_site);
}

Test(plan_limits, an_annotation_tightens_and_never_loosens)
{
	AUTO(policy_done)
	struct policy policy =
		policy_of("{\"set\":\"conformant\",\"limits\":{\"timeout\":\"1m\",\"max_output\":\"50k\"}}");
	const struct report_line *line;
	PLAN_FIXTURE(fixture);

	good(&fixture, &policy, &asked);
	cr_expect_eq(fixture.plan->limits.timeout.value, 60 * NS_PER_S, "lowered");
	cr_expect(fixture.plan->limits.timeout.by_site);
	cr_expect_eq(fixture.plan->limits.max_output.value, 10240, "tightened");
	cr_expect(!fixture.plan->limits.max_output.by_site);
	cr_expect_eq(fixture.report.n_lines, 1);
	line = plan_fixture_line(&fixture, "limit-raise");
	cr_expect_eq(line->level, REPORT_WARNING);
	cr_expect_str_eq(line->where, "annotations[\"brig.dev/timeout\"]");
	cr_expect_str_eq(line->asked, "90s");
	cr_expect_str_eq(line->applied, "60s");
}

Test(plan_limits, a_larger_annotation_is_refused_where_that_is_enforced)
{
	AUTO(policy_done)
	struct policy policy = policy_of(
		"{\"set\":\"conformant\",\"limits\":{\"timeout\":\"1m\"},\"rules\":{\"limit-raise\":\"enforce\"}}");
	PLAN_FIXTURE(fixture);

	fixture.request.policy = &policy;
	plan_fixture_build(&fixture, &asked);
	cr_expect_eq(fixture.rc, -EPERM);
	cr_expect_not_null(strstr(fixture.err.message, "asked for 90s"), "%s", fixture.err.message);
}

Test(plan_limits, what_nobody_holds_is_reported)
{
	PLAN_FIXTURE(fixture);

	fixture.request.holds = PLAN_HOLDS_TIMEOUT;
	plan_fixture_good(&fixture, &asked);
	cr_expect_eq(fixture.plan->limits.timeout.value, 90 * NS_PER_S);
	cr_expect_eq(fixture.plan->limits.max_output.value, 0);
	cr_expect_eq(plan_fixture_line(&fixture, "limit-unsupervised")->level, REPORT_WARNING);
	cr_expect_str_eq(plan_fixture_line(&fixture, "limit-unsupervised")->where,
			 "annotations[\"brig.dev/max-output\"]");
}

Test(plan_limits, not_for_the_container_that_holds_a_pod_together)
{
	AUTO(policy_done)
	struct policy policy =
		policy_of("{\"set\":\"conformant\",\"limits\":{\"timeout\":\"1m\",\"max_output\":\"50k\"}}");
	const struct plan_fixture_json sandbox =
		ANNOTATIONS("'brig.dev/timeout':'1s','io.kubernetes.cri.container-type':'sandbox'");
	PLAN_FIXTURE(fixture);

	good(&fixture, &policy, &sandbox);
	cr_expect_eq(fixture.plan->limits.timeout.value, 0);
	cr_expect_eq(fixture.plan->limits.max_output.value, 0);
}

Test(plan_limits, misspelt_annotations_are_reported)
{
	const struct plan_fixture_json json = ANNOTATIONS("'brig.dev/time-out':'1s'");
	PLAN_FIXTURE(fixture);

	good(&fixture, NULL, &json);
	cr_expect_eq(plan_fixture_line(&fixture, "annotation-unknown")->level, REPORT_WARNING);
}

Test(plan_limits, the_size_of_a_pod_is_left_to_its_cgroup)
{
	const struct plan_fixture_json json =
		ANNOTATIONS("'io.kubernetes.cri.sandbox-memory':'1048576','io.kubernetes.cri.sandbox-id':'x'");
	PLAN_FIXTURE(fixture);

	good(&fixture, NULL, &json);
	cr_expect_eq(fixture.report.n_lines, 1);
	cr_expect_eq(plan_fixture_line(&fixture, "pod-size")->level, REPORT_NOTE);
	cr_expect_str_eq(plan_fixture_line(&fixture, "pod-size")->asked, "1048576");
}
