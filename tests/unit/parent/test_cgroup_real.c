/* Groups that are really made, on this host's layout and in private mount namespaces that show another. Everything is
 * below a name of its own, and every test looks that nothing is left. Skipped without root. */
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
#include <unistd.h>

#include "base/fd.h"
#include "base/syscalls.h"
#include "parent/cgroup/cgroup_devices.h"
#include "parent/cgroup/cgroup_file.h"
#include "parent/cgroup/cgroup_internal.h"

#define TIMEOUT_MS 3000

struct fixture {
	char path[128];
	struct plan_cgroup plan;
	struct cgroup *cgroup;
	struct error err;
};

static void need_layout(enum host_cgroup_layout wanted)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	if (cgroup_layout() == wanted)
		return;
	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		cr_skip_test("needs a private mount namespace");
	/* The mount of the whole tree, without controllers where the host's are v1's. */
	if (wanted == HOST_CGROUP_V2 && mount("cgroup2", CGROUP_ROOT, "cgroup2", 0, NULL) < 0)
		cr_skip_test("cgroup2 can't be mounted");
	if (wanted == HOST_CGROUP_V1)
		umount2(CGROUP_HYBRID_ROOT, MNT_DETACH);
	if (cgroup_layout() != wanted)
		cr_skip_test("needs a host with this layout of cgroups");
}

static void need_controller(enum cgroup_controller controller)
{
	char path[128];

	snprintf(path, sizeof(path), CGROUP_ROOT "/%s/cgroup.procs", cgroup_settings_controller_name(controller, false));
	if (cgroup_layout() != HOST_CGROUP_V2 && access(path, F_OK) < 0)
		cr_skip_test("needs this v1 controller mounted");
}

static void init(struct fixture *f, const char *name)
{
	memset(f, 0, sizeof(*f));
	snprintf(f->path, sizeof(f->path), "brig-test-%d/%s", (int)getpid(), name);
	f->plan.path = f->path;
}

static void create(struct fixture *f)
{
	cr_assert_eq(cgroup_create(&f->plan, &f->cgroup, &f->err), 0, "%s", f->err.message);
}

/* By a fresh look at the host, as `delete` does it, and with its parent. */
static void finish(struct fixture *f)
{
	char root[64];

	cgroup_free(f->cgroup);
	cr_assert_eq(cgroup_open(PLAN_CGROUP_FS, f->path, &f->cgroup, &f->err), 0, "%s", f->err.message);
	cr_expect_eq(cgroup_destroy(f->cgroup, TIMEOUT_MS, &f->err), 0, "%s", f->err.message);
	*strchr(f->path, '/') = '\0';
	for (unsigned tree = 0; tree < CGROUP_N_TREES; tree++) {
		char parent[256];

		cgroup_tree_root(f->cgroup, tree, root);
		snprintf(parent, sizeof(parent), "%s/%s", root, f->path);
		rmdir(parent);
		cr_expect_neq(access(parent, F_OK), 0, "%s is left", parent);
	}
	cgroup_free(f->cgroup);
}

static void expect_file(struct fixture *f, unsigned tree, const char *file, const char *wanted)
{
	char text[256] = "";

	fd_read_file_at(cgroup_tree_fd(f->cgroup, tree), file, text, sizeof(text));
	cr_expect_str_eq(text, wanted, "%s: %s", file, text);
}

/* A child in the group that waits to be killed. */
static pid_t spawn(struct fixture *f)
{
	struct clone_args args = { .flags = 0, .exit_signal = SIGCHLD };
	int fd = cgroup_clone_fd(f->cgroup);
	pid_t pid;

	if (fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)fd;
	}
	pid = sys_clone3(&args);
	cr_assert_geq(pid, 0, "clone3: %s", strerror(errno));
	if (pid == 0)
		for (;;)
			pause();
	cr_assert_eq(cgroup_join(f->cgroup, pid, /* cloned= */ fd >= 0, &f->err), 0, "%s", f->err.message);
	return pid;
}

