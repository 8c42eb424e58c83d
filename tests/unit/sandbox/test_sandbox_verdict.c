#include <errno.h>
#include <signal.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "sandbox/sandbox_verdict.h"

#define EXITED(code) ((code) << 8)
#define KILLED(signal) (signal)

/* What was seen, and what it has to be called. */
static const struct {
	const char *what;
	struct sandbox_end end;
	enum sandbox_verdict verdict;
	int exit_status, exit_code, signal;
} table[] = {
	{ "success", { .has_status = true }, SANDBOX_OK, 0, 0, 0 },
	{ "failure", { .has_status = true, .status = EXITED(3) }, SANDBOX_EXIT, 3, 3, 0 },
	{ "exit 137 is the program's own", { .has_status = true, .status = EXITED(137) }, SANDBOX_EXIT, 137, 137, 0 },
	{ "exit 124 too", { .has_status = true, .status = EXITED(124) }, SANDBOX_EXIT, 124, 124, 0 },
	{ "a signal", { .has_status = true, .status = KILLED(SIGSEGV) }, SANDBOX_SIGNAL, 139, -1, SIGSEGV },
	{ "SIGKILL by itself", { .has_status = true, .status = KILLED(SIGKILL) }, SANDBOX_SIGNAL, 137, -1, SIGKILL },
	{ "init was killed", { .has_status = false }, SANDBOX_SIGNAL, 137, -1, SIGKILL },
	{ "init was killed for memory", { .has_status = false, .was_out_of_memory = true }, SANDBOX_MEMORY, 137, -1, SIGKILL },
	{ "the time was over", { .cut = SANDBOX_CUT_WALL_TIME }, SANDBOX_WALL_TIME, 124, -1, SIGKILL },
	{ "the time was over, and init could tell",
	  { .cut = SANDBOX_CUT_WALL_TIME, .has_status = true, .status = KILLED(SIGKILL) },
	  SANDBOX_WALL_TIME,
	  124,
	  -1,
	  SIGKILL },
	{ "it was quicker than the kill",
	  { .cut = SANDBOX_CUT_WALL_TIME, .has_status = true, .status = EXITED(0) },
	  SANDBOX_OK,
	  0,
	  0,
	  0 },
	{ "it failed quicker than the kill",
	  { .cut = SANDBOX_CUT_WALL_TIME, .has_status = true, .status = EXITED(9) },
	  SANDBOX_EXIT,
	  9,
	  9,
	  0 },
	{ "the time was over while forks failed",
	  { .cut = SANDBOX_CUT_WALL_TIME, .was_out_of_pids = true },
	  SANDBOX_WALL_TIME,
	  124,
	  -1,
	  SIGKILL },
	{ "processor time", { .cut = SANDBOX_CUT_CPU_TIME }, SANDBOX_CPU_TIME, 124, -1, SIGKILL },
	{ "processor time by the process's own limit",
	  { .has_status = true, .status = KILLED(SIGXCPU), .cpu_limit = 1000, .cpu_time = 1000 },
	  SANDBOX_CPU_TIME,
	  124,
	  -1,
	  SIGXCPU },
	{ "SIGXCPU somewhat before it, by the kernel's count",
	  { .has_status = true, .status = KILLED(SIGXCPU), .cpu_limit = 1000, .cpu_time = 600 },
	  SANDBOX_CPU_TIME,
	  124,
	  -1,
	  SIGXCPU },
	{ "SIGXCPU long before the processor time is over",
	  { .has_status = true,
	    .status = KILLED(SIGXCPU),
	    .cpu_limit = UINT64_C(20000000000),
	    .cpu_time = UINT64_C(18000000000) },
	  SANDBOX_SIGNAL,
	  128 + SIGXCPU,
	  -1,
	  SIGXCPU },
	{ "SIGXCPU at once, by its own hand",
	  { .has_status = true, .status = KILLED(SIGXCPU), .cpu_limit = 1000, .cpu_time = 3 },
	  SANDBOX_SIGNAL,
	  128 + SIGXCPU,
	  -1,
	  SIGXCPU },
	{ "SIGXCPU without a limit",
	  { .has_status = true, .status = KILLED(SIGXCPU) },
	  SANDBOX_SIGNAL,
	  128 + SIGXCPU,
	  -1,
	  SIGXCPU },
	{ "SIGKILL long before the processor time is over",
	  { .has_status = true, .status = KILLED(SIGKILL), .cpu_limit = 1000, .cpu_time = 10 },
	  SANDBOX_SIGNAL,
	  137,
	  -1,
	  SIGKILL },
	{ "out of memory",
	  { .has_status = true, .status = KILLED(SIGKILL), .was_out_of_memory = true },
	  SANDBOX_MEMORY,
	  137,
	  -1,
	  SIGKILL },
	{ "a compiler whose child was killed for memory",
	  { .has_status = true, .status = EXITED(1), .was_out_of_memory = true },
	  SANDBOX_MEMORY,
	  137,
	  1,
	  0 },
	{ "a child was killed for memory, and all went well",
	  { .has_status = true, .was_out_of_memory = true },
	  SANDBOX_OK,
	  0,
	  0,
	  0 },
	{ "too much output", { .cut = SANDBOX_CUT_OUTPUT, .is_over_output = true }, SANDBOX_OUTPUT, 137, -1, SIGKILL },
	{ "too much output at the very end", { .has_status = true, .is_over_output = true }, SANDBOX_OUTPUT, 137, 0, 0 },
	{ "no more processes", { .has_status = true, .status = EXITED(1), .was_out_of_pids = true }, SANDBOX_PIDS, 1, 1, 0 },
	{ "no more processes, and it could do without", { .has_status = true, .was_out_of_pids = true }, SANDBOX_OK, 0, 0, 0 },
	{ "memory before processes",
	  { .has_status = true, .status = EXITED(1), .was_out_of_pids = true, .was_out_of_memory = true },
	  SANDBOX_MEMORY,
	  137,
	  1,
	  0 },
	{ "brig was interrupted",
	  { .cut = SANDBOX_CUT_STOPPED, .stopped_by = SIGINT },
	  SANDBOX_INTERNAL,
	  128 + SIGINT,
	  -1,
	  SIGKILL },
};

