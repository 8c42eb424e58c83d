#include "shim/bootstrap/bundle_root.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"

int bundle_root_write(int bundle_fd, const char *root, struct error *err)
{
	const struct buffer content = { .data = (char *)root, .length = strlen(root) };

	return file_replace_at(bundle_fd, BUNDLE_ROOT_FILE, &content, 0600, err);
}

/* `delete` goes by what it says, as root: a path that is cut short or relative would remove something else. */
int bundle_root_read(int bundle_fd, struct arena *arena, const char **ret, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	int r = file_read_at(bundle_fd, BUNDLE_ROOT_FILE, PATH_MAX, &text, err);
	const char *root;

	if (r == -ENOENT) {
		*ret = NULL;
		return 0;
	}
	if (r < 0)
		return r;
	if (text.length == 0 || text.data[0] != '/' || strlen(text.data) != text.length)
		return error_invalid(err, BUNDLE_ROOT_FILE
				     ": no absolute path; remove the file where the container has its state in "
				     "the default place");
	root = arena_strdup(arena, text.data);
	if (!root)
		return error_memory(err);
	*ret = root;
	return 0;
}
