/* exec_floor PID CGROUP-FOLDER COUNT: the least that the kernel has to do for an exec into the container whose first process is
 * PID: a group below CGROUP-FOLDER (of a cgroup2 file system), clone3 into it, setns, execve of the container's /bin/true, its
 * end, and the group's. Prints the median and the fastest time, in microseconds. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sched.h>

#include "base/cleanup.h"
#include "tests/bench/stopwatch.h"

#define JOINED (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP)

static void must(long result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "exec_floor: %s: %s\n", what, strerror(errno));
	_exit(125);
}

static uint64_t measure(int container_fd, const char *group)
{
	uint64_t begin = stopwatch_now();
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int status = -1, cgroup_fd;
	long pid;

	must(mkdir(group, 0755), group);
	cgroup_fd = open(group, O_DIRECTORY | O_CLOEXEC);
	must(cgroup_fd, group);
	args.cgroup = (uint64_t)cgroup_fd;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	must(pid, "clone3");
	if (pid == 0) {
		must(setns(container_fd, JOINED), "join the container");
		must(execl("/bin/true", "/bin/true", NULL), "execute /bin/true");
	}
	must(waitpid((pid_t)pid, &status, 0), "waitpid");
	must(status == 0 ? 0 : -1, "/bin/true");
	close(cgroup_fd);
	must(rmdir(group), group);
	return stopwatch_now() - begin;
}

int main(int argc, char **argv)
{
	size_t count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	AUTO_FREE uint64_t *times = calloc(count + 1, sizeof(*times));
	char group[4096];
	int container_fd;

	if (count == 0 || !times) {
		fputs("usage: exec_floor PID CGROUP-FOLDER COUNT\n", stderr);
		return 2;
	}
	container_fd = (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0);
	must(container_fd, argv[1]);
	must(setns(container_fd, CLONE_NEWPID), "have children in the container's pid namespace");
	snprintf(group, sizeof(group), "%s/exec-floor-%d", argv[2], (int)getpid());
	for (size_t i = 0; i < count; i++)
		times[i] = measure(container_fd, group);
	stopwatch_sort(times, count);
	printf("median_us %.1f fastest_us %.1f\n", (double)times[count / 2] / 1e3, (double)times[0] / 1e3);
	return 0;
}
