#include "container/checkpoint/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/reap.h"
#include "base/syscalls.h"
#include "parent/cgroup/cgroup.h"

#define LOG_MAX ((size_t)16 * 1024 * 1024)
#define VERSION_MAX 4096
#define REASON_MAX 300
#define EXIT_NOT_EXECUTED 127

/* No environment of the caller's decides which programs root runs. */
static const char *const environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL };
static const char *const places[] = { "/usr/local/sbin/criu", "/usr/local/bin/criu", "/usr/sbin/criu", "/usr/bin/criu" };

struct child {
	int criu_fd, output_fd;
	const char *const *argv;
	const struct criu_job *job;
	const struct criu_place *place; /* restore */
	int go_fd;			/* restore: readable once we are in the cgroup */
	pid_t parent;
};

static int attach_root(const struct child *child)
{
	const char *path = child->job->plan->rootfs.path;

	/* Its own view of the mounts, so that the host never has the root file system twice. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	if (child->place->root_mount_fd >= 0)
		return move_mount(child->place->root_mount_fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
	return mount(path, path, NULL, MS_BIND | MS_REC, NULL);
}

/* Descriptors to the numbers that the command line names. Of ours only the network's may be among them before. */
static int place_descriptors(const struct child *child)
{
	if (child->place->network_fd >= 0 && dup2(child->place->network_fd, CRIU_NETWORK_FD) < 0)
		return -1;
	for (int i = 0; i < CRIU_STREAMS; i++) {
		if (*child->job->streams[i] && dup2(i, CRIU_STREAM_FD + i) < 0)
			return -1;
	}
	return 0;
}

static int prepare_restore(const struct child *child)
{
	char go;

	/* What it has made by then is found by its cgroup. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != child->parent || read(child->go_fd, &go, 1) != 1)
		return -1;
	return attach_root(child) < 0 ? -1 : place_descriptors(child);
}

static _Noreturn void be_criu(const struct child *child)
{
	int null_fd = -EBADF;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	setsid();
	if (child->place && prepare_restore(child) < 0)
		_exit(EXIT_NOT_EXECUTED);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(child->output_fd, 1) < 0 || dup2(child->output_fd, 2) < 0)
		_exit(EXIT_NOT_EXECUTED);
	/* What has no number of its own here is close-on-exec; so is what the caller of brig may have handed to us: not CRIU's. */
	sys_close_range(3, CRIU_STREAM_FD - 1, CLOSE_RANGE_CLOEXEC);
	sys_close_range(CRIU_NETWORK_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	/* A script's interpreter looks for it by this number. */
	fcntl(child->criu_fd, F_SETFD, 0);
	execveat(child->criu_fd, "", (char *const *)child->argv, (char *const *)environment, AT_EMPTY_PATH);
	_exit(EXIT_NOT_EXECUTED);
}

/* Above the numbers that are handed on. */
static int raise_fd(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, CRIU_NETWORK_FD + 1);
}

static int await(pid_t pid, struct error *err)
{
	int status = reap_child(pid);

	if (status < 0)
		return error_system(err, -status, "wait for criu");
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return error_set(err, ERROR_SYSTEM, EIO, "criu was ended by signal %d", WTERMSIG(status));
}

/* Returns its exit status, or a negative errno with err set. A child of brig's own that waits for a byte: CRIU is to be in the
 * cgroup before it makes anything, and what it makes is then there as well. */
static int run(struct child *child, struct error *err)
{
	AUTO_CLOSE int go_read = -EBADF, go_write = -EBADF, output_fd = raise_fd(child->output_fd);
	int pipe_fds[2] = { -EBADF, -EBADF };
	pid_t pid;
	int rc = 0;

	if (output_fd < 0 || pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_system(err, errno, "make a pipe for criu");
	go_read = raise_fd(pipe_fds[0]);
	go_write = pipe_fds[1];
	close(pipe_fds[0]);
	child->go_fd = go_read;
	child->output_fd = output_fd;
	child->parent = getpid();
	pid = fork();
	if (pid < 0)
		return error_system(err, errno, "fork for criu");
	if (pid == 0)
		be_criu(child);
	if (child->place)
		rc = cgroup_join(child->place->cgroup, pid, /* cloned= */ false, err);
	if (rc >= 0 && child->place && write(go_write, "", 1) != 1)
		rc = error_system(err, errno, "let criu begin");
	if (rc >= 0)
		return await(pid, err);
	kill(pid, SIGKILL);
	reap_child(pid);
	return rc;
}

/* Only root decides what root runs. */
static int open_program(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_uid != 0 ||
	    status.st_mode & (S_IWGRP | S_IWOTH) || !(status.st_mode & S_IXUSR))
		return -EBADF;
	return raise_fd(fd);
}

static int ask_version(int criu_fd, unsigned *ret_major, unsigned *ret_minor, struct error *err)
{
	static const char *const argv[] = { "criu", "--version", NULL };
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	AUTO_CLOSE int read_fd = -EBADF, write_fd = -EBADF;
	int pipe_fds[2], rc;
	const char *found;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_system(err, errno, "make a pipe for criu");
	read_fd = pipe_fds[0];
	write_fd = pipe_fds[1];
	rc = run(&(struct child){ .criu_fd = criu_fd, .argv = argv, .output_fd = write_fd }, err);
	/* Or the end of what it says would never come. */
	close_and_reset(&write_fd);
	if (rc >= 0)
		rc = fd_read_all(read_fd, VERSION_MAX, &text, "what criu --version says", err);
	if (rc < 0)
		return rc;
	found = text.data ? strstr(text.data, "Version: ") : NULL;
	if (!found || sscanf(found, "Version: %u.%u", ret_major, ret_minor) != 2)
		return error_set(err, ERROR_UNSUPPORTED, ENOSYS, "criu --version says \"%.100s\", and no version",
				 text.data ?: "");
	return 0;
}

int criu_open(int *ret_fd, bool *ret_can_skip_lock, struct error *err)
{
	AUTO_CLOSE int fd = -EBADF;
	unsigned major = 0, minor = 0;
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(places) && fd < 0; i++)
		fd = open_program(places[i]);
	if (fd < 0)
		return error_set(
			err, ERROR_UNSUPPORTED, ENOENT,
			"CRIU is not installed: no program criu that belongs to root in /usr/local/sbin, /usr/local/bin, "
			"/usr/sbin or /usr/bin; install the package criu");
	rc = ask_version(fd, &major, &minor, err);
	if (rc < 0)
		return rc;
	*ret_can_skip_lock = major > 3 || (major == 3 && minor >= 18);
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* The last error of the log but the summary at its end. */
static void read_reason(const char *folder, const char *name, char reason[static REASON_MAX])
{
	AUTO_CLOSE int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { .limit = LOG_MAX };
	char *rest, *line;

	snprintf(reason, REASON_MAX, "no reason is in its log");
	if (fd < 0 || fd_read_all(fd, LOG_MAX, &text, name, NULL) < 0 || !text.data)
		return;
	rest = text.data;
	while ((line = strsep(&rest, "\n"))) {
		const char *error = strstr(line, "Error (");

		if (error && !strstr(error, " FAILED."))
			snprintf(reason, REASON_MAX, "%s", error);
	}
}

/* CRIU's exit status says no more than that it failed; the reason is a line of its log. */
static int judge(int status, const struct criu_job *job, const char *log, struct error *err)
{
	char reason[REASON_MAX];

	if (status <= 0)
		return status;
	if (status == EXIT_NOT_EXECUTED)
		return error_set(err, ERROR_SYSTEM, EIO,
				 "criu could not be started, or its root file system %s not be mounted",
				 job->plan->rootfs.path);
	read_reason(job->images->work_path, log, reason);
	return error_set(err, ERROR_UNSUPPORTED, EIO, "criu: %s; its log is %s/%s", reason, job->images->work_path, log);
}

static int run_quietly(struct child *child, const char *log, struct error *err)
{
	AUTO_CLOSE int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int rc;

	if (!child->argv)
		return error_memory(err);
	if (null_fd < 0)
		return error_system(err, errno, "open /dev/null");
	child->output_fd = null_fd;
	rc = run(child, err);
	return rc < 0 ? rc : judge(rc, child->job, log, err);
}

int criu_dump(int criu_fd, const struct criu_job *job, struct arena *arena, struct error *err)
{
	struct child child = { .criu_fd = criu_fd, .job = job, .argv = criu_arguments_dump(arena, job) };

	return run_quietly(&child, CRIU_DUMP_LOG, err);
}

int criu_restore(int criu_fd, const struct criu_job *job, const struct criu_place *place, struct arena *arena,
		 struct error *err)
{
	struct child child = { .criu_fd = criu_fd, .job = job, .place = place, .argv = criu_arguments_restore(arena, job) };

	return run_quietly(&child, CRIU_RESTORE_LOG, err);
}
