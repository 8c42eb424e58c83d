/* Requests on their way through the service: unpacked, handed to the operation that they name, and kept until they are
 * answered or nobody waits for the answer any more. Internal to the service. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "shim/process/tasks.h"
#include "shim/ttrpc/server.h"

struct service;

struct service_call {
	struct task_reply reply; /* the first member: what tasks hands back is the call */
	struct service *service;
	struct server_call id;
	struct arena *arena; /* holds request; good while the operation runs, and on where it sets keeps_request */
	const void *request; /* the unpacked message; NULL once it is gone */
	/* How a reply of tasks becomes an answer. */
	void (*answer)(struct service_call *call, const struct task_info *info);
	bool keeps_request;
	uint64_t quiet_deadline;	      /* State: when it is answered in any case; 0: it does not wait */
	bool waits_for_sandbox;		      /* its end */
	bool waits_for_tasks;		      /* tasks has the reply */
	bool is_running, is_over;	      /* within its operation; answered meanwhile */
	struct service_call *next, *previous; /* of service->calls */
};

struct call_operation {
	const char *method;
	const ProtobufCMessageDescriptor *type; /* of the request */
	/* Returns 0: answered, or to be answered later; or a negative errno with err set: the caller answers with that. */
	int (*run)(struct service_call *call, const void *request, struct error *err);
};

/* Runs the operation that request names; operations end with { 0 }. request: good during the call. Whatever becomes of it, the caller is
 * answered: now, later, or by the end of its connection. */
void call_dispatch(struct service *service, struct server_call id, const struct request *request,
		   const struct call_operation *operations);

/* These end the call: it is gone afterwards, or with the end of its operation. */
int call_answer(struct service_call *call, const void *message); /* returns 0 */
int call_answer_empty(struct service_call *call);		 /* returns 0 */
void call_refuse(struct service_call *call, const struct error *err);

/* For a request to tasks: a reply goes to answer, or the call is refused with the error that came. */
struct task_reply *call_reply(struct service_call *call,
			      void (*answer)(struct service_call *call, const struct task_info *info));

/* The server's word that a call is over. */
void call_ended(void *context, struct server_call id, enum server_ended why);
/* Frees all that still wait, once nobody can answer them any more. */
void call_free_all(struct service *service);

/* A name, as -id is: it becomes part of paths. */
int call_check_id(const char *what, const char *id, struct error *err);
/* what: "stdin"; max: bytes. -EMSGSIZE above it, which is ResourceExhausted to the caller. */
int call_check_length(const char *what, const char *text, size_t max, struct error *err);
