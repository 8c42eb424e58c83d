/* What single rules of the floor do beyond their level. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "base/syscalls.h"
#include "plan_fixture.h"

/* strict with every rule of the floor off but the one that the test is about. */
static struct policy with_level(enum policy_rule rule, enum policy_level level)
{
	struct policy policy = { 0 };

	cr_assert_eq(policy_load("strict", &policy, NULL), 0);
	for (size_t i = POLICY_FLOOR_FIRST; i < POLICY_N_RULES; i++)
		policy.levels[i] = POLICY_OFF;
	policy.levels[rule] = level;
	return policy;
}

static const char capabilities[] =
	",'capabilities':{'bounding':['CAP_CHOWN','CAP_SYS_ADMIN'],'permitted':['CAP_CHOWN','CAP_SYS_ADMIN']}";

Test(plan_harden, the_filter_beneath_is_told_of_the_capabilities_that_are_left)
{
	struct policy policy = with_level(POLICY_SECCOMP, POLICY_ADJUST);
	uint8_t before[32];
	PLAN_FIXTURE(fixture);
	PLAN_FIXTURE(other);
	const struct plan_fixture_json json = { .process = capabilities,
						.namespaces = PLAN_FIXTURE_USER,
						.linux_ = PLAN_FIXTURE_MAPS };

	fixture.request.policy = &policy;
	plan_fixture_good(&fixture, &json);
	cr_expect_eq(fixture.plan->seccomp.floor_capabilities, UINT64_C(1) << CAP_CHOWN | UINT64_C(1) << CAP_SYS_ADMIN);
	memcpy(before, fixture.plan->seccomp.digest, sizeof(before));

	policy.levels[POLICY_CAPABILITY] = POLICY_ADJUST;
	other.request.policy = &policy;
	plan_fixture_good(&other, &json);
	cr_expect_eq(other.plan->seccomp.floor_capabilities, UINT64_C(1) << CAP_CHOWN);
	cr_expect_neq(memcmp(before, other.plan->seccomp.digest, sizeof(before)), 0, "the cache would mix them up");
}

Test(plan_harden, baseline_has_a_filter_of_its_own)
{
	struct policy policy = { 0 };
	PLAN_FIXTURE(fixture);

	cr_assert_eq(policy_load("baseline", &policy, NULL), 0);
	for (size_t i = POLICY_FLOOR_FIRST; i < POLICY_N_RULES; i++)
		policy.levels[i] = i == POLICY_SECCOMP ? POLICY_ADJUST : POLICY_OFF;
	fixture.request.policy = &policy;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){ 0 });
	cr_expect_eq(fixture.plan->seccomp.floor, PLAN_FLOOR_BASELINE);
	cr_expect_not(fixture.plan->seccomp.enabled);
}

Test(plan_harden, a_profile_that_is_not_loaded_is_the_rules_to_decide)
{
	struct policy adjust = with_level(POLICY_APPARMOR, POLICY_ADJUST),
		      enforce = with_level(POLICY_APPARMOR, POLICY_ENFORCE);
	PLAN_FIXTURE(fixture);
	PLAN_FIXTURE(refused);

	fixture.host.apparmor = refused.host.apparmor = true;
	fixture.request.policy = &adjust;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){ 0 });
	cr_expect_null(fixture.plan->process.apparmor_profile);
	cr_expect_eq(plan_fixture_line(&fixture, "apparmor")->level, REPORT_WARNING,
		     "it does not hold, and somebody has to know");
	refused.request.policy = &enforce;
	plan_fixture_build(&refused, &(struct plan_fixture_json){ 0 });
	cr_expect_eq(refused.rc, -EPERM);
}

