/* The listener of a system call filter that notifies: handed to the agent that config.json names. */
#pragma once

#include "base/error.h"
#include "plan/plan.h"

/* Connects to linux.seccomp.listenerPath and sends the container's process state with the descriptor.
 * Source: OCI runtime.md, config-linux.md "The Container Process State". */
int listener_hand_over(const struct plan *plan, pid_t pid, int listener_fd, struct error *err);