Test(sandbox_verdict, is_what_the_table_says)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct sandbox_result result = { .exit_code = 42 };

		sandbox_verdict_decide(&table[i].end, &result);
		cr_expect_str_eq(sandbox_verdict_name(result.verdict), sandbox_verdict_name(table[i].verdict), "%s: %s",
				 table[i].what, sandbox_verdict_name(result.verdict));
		cr_expect_eq(result.exit_status, table[i].exit_status, "%s: %d", table[i].what, result.exit_status);
		cr_expect_eq(result.exit_code, table[i].exit_code, "%s", table[i].what);
		cr_expect_eq(result.signal, table[i].signal, "%s", table[i].what);
		cr_expect_eq(result.oom, table[i].end.was_out_of_memory, "%s", table[i].what);
	}
}

Test(sandbox_verdict, each_has_a_name)
{
	for (int verdict = 0; verdict < SANDBOX_N_VERDICTS; verdict++)
		cr_expect_not_null(sandbox_verdict_name((enum sandbox_verdict)verdict), "%d", verdict);
}

Test(sandbox_verdict, failures_have_the_status_that_docker_gives_them)
{
	static const struct {
		enum error_kind kind;
		int code;
		enum sandbox_verdict verdict;
		int exit_status;
	} failures[] = {
		{ ERROR_PROGRAM, ENOENT, SANDBOX_EXIT, 127 },
		{ ERROR_PROGRAM, ENOTDIR, SANDBOX_EXIT, 127 },
		{ ERROR_PROGRAM, EACCES, SANDBOX_EXIT, 126 },
		{ ERROR_PROGRAM, ENOEXEC, SANDBOX_EXIT, 126 },
		{ ERROR_REFUSED, EPERM, SANDBOX_REFUSED, 125 },
		{ ERROR_USAGE, EINVAL, SANDBOX_REFUSED, 125 },
		{ ERROR_INVALID, EINVAL, SANDBOX_REFUSED, 125 },
		{ ERROR_NOT_FOUND, ENOENT, SANDBOX_REFUSED, 125 },
		{ ERROR_EXISTS, EEXIST, SANDBOX_REFUSED, 125 },
		{ ERROR_SYSTEM, EIO, SANDBOX_INTERNAL, 125 },
		{ ERROR_INTERNAL, ENOMEM, SANDBOX_INTERNAL, 125 },
		{ ERROR_SYSTEM, ENOENT, SANDBOX_INTERNAL, 125 },
		{ ERROR_TIMEOUT, ETIMEDOUT, SANDBOX_INTERNAL, 125 },
		{ ERROR_UNSUPPORTED, ENOTSUP, SANDBOX_INTERNAL, 125 },
		{ ERROR_STATE, EBUSY, SANDBOX_INTERNAL, 125 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		struct error error = { .kind = failures[i].kind, .code = failures[i].code, .message = "because" };
		struct sandbox_result result = { 0 };

		sandbox_verdict_fail(&error, &result);
		cr_expect_eq(result.verdict, failures[i].verdict, "%zu", i);
		cr_expect_eq(result.exit_status, failures[i].exit_status, "%zu", i);
		cr_expect_eq(result.exit_code, failures[i].verdict == SANDBOX_EXIT ? failures[i].exit_status : -1);
		cr_expect_str_eq(result.error.message, "because");
	}
}

Test(sandbox_verdict, the_audit_trail_names_the_limits_that_brig_holds)
{
	for (int verdict = 0; verdict < SANDBOX_N_VERDICTS; verdict++) {
		bool by_brig = verdict == SANDBOX_WALL_TIME || verdict == SANDBOX_CPU_TIME || verdict == SANDBOX_OUTPUT;

		cr_expect_eq(sandbox_verdict_ended_by((enum sandbox_verdict)verdict) != NULL, by_brig, "%d", verdict);
	}
	cr_expect_str_eq(sandbox_verdict_ended_by(SANDBOX_WALL_TIME), "timeout");
}
