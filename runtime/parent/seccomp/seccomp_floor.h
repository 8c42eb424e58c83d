/* brig's own system call filters, built into the program: the floor beneath any filter of config.json, and the filter of
 * containers whose config.json has none. What they say: seccomp-profiles/, docs/seccomp.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "parent/seccomp/seccomp.h"
#include "plan/plan.h"

/* The program of a profile on this machine.
 *
 * floor: STRICT or BASELINE. capabilities: the container's bounding set as a mask (1 << CAP_...); some calls are allowed
 * with a capability only. notifies: what would be denied with EPERM goes to a listener instead, which has to deny it;
 * ENOSYS and the other codes stay what they are.
 * ret: instructions owned by the caller (seccomp_program_done()), flags as seccomp(2) takes them: with notifies NEW_LISTENER
 * and WAIT_KILLABLE_RECV, so that a signal does not make a call be asked about twice. Untouched on failure.
 * Errors: EINVAL (no such floor), EOPNOTSUPP (no filters for this machine's architecture), ENOMEM. */
int seccomp_floor_program(enum plan_floor floor, uint64_t capabilities, bool notifies, struct seccomp_program *ret,
			  struct error *err);

/* Turns the EPERM answers of a program into notifications of a listener. What jumps stay as they are. */
void seccomp_floor_notify(struct seccomp_program *program);

/* A short text that changes with the policies and with brig's version: "0.1.0-12ab34cd56ef". */
const char *seccomp_floor_version(void);
