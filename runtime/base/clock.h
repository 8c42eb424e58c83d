/* CLOCK_MONOTONIC, for deadlines and for what something took: it goes on by itself, whoever sets the machine's date. */
#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static inline uint64_t clock_us(void)
{
	return clock_ns() / 1000;
}

/* With a sign, as poll(2) and what is left of a deadline have one. */
static inline int64_t clock_ms(void)
{
	return (int64_t)(clock_ns() / 1000000);
}
