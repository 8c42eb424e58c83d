#include "container/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "container/state.h"

/* Who waits longer for a create that hangs in a hook is better told than kept. */
#define LOCK_TIMEOUT_MS 10000
#define FILE_NAME_ID_MAX (NAME_MAX - 5) /* the default cgroup is brig-ID */
#define STATE_ARENA ((size_t)32 * 1024 * 1024)

/* The id becomes the name of a directory and of a cgroup: no slash, and no leading dot (names with one below the root are our
 * own: .filters, .last.json). The characters are those that runc takes. */
int store_check_id(const char *id, struct error *err)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-";
	static const char others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.";
	size_t length = strnlen(id, BRIG_ID_MAX + 1);

	if (length == 0)
		return error_set(err, ERROR_USAGE, EINVAL, "container id is empty: give one");
	if (length > BRIG_ID_MAX)
		return error_set(err, ERROR_USAGE, EINVAL, "container id is longer than %d characters", BRIG_ID_MAX);
	if (!strchr(first, id[0]) || strspn(id, others) != length)
		return error_set(
			err, ERROR_USAGE, EINVAL,
			"container id \"%.64s\" is invalid: letters, digits and _ + - . are allowed, not beginning with a dot",
			id);
	if (length > FILE_NAME_ID_MAX)
		return error_set(err, ERROR_USAGE, ENAMETOOLONG,
				 "container id is longer than %d characters: a directory is named after it",
				 FILE_NAME_ID_MAX);
	return 0;
}

