/* The options of `brig update`, and the JSON (an OCI linux.resources object) that they stand for. */
#pragma once

#include "base/buffer.h"
#include "cmd/brig/command.h"

struct update_request {
	const char *id;
	const char *resources; /* a file, "-" for stdin, or NULL */
	struct option_number memory, memory_reservation, memory_swap, kernel_memory, kernel_memory_tcp;
	struct option_number cpu_shares, cpu_quota, cpu_period, cpu_burst, cpu_rt_runtime, cpu_rt_period, cpu_idle;
	struct option_number pids_limit, blkio_weight;
	const char *cpus, *mems;
	const char *l3_cache_schema, *mem_bw_schema;
};

/* Appends the object with the options that were given. Returns how many there are. */
size_t update_request_format(const struct update_request *request, struct buffer *json);