static int reap(pid_t pid)
{
	int status = -1;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static size_t count(struct fixture *f)
{
	struct arena *arena = arena_new(1024 * 1024);
	pid_t *pids;
	size_t n = 0;

	cr_expect_eq(cgroup_pids(f->cgroup, arena, &pids, &n, &f->err), 0, "%s", f->err.message);
	arena_free(arena);
	return n;
}

/* ---- the life of a group, on each layout ---- */

static void live(const char *name)
{
	struct fixture f;
	pid_t first, second;

	init(&f, name);
	create(&f);
	first = spawn(&f);
	second = spawn(&f);
	cr_expect_eq(count(&f), 2);
	cr_expect_eq(cgroup_freeze(f.cgroup, true, TIMEOUT_MS, &f.err), 0, "%s", f.err.message);
	cr_expect(cgroup_is_frozen(f.cgroup));
	cr_expect_eq(cgroup_freeze(f.cgroup, false, TIMEOUT_MS, &f.err), 0, "%s", f.err.message);
	cr_expect_not(cgroup_is_frozen(f.cgroup));
	cr_expect_eq(cgroup_signal(f.cgroup, SIGUSR1, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(WTERMSIG(reap(first)), SIGUSR1);
	cr_expect_eq(WTERMSIG(reap(second)), SIGUSR1);
	/* Frozen processes die too. */
	first = spawn(&f);
	cr_expect_lt(cgroup_destroy(f.cgroup, /* timeout_ms= */ 10, &f.err), 0);
	cr_expect_eq(f.err.kind, ERROR_STATE);
	cr_expect_eq(cgroup_freeze(f.cgroup, true, TIMEOUT_MS, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(cgroup_kill(f.cgroup, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(WTERMSIG(reap(first)), SIGKILL);
	finish(&f);
}

Test(cgroup_real, life_on_a_hybrid_host)
{
	need_layout(HOST_CGROUP_HYBRID);
	live("life");
}

Test(cgroup_real, life_in_a_v2_view)
{
	need_layout(HOST_CGROUP_V2);
	live("life");
}

Test(cgroup_real, life_on_a_v1_host)
{
	need_layout(HOST_CGROUP_V1);
	live("life");
}

/* ---- limits ---- */

Test(cgroup_real, v1_limits_hold_and_read_back)
{
	struct fixture f;

	need_layout(HOST_CGROUP_HYBRID);
	need_controller(CGROUP_MEMORY);
	init(&f, "limits");
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
	create(&f);
	expect_file(&f, CGROUP_MEMORY, "memory.limit_in_bytes", "33554432");
	expect_file(&f, CGROUP_MEMORY, "memory.memsw.limit_in_bytes", "67108864");
	expect_file(&f, CGROUP_PIDS, "pids.max", "7");
	expect_file(&f, CGROUP_CPU, "cpu.cfs_quota_us", "20000");
	expect_file(&f, CGROUP_CPU, "cpu.cfs_period_us", "50000");
	expect_file(&f, CGROUP_CPU, "cpu.shares", "512");
	expect_file(&f, CGROUP_CPUSET, "cpuset.cpus", "0");
	cr_expect_lt(cgroup_tree_fd(f.cgroup, CGROUP_IO), 0, "no limit needs it");
	cr_expect_lt(cgroup_tree_fd(f.cgroup, CGROUP_DEVICES), 0, "the device program is v2's");
	finish(&f);
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
	struct fixture f;

	need_layout(HOST_CGROUP_HYBRID);
	need_controller(CGROUP_MEMORY);
	need_controller(CGROUP_IO);
	if (!find_disk(&throttle))
		cr_skip_test("needs a block device");
	init(&f, "rare");
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
	create(&f);
	expect_file(&f, CGROUP_MEMORY, "memory.swappiness", "7");
	expect_file(&f, CGROUP_MEMORY, "memory.soft_limit_in_bytes", "1048576");
	expect_file(&f, CGROUP_CPU, "cpu.cfs_burst_us", "20000");
	throttle.value = 0;
	change.set = PLAN_CPU_IDLE | PLAN_CPU_BURST | PLAN_CPU_QUOTA | PLAN_MEMORY_OOM_DISABLE;
	change.cpu_idle = 1;
	change.cpu_burst = 1000;
	change.cpu_quota = 2000;
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), 0, "%s", f.err.message);
	expect_file(&f, CGROUP_CPU, "cpu.idle", "1");
	expect_file(&f, CGROUP_CPU, "cpu.cfs_burst_us", "1000");
	expect_file(&f, CGROUP_IO, "blkio.throttle.write_bps_device", "");
	finish(&f);
}

static void fork_until_refused(struct fixture *f)
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
	struct fixture f;
	pid_t pid;
	int status;

	need_layout(HOST_CGROUP_HYBRID);
	need_controller(CGROUP_PIDS);
	init(&f, "forks");
	f.plan.resources = (struct plan_resources){ .set = PLAN_PIDS, .pids = 5 };
	create(&f);
	pid = fork();
	if (pid == 0)
		fork_until_refused(&f);
	status = reap(pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 4, "status 0x%x", status);
	cr_expect_eq(cgroup_kill(f.cgroup, &f.err), 0, "%s", f.err.message);
	finish(&f);
}

Test(cgroup_real, memory_limit_kills_and_is_told)
{
	struct fixture f;
	pid_t pid;
	int oom_fd;
	uint64_t events = 0;

	need_layout(HOST_CGROUP_HYBRID);
	need_controller(CGROUP_MEMORY);
	init(&f, "oom");
	f.plan.resources = (struct plan_resources){ .set = PLAN_MEMORY_LIMIT, .memory_limit = 8 << 20 };
	create(&f);
	oom_fd = cgroup_oom_fd(f.cgroup, &f.err);
	cr_assert_geq(oom_fd, 0, "%s", f.err.message);
	cr_expect_eq(cgroup_oom_count(f.cgroup), 0);
	pid = fork();
	if (pid == 0) {
		cgroup_join(f.cgroup, getpid(), /* cloned= */ false, NULL);
		for (size_t i = 0; i < 64; i++)
			memset(malloc(1 << 20), 1, 1 << 20);
		_exit(0);
	}
	cr_expect_eq(WTERMSIG(reap(pid)), SIGKILL);
	cr_expect_eq(cgroup_oom_count(f.cgroup), 1);
	cr_expect_eq(read(oom_fd, &events, sizeof(events)), 8);
	close(oom_fd);
	finish(&f);
}

Test(cgroup_real, cpu_quota_slows_down)
{
	struct fixture f;
	struct buffer json = { 0 };
	pid_t pid;

	need_layout(HOST_CGROUP_HYBRID);
	need_controller(CGROUP_CPU);
	init(&f, "quota");
	f.plan.resources =
		(struct plan_resources){ .set = PLAN_CPU_QUOTA | PLAN_CPU_PERIOD, .cpu_quota = 2000, .cpu_period = 20000 };
	create(&f);
	pid = fork();
	if (pid == 0) {
		cgroup_join(f.cgroup, getpid(), /* cloned= */ false, NULL);
		for (;;)
			;
	}
	usleep(300 * 1000);
	cr_expect_gt(cgroup_file_keyed(cgroup_tree_fd(f.cgroup, CGROUP_CPU), "cpu.stat", "nr_throttled", 0), 5);
	cr_expect_eq(cgroup_statistics(f.cgroup, &json, &f.err), 0, "%s", f.err.message);
	cr_expect_not_null(strstr(json.data, "\"throttledPeriods\":"), "%s", json.data);
	cr_expect_eq(cgroup_kill(f.cgroup, &f.err), 0);
	reap(pid);
	buffer_done(&json);
	finish(&f);
}

/* ---- update ---- */

Test(cgroup_real, update_changes_and_rolls_back)
{
	struct plan_resources change = { .set = PLAN_MEMORY_LIMIT | PLAN_PIDS, .memory_limit = 64 << 20, .pids = 9 };
	struct fixture f;

	need_layout(HOST_CGROUP_HYBRID);
	need_controller(CGROUP_MEMORY);
	init(&f, "update");
	f.plan.resources = (struct plan_resources){ .set = PLAN_MEMORY_LIMIT | PLAN_MEMORY_SWAP | PLAN_PIDS,
						    .memory_limit = 16 << 20,
						    .memory_swap = 16 << 20,
						    .pids = 5 };
	create(&f);
	change.set |= PLAN_MEMORY_SWAP;
	change.memory_swap = 64 << 20;
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), 0, "%s", f.err.message);
	expect_file(&f, CGROUP_MEMORY, "memory.limit_in_bytes", "67108864");
	expect_file(&f, CGROUP_PIDS, "pids.max", "9");
	/* The last one is refused (there is no such CPU): all the others are set back, the new cpuset group is gone. */
	change.memory_limit = change.memory_swap = 32 << 20;
	change.pids = 3;
	change.cpus = "4095";
	cr_expect_lt(cgroup_update(f.cgroup, &change, &f.err), 0);
	cr_expect_not_null(strstr(f.err.message, "linux.resources.cpu.cpus"), "got: %s", f.err.message);
	expect_file(&f, CGROUP_MEMORY, "memory.limit_in_bytes", "67108864");
	expect_file(&f, CGROUP_MEMORY, "memory.memsw.limit_in_bytes", "67108864");
	expect_file(&f, CGROUP_PIDS, "pids.max", "9");
	cr_expect_lt(cgroup_tree_fd(f.cgroup, CGROUP_CPUSET), 0);
	finish(&f);
}

Test(cgroup_real, update_moves_processes_to_a_new_controller)
{
	struct plan_resources change = { .set = PLAN_PIDS, .pids = 50 };
	struct fixture f;
	pid_t first, second;

	need_layout(HOST_CGROUP_HYBRID);
	need_controller(CGROUP_PIDS);
	init(&f, "move");
	create(&f);
	first = spawn(&f);
	second = spawn(&f);
	cr_expect_lt(cgroup_tree_fd(f.cgroup, CGROUP_PIDS), 0);
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), 0, "%s", f.err.message);
	expect_file(&f, CGROUP_PIDS, "pids.current", "2");
	expect_file(&f, CGROUP_PIDS, "pids.max", "50");
	/* No limit again: the group stays. */
	change.pids = -1;
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), 0, "%s", f.err.message);
	expect_file(&f, CGROUP_PIDS, "pids.max", "max");
	cgroup_kill(f.cgroup, &f.err);
	reap(first);
	reap(second);
	finish(&f);
}

