/* The floor's rules about devices and limits, where a level alone does not say it all; and new limits for a container that runs. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "plan_fixture.h"

#define USE (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define GIB (INT64_C(1) << 30)

static struct policy with_levels(enum policy_level device, enum policy_level missing, enum policy_level most)
{
	struct policy policy = { 0 };

	cr_assert_eq(policy_load("strict", &policy, NULL), 0);
	for (size_t i = POLICY_FLOOR_FIRST; i < POLICY_N_RULES; i++)
		policy.levels[i] = POLICY_OFF;
	policy.levels[POLICY_DEVICE] = device;
	policy.levels[POLICY_RESOURCE_MISSING] = missing;
	policy.levels[POLICY_RESOURCE_MAXIMUM] = most;
	policy.resources = (struct policy_resources){ 0 };
	return policy;
}

/* ---- devices ---- */

static const struct policy_device graphics[] = { { 'c', 195, 0, USE },
						 { 'c', 195, 255, USE },
						 { 'b', 7, -1, BPF_DEVCG_ACC_READ } };

/* As the kernel would: the last match counts. */
static bool allows(const struct plan *plan, char type, int64_t major, int64_t minor, unsigned access)
{
	bool allowed = false;

	for (size_t i = 0; i < plan->cgroup.resources.n_devices; i++) {
		const struct plan_device_rule *rule = &plan->cgroup.resources.devices[i];

		if ((rule->type == 'a' || rule->type == type) && (rule->major < 0 || rule->major == major) &&
		    (rule->minor < 0 || rule->minor == minor) &&
		    (rule->allow ? !(access & ~rule->access) : access & rule->access))
			allowed = rule->allow;
	}
	return allowed;
}

static const char privileged[] = ",'resources':{'devices':[{'allow':true,'access':'rwm'}]}";

Test(plan_harden_limits, everything_is_cut_to_the_default_devices_and_those_listed)
{
	static const enum policy_level levels[] = { POLICY_ENFORCE, POLICY_ADJUST };

	for (size_t i = 0; i < 2; i++) {
		struct policy policy = with_levels(levels[i], POLICY_OFF, POLICY_OFF);
		PLAN_FIXTURE(fixture);

		policy.devices = (struct policy_devices){ graphics, ARRAY_SIZE(graphics) };
		fixture.request.policy = &policy;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .linux_ = privileged });
		cr_expect_eq(plan_fixture_line(&fixture, "device")->level, REPORT_ADJUSTED);
		cr_expect(allows(fixture.plan, 'c', 1, 3, USE));
		cr_expect(allows(fixture.plan, 'c', 136, 7, USE));
		cr_expect(allows(fixture.plan, 'c', 195, 0, USE));
		cr_expect(allows(fixture.plan, 'b', 7, 3, BPF_DEVCG_ACC_READ));
		cr_expect_not(allows(fixture.plan, 'b', 7, 3, BPF_DEVCG_ACC_WRITE));
		cr_expect_not(allows(fixture.plan, 'c', 195, 1, BPF_DEVCG_ACC_READ));
		cr_expect_not(allows(fixture.plan, 'b', 8, 0, BPF_DEVCG_ACC_READ));
		cr_expect_not(allows(fixture.plan, 'c', 1, 1, BPF_DEVCG_ACC_READ), "mem");
	}
}

Test(plan_harden_limits, warn_and_off_leave_a_privileged_container_its_devices)
{
	static const enum policy_level levels[] = { POLICY_WARN, POLICY_OFF };

	for (size_t i = 0; i < 2; i++) {
		struct policy policy = with_levels(levels[i], POLICY_OFF, POLICY_OFF);
		PLAN_FIXTURE(fixture);

		fixture.request.policy = &policy;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .linux_ = privileged });
		cr_expect(allows(fixture.plan, 'b', 8, 0, USE));
		cr_expect_eq(plan_fixture_has_line(&fixture, "device"), levels[i] == POLICY_WARN);
	}
}

