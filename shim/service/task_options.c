#include "shim/service/task_options.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "shim/service/service_core.h"
#include "shim/service/task_events.h"
#include "shim/service/toml.h"

#define OPTIONS_MEMORY ((size_t)1024 * 1024)

/* Of a handler with ConfigPath, by a containerd that does not send what is in it. */
static int read_file(const char *path, struct arena *arena, struct options *ret, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	int r = file_read_at(AT_FDCWD, path, TOML_BYTES_MAX, &text, err);

	if (r == 0)
		r = options_from_toml(text.data ?: "", text.length, arena, ret, err);
	return r < 0 ? error_prefix(err, "%s", path) : 0;
}

static int parse(const Wire__Any *any, struct arena *arena, struct options *ret, struct error *err)
{
	const struct bootstrap_any bytes = {
		.type_url = { (const uint8_t *)any->type_url, strlen(any->type_url) },
		.value = { any->value.data, any->value.len },
	};
	int r = options_from_any(&bytes, arena, ret, err);

	if (r == 0 && ret->config_path)
		r = read_file(arena_strdup(arena, ret->config_path) ?: "", arena, ret, err);
	return r;
}

static bool same_text(const char *one, const char *other)
{
	return strcmp(one ?: "", other ?: "") == 0;
}

/* What the containers see of them. */
static bool same(const struct options *one, const struct options *other)
{
	return same_text(one->policy, other->policy) && same_text(one->root, other->root) &&
	       one->cgroup_driver == other->cgroup_driver && one->no_pivot == other->no_pivot &&
	       one->no_new_keyring == other->no_new_keyring && one->redact_args == other->redact_args;
}

/* Only now: root, policy and driver are the options', and hold for every container of the shim. */
static int make_tasks(struct service *service, const struct options *handler, struct arena *arena, struct error *err)
{
	struct tasks_options options = {
		.loop = service->options.loop,
		.brig = service->options.brig,
		.namespace = service->options.namespace,
		.streams = service->streams,
		.no_pivot = handler->no_pivot,
		.no_new_keyring = handler->no_new_keyring,
		.waits_for_readers = !*service->options.ttrpc_address,
		.event = task_events_publish,
		.ended_by_limit = task_events_ended_by_limit,
		.context = service,
	};

	/* Containers of two namespaces may have the same id. */
	if (handler->root || !options.brig.root)
		options.brig.root =
			arena_printf(arena, "%s/%s", handler->root ?: SERVICE_ROOT_DEFAULT, service->options.namespace);
	if (!options.brig.root)
		return error_memory(err);
	options.brig.redact_args = handler->redact_args;
	if (handler->policy)
		options.brig.policy = handler->policy;
	if (handler->cgroup_driver == OPTIONS_SYSTEMD)
		options.brig.systemd_cgroup = true;
	service->root = options.brig.root;
	return tasks_new(&options, &service->tasks, err);
}

int task_options_take(struct service *service, const Wire__Any *any, struct error *err)
{
	AUTO(arena_free) struct arena *arena = NULL;
	struct options handler = options_default();
	bool is_said = any && *any->type_url;
	int r;

	if (service->tasks && !is_said)
		return 0;
	arena = arena_new(OPTIONS_MEMORY);
	if (!arena)
		return error_memory(err);
	r = is_said ? parse(any, arena, &handler, err) : 0;
	if (r < 0)
		return r;
	if (service->tasks && !same(&handler, &service->handler))
		return error_set(err, ERROR_STATE, EBUSY,
				 "options: they differ from those that this shim began with (policy, root, cgroup_driver, "
				 "no_pivot hold for a whole pod); use one handler for all its containers");
	if (service->tasks)
		return 0;
	r = make_tasks(service, &handler, arena, err);
	if (r < 0)
		return r;
	service->handler = handler;
	service->handler_arena = steal_ptr(&arena);
	return 0;
}