Test(cgroup_real, update_checks_the_usage_first)
{
	struct plan_resources change = { .set = PLAN_MEMORY_LIMIT | PLAN_MEMORY_CHECK,
					 .memory_check_before_update = true,
					 .memory_limit = 4096 };
	struct fixture f;
	int ready[2];
	char byte;
	pid_t pid;

	need_layout(HOST_CGROUP_HYBRID);
	need_controller(CGROUP_MEMORY);
	cr_assert_eq(pipe(ready), 0);
	init(&f, "check");
	f.plan.resources = (struct plan_resources){ .set = PLAN_MEMORY_LIMIT, .memory_limit = 64 << 20 };
	create(&f);
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
	reap(pid);
	finish(&f);
}

/* ---- devices ---- */

enum { CAN_OPEN_NULL = 1, CAN_OPEN_ZERO = 2, CAN_MAKE_NULL = 4 };

/* What a process in the group can do, as bits. */
static int try_devices(struct fixture *f)
{
	pid_t pid = fork();
	int can = 0;

	if (pid > 0)
		return WEXITSTATUS(reap(pid));
	cgroup_join(f->cgroup, getpid(), /* cloned= */ false, NULL);
	can |= open("/dev/null", O_RDWR) >= 0 ? CAN_OPEN_NULL : 0;
	can |= open("/dev/zero", O_RDONLY) >= 0 ? CAN_OPEN_ZERO : 0;
	if (unshare(CLONE_NEWNS) == 0 && mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("t", "/mnt", "tmpfs", 0, NULL) == 0)
		can |= mknod("/mnt/null", S_IFCHR | 0600, makedev(1, 3)) == 0 ? CAN_MAKE_NULL : 0;
	_exit(can);
}

