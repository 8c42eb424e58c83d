/* Parts of brig explain: what is found in the running container, held against what the plan said at create; and what would let a
 * refused call through. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "container/explain/denial_document.h"
#include "container/explain/expectation.h"
#include "container/store.h"

#define EXPLAIN_DETAIL_MAX 320

struct explain_finding {
	const char *name; /* short and stable, for programs: "no_new_privs" */
	bool disagrees;	  /* with the plan */
	uint64_t holds;	  /* of a limit: the least of the group's own and of those above; 0: there is none */
	char detail[EXPLAIN_DETAIL_MAX];
};

struct explain_findings {
	struct arena *arena; /* the caller's: the list grows in it */
	struct explain_finding *list;
	size_t n, capacity, n_flagged;
};

/* One more. Where the arena has no room for it, it is counted if it disagrees, and else dropped. */
void explain_find(struct explain_findings *findings, const char *name, bool agrees, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Of the limit that was found last, by its name. */
void explain_holds(struct explain_findings *findings, const char *name, uint64_t holds);

/* Reads /proc/PID of the container's first process, which runs. Nothing below the container's own /proc or root is opened. */
void explain_posture(const struct container *container, const struct expectation *expected,
		     struct explain_findings *findings);
/* Its part for mounts. */
void explain_mounts(int proc_fd, const struct expectation *expected, struct explain_findings *findings);

/* ---- explain_limits.c ---- */

/* The limits that the kernel has. */
void explain_limits(const struct container *container, const struct expectation *expected,
		    struct explain_findings *findings);

/* ---- explain_posture_text.c: pure ---- */

/* The number behind key in the text of /proc/PID/status, in this base. False where there is none. */
bool explain_status_number(const char *text, const char *key, int base, uint64_t *ret);
/* Is the text of uid_map or gid_map these ranges, in any order, and nothing else? */
bool explain_map_agrees(const char *text, const struct expected_range *ranges, size_t n);
/* Does the text of mountinfo have a mount at path, or above it where that is one of the masked paths? proc and sysfs are
 * looked at only: whether the container has other paths, the host can't tell. */
enum explain_mask { EXPLAIN_MASKED, EXPLAIN_NOT_MASKED, EXPLAIN_NOT_THERE };
/* mountinfo: the text of /proc/PID/mountinfo (proc_pid_mountinfo(5)). path: absolute, without a slash at its end. */
enum explain_mask explain_mask_of(const char *mountinfo, const char *path);
/* MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID and MOUNT_ATTR_NODEV of the mount on top at path, per mount. False: there is none. */
bool explain_mount_attributes(const char *mountinfo, const char *path, uint64_t *ret);
/* Is the mount at path, or the nearest above it, not read-only? Only below proc and sysfs, as for masks. */
bool explain_is_writable(const char *mountinfo, const char *path);

/* ---- explain_advice.c: pure ---- */

/* What a call that is let through opens, in a few words. */
const char *explain_what_opens(const char *call);
/* The rule that allows it, as linux.seccomp.syscalls has it, with the arguments that counted. */
void explain_rule(const struct denial_call *call, const char *name, struct buffer *out);
