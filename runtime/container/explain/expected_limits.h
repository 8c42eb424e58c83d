/* The limits that brig gave a container last: those of its plan (report.json), or, once there was a brig update, of the plan and all updates
 * together (limits.json beside it). For brig explain. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json_write.h"
#include "plan/plan.h"

#define EXPECTED_LIMITS_FILE "limits.json"

struct expected_limits {
	int64_t memory, pids, cpu_quota; /* bytes; processes and threads; microseconds in each period; 0: no limit */
	uint64_t cpu_period;		 /* microseconds; 0: nobody gave one, or a brig wrote it that did not keep it */
};

/* What resources name becomes so in ret, and nothing else does. Pure. */
void expected_limits_take(struct expected_limits *ret, const struct plan_resources *resources);
/* In thousandths of a processor, as the kernel's files are read; 0: no limit, or not known. */
uint64_t expected_limits_cpu(const struct expected_limits *limits);
/* Members of an object; none for 0. */
void expected_limits_write(const struct expected_limits *limits, struct json_writer *writer);

/* Replaces the file. */
int expected_limits_save(int dir_fd, const struct expected_limits *limits, struct error *err);
/* 1: ret is what the file has; 0: there is none, and ret stays. */
int expected_limits_read(int dir_fd, struct arena *arena, struct expected_limits *ret, struct error *err);
