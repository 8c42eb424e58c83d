/* The host's ps(1): executed in a clean environment, and its table reduced to some processes. */
#pragma once

#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

/* Appends what ps prints with these arguments (NULL or empty: -ef). Returns 0 or a negative errno with err set. */
int ps_program_run(const char *const *arguments, struct buffer *output, struct error *err);
/* Appends the heading of table and the lines whose column PID is one of pids. Pure. ERROR_INVALID where there is no such column. */
int ps_program_filter(const char *table, const pid_t *pids, size_t n, struct buffer *ret, struct error *err);
