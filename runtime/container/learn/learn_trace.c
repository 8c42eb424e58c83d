#include "container/learn/learn_trace.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/syscalls.h"
#include "container/learn/learn_internal.h"
#include "parent/seccomp/seccomp_arch.h"

#define EVENT "events/raw_syscalls/sys_enter/enable"
#define MARK "sys_enter: NR "
#define LOST "[LOST "
#define BUFFER_KB "4096"       /* for each processor */
#define INSTANCE "brig-learn-" /* and who made it */
#define LOOK_AGAIN_MS 500
#define DRAIN_MS 5000
#define PIDS_ARENA ((size_t)4 * 1024 * 1024)
#define INITIAL_PID_NAMESPACE UINT64_C(0xeffffffc) /* PROC_PID_INIT_INO */
#define CHUNK 65536

struct trace {
	struct learn *learn;
	const struct brig *brig;
	const char *id;
	char name[32]; /* of the instance */
	int instances_fd, instance_fd, pipe_fd, pidfd, signal_fd;
	bool is_made;
	int64_t end_ms; /* on CLOCK_MONOTONIC; 0: none */
	uint64_t lost;
	bool is_cut; /* not all that was in the buffer was read */
	char text[CHUNK];
	size_t length;
};

/* ---- the tracer ---- */

bool learn_trace_parse(const char *line, struct learn_trace_call *ret)
{
	const char *at = NULL;
	struct learn_trace_call call = { 0 };
	int end = 0;

	/* Before it is the program's name, which may be anything: the last one counts. */
	for (const char *next = strstr(line, MARK); next; next = strstr(next + 1, MARK))
		at = next;
	if (!at || sscanf(at + strlen(MARK), "%d (%lx, %lx, %lx, %lx, %lx, %lx)%n", &call.number, &call.arguments[0],
			  &call.arguments[1], &call.arguments[2], &call.arguments[3], &call.arguments[4],
			  &call.arguments[5], &end) < 7)
		return false;
	if (end == 0 || call.number < 0)
		return false;
	*ret = call;
	return true;
}

