/* Which system calls a container's programs make, recorded from execve on, and the smallest seccomp profile of OCI's form that lets
 * them through. While it is recorded each call is asked about at a listener of ours, which answers what the container's own filter
 * and the floor would have answered: recording opens nothing. See docs/learn.md.
 *
 * For `brig learn`, and for whoever else runs a container in the foreground: learn_new(), brig_create.learn, brig_run(),
 * learn_write_profile(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "plan/plan.h"

struct learn;

/* NULL: no memory. */
struct learn *learn_new(void);
void learn_free(struct learn *learn);
DEFINE_CLEANUP(struct learn *, learn_free);

/* Makes the plan one that asks about each call, and what the answers are taken from. Before the process is made; plan outlives nothing.
 * Errors: ERROR_UNSUPPORTED (config.json's filter has a listener of its own), and those of seccomp_program_get(). */
int learn_begin(struct learn *learn, struct plan *plan, struct error *err);
/* Answers a batch of what waits at listener_fd without waiting itself; for when poll(2) reports anything there. learn: a struct learn *,
 * so that it can be handed on as it is. Returns 1: go on. 0: no process is left behind it. Negative errno: it is broken; to be
 * closed either way. Source: seccomp_unotify(2). */
int learn_attend(void *learn, int listener_fd);

/* How many calls were made in all. */
uint64_t learn_total(const struct learn *learn);
/* How many calls the filter or the floor refused with something other than ENOSYS, and their names, sorted, with spaces between,
 * appended to out. */
size_t learn_refused(const struct learn *learn, struct buffer *out);

struct learn_how {
	const char *merge; /* path of a profile (the object, or a config.json that has one) whose rules stay; or NULL */
	bool beyond_floor; /* what was refused is allowed as well. brig's floor refuses it all the same */
};
/* Appends the profile as JSON, indented, to out. Rules are in the order of names. Errors: those of the file to merge. */
int learn_write_profile(const struct learn *learn, const struct learn_how *how, struct buffer *out, struct error *err);
/* Compares the profile in the file old_path with the text of another: appends one line for each rule that one of both lacks, as diff(1)
 * does, and nothing where they say the same. *ret_differs: they don't. Errors: those of either document. */
int learn_diff(const char *old_path, const struct buffer *profile, struct buffer *out, bool *ret_differs,
	       struct error *err);
