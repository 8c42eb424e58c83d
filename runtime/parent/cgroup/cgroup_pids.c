/* The processes of a group and of all below it. */
#include "parent/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "parent/cgroup/cgroup_internal.h"

#define TEXT_MAX ((size_t)CGROUP_PIDS_MAX * 8)

static int append_group(int parent_fd, const char *name, int fd, void *data)
{
	AUTO_CLOSE int procs_fd = openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	struct buffer *text = data;
	struct error err = { 0 };
	int r;

	(void)parent_fd, (void)name;
	if (procs_fd < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	r = fd_read_all(procs_fd, TEXT_MAX, text, "cgroup.procs", &err);
	/* Removed meanwhile, or a threaded group, whose processes are listed further up. */
	return r == -ENODEV || r == -EOPNOTSUPP ? 0 : r;
}

/* Those that the caller's pid namespace doesn't show are 0 in the list. */
static int parse(const struct buffer *text, struct arena *arena, pid_t **ret, size_t *ret_n)
{
	size_t n = 0, lines = 0;
	pid_t *pids;

	for (size_t i = 0; i < text->length; i++)
		lines += text->data[i] == '\n';
	pids = arena_array_of(arena, lines + 1, pid_t);
	if (!pids)
		return -ENOMEM;
	for (const char *line = text->data; line && *line && n < lines; line += strspn(line, "\n")) {
		pid_t pid = (pid_t)strtol(line, NULL, 10);

		if (pid > 0)
			pids[n++] = pid;
		line += strcspn(line, "\n");
	}
	*ret = pids;
	*ret_n = n;
	return 0;
}

int cgroup_pids_below(int fd, struct arena *arena, pid_t **ret, size_t *ret_n)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { .limit = TEXT_MAX };
	int r = fd >= 0 ? cgroup_walk(fd, append_group, &text) : 0;

	return r == 0 ? parse(&text, arena, ret, ret_n) : r;
}

int cgroup_pids(struct cgroup *cgroup, struct arena *arena, pid_t **ret, size_t *ret_n, struct error *err)
{
	int fd = cgroup->membership ? cgroup_tree_membership_fd(cgroup) : -ENOENT;
	int r = cgroup_pids_below(fd, arena, ret, ret_n);

	return r < 0 ? error_system(err, -r, "list the processes of the cgroup %s", cgroup->path) : 0;
}
