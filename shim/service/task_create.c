#include "shim/service/task_create.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "shim/bootstrap/bundle_root.h"
#include "shim/service/service_core.h"
#include "shim/service/task_calls.h"
#include "shim/service/task_options.h"

#define MOUNTS_MAX 128u

static void answer_create(struct service_call *call, const struct task_info *info)
{
	task_calls_answer_pid(call, info);
}

/* Borrowed from the request: tasks_create copies what it keeps. */
static int copy_mount(const Wire__Mount *mount, struct arena *arena, struct brig_mount *ret, struct error *err)
{
	const char **options = arena_array_of(arena, mount->n_options + 1, const char *);

	if (!options)
		return error_memory(err);
	/* Only ever the root file system itself has been seen. */
	if (*mount->target && strcmp(mount->target, "/") != 0)
		return error_set(
			err, ERROR_UNSUPPORTED, ENOSYS,
			"rootfs: a %.50s mount below the root file system, at \"%.200s\": brig makes only its root",
			mount->type, mount->target);
	for (size_t i = 0; i < mount->n_options; i++)
		options[i] = mount->options[i];
	*ret = (struct brig_mount){ .type = mount->type, .source = mount->source, .options = options };
	return 0;
}

static int copy_mounts(const Wire__CreateTaskRequest *asked, struct arena *arena, struct task_create *create,
		       struct error *err)
{
	struct brig_mount *mounts;

	if (asked->n_rootfs > MOUNTS_MAX)
		return error_set(err, ERROR_INVALID, EMSGSIZE, "rootfs: %zu mounts, %u are the most", asked->n_rootfs,
				 MOUNTS_MAX);
	mounts = arena_array_of(arena, asked->n_rootfs, struct brig_mount);
	if (!mounts)
		return error_memory(err);
	for (size_t i = 0; i < asked->n_rootfs; i++) {
		int r = copy_mount(asked->rootfs[i], arena, &mounts[i], err);

		if (r < 0)
			return r;
	}
	create->mounts = mounts;
	create->n_mounts = asked->n_rootfs;
	return 0;
}

/* What the request says by itself; what config.json says is the worker's to read. */
static int check(const Wire__CreateTaskRequest *asked, const struct task_create *create, struct error *err)
{
	int r = call_check_id("id", asked->id, err) ?: call_check_length("bundle", asked->bundle, PATH_MAX, err);

	if (r < 0)
		return r;
	if (*asked->bundle != '/')
		return error_invalid(err, "bundle: \"%.200s\" is no absolute path", asked->bundle);
	if (*asked->parent_checkpoint)
		return error_set(err, ERROR_UNSUPPORTED, ENOSYS,
				 "parent_checkpoint: brig brings a container back from whole images alone (checkpoint)");
	if (*asked->checkpoint && (*asked->checkpoint != '/' || strlen(asked->checkpoint) >= PATH_MAX))
		return error_invalid(err, "checkpoint: \"%.200s\" is no absolute path", asked->checkpoint);
	return task_calls_check_streams(&create->streams, err);
}

/* `delete` has to find the state with this shim dead. The default place it knows. */
static int remember_root(const struct service *service, const char *bundle, struct error *err)
{
	AUTO_CLOSE int bundle_fd = -EBADF;

	if (!service->handler.root)
		return 0;
	bundle_fd = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (bundle_fd < 0)
		return error_system(err, errno, "open bundle %s", bundle);
	return bundle_root_write(bundle_fd, service->root, err);
}

int task_create(struct service_call *call, const void *request, struct error *err)
{
	const Wire__CreateTaskRequest *asked = request;
	struct task_create create = {
		.id = asked->id,
		.bundle = asked->bundle,
		.streams = { asked->stdin, asked->stdout, asked->stderr, asked->terminal },
		.checkpoint = asked->checkpoint,
		.binds = call->service->sandbox.files.binds,
		.n_binds = call->service->sandbox.files.n,
	};
	int r = check(asked, &create, err) ?: copy_mounts(asked, call->arena, &create, err);

	if (call->service->is_ending)
		return error_set(err, ERROR_STATE, EBUSY, "create container %.200s: this shim is about to end",
				 asked->id);
	if (r == 0)
		r = task_options_take(call->service, asked->options, err)
			    ?: remember_root(call->service, asked->bundle, err);
	if (r < 0)
		return r;
	call->keeps_request = true;
	return tasks_create(call->service->tasks, &create, call_reply(call, answer_create), err);
}

const Wire__CreateTaskRequest *task_create_request(const struct service *service, const char *id)
{
	for (const struct service_call *call = service->calls; call; call = call->next) {
		const Wire__CreateTaskRequest *asked = call->request;

		if (call->answer == answer_create && asked && strcmp(asked->id, id) == 0)
			return asked;
	}
	return NULL;
}
