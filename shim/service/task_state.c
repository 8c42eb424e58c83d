#include "shim/proto/task.pb-c.h"
#include "shim/service/service_core.h"
#include "shim/service/task_calls.h"
#include "shim/service/task_time.h"

/* Nanoseconds that an answer is held back, and between two looks. */
#define QUIET_TIMEOUT UINT64_C(1000000000)
#define QUIET_PAUSE UINT64_C(5000000)

/* Who asked before a delete was done hears of a stopped process: containerd has no status for one that is deleted. */
static Wire__TaskStatus status_of_state(enum process_state state)
{
	switch (state) {
	case PROCESS_CREATED:
		return WIRE__TASK_STATUS__TASK_CREATED;
	case PROCESS_RUNNING:
		return WIRE__TASK_STATUS__TASK_RUNNING;
	case PROCESS_PAUSED:
		return WIRE__TASK_STATUS__TASK_PAUSED;
	case PROCESS_STOPPED:
	case PROCESS_DELETED:
		return WIRE__TASK_STATUS__TASK_STOPPED;
	case PROCESS_N_STATES:
		break;
	}
	return WIRE__TASK_STATUS__TASK_UNKNOWN;
}

static int answer(struct service_call *call, const struct task_info *info)
{
	Wire__StateResponse answer = WIRE__STATE_RESPONSE__INIT;
	Wire__Timestamp exited_at;

	answer.id = (char *)info->id;
	answer.exec_id = (char *)info->exec_id;
	answer.bundle = (char *)info->bundle;
	answer.pid = (uint32_t)info->pid;
	answer.status = status_of_state(info->state);
	answer.stdin = (char *)info->in;
	answer.stdout = (char *)info->out;
	answer.stderr = (char *)info->err;
	answer.terminal = info->terminal;
	answer.exit_status = (uint32_t)info->exit_status;
	answer.exited_at = task_time(info->exited_at, &exited_at);
	return call_answer(call, &answer);
}

/* containerd asks for the state of a container that ended when it is about to delete it, or started again meanwhile. Once it hears of
 * that it stops reading, with streams where it is, deletes the container and notes how it ended: so what the container wrote and the
 * events about it (out of memory) go before. With the end of a stream containerd closes its connection: all is read. */
static bool is_loud(const struct service *service, const struct task_info *info)
{
	return info->state == PROCESS_STOPPED && !*info->exec_id &&
	       (!publisher_is_idle(service->publisher) || tasks_has_unread(service->tasks, info->id) ||
		server_has_reader(service->server));
}

/* A call that was held back: the container may have been deleted meanwhile. */
static void look_again(struct service_call *call, uint64_t now)
{
	const Wire__ProcessRequest *asked = call->request;
	const struct task_name name = { .id = asked->id, .exec_id = asked->exec_id };
	struct error err = { 0 };
	struct task_info info;

	if (tasks_state(call->service->tasks, name, &info, &err) < 0)
		call_refuse(call, &err);
	else if (now >= call->quiet_deadline || !is_loud(call->service, &info))
		answer(call, &info);
	else
		loop_set_timer(call->service->options.loop, &call->service->quiet, now + QUIET_PAUSE);
}

static void handle_quiet(void *context)
{
	struct service *service = context;
	struct service_call *call = service->calls;
	uint64_t now = loop_now();

	while (call) {
		struct service_call *next = call->next;

		if (call->quiet_deadline)
			look_again(call, now);
		call = next;
	}
}

int task_state(struct service_call *call, const void *request, struct error *err)
{
	const Wire__ProcessRequest *asked = request;
	struct service *service = call->service;
	struct task_name name;
	struct task_info info;
	int r = task_calls_name(call, asked->id, asked->exec_id, &name, err);

	if (r == 0)
		r = tasks_state(service->tasks, name, &info, err);
	if (r < 0)
		return r;
	if (!is_loud(service, &info))
		return answer(call, &info);
	publisher_hurry(service->publisher);
	call->keeps_request = true;
	call->quiet_deadline = loop_now() + QUIET_TIMEOUT;
	if (!service->quiet.is_active) {
		service->quiet = (struct loop_timer){ .expired = handle_quiet, .context = service };
		loop_set_timer(service->options.loop, &service->quiet, loop_now() + QUIET_PAUSE);
	}
	return 0;
}
