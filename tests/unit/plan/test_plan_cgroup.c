#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "plan/plan_resources.h"
#include "plan_fixture.h"

Test(plan_cgroup, path)
{
	static const struct {
		enum plan_cgroup_manager manager;
		const char *asked, *path;
	} cases[] = {
		{ PLAN_CGROUP_FS, "", "brig-box" },
		{ PLAN_CGROUP_FS, ",'cgroupsPath':''", "brig-box" },
		{ PLAN_CGROUP_FS, ",'cgroupsPath':'/a/b'", "a/b" },
		{ PLAN_CGROUP_FS, ",'cgroupsPath':'a//./b/'", "a/b" },
		{ PLAN_CGROUP_FS, ",'cgroupsPath':'system.slice:crio:x'", "system.slice:crio:x" },
		{ PLAN_CGROUP_SYSTEMD, "", "system.slice:brig:box" },
		{ PLAN_CGROUP_SYSTEMD, ",'cgroupsPath':'my.slice:pre:name'", "my.slice:pre:name" },
		{ PLAN_CGROUP_SYSTEMD, ",'cgroupsPath':':pre:name'", ":pre:name" },
		{ PLAN_CGROUP_DISABLED, "", "brig-box" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		fixture.request.cgroup_manager = cases[i].manager;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .linux_ = cases[i].asked });
		cr_expect_str_eq(fixture.plan->cgroup.path, cases[i].path);
		cr_expect_eq(fixture.plan->cgroup.manager, cases[i].manager);
	}
}

/* An ordinary user on a host that gave it no part of the tree. */
Test(plan_cgroup, without_leave_to_make_one_there_is_none_unless_a_path_asks)
{
	static const struct {
		enum plan_cgroup_manager asked;
		const char *path;
		enum plan_cgroup_manager expected;
	} cases[] = {
		{ PLAN_CGROUP_FS, "", PLAN_CGROUP_DISABLED },
		{ PLAN_CGROUP_FS, ",'cgroupsPath':'/mine'", PLAN_CGROUP_FS },
		{ PLAN_CGROUP_SYSTEMD, "", PLAN_CGROUP_SYSTEMD },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		fixture.host.cgroup_closed = true;
		fixture.request.cgroup_manager = cases[i].asked;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .linux_ = cases[i].path });
		cr_expect_eq(fixture.plan->cgroup.manager, cases[i].expected, "case %zu", i);
	}
}

Test(plan_cgroup, limits_that_nobody_holds_are_said_to_be_so)
{
	PLAN_FIXTURE(fixture);

	fixture.host.cgroup_closed = true;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){ .linux_ = ",'resources':{'pids':{'limit':5}}" });
	cr_expect_not_null(strstr(plan_fixture_line(&fixture, "cgroup-disabled")->why, "this user may make none"));
}

Test(plan_cgroup, to_make_none_is_said_to_be_asked_for_where_there_could_be_one)
{
	for (int closed = 0; closed < 2; closed++) {
		PLAN_FIXTURE(fixture);

		fixture.host.cgroup_closed = closed;
		fixture.request.cgroup_manager = PLAN_CGROUP_DISABLED;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .linux_ = ",'resources':{'pids':{'limit':5}}" });
		cr_expect_not_null(strstr(plan_fixture_line(&fixture, "cgroup-disabled")->why,
					  closed ? "this user may make none" : "--cgroup-manager=disabled"));
	}
}

Test(plan_cgroup, refused_paths)
{
	static const struct {
		enum plan_cgroup_manager manager;
		const char *path;
	} cases[] = {
		{ PLAN_CGROUP_FS, "/" },
		{ PLAN_CGROUP_FS, "." },
		{ PLAN_CGROUP_SYSTEMD, "/a/b" },
		{ PLAN_CGROUP_SYSTEMD, "a:b" },
		{ PLAN_CGROUP_SYSTEMD, "a:b:c:d" },
		{ PLAN_CGROUP_SYSTEMD, "a:b:" },
		{ PLAN_CGROUP_SYSTEMD, "a:../b:c" },
	};
	char json[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		fixture.request.cgroup_manager = cases[i].manager;
		snprintf(json, sizeof(json), ",'cgroupsPath':'%s'", cases[i].path);
		plan_fixture_build(&fixture, &(struct plan_fixture_json){ .linux_ = json });
		cr_expect_lt(fixture.rc, 0, "%s", cases[i].path);
		cr_expect_not_null(strstr(fixture.err.message, "linux.cgroupsPath"), "%s", fixture.err.message);
	}
}

