/* A filter that asks about each call what the container's own would have decided: for learning which calls are made. */
#pragma once

#include "base/error.h"
#include "parent/seccomp/seccomp.h"

/* Makes of a filter one that notifies a listener of each call which it would have allowed, logged, or failed with an errno (those of the
 * filter that lies beneath as a second one stay what they are). What it kills, it kills. The listener answers what
 * seccomp_evaluate() finds for the filter as it was: never more.
 * Errors: EINVAL (the filter notifies already), those of seccomp_message_let_pass(). */
int seccomp_record_all(struct seccomp_program *program, struct error *err);
