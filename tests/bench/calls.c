/* calls COUNT: makes each of a few system calls COUNT times, in batches, and prints what one took in the fastest batch (what else the
 * machine does only ever makes them slower), a line each: name and nanoseconds. What a container runs that bench/filter measures. */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/stopwatch.h"

static int null_fd, pipe_fd, socket_fd;

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

/* So are these, by strict and not by engines: TIOCSTI and TCP_ULP. */
static long call_ioctl(void)
{
	int n;

	return ioctl(pipe_fd, FIONREAD, &n) == 0;
}

static long call_setsockopt(void)
{
	const int one = 1;

	return setsockopt(socket_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0;
}

static const struct {
	const char *name;
	long (*call)(void);
} calls[] = {
	{ "getppid", call_getppid },	 { "read", call_read },	  { "openat+close", call_open },
	{ "socket+close", call_socket }, { "ioctl", call_ioctl }, { "setsockopt", call_setsockopt },
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
	int fds[2];

	null_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (count <= 0 || null_fd < 0 || socket_fd < 0 || pipe(fds) < 0)
		return 2;
	pipe_fd = fds[0];
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
