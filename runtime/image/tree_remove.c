/* What an entry replaces or a whiteout hides, taken away (image-spec, layer.md "Whiteouts"). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "image/entry_name.h"
#include "image/tree_internal.h"

/* Deeper than names go: links to folders can put one tree below another. tree.c refuses what gets deeper than ENTRY_DEPTH_MAX. */
#define DEPTH_MAX (2 * ENTRY_DEPTH_MAX)
#define VISITS_A_CHECK 1024

struct removal {
	struct tree *tree;
	const struct seen *seen; /* NULL: all of it */
	struct error *err;
};

/* What this layer made stays when it is hidden, and can be hidden again and again: each look is counted. */
static int take_visit(const struct removal *removal)
{
	struct tree *tree = removal->tree;

	if (tree->visits_left == 0)
		return error_set(removal->err, ERROR_REFUSED, EFBIG,
				 "the image hides and replaces more than its entries account for");
	tree->visits_left--;
	return tree->visits_left % VISITS_A_CHECK == 0 ? pace_check(tree->pace, removal->err) : 0;
}

/* 1: something stays; 0: all is gone; or a negative errno. */
static int remove_entry(const struct removal *removal, const struct tree_place *place, unsigned depth);

static int remove_content(const struct removal *removal, const struct tree_folder *folder, unsigned depth)
{
	AUTO(closedir)
	DIR *directory = fd_open_directory_stream(openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct tree_place place = { .folder = *folder };
	const struct dirent *entry;
	int stays = 0, rc;

	if (!directory)
		return error_system(removal->err, errno, "open a folder");
	while ((entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		place.leaf = entry->d_name;
		rc = remove_entry(removal, &place, depth + 1);
		if (rc < 0)
			return rc;
		stays |= rc;
	}
	return stays;
}

static int remove_directory(const struct removal *removal, const struct tree_place *place, const struct stat *status,
			    unsigned depth)
{
	AUTO_CLOSE int fd = openat(place->folder.fd, place->leaf, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct tree_folder folder = { .fd = fd, .inode = status->st_ino };
	int stays;

	if (fd < 0)
		return error_system(removal->err, errno, "open %.200s", place->leaf);
	if (depth > DEPTH_MAX)
		return error_set(removal->err, ERROR_REFUSED, ELOOP, "more than %d folders, one in the other", DEPTH_MAX);
	stays = remove_content(removal, &folder, depth);
	if (stays != 0 || (removal->seen && seen_has(removal->seen, place->folder.inode, place->leaf)))
		return stays < 0 ? stays : 1;
	if (unlinkat(place->folder.fd, place->leaf, AT_REMOVEDIR) < 0)
		return error_system(removal->err, errno, "remove the folder %.200s", place->leaf);
	return 0;
}

static int remove_entry(const struct removal *removal, const struct tree_place *place, unsigned depth)
{
	struct stat status;
	int rc = take_visit(removal);

	if (rc < 0)
		return rc;
	if (fstatat(place->folder.fd, place->leaf, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_system(removal->err, errno, "stat %.200s", place->leaf);
	if (S_ISDIR(status.st_mode))
		return remove_directory(removal, place, &status, depth);
	if (removal->seen && seen_has(removal->seen, place->folder.inode, place->leaf))
		return 1;
	if (unlinkat(place->folder.fd, place->leaf, 0) < 0)
		return error_system(removal->err, errno, "remove %.200s", place->leaf);
	return 0;
}

int tree_remove_all(struct tree *tree, const struct tree_place *place, struct error *err)
{
	struct removal removal = { .tree = tree, .err = err };

	return remove_entry(&removal, place, 0);
}

int tree_remove_below(struct tree *tree, const struct tree_place *place, struct error *err)
{
	struct removal removal = { .tree = tree, .seen = &tree->seen, .err = err };
	int rc = remove_entry(&removal, place, 0);

	return rc < 0 ? rc : 0;
}

int tree_remove_content_below(struct tree *tree, const struct tree_folder *folder, struct error *err)
{
	struct removal removal = { .tree = tree, .seen = &tree->seen, .err = err };
	int rc = remove_content(&removal, folder, 0);

	return rc < 0 ? rc : 0;
}
