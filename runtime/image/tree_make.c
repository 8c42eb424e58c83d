/* One entry of an archive made in its folder, which tree.c has found. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "image/tree_internal.h"

#define CHUNK ((size_t)256 * 1024)
#define MODE_KEPT 0777 /* of a file: never set-user-ID or set-group-ID */
#define MODE_KEPT_FOLDER 01777

/* EINVAL: we are root of a user namespace that has no such id; the file stays ours then, as it does without privileges. */
static int set_owner(const struct tree *tree, int fd, const char *leaf, const struct tar_entry *entry)
{
	int flags = *leaf ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH;

	if (!tree->keeps_owners)
		return 0;
	return fchownat(fd, leaf, entry->uid, entry->gid, flags) < 0 && errno != EINVAL ? -errno : 0;
}

/* The caller has to be able to work in the folder, and to remove it, though it be no root. */
static mode_t directory_mode(const struct tree *tree, const struct tar_entry *entry)
{
	return (entry->mode & MODE_KEPT_FOLDER) | (tree->keeps_owners ? 0 : S_IRWXU);
}

static int finish_directory(const struct tree *tree, int fd, const struct tar_entry *entry, struct error *err)
{
	int rc = set_owner(tree, fd, "", entry);

	if (rc < 0)
		return error_system(err, -rc, "set the folder's owner");
	if (fchmod(fd, directory_mode(tree, entry)) < 0)
		return error_system(err, errno, "set the folder's mode");
	return 0;
}

int tree_make_root(struct tree *tree, const struct tar_entry *entry, struct error *err)
{
	AUTO_CLOSE int fd = openat(tree->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_system(err, errno, "open the root folder");
	return finish_directory(tree, fd, entry, err);
}

/* 0700 until it has its owner. One that is there already (EEXIST) gets the entry's owner and mode, as tar(1) has it; a link in
 * its place is refused by O_NOFOLLOW. */
int tree_make_directory(struct tree *tree, const struct tree_place *place, const struct tar_entry *entry,
			struct error *err)
{
	AUTO_CLOSE int fd = -EBADF;

	if (mkdirat(place->folder.fd, place->leaf, 0700) < 0 && errno != EEXIST)
		return error_system(err, errno, "mkdir");
	fd = openat(place->folder.fd, place->leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_system(err, errno, "open the folder");
	return finish_directory(tree, fd, entry, err);
}

static int write_content(int fd, struct tar *tar, struct error *err)
{
	AUTO_FREE char *chunk = malloc(CHUNK);
	ssize_t n;
	int rc;

	if (!chunk)
		return error_memory(err);
	while ((n = tar_read(tar, chunk, CHUNK, err)) > 0) {
		rc = fd_write_all(fd, chunk, (size_t)n);
		if (rc < 0)
			return error_system(err, -rc, "write");
	}
	return (int)n;
}

/* O_EXCL: what was there has been removed before (tree.c), and whoever has put something else in its place meanwhile is
 * refused. */
int tree_make_file(struct tree *tree, const struct tree_place *place, const struct tar_entry *entry, struct tar *tar,
		   struct error *err)
{
	AUTO_CLOSE int fd =
		openat(place->folder.fd, place->leaf, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = entry->mtime } };
	int rc;

	if (fd < 0)
		return error_system(err, errno, "make the file");
	rc = write_content(fd, tar, err);
	if (rc < 0)
		return rc;
	rc = set_owner(tree, fd, "", entry);
	if (rc < 0)
		return error_system(err, -rc, "set the file's owner");
	if (fchmod(fd, entry->mode & MODE_KEPT) < 0)
		return error_system(err, errno, "set the file's mode");
	/* Python and make compare times. One that the file system can't hold is no reason to fail. */
	futimens(fd, times);
	return 0;
}

int tree_make_symlink(struct tree *tree, const struct tree_place *place, const struct tar_entry *entry, struct error *err)
{
	int rc;

	if (symlinkat(entry->target, place->folder.fd, place->leaf) < 0)
		return error_system(err, errno, "make the symbolic link");
	rc = set_owner(tree, place->folder.fd, place->leaf, entry);
	return rc < 0 ? error_system(err, -rc, "set the link's owner") : 0;
}

int tree_make_fifo(struct tree *tree, const struct tree_place *place, const struct tar_entry *entry, struct error *err)
{
	int rc;

	if (mkfifoat(place->folder.fd, place->leaf, entry->mode & MODE_KEPT) < 0)
		return error_system(err, errno, "make the FIFO");
	rc = set_owner(tree, place->folder.fd, place->leaf, entry);
	return rc < 0 ? error_system(err, -rc, "set the FIFO's owner") : 0;
}
