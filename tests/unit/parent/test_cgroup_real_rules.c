/* Groups that are really made: devices, failure, takeover, removal. */
#include <criterion/criterion.h>
#include <errno.h>
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
#include "tests/unit/parent/cgroup_fixture.h"

/* ---- devices ---- */

enum { CAN_OPEN_NULL = 1, CAN_OPEN_ZERO = 2, CAN_MAKE_NULL = 4 };

/* What a process in the group can do, as bits. */
static int try_devices(struct cgroup_fixture *f)
{
	pid_t pid = fork();
	int can = 0;

	if (pid > 0)
		return WEXITSTATUS(cgroup_fixture_reap(pid));
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
	struct cgroup_fixture f;

	cgroup_fixture_init(&f, "devices");
	f.plan.resources.devices = null_only;
	f.plan.resources.n_devices = 2;
	cgroup_fixture_create(&f);
	cr_expect_eq(try_devices(&f), CAN_OPEN_NULL);
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(try_devices(&f), CAN_OPEN_ZERO | CAN_MAKE_NULL, "the new rules replace the old");
	change.devices = everything;
	change.n_devices = 1;
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(try_devices(&f), CAN_OPEN_NULL | CAN_OPEN_ZERO | CAN_MAKE_NULL);
	cgroup_fixture_finish(&f);
}

Test(cgroup_real_rules, devices_by_bpf)
{
	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	check_devices();
}

Test(cgroup_real_rules, devices_by_bpf_in_a_v2_view)
{
	cgroup_fixture_need_layout(HOST_CGROUP_V2);
	check_devices();
}

Test(cgroup_real_rules, devices_by_v1)
{
	cgroup_fixture_need_layout(HOST_CGROUP_V1);
	cgroup_fixture_need_controller(CGROUP_DEVICES);
	check_devices();
}

Test(cgroup_real_rules, v1_devices_refuse_a_hole)
{
	const struct plan_device_rule rules[] = {
		{ .allow = false, .type = 'a', .major = -1, .minor = -1, .access = 7 },
		{ .allow = true, .type = 'c', .major = -1, .minor = -1, .access = 7 },
		{ .allow = false, .type = 'c', .major = 1, .minor = 3, .access = 7 },
	};
	struct cgroup_fixture f;

	cgroup_fixture_need_layout(HOST_CGROUP_V1);
	cgroup_fixture_need_controller(CGROUP_DEVICES);
	cgroup_fixture_init(&f, "hole");
	f.plan.resources.devices = rules;
	f.plan.resources.n_devices = 3;
	cr_expect_eq(cgroup_create(&f.plan, &f.cgroup, &f.err), -EOPNOTSUPP);
	cr_expect_not_null(strstr(f.err.message, "linux.resources.devices"), "got: %s", f.err.message);
	f.cgroup = NULL;
	cgroup_fixture_finish(&f);
}

/* ---- failure, takeover, removal ---- */

static void expect_nothing_left(struct cgroup_fixture *f)
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

Test(cgroup_real_rules, failure_leaves_nothing)
{
	struct cgroup_fixture f;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_need_controller(CGROUP_MEMORY);
	cgroup_fixture_init(&f, "a/b/c");
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
	struct cgroup_fixture f;

	fd_read_file_at(AT_FDCWD,
			cgroup_layout() == HOST_CGROUP_V2 ? CGROUP_ROOT "/cgroup.controllers"
							  : CGROUP_HYBRID_ROOT "/cgroup.controllers",
			offered, sizeof(offered));
	if (!strstr(offered, "hugetlb"))
		cr_skip_test("needs the hugetlb controller in the v2 tree");
	cgroup_fixture_init(&f, "p/hugetlb");
	f.plan.resources.hugepages = &pages;
	f.plan.resources.n_hugepages = 1;
	cgroup_fixture_create(&f);
	cgroup_fixture_expect_file(&f, CGROUP_TREE_V2, "hugetlb.2MB.max", "4194304");
	cgroup_fixture_expect_file(&f, CGROUP_TREE_V2, "hugetlb.2MB.rsvd.max", "4194304");
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), 0, "%s", f.err.message);
	cgroup_fixture_expect_file(&f, CGROUP_TREE_V2, "hugetlb.2MB.max", "2097152");
	fewer.name = "3MB";
	cr_expect_eq(cgroup_update(f.cgroup, &change, &f.err), -EOPNOTSUPP);
	cr_expect_not_null(strstr(f.err.message, "linux.resources.hugepageLimits[0]"), "got: %s", f.err.message);
	cr_expect_eq(cgroup_statistics(f.cgroup, &json, &f.err), 0);
	cr_expect_not_null(strstr(json.data, "\"hugetlb\":{"), "%s", json.data);
	buffer_done(&json);
	cgroup_destroy(f.cgroup, CGROUP_FIXTURE_TIMEOUT_MS, NULL);
	*strrchr(f.path, '/') = '\0';
	cgroup_fixture_finish(&f);
}