/* A mount of our own that nobody else sees. */
static int open_tracefs(void)
{
	AUTO_CLOSE int fs_fd = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);

	if (fs_fd < 0 || syscall(SYS_fsconfig, fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	return (int)syscall(SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, 0);
}

static int check_namespace(struct error *err)
{
	struct stat status;

	if (stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == INITIAL_PID_NAMESPACE)
		return 0;
	return error_set(
		err, ERROR_UNSUPPORTED, EOPNOTSUPP,
		"the kernel's tracer counts processes as the host's own pid namespace does, and this is another one");
}

/* It traces on, and keeps its memory, until somebody removes it. Pids are the host's own: check_namespace(). */
static void remove_left_over(int instances_fd, const char *name)
{
	int pid = 0, end = 0;

	if (sscanf(name, INSTANCE "%d%n", &pid, &end) != 1 || name[end] != '\0' || pid <= 0)
		return;
	if (kill(pid, 0) < 0 && errno == ESRCH && unlinkat(instances_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		log_warning("tracefs: instances/%s is left over: %s", name, strerrordesc_np(errno));
}

/* Of those that were killed. */
static void remove_left_overs(int instances_fd)
{
	AUTO(closedir)
	DIR *directory = fd_open_directory_stream(openat(instances_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		remove_left_over(instances_fd, entry->d_name);
}

static int make_instance(struct trace *trace, struct error *err)
{
	AUTO_CLOSE int tracefs_fd = open_tracefs();

	if (tracefs_fd >= 0)
		trace->instances_fd = openat(tracefs_fd, "instances", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (trace->instances_fd < 0)
		return error_set(
			err, ERROR_UNSUPPORTED, errno,
			"tracefs, which shows the calls of what runs already, can't be had here: %s. Run it anew: brig learn "
			"--bundle",
			strerrordesc_np(errno));
	remove_left_overs(trace->instances_fd);
	snprintf(trace->name, sizeof(trace->name), INSTANCE "%d", (int)getpid());
	if (mkdirat(trace->instances_fd, trace->name, 0700) < 0)
		return error_system(err, errno, "tracefs: make instances/%s", trace->name);
	trace->is_made = true;
	trace->instance_fd = openat(trace->instances_fd, trace->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return trace->instance_fd < 0 ? error_system(err, errno, "tracefs: open instances/%s", trace->name) : 0;
}

static int set(const struct trace *trace, const char *file, const char *text, struct error *err)
{
	int r = fd_write_file_at(trace->instance_fd, file, text);

	return r < 0 ? error_system(err, -r, "tracefs: write %s to %s", text, file) : 0;
}

/* ---- the processes ---- */

static int check_program(pid_t pid, struct error *err)
{
	unsigned char ident[EI_NIDENT] = { 0 };
	char path[48];
	AUTO_CLOSE int fd = -EBADF;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, ident, sizeof(ident)) == sizeof(ident) && ident[EI_CLASS] == ELFCLASS32)
		return error_set(
			err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			"process %d is a 32-bit program: the tracer would take its calls for others. Run it anew: brig "
			"learn --bundle",
			(int)pid);
	return 0;
}

/* O_APPEND: beside those that are there. */
static int add_process(int pids_fd, pid_t pid, struct error *err)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d\n", (int)pid);

	if (write(pids_fd, text, (size_t)length) < 0 && errno != ESRCH)
		return error_system(err, errno, "tracefs: add process %d", (int)pid);
	return check_program(pid, err);
}

static int add_processes(const struct trace *trace, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(PIDS_ARENA);
	AUTO_CLOSE int pids_fd = openat(trace->instance_fd, "set_event_pid", O_WRONLY | O_APPEND | O_CLOEXEC);
	struct brig_pids pids = { 0 };
	int r = arena ? 0 : error_memory(err);

	if (pids_fd < 0)
		return error_system(err, errno, "tracefs: open set_event_pid");
	if (r >= 0)
		r = brig_processes(trace->brig, trace->id, arena, &pids, err);
	for (size_t i = 0; i < pids.n && r >= 0; i++)
		r = add_process(pids_fd, pids.list[i], err);
	return r;
}

static int find_container(struct trace *trace, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(PIDS_ARENA);
	struct brig_info info;
	int r = arena ? brig_state(trace->brig, trace->id, arena, &info, err) : error_memory(err);

	if (r < 0)
		return r;
	if (info.pid <= 0)
		return error_set(err, ERROR_NOT_RUNNING, ESRCH, "container %s does not run", trace->id);
	trace->pidfd = (int)syscall(SYS_pidfd_open, info.pid, 0);
	return trace->pidfd < 0 ? error_system(err, errno, "container %s: open its first process", trace->id) : 0;
}

/* ---- the calls ---- */

static void take_line(struct trace *trace, const char *line)
{
	const char *lost = strstr(line, LOST);
	struct learn_trace_call call;
	struct seccomp_data data = { .arch = seccomp_arch_own()->audit };

	if (learn_trace_parse(line, &call)) {
		data.nr = call.number;
		for (size_t i = 0; i < ARRAY_SIZE(call.arguments); i++)
			data.args[i] = call.arguments[i];
		learn_calls_add(learn_calls_of(trace->learn), &data, SECCOMP_RET_ALLOW);
	} else if (lost) {
		trace->lost += strtoull(lost + strlen(LOST), NULL, 10);
	}
}

/* Returns false where nothing was there. */
static bool take_some(struct trace *trace)
{
	ssize_t n = read(trace->pipe_fd, trace->text + trace->length, sizeof(trace->text) - 1 - trace->length);
	char *line = trace->text, *end;

	if (n <= 0)
		return false;
	trace->length += (size_t)n;
	trace->text[trace->length] = '\0';
	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		take_line(trace, line);
	}
	trace->length -= (size_t)(line - trace->text);
	memmove(trace->text, line, trace->length);
	/* No line of the tracer's is that long. */
	if (trace->length == sizeof(trace->text) - 1)
		trace->length = 0;
	return true;
}

static bool is_over(const struct trace *trace, const struct pollfd *polled)
{
	return polled[0].revents || polled[1].revents || (trace->end_ms && clock_ms() >= trace->end_ms);
}

/* The pipe is asked, not waited for: poll(2) on it wakes only when half the buffer is full. */
static int follow(struct trace *trace, struct error *err)
{
	struct pollfd polled[] = { { .fd = trace->pidfd, .events = POLLIN },
				   { .fd = trace->signal_fd, .events = POLLIN } };
	int64_t looked_ms = clock_ms();
	int r = 0;

	while (r >= 0 && !is_over(trace, polled)) {
		/* A busy container's pipe is never empty: what else happens is looked at each time. */
		if (poll(polled, ARRAY_SIZE(polled), take_some(trace) ? 0 : 20) < 0 && errno != EINTR)
			return error_system(err, errno, "wait for the container");
		if (clock_ms() - looked_ms < LOOK_AGAIN_MS)
			continue;
		/* What came in by exec is nobody's child in there. */
		looked_ms = clock_ms();
		r = add_processes(trace, err);
	}
	/* Gone in between. */
	return r < 0 && (err->kind == ERROR_NOT_FOUND || err->kind == ERROR_NOT_RUNNING) ? 0 : r;
}

/* What is in the buffer yet; the bound is for a tracer that can't be stopped, or very many processors. */
static void drain(struct trace *trace)
{
	int64_t end_ms = clock_ms() + DRAIN_MS;

	(void)fd_write_file_at(trace->instance_fd, EVENT, "0");
	while (!trace->is_cut && take_some(trace))
		trace->is_cut = clock_ms() >= end_ms;
}

/* From here on they are looked at by follow() alone: whoever is ended between two steps leaves nothing behind. */
static int take_signals(struct trace *trace, struct error *err)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return error_system(err, errno, "block signals");
	trace->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return trace->signal_fd < 0 ? error_system(err, errno, "signalfd") : 0;
}

static int begin(struct trace *trace, struct error *err)
{
	int r = check_namespace(err);

	if (r >= 0)
		r = find_container(trace, err);
	if (r >= 0)
		r = take_signals(trace, err);
	if (r >= 0)
		r = make_instance(trace, err);
	if (r >= 0)
		r = set(trace, "buffer_size_kb", BUFFER_KB, err);
	if (r >= 0)
		r = set(trace, "options/event-fork", "1", err);
	if (r >= 0)
		r = add_processes(trace, err);
	if (r >= 0)
		r = set(trace, EVENT, "1", err);
	if (r < 0)
		return r;
	/* Twice: who was forked in between. */
	r = add_processes(trace, err);
	if (r < 0)
		return r;
	trace->pipe_fd = openat(trace->instance_fd, "trace_pipe", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return trace->pipe_fd < 0 ? error_system(err, errno, "tracefs: open trace_pipe") : 0;
}

static void trace_done(struct trace *trace)
{
	close_and_reset(&trace->pipe_fd);
	if (trace->instance_fd >= 0)
		(void)fd_write_file_at(trace->instance_fd, EVENT, "0");
	close_and_reset(&trace->instance_fd);
	if (trace->is_made && unlinkat(trace->instances_fd, trace->name, AT_REMOVEDIR) < 0)
		log_warning("tracefs: instances/%s is left over: %s", trace->name, strerrordesc_np(errno));
	close_and_reset(&trace->instances_fd);
	close_and_reset(&trace->pidfd);
	close_and_reset(&trace->signal_fd);
}

int learn_trace(struct learn *learn, const struct brig *brig, const char *id, uint64_t duration_ms, struct error *err)
{
	AUTO_FREE struct trace *trace = calloc(1, sizeof(*trace));
	int r;

	if (!trace)
		return error_memory(err);
	*trace = (struct trace){ .learn = learn,
				 .brig = brig,
				 .id = id,
				 .instances_fd = -EBADF,
				 .instance_fd = -EBADF,
				 .pipe_fd = -EBADF,
				 .pidfd = -EBADF,
				 .signal_fd = -EBADF };
	r = begin(trace, err);
	trace->end_ms = duration_ms ? clock_ms() + (int64_t)duration_ms : 0;
	if (r >= 0)
		r = follow(trace, err);
	if (r >= 0)
		drain(trace);
	trace_done(trace);
	if (r >= 0 && trace->lost > 0)
		log_warning("%llu calls came faster than they could be read: the profile may lack some",
			    (unsigned long long)trace->lost);
	if (r >= 0 && trace->is_cut)
		log_warning("not all calls could be read within %d seconds: the profile may lack some", DRAIN_MS / 1000);
	return r;
}
