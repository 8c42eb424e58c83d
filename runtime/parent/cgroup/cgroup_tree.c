/* The directories of a group, one in each tree that holds it: opened beneath the tree's root, made, and taken away again. */
#include "parent/cgroup/cgroup_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/syscalls.h"

/* On a parent that is ours to take away: cgroup_tree_prune(). */
#define MARK "trusted.brig.parent"
#define MAKE_ATTEMPTS 16 /* somebody may prune the empty parents just while we make ours */

/* The path comes from config.json: a group may only be made below the tree's root, and "." and ".." are names that a directory
 * can't have. A newline would end the line of /proc/PID/cgroup that others read, and the kernel refuses it for that reason. */
int cgroup_tree_check_path(const char *path, struct error *err)
{
	size_t depth = 1, length = strlen(path);

	if (length == 0 || length >= CGROUP_PATH_MAX)
		return error_invalid(err, "linux.cgroupsPath: %s; give a path like \"brig/ID\"",
				     length ? "longer than 3071 bytes" : "empty");
	for (const char *part = path;; depth++) {
		size_t n = strcspn(part, "/");

		if (n == 0 || n > NAME_MAX || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
			return error_invalid(err,
					     "linux.cgroupsPath: \"%s\" has an empty, \".\", \"..\" or overlong component; "
					     "give a path that can only lead downwards",
					     path);
		if (memchr(part, '\n', n))
			return error_invalid(err, "linux.cgroupsPath: a newline can't be in a cgroup's name");
		if (depth > CGROUP_DEPTH_MAX)
			return error_invalid(err, "linux.cgroupsPath: more than %d levels deep", CGROUP_DEPTH_MAX);
		if (part[n] == '\0')
			return 0;
		part += n + 1;
	}
}

/* RESOLVE_NO_XDEV: nothing that somebody has mounted over a group is taken for it (openat2(2)). */
int cgroup_tree_open_at(int root_fd, const char *path)
{
	int fd = sys_openat2(root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);

	return fd < 0 ? -errno : fd;
}

void cgroup_tree_root(const struct cgroup *cgroup, unsigned tree, char path[64])
{
	if (tree != CGROUP_TREE_V2)
		snprintf(path, 64, CGROUP_ROOT "/%s", cgroup_settings_controller_name(tree, /* v2= */ false));
	else
		snprintf(path, 64, "%s", cgroup->layout == HOST_CGROUP_HYBRID ? CGROUP_HYBRID_ROOT : CGROUP_ROOT);
}

uint32_t cgroup_tree_possible(const struct cgroup *cgroup)
{
	switch (cgroup->layout) {
	case HOST_CGROUP_NONE:
		return 0;
	case HOST_CGROUP_V1:
		return (UINT32_C(1) << CGROUP_N_CONTROLLERS) - 1;
	case HOST_CGROUP_V2:
		return UINT32_C(1) << CGROUP_TREE_V2;
	case HOST_CGROUP_HYBRID:
		return (UINT32_C(1) << CGROUP_N_TREES) - 1;
	}
	return 0;
}

static int open_root(struct cgroup *cgroup, unsigned tree)
{
	char path[64];

	if (cgroup->trees[tree].root_fd >= 0)
		return 0;
	if (!(cgroup_tree_possible(cgroup) & UINT32_C(1) << tree))
		return -ENOENT;
	cgroup_tree_root(cgroup, tree, path);
	/* The mount root is the host's own: that v1's "cpu" is a link to "cpu,cpuacct" is fine. */
	cgroup->trees[tree].root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return cgroup->trees[tree].root_fd < 0 ? -errno : 0;
}

bool cgroup_tree_has_parent(struct cgroup *cgroup, unsigned tree)
{
	const char *slash = strrchr(cgroup->path, '/');
	char parent[CGROUP_PATH_MAX];

	if (!slash || open_root(cgroup, tree) < 0)
		return false;
	snprintf(parent, sizeof(parent), "%.*s", (int)(slash - cgroup->path), cgroup->path);
	return faccessat(cgroup->trees[tree].root_fd, parent, F_OK, 0) == 0;
}

/* Looked for once: a group that is not there stays so for this handle, until cgroup_tree_make() makes it. -ENOENT, whatever the
 * reason. */
int cgroup_tree_fd(struct cgroup *cgroup, unsigned tree)
{
	struct cgroup_tree *t = &cgroup->trees[tree];

	if (!t->looked && open_root(cgroup, tree) == 0) {
		int fd = cgroup_tree_open_at(t->root_fd, cgroup->path);

		t->fd = fd >= 0 ? fd : -EBADF;
	}
	t->looked = true;
	return t->fd >= 0 ? t->fd : -ENOENT;
}

int cgroup_tree_of(struct cgroup *cgroup, enum cgroup_controller controller)
{
	if (cgroup->layout == HOST_CGROUP_V2 || controller == CGROUP_NO_CONTROLLER ||
	    cgroup->v2_controllers & UINT32_C(1) << controller)
		return cgroup_tree_fd(cgroup, CGROUP_TREE_V2);
	return cgroup_tree_fd(cgroup, controller);
}

int cgroup_tree_membership_fd(struct cgroup *cgroup)
{
	int fd = cgroup_tree_fd(cgroup, CGROUP_TREE_V2);

	if (fd < 0)
		fd = cgroup_tree_fd(cgroup, CGROUP_FREEZER);
	if (fd < 0)
		fd = cgroup_tree_fd(cgroup, CGROUP_PIDS);
	for (unsigned tree = 0; fd < 0 && tree < CGROUP_N_CONTROLLERS; tree++)
		fd = cgroup_tree_fd(cgroup, tree);
	return fd;
}

/* On a hybrid host engines make a pod's group where limits are, in the v1 trees, and take it away there: of the one that brig makes
 * beside those, in the v2 tree, they know nothing. Nobody has limits in it that would be lost. */
static bool is_beside_anothers(struct cgroup *cgroup, unsigned tree)
{
	bool found = false;

	if (tree != CGROUP_TREE_V2 || cgroup->layout != HOST_CGROUP_HYBRID)
		return false;
	for (unsigned v1 = 0; !found && v1 < CGROUP_N_CONTROLLERS; v1++)
		found = cgroup_tree_has_parent(cgroup, v1);
	return found;
}

/* Without the right to do so (a user namespace) it stays, as all other parents do. */
static void mark(int root_fd, const char *path)
{
	AUTO_CLOSE int fd = cgroup_tree_open_at(root_fd, path);

	if (fd >= 0)
		(void)fsetxattr(fd, MARK, "", 0, 0);
}

static int make_parents(struct cgroup *cgroup, unsigned tree)
{
	struct cgroup_tree *t = &cgroup->trees[tree];
	bool marks = is_beside_anothers(cgroup, tree);
	char prefix[CGROUP_PATH_MAX];

	for (const char *slash = strchr(cgroup->path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(prefix, sizeof(prefix), "%.*s", (int)(slash - cgroup->path), cgroup->path);
		if (mkdirat(t->root_fd, prefix, 0755) == 0) {
			t->n_made++;
			if (marks)
				mark(t->root_fd, prefix);
		} else if (errno != EEXIST) {
			return -errno;
		}
	}
	return 0;
}

/* Paths below a cgroup mount hold no symbolic links (nobody can make one there), so whole ones are safe. */
static int make_directories(struct cgroup *cgroup, unsigned tree)
{
	struct cgroup_tree *t = &cgroup->trees[tree];

	for (int attempt = 0; attempt < MAKE_ATTEMPTS; attempt++) {
		int r;

		if (mkdirat(t->root_fd, cgroup->path, 0755) == 0) {
			t->n_made++;
			return 0;
		}
		if (errno == EEXIST) {
			t->reused = true;
			return 0;
		}
		if (errno != ENOENT)
			return -errno;
		r = make_parents(cgroup, tree);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return -EAGAIN;
}

static int find_process(int parent_fd, const char *name, int fd, void *data)
{
	char text[32];
	ssize_t n = fd_read_file_at(fd, "cgroup.procs", text, sizeof(text));

	(void)parent_fd;
	*(bool *)data |= n > 0;
	/* One below, gone just now. */
	return n < 0 && !(name && (n == -ENODEV || n == -ENOENT)) ? (int)n : 0;
}

/* In the group or in one below it. v2 says so in one word; v1's files speak of one group each. */
static int is_populated(const struct cgroup_tree *t, bool v2, bool *ret)
{
	char text[256];
	ssize_t n;

	*ret = false;
	if (!v2)
		return cgroup_walk(t->fd, find_process, ret);
	n = fd_read_file_at(t->fd, "cgroup.events", text, sizeof(text));
	*ret = n > 0 && !strstr(text, "populated 0");
	return n < 0 ? (int)n : 0;
}

/* Nothing may run in a group that we take over: it would be limited, frozen and killed along with the container. */
static int check_empty(const struct cgroup *cgroup, unsigned tree, struct error *err)
{
	char root[64];
	bool busy;
	int r = is_populated(&cgroup->trees[tree], tree == CGROUP_TREE_V2, &busy);

	if (r == 0 && !busy)
		return 0;
	cgroup_tree_root(cgroup, tree, root);
	if (r < 0)
		return error_system(err, -r, "linux.cgroupsPath: read the state of the cgroup %s/%s", root, cgroup->path);
	return error_set(
		err, ERROR_EXISTS, EEXIST,
		"linux.cgroupsPath: the cgroup %s/%s exists and has processes in it or below it; end them or choose another path",
		root, cgroup->path);
}

int cgroup_tree_check_unused(struct cgroup *cgroup, unsigned tree, struct error *err)
{
	int r = cgroup_tree_fd(cgroup, tree) < 0 ? 0 : check_empty(cgroup, tree, err);

	/* Gone just now. */
	return r == -ENODEV || r == -ENOENT ? 0 : r;
}

int cgroup_tree_make(struct cgroup *cgroup, unsigned tree, struct error *err)
{
	struct cgroup_tree *t = &cgroup->trees[tree];
	char root[64];
	int r;

	r = open_root(cgroup, tree);
	t->looked = true;
	if (r == 0)
		r = make_directories(cgroup, tree);
	if (r == 0)
		r = t->fd = cgroup_tree_open_at(t->root_fd, cgroup->path);
	if (r < 0) {
		t->fd = -EBADF;
		cgroup_tree_root(cgroup, tree, root);
		return error_system(err, -r, "linux.cgroupsPath: make the cgroup %s/%s", root, cgroup->path);
	}
	return t->reused ? check_empty(cgroup, tree, err) : 0;
}

/* Upwards from the group, as many levels as we made and no further: parents that were there before are somebody's. */
void cgroup_tree_unmake(struct cgroup *cgroup, unsigned tree)
{
	struct cgroup_tree *t = &cgroup->trees[tree];
	char path[CGROUP_PATH_MAX];
	char *slash;

	close_and_reset(&t->fd);
	snprintf(path, sizeof(path), "%s", cgroup->path);
	for (; t->n_made > 0; t->n_made--) {
		if (unlinkat(t->root_fd, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
			break; /* in use by somebody by now: theirs */
		slash = strrchr(path, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	t->n_made = 0;
}

static bool is_marked(int root_fd, const char *path)
{
	AUTO_CLOSE int fd = cgroup_tree_open_at(root_fd, path);

	return fd >= 0 && fgetxattr(fd, MARK, /* value= */ NULL, 0) >= 0;
}

/* As long as they have no other group in them: the container that goes last takes them along, whichever made them. Who makes one below
 * them just now makes them anew (make_directories()). */
void cgroup_tree_prune(struct cgroup *cgroup, unsigned tree)
{
	struct cgroup_tree *t = &cgroup->trees[tree];
	char path[CGROUP_PATH_MAX], *slash;

	snprintf(path, sizeof(path), "%s", cgroup->path);
	while ((slash = strrchr(path, '/'))) {
		*slash = '\0';
		if (!is_marked(t->root_fd, path) || unlinkat(t->root_fd, path, AT_REMOVEDIR) < 0)
			return;
	}
}