Test(cgroup_real_rules, controllers_of_the_v2_tree)
{
	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	check_hugepages();
}

Test(cgroup_real_rules, controllers_of_a_v2_view)
{
	cgroup_fixture_need_layout(HOST_CGROUP_V2);
	check_hugepages();
}

Test(cgroup_real_rules, unified_names_files_of_the_v2_tree)
{
	struct plan_pair pair = { "cgroup.max.descendants", "17" };
	struct cgroup_fixture f;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_need_controller(CGROUP_MEMORY);
	cgroup_fixture_init(&f, "unified");
	f.plan.resources.unified = &pair;
	f.plan.resources.n_unified = 1;
	cgroup_fixture_create(&f);
	cgroup_fixture_expect_file(&f, CGROUP_TREE_V2, "cgroup.max.descendants", "17");
	cgroup_fixture_finish(&f);
	pair = (struct plan_pair){ "memory.high", "1048576" };
	cgroup_fixture_init(&f, "unified");
	f.plan.resources.unified = &pair;
	f.plan.resources.n_unified = 1;
	cr_expect_eq(cgroup_create(&f.plan, &f.cgroup, &f.err), -EOPNOTSUPP);
	cr_expect_not_null(strstr(f.err.message, "linux.resources.unified[\"memory.high\"]"), "got: %s", f.err.message);
	expect_nothing_left(&f);
}

Test(cgroup_real_rules, controllers_that_are_not_mounted_are_named)
{
	struct cgroup_fixture f;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	if (access(CGROUP_ROOT "/net_cls", F_OK) == 0)
		cr_skip_test("needs a host without the net_cls controller mounted");
	cgroup_fixture_init(&f, "network");
	f.plan.resources = (struct plan_resources){ .set = PLAN_NET_CLASS, .net_class = 7 };
	cr_expect_eq(cgroup_create(&f.plan, &f.cgroup, &f.err), -EOPNOTSUPP);
	cr_expect_eq(f.err.kind, ERROR_UNSUPPORTED);
	cr_expect_not_null(strstr(f.err.message, "linux.resources.network.classID: the net_cls controller"), "got: %s",
			   f.err.message);
	expect_nothing_left(&f);
}

Test(cgroup_real_rules, v2_view_without_controllers_refuses_limits)
{
	char offered[256] = "";
	struct cgroup_fixture f;

	cgroup_fixture_need_layout(HOST_CGROUP_V2);
	fd_read_file_at(AT_FDCWD, CGROUP_ROOT "/cgroup.controllers", offered, sizeof(offered));
	if (strstr(offered, "memory"))
		cr_skip_test("needs a v2 tree without the memory controller");
	cgroup_fixture_init(&f, "memory");
	f.plan.resources = (struct plan_resources){ .set = PLAN_MEMORY_LIMIT, .memory_limit = 64 << 20 };
	cr_expect_eq(cgroup_create(&f.plan, &f.cgroup, &f.err), -EOPNOTSUPP);
	cr_expect_not_null(strstr(f.err.message, "linux.resources.memory.limit: the memory controller"), "got: %s",
			   f.err.message);
	expect_nothing_left(&f);
}

