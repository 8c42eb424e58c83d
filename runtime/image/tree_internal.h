/* Between tree.c (where an entry goes), tree_make.c (making it) and tree_remove.c (what it replaces or hides). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "image/tree.h"

/* The folder that an entry goes into. */
struct tree_folder {
	int fd; /* O_PATH */
	uint64_t inode;
};

struct tree_place {
	struct tree_folder folder;
	const char *leaf;
};

/* Each makes one entry in a folder that was found beneath the root, by its descriptor, where nothing of that name is left (a
 * folder may be). Owner and mode are set last, by descriptor where the kernel allows. Returns 0, or a negative errno with err
 * set: ERROR_SYSTEM says which step; half an entry may be there then, in a tree that is thrown away. */
int tree_make_directory(struct tree *tree, const struct tree_place *place, const struct tar_entry *entry,
			struct error *err);
int tree_make_file(struct tree *tree, const struct tree_place *place, const struct tar_entry *entry, struct tar *tar,
		   struct error *err);
int tree_make_symlink(struct tree *tree, const struct tree_place *place, const struct tar_entry *entry,
		      struct error *err);
int tree_make_fifo(struct tree *tree, const struct tree_place *place, const struct tar_entry *entry, struct error *err);
/* Owner and mode of the root itself. */
int tree_make_root(struct tree *tree, const struct tar_entry *entry, struct error *err);

/* Takes leaf away with all that is in it. What is not there is fine. */
int tree_remove_all(struct tree *tree, const struct tree_place *place, struct error *err);
/* Takes away what of leaf is from the layers below; what this layer made stays. */
int tree_remove_below(struct tree *tree, const struct tree_place *place, struct error *err);
/* The same for all that is in a folder. */
int tree_remove_content_below(struct tree *tree, const struct tree_folder *folder, struct error *err);
