/* What a Checkpoint asks for, from its path and containerd's options. Pure. Internal to the service. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "container/brig.h"
#include "shim/proto/task.pb-c.h"

/* ret's strings are asked's, or in the arena. An option that brig does not offer is an error that names it. */
int task_images_read(const Wire__CheckpointTaskRequest *asked, struct arena *arena, struct brig_images *ret,
		     struct error *err);
