#include "shim/service/task_events.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "shim/proto/events.pb-c.h"
#include "shim/service/service_core.h"
#include "shim/service/task_create.h"
#include "shim/service/task_time.h"

/* Messages are built on the stack, point to what info has, and are packed at once. Of the create's request nothing is known any more once
 * its caller has gone: the event goes out without the mounts, which no reader needs. */
static void pack_create(const struct service *service, const struct task_info *info, struct buffer *packed)
{
	const Wire__CreateTaskRequest *request = task_create_request(service, info->id);
	Wire__TaskCreate message = WIRE__TASK_CREATE__INIT;
	Wire__TaskIO io = WIRE__TASK_IO__INIT;

	io.stdin = (char *)info->in;
	io.stdout = (char *)info->out;
	io.stderr = (char *)info->err;
	io.terminal = info->terminal;
	message.container_id = (char *)info->id;
	message.bundle = (char *)info->bundle;
	message.io = &io;
	message.pid = (uint32_t)info->pid;
	if (request) {
		message.n_rootfs = request->n_rootfs;
		message.rootfs = request->rootfs;
		message.checkpoint = request->checkpoint;
	}
	message_pack(&message.base, packed);
}

static void pack_start(const struct service *service, const struct task_info *info, struct buffer *packed)
{
	Wire__TaskStart message = WIRE__TASK_START__INIT;

	(void)service;
	message.container_id = (char *)info->id;
	message.pid = (uint32_t)info->pid;
	message_pack(&message.base, packed);
}

/* Of an exit, unlike a delete, a container's first process goes by the container's id. */
static char *id_of(const struct task_info *info)
{
	return (char *)(*info->exec_id ? info->exec_id : info->id);
}

static void pack_exit(const struct service *service, const struct task_info *info, struct buffer *packed)
{
	Wire__TaskExit message = WIRE__TASK_EXIT__INIT;
	Wire__Timestamp exited_at;

	(void)service;
	message.container_id = (char *)info->id;
	message.id = id_of(info);
	message.pid = (uint32_t)info->pid;
	message.exit_status = (uint32_t)info->exit_status;
	message.exited_at = task_time(info->exited_at, &exited_at);
	message_pack(&message.base, packed);
}

/* tasks tells it of containers alone: of an exec's, runc's shim sends none either. */
static void pack_delete(const struct service *service, const struct task_info *info, struct buffer *packed)
{
	Wire__TaskDelete message = WIRE__TASK_DELETE__INIT;
	Wire__Timestamp exited_at;

	(void)service;
	message.container_id = (char *)info->id;
	message.id = (char *)info->exec_id;
	message.pid = (uint32_t)info->pid;
	message.exit_status = (uint32_t)info->exit_status;
	message.exited_at = task_time(info->exited_at, &exited_at);
	message_pack(&message.base, packed);
}

/* OOM, paused, resumed and checkpointed have the container's id as field 1, and no more that we would know. */
static void pack_id(const struct service *service, const struct task_info *info, struct buffer *packed)
{
	Wire__TaskOOM message = WIRE__TASK_OOM__INIT;

	(void)service;
	message.container_id = (char *)info->id;
	message_pack(&message.base, packed);
}

static void pack_exec_added(const struct service *service, const struct task_info *info, struct buffer *packed)
{
	Wire__TaskExecAdded message = WIRE__TASK_EXEC_ADDED__INIT;

	(void)service;
	message.container_id = (char *)info->id;
	message.exec_id = (char *)info->exec_id;
	message_pack(&message.base, packed);
}

static void pack_exec_started(const struct service *service, const struct task_info *info, struct buffer *packed)
{
	Wire__TaskExecStarted message = WIRE__TASK_EXEC_STARTED__INIT;

	(void)service;
	message.container_id = (char *)info->id;
	message.exec_id = (char *)info->exec_id;
	message.pid = (uint32_t)info->pid;
	message_pack(&message.base, packed);
}

/* One event as containerd knows it. Source: containerd's api/events/task.proto, core/runtime/events.go */
struct kind {
	const char *topic, *type_url;
	void (*pack)(const struct service *service, const struct task_info *info, struct buffer *packed);
};

static const struct kind kinds[] = {
	[TASK_CREATED] = { "/tasks/create", "containerd.events.TaskCreate", pack_create },
	[TASK_STARTED] = { "/tasks/start", "containerd.events.TaskStart", pack_start },
	[TASK_EXITED] = { "/tasks/exit", "containerd.events.TaskExit", pack_exit },
	[TASK_DELETED] = { "/tasks/delete", "containerd.events.TaskDelete", pack_delete },
	[TASK_OOM] = { "/tasks/oom", "containerd.events.TaskOOM", pack_id },
	[TASK_EXEC_ADDED] = { "/tasks/exec-added", "containerd.events.TaskExecAdded", pack_exec_added },
	[TASK_EXEC_STARTED] = { "/tasks/exec-started", "containerd.events.TaskExecStarted", pack_exec_started },
	[TASK_PAUSED] = { "/tasks/paused", "containerd.events.TaskPaused", pack_id },
	[TASK_RESUMED] = { "/tasks/resumed", "containerd.events.TaskResumed", pack_id },
	[TASK_CHECKPOINTED] = { "/tasks/checkpointed", "containerd.events.TaskCheckpointed", pack_id },
};

/* CRI-O looks for this file, which conmon makes as well. Source: conmon(8) */
static void leave_oom_file(const struct task_info *info)
{
	AUTO_CLOSE int bundle_fd = open(info->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int fd = -EBADF;

	if (bundle_fd >= 0)
		fd = openat(bundle_fd, "oom", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		log_warning("container %s: make the file oom in its bundle: errno %d", info->id, errno);
}

/* What can't be kept is lost with a line in the log: no request fails for its event. */
void task_events_publish(void *context, enum task_event event, const struct task_info *info)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer packed = { 0 };
	const struct kind *kind = &kinds[event];
	struct publisher_event published = { .topic = kind->topic, .type_url = kind->type_url };
	const struct service *service = context;
	struct error err = { 0 };
	int r;

	if (event == TASK_OOM && !*service->options.ttrpc_address)
		leave_oom_file(info);
	kind->pack(service, info, &packed);
	published.value = packed.data;
	published.length = packed.length;
	r = packed.failed ? error_memory(&err) : publisher_publish(service->publisher, &published, &err);
	if (r < 0)
		log_error("container %s: the event %s is lost: %s", info->id, kind->topic, err.message);
}

void task_events_ended_by_limit(void *context, enum task_limit limit, const struct task_info *info, const char *text)
{
	(void)context;
	(void)limit;
	if (*info->exec_id)
		log_warning("container %s: exec %s: %s", info->id, info->exec_id, text);
	else
		log_warning("container %s: %s", info->id, text);
}
