/* Where a container may connect to: the annotation, the site's list, and what can't be held. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "plan/plan_print.h"
#include "plan_fixture.h"

#define ANNOTATION(value)                                                                                    \
	{                                                                                                    \
		.top = ",'annotations':{'brig.dev/egress':'" value "'}", .namespaces = ",{'type':'network'}" \
	}

static struct policy policy_of(const char *text)
{
	struct policy policy = { 0 };
	struct error err = { 0 };

	cr_assert_eq(policy_parse(text, strlen(text), &policy, &err), 0, "%s", err.message);
	return policy;
}

static void expect_list(const struct plan_fixture *fixture, const char *wanted)
{
	const struct plan_egress *egress = &fixture->plan->egress;
	struct egress_value value = { egress->list, egress->n };

	cr_expect_eq(egress->enforced, wanted != NULL);
	if (wanted)
		cr_expect_str_eq(egress_value_format(&value, fixture->plan->arena), wanted);
}

Test(plan_egress, is_left_alone_without_an_annotation)
{
	const struct plan_fixture_json json = { .process = ",'capabilities':{'bounding':['CAP_NET_RAW']}" };
	PLAN_FIXTURE(fixture);

	plan_fixture_good(&fixture, &json);
	expect_list(&fixture, NULL);
	cr_expect(fixture.plan->process.capabilities.bounding >> CAP_NET_RAW & 1);
	cr_expect_not(plan_fixture_has_line(&fixture, "egress-families"));
}

Test(plan_egress, does_as_the_annotation_says)
{
	const struct plan_fixture_json json = ANNOTATION("192.0.2.0/24:443/tcp,dns=192.0.2.53"),
				       none = ANNOTATION("none");
	PLAN_FIXTURE(fixture);
	PLAN_FIXTURE(empty);

	plan_fixture_good(&fixture, &json);
	expect_list(&fixture, "192.0.2.0/24:443/tcp,dns=192.0.2.53");
	cr_expect(fixture.plan->egress.own_network);
	cr_expect_not(plan_fixture_has_line(&fixture, "annotation-unknown"));
	plan_fixture_good(&empty, &none);
	expect_list(&empty, "none");
}

Test(plan_egress, knows_the_hosts_network)
{
	const struct plan_fixture_json json = { .top = ",'annotations':{'brig.dev/egress':'none'}" };
	PLAN_FIXTURE(fixture);

	plan_fixture_good(&fixture, &json);
	cr_expect_not(fixture.plan->egress.own_network);
}

/* Its loopback would pass as if it were the container's. */
Test(plan_egress, a_network_that_is_joined_may_not_be_the_hosts)
{
	static const char joined[] = ",{'type':'ipc','path':'/run/ns/ipc'},{'type':'network','path':'/proc/1/ns/net'}";
	const struct plan_fixture_json with = { .top = ",'annotations':{'brig.dev/egress':'none'}", .namespaces = joined },
				       without = { .namespaces = joined };
	PLAN_FIXTURE(held);
	PLAN_FIXTURE(open);

	plan_fixture_good(&held, &with);
	cr_assert_eq(held.plan->namespaces.n_join, 2);
	cr_expect_eq(held.plan->namespaces.join[1].flag, CLONE_NEWNET);
	cr_expect(held.plan->namespaces.join[1].not_the_hosts);
	cr_expect_not(held.plan->namespaces.join[0].not_the_hosts);
	cr_expect(held.plan->egress.own_network);
	plan_fixture_good(&open, &without);
	cr_expect_not(open.plan->namespaces.join[1].not_the_hosts);
}

Test(plan_egress, refuses_what_is_no_list)
{
	const struct plan_fixture_json json = ANNOTATION("example.com:443");

	plan_fixture_refused(&json, ERROR_INVALID,
			     "annotations[\"brig.dev/egress\"]: \"example.com:443\": this is no address");
}

