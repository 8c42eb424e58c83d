#include "shim/service/task_calls.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "shim/proto/task.pb-c.h"
#include "shim/service/service_core.h"
#include "shim/service/task_create.h"
#include "shim/service/task_images.h"
#include "shim/service/task_json.h"
#include "shim/service/task_time.h"

#define STREAM_MAX ((size_t)16 * 1024) /* bytes of one URL */
#define PROCESS_DETAILS "containerd.runc.v1.ProcessDetails"

int task_calls_check(const struct service_call *call, const char *id, struct error *err)
{
	int r = call_check_id("id", id, err);

	if (r == 0 && !call->service->tasks)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "container %s: there is none of that name", id);
	return r;
}

int task_calls_check_streams(const struct task_streams *streams, struct error *err)
{
	int r = call_check_length("stdin", streams->in, STREAM_MAX, err)
			?: call_check_length("stdout", streams->out, STREAM_MAX, err);

	return r < 0 ? r : call_check_length("stderr", streams->err, STREAM_MAX, err);
}

int task_calls_name(const struct service_call *call, const char *id, const char *exec_id, struct task_name *ret,
		    struct error *err)
{
	int r = task_calls_check(call, id, err) ?: call_check_length("exec_id", exec_id, BRIG_ID_MAX, err);

	if (r < 0)
		return r;
	*ret = (struct task_name){ .id = id, .exec_id = exec_id };
	return 0;
}

void task_calls_answer_pid(struct service_call *call, const struct task_info *info)
{
	Wire__PidResponse answer = WIRE__PID_RESPONSE__INIT;

	answer.pid = (uint32_t)info->pid;
	call_answer(call, &answer);
}

static void answer_empty(struct service_call *call, const struct task_info *info)
{
	(void)info;
	call_answer_empty(call);
}

/* Of a container, or of an exec: answered once its program runs. */
static int start(struct service_call *call, const void *request, struct error *err)
{
	const Wire__ProcessRequest *asked = request;
	struct task_name name;
	int r = task_calls_name(call, asked->id, asked->exec_id, &name, err);

	return r < 0 ? r : tasks_start(call->service->tasks, name, call_reply(call, task_calls_answer_pid), err);
}

static void answer_delete(struct service_call *call, const struct task_info *info)
{
	Wire__DeleteResponse answer = WIRE__DELETE_RESPONSE__INIT;
	Wire__Timestamp exited_at;

	answer.pid = (uint32_t)info->pid;
	answer.exit_status = (uint32_t)info->exit_status;
	answer.exited_at = task_time(info->exited_at, &exited_at);
	call_answer(call, &answer);
}

static int delete (struct service_call *call, const void *request, struct error *err)
{
	const Wire__ProcessRequest *asked = request;
	struct task_name name;
	int r = task_calls_name(call, asked->id, asked->exec_id, &name, err);

	return r < 0 ? r : tasks_delete(call->service->tasks, name, call_reply(call, answer_delete), err);
}

static void answer_wait(struct service_call *call, const struct task_info *info)
{
	Wire__WaitResponse answer = WIRE__WAIT_RESPONSE__INIT;
	Wire__Timestamp exited_at;

	answer.exit_status = (uint32_t)info->exit_status;
	answer.exited_at = task_time(info->exited_at, &exited_at);
	call_answer(call, &answer);
}

static int wait_for(struct service_call *call, const void *request, struct error *err)
{
	const Wire__ProcessRequest *asked = request;
	struct task_name name;
	int r = task_calls_name(call, asked->id, asked->exec_id, &name, err);

	return r < 0 ? r : tasks_wait(call->service->tasks, name, call_reply(call, answer_wait), err);
}

/* With what a client needs to tell the first processes of execs from the rest. */
static Wire__ProcessInfo *describe(const struct task_pid *pid, struct arena *arena)
{
	Wire__ProcessInfo *process = arena_new_of(arena, Wire__ProcessInfo);
	Wire__ProcessDetails details = WIRE__PROCESS_DETAILS__INIT;
	uint8_t *packed;

	if (!process)
		return NULL;
	wire__process_info__init(process);
	process->pid = (uint32_t)pid->pid;
	if (!*pid->exec_id)
		return process;
	details.exec_id = (char *)pid->exec_id;
	process->info = arena_new_of(arena, Wire__Any);
	packed = arena_alloc(arena, wire__process_details__get_packed_size(&details));
	if (!process->info || !packed)
		return NULL;
	wire__any__init(process->info);
	process->info->type_url = (char *)PROCESS_DETAILS;
	process->info->value.data = packed;
	process->info->value.len = wire__process_details__pack(&details, packed);
	return process;
}

/* In the host's numbers: containerd and its users are outside of the container's pid namespace. */
static int pids(struct service_call *call, const void *request, struct error *err)
{
	const Wire__ProcessRequest *asked = request;
	Wire__PidsResponse answer = WIRE__PIDS_RESPONSE__INIT;
	struct task_pid *list = NULL;
	size_t n = 0;
	int r = task_calls_check(call, asked->id, err);

	if (r == 0)
		r = tasks_pids(call->service->tasks, asked->id, call->arena, &list, &n, err);
	if (r < 0)
		return r;
	answer.processes = arena_array_of(call->arena, n, Wire__ProcessInfo *);
	if (!answer.processes)
		return error_memory(err);
	for (; answer.n_processes < n; answer.n_processes++) {
		Wire__ProcessInfo *process = describe(&list[answer.n_processes], call->arena);

		if (!process)
			return error_memory(err);
		answer.processes[answer.n_processes] = process;
	}
	return call_answer(call, &answer);
}

