/* The yardstick: the least that the kernel has to do to start and reap one container of the benchmark's bundle, with no file
 * read, nothing checked and nothing kept. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct floor_request {
	const char *rootfs;	   /* has /bin/true, dev, proc and sys */
	const char *cgroup_parent; /* a folder of a cgroup2 file system */
	unsigned n_filter_ranges;  /* of allowed system calls; 0: no filter */
	bool has_userns;	   /* 65536 ids, mapped to themselves */
	bool keeps_netns;	   /* the caller's network namespace */
};

/* Starts /bin/true and reaps it. Returns the nanoseconds from the beginning to when everything is gone again; a failure ends
 * the program with a message. */
uint64_t floor_measure(const struct floor_request *request);
