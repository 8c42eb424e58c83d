/* Points in time in messages. Internal to the service. */
#pragma once

#include <time.h>

#include "shim/proto/common.pb-c.h"

/* Fills storage; returns it, or NULL for the time that never was (all zero). */
static inline Wire__Timestamp *task_time(struct timespec when, Wire__Timestamp *storage)
{
	if (when.tv_sec == 0 && when.tv_nsec == 0)
		return NULL;
	wire__timestamp__init(storage);
	storage->seconds = when.tv_sec;
	storage->nanos = (int32_t)when.tv_nsec;
	return storage;
}
