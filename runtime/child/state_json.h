/* The container's state as the OCI specification has it for hooks and seccomp agents. */
#pragma once

#include "base/json_write.h"
#include "plan/plan.h"

/* Writes one object. pid: as the host counts it. status: "creating", "created", "running" or "stopped" (runtime.md "State"). */
void state_json_write(struct json_writer *writer, const struct plan *plan, int pid, const char *status);