Test(plan_harden, the_floors_profile_lies_below_one_that_is_named)
{
	static const struct {
		const char *asked, *applied;
		enum policy_level level;
		bool stacked;
	} cases[] = {
		{ "box", "box//&:brig:brig-default", POLICY_ADJUST, true },
		{ "box", "box", POLICY_ADJUST, false },
		{ "box", "box", POLICY_ENFORCE, true },
		{ "box", "box", POLICY_OFF, true },
		{ "brig-default", "brig-default", POLICY_ADJUST, true },
		{ "box//&:brig:brig-default", "box//&:brig:brig-default", POLICY_ADJUST, true },
		{ "not-brig-default", "not-brig-default//&:brig:brig-default", POLICY_ADJUST, true },
		{ "brig-default//child", "brig-default//child//&:brig:brig-default", POLICY_ADJUST, true },
		{ "unconfined", "brig-default", POLICY_ADJUST, true },
		{ ":other:unconfined", "brig-default", POLICY_ADJUST, true },
		{ "unconfined//&:other:unconfined", "brig-default", POLICY_ADJUST, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy policy = with_level(POLICY_APPARMOR, cases[i].level);
		char process[128];
		PLAN_FIXTURE(fixture);

		snprintf(process, sizeof(process), ",'apparmorProfile':'%s'", cases[i].asked);
		fixture.host.apparmor = fixture.host.apparmor_default = true;
		fixture.host.apparmor_stacked = cases[i].stacked;
		fixture.request.policy = &policy;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .process = process });
		cr_expect_str_eq(fixture.plan->process.apparmor_profile, cases[i].applied, "case %zu", i);
		if (strcmp(cases[i].asked, cases[i].applied) != 0)
			cr_expect_eq(plan_fixture_line(&fixture, "apparmor")->level, REPORT_ADJUSTED);
	}
}

Test(plan_harden, a_namespace_of_its_own_has_its_own_settings)
{
	struct policy policy = with_level(POLICY_SYSCTL, POLICY_ENFORCE);
	static const char *const listed[] = { "net/core/*" };
	PLAN_FIXTURE(fixture);
	PLAN_FIXTURE(joined);

	fixture.request.policy = joined.request.policy = &policy;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){
					    .linux_ = ",'sysctl':{'net.core.somaxconn':'9','fs.mqueue.msg_max':'5'}",
					    .namespaces = ",{'type':'network'},{'type':'ipc'}" });
	cr_expect_eq(fixture.plan->n_sysctls, 2);
	policy.sysctls = (struct policy_strings){ listed, 1 };
	plan_fixture_good(&joined, &(struct plan_fixture_json){ .linux_ = ",'sysctl':{'net.core.somaxconn':'9'}",
								.namespaces = ",{'type':'network','path':'/run/a'}" });
	cr_expect_eq(joined.plan->n_sysctls, 1);
}

/* What the kernel does for filtered programs is the host's to say. A caller that says nothing of it has asked for nothing. */
Test(plan_harden, the_floor_leaves_the_kernels_protection_from_speculation_on)
{
	static const char *const filters[] = {
		"", ",'seccomp':{'defaultAction':'SCMP_ACT_ERRNO'}",
		",'seccomp':{'defaultAction':'SCMP_ACT_ERRNO','flags':['SECCOMP_FILTER_FLAG_LOG','SECCOMP_FILTER_FLAG_SPEC_ALLOW']}",
		",'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','flags':['SECCOMP_FILTER_FLAG_SPEC_ALLOW']}"
	};

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct policy policy = with_level(POLICY_SECCOMP, POLICY_ADJUST),
			      off = with_level(POLICY_SECCOMP, POLICY_OFF);
		const struct plan_fixture_json json = { .linux_ = filters[i] };
		size_t n = 0;
		PLAN_FIXTURE(fixture);
		PLAN_FIXTURE(without);

		fixture.request.policy = &policy;
		plan_fixture_good(&fixture, &json);
		cr_expect_eq(fixture.plan->seccomp.floor, PLAN_FLOOR_STRICT);
		cr_expect_eq(fixture.plan->seccomp.flags & SECCOMP_FILTER_FLAG_SPEC_ALLOW, 0, "%s", filters[i]);
		cr_expect_eq(fixture.plan->seccomp.flags & SECCOMP_FILTER_FLAG_LOG, i == 2 ? SECCOMP_FILTER_FLAG_LOG : 0);
		for (size_t line = 0; line < fixture.report.n_lines; line++)
			n += strcmp(fixture.report.lines[line].where, "linux.seccomp.flags") == 0;
		cr_expect_eq(n, i >= 2, "%s", filters[i]);
		without.request.policy = &off;
		plan_fixture_good(&without, &json);
		cr_expect_eq(!(without.plan->seccomp.flags & SECCOMP_FILTER_FLAG_SPEC_ALLOW), i == 0, "%s", filters[i]);
	}
}