Test(plan_egress, takes_away_what_would_be_a_way_around)
{
	struct plan_fixture_json json = ANNOTATION("none");
	PLAN_FIXTURE(fixture);
	const struct plan_capabilities *sets;

	json.process =
		",'capabilities':{'bounding':['CAP_NET_RAW','CAP_NET_ADMIN','CAP_CHOWN'],'effective':['CAP_NET_RAW'],"
		"'permitted':['CAP_NET_RAW'],'inheritable':['CAP_NET_RAW'],'ambient':['CAP_NET_RAW']}";
	plan_fixture_good(&fixture, &json);
	sets = &fixture.plan->process.capabilities;
	cr_expect_eq(sets->bounding, UINT64_C(1) << CAP_CHOWN);
	cr_expect_eq(sets->effective | sets->permitted | sets->inheritable | sets->ambient, 0);
	cr_expect_str_eq(plan_fixture_line(&fixture, "capability-withheld")->asked, "CAP_NET_ADMIN, CAP_NET_RAW");
}

Test(plan_egress, an_exec_gets_no_way_around_either)
{
	struct plan_fixture_json json = ANNOTATION("none");
	PLAN_FIXTURE(fixture);

	json.process =
		",'capabilities':{'bounding':['CAP_NET_RAW'],'effective':['CAP_NET_RAW'],'permitted':['CAP_NET_RAW']}";
	plan_fixture_parse(&fixture, &json);
	cr_assert_eq(plan_build_exec(&fixture.request, fixture.spec->process, &fixture.plan, &fixture.report,
				     &fixture.err),
		     0, "%s", fixture.err.message);
	cr_expect_eq(fixture.plan->process.capabilities.bounding, 0);
}

