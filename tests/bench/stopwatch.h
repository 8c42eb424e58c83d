/* Times and what to say about many of them. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* Nanoseconds since some moment. */
static inline uint64_t stopwatch_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline int stopwatch_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Sorts times, so that times[0] is the fastest and times[n / 2] the median. */
static inline void stopwatch_sort(uint64_t *times, size_t n)
{
	qsort(times, n, sizeof(*times), stopwatch_compare);
}