/* A path that came past spec/ has nothing left that leads upwards either. */
Test(plan_cgroup, path_never_leads_upwards)
{
	static const char *const paths[] = { "../a", "a/../../b", "/../..//a", "a/.." };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		PLAN_FIXTURE(fixture);

		plan_fixture_parse(&fixture, &(struct plan_fixture_json){ 0 });
		fixture.spec->linux_.cgroups_path = paths[i];
		if (plan_build(&fixture.request, &fixture.plan, &fixture.report, &fixture.err) == 0) {
			cr_expect_null(strstr(fixture.plan->cgroup.path, ".."), "%s", fixture.plan->cgroup.path);
			cr_expect_neq(fixture.plan->cgroup.path[0], '/');
		}
	}
}

/* OCI config-linux.md "Cgroup ownership" */
Test(plan_cgroup, ownership)
{
	static const struct {
		enum host_cgroup_layout layout;
		const char *namespaces, *options;
		bool delegate;
	} cases[] = {
		{ HOST_CGROUP_V2, ",{'type':'cgroup'},{'type':'user'}", "'rw'", true },
		{ HOST_CGROUP_V2, ",{'type':'cgroup'},{'type':'user'}", "'ro'", false },
		{ HOST_CGROUP_V2, ",{'type':'cgroup'},{'type':'user'}", "'rro'", false },
		{ HOST_CGROUP_V2, ",{'type':'user'}", "'rw'", false },
		{ HOST_CGROUP_V2, ",{'type':'cgroup','path':'/n'},{'type':'user'}", "'rw'", false },
		{ HOST_CGROUP_HYBRID, ",{'type':'cgroup'},{'type':'user'}", "'rw'", false },
		{ HOST_CGROUP_V1, ",{'type':'cgroup'},{'type':'user'}", "'rw'", false },
	};
	char mount[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		fixture.host.cgroup_layout = cases[i].layout;
		snprintf(mount, sizeof(mount), "{'destination':'/sys/fs/cgroup','type':'cgroup','options':[%s]}",
			 cases[i].options);
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .mounts = mount,
									 .namespaces = cases[i].namespaces,
									 .linux_ = PLAN_FIXTURE_MAPS });
		cr_expect_eq(fixture.plan->cgroup.delegate, cases[i].delegate, "%s %s", cases[i].namespaces,
			     cases[i].options);
		if (cases[i].delegate)
			cr_expect_eq(fixture.plan->cgroup.owner_uid, 100000);
	}
}

/* ---- resources ---- */

static const struct plan_resources *build(struct plan_fixture *fixture, const char *resources)
{
	char json[2048];

	snprintf(json, sizeof(json), ",'resources':{%s}", resources);
	plan_fixture_good(fixture, &(struct plan_fixture_json){ .linux_ = json });
	return &fixture->plan->cgroup.resources;
}

Test(plan_resources, scalars)
{
	PLAN_FIXTURE(fixture);
	const struct plan_resources *plan = build(
		&fixture,
		"'memory':{'limit':1000000,'reservation':-1,'swap':2000000,'kernel':5,'kernelTCP':6,'swappiness':0,"
		"'disableOOMKiller':true,'useHierarchy':true,'checkBeforeUpdate':true},"
		"'cpu':{'shares':512,'quota':-1,'period':100000,'burst':0,'realtimeRuntime':1,'realtimePeriod':2,'cpus':'0-3',"
		"'mems':'0','idle':1},'pids':{'limit':-1},'network':{'classID':0},'blockIO':{'weight':100,'leafWeight':10}");

	cr_expect_eq(plan->set, (1u << 20) - 1, "%#x", plan->set);
	cr_expect_eq(plan->memory_limit, 1000000);
	cr_expect_eq(plan->memory_reservation, -1);
	cr_expect_eq(plan->memory_swap, 2000000);
	cr_expect_eq(plan->memory_swappiness, 0);
	cr_expect(plan->oom_disable && plan->memory_check_before_update && plan->memory_hierarchy);
	cr_expect_eq(plan->cpu_shares, 512);
	cr_expect_eq(plan->cpu_quota, -1);
	cr_expect_eq(plan->cpu_period, 100000);
	cr_expect_str_eq(plan->cpus, "0-3");
	cr_expect_str_eq(plan->mems, "0");
	cr_expect_eq(plan->cpu_idle, 1);
	cr_expect_eq(plan->pids, -1);
	cr_expect_eq(plan->io_weight, 100);
	cr_expect_eq(plan->io_leaf_weight, 10);
}

/* Callers that fill in structs leave 0 where they ask for nothing. */
Test(plan_resources, zero_is_no_limit_where_it_makes_no_sense)
{
	PLAN_FIXTURE(fixture);
	const struct plan_resources *plan = build(
		&fixture, "'memory':{'limit':0,'reservation':0,'swap':0,'kernel':0,'kernelTCP':0},"
			  "'cpu':{'shares':0,'quota':0,'period':0,'realtimeRuntime':0,'realtimePeriod':0},"
			  "'blockIO':{'weight':0,'leafWeight':0,'weightDevice':[{'major':8,'minor':0,'weight':0}]}");

	cr_expect_eq(plan->set, 0, "%#x", plan->set);
	cr_expect_eq(plan->n_throttles, 0);
}