Test(plan_harden_limits, a_listed_device_is_let_in)
{
	struct policy policy = with_levels(POLICY_ENFORCE, POLICY_OFF, POLICY_OFF);
	PLAN_FIXTURE(fixture);
	PLAN_FIXTURE(wider);

	policy.devices = (struct policy_devices){ graphics, ARRAY_SIZE(graphics) };
	fixture.request.policy = wider.request.policy = &policy;
	plan_fixture_good(
		&fixture,
		&(struct plan_fixture_json){
			.linux_ =
				",'devices':[{'path':'/dev/nvidia0','type':'c','major':195,'minor':0}],"
				"'resources':{'devices':[{'allow':true,'type':'c','major':195,'minor':0,'access':'rwm'}]}" });
	cr_expect(allows(fixture.plan, 'c', 195, 0, USE));
	cr_expect_eq(fixture.report.n_lines, 0);
	/* More access than listed is not. */
	plan_fixture_build(
		&wider,
		&(struct plan_fixture_json){
			.linux_ = ",'resources':{'devices':[{'allow':true,'type':'b','major':7,'access':'rw'}]}" });
	cr_expect_eq(wider.rc, -EPERM);
	cr_expect_not_null(strstr(wider.err.message, "deploy/policy/gpu.json"), "%s", wider.err.message);
}

Test(plan_harden_limits, adjust_leaves_the_listed_part_of_a_wide_rule)
{
	struct policy policy = with_levels(POLICY_ADJUST, POLICY_OFF, POLICY_OFF);
	PLAN_FIXTURE(fixture);

	policy.devices = (struct policy_devices){ graphics, ARRAY_SIZE(graphics) };
	fixture.request.policy = &policy;
	plan_fixture_good(
		&fixture,
		&(struct plan_fixture_json){
			.linux_ = ",'resources':{'devices':[{'allow':true,'type':'c','major':195,'access':'rw'}]}" });
	cr_expect(allows(fixture.plan, 'c', 195, 255, USE));
	cr_expect_not(allows(fixture.plan, 'c', 195, 3, BPF_DEVCG_ACC_READ));
}

/* ---- limits ---- */

struct limit_case {
	const char *resources;
	struct host_limits parents;
	int64_t pids, memory, quota; /* in the plan; 0: not set */
};

static const struct policy_resources site = { .pids = { 100, 200 }, .memory = { 1 * GIB, 2 * GIB }, .cpu = { 500, 1500 } };

static void expect_limits(const struct plan_fixture *fixture, const struct limit_case *x)
{
	const struct plan_resources *has = &fixture->plan->cgroup.resources;

	cr_expect_eq(has->set & PLAN_PIDS ? has->pids : 0, x->pids, "%s: pids %ld", x->resources, (long)has->pids);
	cr_expect_eq(has->set & PLAN_MEMORY_LIMIT ? has->memory_limit : 0, x->memory, "%s: memory %ld", x->resources,
		     (long)has->memory_limit);
	cr_expect_eq(has->set & PLAN_CPU_QUOTA ? has->cpu_quota : 0, x->quota, "%s: quota %ld", x->resources,
		     (long)has->cpu_quota);
}

Test(plan_harden_limits, what_is_missing_is_filled_in_and_what_is_more_is_lowered)
{
	static const struct limit_case cases[] = {
		{ "{}", { 0 }, 100, 1 * GIB, 50000 },
		{ "{'pids':{'limit':5},'memory':{'limit':4096},'cpu':{'quota':1000}}", { 0 }, 5, 4096, 1000 },
		{ "{'pids':{'limit':201},'memory':{'limit':4294967296},'cpu':{'quota':300000,'period':100000}}",
		  { 0 },
		  200,
		  2 * GIB,
		  150000 },
		{ "{'pids':{'limit':200},'memory':{'limit':2147483648},'cpu':{'quota':75000,'period':50000}}",
		  { 0 },
		  200,
		  2 * GIB,
		  75000 },
		{ "{'cpu':{'quota':75001,'period':50000},'pids':{'limit':1},'memory':{'limit':1}}", { 0 }, 1, 1, 75000 },
		/* A pod's own limits count; where they are above the site's, the container's is lowered. */
		{ "{}", { .pids = 150, .memory = GIB, .cpu = 1000 }, 0, 0, 0 },
		{ "{}", { .pids = 1000, .memory = 8 * GIB, .cpu = 8000 }, 200, 2 * GIB, 150000 },
		{ "{'pids':{'limit':-1},'memory':{'limit':-1},'cpu':{'quota':-1}}", { 0 }, 100, 1 * GIB, 50000 },
		/* The same limits by the names of their files. */
		{ "{'unified':{'pids.max':'7','memory.max':'4096','cpu.max':'10000 100000'}}", { 0 }, 0, 0, 0 },
		{ "{'unified':{'pids.max':'max','memory.max':'max','cpu.max':'max 100000'}}", { 0 }, 100, 1 * GIB, 50000 },
		{ "{'unified':{'pids.max':'201','memory.max':'9999999999','cpu.max':'900000'}}", { 0 }, 200, 2 * GIB, 150000 },
		{ "{'pids':{'limit':5},'unified':{'pids.max':'900','memory.max':'1','cpu.max':'1'}}", { 0 }, 200, 0, 0 },
		{ "{'unified':{'pids.max':'0x5','memory.max':'','cpu.max':'junk'}}", { 0 }, 100, 1 * GIB, 50000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy policy = with_levels(POLICY_OFF, POLICY_ADJUST, POLICY_ADJUST);
		char json[512];
		PLAN_FIXTURE(fixture);

		policy.resources = site;
		fixture.request.policy = &policy;
		fixture.request.parents = cases[i].parents;
		snprintf(json, sizeof(json), ",'resources':%s", cases[i].resources);
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .linux_ = json });
		expect_limits(&fixture, &cases[i]);
		for (size_t k = 0; k < fixture.plan->cgroup.resources.n_unified; k++)
			cr_expect_str_neq(fixture.plan->cgroup.resources.unified[k].value, "max",
					  "it would lift the limit again");
	}
}

