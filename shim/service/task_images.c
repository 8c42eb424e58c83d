#include "shim/service/task_images.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "shim/proto/options.pb-c.h"
#include "shim/ttrpc/message.h"

#define OPTIONS "containerd.runc.v1.CheckpointOptions"
/* An older name of it, with the same fields. */
#define OLD_OPTIONS "containerd.linux.runc.CheckpointOptions"

/* Options that would be passed over in silence could lose a connection or a lock: what brig can't do is refused by name. */
static int read_options(const Wire__Any *any, struct arena *arena, struct brig_images *images, struct error *err)
{
	const struct message_bytes bytes = { .data = any->value.data, .length = any->value.len };
	const char *type = strrchr(any->type_url, '/');
	Wire__RuncCheckpointOptions *options;
	void *message;
	int r;

	type = type ? type + 1 : any->type_url;
	if (strcmp(type, OPTIONS) != 0 && strcmp(type, OLD_OPTIONS) != 0)
		return error_invalid(err, "options: of type \"%.200s\"; give " OPTIONS, any->type_url);
	r = message_unpack(&wire__runc_checkpoint_options__descriptor, bytes, arena, &message, err);
	if (r < 0)
		return error_prefix(err, "options");
	options = message;
	if (options->n_empty_namespaces > 0)
		return error_set(err, ERROR_UNSUPPORTED, ENOSYS,
				 "options: empty_namespaces: brig saves a container with the namespaces that it has");
	images->leave_running = !options->exit;
	images->tcp_established = options->open_tcp;
	images->external_unix_sockets = options->external_unix_sockets;
	images->shell_job = options->terminal;
	images->file_locks = options->file_locks;
	if (*options->image_path)
		images->path = options->image_path;
	if (*options->work_path)
		images->work_path = options->work_path;
	return 0;
}

/* Relative to what? The worker's directory is not the caller's. */
static int check_path(const char *name, const char *path, struct error *err)
{
	if (path && (*path != '/' || strlen(path) >= PATH_MAX))
		return error_invalid(err, "%s: \"%.200s\" is no absolute path", name, path);
	return 0;
}

int task_images_read(const Wire__CheckpointTaskRequest *asked, struct arena *arena, struct brig_images *ret,
		     struct error *err)
{
	int r = 0;

	*ret = (struct brig_images){ .path = asked->path, .leave_running = true };
	if (asked->options && *asked->options->type_url)
		r = read_options(asked->options, arena, ret, err);
	if (r < 0)
		return r;
	return check_path("path", ret->path, err) ?: check_path("work_path", ret->work_path, err);
}