int store_open_root(const struct brig *brig, bool make, struct error *err)
{
	struct stat status;
	AUTO_CLOSE int fd = -EBADF;

	if (make) {
		fd = file_make_directory(brig->root, 0700, err);
	} else {
		fd = open(brig->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return error_system(err, errno, "open the state directory %s", brig->root);
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		return error_system(err, errno, "stat the state directory %s", brig->root);
	/* Whoever can write here decides which processes we signal and which cgroups we remove. */
	if (status.st_uid != geteuid() || status.st_mode & 0022)
		return error_set(
			err, ERROR_REFUSED, EPERM,
			"the state directory %s belongs to user %u with mode %04o: it has to be ours and writable by nobody else",
			brig->root, status.st_uid, status.st_mode & 07777);
	return steal_fd(&fd);
}

/* The directory is its own lock: there is no lock file to leave behind. */
static int lock_directory(int dir_fd, const char *id, struct error *err)
{
	int rc = fd_lock(dir_fd, LOCK_EX, LOCK_TIMEOUT_MS);

	if (rc == -ETIMEDOUT)
		return error_set(err, ERROR_TIMEOUT, EBUSY,
				 "container %s is locked by another brig: try again when that is done", id);
	return rc < 0 ? error_system(err, -rc, "lock container %s", id) : 0;
}

bool store_is_busy(const struct container *container)
{
	/* To ask through the descriptor that holds it would let go of it (flock(2)). */
	if (container->is_locked)
		return false;
	/* Shared: others who ask at the same time are not its maker. */
	if (flock(container->dir_fd, LOCK_SH | LOCK_NB) < 0)
		return true;
	flock(container->dir_fd, LOCK_UN);
	return false;
}

void store_unlock(struct container *container)
{
	flock(container->dir_fd, LOCK_UN);
	container->is_locked = false;
}

void store_done(struct container *container)
{
	close_and_reset(&container->dir_fd);
	close_and_reset(&container->root_fd);
	arena_free(steal_ptr(&container->arena));
}

static int not_found(const char *id, struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND, ENOENT, "container does not exist: %s", id);
}

static int already_exists(const char *id, struct error *err)
{
	return error_set(err, ERROR_EXISTS, EEXIST, "container with given ID already exists: %s", id);
}

/* Between opening and locking the directory its owner may have removed it, and another one may have its name now. */
static bool was_replaced(const struct container *container, const char *id)
{
	struct stat opened, named;

	return fstat(container->dir_fd, &opened) < 0 ||
	       fstatat(container->root_fd, id, &named, AT_SYMLINK_NOFOLLOW) < 0 || opened.st_ino != named.st_ino ||
	       opened.st_dev != named.st_dev;
}

static int open_directory(struct container *container, const char *id, enum store_lock lock, struct error *err)
{
	int rc;

	container->dir_fd = openat(container->root_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (container->dir_fd < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? not_found(id, err)
			       : error_system(err, errno, "open the state directory of %s", id);
	if (lock == STORE_UNLOCKED)
		return 0;
	rc = lock_directory(container->dir_fd, id, err);
	if (rc < 0)
		return rc;
	container->is_locked = true;
	return was_replaced(container, id) ? not_found(id, err) : 0;
}

/* Between making and opening the directory a delete may have removed it; then the one of its name is another create's, and that may
 * have been first to lock it, and be done (store_mark_cgroup). Its container is not ours to undo. */
static int check_unused(const struct container *container, const char *id, struct error *err)
{
	struct stat status;

	return fstatat(container->dir_fd, STORE_CGROUP, &status, AT_SYMLINK_NOFOLLOW) == 0 ? already_exists(id, err) : 0;
}

int store_reserve(const struct brig *brig, const char *id, struct container *ret, struct error *err)
{
	struct container container = { .root_fd = -EBADF, .dir_fd = -EBADF };
	int rc = store_check_id(id, err);

	if (rc < 0)
		return rc;
	container.root_fd = store_open_root(brig, /* make= */ true, err);
	if (container.root_fd < 0)
		return container.root_fd;
	container.arena = arena_new(STATE_ARENA);
	if (!container.arena)
		rc = error_memory(err);
	else if (mkdirat(container.root_fd, id, 0700) < 0)
		rc = errno == EEXIST ? already_exists(id, err)
				     : error_system(err, errno, "make the state directory of %s", id);
	if (rc < 0) {
		store_done(&container);
		return rc;
	}
	/* Who lists containers may be asking this very moment whether somebody makes it, and holds the lock for as long. */
	rc = open_directory(&container, id, STORE_LOCKED, err);
	if (rc >= 0)
		rc = check_unused(&container, id, err);
	if (rc < 0) {
		if (err->kind == ERROR_NOT_FOUND)
			rc = error_set(err, ERROR_STATE, EBUSY, "container %s was deleted while it was made", id);
		else if (err->kind != ERROR_EXISTS)
			unlinkat(container.root_fd, id, AT_REMOVEDIR);
		store_done(&container);
		return rc;
	}
	*ret = container;
	return 0;
}

int store_lock_again(struct container *container, struct error *err)
{
	const char *id = container->state.id;
	int rc = lock_directory(container->dir_fd, id, err);

	if (rc < 0)
		return rc;
	container->is_locked = true;
	return was_replaced(container, id) ? not_found(id, err) : 0;
}

/* A symbolic link is made in one step, with all of its text, and so is either there or not after a kill -9; a small file could
 * be there and empty. */
int store_mark_cgroup(const struct container *container, struct error *err)
{
	char text[PATH_MAX];

	if (snprintf(text, sizeof(text), "%u:%s", container->state.cgroup_manager, container->state.cgroup_path) >=
	    (int)sizeof(text))
		return error_system(err, ENAMETOOLONG, "linux.cgroupsPath");
	if (symlinkat(text, container->dir_fd, STORE_CGROUP) < 0)
		return error_system(err, errno, "record the cgroup of %s", container->state.id);
	return 0;
}

/* No state.json: the container is being made, or a brig was killed over it. What is known is enough for a removal. */
static int read_mark(struct container *container, const char *id, struct error *err)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(container->dir_fd, STORE_CGROUP, text, sizeof(text) - 1);
	struct state *state = &container->state;

	*state = (struct state){ .id = arena_strdup(container->arena, id) };
	if (n > 2 && text[0] >= '0' && text[0] <= '9' && text[1] == ':') {
		state->cgroup_manager = (uint32_t)(text[0] - '0');
		state->cgroup_path = arena_strndup(container->arena, text + 2, (size_t)n - 2);
	}
	return state->id ? 0 : error_memory(err);
}

static int read_state(struct container *container, const char *id, struct error *err)
{
	int rc = state_read(container->dir_fd, container->arena, &container->state, err);

	if (rc < 0)
		return rc;
	/* Messages, removal and hooks go by the id in it: it must be the one that was asked for. */
	if (strcmp(container->state.id, id) != 0)
		return error_invalid(err, "the state.json of container %s is that of another one, \"%.64s\"", id,
				     container->state.id);
	return 0;
}

int store_open(const struct brig *brig, const char *id, enum store_lock lock, struct container *ret, struct error *err)
{
	struct container container = { .root_fd = -EBADF, .dir_fd = -EBADF };
	int rc = store_check_id(id, err);

	if (rc < 0)
		return rc;
	container.root_fd = store_open_root(brig, /* make= */ false, err);
	if (container.root_fd < 0)
		return container.root_fd == -ENOENT ? not_found(id, err) : container.root_fd;
	container.arena = arena_new(STATE_ARENA);
	rc = container.arena ? open_directory(&container, id, lock, err) : error_memory(err);
	if (rc >= 0)
		rc = read_state(&container, id, err);
	if (rc < 0 && container.dir_fd >= 0 && err->kind != ERROR_NOT_FOUND && err->kind != ERROR_TIMEOUT &&
	    (rc == -ENOENT || lock == STORE_LOCKED_FOR_REMOVAL))
		rc = read_mark(&container, id, err);
	if (rc < 0) {
		store_done(&container);
		return rc;
	}
	*ret = container;
	return 0;
}

int store_lock_now(const struct brig *brig, const char *id, struct container *ret)
{
	struct container container = { .root_fd = -EBADF, .dir_fd = -EBADF };
	struct error err = { 0 };
	int rc = store_check_id(id, &err);

	*ret = container;
	if (rc < 0)
		return rc;
	container.root_fd = store_open_root(brig, /* make= */ false, &err);
	rc = container.root_fd < 0 ? container.root_fd : open_directory(&container, id, STORE_UNLOCKED, &err);
	if (rc >= 0 && flock(container.dir_fd, LOCK_EX | LOCK_NB) < 0)
		rc = -errno;
	container.is_locked = rc >= 0;
	if (rc >= 0 && was_replaced(&container, id))
		rc = -ENOENT;
	if (rc < 0) {
		store_done(&container);
		return rc;
	}
	*ret = container;
	return 0;
}

int store_save(const struct container *container, struct error *err)
{
	return state_write(container->dir_fd, &container->state, err);
}

/* The content first, the directory last: a removal that is interrupted leaves a directory, which `delete --force` finds again.
 * There are no directories inside. What can't be unlinked shows itself by ENOTEMPTY at the end. */
int store_remove(struct container *container, struct error *err)
{
	AUTO(closedir)
	DIR *directory = fd_open_directory_stream(openat(container->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;

	if (!directory)
		return error_system(err, errno, "list the state directory of %s", container->state.id);
	while ((entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(container->dir_fd, entry->d_name, 0);
	}
	if (unlinkat(container->root_fd, container->state.id, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return error_system(err, errno, "remove the state directory of %s", container->state.id);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names that begin with a dot are not containers' (store_check_id). Sorted, so that output does not depend on the file system. */
static int collect(DIR *directory, struct arena *arena, const char ***ret, size_t *ret_n, struct error *err)
{
	size_t n = 0, capacity = 0;
	const char **names = NULL, **more;
	struct dirent *entry;

	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		if (n == capacity) {
			capacity = capacity ? 2 * capacity : 64;
			more = arena_array_of(arena, capacity, const char *);
			if (!more)
				return error_memory(err);
			if (n)
				memcpy(more, names, n * sizeof(*names));
			names = more;
		}
		names[n] = arena_strdup(arena, entry->d_name);
		if (!names[n++])
			return error_memory(err);
	}
	if (n)
		qsort(names, n, sizeof(*names), compare_names);
	*ret = names;
	*ret_n = n;
	return 0;
}

int store_list(const struct brig *brig, struct arena *arena, const char ***ret, size_t *ret_n, struct error *err)
{
	int root_fd = store_open_root(brig, /* make= */ false, err);
	AUTO(closedir) DIR *directory = fd_open_directory_stream(root_fd);

	if (root_fd == -ENOENT) {
		*ret_n = 0;
		return 0;
	}
	if (root_fd < 0)
		return root_fd;
	if (!directory)
		return error_system(err, errno, "list the state directory %s", brig->root);
	return collect(directory, arena, ret, ret_n, err);
}

/* Who loses the race for making it goes without a cache this once. */
int store_open_filter_cache(int root_fd)
{
	int fd = openat(root_fd, ".filters", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 || errno != ENOENT || mkdirat(root_fd, ".filters", 0700) < 0)
		return fd;
	return openat(root_fd, ".filters", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}
