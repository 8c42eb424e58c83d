/* A container with a group for each exec sees an inner one as its root: the limits of the outer one are shown there too. */
#include "parent/cgroup/cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "parent/cgroup/cgroup_internal.h"

/* What programs look up to choose the size of their heap and their number of threads, and what does not come down by itself. */
static const char *const shown_files[] = {
	"memory.max",	   "memory.high",      "memory.low", "memory.min",
	"memory.swap.max", "memory.oom.group", "cpu.max",    "pids.max",
};
static const char *const shown_controllers[] = { "cpu", "memory", "pids" };

static bool is_shown(const char *controller)
{
	for (size_t i = 0; i < ARRAY_SIZE(shown_controllers); i++) {
		if (strcmp(controller, shown_controllers[i]) == 0)
			return true;
	}
	return false;
}

/* "+cpu +memory" of the controllers that the group has. */
static void words_of(char *controllers, bool all, char *words, size_t size)
{
	size_t used = 0;

	words[0] = '\0';
	for (char *name = strsep(&controllers, " "); name; name = strsep(&controllers, " ")) {
		if (*name && (all || is_shown(name)) && used < size)
			used += (size_t)snprintf(words + used, size - used, "%s+%s", used ? " " : "", name);
	}
}

static int show_file(int from_fd, int to_fd, const char *file)
{
	char wanted[64], there[64];

	/* Not there: a controller that is not in use, or an older kernel. */
	if (fd_read_file_at(from_fd, file, wanted, sizeof(wanted)) <= 0 ||
	    fd_read_file_at(to_fd, file, there, sizeof(there)) <= 0 || strcmp(wanted, there) == 0)
		return 0;
	return fd_write_file_at(to_fd, file, wanted);
}

static int show(struct cgroup *cgroup, int fd, bool all, struct error *err)
{
	char controllers[512], words[1024];
	int r;

	if (fd_read_file_at(fd, "cgroup.controllers", controllers, sizeof(controllers)) <= 0)
		return 0;
	words_of(controllers, all, words, sizeof(words));
	r = words[0] ? fd_write_file_at(fd, "cgroup.subtree_control", words) : 0;
	if (r < 0)
		return error_system(err, -r, "write \"%s\" to cgroup.subtree_control of the cgroup %s", words,
				    cgroup->path);
	for (size_t i = 0; i < ARRAY_SIZE(shown_files); i++) {
		r = show_file(fd, cgroup->entry_fd, shown_files[i]);
		/* The limit itself holds, in the group above. */
		if (r < 0)
			log_warning("%s can't be shown to the container: %s", shown_files[i],
				    strerrordesc_np(-r) ?: "unknown error");
	}
	return 0;
}

int cgroup_show_limits(struct cgroup *cgroup, bool all_controllers, struct error *err)
{
	if (cgroup->layout != HOST_CGROUP_V2 || cgroup->entry_fd < 0)
		return 0;
	return show(cgroup, cgroup_tree_fd(cgroup, CGROUP_TREE_V2), all_controllers, err);
}

int cgroup_show_new_limits(struct cgroup *cgroup, struct error *err)
{
	int fd = cgroup->membership ? cgroup_tree_fd(cgroup, CGROUP_TREE_V2) : -ENOENT;
	char in_use[512];

	if (fd < 0 || cgroup->layout != HOST_CGROUP_V2 ||
	    fd_read_file_at(fd, "cgroup.subtree_control", in_use, sizeof(in_use)) <= 0)
		return 0;
	return show(cgroup, fd, /* all= */ false, err);
}