static void check_devices(void)
{
	const struct plan_device_rule null_only[] = {
		{ .allow = false, .type = 'a', .major = -1, .minor = -1, .access = 7 },
		{ .allow = true, .type = 'c', .major = 1, .minor = 3, .access = BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE },
	};
	const struct plan_device_rule zero_and_mknod[] = {
		{ .allow = false, .type = 'a', .major = -1, .minor = -1, .access = 7 },
		{ .allow = true, .type = 'c', .major = 1, .minor = 5, .access = BPF_DEVCG_ACC_READ },
		{ .allow = true, .type = 'c', .major = -1, .minor = -1, .access = BPF_DEVCG_ACC_MKNOD },
	};
	const struct plan_device_rule everything[] = {
		{ .allow = true, .type = 'a', .major = -1, .minor = -1, .access = 7 },
	};
	struct plan_resources change = { .devices = zero_and_mknod, .n_devices = 3 };
	struct fixture f;

	init(&f, "devices");
	f.plan.resources.devices = null_only;
	f.plan.resources.n_devices = 2;
	create(&f);
	cr_expect_eq(try_devices(&f), CAN_OPEN_NULL);
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(try_devices(&f), CAN_OPEN_ZERO | CAN_MAKE_NULL, "the new rules replace the old");
	change.devices = everything;
	change.n_devices = 1;
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(try_devices(&f), CAN_OPEN_NULL | CAN_OPEN_ZERO | CAN_MAKE_NULL);
	finish(&f);
}

