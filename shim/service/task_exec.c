#include "shim/proto/task.pb-c.h"
#include "shim/service/service_core.h"
#include "shim/service/task_calls.h"
#include "shim/service/task_json.h"

/* The process object is not looked into: it is parsed in the worker that makes the process, where a parser can't hurt the shim. So a
 * document that is none is an error of Start. */
int task_exec(struct service_call *call, const void *request, struct error *err)
{
	static const struct task_json_kind kind = { "spec", "Process", TASK_JSON_PROCESS_MAX };
	const Wire__ExecProcessRequest *asked = request;
	struct task_exec exec = {
		.id = asked->id,
		.exec_id = asked->exec_id,
		.streams = { asked->stdin, asked->stdout, asked->stderr, asked->terminal },
	};
	struct message_bytes json = { 0 };
	int r = task_calls_check(call, asked->id, err) ?: call_check_id("exec_id", asked->exec_id, err);

	if (r == 0)
		r = task_calls_check_streams(&exec.streams, err) ?: task_json_find(asked->spec, &kind, &json, err);
	if (r < 0)
		return r;
	exec.process_json = json.data;
	exec.process_length = json.length;
	r = tasks_exec(call->service->tasks, &exec, err);
	return r < 0 ? r : call_answer_empty(call);
}