static bool masks(const struct plan_fixture *fixture, const char *path)
{
	const struct plan_rootfs *rootfs = &fixture->plan->rootfs;

	for (size_t i = 0; i < rootfs->n_masked; i++) {
		if (strcmp(rootfs->masked[i], path) == 0)
			return true;
	}
	return false;
}

Test(plan_harden, what_the_hosts_root_alone_may_read_is_masked_from_who_is_that)
{
	static const char lxcfs[] = "{'destination':'/proc/slabinfo','type':'bind','source':'/a','options':['bind']}";
	struct policy policy = with_level(POLICY_MASKED_PATH, POLICY_ADJUST);
	PLAN_FIXTURE(unmapped);
	PLAN_FIXTURE(mapped);
	PLAN_FIXTURE(mounted);

	unmapped.request.policy = mapped.request.policy = mounted.request.policy = &policy;
	plan_fixture_good(&unmapped, &(struct plan_fixture_json){ 0 });
	cr_expect(masks(&unmapped, "/proc/slabinfo") && masks(&unmapped, "/proc/kpagecount"));
	plan_fixture_good(&mapped,
			  &(struct plan_fixture_json){ .namespaces = PLAN_FIXTURE_USER, .linux_ = PLAN_FIXTURE_MAPS });
	cr_expect(masks(&mapped, "/proc/kcore"));
	cr_expect_not(masks(&mapped, "/proc/slabinfo"), "it can't be read, and a mask is a mount");
	plan_fixture_good(&mounted, &(struct plan_fixture_json){ .mounts = lxcfs });
	cr_expect(masks(&mounted, "/proc/vmallocinfo"));
	cr_expect_not(masks(&mounted, "/proc/slabinfo"), "lxcfs has one of its own there");
}

#define MOUNT(place, kind) "{'destination':'" place "','type':'" kind "','source':'/a','options':['rw']}"
#define BIND(place) "{'destination':'" place "','source':'/a','options':['bind']}"

/* What is mounted and then covered is not what the container sees. */
Test(plan_harden, a_mount_that_another_one_covers_does_not_stand_for_a_mask)
{
	static const struct {
		const char *mounts;
		bool kept; /* the mount at /proc/slabinfo stands for the mask */
	} cases[] = { { MOUNT("/proc", "proc") "," BIND("/proc/slabinfo"), true },
		      { MOUNT("/proc", "proc") "," BIND("/proc/slabinfo") "," MOUNT("/sys", "sysfs"), true },
		      { MOUNT("/proc", "proc") "," BIND("/proc/slabinfo") "," BIND("/proc/slabinfo"), true },
		      { BIND("/proc/slabinfo") "," MOUNT("/proc", "proc"), false },
		      { MOUNT("/proc", "proc") "," BIND("/proc/slabinfo") "," MOUNT("/proc", "proc"), false } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy policy = with_level(POLICY_MASKED_PATH, POLICY_ADJUST);
		PLAN_FIXTURE(fixture);

		fixture.request.policy = &policy;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .mounts = cases[i].mounts });
		cr_expect_eq(masks(&fixture, "/proc/slabinfo"), !cases[i].kept, "%s", cases[i].mounts);
		cr_expect(masks(&fixture, "/proc/vmallocinfo"));
	}
}

/* Without lxcfs there, nothing but a mask is what engines have: in any order. */
Test(plan_harden, a_mount_where_engines_mask_is_masked)
{
	static const char *const mounts[] = {
		MOUNT("/sys/firmware", "tmpfs") "," MOUNT("/sys/devices/virtual/powercap", "tmpfs") "," MOUNT("/sys",
													      "sysfs"),
		MOUNT("/sys", "sysfs") "," MOUNT("/sys/firmware", "tmpfs") "," MOUNT("/sys/devices/virtual/powercap",
										     "tmpfs"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		struct policy policy = with_level(POLICY_MASKED_PATH, POLICY_ADJUST);
		PLAN_FIXTURE(fixture);

		fixture.request.policy = &policy;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .mounts = mounts[i] });
		cr_expect(masks(&fixture, "/sys/firmware") && masks(&fixture, "/sys/devices/virtual/powercap"), "%s",
			  mounts[i]);
	}
}

