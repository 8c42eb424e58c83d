/* The container's first process where brig attends to it (struct child_attendant): a few lines of ours that start the program, reap what
 * loses its parent, and tell how the program ended. With it the program is an ordinary process: signals that it sends itself end
 * it (pid 1 would ignore them: pid_namespaces(7)), and a child that it leaves behind in the background is nobody's zombie. It has the
 * program's user, filter and locks, no descriptor but the attendant's, and dies with brig.
 *
 * Messages (handshake.h) on init_fd: LISTENER with each socket that listens, READY with the descriptor of `handed_over`, answered by CONTINUE, where there is one; FAILED: the program
 * can't be executed; ENDED with its status. The end of file without these: somebody killed init. */
#pragma once

#include "child/child.h"

/* Everything is in place but the program. Ends the process where the attendant is gone. */
int init_begin(struct child *child, struct error *err);
/* Starts the program and stays until it has ended; then this process ends, and all others of the container with it. Returns
 * only where execve(2) fails: a negative errno. */
int init_execute(struct child *child);