Test(cgroup_real_rules, takes_over_an_empty_group_only)
{
	struct cgroup *other = NULL;
	struct cgroup_fixture f;
	pid_t pid;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_init(&f, "taken");
	cr_expect_eq(cgroup_check_unused(&f.plan, &f.err), 0);
	cgroup_fixture_create(&f);
	cr_expect_eq(cgroup_check_unused(&f.plan, &f.err), 0);
	pid = cgroup_fixture_spawn(&f);
	cr_expect_eq(cgroup_check_unused(&f.plan, &f.err), -EEXIST);
	cr_expect_eq(cgroup_create(&f.plan, &other, &f.err), -EEXIST);
	cr_expect_eq(f.err.kind, ERROR_EXISTS);
	cr_expect_eq(cgroup_fixture_count(&f), 1, "a refused creation removes nothing");
	cgroup_freeze(f.cgroup, true, CGROUP_FIXTURE_TIMEOUT_MS, &f.err);
	cgroup_kill(f.cgroup, &f.err);
	cgroup_fixture_reap(pid);
	cr_expect_eq(cgroup_check_unused(&f.plan, &f.err), -EBUSY);
	cr_expect_not_null(strstr(f.err.message, "container's cgroup unexpectedly frozen"), "got: %s", f.err.message);
	cr_expect_eq(cgroup_create(&f.plan, &other, &f.err), -EBUSY);
	cr_expect(cgroup_is_frozen(f.cgroup), "what somebody froze is his to thaw");
	cgroup_freeze(f.cgroup, false, CGROUP_FIXTURE_TIMEOUT_MS, &f.err);
	cr_expect_eq(cgroup_create(&f.plan, &other, &f.err), 0, "%s", f.err.message);
	cgroup_free(other);
	cgroup_fixture_finish(&f);
}