Test(plan_harden, a_mount_that_the_floor_leaves_out_does_not_stand_for_a_mask)
{
	static const struct host_source from_proc = {
		.known = true, .mode = S_IFREG | 0400, .file_system = PROC_SUPER_MAGIC, .real = "/a"
	};
	static const enum policy_level levels[] = { POLICY_ADJUST, POLICY_WARN, POLICY_OFF };

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		struct policy policy = with_level(POLICY_MASKED_PATH, POLICY_ADJUST);
		PLAN_FIXTURE(fixture);

		policy.levels[POLICY_MOUNT_SOURCE] = levels[i];
		fixture.request.policy = &policy;
		fixture.request.sources = &from_proc;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .mounts = BIND("/proc/slabinfo") });
		cr_expect_eq(fixture.plan->rootfs.n_mounts, levels[i] != POLICY_ADJUST);
		cr_expect_eq(masks(&fixture, "/proc/slabinfo"), levels[i] == POLICY_ADJUST);
	}
}

static const char *variable_of(const struct plan_hook *hook, const char *name)
{
	for (size_t i = 0; hook->envp[i]; i++) {
		if (strncmp(hook->envp[i], name, strlen(name)) == 0 && hook->envp[i][strlen(name)] == '=')
			return hook->envp[i];
	}
	return NULL;
}

static const char *const one_hook[] = { "/usr/bin/one-hook" };

#define HOOK_WITH(variables) ",'hooks':{'createRuntime':[{'path':'/usr/bin/one-hook','env':[" variables "]}]}"

/* CVE-2025-23266 by config.json: a program that the site lists is not to load what config.json names, by whatever variable. */
Test(plan_harden, a_listed_hook_has_no_variable_that_steers_it)
{
	static const char *const steering[] = { "LD_PRELOAD=/a",
						"LD_AUDIT=",
						"GLIBC_TUNABLES=a",
						"BASH_ENV=/a",
						"BASH_FUNC_ls%%=() { :; }",
						"PYTHONPATH=/a",
						"PERL5OPT=-Ma",
						"XDG_CONFIG_HOME=/a",
						"HOME=/a",
						"HOME=/root",
						"XTABLES_LIBDIR=/a",
						"TC_LIB_DIR=/a",
						"MODPROBE_OPTIONS=-C /a",
						"AWKLIBPATH=/a",
						"DOTNET_STARTUP_HOOKS=/a",
						"GCOV_PREFIX=/a",
						"CNI_PATH=/a",
						"CONTAINERS_CONF=/a",
						"LANGUAGE=../../a",
						"CURL_HOME=/a",
						"TERMINFO=/a",
						"NVIDIA_CTK_CONFIG_FILE_PATH=/a",
						"NEVER_HEARD_OF=a",
						"LANG=/a",
						"LANG=..",
						"LC_ALL=../../a",
						"LC_a=C",
						"LC_ALL=a b",
						"TERM=/a",
						"LANGX=C",
						"NVIDIA_CTK_DEBUG=/a" };
	static const enum policy_level levels[] = { POLICY_ENFORCE, POLICY_ADJUST, POLICY_WARN, POLICY_OFF };

	for (size_t i = 0; i < ARRAY_SIZE(steering) * ARRAY_SIZE(levels); i++) {
		const char *variable = steering[i / ARRAY_SIZE(levels)];
		enum policy_level level = levels[i % ARRAY_SIZE(levels)];
		struct policy policy = with_level(POLICY_HOOK, level);
		bool held = level == POLICY_ENFORCE || level == POLICY_ADJUST;
		AUTO(buffer_done) struct buffer text = { 0 };
		PLAN_FIXTURE(fixture);

		buffer_printf(&text, HOOK_WITH("'TERM=dumb','%s','LANG=C.UTF-8'"), variable);
		policy.hook_directories = (struct policy_strings){ one_hook, 1 };
		fixture.request.policy = &policy;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .top = text.data });
		cr_assert_eq(fixture.plan->hooks[PLAN_HOOK_CREATE_RUNTIME].n, 1);
		const struct plan_hook *hook = fixture.plan->hooks[PLAN_HOOK_CREATE_RUNTIME].list;
		cr_expect_str_eq(hook->envp[0], "TERM=dumb");
		cr_expect_str_eq(hook->envp[1], held ? "LANG=C.UTF-8" : variable);
		cr_expect_eq(plan_fixture_has_line(&fixture, "hook"), level != POLICY_OFF, "%s", variable);
		if (held) {
			cr_expect_str_eq(plan_fixture_line(&fixture, "hook")->where, "hooks.createRuntime[0].env");
			cr_expect_null(strchr(plan_fixture_line(&fixture, "hook")->asked, '='),
				       "the name, and not what it is");
		}
	}
}

