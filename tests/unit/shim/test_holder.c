/* The process that keeps a pod's namespaces: the real one, so this needs root. */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <criterion/criterion.h>

#include "base/syscalls.h"
#include "shim/process/holder.h"
#include "tests/support/scratch.h"

#define PATIENCE UINT64_C(20000000000)

static struct loop *loop;
static unsigned n_ended;

static void set_up(void)
{
	struct error err = { 0 };

	if (geteuid() != 0)
		cr_skip_test("needs root");
	n_ended = 0;
	cr_assert_eq(loop_new(&loop, &err), 0);
}

static void tear_down(void)
{
	loop_free(loop);
}

TestSuite(holder, .init = set_up, .fini = tear_down);

static void count_end(void *context)
{
	(void)context;
	n_ended++;
}

static struct holder *start(const struct holder_options *options)
{
	struct holder_options completed = *options;
	struct holder *holder = NULL;
	struct error err = { 0 };

	completed.loop = loop;
	completed.ended = count_end;
	cr_assert_eq(holder_start(&completed, &holder, &err), 0, "%s", err.message);
	return holder;
}

static ino_t namespace_of(pid_t pid, const char *name)
{
	struct stat status;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	cr_assert_eq(stat(path, &status), 0, "%s", path);
	return status.st_ino;
}

static bool is_new(const struct holder *holder, const char *name)
{
	return namespace_of(holder_pid(holder), name) != namespace_of(getpid(), name);
}

static const char *status_line(pid_t pid, const char *name)
{
	static char line[256];
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	cr_assert_not_null(file);
	while (fgets(line, sizeof(line), file) && strncmp(line, name, strlen(name)) != 0) {}
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* It is gone or a zombie; bounded. */
static void expect_gone(int pidfd)
{
	uint64_t deadline = loop_now() + PATIENCE;
	siginfo_t info = { 0 };

	while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0) {
		cr_assert_lt(loop_now(), deadline, "it does not end");
		sched_yield();
	}
	close(pidfd);
}

Test(holder, keeps_the_namespaces_that_are_asked_for)
{
	static const struct holder_sysctl sysctls[] = { { "kernel.shm_rmid_forced", "1" },
							{ "net.ipv4.ip_unprivileged_port_start", "77" } };
	struct holder *holder = start(&(struct holder_options){
		.namespaces = CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET,
		.hostname = "web-1",
		.sysctls = sysctls,
		.n_sysctls = 2,
	});
	int uts_fd, net_fd;
	char path[64], text[128], port[16] = "";

	cr_expect(is_new(holder, "ipc"));
	cr_expect(is_new(holder, "uts"));
	cr_expect(is_new(holder, "net"));
	cr_expect_not(is_new(holder, "pid"));
	cr_expect_not(is_new(holder, "user"));
	/* As a container does that joins it. */
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", (int)holder_pid(holder));
	uts_fd = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)holder_pid(holder));
	net_fd = open(path, O_RDONLY | O_CLOEXEC);
	holder_free(holder);
	cr_assert_eq(setns(uts_fd, CLONE_NEWUTS), 0);
	cr_assert_eq(setns(net_fd, CLONE_NEWNET), 0);
	cr_assert_eq(gethostname(text, sizeof(text)), 0);
	cr_expect_str_eq(text, "web-1");
	cr_assert_eq(read(open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_RDONLY | O_CLOEXEC), port, 15), 3);
	cr_expect_str_eq(port, "77\n");
	close(uts_fd);
	close(net_fd);
}

Test(holder, has_no_privileges_and_one_descriptor)
{
	struct holder *holder = start(&(struct holder_options){ .namespaces = CLONE_NEWIPC });
	pid_t pid = holder_pid(holder);
	char path[64];
	SCRATCH(scratch);

	cr_expect_str_eq(status_line(pid, "CapEff:"), "CapEff:\t0000000000000000");
	cr_expect_str_eq(status_line(pid, "CapPrm:"), "CapPrm:\t0000000000000000");
	cr_expect_str_eq(status_line(pid, "CapBnd:"), "CapBnd:\t0000000000000000");
	cr_expect_str_eq(status_line(pid, "NoNewPrivs:"), "NoNewPrivs:\t1");
	cr_expect_str_eq(status_line(pid, "Seccomp:"), "Seccomp:\t1");
	cr_expect_str_eq(status_line(pid, "Uid:"), "Uid:\t65534\t65534\t65534\t65534");
	cr_expect_str_eq(status_line(pid, "Groups:"), "Groups:\t ");
	snprintf(path, sizeof(path), "/proc/%d/fd/1", (int)pid);
	cr_expect_neq(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "/proc/%d/fd/0", (int)pid);
	cr_expect_eq(faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW), 0);
	holder_free(holder);
	cr_expect_eq(n_ended, 0, "whoever ends it knows");
	cr_expect_eq(scratch_count(&scratch), 0);
}

Test(holder, is_process_one_and_ends_with_its_namespace)
{
	struct holder *holder = start(&(struct holder_options){ .namespaces = CLONE_NEWPID });
	int pidfd = sys_pidfd_open(holder_pid(holder), 0);

	cr_expect(is_new(holder, "pid"));
	cr_expect_not_null(strstr(status_line(holder_pid(holder), "NSpid:"), "\t1"));
	holder_free(holder);
	expect_gone(pidfd);
}

Test(holder, its_death_is_told)
{
	struct holder *holder = start(&(struct holder_options){ .namespaces = CLONE_NEWIPC });
	uint64_t deadline = loop_now() + PATIENCE;

	kill(holder_pid(holder), SIGKILL);
	while (n_ended == 0) {
		cr_assert_lt(loop_now(), deadline);
		loop_step(loop, 5);
	}
	cr_expect_eq(loop_step(loop, 0), 0, "once");
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "nothing is left to reap");
	holder_free(holder);
	cr_expect_eq(n_ended, 1);
}