/* Its end would be theirs. In the trees of v1 a group's files say nothing of the groups below it. */
static void check_process_below(const char *const *roots)
{
	struct cgroup *other = NULL, *below = NULL;
	struct cgroup_fixture f;
	char path[256];
	pid_t pid;

	cgroup_fixture_init(&f, "below");
	cgroup_fixture_create(&f);
	for (; *roots; roots++) {
		snprintf(path, sizeof(path), "%s/%s/x", *roots, f.path);
		cr_assert_eq(mkdir(path, 0755), 0, "%s", path);
	}
	cr_assert_eq(cgroup_open_below(f.cgroup, "x", &below, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(cgroup_check_unused(&f.plan, &f.err), 0, "%s", f.err.message);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	cr_expect_eq(cgroup_join(below, pid, /* cloned= */ false, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(cgroup_check_unused(&f.plan, &f.err), -EEXIST);
	cr_expect_eq(cgroup_create(&f.plan, &other, &f.err), -EEXIST);
	cr_expect_eq(waitpid(pid, NULL, WNOHANG), 0, "a refused creation ends nobody");
	cgroup_free(below);
	cgroup_free(other);
	cgroup_kill(f.cgroup, &f.err);
	cgroup_fixture_reap(pid);
	cgroup_fixture_finish(&f);
}

Test(cgroup_real_rules, takes_over_no_group_with_processes_below_it)
{
	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	check_process_below((const char *const[]){ CGROUP_HYBRID_ROOT, NULL });
}

Test(cgroup_real_rules, takes_over_no_v1_group_with_processes_below_it)
{
	cgroup_fixture_need_layout(HOST_CGROUP_V1);
	cgroup_fixture_need_controller(CGROUP_FREEZER);
	cgroup_fixture_need_controller(CGROUP_PIDS);
	check_process_below((const char *const[]){ CGROUP_ROOT "/freezer", CGROUP_ROOT "/pids", NULL });
}

Test(cgroup_real_rules, groups_below_go_with_it)
{
	struct cgroup *below = NULL;
	struct cgroup_fixture f;
	char path[256];
	pid_t pid;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_init(&f, "tree");
	cgroup_fixture_create(&f);
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
	cr_expect_eq(cgroup_fixture_count(&f), 1, "those below count");
	cgroup_free(below);
	cgroup_kill(f.cgroup, &f.err);
	cgroup_fixture_reap(pid);
	cgroup_fixture_finish(&f);
}

Test(cgroup_real_rules, below_keeps_the_limits_of_the_container)
{
	struct cgroup *below = NULL;
	struct cgroup_fixture f;
	char path[256];
	pid_t pid;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_need_controller(CGROUP_PIDS);
	cgroup_fixture_init(&f, "below");
	f.plan.resources = (struct plan_resources){ .set = PLAN_PIDS, .pids = 5 };
	cgroup_fixture_create(&f);
	snprintf(path, sizeof(path), CGROUP_HYBRID_ROOT "/%s/x", f.path);
	cr_assert_eq(mkdir(path, 0755), 0);
	cr_assert_eq(cgroup_open_below(f.cgroup, "x", &below, &f.err), 0, "%s", f.err.message);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	cr_expect_eq(cgroup_join(below, pid, /* cloned= */ false, &f.err), 0, "%s", f.err.message);
	cgroup_fixture_expect_file(&f, CGROUP_PIDS, "pids.current", "1");
	cgroup_free(below);
	cgroup_kill(f.cgroup, &f.err);
	cgroup_fixture_reap(pid);
	cgroup_fixture_finish(&f);
}

Test(cgroup_real_rules, a_group_that_is_gone_is_no_error)
{
	struct cgroup_fixture f;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_init(&f, "gone");
	cr_assert_eq(cgroup_open(PLAN_CGROUP_FS, f.path, &f.cgroup, &f.err), 0, "%s", f.err.message);
	cr_expect_not(cgroup_exists(f.cgroup));
	cr_expect_eq(cgroup_fixture_count(&f), 0);
	cr_expect_eq(cgroup_destroy(f.cgroup, 0, &f.err), 0);
	cr_expect_eq(cgroup_freeze(f.cgroup, true, 10, &f.err), -ENOENT);
	cr_expect_eq(cgroup_join(f.cgroup, getpid(), false, &f.err), -ENOENT);
	cgroup_free(f.cgroup);
}

Test(cgroup_real_rules, delegation)
{
	struct cgroup_fixture f;
	struct stat st;
	int fd;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_init(&f, "delegated");
	cgroup_fixture_create(&f);
	cr_expect_eq(cgroup_delegate(f.cgroup, 12345, &f.err), 0, "%s", f.err.message);
	fstat(cgroup_clone_fd(f.cgroup), &st);
	cr_expect_eq(st.st_uid, 12345);
	fstatat(cgroup_clone_fd(f.cgroup), "cgroup.procs", &st, 0);
	cr_expect_eq(st.st_uid, 12345);
	fstatat(cgroup_clone_fd(f.cgroup), "cgroup.max.depth", &st, 0);
	cr_expect_eq(st.st_uid, 0, "a limit is not given away");
	/* What is in there can be removed, however deep its owner would have it. */
	fd = openat(cgroup_clone_fd(f.cgroup), ".", O_PATH | O_CLOEXEC);
	errno = 0;
	for (unsigned depth = 0; depth < 60 && mkdirat(fd, "deep", 0755) == 0; depth++) {
		int below_fd = openat(fd, "deep", O_PATH | O_CLOEXEC);

		close(fd);
		fd = below_fd;
	}
	cr_expect_eq(errno, EAGAIN, "the kernel's answer to too many levels");
	close(fd);
	cgroup_fixture_finish(&f);
}

static void update_bounds(struct cgroup_fixture *f, const char *value)
{
	const struct plan_pair pairs[] = { { "cgroup.max.depth", value }, { "cgroup.max.descendants", value } };
	const struct plan_resources resources = { .unified = pairs, .n_unified = ARRAY_SIZE(pairs) };

	cr_expect_eq(cgroup_update(f->cgroup, &resources, &f->err), 0, "%s", f->err.message);
}

Test(cgroup_real_rules, an_update_keeps_the_bounds_of_what_was_delegated)
{
	struct cgroup_fixture f;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_init(&f, "bounded");
	cgroup_fixture_create(&f);
	update_bounds(&f, "max");
	cgroup_fixture_expect_file(&f, CGROUP_TREE_V2, "cgroup.max.depth", "max");
	cr_expect_eq(cgroup_delegate(f.cgroup, 12345, &f.err), 0, "%s", f.err.message);
	update_bounds(&f, "7");
	cgroup_fixture_expect_file(&f, CGROUP_TREE_V2, "cgroup.max.depth", "7");
	update_bounds(&f, "max");
	cgroup_fixture_expect_file(&f, CGROUP_TREE_V2, "cgroup.max.depth", "32");
	cgroup_fixture_expect_file(&f, CGROUP_TREE_V2, "cgroup.max.descendants", "4096");
	cgroup_fixture_finish(&f);
}
