#include "parent/cgroup/cgroup_parents.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "parent/cgroup/cgroup_file.h"
#include "parent/cgroup/cgroup_internal.h"
#include "parent/cgroup/cgroup_unit.h"

#define PERIOD_DEFAULT 100000 /* microseconds */

/* In all of these 0 is "no limit", which is no number that the lowest could be taken of. */
static uint64_t positive(int64_t limit)
{
	return limit > 0 ? (uint64_t)limit : 0;
}

static uint64_t thousandths(int64_t quota, int64_t period)
{
	return quota > 0 && period > 0 && quota <= INT64_MAX / 1000 ? (uint64_t)(quota * 1000 / period) : 0;
}

static uint64_t read_pids(int fd)
{
	return positive(cgroup_file_number(fd, "pids.max", -1));
}

static uint64_t read_memory_v1(int fd)
{
	return positive(cgroup_file_number(fd, "memory.limit_in_bytes", -1));
}

static uint64_t read_memory_v2(int fd)
{
	return positive(cgroup_file_number(fd, "memory.max", -1));
}

static uint64_t read_cpu_v1(int fd)
{
	int64_t quota = cgroup_file_number(fd, "cpu.cfs_quota_us", -1);

	return quota > 0 ? thousandths(quota, cgroup_file_number(fd, "cpu.cfs_period_us", PERIOD_DEFAULT)) : 0;
}

/* "max 100000", "150000 100000" */
static uint64_t read_cpu_v2(int fd)
{
	char text[64], *end;
	long long quota;

	if (fd_read_file_at(fd, "cpu.max", text, sizeof(text)) <= 0 || text[0] == 'm')
		return 0;
	quota = strtoll(text, &end, 10);
	return thousandths(quota, *end == ' ' ? strtoll(end, NULL, 10) : PERIOD_DEFAULT);
}

struct reader {
	unsigned kind;
	enum cgroup_controller controller;
	uint64_t (*read_v1)(int fd), (*read_v2)(int fd);
	size_t offset; /* in struct host_limits */
};

static const struct reader readers[] = {
	{ CGROUP_PARENTS_PIDS, CGROUP_PIDS, read_pids, read_pids, offsetof(struct host_limits, pids) },
	{ CGROUP_PARENTS_MEMORY, CGROUP_MEMORY, read_memory_v1, read_memory_v2, offsetof(struct host_limits, memory) },
	{ CGROUP_PARENTS_CPU, CGROUP_CPU, read_cpu_v1, read_cpu_v2, offsetof(struct host_limits, cpu) },
};

/* Limits add up by the tree: the lowest on the way down is what holds. */
static void keep_lower(struct host_limits *limits, const struct reader *reader, uint64_t found)
{
	uint64_t *limit = (uint64_t *)((char *)limits + reader->offset);

	if (found != 0 && (*limit == 0 || found < *limit))
		*limit = found;
}

/* What is read of each group in one tree: a single kind of v1's, or all of kinds of v2's. */
struct tree {
	int root_fd;
	const struct reader *v1; /* NULL: v2 */
	unsigned kinds;
};

static void read_group(const struct tree *tree, int fd, struct host_limits *limits)
{
	if (tree->v1)
		keep_lower(limits, tree->v1, tree->v1->read_v1(fd));
	for (size_t i = 0; !tree->v1 && i < ARRAY_SIZE(readers); i++) {
		if (tree->kinds & readers[i].kind)
			keep_lower(limits, &readers[i], readers[i].read_v2(fd));
	}
}

/* Each group from the first below the root down to the parent of path. */
static void read_levels(const struct tree *tree, char *path, struct host_limits *limits)
{
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		AUTO_CLOSE int fd = -EBADF;

		*slash = '\0';
		fd = cgroup_tree_open_at(tree->root_fd, path);
		*slash = '/';
		/* What is not there yet has no limits, nor has what lies below it. */
		if (fd < 0)
			return;
		read_group(tree, fd, limits);
	}
}

static void read_tree(const char *name, struct tree tree, char *path, struct host_limits *limits)
{
	AUTO_CLOSE int root_fd = -EBADF;
	char root[64];

	snprintf(root, sizeof(root), CGROUP_ROOT "%s%s", name ? "/" : "", name ?: "");
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	tree.root_fd = root_fd;
	if (root_fd >= 0)
		read_levels(&tree, path, limits);
}

static void read_v1(char *path, unsigned kinds, struct host_limits *limits)
{
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
		if (kinds & readers[i].kind)
			read_tree(cgroup_settings_controller_name(readers[i].controller, /* v2= */ false),
				  (struct tree){ .v1 = &readers[i] }, path, limits);
	}
}

/* copy: without anything that the manager adds to it; it is written to. */
static struct host_limits read_above(char *copy, unsigned kinds)
{
	struct host_limits limits = { 0 };
	struct error ignored;

	if (!kinds || !strchr(copy, '/') || cgroup_tree_check_path(copy, &ignored) < 0)
		return limits;
	switch (cgroup_layout()) {
	case HOST_CGROUP_NONE:
		break;
	case HOST_CGROUP_V1:
	case HOST_CGROUP_HYBRID:
		read_v1(copy, kinds, &limits);
		break;
	case HOST_CGROUP_V2:
		read_tree(/* name= */ NULL, (struct tree){ .kinds = kinds }, copy, &limits);
		break;
	}
	return limits;
}

struct host_limits cgroup_parents_limits(enum plan_cgroup_manager manager, const char *path, unsigned kinds)
{
	struct host_limits limits = { 0 };
	struct cgroup_unit_owner owner = cgroup_unit_owner_now();
	char copy[CGROUP_PATH_MAX];
	struct cgroup_unit unit;
	struct error ignored;

	if (manager == PLAN_CGROUP_SYSTEMD) {
		if (cgroup_unit_of(path, &owner, &unit, &ignored) < 0)
			return limits;
		strcpy(copy, unit.path);
	} else {
		if (strlen(path) >= sizeof(copy))
			return limits;
		strcpy(copy, path);
	}
	return read_above(copy, kinds);
}

void cgroup_parents_of(struct cgroup *cgroup, struct host_limits *ret_own, struct host_limits *ret_above)
{
	char copy[CGROUP_PATH_MAX];
	bool v2;

	*ret_own = *ret_above = (struct host_limits){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
		int fd = cgroup_files(cgroup, cgroup_settings_controller_name(readers[i].controller, /* v2= */ true),
				      &v2);

		if (fd >= 0)
			keep_lower(ret_own, &readers[i], (v2 ? readers[i].read_v2 : readers[i].read_v1)(fd));
	}
	if (strlen(cgroup_path(cgroup)) < sizeof(copy))
		*ret_above = read_above(strcpy(copy, cgroup_path(cgroup)),
					CGROUP_PARENTS_PIDS | CGROUP_PARENTS_MEMORY | CGROUP_PARENTS_CPU);
}
