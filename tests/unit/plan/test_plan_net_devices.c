#include <linux/capability.h>
#include <string.h>

#include <criterion/criterion.h>

#include "plan_fixture.h"

#define TWO ",'netDevices':{'eth1':{'name':'inside'},'eth2':{}}"

static const struct plan_fixture_json two = { .namespaces = ",{'type':'network'}", .linux_ = TWO };

Test(plan_net_devices, are_listed_with_their_names_inside)
{
	PLAN_FIXTURE(fixture);

	plan_fixture_good(&fixture, &two);
	cr_assert_eq(fixture.plan->n_net_devices, 2);
	cr_expect_str_eq(fixture.plan->net_devices[0].host_name, "eth1");
	cr_expect_str_eq(fixture.plan->net_devices[0].name, "inside");
	cr_expect_str_eq(fixture.plan->net_devices[1].name, "eth2");
}

Test(plan_net_devices, have_to_go_somewhere)
{
	plan_fixture_refused(&(struct plan_fixture_json){ .linux_ = TWO }, ERROR_INVALID,
			     "linux.netDevices: the container has the host's network");
}

Test(plan_net_devices, are_for_who_may_take_them)
{
	PLAN_FIXTURE(fixture);

	fixture.host.capabilities &= ~(UINT64_C(1) << CAP_NET_ADMIN);
	plan_fixture_build(&fixture, &two);
	cr_expect_lt(fixture.rc, 0);
	cr_expect_eq(fixture.err.kind, ERROR_UNSUPPORTED);
	cr_expect_not_null(strstr(fixture.err.message, "needs CAP_NET_ADMIN and CAP_SYS_ADMIN"), "%s",
			   fixture.err.message);
}
