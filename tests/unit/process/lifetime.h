/* Processes that tests make end with the test, also where it crashes: they hold the runner's pipes open. */
#pragma once

#include <signal.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define LIFETIME_LOOK ((struct timespec){ .tv_nsec = 100 * 1000 * 1000 })

/* In the process: waits until a signal ends it, or test is gone. */
__attribute__((noreturn)) static inline void lifetime_wait(pid_t test)
{
	while (kill(test, 0) == 0)
		nanosleep(&LIFETIME_LOOK, NULL);
	_exit(1);
}
