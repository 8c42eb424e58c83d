/* Hooks of the OCI specification: run by the parent (runtime's namespaces) or by the child (container's). */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "plan/plan.h"

/* Runs the hooks of one kind in order, each with the container's state on stdin, nothing of our environment or descriptors,
 * and its own time-out (seconds; then it is killed with its process group). Stops at the first failure, whose message holds
 * the end of what the hook wrote; with poststop hooks a failure is logged as a warning and the next one runs. pid: of the container as the host counts it. status: "creating", "running"...
 * Source: OCI config.md "POSIX-platform Hooks", runtime.md "State". */
int hooks_run(const struct plan *plan, enum plan_hook_kind kind, int pid, const char *status, struct error *err);
/* May the agent of linux.seccomp.listenerPath be one that a hook of the creation starts? Then run connects to it after those. */
bool hooks_precede_agent(const struct plan *plan);
