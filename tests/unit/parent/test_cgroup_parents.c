/* Limits of the groups above a container's, read from groups that are really made. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "parent/cgroup/cgroup.h"
#include "parent/cgroup/cgroup_parents.h"

#define ALL (CGROUP_PARENTS_PIDS | CGROUP_PARENTS_MEMORY | CGROUP_PARENTS_CPU)

static const char *const roots[] = { "/sys/fs/cgroup/pids", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/cpu" };

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text), "%s", path);
	close(fd);
}

static char *in_tree(size_t tree, const char *group, const char *file, char path[static 256])
{
	snprintf(path, 256, "%s/%s%s%s", roots[tree], group, *file ? "/" : "", file);
	return path;
}

/* In each of the v1 trees. */
static void make(const char *group)
{
	char path[256];

	for (size_t i = 0; i < 3; i++) {
		if (mkdir(in_tree(i, group, "", path), 0755) < 0)
			cr_skip_test("%s: groups of cgroup v1 can't be made here", path);
	}
}

static void take_away(const char *group)
{
	char path[256];

	for (size_t i = 0; i < 3; i++)
		rmdir(in_tree(i, group, "", path));
}

static void need_v1(void)
{
	enum host_cgroup_layout layout = cgroup_layout();

	if (geteuid() != 0 || (layout != HOST_CGROUP_V1 && layout != HOST_CGROUP_HYBRID))
		cr_skip_test("takes root, and controllers of cgroup v1");
}

Test(cgroup_parents, the_lowest_limit_above_counts_and_the_groups_own_does_not)
{
	char outer[64], inner[80], path[256], container[100];
	struct host_limits limits, two_levels;

	need_v1();
	snprintf(outer, sizeof(outer), "brig-parents-%d", getpid());
	snprintf(inner, sizeof(inner), "%s/pod", outer);
	snprintf(container, sizeof(container), "%s/box", inner);
	make(outer);
	make(inner);
	write_text(in_tree(0, outer, "pids.max", path), "70");
	write_text(in_tree(0, inner, "pids.max", path), "90");
	write_text(in_tree(1, inner, "memory.limit_in_bytes", path), "16777216");
	write_text(in_tree(2, outer, "cpu.cfs_quota_us", path), "150000");
	limits = cgroup_parents_limits(PLAN_CGROUP_FS, container, ALL);
	two_levels = cgroup_parents_limits(PLAN_CGROUP_FS, inner, ALL);
	take_away(inner);
	take_away(outer);
	cr_expect_eq(limits.pids, 70);
	cr_expect_eq(limits.memory, 16777216);
	cr_expect_eq(limits.cpu, 1500);
	cr_expect_eq(two_levels.pids, 70);
	cr_expect_eq(two_levels.memory, 0, "the limit of the group itself is not one above it");
}

Test(cgroup_parents, a_groups_own_limits_and_those_above_it)
{
	char outer[64], inner[80], path[256];
	struct cgroup *cgroup = NULL;
	struct host_limits own, above;
	struct error err = { 0 };

	need_v1();
	snprintf(outer, sizeof(outer), "brig-parents-own-%d", getpid());
	snprintf(inner, sizeof(inner), "%s/pod", outer);
	make(outer);
	make(inner);
	write_text(in_tree(0, outer, "pids.max", path), "30");
	write_text(in_tree(0, inner, "pids.max", path), "40");
	write_text(in_tree(1, inner, "memory.limit_in_bytes", path), "16777216");
	write_text(in_tree(2, outer, "cpu.cfs_quota_us", path), "150000");
	cr_expect_eq(cgroup_open(PLAN_CGROUP_FS, inner, &cgroup, &err), 0, "%s", err.message);
	cgroup_parents_of(cgroup, &own, &above);
	cgroup_free(cgroup);
	take_away(inner);
	take_away(outer);
	cr_expect(own.pids == 40 && own.memory == 16777216 && own.cpu == 0);
	cr_expect(above.pids == 30 && above.memory == 0 && above.cpu == 1500);
}

Test(cgroup_parents, a_slice_is_in_the_slices_that_its_name_says)
{
	char outer[64], inner[128], path[256], slice[128];
	struct host_limits limits;

	need_v1();
	snprintf(outer, sizeof(outer), "brigtest%d.slice", getpid());
	snprintf(inner, sizeof(inner), "%s/brigtest%d-pod.slice", outer, getpid());
	snprintf(slice, sizeof(slice), "brigtest%d-pod.slice:cri:box", getpid());
	make(outer);
	make(inner);
	write_text(in_tree(0, inner, "pids.max", path), "33");
	limits = cgroup_parents_limits(PLAN_CGROUP_SYSTEMD, slice, ALL);
	take_away(inner);
	take_away(outer);
	cr_expect_eq(limits.pids, 33);
}

Test(cgroup_parents, what_is_not_there_limits_nothing)
{
	static const char *const paths[] = { "box",  "brig-no-such-group/pod/box", "", "a//b", "../x/y", "a/../b",
					     "a/./b" };
	char deep[4096];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct host_limits limits = cgroup_parents_limits(PLAN_CGROUP_FS, paths[i], ALL);

		cr_expect_eq(limits.pids + limits.memory + limits.cpu, 0, "%s", paths[i]);
	}
	for (size_t i = 0; i + 2 < sizeof(deep); i += 2)
		memcpy(deep + i, "a/", 3);
	cr_expect_eq(cgroup_parents_limits(PLAN_CGROUP_FS, deep, ALL).pids, 0);
	cr_expect_eq(cgroup_parents_limits(PLAN_CGROUP_SYSTEMD, "no-slice:cri:box", ALL).pids, 0);
	cr_expect_eq(cgroup_parents_limits(PLAN_CGROUP_SYSTEMD, deep, ALL).pids, 0);
}
