/* What follows the moment in which a container's program runs. */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "plan/plan.h"

/* The poststart hooks; where one fails, the start has failed (OCI 1.3) and the container is killed through pidfd. */
int start_run_hooks(const struct plan *plan, pid_t pid, int pidfd, struct error *err);
