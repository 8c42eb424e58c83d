#include "sandbox/sandbox_group.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "parent/cgroup/cgroup.h"
#include "parent/cgroup/cgroup_file.h"
#include "parent/cgroup/cgroup_unit.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
/* One by one: one that is refused takes none of the others along. */
static const char *const wanted[] = { "+memory", "+pids", "+cpu" };

/* cgroups(7), "delegation": the directory, and these files of it. */
static bool is_handed_over(int fd)
{
	static const char *const files[] = { ".", "cgroup.procs", "cgroup.subtree_control" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (faccessat(fd, files[i], W_OK, AT_EACCESS) < 0)
			return false;
	}
	return true;
}

/* Can a group below have limits? Turns on what is there to be turned on. */
static bool has_limits(int fd, bool *ret_has_cpu)
{
	char offered[512], list[512];

	if (fd_read_file_at(fd, "cgroup.subtree_control", list, sizeof(list)) < 0)
		return false;
	if (fd_read_file_at(fd, "cgroup.controllers", offered, sizeof(offered)) < 0)
		offered[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		/* EBUSY where it has processes of its own: the second look tells. */
		if (cgroup_file_has_word(offered, wanted[i] + 1) && !cgroup_file_has_word(list, wanted[i] + 1))
			(void)fd_write_file_at(fd, "cgroup.subtree_control", wanted[i]);
	}
	if (fd_read_file_at(fd, "cgroup.subtree_control", list, sizeof(list)) < 0)
		return false;
	*ret_has_cpu = cgroup_file_has_word(list, "cpu");
	return cgroup_file_has_word(list, "memory") && cgroup_file_has_word(list, "pids");
}

static bool is_usable(int root_fd, const char *path, bool *ret_has_cpu)
{
	AUTO_CLOSE int fd = openat(root_fd, path + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && is_handed_over(fd) && has_limits(fd, ret_has_cpu);
}

int sandbox_group_find_in(int root_fd, const char *own, const char *id, struct arena *arena, struct sandbox_group *ret)
{
	char path[PATH_MAX];
	bool has_cpu = false;

	*ret = (struct sandbox_group){ 0 };
	/* "/../x": outside of our cgroup namespace. */
	if (own[0] != '/' || strlen(own) >= sizeof(path) || strstr(own, "/.."))
		return 0;
	strcpy(path, own);
	/* Our own one, then the one that it is in; never the root. */
	for (int level = 0; level < 2 && path[0] && path[1]; level++) {
		if (is_usable(root_fd, path, &has_cpu)) {
			ret->path = arena_printf(arena, "%s/brig-%s", path, id);
			ret->has_cpu = has_cpu;
			return ret->path ? 0 : -ENOMEM;
		}
		*strrchr(path, '/') = '\0';
	}
	return 0;
}

static bool is_version_2(void)
{
	struct statfs status;

	return statfs(CGROUP_ROOT, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

/* Is there a systemd of the user's own, as in most sessions? Over ssh and at a console the shell lies beside its groups, in one of
 * root's: the kernel lets only who is in one of them make another (cgroups(7), delegation). */
static bool has_manager(const char *runtime_dir)
{
	char path[PATH_MAX];

	if (!runtime_dir || snprintf(path, sizeof(path), "%s/systemd/private", runtime_dir) >= (int)sizeof(path))
		return false;
	return access(path, W_OK) == 0;
}

const char *sandbox_group_remedy(bool version_2, const char *runtime_dir)
{
	if (!version_2)
		return "they are for the machine's root here; for other users as well where the host's cgroups are all of version 2 "
		       "(systemd.unified_cgroup_hierarchy=1)";
	if (has_manager(runtime_dir))
		return "they are when it is run as \"systemd-run --user --scope --quiet --collect -p Delegate=yes brig sandbox ...\"";
	return "they are for the machine's root, and in a session with a systemd of the user's own (pam_systemd, or loginctl "
	       "enable-linger) when it is run as \"systemd-run --user --scope --quiet --collect -p Delegate=yes brig sandbox ...\"";
}

int sandbox_group_find(const char *id, struct arena *arena, struct sandbox_group *ret)
{
	AUTO_CLOSE int root_fd = open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char text[PATH_MAX + 64];

	*ret = (struct sandbox_group){ 0 };
	if (root_fd < 0 || !is_version_2())
		return 0;
	if (fd_read_file_at(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) <= 0 || strncmp(text, "0::", 3) != 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return sandbox_group_find_in(root_fd, text + 3, id, arena, ret);
}

/* Root of a container that an ordinary user made has, as a rule, no more of the tree than that user. The machine's own root has limits, or
 * an error. */
static bool makes_any(void)
{
	return geteuid() == 0 && (cgroup_layout_is_open(cgroup_layout()) || !cgroup_unit_owner_now().user);
}

int sandbox_group_choose(struct brig *brig, const char *id, struct arena *arena, struct sandbox_group *ret,
			 struct error *err)
{
	*ret = (struct sandbox_group){ .has_cpu = true };
	if (brig->systemd_cgroup || brig->cgroup_disabled || makes_any())
		return 0;
	if (sandbox_group_find(id, arena, ret) < 0)
		return error_memory(err);
	brig->cgroup_disabled = !ret->path;
	if (ret->path)
		return 0;
	ret->remedy = sandbox_group_remedy(is_version_2(), getenv("XDG_RUNTIME_DIR"));
	brig->no_cgroup_why = arena_printf(
		arena, "limits of all its processes together take a cgroup, which this user may not make; %s",
		ret->remedy);
	return brig->no_cgroup_why ? 0 : error_memory(err);
}
