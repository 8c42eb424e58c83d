/* Why it ended, from what was seen. Pure: a table that the unit tests go through. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/sandbox.h"

/* Why brig ended the sandbox before its program did. */
enum sandbox_cut {
	SANDBOX_CUT_NOT,
	SANDBOX_CUT_WALL_TIME,
	SANDBOX_CUT_CPU_TIME,
	SANDBOX_CUT_OUTPUT,
	SANDBOX_CUT_STOPPED
};

struct sandbox_end {
	enum sandbox_cut cut;
	int stopped_by;		      /* SANDBOX_CUT_STOPPED: the signal that brig got */
	bool has_status;	      /* init told how the program ended; else init itself was killed */
	int status;		      /* as waitpid(2) has it */
	bool was_out_of_memory;	      /* the kernel killed a process of it */
	bool was_out_of_pids;	      /* the kernel refused it a process */
	bool is_over_output;	      /* more was written than allowed, if only at its end */
	uint64_t cpu_time, cpu_limit; /* nanoseconds; limit 0: none */
};

/* Fills verdict, exit_status, exit_code, signal and oom. */
void sandbox_verdict_decide(const struct sandbox_end *end, struct sandbox_result *ret);
/* Nothing ran, or what ran was not seen to its end, for that reason: the same members and error. */
void sandbox_verdict_fail(const struct error *error, struct sandbox_result *ret);
/* Which of the limits that brig itself holds ended it, as the audit trail calls them; NULL: none. */
const char *sandbox_verdict_ended_by(enum sandbox_verdict verdict);
