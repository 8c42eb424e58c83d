#include "cmd/shim/bundle.h"

#include <fcntl.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "shim/bootstrap/address.h"

#define ADDRESS_FILE "address"
#define ADDRESS_BYTES_MAX (ADDRESS_PATH_MAX + sizeof(ADDRESS_SCHEME))

/* containerd starts a shim in its bundle, and gives -bundle to `delete` alone. */
int bundle_open(const char *given, struct error *err)
{
	const char *path = *given ? given : ".";
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? fd : error_system(err, errno, "open the bundle %s", path);
}

/* For `serve`, which has / as its directory. Not resolved: what containerd calls it is what it has to be told as. */
int bundle_path(const char *given, struct arena *arena, const char **ret, struct error *err)
{
	AUTO_FREE char *here = given[0] == '/' ? NULL : getcwd(NULL, 0);
	const char *path = given;

	if (given[0] != '/') {
		if (!here)
			return error_system(err, errno, "find the working directory");
		path = *given ? arena_printf(arena, "%s/%s", here, given) : arena_strdup(arena, here);
	}
	if (!path)
		return error_memory(err);
	*ret = path;
	return 0;
}

int bundle_write_address(int bundle_fd, const char *address, struct error *err)
{
	const struct buffer content = { .data = (char *)address, .length = strlen(address) };

	return file_replace_at(bundle_fd, ADDRESS_FILE, &content, 0600, err);
}

int bundle_read_socket_path(int bundle_fd, struct arena *arena, const char **ret, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	int r = file_read_at(bundle_fd, ADDRESS_FILE, ADDRESS_BYTES_MAX, &text, err);
	const size_t prefix = strlen(ADDRESS_SCHEME);
	const char *path = NULL;

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && text.length > prefix && strncmp(text.data, ADDRESS_SCHEME "/", prefix + 1) == 0) {
		path = arena_strdup(arena, text.data + prefix);
		if (!path)
			return error_memory(err);
	}
	*ret = path;
	return 0;
}
