/* Groups below a container's own: who is in which, and what is left of them. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/fd.h"
#include "parent/cgroup/cgroup_internal.h"
#include "tests/unit/parent/cgroup_fixture.h"

static bool has(struct cgroup_fixture *f, const char *entry)
{
	return faccessat(cgroup_tree_fd(f->cgroup, CGROUP_TREE_V2), entry, F_OK, 0) == 0;
}

static size_t count_in(struct cgroup_fixture *f, const char *entry)
{
	struct arena *arena = arena_new(1 << 20);
	struct cgroup *group;
	pid_t *pids;
	size_t n = 0;

	cr_assert_eq(cgroup_open_group(f->cgroup, entry, &group, &f->err), 0, "%s", f->err.message);
	cr_expect_eq(cgroup_pids(group, arena, &pids, &n, &f->err), 0, "%s", f->err.message);
	cgroup_free(group);
	arena_free(arena);
	return n;
}

static void split(void)
{
	struct cgroup *group = NULL;
	struct cgroup_fixture f;
	pid_t first, second;

	cgroup_fixture_init(&f, "entry");
	cgroup_fixture_create(&f);
	cr_expect_eq(cgroup_open_entry(f.cgroup, CGROUP_ENTRY_CONTAINER, &f.err), -ENOENT);
	cr_expect_eq(f.err.kind, ERROR_NOT_FOUND);
	cr_assert_eq(cgroup_make_entry(f.cgroup, CGROUP_ENTRY_CONTAINER, &f.err), 0, "%s", f.err.message);
	first = cgroup_fixture_spawn(&f);
	cr_assert_eq(cgroup_make_entry(f.cgroup, "execs/e", &f.err), 0, "%s", f.err.message);
	second = cgroup_fixture_spawn(&f);
	cr_expect_eq(cgroup_fixture_count(&f), 2, "the whole has both");
	cr_expect_eq(count_in(&f, CGROUP_ENTRY_CONTAINER), 1);
	cr_expect_eq(count_in(&f, "execs/e"), 1);
	cr_expect_eq(cgroup_make_entry(f.cgroup, "execs/e", &f.err), -EEXIST, "somebody is in it");
	cr_expect_eq(f.err.kind, ERROR_EXISTS);
	cr_expect_eq(cgroup_open_group(f.cgroup, "execs/other", &group, &f.err), -ENOENT);
	cr_expect_lt(cgroup_open_group(f.cgroup, "../..", &group, &f.err), 0);
	cr_assert_eq(cgroup_release_entry(f.cgroup, "execs/e", CGROUP_ENTRY_CONTAINER, &f.err), 0, "%s", f.err.message);
	cr_expect_not(has(&f, "execs/e"));
	cr_expect_eq(count_in(&f, CGROUP_ENTRY_CONTAINER), 2);
	cr_expect_eq(cgroup_release_entry(f.cgroup, "execs/e", CGROUP_ENTRY_CONTAINER, &f.err), 0, "gone is fine");
	cr_expect_eq(cgroup_kill(f.cgroup, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(WTERMSIG(cgroup_fixture_reap(first)), SIGKILL);
	cr_expect_eq(WTERMSIG(cgroup_fixture_reap(second)), SIGKILL);
	cgroup_fixture_finish(&f);
}

/* Without a limit, what a supervisor's statistics and out-of-memory events need is there; nothing more. */
Test(cgroup_entry, counts_without_limits)
{
	AUTO_CLOSE int oom_fd = -EBADF;
	struct cgroup_fixture f;
	pid_t pid;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_need_controller(CGROUP_MEMORY);
	cgroup_fixture_need_controller(CGROUP_PIDS);
	cgroup_fixture_init(&f, "account");
	cgroup_fixture_create(&f);
	cr_expect_lt(cgroup_tree_fd(f.cgroup, CGROUP_MEMORY), 0);
	cr_expect_lt(cgroup_oom_fd(f.cgroup, &f.err), 0);
	cr_assert_eq(cgroup_account(f.cgroup, &f.err), 0, "%s", f.err.message);
	cr_expect_lt(cgroup_tree_fd(f.cgroup, CGROUP_CPUSET), 0);
	cr_expect_lt(cgroup_tree_fd(f.cgroup, CGROUP_CPU), 0);
	pid = cgroup_fixture_spawn(&f);
	cgroup_fixture_expect_file(&f, CGROUP_PIDS, "pids.current", "1");
	oom_fd = cgroup_oom_fd(f.cgroup, &f.err);
	cr_expect_geq(oom_fd, 0, "%s", f.err.message);
	cr_assert_eq(cgroup_account(f.cgroup, &f.err), 0, "again: %s", f.err.message);
	kill(pid, SIGKILL);
	cgroup_fixture_reap(pid);
	cgroup_fixture_finish(&f);
}

