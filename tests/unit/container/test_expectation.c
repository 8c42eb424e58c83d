/* report.json: what is written of a plan is what brig explain reads back, and says no more than can be looked for. */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "container/explain/expectation.h"
#include "container/explain/expectation_write.h"
#include "tests/support/scratch.h"

static const struct report_line lines[] = {
	{ .level = REPORT_ADJUSTED, .rule = "device", .where = "linux.devices[0]", .why = "\x1b[31m \"why\"" },
};

/* Written to a file, and read by who explains it. */
static void round_trip(const struct plan *plan, struct arena *arena, struct expectation *ret)
{
	const struct report report = { .lines = (struct report_line *)lines, .n_lines = ARRAY_SIZE(lines) };
	const struct expectation_basis basis = { .policy = "strict", .plan = plan, .report = &report, .n_filters = 3 };
	struct buffer text __attribute__((cleanup(buffer_done_cleanup))) = { 0 };
	struct json_writer writer = json_writer_on(&text, /* indent= */ 0);
	struct error err = { 0 };
	SCRATCH(scratch);
	AUTO_CLOSE int fd = openat(scratch.fd, EXPECTATION_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	expectation_write(&basis, &writer);
	cr_assert_eq(text.failed, 0);
	cr_assert_eq(fd_write_all(fd, text.data, text.length), 0);
	cr_assert_eq(expectation_read(scratch.fd, arena, ret, &err), 0, "%s: %s", err.message, text.data);
}

Test(expectation, report_and_process)
{
	static const struct plan_rlimit rlimits[] = { { .resource = RLIMIT_CORE, .soft = 0, .hard = 0 } };
	AUTO(arena_free) struct arena *arena = arena_new(1024 * 1024);
	struct plan plan = { .process = { .rlimits = rlimits,
					  .n_rlimits = 1,
					  .no_new_privileges = true,
					  .set_oom_score_adj = true,
					  .oom_score_adj = -5 },
			     .seccomp = { .floor = PLAN_FLOOR_STRICT, .floor_notifies = true } };
	struct expectation found = { 0 };

	plan.process.capabilities.bounding = 0xff;
	round_trip(&plan, arena, &found);
	cr_expect_str_eq(found.policy, "strict");
	cr_assert_eq(found.n_report, 1);
	cr_expect_str_eq(found.report[0].level, report_level_name(REPORT_ADJUSTED));
	cr_expect_str_eq(found.report[0].where, "linux.devices[0]");
	cr_expect_str_eq(found.report[0].why, lines[0].why);
	cr_expect_null(found.report[0].applied);
	cr_expect(found.no_new_privileges);
	cr_expect(found.counts);
	cr_expect_str_eq(found.filter, "strict");
	cr_expect_eq(found.filters, 3);
	cr_expect_eq(found.bounding, 0xff);
	cr_expect(found.core_dumps.set && !found.core_dumps.value);
	cr_expect(found.oom_score_adj.set);
	cr_expect_eq(found.oom_score_adj.value, -5);
}

/* Without a limit the kernel's default holds, which lets cores be dumped; a filter may be config.json's, or none. */
Test(expectation, what_the_plan_is_silent_about)
{
	AUTO(arena_free) struct arena *arena = arena_new(1024 * 1024);
	struct plan plan = { 0 };
	struct expectation found = { 0 };

	round_trip(&plan, arena, &found);
	cr_expect(found.core_dumps.set && found.core_dumps.value);
	cr_expect_not(found.oom_score_adj.set);
	cr_expect_str_eq(found.filter, "none");
	cr_expect_eq(found.memory, 0);
	cr_expect_null(found.egress);
	plan.seccomp.enabled = true;
	round_trip(&plan, arena, &found);
	cr_expect_str_eq(found.filter, "config.json");
}

/* A namespace that is joined may be the host's own: only of others is it said that the host's is not seen. */
Test(expectation, namespaces_that_are_not_the_hosts)
{
	static const struct plan_namespace_join join[] = { { .flag = CLONE_NEWNET, .not_the_hosts = true },
							   { .flag = CLONE_NEWIPC } };
	AUTO(arena_free) struct arena *arena = arena_new(1024 * 1024);
	const struct plan plan = { .namespaces = { .create = CLONE_NEWPID, .join = join, .n_join = 2 } };
	struct expectation found = { 0 };

	round_trip(&plan, arena, &found);
	cr_expect_eq(found.namespaces, CLONE_NEWPID | CLONE_NEWNET);
}

Test(expectation, mounts_that_are_on_top)
{
	static const struct plan_mount mounts[] = {
		{ .destination = "/a", .attr_set = MOUNT_ATTR_NOSUID },
		{ .destination = "/a", .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC },
		{ .destination = "/b", .rattr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, .attr_clear = MOUNT_ATTR_RDONLY },
		{ .destination = "/c" },
		{ .kind = PLAN_MOUNT_CGROUP, .destination = "/sys/fs/cgroup", .attr_set = MOUNT_ATTR_RDONLY },
	};
	AUTO(arena_free) struct arena *arena = arena_new(1024 * 1024);
	struct plan plan = {
		.rootfs = { .mounts = (struct plan_mount *)mounts, .n_mounts = ARRAY_SIZE(mounts), .readonly = true }
	};
	struct expectation found = { 0 };

	round_trip(&plan, arena, &found);
	cr_expect_eq(found.n_mounts, 0, "without a mount namespace of its own they are somebody else's");
	plan.namespaces.create = CLONE_NEWNS;
	round_trip(&plan, arena, &found);
	cr_expect(found.readonly_root);
	cr_assert_eq(found.n_mounts, 2);
	cr_expect_str_eq(found.mounts[0].destination, "/a");
	cr_expect_eq(found.mounts[0].attributes, MOUNT_ATTR_RDONLY, "the later one, and what can be looked for");
	cr_expect_str_eq(found.mounts[1].destination, "/b");
	cr_expect_eq(found.mounts[1].attributes, MOUNT_ATTR_NODEV);
}

/* -1 and 0 are "no limit" in config.json: nothing is to be looked for. */
Test(expectation, limits)
{
	AUTO(arena_free) struct arena *arena = arena_new(1024 * 1024);
	struct plan plan = { .cgroup = { .resources = { .set = PLAN_MEMORY_LIMIT | PLAN_PIDS | PLAN_CPU_QUOTA,
							.memory_limit = 1 << 20,
							.pids = -1,
							.cpu_quota = 50000 } } };
	struct expectation found = { 0 };

	round_trip(&plan, arena, &found);
	cr_expect_eq(found.memory, 1 << 20);
	cr_expect_eq(found.pids, 0);
	cr_expect_eq(found.cpu_quota, 50000);
}