Test(plan_harden_limits, a_lowered_limit_leaves_nothing_that_contradicts_it)
{
	struct policy policy = with_levels(POLICY_OFF, POLICY_OFF, POLICY_ADJUST);
	const struct plan_resources *has;
	PLAN_FIXTURE(fixture);

	policy.resources = site;
	fixture.request.policy = &policy;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){
					    .linux_ = ",'resources':{'memory':{'limit':9000000000,'swap':18000000000},"
						      "'cpu':{'quota':900000,'period':100000,'burst':800000}}" });
	has = &fixture.plan->cgroup.resources;
	cr_expect_eq(has->memory_swap, has->memory_limit);
	cr_expect_eq(has->cpu_burst, 150000);
	cr_expect_eq(plan_fixture_line(&fixture, "resource-maximum")->level, REPORT_ADJUSTED);
}

Test(plan_harden_limits, a_maximum_refuses_at_enforce)
{
	struct policy policy = with_levels(POLICY_OFF, POLICY_OFF, POLICY_ENFORCE);
	PLAN_FIXTURE(fixture);

	policy.resources = site;
	fixture.request.policy = &policy;
	plan_fixture_build(
		&fixture,
		&(struct plan_fixture_json){
			.linux_ = ",'resources':{'pids':{'limit':201},'memory':{'limit':1},'cpu':{'quota':1000}}" });
	cr_expect_eq(fixture.rc, -EPERM);
	cr_expect_not_null(strstr(fixture.err.message, "linux.resources.pids.limit: asked for 201 processes"), "%s",
			   fixture.err.message);
}

Test(plan_harden_limits, without_a_cgroup_nothing_is_filled_in_and_that_is_said)
{
	struct policy policy = with_levels(POLICY_OFF, POLICY_ADJUST, POLICY_ADJUST);
	PLAN_FIXTURE(fixture);
	PLAN_FIXTURE(refused);

	policy.resources = site;
	fixture.request.policy = refused.request.policy = &policy;
	fixture.request.cgroup_manager = refused.request.cgroup_manager = PLAN_CGROUP_DISABLED;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){ 0 });
	cr_expect_eq(fixture.plan->cgroup.resources.set, 0);
	cr_expect_eq(plan_fixture_line(&fixture, "cgroup-disabled")->level, REPORT_WARNING);
	policy.levels[POLICY_CGROUP_DISABLED] = POLICY_ENFORCE;
	plan_fixture_build(&refused, &(struct plan_fixture_json){ 0 });
	cr_expect_eq(refused.rc, -EPERM);
}

Test(plan_harden_limits, no_cgroup_is_no_way_around_a_limit_that_is_enforced)
{
	static const struct {
		enum policy_level missing, most;
		const char *rule;
	} cases[] = {
		{ POLICY_ENFORCE, POLICY_OFF, "resource-missing" },
		{ POLICY_OFF, POLICY_ENFORCE, "resource-maximum" },
		{ POLICY_ADJUST, POLICY_ENFORCE, "resource-maximum" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy policy = with_levels(POLICY_OFF, cases[i].missing, cases[i].most);
		PLAN_FIXTURE(fixture);

		policy.resources = site;
		fixture.request.policy = &policy;
		fixture.host.cgroup_closed = true;
		plan_fixture_build(&fixture, &(struct plan_fixture_json){ 0 });
		cr_expect_eq(fixture.rc, -EPERM, "case %zu", i);
		cr_expect_not_null(strstr(fixture.err.message, cases[i].rule), "case %zu: %s", i, fixture.err.message);
	}
}

Test(plan_harden_limits, a_maximum_alone_that_nobody_holds_is_said_to_be_so)
{
	struct policy policy = with_levels(POLICY_OFF, POLICY_ADJUST, POLICY_ADJUST);
	PLAN_FIXTURE(fixture);

	policy.resources = (struct policy_resources){ .pids = { .most = 100 } };
	fixture.request.policy = &policy;
	fixture.host.cgroup_closed = true;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){ 0 });
	cr_expect_eq(plan_fixture_line(&fixture, "cgroup-disabled")->level, REPORT_WARNING);
}

