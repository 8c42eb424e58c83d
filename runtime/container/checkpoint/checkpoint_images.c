/* The folders that images and CRIU's log are in, and beside them which streams the container had from outside. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "container/checkpoint/checkpoint.h"

/* As runc and crun name it, which write the same list. */
#define STREAMS_FILE "descriptors.json"
#define STREAMS_BYTES_MAX 4096

static int make_folder(const char *path, struct error *err)
{
	AUTO_CLOSE int fd = file_make_directory(path, 0700, err);

	return fd < 0 ? fd : 0;
}

static int make_absolute(const char **path, struct arena *arena, struct error *err)
{
	char resolved[PATH_MAX];

	if (!realpath(*path, resolved))
		return error_system(err, errno, "open the folder %s", *path);
	*path = arena_strdup(arena, resolved);
	return *path ? 0 : error_memory(err);
}

int checkpoint_folders(const struct brig_images *asked, bool make, struct arena *arena, struct brig_images *ret,
		       struct error *err)
{
	struct {
		const char *option, **path;
	} folders[] = { { "--image-path", &ret->path }, { "--work-path", &ret->work_path } };

	*ret = *asked;
	ret->work_path = asked->work_path ?: asked->path;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		int rc = make ? make_folder(*folders[i].path, err) : 0;

		if (rc >= 0)
			rc = make_absolute(folders[i].path, arena, err);
		if (rc < 0)
			return error_prefix(err, "%s", folders[i].option);
	}
	return 0;
}

int checkpoint_streams_save(const char *folder, const char *const streams[static CRIU_STREAMS], struct error *err)
{
	AUTO_CLOSE int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct json_writer json = json_writer_on(&text, 0);

	json_write_array_begin(&json);
	for (size_t i = 0; i < CRIU_STREAMS; i++)
		json_write_string(&json, streams[i]);
	json_write_array_end(&json);
	if (text.failed)
		return error_memory(err);
	if (folder_fd < 0)
		return error_system(err, errno, "open the folder %s", folder);
	return file_replace_at(folder_fd, STREAMS_FILE, &text, 0600, err);
}

static bool is_ours(const char *name)
{
	return strncmp(name, "pipe:[", strlen("pipe:[")) == 0 || strncmp(name, "file[", strlen("file[")) == 0;
}

int checkpoint_streams_load(const char *folder, struct arena *arena, const char *ret[static CRIU_STREAMS],
			    struct error *err)
{
	AUTO_CLOSE int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct {
		const char *const *list;
		size_t n;
	} names = { 0 };
	struct json_input input;
	int rc;

	if (folder_fd < 0)
		return error_system(err, errno, "open the folder %s", folder);
	rc = file_read_at(folder_fd, STREAMS_FILE, STREAMS_BYTES_MAX, &text, err);
	if (rc >= 0) {
		input = (struct json_input){ .text = text.data, .length = text.length };
		rc = json_decode(&input, &json_strings, &names, arena, err);
	}
	if (rc < 0)
		return error_prefix(err, "%s/" STREAMS_FILE, folder);
	for (size_t i = 0; i < CRIU_STREAMS; i++)
		ret[i] = i < names.n && is_ours(names.list[i]) ? names.list[i] : "";
	return 0;
}
