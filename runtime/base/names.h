/* Names that documents and command lines use for the kernel's numbers, with lookup both ways. Constant data only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name {
	const char *text;
	uint64_t value; /* where one value has several names, the first is the one that is printed */
};

struct name_table {
	const char *what; /* one entry, for messages: "capability" */
	const struct name *list;
	size_t n;
};

extern const struct name_table names_capabilities;	/* CAP_CHOWN .. CAP_CHECKPOINT_RESTORE -> 0..40 */
extern const struct name_table names_signals;		/* SIGHUP .. SIGSYS, without the real-time ones */
extern const struct name_table names_rlimits;		/* RLIMIT_AS ... */
extern const struct name_table names_namespaces;	/* "pid" -> CLONE_NEWPID ... */
extern const struct name_table names_propagations;	/* "shared" -> MS_SHARED, "rshared" -> MS_SHARED | MS_REC ... */
extern const struct name_table names_seccomp_actions;	/* SCMP_ACT_* -> SECCOMP_RET_*, data 0 */
extern const struct name_table names_seccomp_archs;	/* SCMP_ARCH_* -> AUDIT_ARCH_*; X32 as libseccomp's own token */
extern const struct name_table names_seccomp_operators; /* SCMP_CMP_* -> enum seccomp_operator */
extern const struct name_table names_seccomp_flags;	/* SECCOMP_FILTER_FLAG_* */
extern const struct name_table names_personalities;	/* LINUX, LINUX32 -> PER_* */
extern const struct name_table names_scheduler_policies; /* SCHED_* */
extern const struct name_table names_scheduler_flags;	 /* SCHED_FLAG_* */
extern const struct name_table names_io_classes;	 /* IOPRIO_CLASS_* */
extern const struct name_table names_memory_modes;	 /* MPOL_* */
extern const struct name_table names_memory_flags;	 /* MPOL_F_* */
extern const struct name_table names_clocks;		 /* "monotonic", "boottime" -> CLOCK_* */
extern const struct name_table names_device_types;	 /* nodes: "c", "b", "u", "p" -> the character */
extern const struct name_table names_device_rule_types;	 /* cgroup rules: "a", "b", "c" -> the character */

/* The values are those of libseccomp's enum scmp_compare. */
enum seccomp_operator {
	SECCOMP_OPERATOR_NE = 1,
	SECCOMP_OPERATOR_LT,
	SECCOMP_OPERATOR_LE,
	SECCOMP_OPERATOR_EQ,
	SECCOMP_OPERATOR_GE,
	SECCOMP_OPERATOR_GT,
	SECCOMP_OPERATOR_MASKED_EQ,
};

/* libseccomp's token for the x32 ABI of x86_64, which the kernel has no AUDIT_ARCH_ value for. */
#define NAMES_ARCH_X32 UINT64_C(0x4000003e)

/* Exact and case-sensitive. Returns false, and leaves *ret alone, where the table lacks text. */
bool names_find(const struct name_table *table, const char *text, uint64_t *ret);
/* As names_find, for text that is not terminated. */
bool names_find_n(const struct name_table *table, const char *text, size_t length, uint64_t *ret);
/* The name of value, or NULL. */
const char *names_text(const struct name_table *table, uint64_t value);
/* "A, B, C" into text, for error messages; ends in "..." where size bytes don't hold it. Returns text. */
const char *names_list(const struct name_table *table, char *text, size_t size);

/* A capability's number from "CAP_KILL", "KILL" or "kill"; -1 where it is unknown. */
int names_capability(const char *text);
/* A signal's number from "SIGTERM", "TERM", "term", "15", "RTMIN+3" or "SIGRTMAX-1"; -1 where it is unknown. 0 is not one. */
int names_signal(const char *text);
