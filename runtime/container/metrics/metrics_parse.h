/* The text of a cgroup's files as numbers of struct brig_metrics. Pure. A key that is not there leaves its number alone. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "container/brig_group.h"

/* Text of a "name number" file of the kernel's: each name that is known is added to its member (several names may make up one),
 * all others are passed over. Times in microseconds, memory in bytes. Sources: cgroup-v2.rst, cgroup-v1/memory.rst,
 * sched-bwc.rst. */
void metrics_parse_cpu(const char *text, struct brig_metrics *metrics);		  /* v2: cpu.stat */
void metrics_parse_cpu_v1(const char *text, struct brig_metrics *metrics);	  /* v1: cpu.stat */
void metrics_parse_memory(const char *text, struct brig_metrics *metrics);	  /* v2: memory.stat */
void metrics_parse_memory_v1(const char *text, struct brig_metrics *metrics);	  /* v1: memory.stat */
void metrics_parse_memory_events(const char *text, struct brig_metrics *metrics); /* v2: memory.events */
/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", "full ...". */
void metrics_parse_pressure(const char *text, struct brig_pressure *ret);
/* A whole number, or "max": UINT64_MAX, as are v1's huge ones. */
uint64_t metrics_parse_limit(const char *text);
/* v2: io.stat, "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0". The entries are in the arena. */
int metrics_parse_io(const char *text, struct arena *arena, struct brig_metrics *metrics, struct error *err);
/* v1: blkio.throttle.io_service_bytes_recursive and .io_serviced_recursive, "8:0 Read 1" and so on. */
int metrics_parse_io_v1(const char *bytes, const char *operations, struct arena *arena, struct brig_metrics *metrics,
			struct error *err);
