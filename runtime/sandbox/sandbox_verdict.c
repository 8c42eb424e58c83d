#include "sandbox/sandbox_verdict.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define NS_PER_S UINT64_C(1000000000)
#define EXIT_OF_BRIG 125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127

static const char *const names[SANDBOX_N_VERDICTS] = {
	[SANDBOX_OK] = "ok",
	[SANDBOX_EXIT] = "exit",
	[SANDBOX_SIGNAL] = "signal",
	[SANDBOX_WALL_TIME] = "wall_time",
	[SANDBOX_CPU_TIME] = "cpu_time",
	[SANDBOX_MEMORY] = "memory",
	[SANDBOX_OUTPUT] = "output",
	[SANDBOX_PIDS] = "pids",
	[SANDBOX_REFUSED] = "refused",
	[SANDBOX_INTERNAL] = "internal",
};

const char *sandbox_verdict_name(enum sandbox_verdict verdict)
{
	return names[verdict];
}

const char *sandbox_verdict_ended_by(enum sandbox_verdict verdict)
{
	static const char *const limits[SANDBOX_N_VERDICTS] = {
		[SANDBOX_WALL_TIME] = "timeout",
		[SANDBOX_CPU_TIME] = "cpu-time",
		[SANDBOX_OUTPUT] = "max-output",
	};

	return limits[verdict];
}

/* SIGXCPU can be anybody's. The kernel sends it by its count of clock ticks, which is not as exact as what was used in the end. */
static bool used_up_cpu(const struct sandbox_end *end, int signal)
{
	uint64_t slack = end->cpu_limit / 2 < NS_PER_S ? end->cpu_limit / 2 : NS_PER_S;

	if (end->cpu_limit == 0)
		return false;
	return (signal == SIGXCPU && end->cpu_time + slack >= end->cpu_limit) ||
	       (signal == SIGKILL && end->cpu_time >= end->cpu_limit);
}

static enum sandbox_verdict judge_failure(const struct sandbox_end *end, int signal)
{
	if (end->was_out_of_memory)
		return SANDBOX_MEMORY;
	if (used_up_cpu(end, signal))
		return SANDBOX_CPU_TIME;
	if (end->was_out_of_pids)
		return SANDBOX_PIDS;
	return signal ? SANDBOX_SIGNAL : SANDBOX_EXIT;
}

static enum sandbox_verdict judge(const struct sandbox_end *end, int code, int signal)
{
	if (end->is_over_output)
		return SANDBOX_OUTPUT;
	/* It was quicker than the kill: what it said itself counts. */
	if (end->has_status && code == 0)
		return SANDBOX_OK;
	if (end->cut == SANDBOX_CUT_NOT || code >= 0)
		return judge_failure(end, signal);
	switch (end->cut) {
	case SANDBOX_CUT_WALL_TIME:
		return SANDBOX_WALL_TIME;
	case SANDBOX_CUT_CPU_TIME:
		return SANDBOX_CPU_TIME;
	case SANDBOX_CUT_OUTPUT:
		return SANDBOX_OUTPUT;
	case SANDBOX_CUT_STOPPED:
	case SANDBOX_CUT_NOT:
		break;
	}
	return SANDBOX_INTERNAL;
}

static int exit_status(const struct sandbox_end *end, const struct sandbox_result *result)
{
	switch (result->verdict) {
	case SANDBOX_OK:
	case SANDBOX_EXIT:
	case SANDBOX_SIGNAL:
	case SANDBOX_PIDS:
		break;
	case SANDBOX_WALL_TIME:
	case SANDBOX_CPU_TIME:
		return BRIG_STATUS_TIMEOUT;
	case SANDBOX_MEMORY:
	case SANDBOX_OUTPUT:
		return BRIG_STATUS_KILLED;
	case SANDBOX_REFUSED:
		return EXIT_OF_BRIG;
	case SANDBOX_INTERNAL:
		return end->stopped_by ? 128 + end->stopped_by : EXIT_OF_BRIG;
	case SANDBOX_N_VERDICTS:
		return EXIT_OF_BRIG;
	}
	return result->exit_code >= 0 ? result->exit_code : 128 + result->signal;
}

void sandbox_verdict_decide(const struct sandbox_end *end, struct sandbox_result *ret)
{
	/* Nothing of ours but SIGKILL ends init. */
	int status = end->has_status ? end->status : SIGKILL;

	ret->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	ret->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	ret->oom = end->was_out_of_memory;
	ret->verdict = judge(end, ret->exit_code, ret->signal);
	ret->exit_status = exit_status(end, ret);
	if (ret->verdict == SANDBOX_INTERNAL && end->stopped_by)
		error_set(&ret->error, ERROR_SYSTEM, EINTR, "stopped by SIG%s", sigabbrev_np(end->stopped_by));
}

/* As a shell and docker have it: the program that is not there has an exit status all the same. */
static int status_of_program(const struct error *error)
{
	return error->code == ENOENT || error->code == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

/* Would another request, or another policy, do? What else fails is brig's, or the host's, and the same request may do tomorrow. Who opens
 * what a request has named gives the kind by whose fault it is (error_named). */
static bool is_refusal(enum error_kind kind)
{
	switch (kind) {
	case ERROR_USAGE:
	case ERROR_INVALID:
	case ERROR_NOT_FOUND:
	case ERROR_EXISTS:
	case ERROR_REFUSED:
		return true;
	case ERROR_NONE:
	case ERROR_INTERNAL:
	case ERROR_SYSTEM:
	case ERROR_NOT_RUNNING:
	case ERROR_STATE:
	case ERROR_UNSUPPORTED:
	case ERROR_TIMEOUT:
	case ERROR_PROGRAM:
		break;
	}
	return false;
}

void sandbox_verdict_fail(const struct error *error, struct sandbox_result *ret)
{
	ret->error = *error;
	ret->verdict = is_refusal(error->kind) ? SANDBOX_REFUSED : SANDBOX_INTERNAL;
	ret->exit_status = EXIT_OF_BRIG;
	ret->exit_code = -1;
	ret->signal = 0;
	if (error->kind != ERROR_PROGRAM)
		return;
	ret->verdict = SANDBOX_EXIT;
	ret->exit_status = ret->exit_code = status_of_program(error);
}
