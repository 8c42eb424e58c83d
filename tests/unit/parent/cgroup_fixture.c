#include "tests/unit/parent/cgroup_fixture.h"

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

void cgroup_fixture_need_layout(enum host_cgroup_layout wanted)
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

void cgroup_fixture_need_controller(enum cgroup_controller controller)
{
	char path[128];

	snprintf(path, sizeof(path), CGROUP_ROOT "/%s/cgroup.procs", cgroup_settings_controller_name(controller, false));
	if (cgroup_layout() != HOST_CGROUP_V2 && access(path, F_OK) < 0)
		cr_skip_test("needs this v1 controller mounted");
}

void cgroup_fixture_init(struct cgroup_fixture *f, const char *name)
{
	memset(f, 0, sizeof(*f));
	snprintf(f->path, sizeof(f->path), "brig-test-%d/%s", (int)getpid(), name);
	f->plan.path = f->path;
}

void cgroup_fixture_create(struct cgroup_fixture *f)
{
	cr_assert_eq(cgroup_create(&f->plan, &f->cgroup, &f->err), 0, "%s", f->err.message);
}

void cgroup_fixture_finish(struct cgroup_fixture *f)
{
	char root[64];

	cgroup_free(f->cgroup);
	cr_assert_eq(cgroup_open(PLAN_CGROUP_FS, f->path, &f->cgroup, &f->err), 0, "%s", f->err.message);
	cr_expect_eq(cgroup_destroy(f->cgroup, CGROUP_FIXTURE_TIMEOUT_MS, &f->err), 0, "%s", f->err.message);
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

void cgroup_fixture_expect_file(struct cgroup_fixture *f, unsigned tree, const char *file, const char *wanted)
{
	char text[256] = "";

	fd_read_file_at(cgroup_tree_fd(f->cgroup, tree), file, text, sizeof(text));
	cr_expect_str_eq(text, wanted, "%s: %s", file, text);
}

pid_t cgroup_fixture_spawn(struct cgroup_fixture *f)
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

int cgroup_fixture_reap(pid_t pid)
{
	int status = -1;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

size_t cgroup_fixture_count(struct cgroup_fixture *f)
{
	struct arena *arena = arena_new(1024 * 1024);
	pid_t *pids;
	size_t n = 0;

	cr_expect_eq(cgroup_pids(f->cgroup, arena, &pids, &n, &f->err), 0, "%s", f->err.message);
	arena_free(arena);
	return n;
}
