/* The shim's log: the fifo `log` in the bundle, which containerd reads. */
#pragma once

#include "base/error.h"
#include "base/log.h"

/* Opens the log so that it never blocks and never ends the shim: with nobody to read it, lines are dropped once the fifo is full. Without
 * such a fifo (other callers have none) errors go to stderr alone. *ret_fd keeps the fifo open, or is -EBADF. */
int log_fifo_open(const char *bundle, enum log_level level, int *ret_fd, struct error *err);
