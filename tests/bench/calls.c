/* calls COUNT: makes each of a few system calls COUNT times, in batches, and prints what one took in the fastest batch (what else the
 * machine does only ever makes them slower), a line each: name and nanoseconds. What a container runs that bench/filter measures. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/stopwatch.h"

static int null_fd;

static long call_getppid(void)
{
	return syscall(SYS_getppid) >= 0;
}

static long call_read(void)
{
	char byte;

	return read(null_fd, &byte, 1) == 1;
}

static long call_open(void)
{
	int fd = open("/", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && close(fd) == 0;
}

/* Its arguments are looked at. */
static long call_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && close(fd) == 0;
}

static const struct {
	const char *name;
	long (*call)(void);
} calls[] = {
	{ "getppid", call_getppid },
	{ "read", call_read },
	{ "openat+close", call_open },
	{ "socket+close", call_socket },
};

#define BATCHES 100

/* Of one batch; 0: a call failed. */
static uint64_t measure(long (*call)(void), long count)
{
	uint64_t began = stopwatch_now();

	for (long n = 0; n < count; n++)
		if (!call())
			return 0;
	return stopwatch_now() - began;
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[1], NULL, 10) / BATCHES : 0;

	null_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	if (count <= 0 || null_fd < 0)
		return 2;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		uint64_t fastest = UINT64_MAX;

		for (int batch = 0; batch < BATCHES; batch++) {
			uint64_t took = measure(calls[i].call, count);

			if (took == 0)
				return 1;
			fastest = took < fastest ? took : fastest;
		}
		printf("%s %.1f\n", calls[i].name, (double)fastest / (double)count);
	}
	return 0;
}
