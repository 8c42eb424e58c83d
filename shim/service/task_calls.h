/* The 17 calls of the task service: what is asked in protobuf, asked of tasks, and its answer back. Internal to the service.
 * Source: containerd's api/runtime/task/v3/shim.proto; the behaviour of its shim for runc where that is silent. */
#pragma once

#include "shim/service/call.h"

/* Ends with { 0 }. */
extern const struct call_operation task_calls_operations[];

/* The operations that have a file of their own. */
int task_exec(struct service_call *call, const void *request, struct error *err);
int task_metrics(struct service_call *call, const void *request, struct error *err);
int task_state(struct service_call *call, const void *request, struct error *err);

/* Is there anything that could be asked about id? Before the first Create there is no service->tasks. */
int task_calls_check(const struct service_call *call, const char *id, struct error *err);
/* The process that a request names. */
int task_calls_name(const struct service_call *call, const char *id, const char *exec_id, struct task_name *ret,
		    struct error *err);
/* Where they come from and go to may be a program with arguments, but has an end. */
int task_calls_check_streams(const struct task_streams *streams, struct error *err);
/* PidResponse, of Create and Start. */
void task_calls_answer_pid(struct service_call *call, const struct task_info *info);
