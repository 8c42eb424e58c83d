#include "image/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/syscalls.h"
#include "image/entry_name.h"
#include "image/tree_internal.h"

/* Each entry is removed once at most: more than a few looks at each is work without end. */
#define VISITS_PER_ENTRY 8

void tree_next_layer(struct tree *tree)
{
	seen_done(&tree->seen);
}

void tree_done(struct tree *tree)
{
	seen_done(&tree->seen);
}

static void close_folder(struct tree_folder *folder)
{
	close_and_reset(&folder->fd);
}

/* How many folders deep fd is: up from it to the root, which it is in. Through a link a name can be deeper than it looks. */
static int check_depth(const struct tree *tree, int fd, struct error *err)
{
	AUTO_CLOSE int at_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct stat root, status;

	if (at_fd < 0 || fstat(tree->root_fd, &root) < 0)
		return error_system(err, errno, "look at the root folder");
	for (unsigned depth = 0; depth <= ENTRY_DEPTH_MAX; depth++) {
		int up_fd;

		if (fstat(at_fd, &status) < 0)
			return error_system(err, errno, "fstat");
		if (!S_ISDIR(status.st_mode))
			return error_set(err, ERROR_REFUSED, ENOTDIR, "what would be its folder is none");
		if (status.st_dev == root.st_dev && status.st_ino == root.st_ino)
			return 0;
		up_fd = openat(at_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (up_fd < 0)
			return error_system(err, errno, "open ..");
		close(at_fd);
		at_fd = up_fd;
	}
	return error_set(err, ERROR_REFUSED, ELOOP, "through links it is more than %d folders deep", ENTRY_DEPTH_MAX);
}

/* Folders that are made on the way count as well: a name of a hundred parts is a hundred entries. */
static int take_entries(struct tree *tree, uint64_t n, struct error *err)
{
	if (n > tree->entries_left)
		return error_set(err, ERROR_REFUSED, EFBIG, "the image has more entries than allowed");
	tree->entries_left -= n;
	tree->visits_left += n * VISITS_PER_ENTRY;
	return 0;
}

/* A parent with links in it, which lead where they lead inside the root, or with folders that are missing, which are made: layers
 * are not bound to have an entry for each. */
static int make_parent(struct tree *tree, const struct entry_name *name, struct error *err)
{
	AUTO_CLOSE int fd = -EBADF;
	int rc = take_entries(tree, name->depth, err);

	if (rc < 0)
		return rc;
	fd = path_make_in_root(tree->root_fd, name->parent, /* is_file= */ false, 0755);
	if (fd < 0)
		return error_set(err, ERROR_REFUSED, -fd, "its folder can't be reached inside the root: %s",
				 strerror(-fd));
	rc = check_depth(tree, fd, err);
	return rc < 0 ? rc : steal_fd(&fd);
}

/* As O_PATH. may_make: whether what is missing is made; else -ENOENT. */
static int open_parent(struct tree *tree, const struct entry_name *name, bool may_make, struct tree_folder *ret,
		       struct error *err)
{
	AUTO_CLOSE int fd = sys_openat2(tree->root_fd, name->parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
					RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	struct stat status;

	if (fd < 0 && may_make)
		fd = make_parent(tree, name, err);
	else if (fd < 0)
		fd = path_open_in_root(tree->root_fd, name->parent, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		return error_system(err, errno, "fstat its folder");
	ret->fd = steal_fd(&fd);
	ret->inode = status.st_ino;
	return 0;
}

/* The link's target is looked up like an entry's name, and is a file that is there; of a symbolic link, the link itself. */
static int make_hard_link(struct tree *tree, const struct tree_place *place, const char *target, struct error *err)
{
	__attribute__((cleanup(close_folder))) struct tree_folder folder = { .fd = -EBADF };
	struct entry_name name;
	struct stat status;
	int rc = entry_name_cut(target, &name, err);

	if (rc < 0 || !*name.leaf)
		return rc < 0 ? error_prefix(err, "hard link to %.200s", target)
			      : error_set(err, ERROR_REFUSED, EISDIR, "a hard link to the root");
	rc = open_parent(tree, &name, /* may_make= */ false, &folder, err);
	if (rc < 0)
		return error_set(err, ERROR_REFUSED, -rc, "hard link to %.200s: %s", target, strerror(-rc));
	if (fstatat(folder.fd, name.leaf, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set(err, ERROR_REFUSED, errno, "hard link to %.200s: %s", target, strerror(errno));
	if (S_ISDIR(status.st_mode))
		return error_set(err, ERROR_REFUSED, EISDIR, "hard link to %.200s, which is a folder", target);
	if (folder.inode == place->folder.inode && strcmp(name.leaf, place->leaf) == 0)
		return error_set(err, ERROR_REFUSED, EEXIST, "a hard link to itself");
	rc = tree_remove_all(tree, place, err);
	if (rc < 0)
		return rc;
	/* What made room may have taken the target with it. */
	if (linkat(folder.fd, name.leaf, place->folder.fd, place->leaf, 0) < 0)
		return error_set(err, ERROR_REFUSED, errno, "hard link to %.200s: %s", target, strerror(errno));
	return 0;
}

/* Before a byte is written; the archive's word on the size is held to while it is read (tar_read()). */
static int make_file(struct tree *tree, const struct tree_place *place, const struct tar_entry *entry, struct tar *tar,
		     struct error *err)
{
	if (entry->size > tree->bytes_left)
		return error_set(err, ERROR_REFUSED, EFBIG, "the image has more bytes than allowed");
	tree->bytes_left -= entry->size;
	return tree_make_file(tree, place, entry, tar, err);
}

/* A folder that is there stays, with what is in it; anything else makes room first. A hard link's target is looked at before
 * that. */
static int make_entry(struct tree *tree, const struct tree_place *place, const struct tar_entry *entry, struct tar *tar,
		      struct error *err)
{
	struct stat status;
	bool stays = entry->kind == TAR_HARD_LINK ||
		     (entry->kind == TAR_DIRECTORY &&
		      fstatat(place->folder.fd, place->leaf, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		      S_ISDIR(status.st_mode));
	int rc = stays ? 0 : tree_remove_all(tree, place, err);

	if (rc < 0)
		return rc;
	switch (entry->kind) {
	case TAR_FILE:
		return make_file(tree, place, entry, tar, err);
	case TAR_DIRECTORY:
		return tree_make_directory(tree, place, entry, err);
	case TAR_SYMLINK:
		return tree_make_symlink(tree, place, entry, err);
	case TAR_HARD_LINK:
		return make_hard_link(tree, place, entry->target, err);
	case TAR_FIFO:
		return tree_make_fifo(tree, place, entry, err);
	case TAR_DEVICE:
		break;
	}
	return error_set(err, ERROR_REFUSED, EPERM, "a device, which an image may not bring");
}

static int hide(struct tree *tree, const struct entry_name *name, enum entry_whiteout whiteout, struct error *err)
{
	__attribute__((cleanup(close_folder))) struct tree_folder folder = { .fd = -EBADF };
	int rc = open_parent(tree, name, /* may_make= */ false, &folder, err);
	struct tree_place place = { .folder = folder, .leaf = entry_name_hidden(name) };

	/* Nothing there, nothing to hide. */
	if (rc < 0)
		return rc == -ENOENT ? 0
				     : error_set(err, ERROR_REFUSED, -rc,
						 "its folder can't be reached inside the root: %s", strerror(-rc));
	return whiteout == ENTRY_OPAQUE ? tree_remove_content_below(tree, &place.folder, err)
					: tree_remove_below(tree, &place, err);
}

static int add_plain(struct tree *tree, const struct entry_name *name, const struct tar_entry *entry, struct tar *tar,
		     struct error *err)
{
	__attribute__((cleanup(close_folder))) struct tree_folder folder = { .fd = -EBADF };
	struct tree_place place = { .leaf = name->leaf };
	int rc;

	if (!*name->leaf && entry->kind != TAR_DIRECTORY)
		return error_set(err, ERROR_REFUSED, EISDIR, "the root itself can't be but a folder");
	if (!*name->leaf)
		return tree_make_root(tree, entry, err);
	rc = open_parent(tree, name, /* may_make= */ true, &folder, err);
	if (rc < 0)
		return rc;
	place.folder = folder;
	rc = make_entry(tree, &place, entry, tar, err);
	if (rc < 0)
		return rc;
	return seen_add(&tree->seen, place.folder.inode, place.leaf) < 0 ? error_memory(err) : 0;
}

/* Hidden or made: a whiteout is a name, ".wh." before that of what it hides, and never a file of the image (image-spec,
 * layer.md). */
int tree_add(struct tree *tree, const struct tar_entry *entry, struct tar *tar, struct error *err)
{
	enum entry_whiteout whiteout = ENTRY_PLAIN;
	struct entry_name name;
	int rc = take_entries(tree, 1, err);

	if (rc == 0)
		rc = entry_name_cut(entry->name, &name, err);
	if (rc == 0)
		rc = entry_name_whiteout(&name, &whiteout, err);
	if (rc == 0)
		rc = whiteout == ENTRY_PLAIN ? add_plain(tree, &name, entry, tar, err) : hide(tree, &name, whiteout, err);
	return rc;
}