/* ---- update ---- */

static void update(struct plan_fixture *fixture, const struct spec_resources *resources)
{
	fixture->rc = plan_build_update(&fixture->request, resources, &fixture->plan, &fixture->report, &fixture->err);
}

struct update_case {
	const char *what;
	struct spec_resources asked;
	struct limit_case wanted;
};

Test(plan_harden_limits, an_update_stays_within_and_leaves_alone_what_it_does_not_name)
{
	static const struct update_case cases[] = {
		{ "nothing", { 0 }, { "nothing", { 0 }, 0, 0, 0 } },
		{ "lower", { .pids_limit = { true, 5 } }, { "lower", { 0 }, 5, 0, 0 } },
		{ "more", { .pids_limit = { true, 500 } }, { "more", { 0 }, 200, 0, 0 } },
		{ "none", { .pids_limit = { true, -1 } }, { "none", { 0 }, 100, 0, 0 } },
		{ "memory", { .memory = { .limit = { true, 3 * GIB } } }, { "memory", { 0 }, 0, 2 * GIB, 0 } },
		{ "quota", { .cpu = { .quota = { true, 10000 } } }, { "quota", { 0 }, 0, 0, 10000 } },
		/* The quota of before, in a tenth of the time, would be ten times as much. */
		{ "period", { .cpu = { .period = { true, 10000 } } }, { "period", { 0 }, 0, 0, 5000 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy policy = with_levels(POLICY_OFF, POLICY_ADJUST, POLICY_ADJUST);
		PLAN_FIXTURE(fixture);

		policy.resources = site;
		fixture.request.policy = &policy;
		plan_fixture_parse(&fixture, &(struct plan_fixture_json){ 0 });
		update(&fixture, &cases[i].asked);
		cr_assert_eq(fixture.rc, 0, "%s: %s", cases[i].what, fixture.err.message);
		expect_limits(&fixture, &cases[i].wanted);
		cr_expect_eq(fixture.plan->cgroup.resources.n_devices, 0, "rules that run already stay");
		if (fixture.plan->cgroup.resources.set & PLAN_CPU_QUOTA)
			cr_expect(fixture.plan->cgroup.resources.set & PLAN_CPU_PERIOD, "%s: of which period?",
				  cases[i].what);
	}
}

Test(plan_harden_limits, an_update_can_not_let_devices_in)
{
	static const struct spec_device_rule all = { .allow = true };
	struct policy policy = with_levels(POLICY_ENFORCE, POLICY_OFF, POLICY_OFF);
	PLAN_FIXTURE(fixture);

	fixture.request.policy = &policy;
	plan_fixture_parse(&fixture, &(struct plan_fixture_json){ 0 });
	update(&fixture, &(struct spec_resources){ .devices = &all, .n_devices = 1 });
	cr_assert_eq(fixture.rc, 0, "%s", fixture.err.message);
	cr_expect_not(allows(fixture.plan, 'b', 8, 0, BPF_DEVCG_ACC_READ));
	cr_expect(allows(fixture.plan, 'c', 1, 3, USE));
}

Test(plan_harden_limits, an_update_can_not_take_processors_from_the_host)
{
	static const struct json_pair files[] = { { "cpuset.cpus.partition", "isolated" },
						  { "cpuset.cpus.partition", "member\n" } };
	struct policy policy = with_levels(POLICY_OFF, POLICY_OFF, POLICY_ADJUST);
	PLAN_FIXTURE(fixture);

	fixture.request.policy = &policy;
	plan_fixture_parse(&fixture, &(struct plan_fixture_json){ 0 });
	update(&fixture, &(struct spec_resources){ .unified = files, .n_unified = 2 });
	cr_assert_eq(fixture.rc, 0, "%s", fixture.err.message);
	cr_assert_eq(fixture.plan->cgroup.resources.n_unified, 1);
	cr_expect_str_eq(fixture.plan->cgroup.resources.unified[0].value, "member\n");
}
