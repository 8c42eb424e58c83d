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
	cr_expect_eq(found.limits.memory, 0);
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
	cr_expect_eq(found.limits.memory, 1 << 20);
	cr_expect_eq(found.limits.pids, 0);
	cr_expect_eq(found.limits.cpu_quota, 50000);
}

static struct expected_limits taken(struct expected_limits from, const struct plan_resources *resources)
{
	expected_limits_take(&from, resources);
	return from;
}

/* An update changes what it names. */
Test(expectation, limits_that_were_given_last)
{
	static const struct plan_pair unified[] = { { "pids.max", "9" },
						    { "cpu.max", "30000 60000" },
						    { "memory.max", "max" } };
	static const struct plan_pair all_of_it[] = { { "cpu.max", "max" } };
	const struct expected_limits first = { .memory = 4096, .pids = 7, .cpu_quota = 50000, .cpu_period = 200000 };
	struct expected_limits now;

	now = taken(first, &(struct plan_resources){ .set = PLAN_PIDS, .pids = 9 });
	cr_expect(now.pids == 9 && now.memory == 4096 && now.cpu_quota == 50000);
	now = taken(first, &(struct plan_resources){ .set = PLAN_PIDS | PLAN_MEMORY_LIMIT, .memory_limit = -1 });
	cr_expect(now.pids == 7 && now.memory == 0, "0 leaves it, -1 takes it away");
	now = taken(first, &(struct plan_resources){ .set = PLAN_CPU_QUOTA, .cpu_quota = 40000 });
	cr_expect_eq(expected_limits_cpu(&now), 200, "the group's period stays");
	now = taken(first, &(struct plan_resources){ .set = PLAN_CPU_PERIOD, .cpu_period = 50000 });
	cr_expect_eq(expected_limits_cpu(&now), 1000);
	now = taken((struct expected_limits){ 0 },
		    &(struct plan_resources){ .set = PLAN_CPU_QUOTA, .cpu_quota = 1 << 16 });
	cr_expect_eq(expected_limits_cpu(&now), 655);
	now = taken(first, &(struct plan_resources){ .unified = unified, .n_unified = ARRAY_SIZE(unified) });
	cr_expect(now.pids == 9 && now.memory == 0 && expected_limits_cpu(&now) == 500);
	now = taken(first, &(struct plan_resources){ .unified = all_of_it, .n_unified = ARRAY_SIZE(all_of_it) });
	cr_expect_eq(expected_limits_cpu(&now), 0);
	cr_expect_eq(expected_limits_cpu(&(struct expected_limits){ .cpu_quota = 5 }), 0, "a period that is not known");
	cr_expect_eq(expected_limits_cpu(&(struct expected_limits){ .cpu_quota = INT64_MAX, .cpu_period = 1 }), 0);
}

Test(expectation, limits_are_kept_beside_the_report)
{
	AUTO(arena_free) struct arena *arena = arena_new(1024 * 1024);
	const struct expected_limits first = { .memory = 4096, .pids = 7, .cpu_quota = 50000, .cpu_period = 200000 };
	struct expected_limits found = { .pids = 1 };
	struct error err = { 0 };
	SCRATCH(scratch);

	cr_expect_eq(expected_limits_read(scratch.fd, arena, &found, &err), 0);
	cr_expect_eq(found.pids, 1, "no file, nothing touched");
	cr_assert_eq(expected_limits_save(scratch.fd, &first, &err), 0, "%s", err.message);
	cr_assert_eq(expected_limits_save(scratch.fd, &(struct expected_limits){ .memory = 4096 }, &err), 0, "anew");
	cr_assert_eq(expected_limits_read(scratch.fd, arena, &found, &err), 1, "%s", err.message);
	cr_expect(found.memory == 4096 && found.pids == 0 && found.cpu_quota == 0 && found.cpu_period == 0);
}