/* A pod's limits are set to the group above, before there is a container. */
Test(cgroup_entry, is_below_a_parent_that_is_there)
{
	char parent[160];
	struct cgroup_fixture f;
	pid_t pid;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_need_controller(CGROUP_MEMORY);
	cgroup_fixture_need_controller(CGROUP_CPUSET);
	cgroup_fixture_init(&f, "below");
	for (int i = 0; i < 2; i++) {
		snprintf(parent, sizeof(parent), "/sys/fs/cgroup/%s/%.*s", i ? "cpuset" : "memory",
			 (int)(strrchr(f.path, '/') - f.path), f.path);
		cr_assert_eq(mkdir(parent, 0755), 0, "%s", parent);
	}
	cgroup_fixture_create(&f);
	cr_expect_geq(cgroup_tree_fd(f.cgroup, CGROUP_MEMORY), 0);
	cr_expect_geq(cgroup_tree_fd(f.cgroup, CGROUP_CPUSET), 0);
	cr_expect_lt(cgroup_tree_fd(f.cgroup, CGROUP_PIDS), 0, "nobody asked for it");
	pid = cgroup_fixture_spawn(&f);
	kill(pid, SIGKILL);
	cr_expect_eq(WTERMSIG(cgroup_fixture_reap(pid)), SIGKILL);
	cgroup_fixture_finish(&f);
}

/* As a container's first process does it. */
Test(cgroup_entry, one_thread_joins_v1_groups_by_itself)
{
	struct cgroup_view tasks[CGROUP_VIEWS_MAX];
	struct cgroup_fixture f;
	int n, status;
	pid_t pid;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_need_controller(CGROUP_MEMORY);
	cgroup_fixture_need_controller(CGROUP_PIDS);
	cgroup_fixture_init(&f, "alone");
	cgroup_fixture_create(&f);
	cr_expect_eq(cgroup_open_tasks(f.cgroup, tasks, &f.err), 0, "no v1 tree holds it yet");
	cr_assert_eq(cgroup_account(f.cgroup, &f.err), 0, "%s", f.err.message);
	n = cgroup_open_tasks(f.cgroup, tasks, &f.err);
	cr_assert_eq(n, 2, "%d: %s", n, f.err.message);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < n; i++) {
			if (write(tasks[i].fd, "0", 1) != 1)
				_exit(1);
		}
		kill(getpid(), SIGSTOP);
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &status, WUNTRACED), pid);
	cr_expect(WIFSTOPPED(status));
	cgroup_fixture_expect_file(&f, CGROUP_PIDS, "pids.current", "1");
	kill(pid, SIGKILL);
	cgroup_fixture_reap(pid);
	for (int i = 0; i < n; i++)
		close(tasks[i].fd);
	cgroup_fixture_finish(&f);
}

/* Somebody else's processes there would be counted, and ended, as the container's. */
Test(cgroup_entry, does_not_count_others)
{
	struct cgroup_fixture f, other;
	pid_t pid;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_need_controller(CGROUP_PIDS);
	cgroup_fixture_init(&f, "others");
	cgroup_fixture_create(&f);
	other = f;
	cr_assert_eq(cgroup_open(PLAN_CGROUP_FS, f.path, &other.cgroup, &f.err), 0);
	cr_assert_eq(cgroup_tree_make(other.cgroup, CGROUP_PIDS, &f.err), 0, "%s", f.err.message);
	close_and_reset(&other.cgroup->trees[CGROUP_TREE_V2].fd);
	pid = cgroup_fixture_spawn(&other);
	cr_expect_eq(cgroup_account(f.cgroup, &f.err), -EEXIST);
	cr_expect_eq(f.err.kind, ERROR_EXISTS);
	kill(pid, SIGKILL);
	cgroup_fixture_reap(pid);
	cgroup_free(other.cgroup);
	cgroup_fixture_finish(&f);
}

Test(cgroup_entry, on_a_hybrid_host)
{
	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	split();
}

Test(cgroup_entry, in_a_v2_view)
{
	cgroup_fixture_need_layout(HOST_CGROUP_V2);
	split();
}