Test(plan_harden, a_hook_in_a_listed_directory_is_not_what_lies_above_a_link_of_it)
{
	struct policy policy = with_level(POLICY_HOOK, POLICY_ENFORCE);
	PLAN_FIXTURE(listed);
	PLAN_FIXTURE(above);
	static const char *const directory[] = { "/hooks" };

	policy.hook_directories = (struct policy_strings){ directory, 1 };
	listed.request.policy = above.request.policy = &policy;
	plan_fixture_good(&listed, &(struct plan_fixture_json){
					   .top = ",'hooks':{'createRuntime':[{'path':'/hooks//./..a/x'}]}" });
	plan_fixture_build(&above, &(struct plan_fixture_json){
					   .top = ",'hooks':{'createRuntime':[{'path':'/hooks/link/../x'}]}" });
	cr_expect_eq(above.rc, -EPERM);
}

Test(plan_harden, a_listed_hook_has_what_steers_no_program)
{
	struct policy policy = with_level(POLICY_HOOK, POLICY_ENFORCE);
	PLAN_FIXTURE(fixture);
	const struct plan_hook *hook;
	static const char *const kept[] = { "LANG=", "LC_ALL=de_DE.UTF-8@euro", "LC_MESSAGES=C", "TERM=xterm-256color",
					    "NVIDIA_CTK_DEBUG=false" };

	policy.hook_directories = (struct policy_strings){ one_hook, 1 };
	fixture.request.policy = &policy;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){
					    .top = HOOK_WITH("'LANG=','LC_ALL=de_DE.UTF-8@euro','LC_MESSAGES=C',"
							     "'TERM=xterm-256color','NVIDIA_CTK_DEBUG=false'") });
	hook = fixture.plan->hooks[PLAN_HOOK_CREATE_RUNTIME].list;
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		cr_assert_str_eq(hook->envp[i], kept[i]);
	cr_expect_null(hook->envp[ARRAY_SIZE(kept)]);
	cr_expect_not(plan_fixture_has_line(&fixture, "hook"));
}

/* nerdctl's has all that its caller's shell has. */
Test(plan_harden, what_a_listed_hook_is_not_given_is_one_line_of_the_report)
{
	struct policy policy = with_level(POLICY_HOOK, POLICY_ENFORCE);
	PLAN_FIXTURE(fixture);
	size_t n = 0;

	policy.hook_directories = (struct policy_strings){ one_hook, 1 };
	fixture.request.policy = &policy;
	plan_fixture_good(
		&fixture,
		&(struct plan_fixture_json){
			.top = HOOK_WITH("'A=1','B=2','C=3','D=4','E=5','F=6','LANG=C','G=7','H=8','I=9','J=0'") });
	for (size_t i = 0; i < fixture.report.n_lines; i++)
		n += strcmp(fixture.report.lines[i].rule, "hook") == 0;
	cr_expect_eq(n, 1);
	cr_expect_str_eq(plan_fixture_line(&fixture, "hook")->asked, "A, B, C, D, E, F, G, H and 2 more");
}

