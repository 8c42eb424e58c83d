/* What the floor's filter refused a container: counted in a table of bounded size, at a bounded rate. Pure: who asks the
 * kernel is container/explain/denial_listener.h. Numbers, not names, so that the shim needs no tables of system calls: who reads
 * the document looks the names up. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/json_write.h"

#define DENIALS_ARGUMENTS 6
#define DENIALS_PROGRAM_MAX 16 /* of a task's name, with its end (TASK_COMM_LEN) */

struct denials_limits {
	size_t n_entries; /* different calls; what comes beyond is counted together */
	uint64_t rate;	  /* calls a second that go on for ever */
	uint64_t burst;	  /* calls above that rate, saved up while fewer came */
};

/* The defaults: 256 entries (some 50 KiB at most), 1,000 a second (some 2% of one CPU), 10,000 above. */
extern const struct denials_limits denials_default_limits;

/* One refused call. */
struct denial {
	uint32_t architecture;		       /* AUDIT_ARCH_* */
	uint32_t number;		       /* as seccomp_data.nr */
	uint64_t arguments[DENIALS_ARGUMENTS]; /* as seccomp_data.args */
	pid_t pid;
	struct timespec when; /* CLOCK_REALTIME */
	uint64_t monotonic_ns;
};

/* Why nothing is counted any more. */
enum denials_end {
	DENIALS_GO_ON,
	DENIALS_ENDED,	/* no process of the container is left */
	DENIALS_FLOOD,	/* too many: the listener was closed, the kernel answers ENOSYS by itself */
	DENIALS_FAILED, /* the listener broke, with the same result */
	DENIALS_N_ENDS,
};

struct denials;

/* An empty table with those limits. The first burst is full: a start-up that is refused much is no flood. */
struct denials *denials_new(const struct denials_limits *limits); /* NULL: no memory */
void denials_free(struct denials *denials);
DEFINE_CLEANUP(struct denials *, denials_free);

/* Counts a call. *ret_wants_program: the name of its program is not known yet, denials_add_program() may add it.
 * Returns false (and counts nothing) once the bound on the rate was reached: the caller closes the listener. Memory that runs out counts the
 * call among the others. */
bool denials_add(struct denials *denials, const struct denial *denial, bool *ret_wants_program);
/* The name of the program that made the call added last; program: up to length bytes of any kind, cut off and made
 * printable. */
void denials_add_program(struct denials *denials, const char *program, size_t length);
/* For good; the first reason counts. */
void denials_end(struct denials *denials, enum denials_end end);
enum denials_end denials_state(const struct denials *denials);
uint64_t denials_total(const struct denials *denials);
/* How often each call was refused, whatever its arguments: the first max of them. Returns how many went into ret. */
struct denials_count {
	uint32_t architecture, number;
	uint64_t count;
};
/* The sums, without arguments and times, for counters (docs/monitoring.md) and the audit trail. */
size_t denials_counts(const struct denials *denials, struct denials_count *ret, size_t max);

/* {"state": "listening"|"ended"|"flood"|"failed", "total": N, "others": N, "calls": [{"architecture": AUDIT_ARCH_*,
 * "number": N, "arguments": ["0x..", ...] of the first time, "decisive": [indexes that tell calls of one number apart],
 * "programs": ["name", ...], "count": N, "first": RFC 3339, "last": RFC 3339}, ...]}, in the order of their first time. */
void denials_write_json(const struct denials *denials, struct json_writer *writer);

/* The arguments that say what is asked for, as bits: ioctl's request, socket's family... 0: only the number counts. */
unsigned denials_decisive_arguments(uint32_t architecture, uint32_t number);
