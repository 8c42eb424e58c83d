/* The process of an exec: a file's, or the container's own with what the command line changes. */
#pragma once

#include "base/error.h"
#include "container/brig.h"
#include "spec/spec.h"

/* ret borrows from request and lives in container's arena. */
int exec_process_build(const struct brig_exec *request, struct spec *container, struct spec_process *ret,
		       struct error *err);
