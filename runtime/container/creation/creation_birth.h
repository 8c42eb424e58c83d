/* From a decision and a cgroup to a process, with its state on disk and its lines in the audit trail. */
#pragma once

#include "container/creation/creation.h"

/* Errors are the caller's to undo. */
int creation_birth_give(struct creation *creation, struct error *err);
/* The same out of request->images. */
int creation_birth_restore(struct creation *creation, struct error *err);