/* Even kill -9 of the shim: all its ends of the socket are closed then. */
Test(holder, ends_with_the_shim)
{
	int pair[2], pidfd;
	pid_t shim, pid;
	siginfo_t info;

	cr_assert_eq(pipe2(pair, O_CLOEXEC), 0);
	shim = fork();
	if (shim == 0) {
		struct holder_options options = { .loop = loop, .namespaces = CLONE_NEWIPC, .ended = count_end };
		struct holder *holder = NULL;

		/* Assertions are for the process that Criterion knows. */
		pid = holder_start(&options, &holder, NULL) == 0 ? holder_pid(holder) : -1;
		if (write(pair[1], &pid, sizeof(pid)) == sizeof(pid))
			pause();
		_exit(1);
	}
	close(pair[1]);
	cr_assert_eq(read(pair[0], &pid, sizeof(pid)), sizeof(pid));
	cr_assert_gt(pid, 0, "no holder");
	pidfd = sys_pidfd_open(pid, 0);
	cr_assert_geq(pidfd, 0);
	close(pair[0]);
	kill(shim, SIGKILL);
	cr_assert_eq(waitid(P_PID, (id_t)shim, &info, WEXITED), 0);
	cr_assert_eq(poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, (int)(PATIENCE / 1000000)), 1,
		     "it outlives the shim");
	close(pidfd);
}

Test(holder, joins_the_network_namespace_that_there_is)
{
	struct holder *first = start(&(struct holder_options){ .namespaces = CLONE_NEWNET });
	struct holder *second;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)holder_pid(first));
	second = start(&(struct holder_options){ .namespaces = CLONE_NEWIPC, .network_path = path });
	cr_expect_eq(namespace_of(holder_pid(first), "net"), namespace_of(holder_pid(second), "net"));
	holder_free(first);
	holder_free(second);
}

static pid_t owned_network(int *ret_end)
{
	int ready[2], end[2];
	pid_t pid;
	char byte;

	cr_assert_eq(pipe2(ready, O_CLOEXEC) + pipe2(end, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(end[1]);
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
			_exit(1);
		if (write(ready[1], "", 1) < 0 || read(end[0], &byte, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(ready[1]);
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(end[0]);
	*ret_end = end[1];
	return pid;
}

static void write_map(pid_t pid, const char *file)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	cr_assert_eq(write(fd, "0 100000 1000\n", 14), 14);
	close(fd);
}

Test(holder, is_in_the_user_namespace_of_the_network)
{
	char path[64], uid[64];
	struct holder *holder;
	int end_fd;
	pid_t owner = owned_network(&end_fd);

	write_map(owner, "uid_map");
	write_map(owner, "gid_map");
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)owner);
	holder = start(&(struct holder_options){
		.namespaces = CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID,
		.network_path = path,
		.with_network_owner = true,
		.hostname = "inside",
	});
	cr_expect_eq(namespace_of(holder_pid(holder), "user"), namespace_of(owner, "user"));
	cr_expect_eq(namespace_of(holder_pid(holder), "net"), namespace_of(owner, "net"));
	cr_expect(is_new(holder, "ipc"));
	snprintf(uid, sizeof(uid), "%s", status_line(holder_pid(holder), "Uid:"));
	cr_expect_str_eq(uid, "Uid:\t100000\t100000\t100000\t100000", "root of the pod, nobody on the host");
	cr_expect_str_eq(status_line(holder_pid(holder), "CapEff:"), "CapEff:\t0000000000000000");
	holder_free(holder);
	close(end_fd);
	waitpid(owner, NULL, 0);
}

Test(holder, failures_are_named_and_leave_nothing)
{
	static const struct holder_sysctl missing[] = { { "net.ipv4.no_such_thing", "1" } };
	static const char long_name[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const struct {
		struct holder_options options;
		const char *reason;
	} cases[] = {
		{ { .network_path = "/nowhere" }, "open network namespace /nowhere: No such file" },
		{ { .network_path = "/etc/passwd" }, "enter network namespace /etc/passwd: Invalid argument" },
		{ { .network_path = "/proc/self/ns/net", .with_network_owner = true }, "belongs to the host's" },
		{ { .namespaces = CLONE_NEWUTS, .hostname = long_name }, "set the host name" },
		{ { .namespaces = CLONE_NEWNET, .sysctls = missing, .n_sysctls = 1 },
		  "sysctl net.ipv4.no_such_thing: No such" },
		{ { .namespaces = CLONE_THREAD }, "make its process: Invalid argument" },
	};
	size_t n_fds = scratch_count_fds();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct holder_options options = cases[i].options;
		struct holder *holder = NULL;
		struct error err = { 0 };

		options.loop = loop;
		options.ended = count_end;
		cr_expect_lt(holder_start(&options, &holder, &err), 0, "%zu", i);
		cr_expect_not_null(strstr(err.message, cases[i].reason), "%zu: %s", i, err.message);
		cr_expect_not_null(strstr(err.message, "hold the pod's namespaces: "), "%s", err.message);
		cr_expect_null(holder);
	}
	cr_expect_eq(scratch_count_fds(), n_fds);
	/* A holder that had failed may take a moment to end. */
	for (uint64_t deadline = loop_now() + PATIENCE; waitpid(-1, NULL, WNOHANG) >= 0;)
		cr_assert_lt(loop_now(), deadline, "a process is left");
	cr_expect_eq(n_ended, 0);
}