Test(cgroup_real, devices_by_bpf)
{
	need_layout(HOST_CGROUP_HYBRID);
	check_devices();
}

Test(cgroup_real, devices_by_bpf_in_a_v2_view)
{
	need_layout(HOST_CGROUP_V2);
	check_devices();
}

Test(cgroup_real, devices_by_v1)
{
	need_layout(HOST_CGROUP_V1);
	need_controller(CGROUP_DEVICES);
	check_devices();
}

Test(cgroup_real, v1_devices_refuse_a_hole)
{
	const struct plan_device_rule rules[] = {
		{ .allow = false, .type = 'a', .major = -1, .minor = -1, .access = 7 },
		{ .allow = true, .type = 'c', .major = -1, .minor = -1, .access = 7 },
		{ .allow = false, .type = 'c', .major = 1, .minor = 3, .access = 7 },
	};
	struct fixture f;

	need_layout(HOST_CGROUP_V1);
	need_controller(CGROUP_DEVICES);
	init(&f, "hole");
	f.plan.resources.devices = rules;
	f.plan.resources.n_devices = 3;
	cr_expect_eq(cgroup_create(&f.plan, &f.cgroup, &f.err), -EOPNOTSUPP);
	cr_expect_not_null(strstr(f.err.message, "linux.resources.devices"), "got: %s", f.err.message);
	f.cgroup = NULL;
	finish(&f);
}

/* ---- failure, takeover, removal ---- */

static void expect_nothing_left(struct fixture *f)
{
	struct cgroup *cgroup;
	char path[256], root[64];

	cr_assert_eq(cgroup_open(PLAN_CGROUP_FS, f->path, &cgroup, NULL), 0);
	for (unsigned tree = 0; tree < CGROUP_N_TREES; tree++) {
		cgroup_tree_root(cgroup, tree, root);
		snprintf(path, sizeof(path), "%s/%.*s", root, (int)strcspn(f->path, "/"), f->path);
		cr_expect_neq(access(path, F_OK), 0, "%s is left", path);
	}
	cgroup_free(cgroup);
}

Test(cgroup_real, failure_leaves_nothing)
{
	struct fixture f;

	need_layout(HOST_CGROUP_HYBRID);
	need_controller(CGROUP_MEMORY);
	init(&f, "a/b/c");
	f.plan.resources = (struct plan_resources){
		.set = PLAN_MEMORY_LIMIT | PLAN_PIDS, .memory_limit = 64 << 20, .pids = 5, .cpus = "4095"
	};
	cr_expect_lt(cgroup_create(&f.plan, &f.cgroup, &f.err), 0);
	cr_expect_null(f.cgroup);
	cr_expect_not_null(strstr(f.err.message, "linux.resources.cpu.cpus"), "got: %s", f.err.message);
	expect_nothing_left(&f);
}

static void check_hugepages(void)
{
	const struct plan_number pages = { .name = "2MB", .value = (4 << 20) + 1, .reservation = true };
	struct plan_number fewer = { .name = "2MB", .value = 2 << 20 };
	struct plan_resources change = { .hugepages = &fewer, .n_hugepages = 1 };
	struct buffer json = { 0 };
	char offered[256] = "";
	struct fixture f;

	fd_read_file_at(AT_FDCWD,
			cgroup_layout() == HOST_CGROUP_V2 ? CGROUP_ROOT "/cgroup.controllers"
							  : CGROUP_HYBRID_ROOT "/cgroup.controllers",
			offered, sizeof(offered));
	if (!strstr(offered, "hugetlb"))
		cr_skip_test("needs the hugetlb controller in the v2 tree");
	init(&f, "p/hugetlb");
	f.plan.resources.hugepages = &pages;
	f.plan.resources.n_hugepages = 1;
	create(&f);
	expect_file(&f, CGROUP_TREE_V2, "hugetlb.2MB.max", "4194304");
	expect_file(&f, CGROUP_TREE_V2, "hugetlb.2MB.rsvd.max", "4194304");
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), 0, "%s", f.err.message);
	expect_file(&f, CGROUP_TREE_V2, "hugetlb.2MB.max", "2097152");
	fewer.name = "3MB";
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), -EOPNOTSUPP);
	cr_expect_not_null(strstr(f.err.message, "linux.resources.hugepageLimits[0]"), "got: %s", f.err.message);
	cr_expect_eq(cgroup_statistics(f.cgroup, &json, &f.err), 0);
	cr_expect_not_null(strstr(json.data, "\"hugetlb\":{"), "%s", json.data);
	buffer_done(&json);
	cgroup_destroy(f.cgroup, TIMEOUT_MS, NULL);
	*strrchr(f.path, '/') = '\0';
	finish(&f);
}

