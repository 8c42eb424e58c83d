/* The socket of a pod's shim: who listens there, and whose turn it is. One `start` or `delete` at a time looks and acts, by a lock
 * on the directory. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* Without waiting for a turn: does a shim listen there? Where it says no, claim finds out for sure. */
bool pod_socket_is_served(const char *path);
/* Listens at path, in place of a shim that is dead. *ret_fd: the listening socket, close-on-exec, or -EBADF where a shim listens
 * there already. Returns 0 or a negative errno with err set. */
int pod_socket_claim(const char *path, int *ret_fd, struct error *err);
/* Removes the socket at path where nobody listens. Anything else stays. */
int pod_socket_remove_stale(const char *path, struct error *err);