Test(plan_egress, what_can_not_be_held_is_refused)
{
	static const struct plan_fixture_json json = ANNOTATION("none");
	const struct {
		enum host_cgroup_layout layout;
		enum plan_cgroup_manager manager;
		uint64_t capabilities;
		bool in_user_namespace;
		const char *words;
	} table[] = {
		{ HOST_CGROUP_V1, PLAN_CGROUP_FS, UINT64_MAX, false, "cgroup of version 2" },
		{ HOST_CGROUP_NONE, PLAN_CGROUP_FS, UINT64_MAX, false, "cgroup of version 2" },
		{ HOST_CGROUP_V2, PLAN_CGROUP_DISABLED, UINT64_MAX, false, "--cgroup-manager=disabled" },
		{ HOST_CGROUP_V2, PLAN_CGROUP_FS, UINT64_C(1) << CAP_BPF, false, "CAP_NET_ADMIN" },
		{ HOST_CGROUP_HYBRID, PLAN_CGROUP_FS, 0, false, "CAP_BPF" },
		{ HOST_CGROUP_V2, PLAN_CGROUP_FS, UINT64_MAX, true, "CAP_BPF" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		PLAN_FIXTURE(fixture);

		fixture.host.cgroup_layout = table[i].layout;
		fixture.host.capabilities = table[i].capabilities;
		fixture.host.in_user_namespace = table[i].in_user_namespace;
		fixture.request.cgroup_manager = table[i].manager;
		plan_fixture_build(&fixture, &json);
		cr_expect_eq(fixture.rc, -EOPNOTSUPP, "%zu", i);
		cr_expect_eq(fixture.err.kind, ERROR_UNSUPPORTED);
		cr_expect_not_null(strstr(fixture.err.message, table[i].words), "%s", fixture.err.message);
		cr_expect_not_null(strstr(fixture.err.message, "or leave it out"), "%s", fixture.err.message);
	}
}

Test(plan_egress, little_is_enough_to_hold_it)
{
	static const struct plan_fixture_json json = ANNOTATION("none");
	PLAN_FIXTURE(fixture);

	fixture.host.capabilities = UINT64_C(1) << CAP_BPF | UINT64_C(1) << CAP_NET_ADMIN;
	plan_fixture_good(&fixture, &json);
	expect_list(&fixture, "none");
}

#define SITE(level) \
	"{\"set\":\"conformant\",\"rules\":{\"egress-maximum\":\"" level "\"},\"egress\":[\"192.0.2.0/24:443\"]}"

/* wanted: NULL: no list; "refused". */
static void expect_under(const char *policy_text, const struct plan_fixture_json *json, const char *wanted)
{
	AUTO(policy_done) struct policy policy = policy_of(policy_text);
	PLAN_FIXTURE(fixture);

	fixture.request.policy = &policy;
	plan_fixture_build(&fixture, json);
	if (wanted && strcmp(wanted, "refused") == 0) {
		cr_expect_eq(fixture.rc, -EPERM, "%s", policy_text);
		cr_expect_not_null(strstr(fixture.err.message, "rule egress-maximum"), "%s", fixture.err.message);
		return;
	}
	cr_assert_eq(fixture.rc, 0, "%s: %s", policy_text, fixture.err.message);
	expect_list(&fixture, wanted);
}

Test(plan_egress, the_sites_list_is_the_most)
{
	static const struct plan_fixture_json no_annotation = { .namespaces = ",{'type':'network'}" };
	static const struct plan_fixture_json narrower = ANNOTATION("192.0.2.7:443/tcp");
	static const struct plan_fixture_json wider = ANNOTATION("192.0.2.7,198.51.100.1:443");

	expect_under(SITE("enforce"), &no_annotation, "192.0.2.0/24:443");
	expect_under(SITE("adjust"), &no_annotation, "192.0.2.0/24:443");
	expect_under(SITE("warn"), &no_annotation, NULL);
	expect_under(SITE("off"), &no_annotation, NULL);
	expect_under(SITE("enforce"), &narrower, "192.0.2.7:443/tcp");
	expect_under(SITE("off"), &narrower, "192.0.2.7:443/tcp");
	expect_under(SITE("enforce"), &wider, "refused");
	expect_under(SITE("adjust"), &wider, "192.0.2.7:443");
	expect_under(SITE("warn"), &wider, "192.0.2.7,198.51.100.1:443");
	expect_under(SITE("off"), &wider, "192.0.2.7,198.51.100.1:443");
	expect_under("{\"set\":\"conformant\",\"rules\":{\"egress-maximum\":\"enforce\"},\"egress\":[]}",
		     &no_annotation, "none");
	expect_under("{\"set\":\"conformant\",\"rules\":{\"egress-maximum\":\"enforce\"}}", &wider,
		     "192.0.2.7,198.51.100.1:443");
}

Test(plan_egress, whom_the_policy_delegates_to_may_go_beyond)
{
	static const char text[] = "{\"set\":\"conformant\",\"rules\":{\"egress-maximum\":\"enforce\"},\"egress\":[],"
				   "\"delegate\":{\"egress-maximum\":\"example.com/egress\"}}";
	static const struct plan_fixture_json without = ANNOTATION("192.0.2.7");
	static const struct plan_fixture_json with = {
		.top = ",'annotations':{'brig.dev/egress':'192.0.2.7','example.com/egress':'off'}",
		.namespaces = ",{'type':'network'}"
	};

	expect_under(text, &without, "refused");
	expect_under(text, &with, "192.0.2.7");
}

Test(plan_egress, a_policys_list_is_checked)
{
	struct policy policy = { 0 };
	struct error err = { 0 };
	static const char text[] = "{\"set\":\"strict\",\"egress\":[\"192.0.2.1\",\"example.com\"]}";

	cr_expect_eq(policy_parse(text, strlen(text), &policy, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "egress[1]"), "%s", err.message);
	cr_expect_not_null(strstr(err.message, "no address"), "%s", err.message);
}

Test(plan_egress, is_printed)
{
	static const struct plan_fixture_json json = ANNOTATION("192.0.2.0/24:443/tcp");
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	PLAN_FIXTURE(fixture);

	plan_fixture_good(&fixture, &json);
	plan_print(fixture.plan, &fixture.report, "conformant", PLAN_PRINT_JSON, &text);
	cr_expect_not_null(strstr(text.data, "\"192.0.2.0/24:443/tcp\""), "%s", text.data);
}
