/* state.json as text, and the process that it names. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "container/store.h"

/* ENOENT (ERROR_SYSTEM) where there is no state.json. */
int state_read(int dir_fd, struct arena *arena, struct state *ret, struct error *err);
int state_write(int dir_fd, const struct state *state, struct error *err);
/* Field 22 of /proc/PID/stat, 0 where the process is gone or a zombie. */
uint64_t state_process_start_time(int pid);
/* Has the container's process ended, or begun to? One that ends has no namespaces any more, and is there until all others in its own pid
 * namespace are reaped. */
bool state_process_is_ending(const struct state *state);
/* Has it called execve(2) with success since it was forked? False where there is no such process. */
bool state_process_has_executed(int pid);
/* A pidfd of the container's process, -ESRCH where it is gone. */
int state_open_process(const struct state *state);