Test(cgroup_entry, without_a_v2_tree_all_stay_in_one)
{
	struct cgroup *group = NULL;
	struct cgroup_fixture f;
	pid_t pid;

	cgroup_fixture_need_layout(HOST_CGROUP_V1);
	cgroup_fixture_init(&f, "entry");
	cgroup_fixture_create(&f);
	cr_expect_eq(cgroup_make_entry(f.cgroup, CGROUP_ENTRY_CONTAINER, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(cgroup_open_entry(f.cgroup, CGROUP_ENTRY_CONTAINER, &f.err), 0, "%s", f.err.message);
	cr_expect_eq(cgroup_show_limits(f.cgroup, /* all_controllers= */ true, &f.err), 0, "%s", f.err.message);
	cr_expect_lt(cgroup_clone_fd(f.cgroup), 0);
	pid = cgroup_fixture_spawn(&f);
	cr_expect_eq(cgroup_fixture_count(&f), 1);
	cr_expect_eq(cgroup_open_group(f.cgroup, "execs/e", &group, &f.err), -ENOENT);
	cr_expect_eq(cgroup_release_entry(f.cgroup, "execs/e", CGROUP_ENTRY_CONTAINER, &f.err), 0, "%s", f.err.message);
	kill(pid, SIGKILL);
	cgroup_fixture_reap(pid);
	cgroup_fixture_finish(&f);
}

/* What an earlier brig left may be frozen and have groups below it: the new one is neither. */
Test(cgroup_entry, is_made_anew)
{
	struct cgroup_fixture f;
	char frozen[8] = "";
	int root_fd;

	cgroup_fixture_need_layout(HOST_CGROUP_HYBRID);
	cgroup_fixture_init(&f, "anew");
	cgroup_fixture_create(&f);
	root_fd = cgroup_tree_fd(f.cgroup, CGROUP_TREE_V2);
	cr_assert_eq(cgroup_make_entry(f.cgroup, CGROUP_ENTRY_CONTAINER, &f.err), 0, "%s", f.err.message);
	cr_assert_eq(mkdirat(root_fd, "container/below", 0755), 0);
	cr_assert_eq(fd_write_file_at(root_fd, "container/cgroup.freeze", "1"), 0);
	cr_assert_eq(cgroup_make_entry(f.cgroup, CGROUP_ENTRY_CONTAINER, &f.err), 0, "%s", f.err.message);
	cr_expect_not(has(&f, "container/below"));
	fd_read_file_at(cgroup_clone_fd(f.cgroup), "cgroup.freeze", frozen, sizeof(frozen));
	cr_expect_str_eq(frozen, "0");
	cgroup_fixture_finish(&f);
}

/* hugetlb is v2's also on a hybrid host. */
Test(cgroup_entry, gets_the_controllers_that_the_whole_has)
{
	static const struct plan_number pages[] = { { .name = "2MB", .value = 2 << 20 } };
	struct cgroup_fixture f;
	char controllers[256] = "";

	cgroup_fixture_need_layout(HOST_CGROUP_V2);
	cgroup_fixture_init(&f, "shown");
	f.plan.resources.hugepages = pages;
	f.plan.resources.n_hugepages = 1;
	if (cgroup_create(&f.plan, &f.cgroup, &f.err) < 0)
		cr_skip_test("no hugetlb controller: %s", f.err.message);
	cr_assert_eq(cgroup_make_entry(f.cgroup, CGROUP_ENTRY_CONTAINER, &f.err), 0, "%s", f.err.message);
	cr_assert_eq(cgroup_show_limits(f.cgroup, /* all_controllers= */ false, &f.err), 0, "%s", f.err.message);
	fd_read_file_at(cgroup_clone_fd(f.cgroup), "cgroup.controllers", controllers, sizeof(controllers));
	cr_expect_null(strstr(controllers, "hugetlb"), "nobody looks for that one: %s", controllers);
	cr_assert_eq(cgroup_show_limits(f.cgroup, /* all_controllers= */ true, &f.err), 0, "%s", f.err.message);
	fd_read_file_at(cgroup_clone_fd(f.cgroup), "cgroup.controllers", controllers, sizeof(controllers));
	cr_expect_not_null(strstr(controllers, "hugetlb"), "got: %s", controllers);
	cr_expect_eq(cgroup_show_new_limits(f.cgroup, &f.err), 0, "%s", f.err.message);
	cgroup_fixture_finish(&f);
}