static int pause_container(struct service_call *call, const void *request, struct error *err)
{
	const Wire__ProcessRequest *asked = request;
	int r = task_calls_check(call, asked->id, err);

	return r < 0 ? r : tasks_pause(call->service->tasks, asked->id, call_reply(call, answer_empty), err);
}

static int resume(struct service_call *call, const void *request, struct error *err)
{
	const Wire__ProcessRequest *asked = request;
	int r = task_calls_check(call, asked->id, err);

	return r < 0 ? r : tasks_resume(call->service->tasks, asked->id, call_reply(call, answer_empty), err);
}

static int kill_process(struct service_call *call, const void *request, struct error *err)
{
	const Wire__KillRequest *asked = request;
	struct task_kill kill = { .signal = (int)asked->signal, .all = asked->all };
	int r = task_calls_name(call, asked->id, asked->exec_id, &kill.name, err);

	if (r < 0)
		return r;
	/* 0 asks whether there is a process, as kill(2) has it. */
	if (asked->signal > (uint32_t)SIGRTMAX)
		return error_invalid(err, "signal %u: there is none of that number", asked->signal);
	r = tasks_kill(call->service->tasks, &kill, err);
	return r < 0 ? r : call_answer_empty(call);
}

static int close_io(struct service_call *call, const void *request, struct error *err)
{
	const Wire__CloseIORequest *asked = request;
	struct task_name name;
	struct task_info info;
	int r = task_calls_name(call, asked->id, asked->exec_id, &name, err);

	/* There is nothing else that could be closed, but an unknown process is one all the same. */
	if (r == 0)
		r = asked->stdin ? tasks_close_in(call->service->tasks, name, err)
				 : tasks_state(call->service->tasks, name, &info, err);
	return r < 0 ? r : call_answer_empty(call);
}

static int resize(struct service_call *call, const void *request, struct error *err)
{
	const Wire__ResizePtyRequest *asked = request;
	const struct task_size size = { .width = asked->width, .height = asked->height };
	struct task_name name;
	int r = task_calls_name(call, asked->id, asked->exec_id, &name, err);

	if (r == 0)
		r = tasks_resize(call->service->tasks, name, size, err);
	return r < 0 ? r : call_answer_empty(call);
}

/* Also the kubelet's resize of a pod in place. Annotations that come along are for sandboxed runtimes: there is nothing to do. */
static int update(struct service_call *call, const void *request, struct error *err)
{
	static const struct task_json_kind kind = { "resources", "LinuxResources", TASK_JSON_RESOURCES_MAX };
	const Wire__UpdateTaskRequest *asked = request;
	struct task_update update = { .id = asked->id };
	struct message_bytes json = { 0 };
	int r = task_calls_check(call, asked->id, err) ?: task_json_find(asked->resources, &kind, &json, err);

	if (r < 0)
		return r;
	update.resources_json = json.data;
	update.length = json.length;
	return tasks_update(call->service->tasks, &update, call_reply(call, answer_empty), err);
}

/* Answered once the images are on the disk, or with CRIU's reason. */
static int checkpoint(struct service_call *call, const void *request, struct error *err)
{
	const Wire__CheckpointTaskRequest *asked = request;
	struct brig_images images = { 0 };
	int r = task_calls_check(call, asked->id, err) ?: task_images_read(asked, call->arena, &images, err);

	if (r < 0)
		return r;
	return tasks_checkpoint(call->service->tasks, asked->id, &images, call_reply(call, answer_empty), err);
}

/* No error for a container that is not there: containerd asks so after its own restart. */
static int connect_shim(struct service_call *call, const void *request, struct error *err)
{
	const Wire__ProcessRequest *asked = request;
	const struct task_name name = { .id = asked->id, .exec_id = "" };
	Wire__ConnectResponse answer = WIRE__CONNECT_RESPONSE__INIT;
	struct task_info info;

	answer.shim_pid = (uint32_t)getpid();
	if (task_calls_check(call, asked->id, err) == 0 && tasks_state(call->service->tasks, name, &info, err) == 0)
		answer.task_pid = (uint32_t)info.pid;
	return call_answer(call, &answer);
}

/* It comes after each container of a pod: the shim stays while there are others, also where it says `now`, as runc's does. A sandbox has a
 * shutdown of its own. Answered first, since with service_end the connections are about to go. */
static int shut_down(struct service_call *call, const void *request, struct error *err)
{
	struct service *service = call->service;

	(void)request;
	(void)err;
	call_answer_empty(call);
	if (!service_has_tasks(service) && service->sandbox.state == SANDBOX_NONE)
		service_end(service);
	return 0;
}

const struct call_operation task_calls_operations[] = {
	{ "State", &wire__process_request__descriptor, task_state },
	{ "Create", &wire__create_task_request__descriptor, task_create },
	{ "Start", &wire__process_request__descriptor, start },
	{ "Delete", &wire__process_request__descriptor, delete },
	{ "Pids", &wire__process_request__descriptor, pids },
	{ "Pause", &wire__process_request__descriptor, pause_container },
	{ "Resume", &wire__process_request__descriptor, resume },
	{ "Kill", &wire__kill_request__descriptor, kill_process },
	{ "Exec", &wire__exec_process_request__descriptor, task_exec },
	{ "CloseIO", &wire__close_iorequest__descriptor, close_io },
	{ "ResizePty", &wire__resize_pty_request__descriptor, resize },
	{ "Update", &wire__update_task_request__descriptor, update },
	{ "Checkpoint", &wire__checkpoint_task_request__descriptor, checkpoint },
	{ "Wait", &wire__process_request__descriptor, wait_for },
	{ "Stats", &wire__process_request__descriptor, task_metrics },
	{ "Connect", &wire__process_request__descriptor, connect_shim },
	{ "Shutdown", &wire__shutdown_request__descriptor, shut_down },
	{ 0 },
};
