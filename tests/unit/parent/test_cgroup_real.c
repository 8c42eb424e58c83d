/* Groups that are really made: life, limits, update. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/syscalls.h"
#include "parent/cgroup/cgroup_devices.h"
#include "parent/cgroup/cgroup_file.h"
#include "parent/cgroup/cgroup_internal.h"
#include "tests/unit/parent/cgroup_fixture.h"

/* ---- the life of a group, on each layout ---- */

static void live(const char *name)
{
	struct cgroup_fixture f;
	pid_t first, second;

	cgroup_fixture_init(&f, name);
	cgroup_fixture_create(&f);
	first = cgroup_fixture_spawn(&f);
	second = cgroup_fixture_spawn(&f);
	cr_expect_eq(cgroup_fixture_count(&f), 2);
	cr_expect_eq(cgroup_freeze(f.cgroup, true, CGROUP_FIXTURE_TIMEOUT_MS, &f.err), 0, "%s", f.err.message);
	cr_expect(cgroup_is_frozen(f.cgroup));
	cr_expect_eq(cgroup_freeze(f.cgroup, false, CGROUP_FIXTURE_TIMEOUT_MS, &f.err), 0, "%s", f.err.message);
	cr_expect_not(cgroup_is_frozen(f.cgroup));
	cr_expect_eq(cgroup_signal(f.cgroup, SIGUSR1, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(WTERMSIG(cgroup_fixture_reap(first)), SIGUSR1);
	cr_expect_eq(WTERMSIG(cgroup_fixture_reap(second)), SIGUSR1);
	/* Frozen processes die too. */
	first = cgroup_fixture_spawn(&f);
	cr_expect_lt(cgroup_destroy(f.cgroup, /* timeout_ms= */ 10, &f.err), 0);
	cr_expect_eq(f.err.kind, ERROR_STATE);
	cr_expect_eq(cgroup_freeze(f.cgroup, true, CGROUP_FIXTURE_TIMEOUT_MS, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(cgroup_kill(f.cgroup, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(WTERMSIG(cgroup_fixture_reap(first)), SIGKILL);
	cgroup_fixture_finish(&f);
}

#define N_SIGNALLED 60

static void spawn_many(struct cgroup_fixture *f, pid_t pids[N_SIGNALLED])
{
	cgroup_fixture_init(f, "many");
	cgroup_fixture_create(f);
	for (size_t i = 0; i < N_SIGNALLED; i++)
		pids[i] = cgroup_fixture_spawn(f);
}

static void limit_descriptors(rlim_t n)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = n;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static int free_descriptor(void)
{
	int fd = dup(0);

	cr_assert_geq(fd, 0);
	close(fd);
	return fd;
}

static void finish_many(struct cgroup_fixture *f, const pid_t pids[N_SIGNALLED], int signal)
{
	/* Who has got the first signal ends by that one. */
	cr_expect_eq(cgroup_kill(f->cgroup, &f->err), 0, "%s", f->err.message);
	for (size_t i = 0; i < N_SIGNALLED; i++)
		cr_expect_eq(WTERMSIG(cgroup_fixture_reap(pids[i])), signal, "process %zu", i);
	cgroup_fixture_finish(f);
}

Test(cgroup_real, a_signal_reaches_all_where_descriptors_are_fewer)
{
	struct cgroup_fixture f;
	pid_t pids[N_SIGNALLED];

	spawn_many(&f, pids);
	limit_descriptors(N_SIGNALLED - 10);
	cr_expect_eq(cgroup_signal(f.cgroup, SIGUSR1, &f.err), 0, "%s", f.err.message);
	finish_many(&f, pids, SIGUSR1);
}

/* All can be opened, and too few are left to list them once more. */
Test(cgroup_real, a_signal_reaches_all_where_descriptors_are_about_as_many)
{
	struct cgroup_fixture f;
	pid_t pids[N_SIGNALLED];
	int free_fd;

	spawn_many(&f, pids);
	cr_assert_geq(cgroup_tree_membership_fd(f.cgroup), 0);
	free_fd = free_descriptor();
	for (int spare = -4; spare < 8; spare++) {
		limit_descriptors((rlim_t)(free_fd + N_SIGNALLED + spare));
		cr_expect_eq(cgroup_signal(f.cgroup, 0, &f.err), 0, "%d: %s", spare, f.err.message);
	}
	cr_expect_eq(cgroup_signal(f.cgroup, SIGUSR1, &f.err), 0, "%s", f.err.message);
	finish_many(&f, pids, SIGUSR1);
}

#define N_NESTED 12

/* What the list takes is more, the deeper the groups are. */
Test(cgroup_real, a_signal_reaches_all_of_nested_groups_where_descriptors_are_fewer)
{
	char path[4 * N_NESTED] = "";
	struct cgroup_fixture f;
	pid_t pids[N_SIGNALLED];

	spawn_many(&f, pids);
	for (int i = 0; i < N_NESTED; i++) {
		strcat(path, i > 0 ? "/n" : "n");
		cr_assert_eq(mkdirat(cgroup_tree_membership_fd(f.cgroup), path, 0755), 0, "%s", path);
	}
	limit_descriptors((rlim_t)(free_descriptor() + N_SIGNALLED - 5));
	cr_expect_eq(cgroup_signal(f.cgroup, SIGUSR1, &f.err), 0, "%s", f.err.message);
	finish_many(&f, pids, SIGUSR1);
}

Test(cgroup_real, life_on_a_hybrid_host)
{
	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	live("life");
}

Test(cgroup_real, life_in_a_v2_view)
{
	cgroup_fixture_need_layout(HOST_CGROUP_V2);
	live("life");
}

Test(cgroup_real, life_on_a_v1_host)
{
	cgroup_fixture_need_layout(HOST_CGROUP_V1);
	live("life");
}

/* ---- limits ---- */

Test(cgroup_real, v1_limits_hold_and_read_back)
{
	struct cgroup_fixture f;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_need_controller(CGROUP_MEMORY);
	cgroup_fixture_init(&f, "limits");
	f.plan.resources = (struct plan_resources){
		.set = PLAN_MEMORY_LIMIT | PLAN_MEMORY_SWAP | PLAN_PIDS | PLAN_CPU_QUOTA | PLAN_CPU_PERIOD |
		       PLAN_CPU_SHARES,
		.memory_limit = (32 << 20) + 5,
		.memory_swap = 64 << 20,
		.pids = 7,
		.cpu_quota = 20000,
		.cpu_period = 50000,
		.cpu_shares = 512,
		.cpus = "0",
	};
	cgroup_fixture_create(&f);
	cgroup_fixture_expect_file(&f, CGROUP_MEMORY, "memory.limit_in_bytes", "33554432");
	cgroup_fixture_expect_file(&f, CGROUP_MEMORY, "memory.memsw.limit_in_bytes", "67108864");
	cgroup_fixture_expect_file(&f, CGROUP_PIDS, "pids.max", "7");
	cgroup_fixture_expect_file(&f, CGROUP_CPU, "cpu.cfs_quota_us", "20000");
	cgroup_fixture_expect_file(&f, CGROUP_CPU, "cpu.cfs_period_us", "50000");
	cgroup_fixture_expect_file(&f, CGROUP_CPU, "cpu.shares", "512");
	cgroup_fixture_expect_file(&f, CGROUP_CPUSET, "cpuset.cpus", "0");
	cr_expect_lt(cgroup_tree_fd(f.cgroup, CGROUP_IO), 0, "no limit needs it");
	cr_expect_lt(cgroup_tree_fd(f.cgroup, CGROUP_DEVICES), 0, "the device program is v2's");
	cgroup_fixture_finish(&f);
}

/* "8:0" of some block device of this host. */
static bool find_disk(struct plan_throttle *throttle)
{
	char text[32] = "";
	FILE *list = popen("cat /sys/block/*/dev", "r");
	bool found = list && fgets(text, sizeof(text), list) &&
		     sscanf(text, "%lu:%lu", &throttle->major, &throttle->minor) == 2;

	if (list)
		pclose(list);
	return found;
}

Test(cgroup_real, v1_rarer_limits_read_back)
{
	struct plan_throttle throttle = { .kind = PLAN_IO_WRITE_BPS, .value = 1 << 20 };
	struct plan_resources change = { .throttles = &throttle, .n_throttles = 1 };
	struct cgroup_fixture f;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_need_controller(CGROUP_MEMORY);
	cgroup_fixture_need_controller(CGROUP_IO);
	if (!find_disk(&throttle))
		cr_skip_test("needs a block device");
	cgroup_fixture_init(&f, "rare");
	f.plan.resources = (struct plan_resources){
		.set = PLAN_MEMORY_SWAPPINESS | PLAN_MEMORY_OOM_DISABLE | PLAN_MEMORY_RESERVATION | PLAN_CPU_QUOTA |
		       PLAN_CPU_BURST | PLAN_MEMORY_KERNEL_TCP,
		.memory_swappiness = 7,
		.oom_disable = true,
		.memory_reservation = 1 << 20,
		.memory_kernel_tcp = 1 << 20,
		.cpu_quota = 50000,
		.cpu_burst = 20000,
		.throttles = &throttle,
		.n_throttles = 1,
	};
	cgroup_fixture_create(&f);
	cgroup_fixture_expect_file(&f, CGROUP_MEMORY, "memory.swappiness", "7");
	cgroup_fixture_expect_file(&f, CGROUP_MEMORY, "memory.soft_limit_in_bytes", "1048576");
	cgroup_fixture_expect_file(&f, CGROUP_CPU, "cpu.cfs_burst_us", "20000");
	throttle.value = 0;
	change.set = PLAN_CPU_IDLE | PLAN_CPU_BURST | PLAN_CPU_QUOTA | PLAN_MEMORY_OOM_DISABLE;
	change.cpu_idle = 1;
	change.cpu_burst = 1000;
	change.cpu_quota = 2000;
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), 0, "%s", f.err.message);
	cgroup_fixture_expect_file(&f, CGROUP_CPU, "cpu.idle", "1");
	cgroup_fixture_expect_file(&f, CGROUP_CPU, "cpu.cfs_burst_us", "1000");
	cgroup_fixture_expect_file(&f, CGROUP_IO, "blkio.throttle.write_bps_device", "");
	cgroup_fixture_finish(&f);
}

static void fork_until_refused(struct cgroup_fixture *f)
{
	int n = 0;

	cr_assert_eq(cgroup_join(f->cgroup, getpid(), /* cloned= */ false, NULL), 0);
	for (; n < 20; n++) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0)
			for (;;)
				pause();
	}
	_exit(n);
}

Test(cgroup_real, pids_limit_stops_a_fork_bomb)
{
	struct cgroup_fixture f;
	pid_t pid;
	int status;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_need_controller(CGROUP_PIDS);
	cgroup_fixture_init(&f, "forks");
	f.plan.resources = (struct plan_resources){ .set = PLAN_PIDS, .pids = 5 };
	cgroup_fixture_create(&f);
	pid = fork();
	if (pid == 0)
		fork_until_refused(&f);
	status = cgroup_fixture_reap(pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 4, "status 0x%x", status);
	cr_expect_eq(cgroup_kill(f.cgroup, &f.err), 0, "%s", f.err.message);
	cgroup_fixture_finish(&f);
}

Test(cgroup_real, memory_limit_kills_and_is_told)
{
	struct cgroup_fixture f;
	pid_t pid;
	int oom_fd;
	uint64_t events = 0;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_need_controller(CGROUP_MEMORY);
	cgroup_fixture_init(&f, "oom");
	f.plan.resources = (struct plan_resources){ .set = PLAN_MEMORY_LIMIT, .memory_limit = 8 << 20 };
	cgroup_fixture_create(&f);
	oom_fd = cgroup_oom_fd(f.cgroup, &f.err);
	cr_assert_geq(oom_fd, 0, "%s", f.err.message);
	cr_expect_eq(cgroup_oom_count(f.cgroup), 0);
	pid = fork();
	if (pid == 0) {
		cgroup_join(f.cgroup, getpid(), /* cloned= */ false, NULL);
		for (size_t i = 0; i < 64; i++) {
			volatile char *memory = malloc(1 << 20);

			/* Volatile: a compiler sees that nobody reads it. */
			for (size_t at = 0; memory && at < 1 << 20; at += 4096)
				memory[at] = 1;
		}
		_exit(0);
	}
	cr_expect_eq(WTERMSIG(cgroup_fixture_reap(pid)), SIGKILL);
	cr_expect_eq(cgroup_oom_count(f.cgroup), 1);
	cr_expect_eq(read(oom_fd, &events, sizeof(events)), 8);
	close(oom_fd);
	cgroup_fixture_finish(&f);
}

static uint64_t n_throttled(struct cgroup *cgroup)
{
	return cgroup_file_keyed(cgroup_tree_fd(cgroup, CGROUP_CPU), "cpu.stat", "nr_throttled", 0);
}

Test(cgroup_real, cpu_quota_slows_down)
{
	struct cgroup_fixture f;
	struct buffer json = { 0 };
	pid_t pid;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_need_controller(CGROUP_CPU);
	cgroup_fixture_init(&f, "quota");
	f.plan.resources =
		(struct plan_resources){ .set = PLAN_CPU_QUOTA | PLAN_CPU_PERIOD, .cpu_quota = 2000, .cpu_period = 20000 };
	cgroup_fixture_create(&f);
	pid = fork();
	if (pid == 0) {
		cgroup_join(f.cgroup, getpid(), /* cloned= */ false, NULL);
		for (;;)
			;
	}
	/* For thirty seconds at most: where others want the processor too, it is long until it has had too much of it. */
	for (int i = 0; i < 600 && n_throttled(f.cgroup) <= 5; i++)
		usleep(50 * 1000);
	cr_expect_gt(n_throttled(f.cgroup), 5);
	cr_expect_eq(cgroup_statistics(f.cgroup, &json, &f.err), 0, "%s", f.err.message);
	cr_expect_not_null(strstr(json.data, "\"throttledPeriods\":"), "%s", json.data);
	cr_expect_eq(cgroup_kill(f.cgroup, &f.err), 0);
	cgroup_fixture_reap(pid);
	buffer_done(&json);
	cgroup_fixture_finish(&f);
}

/* ---- update ---- */

Test(cgroup_real, update_changes_and_rolls_back)
{
	struct plan_resources change = { .set = PLAN_MEMORY_LIMIT | PLAN_PIDS, .memory_limit = 64 << 20, .pids = 9 };
	struct cgroup_fixture f;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_need_controller(CGROUP_MEMORY);
	cgroup_fixture_init(&f, "update");
	f.plan.resources = (struct plan_resources){ .set = PLAN_MEMORY_LIMIT | PLAN_MEMORY_SWAP | PLAN_PIDS,
						    .memory_limit = 16 << 20,
						    .memory_swap = 16 << 20,
						    .pids = 5 };
	cgroup_fixture_create(&f);
	change.set |= PLAN_MEMORY_SWAP;
	change.memory_swap = 64 << 20;
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), 0, "%s", f.err.message);
	cgroup_fixture_expect_file(&f, CGROUP_MEMORY, "memory.limit_in_bytes", "67108864");
	cgroup_fixture_expect_file(&f, CGROUP_PIDS, "pids.max", "9");
	/* The last one is refused (there is no such CPU): all the others are set back, the new cpuset group is gone. */
	change.memory_limit = change.memory_swap = 32 << 20;
	change.pids = 3;
	change.cpus = "4095";
	cr_expect_lt(cgroup_update(f.cgroup, &change, &f.err), 0);
	cr_expect_not_null(strstr(f.err.message, "linux.resources.cpu.cpus"), "got: %s", f.err.message);
	cgroup_fixture_expect_file(&f, CGROUP_MEMORY, "memory.limit_in_bytes", "67108864");
	cgroup_fixture_expect_file(&f, CGROUP_MEMORY, "memory.memsw.limit_in_bytes", "67108864");
	cgroup_fixture_expect_file(&f, CGROUP_PIDS, "pids.max", "9");
	cr_expect_lt(cgroup_tree_fd(f.cgroup, CGROUP_CPUSET), 0);
	cgroup_fixture_finish(&f);
}

