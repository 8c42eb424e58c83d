#include <criterion/criterion.h>

#include <errno.h>
#include <sched.h>

#include "parent/birth_wait.h"
#include "parent/cgroup/cgroup_internal.h"

/* Not opened: nothing but its number is looked at. */
#define GROUP_FD 1000

static enum child_wait where(const struct birth_request *request, const struct plan *plan, bool has_group)
{
	struct birth_request with = *request;
	struct cgroup *cgroup = cgroup_allocate(PLAN_CGROUP_FS, "test");
	enum child_wait wait;

	cr_assert_not_null(cgroup);
	cgroup->trees[CGROUP_TREE_V2].fd = has_group ? GROUP_FD : -EBADF;
	with.plan = plan;
	with.cgroup = cgroup;
	wait = birth_wait_where(&with);
	cgroup->trees[CGROUP_TREE_V2].fd = -EBADF;
	cgroup_free(cgroup);
	return wait;
}

Test(birth_wait, what_runs_at_once_waits_late_for_what_its_program_needs)
{
	const struct birth_request run = { .role = CHILD_INIT_RUNS },
				   awaited = { .role = CHILD_INIT_RUNS, .is_awaited = true };
	const struct plan plain = { 0 }, user = { .process.uid = 1000 }, adjusted = { .process.set_oom_score_adj = true };
	const struct plan locked = { .namespaces.create = CLONE_NEWUSER, .rootfs.locked = true };

	cr_expect_eq(where(&run, &plain, true), CHILD_WAITS_NOT);
	cr_expect_eq(where(&awaited, &plain, true), CHILD_WAITS_LATE);
	cr_expect_eq(where(&run, &user, true), CHILD_WAITS_LATE);
	cr_expect_eq(where(&run, &adjusted, true), CHILD_WAITS_LATE);
	cr_expect_eq(where(&run, &locked, true), CHILD_WAITS_LATE, "its streams get another owner");
}

Test(birth_wait, what_needs_the_parent_before_it_mounts_waits_first)
{
	const struct birth_request run = { .role = CHILD_INIT_RUNS, .is_awaited = true };
	const struct plan_hook hook = { 0 };
	const struct plan plain = { 0 }, mapped = { .namespaces.create = CLONE_NEWUSER },
			  joins = { .namespaces.n_join = 1 };
	const struct plan hooked = { .hooks[PLAN_HOOK_CREATE_CONTAINER] = { .list = (struct plan_hook *)&hook, .n = 1 } };

	cr_expect_eq(where(&run, &plain, false), CHILD_WAITS_FIRST, "it could not be found again");
	cr_expect_eq(where(&run, &mapped, true), CHILD_WAITS_FIRST);
	cr_expect_eq(where(&run, &joins, true), CHILD_WAITS_FIRST);
	cr_expect_eq(where(&run, &hooked, true), CHILD_WAITS_FIRST, "a hook is somebody else's program");
}

Test(birth_wait, what_waits_for_start_waits_first_or_not_at_all)
{
	const struct birth_request create = { .role = CHILD_INIT_WAITS };
	const struct plan plain = { 0 }, user = { .process.uid = 1000 };

	cr_expect_eq(where(&create, &plain, true), CHILD_WAITS_NOT);
	cr_expect_eq(where(&create, &user, true), CHILD_WAITS_FIRST);
}

Test(birth_wait, an_exec_waits_late_unless_nothing_is_left_to_do)
{
	const struct birth_request own = { .role = CHILD_EXEC, .has_own_group = true }, shared = { .role = CHILD_EXEC };
	const struct birth_request awaited = { .role = CHILD_EXEC, .has_own_group = true, .is_awaited = true };
	const struct plan plain = { 0 };

	cr_expect_eq(where(&own, &plain, true), CHILD_WAITS_NOT);
	cr_expect_eq(where(&own, &plain, false), CHILD_WAITS_LATE);
	cr_expect_eq(where(&shared, &plain, true), CHILD_WAITS_LATE);
	cr_expect_eq(where(&awaited, &plain, true), CHILD_WAITS_LATE);
}