Test(plan_harden, a_listed_hook_finds_programs_in_the_systems_directories)
{
	static const struct {
		const char *asked;
		bool kept;
	} paths[] = { { "/usr/bin", true },
		      { "/sbin:/usr/local/bin:/bin", true },
		      { "/usr/bin:/tmp/a", false },
		      { "/usr/bin:", false },
		      { "/usr/bi", false },
		      { "", false },
		      { "bin", false },
		      { "/usr/bin/../../tmp", false } };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct policy policy = with_level(POLICY_HOOK, POLICY_ENFORCE);
		AUTO(buffer_done) struct buffer text = { 0 };
		PLAN_FIXTURE(fixture);
		const char *found;

		buffer_printf(&text, HOOK_WITH("'PATH=%s'"), paths[i].asked);
		policy.hook_directories = (struct policy_strings){ one_hook, 1 };
		fixture.request.policy = &policy;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .top = text.data });
		found = variable_of(fixture.plan->hooks[PLAN_HOOK_CREATE_RUNTIME].list, "PATH");
		cr_assert_not_null(found);
		cr_expect_eq(strcmp(found + strlen("PATH="), paths[i].asked) == 0, paths[i].kept, "%s: %s",
			     paths[i].asked, found);
		cr_expect_eq(plan_fixture_has_line(&fixture, "hook"), !paths[i].kept, "%s", paths[i].asked);
	}
}

static bool notifies(unsigned holds, const struct plan_fixture_json *json)
{
	struct policy policy = with_level(POLICY_SECCOMP, POLICY_ADJUST);
	PLAN_FIXTURE(fixture);

	policy.levels[POLICY_NEW_PRIVILEGES] = POLICY_ADJUST;
	fixture.request.policy = &policy;
	fixture.request.holds = holds;
	plan_fixture_good(&fixture, json);
	return fixture.plan->seccomp.floor_notifies;
}

Test(plan_harden, the_floor_notifies_where_somebody_serves_it_and_nobody_else_does)
{
	static const char filter[] =
		",'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['bpf'],'action':'SCMP_ACT_ERRNO'}]}";
	static const char listener[] = ",'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/run/agent',"
				       "'syscalls':[{'names':['bpf'],'action':'SCMP_ACT_NOTIFY'}]}";

	cr_expect(notifies(PLAN_HOLDS_DENIALS, &(struct plan_fixture_json){ 0 }));
	cr_expect(notifies(PLAN_HOLDS_DENIALS, &(struct plan_fixture_json){ .linux_ = filter }));
	cr_expect_not(notifies(PLAN_HOLDS_TIMEOUT, &(struct plan_fixture_json){ 0 }));
	cr_expect_not(notifies(PLAN_HOLDS_DENIALS, &(struct plan_fixture_json){ .linux_ = listener }));
	cr_expect_not(notifies(PLAN_HOLDS_DENIALS,
			       &(struct plan_fixture_json){ .top = ",'hooks':{'startContainer':[{'path':'/h'}]}" }));
}

/* The report has no other word of these. */
Test(plan_harden, what_a_container_gets_that_nobody_asked_for_is_noted)
{
	struct policy policy = with_level(POLICY_HOST_NAMESPACE, POLICY_ENFORCE);
	const struct plan_fixture_json json = {
		.process = ",'noNewPrivileges':true",
		.namespaces = ",{'type':'pid'},{'type':'network'},{'type':'ipc'},{'type':'uts'}"
	};
	const struct plan_fixture_json with_time = {
		.namespaces = ",{'type':'pid'},{'type':'network'},{'type':'ipc'},{'type':'uts'},{'type':'time'}"
	};
	PLAN_FIXTURE(fixture);
	PLAN_FIXTURE(has_one);

	policy.levels[POLICY_LANDLOCK] = POLICY_ADJUST;
	fixture.host.landlock = 7;
	fixture.request.policy = &policy;
	plan_fixture_parse(&fixture, &json);
	fixture.spec->root.readonly = true;
	cr_assert_eq(plan_build(&fixture.request, &fixture.plan, &fixture.report, &fixture.err), 0);
	cr_expect(fixture.plan->namespaces.added & CLONE_NEWTIME);
	cr_expect_eq(plan_fixture_line(&fixture, "host-namespace")->level, REPORT_NOTE);
	cr_expect(fixture.plan->landlock.enabled);
	cr_expect_eq(plan_fixture_line(&fixture, "landlock")->level, REPORT_NOTE);
	has_one.request.policy = &policy;
	plan_fixture_good(&has_one, &with_time);
	cr_expect_eq(has_one.report.n_lines, 0);
}
