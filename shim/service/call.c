#include "shim/service/call.h"

#include <string.h>

#include "base/log.h"
#include "shim/bootstrap/arguments.h"
#include "shim/service/service_core.h"

/* The newest first: most are answered soon. */
static void link_call(struct service_call *call)
{
	struct service *service = call->service;

	call->next = service->calls;
	if (call->next)
		call->next->previous = call;
	service->calls = call;
}

static void free_call(struct service_call *call)
{
	arena_free(call->arena);
	free(call);
}

/* Its memory stays while its operation runs: that may have been answered from within and still look at the request. */
static void end_call(struct service_call *call)
{
	if (call->next)
		call->next->previous = call->previous;
	if (call->previous)
		call->previous->next = call->next;
	else
		call->service->calls = call->next;
	call->next = call->previous = NULL;
	call->is_over = true;
	if (!call->is_running)
		free_call(call);
}

/* Where its connection is gone meanwhile the server passes over it. */
int call_answer(struct service_call *call, const void *message)
{
	server_answer_message(call->service->server, call->id, message);
	end_call(call);
	return 0;
}

int call_answer_empty(struct service_call *call)
{
	server_answer(call->service->server, call->id, (struct message_bytes){ 0 });
	end_call(call);
	return 0;
}

void call_refuse(struct service_call *call, const struct error *err)
{
	log_debug("refused: %s", err->message);
	server_refuse(call->service->server, call->id, err);
	end_call(call);
}

/* What tasks has to say: the one way from a worker's end to the caller. */
static void take_reply(struct task_reply *reply, const struct task_info *info, const struct error *err)
{
	struct service_call *call = (struct service_call *)reply;

	call->waits_for_tasks = false;
	if (err)
		call_refuse(call, err);
	else
		call->answer(call, info);
}

struct task_reply *call_reply(struct service_call *call,
			      void (*answer)(struct service_call *call, const struct task_info *info))
{
	call->answer = answer;
	call->reply.done = take_reply;
	call->waits_for_tasks = true;
	return &call->reply;
}

static const struct call_operation *find_operation(const struct call_operation *operations, const char *method)
{
	while (operations->method && strcmp(operations->method, method) != 0)
		operations++;
	return operations->method ? operations : NULL;
}

/* An operation that fails is refused by the caller, in one place. */
static int run(struct service_call *call, const struct request *request, const struct call_operation *operation,
	       struct error *err)
{
	void *message;
	int r;

	if (!operation)
		return error_set(err, ERROR_UNSUPPORTED, ENOSYS, "%s: not served here", request->method);
	call->arena = arena_new(MESSAGE_MEMORY(request->payload.length));
	if (!call->arena)
		return error_memory(err);
	r = message_unpack(operation->type, request->payload, call->arena, &message, err);
	if (r < 0)
		return r;
	call->request = message;
	return operation->run(call, message, err);
}

void call_dispatch(struct service *service, struct server_call id, const struct request *request,
		   const struct call_operation *operations)
{
	struct service_call *call = calloc(1, sizeof(*call));
	struct error err = { 0 };

	if (!call) {
		error_memory(&err);
		server_refuse(service->server, id, &err);
		return;
	}
	call->service = service;
	call->id = id;
	call->is_running = true;
	link_call(call);
	if (run(call, request, find_operation(operations, request->method), &err) < 0)
		call_refuse(call, &err);
	call->is_running = false;
	if (call->is_over) {
		free_call(call);
	} else if (!call->keeps_request) {
		/* A Wait is there for hours. */
		call->request = NULL;
		arena_free(steal_ptr(&call->arena));
	}
}

void call_ended(void *context, struct server_call id, enum server_ended why)
{
	struct service *service = context;
	struct service_call *call = service->calls;

	(void)why;
	while (call &&
	       (call->id.slot != id.slot || call->id.generation != id.generation || call->id.stream_id != id.stream_id))
		call = call->next;
	if (!call)
		return;
	if (call->waits_for_tasks)
		tasks_abandon(service->tasks, &call->reply);
	end_call(call);
}

void call_free_all(struct service *service)
{
	while (service->calls)
		end_call(service->calls);
}

int call_check_id(const char *what, const char *id, struct error *err)
{
	if (!*id)
		return error_invalid(err, "%s: none was given", what);
	if (strlen(id) <= BRIG_ID_MAX && !arguments_is_name(id))
		return error_invalid(
			err,
			"%s is \"%.100s\"; it has to be of at most %u letters, digits, '.', '_' and '-', and to begin "
			"with a letter or digit",
			what, id, ARGUMENTS_NAME_MAX);
	return call_check_length(what, id, BRIG_ID_MAX, err);
}

int call_check_length(const char *what, const char *text, size_t max, struct error *err)
{
	size_t length = strlen(text);

	if (length > max)
		return error_set(err, ERROR_INVALID, EMSGSIZE, "%s: %zu bytes, %zu are the most", what, length, max);
	return 0;
}