Test(cgroup_real, update_moves_processes_to_a_new_controller)
{
	struct plan_resources change = { .set = PLAN_PIDS, .pids = 50 };
	struct cgroup_fixture f;
	pid_t first, second;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_need_controller(CGROUP_PIDS);
	cgroup_fixture_init(&f, "move");
	cgroup_fixture_create(&f);
	first = cgroup_fixture_spawn(&f);
	second = cgroup_fixture_spawn(&f);
	cr_expect_lt(cgroup_tree_fd(f.cgroup, CGROUP_PIDS), 0);
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), 0, "%s", f.err.message);
	cgroup_fixture_expect_file(&f, CGROUP_PIDS, "pids.current", "2");
	cgroup_fixture_expect_file(&f, CGROUP_PIDS, "pids.max", "50");
	/* No limit again: the group stays. */
	change.pids = -1;
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), 0, "%s", f.err.message);
	cgroup_fixture_expect_file(&f, CGROUP_PIDS, "pids.max", "max");
	cgroup_kill(f.cgroup, &f.err);
	cgroup_fixture_reap(first);
	cgroup_fixture_reap(second);
	cgroup_fixture_finish(&f);
}

Test(cgroup_real, update_checks_the_usage_first)
{
	struct plan_resources change = { .set = PLAN_MEMORY_LIMIT | PLAN_MEMORY_CHECK,
					 .memory_check_before_update = true,
					 .memory_limit = 4096 };
	struct cgroup_fixture f;
	int ready[2];
	char byte;
	pid_t pid;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_need_controller(CGROUP_MEMORY);
	cr_assert_eq(pipe(ready), 0);
	cgroup_fixture_init(&f, "check");
	f.plan.resources = (struct plan_resources){ .set = PLAN_MEMORY_LIMIT, .memory_limit = 64 << 20 };
	cgroup_fixture_create(&f);
	pid = fork();
	if (pid == 0) {
		cgroup_join(f.cgroup, getpid(), /* cloned= */ false, NULL);
		memset(malloc(4 << 20), 1, 4 << 20);
		cr_assert_eq(write(ready[1], "", 1), 1);
		for (;;)
			pause();
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), -EBUSY);
	cr_expect_not_null(strstr(f.err.message, "in use"), "got: %s", f.err.message);
	cgroup_kill(f.cgroup, &f.err);
	cgroup_fixture_reap(pid);
	cgroup_fixture_finish(&f);
}
