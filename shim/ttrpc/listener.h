/* The listening socket of a shim: a file that root alone can reach. Never abstract (CVE-2020-15257). */
#pragma once

#include "base/error.h"

#define LISTENER_PATH_MAX 106 /* bytes; containerd's own limit */

/* Listens at path (absolute), non-blocking. Its directory is made with mode 0700 where it is missing; one that others could
 * write to, or that is not ours, is refused. The socket file has mode 0600 from the beginning.
 * A descriptor, or a negative errno with err set: -EADDRINUSE where the file exists already (connecting tells
 * whether somebody listens there), -EPERM for such a directory, -ENAMETOOLONG. */
int listener_open(const char *path, struct error *err);
/* Takes the next peer: a connected socket, non-blocking. -EAGAIN: none waits; -EACCES: one was refused, which was not root
 * (SO_PEERCRED, unix(7)) and is disconnected; -EMFILE and so on: it still waits. */
int listener_accept(int listen_fd);
