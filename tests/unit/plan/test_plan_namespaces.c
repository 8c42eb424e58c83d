#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/syscalls.h"
#include "plan_fixture.h"

Test(plan_namespaces, makes_those_without_a_path_and_joins_the_others)
{
	PLAN_FIXTURE(fixture);

	plan_fixture_good(&fixture,
			  &(struct plan_fixture_json){
				  .namespaces = ",{'type':'pid'},{'type':'network','path':'/run/netns/a'},{'type':'time'}",
				  .linux_ = ",'timeOffsets':{'boottime':{'secs':-5,'nanosecs':7}}" });
	cr_expect_eq(fixture.plan->namespaces.create, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWTIME);
	cr_assert_eq(fixture.plan->namespaces.n_join, 1);
	cr_expect_eq(fixture.plan->namespaces.join[0].flag, CLONE_NEWNET);
	cr_expect_str_eq(fixture.plan->namespaces.join[0].path, "/run/netns/a");
	cr_expect_not(fixture.plan->namespaces.join[0].not_the_hosts);
	cr_assert_eq(fixture.plan->namespaces.n_time_offsets, 1);
	cr_expect_eq(fixture.plan->namespaces.time_offsets[0].secs, -5);
	cr_expect_eq(fixture.plan->namespaces.time_offsets[0].nanosecs, 7);
}

Test(plan_namespaces, needs_a_mount_namespace)
{
	struct error err = { 0 };
	struct spec spec = { .root.path = "r", .oci_version = "1.0.0" };
	struct host host = { 0 };
	PLAN_FIXTURE(fixture);
	struct plan_request request = {
		.spec = &spec, .policy = fixture.request.policy, .host = &host, .id = "box", .bundle = "/b"
	};
	struct report report = { 0 };
	struct plan *plan = NULL;
	struct spec_namespace joined = { CLONE_NEWNS, "/proc/1/ns/mnt" };

	cr_expect_lt(plan_build(&request, &plan, &report, &err), 0);
	cr_expect_eq(err.kind, ERROR_UNSUPPORTED);
	cr_expect_not_null(strstr(err.message, "linux.namespaces"), "%s", err.message);
	spec.linux_.namespaces = &joined;
	spec.linux_.n_namespaces = 1;
	cr_assert_eq(plan_build(&request, &plan, &report, &err), 0, "%s", err.message);
	cr_expect_eq(plan->namespaces.n_join, 1);
	plan_free(plan);
}

Test(plan_namespaces, copies_the_maps_of_a_new_user_namespace)
{
	PLAN_FIXTURE(fixture);

	plan_fixture_good(&fixture,
			  &(struct plan_fixture_json){ .namespaces = PLAN_FIXTURE_USER, .linux_ = PLAN_FIXTURE_MAPS });
	cr_assert_eq(fixture.plan->namespaces.uids.n_ranges, 1);
	cr_expect_eq(fixture.plan->namespaces.uids.ranges[0].outside, 100000);
	cr_expect_eq(fixture.plan->namespaces.gids.ranges[0].outside, 200000);
	cr_expect_not(fixture.plan->namespaces.deny_setgroups);
}

Test(plan_namespaces, user_namespace_needs_its_root)
{
	plan_fixture_refused(&(struct plan_fixture_json){ .namespaces = PLAN_FIXTURE_USER }, ERROR_INVALID,
			     "linux.uidMappings");
	plan_fixture_refused(
		&(struct plan_fixture_json){
			.namespaces = PLAN_FIXTURE_USER,
			.linux_ = ",'uidMappings':[{'containerID':0,'hostID':1,'size':1}],'gidMappings':[{'containerID':1,'hostID':1,'size':1}]" },
		ERROR_INVALID, "linux.gidMappings");
}

Test(plan_namespaces, maps_of_a_joined_user_namespace_are_not_written)
{
	PLAN_FIXTURE(fixture);

	plan_fixture_good(&fixture, &(struct plan_fixture_json){ .namespaces = ",{'type':'user','path':'/proc/7/ns/user'}",
								 .linux_ = PLAN_FIXTURE_MAPS });
	cr_expect_eq(fixture.plan->namespaces.uids.n_ranges, 0);
	cr_expect_eq(plan_fixture_line(&fixture, "userns-joined-maps")->level, REPORT_NOTE);
}

/* user_namespaces(7): without CAP_SETGID the own group alone can be mapped, after setgroups has been denied. */
Test(plan_namespaces, setgroups_is_denied_only_where_the_kernel_wants_that)
{
	static const struct {
		uint64_t capabilities;
		const char *gids;
		bool denied;
	} cases[] = {
		{ 0, "{'containerID':0,'hostID':1000,'size':1}", true },
		{ PLAN_FIXTURE_ALL_CAPABILITIES, "{'containerID':0,'hostID':1000,'size':1}", false },
		{ 0, "{'containerID':0,'hostID':1000,'size':1},{'containerID':1,'hostID':100000,'size':9}", false },
		{ 0, "{'containerID':0,'hostID':1001,'size':1}", false },
	};
	char json[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		fixture.host.capabilities = cases[i].capabilities;
		fixture.host.euid = fixture.host.egid = 1000;
		snprintf(json, sizeof(json),
			 ",'uidMappings':[{'containerID':0,'hostID':1000,'size':1}],'gidMappings':[%s]", cases[i].gids);
		plan_fixture_good(&fixture,
				  &(struct plan_fixture_json){ .namespaces = PLAN_FIXTURE_USER, .linux_ = json });
		cr_expect_eq(fixture.plan->namespaces.deny_setgroups, cases[i].denied, "%s", cases[i].gids);
	}
}

/* CVE-2022-0532: what is set through a namespace must not be set on the host. */
Test(plan_namespaces, marks_joined_namespaces_that_get_settings)
{
	PLAN_FIXTURE(fixture);

	plan_fixture_good(
		&fixture,
		&(struct plan_fixture_json){
			.namespaces = ",{'type':'uts','path':'/proc/7/ns/uts'},{'type':'pid','path':'/proc/7/ns/pid'}",
			.top = ",'hostname':'box'" });
	cr_expect(fixture.plan->namespaces.join[0].not_the_hosts);
	cr_expect_not(fixture.plan->namespaces.join[1].not_the_hosts);
	cr_expect_str_eq(fixture.plan->hostname, "box");
}