Test(plan_resources, lists)
{
	PLAN_FIXTURE(fixture);
	const struct plan_resources *plan = build(
		&fixture,
		"'hugepageLimits':[{'pageSize':'2MB','limit':4194304}],"
		"'network':{'priorities':[{'name':'eth0','priority':5}]},'rdma':{'mlx5_1':{'hcaHandles':3}},"
		"'unified':{'memory.high':'max'},"
		"'blockIO':{'weightDevice':[{'major':8,'minor':0,'weight':500,'leafWeight':300}],"
		"'throttleReadBpsDevice':[{'major':8,'minor':1,'rate':600}],'throttleWriteBpsDevice':[{'major':8,'minor':2,'rate':7}],"
		"'throttleReadIOPSDevice':[{'major':8,'minor':3,'rate':8}],'throttleWriteIOPSDevice':[{'major':8,'minor':4,'rate':9}]}");

	cr_assert_eq(plan->n_throttles, 6);
	for (size_t i = 0; i < 6; i++)
		cr_expect_eq(plan->throttles[i].kind, i);
	cr_expect_eq(plan->throttles[1].value, 300);
	cr_expect_eq(plan->throttles[2].minor, 1);
	cr_expect_eq(plan->throttles[2].value, 600);
	cr_assert_eq(plan->n_hugepages, 1);
	cr_expect_str_eq(plan->hugepages[0].name, "2MB");
	cr_expect(plan->hugepages[0].reservation);
	cr_expect_str_eq(plan->net_priorities[0].name, "eth0");
	cr_expect(plan->rdma[0].set_handles && !plan->rdma[0].set_objects);
	cr_expect_str_eq(plan->unified[0].name, "memory.high");
	cr_expect_str_eq(plan->unified[0].value, "max");
}

/* ---- device rules ---- */

#define N_ALWAYS 10

Test(plan_resources, device_rules_end_with_what_is_always_allowed)
{
	static const struct {
		const char *resources;
		size_t n;
	} cases[] = {
		{ "", 1 + N_ALWAYS },
		{ "'devices':[{'allow':false,'access':'rwm'}]", 1 + N_ALWAYS },
		{ "'devices':[{'allow':false,'access':'rwm'},{'allow':true,'type':'c','major':10,'minor':200,'access':'rw'}]",
		  2 + N_ALWAYS },
		{ "'devices':[{'allow':true,'type':'c','major':10,'minor':200,'access':'rw'}]", 2 + N_ALWAYS },
		{ "'devices':[{'allow':true,'type':'a','major':3,'access':'r'}]", 1 + N_ALWAYS },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);
		const struct plan_resources *plan = build(&fixture, cases[i].resources);

		cr_assert_eq(plan->n_devices, cases[i].n, "%s: %zu", cases[i].resources, plan->n_devices);
		cr_expect_eq(plan->devices[0].type, 'a');
		cr_expect_eq(plan->devices[0].allow, i == 4);
		cr_expect_eq(plan->devices[0].major, -1);
		cr_expect_eq(plan->devices[0].access, 7);
		cr_expect_eq(plan->devices[plan->n_devices - 1].major, 136);
		if (cases[i].n == 2 + N_ALWAYS) {
			cr_expect_eq(plan->devices[1].major, 10);
			cr_expect_eq(plan->devices[1].access, BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE);
		}
	}
}

Test(plan_resources, devices_are_left_alone_without_the_privilege)
{
	PLAN_FIXTURE(asked);
	PLAN_FIXTURE(silent);

	asked.host.in_user_namespace = silent.host.in_user_namespace = true;
	cr_expect_eq(build(&asked, "'devices':[{'allow':false}]")->n_devices, 0);
	cr_expect_eq(plan_fixture_line(&asked, "devices-unlimited")->level, REPORT_NOTE);
	cr_expect_eq(build(&silent, "")->n_devices, 0);
	cr_expect_eq(silent.report.n_lines, 0);
}

/* update: what the document does not name stays as it is. */
Test(plan_resources, by_themselves)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	struct report report = { .arena = arena };
	struct spec_resources asked = { .pids_limit = { true, 7 } };
	struct plan_resources plan = { .n_devices = 77 };
	struct host host = { .capabilities = PLAN_FIXTURE_ALL_CAPABILITIES };
	struct error err = { 0 };

	cr_assert_eq(plan_resources_build(&asked, &host, &plan, &report, &err), 0);
	cr_expect_eq(plan.set, PLAN_PIDS);
	cr_expect_eq(plan.pids, 7);
	cr_expect_eq(plan.n_devices, 0);
}
