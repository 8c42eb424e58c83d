/* Settings of a network namespace that was there before the container's user namespace: the parent writes them. */
#include <stdio.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "plan_fixture.h"

#define EXT4 0xEF53
#define FIRST 1879048192u

struct case_ {
	struct plan_fixture fixture;
	struct policy policy;
};

/* A range of ids is granted. */
static void begin(struct case_ *test)
{
	struct error err;

	*test = (struct case_){ .fixture = plan_fixture_new() };
	cr_assert_eq(policy_load("conformant", &test->policy, &err), 0);
	test->policy.levels[POLICY_USER_NAMESPACE] = POLICY_ADJUST;
	test->fixture.request.policy = &test->policy;
	test->fixture.request.root_source =
		(struct host_source){ .known = true, .mode = S_IFDIR | 0755, .file_system = EXT4, .mappable = true };
	test->fixture.request.ids = (struct host_ids){ .granted = true, .first = FIRST, .size = 65536 };
}

static void end(struct case_ *test)
{
	plan_fixture_done(&test->fixture);
	policy_done(&test->policy);
}

/* "first last" as the host knows those groups of the container. */
static void expect_ping_groups(const char *asked, unsigned first, unsigned last)
{
	struct plan_fixture_json json = { .namespaces = ",{'type':'network','path':'/run/netns/x'}" };
	char sysctl[128], wanted[64];
	struct case_ test;

	snprintf(sysctl, sizeof(sysctl), ",'sysctl':{'net.ipv4.ping_group_range':'%s'}", asked);
	json.linux_ = sysctl;
	begin(&test);
	plan_fixture_good(&test.fixture, &json);
	cr_assert_eq(test.fixture.plan->n_parent_sysctls, 1);
	snprintf(wanted, sizeof(wanted), "%u %u", first, last);
	cr_expect_str_eq(test.fixture.plan->parent_sysctls[0].value, wanted);
	end(&test);
}

Test(plan_userns_network, groups_that_may_ping_are_the_containers)
{
	const struct plan_fixture_json beyond = {
		.namespaces = ",{'type':'network','path':'/run/netns/x'}",
		.linux_ = ",'sysctl':{'net.ipv4.ping_group_range':'70000 80000'}",
	};
	struct case_ test;

	expect_ping_groups("0 1000", FIRST, FIRST + 1000);
	expect_ping_groups("5 5", FIRST + 5, FIRST + 5);
	expect_ping_groups("0 2147483647", FIRST, FIRST + 65535);
	expect_ping_groups("1 0", 1, 0);
	begin(&test);
	plan_fixture_build(&test.fixture, &beyond);
	cr_expect_eq(test.fixture.err.kind, ERROR_INVALID);
	end(&test);
}
