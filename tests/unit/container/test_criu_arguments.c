/* What CRIU is told: each thing from outside of the container has a name, the same at checkpoint and restore. */
#include <sched.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "container/checkpoint/criu_arguments.h"
#include "plan/plan_checkpoint.h"

static const struct plan_mount mounts[] = {
	{ .kind = PLAN_MOUNT_FILESYSTEM, .destination = "/proc", .type = "proc" },
	{ .kind = PLAN_MOUNT_BIND, .destination = "/data", .source = "/srv/data" },
};
static const struct plan_namespace_join network[] = { { .flag = CLONE_NEWNET, .path = "/run/netns/n" } };

static struct plan plain_plan(void)
{
	return (struct plan){ .has_process = true,
			      .rootfs = { .path = "/bundle/rootfs", .mounts = mounts, .n_mounts = ARRAY_SIZE(mounts) } };
}

/* The list as one line. */
static const char *joined(struct arena *arena, const char *const *list)
{
	const char *line = "";

	cr_assert_not_null(list);
	for (size_t i = 0; list[i]; i++)
		line = arena_printf(arena, "%s %s", line, list[i]);
	return line;
}

static void expect_part(const char *line, const char *part)
{
	cr_expect_not_null(strstr(line, part), "%s is not in %s", part, line);
}

static void expect_no_part(const char *line, const char *part)
{
	cr_expect_null(strstr(line, part), "%s is in %s", part, line);
}

Test(criu_arguments, dump_names_what_comes_from_outside)
{
	AUTO(arena_free) struct arena *arena = arena_new(1024 * 1024);
	struct brig_images images = { .path = "/images", .work_path = "/work", .leave_running = true };
	struct plan plan = plain_plan();
	struct criu_job job = { .images = &images,
				.plan = &plan,
				.streams = { "file[1a:2b]", "pipe:[77]", "" },
				.pid = 42,
				.freezer = "/sys/fs/cgroup/box",
				.network_inode = 4026531840 };
	const char *line = joined(arena, criu_arguments_dump(arena, &job));

	expect_part(line, " criu dump --images-dir /images --work-dir /work ");
	expect_part(line, " --tree 42 ");
	expect_part(line, " --external file[1a:2b] ");
	expect_no_part(line, "pipe:[77]");
	expect_part(line, " --external net[4026531840]:network ");
	expect_part(line, " --external mnt[/data]:mount-1");
	expect_no_part(line, "/proc");
	expect_part(line, " --freeze-cgroup /sys/fs/cgroup/box ");
	expect_part(line, " --leave-running");
	expect_part(line, " --network-lock skip");
	images.pre_dump = job.locks_network = images.tcp_established = true;
	images.parent_path = "../before";
	line = joined(arena, criu_arguments_dump(arena, &job));
	expect_part(line, " criu pre-dump ");
	expect_part(line, " --prev-images-dir ../before --track-mem ");
	expect_part(line, " --tcp-established");
	expect_no_part(line, "--leave-running");
	expect_no_part(line, "--network-lock");
}

Test(criu_arguments, restore_names_them_alike)
{
	AUTO(arena_free) struct arena *arena = arena_new(1024 * 1024);
	const struct brig_images images = { .path = "/images", .work_path = "/work", .leave_running = true };
	struct plan plan = plain_plan();
	struct criu_job job = { .images = &images,
				.plan = &plan,
				.streams = { "", "pipe:[77]", "file[1a:2b]" },
				.pid_file = "/run/brig/box/pid" };
	const char *line;

	plan.namespaces.join = network;
	plan.namespaces.n_join = 1;
	line = joined(arena, criu_arguments_restore(arena, &job));
	expect_part(line, " criu restore ");
	expect_part(line, " --root /bundle/rootfs ");
	expect_part(line, " --inherit-fd fd[11]:pipe:[77] --inherit-fd fd[12]:file[1a:2b] ");
	expect_no_part(line, "fd[10]");
	expect_part(line, " --inherit-fd fd[13]:network");
	expect_part(line, " --external mnt[mount-1]:/srv/data");
	expect_part(line, " --pidfile /run/brig/box/pid ");
	expect_no_part(line, "--leave-stopped");
	expect_no_part(line, "--leave-running");
	job.stays_stopped = true;
	expect_part(joined(arena, criu_arguments_restore(arena, &job)), " --leave-stopped");
}

static void expect_lost(const struct policy *policy, const struct plan *plan, const char *part)
{
	char reason[PLAN_LOST_MAX];

	cr_expect(plan_checkpoint_loses(policy, plan, reason), "%s", part);
	cr_expect_not_null(strstr(reason, part), "%s is not in %s", part, reason);
}

Test(criu_arguments, what_would_be_lost_is_named)
{
	static const struct plan_namespace_join others[] = { { .flag = CLONE_NEWIPC, .path = "/proc/1/ns/ipc" } };
	static const struct plan_hook hook = { .path = "/bin/true" };
	struct policy policy = { 0 }, strict = { 0 };
	struct error err = { 0 };
	struct plan plan = plain_plan();
	char reason[PLAN_LOST_MAX];

	cr_assert_eq(policy_load("conformant", &policy, &err), 0);
	cr_assert_eq(policy_load("strict", &strict, &err), 0);
	cr_expect_not(plan_checkpoint_loses(&policy, &plan, reason));
	expect_lost(&strict, &plan, "policy strict has the rule");
	for (enum policy_rule rule = POLICY_FLOOR_FIRST; rule < POLICY_N_RULES; rule++) {
		struct policy one = policy;
		bool is_made_anew = rule == POLICY_ANNOTATION || rule == POLICY_EGRESS_MAXIMUM || rule == POLICY_HOOK ||
				    rule == POLICY_RESOURCE_MAXIMUM || rule == POLICY_RESOURCE_MISSING;

		one.levels[rule] = POLICY_ADJUST;
		cr_expect_eq(plan_checkpoint_loses(&one, &plan, reason), !is_made_anew, "%s", policy_rule_name(rule));
		one.levels[rule] = POLICY_WARN;
		cr_expect_not(plan_checkpoint_loses(&one, &plan, reason), "%s", policy_rule_name(rule));
	}
	plan.namespaces.join = network;
	plan.namespaces.n_join = 1;
	cr_expect_not(plan_checkpoint_loses(&policy, &plan, reason));
	plan.namespaces.join = others;
	expect_lost(&policy, &plan, "shares a namespace");
	plan = plain_plan();
	plan.rootfs.idmap = true;
	expect_lost(&policy, &plan, "id-mapped");
	plan = plain_plan();
	plan.process.terminal = true;
	expect_lost(&policy, &plan, "terminal");
	plan = plain_plan();
	plan.seccomp.listener_path = "/run/agent";
	expect_lost(&policy, &plan, "listenerPath");
	plan = plain_plan();
	plan.n_net_devices = 1;
	expect_lost(&policy, &plan, "netDevices");
	plan = plain_plan();
	plan.hooks[PLAN_HOOK_START_CONTAINER].list = &hook;
	plan.hooks[PLAN_HOOK_START_CONTAINER].n = 1;
	expect_lost(&policy, &plan, "hooks");
	policy_done(&policy);
	policy_done(&strict);
}
