/* Compiled filters on disk, so that the same profile is compiled once. What doesn't prove to be ours is never used. */
#pragma once

#include <stdbool.h>

#include "parent/seccomp/seccomp.h"

/* true: *ret (untouched otherwise) holds the program of plan. dir_fd: a directory of ours, or of root's, that nobody else
 * can write. */
bool seccomp_cache_load(const struct plan_seccomp *plan, int dir_fd, struct seccomp_program *ret);
/* A failure is a debug line: the next caller compiles again. */
void seccomp_cache_store(const struct plan_seccomp *plan, int dir_fd, const struct seccomp_program *program);
