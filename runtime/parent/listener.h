/* The listener of a system call filter that notifies: handed to the agent that config.json names. */
#pragma once

#include "base/error.h"
#include "plan/plan.h"

/* Connects to linux.seccomp.listenerPath, before there is a program whose calls the agent would have to answer: without an agent none
 * begins. ret_agent_fd: a connection; untouched where the plan has no such path. */
int listener_connect(const struct plan *plan, int *ret_agent_fd, struct error *err);
/* Sends the container's process state with the descriptor, by a connection of listener_connect.
 * Source: OCI runtime.md, config-linux.md "The Container Process State". */
int listener_hand_over(const struct plan *plan, pid_t pid, int agent_fd, int listener_fd, struct error *err);