Test(cgroup_real, controllers_of_the_v2_tree)
{
	need_layout(HOST_CGROUP_HYBRID);
	check_hugepages();
}

Test(cgroup_real, controllers_of_a_v2_view)
{
	need_layout(HOST_CGROUP_V2);
	check_hugepages();
}

Test(cgroup_real, unified_names_files_of_the_v2_tree)
{
	struct plan_pair pair = { "cgroup.max.descendants", "17" };
	struct fixture f;

	need_layout(HOST_CGROUP_HYBRID);
	need_controller(CGROUP_MEMORY);
	init(&f, "unified");
	f.plan.resources.unified = &pair;
	f.plan.resources.n_unified = 1;
	create(&f);
	expect_file(&f, CGROUP_TREE_V2, "cgroup.max.descendants", "17");
	finish(&f);
	pair = (struct plan_pair){ "memory.high", "1048576" };
	init(&f, "unified");
	f.plan.resources.unified = &pair;
	f.plan.resources.n_unified = 1;
	cr_expect_eq(cgroup_create(&f.plan, &f.cgroup, &f.err), -EOPNOTSUPP);
	cr_expect_not_null(strstr(f.err.message, "linux.resources.unified[\"memory.high\"]"), "got: %s", f.err.message);
	expect_nothing_left(&f);
}

Test(cgroup_real, controllers_that_are_not_mounted_are_named)
{
	struct fixture f;

	need_layout(HOST_CGROUP_HYBRID);
	if (access(CGROUP_ROOT "/net_cls", F_OK) == 0)
		cr_skip_test("needs a host without the net_cls controller mounted");
	init(&f, "network");
	f.plan.resources = (struct plan_resources){ .set = PLAN_NET_CLASS, .net_class = 7 };
	cr_expect_eq(cgroup_create(&f.plan, &f.cgroup, &f.err), -EOPNOTSUPP);
	cr_expect_eq(f.err.kind, ERROR_UNSUPPORTED);
	cr_expect_not_null(strstr(f.err.message, "linux.resources.network.classID: the net_cls controller"), "got: %s",
			   f.err.message);
	expect_nothing_left(&f);
}

Test(cgroup_real, v2_view_without_controllers_refuses_limits)
{
	char offered[256] = "";
	struct fixture f;

	need_layout(HOST_CGROUP_V2);
	fd_read_file_at(AT_FDCWD, CGROUP_ROOT "/cgroup.controllers", offered, sizeof(offered));
	if (strstr(offered, "memory"))
		cr_skip_test("needs a v2 tree without the memory controller");
	init(&f, "memory");
	f.plan.resources = (struct plan_resources){ .set = PLAN_MEMORY_LIMIT, .memory_limit = 64 << 20 };
	cr_expect_eq(cgroup_create(&f.plan, &f.cgroup, &f.err), -EOPNOTSUPP);
	cr_expect_not_null(strstr(f.err.message, "linux.resources.memory.limit: the memory controller"), "got: %s",
			   f.err.message);
	expect_nothing_left(&f);
}

Test(cgroup_real, takes_over_an_empty_group_only)
{
	struct cgroup *other = NULL;
	struct fixture f;
	pid_t pid;

	need_layout(HOST_CGROUP_HYBRID);
	init(&f, "taken");
	create(&f);
	pid = spawn(&f);
	cr_expect_eq(cgroup_create(&f.plan, &other, &f.err), -EEXIST);
	cr_expect_eq(f.err.kind, ERROR_EXISTS);
	cr_expect_eq(count(&f), 1, "a refused creation removes nothing");
	cgroup_freeze(f.cgroup, true, TIMEOUT_MS, &f.err);
	cgroup_kill(f.cgroup, &f.err);
	reap(pid);
	cr_expect_eq(cgroup_create(&f.plan, &other, &f.err), 0, "%s", f.err.message);
	cr_expect_not(cgroup_is_frozen(other), "what was left frozen is thawed");
	cgroup_free(other);
	finish(&f);
}

