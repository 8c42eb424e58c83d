#include "container/creation/id_ranges.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"

#define UNIT_IDS SUBORDINATE_IDS_UNIT
#define LOCK_TIMEOUT_MS 10000
#define LINK_TRIES 16

/* UNIT, or UNIT/HOLDER: the holder's path as a number. A unit is 65,536 ids, a directory; who has ids of it is a symbolic link
 * in that directory. mkdir(2) is what takes a unit: it is atomic, and a unit that nobody has is a directory that is not there. */
typedef char unit_name[8];
typedef char link_name[32];

/* Where the search begins: a container that is made again under its id gets its ids again as a rule, and files that it left are
 * still its own. */
static uint64_t hash(const char *text)
{
	uint64_t value = UINT64_C(14695981039346656037); /* FNV-1a */

	for (; *text; text++)
		value = (value ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return value;
}

static void format_link(link_name name, uint32_t unit, const char *holder)
{
	snprintf(name, sizeof(link_name), "%u/%016" PRIx64, unit, hash(holder));
}

static uint32_t count_ranges(const struct id_ranges *ranges)
{
	return ranges->ids.size ? ranges->ids.count / ranges->ids.size : 0;
}

static uint32_t first_of(const struct id_ranges *ranges, uint32_t index)
{
	return ranges->ids.first + index * ranges->ids.size;
}

static uint32_t last_unit(const struct id_ranges *ranges, uint32_t first)
{
	return (first + (ranges->ids.size - 1)) / UNIT_IDS;
}

/* For `brig plan`, which takes nothing: where the search would begin, and end on a machine with few containers. */
uint32_t id_ranges_guess(const struct id_ranges *ranges, const char *holder)
{
	uint32_t n = count_ranges(ranges);

	return n ? first_of(ranges, (uint32_t)(hash(holder) % n)) : ranges->ids.first;
}

/* ---- the directory ---- */

static int open_directory(const char *path, bool make, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;

	if (fd < 0 && errno == ENOENT && make)
		fd = file_make_directory(path, 0700, err);
	else if (fd < 0)
		return error_system(err, errno, "open the directory of ids %s", path);
	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		return error_system(err, errno, "stat %s", path);
	/* Whoever can write here could have two containers share their ids. */
	if (status.st_uid != geteuid() || status.st_mode & 0022)
		return error_set(err, ERROR_REFUSED, EPERM,
				 "the directory of ids %s belongs to user %u with mode %04o: it has to be ours and writable "
				 "by nobody else",
				 path, status.st_uid, status.st_mode & 07777);
	return steal_fd(&fd);
}

/* Let go by the descriptor's end. */
static int lock(int fd, const char *path, struct error *err)
{
	int rc = fd_lock(fd, LOCK_EX, LOCK_TIMEOUT_MS);

	if (rc == -ETIMEDOUT)
		return error_set(err, ERROR_TIMEOUT, EBUSY, "%s is locked by another brig: try again when that is done",
				 path);
	return rc < 0 ? error_system(err, -rc, "lock %s", path) : 0;
}

static int open_locked(const struct id_ranges *ranges, struct error *err)
{
	AUTO_CLOSE int fd = open_directory(ranges->directory, /* make= */ true, err);
	int rc = fd < 0 ? fd : lock(fd, ranges->directory, err);

	return rc < 0 ? rc : steal_fd(&fd);
}

static DIR *list(int dir_fd, const char *name)
{
	return fd_open_directory_stream(openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

/* ---- taking ---- */

/* What the holder itself has from an earlier life, of which nobody knows, is over as well: its state directory is new. */
static bool is_over(int unit_fd, const char *name, const char *holder)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(unit_fd, name, target, sizeof(target) - 1);

	if (n <= 0)
		return n < 0 && errno == ENOENT;
	target[n] = '\0';
	return strcmp(target, holder) == 0 ||
	       (faccessat(AT_FDCWD, target, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && (errno == ENOENT || errno == ENOTDIR));
}

/* Locked: nobody takes anything meanwhile. Is the unit free now? */
static bool reclaim(int dir_fd, const char *unit, const char *holder)
{
	AUTO(closedir) DIR *directory = list(dir_fd, unit);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		if (!is_over(dirfd(directory), entry->d_name, holder))
			return false;
		unlinkat(dirfd(directory), entry->d_name, 0);
	}
	return unlinkat(dir_fd, unit, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

/* Locked. 1: it is the holder's now; 0: it is somebody else's. */
static int take_unit(int dir_fd, uint32_t unit, const char *holder, struct error *err)
{
	unit_name name;
	link_name link;

	snprintf(name, sizeof(name), "%u", unit);
	format_link(link, unit, holder);
	/* Its last holder may be on its way out, without the lock, and takes the new directory along. */
	for (int i = 0; i < LINK_TRIES; i++) {
		if (mkdirat(dir_fd, name, 0700) < 0) {
			if (errno != EEXIST)
				return error_system(err, errno, "take the ids from %u on", unit * UNIT_IDS);
			if (!reclaim(dir_fd, name, holder) || mkdirat(dir_fd, name, 0700) < 0)
				return 0;
		}
		if (symlinkat(holder, dir_fd, link) == 0)
			return 1;
		if (errno != ENOENT)
			break;
	}
	return error_system(err, errno, "take the ids from %u on for %s", unit * UNIT_IDS, holder);
}

static void release_units(int dir_fd, uint32_t unit, uint32_t last, const char *holder)
{
	unit_name name;
	link_name link;

	for (; unit <= last; unit++) {
		snprintf(name, sizeof(name), "%u", unit);
		format_link(link, unit, holder);
		unlinkat(dir_fd, link, 0);
		/* Another container of the pod may be in it still. */
		unlinkat(dir_fd, name, AT_REMOVEDIR);
	}
}

static int take_range(const struct id_ranges *ranges, int dir_fd, uint32_t first, const char *holder, struct error *err)
{
	uint32_t begin = first / UNIT_IDS, last = last_unit(ranges, first);
	int rc = 1;

	for (uint32_t unit = begin; unit <= last; unit++) {
		rc = take_unit(dir_fd, unit, holder, err);
		if (rc == 1)
			continue;
		if (unit > begin)
			release_units(dir_fd, begin, unit - 1, holder);
		return rc;
	}
	return rc;
}

uint32_t id_ranges_left(const struct id_ranges *ranges, const struct subordinate_ids *given)
{
	uint32_t n = count_ranges(ranges), left = 0;

	for (uint32_t i = 0; i < n; i++)
		left += !subordinate_ids_has(given, first_of(ranges, i), ranges->ids.size);
	return left;
}

static int tell_exhausted(const struct id_ranges *ranges, const struct subordinate_ids *given, struct error *err)
{
	uint32_t n = count_ranges(ranges), left = id_ranges_left(ranges, given);

	if (left < n)
		return error_set(err, ERROR_SYSTEM, ENOSPC,
				 "all %u ranges of %u ids for user namespaces are taken, %u of them by users (%s): delete "
				 "containers, or give the policy other \"user_namespaces\"",
				 n, ranges->ids.size, n - left, given->line);
	return error_set(err, ERROR_SYSTEM, ENOSPC,
			 "all %u ranges of %u ids for user namespaces are taken: delete containers, or give the policy more "
			 "\"user_namespaces\"",
			 n, ranges->ids.size);
}

int id_ranges_take(const struct id_ranges *ranges, const char *holder, uint32_t *ret_first, struct error *err)
{
	uint32_t n = count_ranges(ranges), begin = n ? (uint32_t)(hash(holder) % n) : 0;
	AUTO_CLOSE int dir_fd = open_locked(ranges, err);
	struct subordinate_ids given;
	int rc = dir_fd < 0 ? dir_fd : subordinate_ids_read(ranges->given_away, &ranges->ids, &given, err);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t first = first_of(ranges, (begin + i) % n);

		if (subordinate_ids_has(&given, first, ranges->ids.size))
			continue;
		rc = take_range(ranges, dir_fd, first, holder, err);
		if (rc == 1)
			*ret_first = first;
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	return tell_exhausted(ranges, &given, err);
}

/* ---- sharing and releasing ---- */

static int share_unit(int dir_fd, uint32_t unit, const char *holder)
{
	unit_name name;
	link_name link;

	snprintf(name, sizeof(name), "%u", unit);
	format_link(link, unit, holder);
	/* Its last holder may be on its way out, and takes the directory along. */
	for (int i = 0; i < LINK_TRIES; i++) {
		if (mkdirat(dir_fd, name, 0700) < 0 && errno != EEXIST)
			return -errno;
		if (symlinkat(holder, dir_fd, link) == 0 || errno == EEXIST)
			return 0;
		if (errno != ENOENT)
			return -errno;
	}
	return -EBUSY;
}

int id_ranges_share(const struct id_ranges *ranges, uint32_t first, const char *holder, struct error *err)
{
	AUTO_CLOSE int dir_fd = open_locked(ranges, err);
	int rc = dir_fd < 0 ? dir_fd : 0;

	for (uint32_t unit = first / UNIT_IDS; rc >= 0 && unit <= last_unit(ranges, first); unit++) {
		rc = share_unit(dir_fd, unit, holder);
		if (rc < 0)
			error_system(err, -rc, "share the ids from %u on for %s", unit * UNIT_IDS, holder);
	}
	return rc;
}

int id_ranges_release(const struct id_ranges *ranges, uint32_t first, const char *holder, struct error *err)
{
	AUTO_CLOSE int dir_fd = open_directory(ranges->directory, /* make= */ false, err);

	if (dir_fd < 0)
		return dir_fd == -ENOENT ? 0 : dir_fd;
	release_units(dir_fd, first / UNIT_IDS, last_unit(ranges, first), holder);
	return 0;
}

int id_ranges_release_all(const char *directory, const char *holder, struct error *err)
{
	AUTO_CLOSE int dir_fd = open_directory(directory, /* make= */ false, err);
	AUTO(closedir) DIR *units = dir_fd >= 0 ? list(dir_fd, ".") : NULL;
	struct dirent *entry;
	unsigned unit;

	if (dir_fd < 0)
		return dir_fd == -ENOENT ? 0 : dir_fd;
	while (units && (entry = readdir(units))) {
		if (sscanf(entry->d_name, "%5u", &unit) == 1)
			release_units(dir_fd, unit, unit, holder);
	}
	return 0;
}
