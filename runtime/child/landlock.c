/* The second lock on the file system, and the one on TCP: made of descriptors while they are there, closed around the process at the very
 * end. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "child/steps.h"
#include "child/tcp_filter.h"

/* Newer than the headers: Linux 6.2. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#define TRUNCATE_VERSION 3

#define MAKE_NODES (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK)
#define CHANGE_FILE (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)
#define CHANGE_DIRECTORY                                                                                \
	(LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |    \
	 LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)
/* No rule allows any port. */
#define TCP (LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP)

static uint64_t handled(const struct child *child)
{
	uint64_t handled = MAKE_NODES | CHANGE_FILE | CHANGE_DIRECTORY;

	if (child->plan->landlock.version < TRUNCATE_VERSION)
		handled &= ~LANDLOCK_ACCESS_FS_TRUNCATE;
	return handled;
}

/* Reading is not restricted: what can be seen is a matter of the mounts, and the check would cost each open(2). */
static int allow(int ruleset_fd, int fd, uint64_t handled, struct error *err)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = fd, .allowed_access = handled & ~MAKE_NODES };
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_system(err, errno, "stat");
	if (!S_ISDIR(status.st_mode))
		rule.allowed_access &= CHANGE_FILE;
	if (sys_landlock_add_rule(ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return error_system(err, errno, "landlock_add_rule");
	return 0;
}

/* Programs open /dev/stdout: where that leads to a file or a FIFO of the host's, it lies below none of the container's mounts. Pipes and
 * sockets are no files to Landlock: it says EBADFD, and lets them be opened anew. */
static int allow_streams(int ruleset_fd, uint64_t handled, struct error *err)
{
	struct stat status;

	for (int fd = 0; fd <= 2; fd++) {
		struct error failure = { 0 };
		int rc = fstat(fd, &status) < 0 ? 0 : allow(ruleset_fd, fd, handled, &failure);

		if (rc < 0 && rc != -EBADFD) {
			*err = failure;
			return error_prefix(err, "descriptor %d", fd);
		}
	}
	return 0;
}

/* The container's processes may have put a link in the way: a place is what is mounted there, or nothing. */
static int open_place(const char *destination)
{
	AUTO_CLOSE int fd = sys_openat2(AT_FDCWD, destination, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS);
	struct statx status;

	if (fd < 0)
		return -EBADF;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &status) < 0 || !(status.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return -EBADF;
	return steal_fd(&fd);
}

static int allow_place(const struct child *child, int ruleset_fd, const struct plan_landlock_place *place,
		       uint64_t handled, struct error *err)
{
	bool by_path = place->mount == PLAN_LANDLOCK_BY_PATH;
	AUTO_CLOSE int opened_fd = by_path ? open_place(place->destination) : -EBADF;
	int fd = by_path ? opened_fd : child->mount_fds[place->mount];
	int rc;

	if (fd < 0)
		return 0;
	rc = allow(ruleset_fd, fd, handled, err);
	return rc < 0 ? error_prefix(err, "%s", place->destination) : 0;
}

int landlock_make(struct child *child, struct error *err)
{
	const struct plan_landlock *landlock = &child->plan->landlock;
	const struct sys_landlock_ruleset ruleset = { .files = landlock->enabled ? handled(child) : 0,
						      .net = landlock->refuses_tcp ? TCP : 0 };
	AUTO_CLOSE int fd = -EBADF;
	int rc = 0;

	if (!landlock->enabled && !landlock->refuses_tcp)
		return 0;
	fd = sys_landlock_create_ruleset(&ruleset, sys_landlock_ruleset_size(&ruleset), 0);
	if (fd < 0)
		return error_system(err, errno, "landlock_create_ruleset");
	for (size_t i = 0; rc >= 0 && i < landlock->n_places; i++)
		rc = allow_place(child, fd, &landlock->places[i], ruleset.files, err);
	if (rc >= 0 && landlock->enabled)
		rc = allow_streams(fd, ruleset.files, err);
	if (rc < 0)
		return rc;
	child->landlock_fd = steal_fd(&fd);
	return 0;
}

/* After no_new_privs, before the filter, which need not allow the call. */
int landlock_restrict(struct child *child, struct error *err)
{
	if (child->landlock_fd < 0)
		return 0;
	if (sys_landlock_restrict_self(child->landlock_fd, 0) < 0)
		return error_system(err, errno, "landlock_restrict_self");
	close_and_reset(&child->landlock_fd);
	return child->plan->landlock.refuses_tcp ? tcp_filter_install(err) : 0;
}