Test(cgroup_real, groups_below_go_with_it)
{
	struct cgroup *below = NULL;
	struct fixture f;
	char path[256];
	pid_t pid;

	need_layout(HOST_CGROUP_HYBRID);
	init(&f, "tree");
	create(&f);
	for (const char *name = "x\0x/y\0x/y/z\0w\0"; *name; name += strlen(name) + 1) {
		snprintf(path, sizeof(path), CGROUP_HYBRID_ROOT "/%s/%s", f.path, name);
		cr_assert_eq(mkdir(path, 0755), 0, "%s", path);
	}
	cr_expect_lt(cgroup_open_below(f.cgroup, "../x", &below, &f.err), 0);
	cr_expect_lt(cgroup_open_below(f.cgroup, "nothing", &below, &f.err), 0);
	cr_expect_eq(f.err.kind, ERROR_NOT_FOUND);
	cr_assert_eq(cgroup_open_below(f.cgroup, "/x/y", &below, &f.err), 0, "%s", f.err.message);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	cr_expect_eq(cgroup_join(below, pid, /* cloned= */ false, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(count(&f), 1, "those below count");
	cgroup_free(below);
	cgroup_kill(f.cgroup, &f.err);
	reap(pid);
	finish(&f);
}

Test(cgroup_real, below_keeps_the_limits_of_the_container)
{
	struct cgroup *below = NULL;
	struct fixture f;
	char path[256];
	pid_t pid;

	need_layout(HOST_CGROUP_HYBRID);
	need_controller(CGROUP_PIDS);
	init(&f, "below");
	f.plan.resources = (struct plan_resources){ .set = PLAN_PIDS, .pids = 5 };
	create(&f);
	snprintf(path, sizeof(path), CGROUP_HYBRID_ROOT "/%s/x", f.path);
	cr_assert_eq(mkdir(path, 0755), 0);
	cr_assert_eq(cgroup_open_below(f.cgroup, "x", &below, &f.err), 0, "%s", f.err.message);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	cr_expect_eq(cgroup_join(below, pid, /* cloned= */ false, &f.err), 0, "%s", f.err.message);
	expect_file(&f, CGROUP_PIDS, "pids.current", "1");
	cgroup_free(below);
	cgroup_kill(f.cgroup, &f.err);
	reap(pid);
	finish(&f);
}

Test(cgroup_real, a_group_that_is_gone_is_no_error)
{
	struct fixture f;

	need_layout(HOST_CGROUP_HYBRID);
	init(&f, "gone");
	cr_assert_eq(cgroup_open(PLAN_CGROUP_FS, f.path, &f.cgroup, &f.err), 0, "%s", f.err.message);
	cr_expect_not(cgroup_exists(f.cgroup));
	cr_expect_eq(count(&f), 0);
	cr_expect_eq(cgroup_destroy(f.cgroup, 0, &f.err), 0);
	cr_expect_eq(cgroup_freeze(f.cgroup, true, 10, &f.err), -ENOENT);
	cr_expect_eq(cgroup_join(f.cgroup, getpid(), false, &f.err), -ENOENT);
	cgroup_free(f.cgroup);
}

Test(cgroup_real, delegation)
{
	struct fixture f;
	struct stat st;

	need_layout(HOST_CGROUP_HYBRID);
	init(&f, "delegated");
	create(&f);
	cr_expect_eq(cgroup_delegate(f.cgroup, 12345, &f.err), 0, "%s", f.err.message);
	fstat(cgroup_clone_fd(f.cgroup), &st);
	cr_expect_eq(st.st_uid, 12345);
	fstatat(cgroup_clone_fd(f.cgroup), "cgroup.procs", &st, 0);
	cr_expect_eq(st.st_uid, 12345);
	fstatat(cgroup_clone_fd(f.cgroup), "cgroup.max.depth", &st, 0);
	cr_expect_eq(st.st_uid, 0, "a limit is not given away");
	finish(&f);
}
