#include "shim/service/methods.h"

#include "base/cleanup.h"
#include "shim/service/call.h"
#include "shim/service/sandbox.h"
#include "shim/service/service_core.h"
#include "shim/service/streaming.h"
#include "shim/service/task_calls.h"

/* Both versions at once: which one containerd speaks it says with each call. */
static void handle_task(void *context, struct server_call id, const struct request *request)
{
	call_dispatch(context, id, request, task_calls_operations);
}

static void handle_sandbox(void *context, struct server_call id, const struct request *request)
{
	call_dispatch(context, id, request, sandbox_operations);
}

/* clang-format off: one line a method */
#define TASK(method)                                                             \
	{ "containerd.task.v2.Task", method, handle_task, /* data= */ NULL },    \
	{                                                                        \
		"containerd.task.v3.Task", method, handle_task, /* data= */ NULL \
	}
#define SANDBOX(method)                                                                           \
	{                                                                                         \
		"containerd.runtime.sandbox.v1.Sandbox", method, handle_sandbox, /* data= */ NULL \
	}
/* clang-format on */

/* Version 3 of the task service has the calls of version 2, with the same fields. */
static const struct server_method methods[] = {
	TASK("State"),
	TASK("Create"),
	TASK("Start"),
	TASK("Delete"),
	TASK("Pids"),
	TASK("Pause"),
	TASK("Resume"),
	TASK("Kill"),
	TASK("Exec"),
	TASK("CloseIO"),
	TASK("ResizePty"),
	TASK("Update"),
	TASK("Checkpoint"),
	TASK("Wait"),
	TASK("Stats"),
	TASK("Connect"),
	TASK("Shutdown"),

	SANDBOX("CreateSandbox"),
	SANDBOX("StartSandbox"),
	SANDBOX("Platform"),
	SANDBOX("StopSandbox"),
	SANDBOX("WaitSandbox"),
	SANDBOX("SandboxStatus"),
	SANDBOX("PingSandbox"),
	SANDBOX("SandboxMetrics"),
	SANDBOX("ShutdownSandbox"),

	{ "containerd.services.streaming.v1.Streaming", "Stream", streaming_handle, streaming_data },
};

const struct server_method *methods_list(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(methods);
	return methods;
}
