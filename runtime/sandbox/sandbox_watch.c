#include "sandbox/sandbox_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/syscalls.h"
#include "child/handshake.h"
#include "container/explain/denial_keeper.h"
#include "container/learn/learn.h"
#include "parent/cgroup/cgroup.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)
/* Not more often than that is processor time looked at. */
#define LOOK_LEAST (2 * NS_PER_MS)

/* ---- the end ---- */

static void kill_all(struct sandbox_watch *watch)
{
	struct error err = { 0 };

	watch->was_killed = true;
	sys_pidfd_send_signal(watch->pidfd, SIGKILL);
	if (watch->cgroup && cgroup_kill(watch->cgroup, &err) < 0)
		log_warning("%s", err.message);
}

/* The first reason counts: what ends while it is being killed for its time is not also killed for its output. */
static void cut(struct sandbox_watch *watch, enum sandbox_cut why)
{
	if (watch->end.cut != SANDBOX_CUT_NOT || watch->was_killed)
		return;
	watch->end.cut = why;
	kill_all(watch);
}

/* ---- time ---- */

static uint64_t read_number(int dir_fd, const char *file, const char *key)
{
	char text[4096];
	const char *found;

	if (dir_fd < 0 || fd_read_file_at(dir_fd, file, text, sizeof(text)) < 0)
		return 0;
	found = key ? strstr(text, key) : text;
	return found ? strtoull(found + (key ? strlen(key) : 0), NULL, 10) : 0;
}

uint64_t sandbox_watch_cpu_time(struct cgroup *cgroup)
{
	/* Every v2 group counts, also on a host whose controllers are v1's. */
	int fd = cgroup ? cgroup_files(cgroup, "", NULL) : -ENOENT;

	if (fd >= 0)
		return read_number(fd, "cpu.stat", "usage_usec ") * NS_PER_US;
	fd = cgroup ? cgroup_files(cgroup, "cpuacct", NULL) : -ENOENT;
	return fd >= 0 ? read_number(fd, "cpuacct.usage", NULL) : 0;
}

/* It can't be used up sooner than all its processors need for the rest. */
static void hold_cpu_time(struct sandbox_watch *watch, uint64_t now)
{
	uint64_t used, wait;

	if (watch->cpu_limit == 0 || !watch->cgroup || now < watch->next_look)
		return;
	used = sandbox_watch_cpu_time(watch->cgroup);
	if (used >= watch->cpu_limit) {
		cut(watch, SANDBOX_CUT_CPU_TIME);
		return;
	}
	wait = (watch->cpu_limit - used) / (watch->cpus ?: 1000) * 1000;
	watch->next_look = now + (wait > LOOK_LEAST ? wait : LOOK_LEAST);
}

static void hold_time(struct sandbox_watch *watch)
{
	uint64_t now = clock_ns(), due = denial_keeper_due(watch->keeper);

	if (due > 0 && now >= due)
		denial_keeper_save(watch->keeper);
	if (watch->was_killed || watch->end.has_status)
		return;
	if (watch->timeout > 0 && now - watch->started >= watch->timeout)
		cut(watch, SANDBOX_CUT_WALL_TIME);
	else
		hold_cpu_time(watch, now);
}

static void sooner(uint64_t *due, uint64_t other)
{
	if (other > 0 && (*due == 0 || other < *due))
		*due = other;
}

/* Milliseconds for poll(2), rounded up. */
static int time_left(const struct sandbox_watch *watch)
{
	uint64_t due = denial_keeper_due(watch->keeper), now, left;
	bool is_over = watch->was_killed || watch->end.has_status;

	if (!is_over && watch->timeout > 0)
		sooner(&due, watch->started + watch->timeout);
	if (!is_over && watch->cpu_limit > 0 && watch->cgroup)
		sooner(&due, watch->next_look);
	if (due == 0)
		return -1;
	now = clock_ns();
	left = due > now ? (due - now - 1) / NS_PER_MS + 1 : 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

/* ---- what comes in ---- */

/* Files are copied in by us, into a directory that only the first process holds so far; the program is not there yet. */
static void equip(struct sandbox_watch *watch, int *work_fd)
{
	int rc = watch->equip && *work_fd >= 0 ? watch->equip(watch->context, *work_fd, &watch->failure) : 0;

	if (watch->work_fd < 0)
		watch->work_fd = steal_fd(work_fd);
	/* The time of the copies is ours, not the program's. */
	watch->started = clock_ns();
	if (rc >= 0)
		rc = handshake_send(watch->init_fd, HANDSHAKE_CONTINUE, NULL, -EBADF);
	if (rc < 0)
		kill_all(watch);
}

void sandbox_watch_close_listeners(struct sandbox_watch *watch)
{
	while (watch->n_listeners > 0)
		close_and_reset(&watch->listen_fds[--watch->n_listeners]);
}

/* False: nothing more comes. */
static bool take_message(struct sandbox_watch *watch)
{
	AUTO_CLOSE int passed_fd = -EBADF;
	struct handshake_message message;
	struct error ignored;

	if (handshake_receive(watch->init_fd, &message, &passed_fd, &ignored) <= 0)
		return false;
	/* Once: what comes later would be filled as root in the program's own time. */
	if (message.type == HANDSHAKE_READY && watch->work_fd < 0)
		equip(watch, &passed_fd);
	else if (message.type == HANDSHAKE_LISTENER && watch->n_listeners < SANDBOX_LISTENERS_MAX)
		watch->listen_fds[watch->n_listeners++] = steal_fd(&passed_fd);
	else if (message.type == HANDSHAKE_FAILED)
		watch->failure = message.error;
	else if (message.type == HANDSHAKE_ENDED) {
		watch->end.has_status = true;
		watch->end.status = message.pid;
		watch->wall_time = message.elapsed;
	}
	return true;
}

int sandbox_watch_stop_signal(int signal_fd)
{
	struct signalfd_siginfo info;

	while (read(signal_fd, &info, sizeof(info)) == sizeof(info)) {
		int number = (int)info.ssi_signo;

		if (number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT)
			return number;
	}
	return 0;
}

static void take_signals(struct sandbox_watch *watch)
{
	int number;

	while ((number = sandbox_watch_stop_signal(watch->signal_fd)) != 0) {
		if (watch->end.cut == SANDBOX_CUT_NOT && !watch->was_killed)
			watch->end.stopped_by = number;
		cut(watch, SANDBOX_CUT_STOPPED);
	}
}

static void keep_denials(struct sandbox_watch *watch)
{
	if (!denial_keeper_serve(watch->keeper))
		denial_keeper_close(watch->keeper);
}

static void serve_output(struct sandbox_watch *watch, struct sandbox_stream *stream)
{
	sandbox_stream_serve(stream);
	if (stream->output->truncated)
		cut(watch, SANDBOX_CUT_OUTPUT);
}

static void record_calls(struct sandbox_watch *watch)
{
	if (learn_attend(watch->learn, watch->learn_fd) <= 0)
		close_and_reset(&watch->learn_fd);
}

enum {
	WATCHED_END,
	WATCHED_INIT,
	WATCHED_SIGNALS,
	WATCHED_IN,
	WATCHED_OUT,
	WATCHED_ERR,
	WATCHED_DENIALS,
	WATCHED_CALLS,
	WATCHED_HEARD,
	N_WATCHED
};

/* Once init has told the program's end, which is its own and everybody's, the rest needs nobody: what is in the pipes by then is read at the end, and each of them that
 * is closed meanwhile would wake us. */
static void fill(const struct sandbox_watch *watch, struct pollfd polled[static N_WATCHED], bool init_is_there)
{
	polled[WATCHED_END] = (struct pollfd){ .fd = watch->pidfd, .events = POLLIN };
	polled[WATCHED_SIGNALS] = (struct pollfd){ .fd = watch->signal_fd, .events = POLLIN };
	/* But for what it still calls, which waits for us. */
	polled[WATCHED_CALLS] = (struct pollfd){ .fd = watch->learn ? watch->learn_fd : -1, .events = POLLIN };
	for (int i = 0; watch->end.has_status && i < N_WATCHED; i++) {
		if (i != WATCHED_END && i != WATCHED_SIGNALS && i != WATCHED_CALLS)
			polled[i] = (struct pollfd){ .fd = -1 };
	}
	if (watch->end.has_status)
		return;
	polled[WATCHED_INIT] = (struct pollfd){ .fd = init_is_there ? watch->init_fd : -1, .events = POLLIN };
	polled[WATCHED_IN] = sandbox_stream_poll(&watch->in);
	polled[WATCHED_OUT] = sandbox_stream_poll(&watch->out[0]);
	polled[WATCHED_ERR] = sandbox_stream_poll(&watch->out[1]);
	polled[WATCHED_DENIALS] = (struct pollfd){ .fd = denial_keeper_fd(watch->keeper), .events = POLLIN };
	polled[WATCHED_HEARD] = (struct pollfd){ .fd = watch->hear ? watch->heard_fd : -1, .events = POLLIN };
}

static void serve(struct sandbox_watch *watch, const struct pollfd polled[static N_WATCHED])
{
	if (polled[WATCHED_SIGNALS].revents)
		take_signals(watch);
	if (polled[WATCHED_DENIALS].revents)
		keep_denials(watch);
	if (polled[WATCHED_CALLS].revents)
		record_calls(watch);
	if (polled[WATCHED_HEARD].revents)
		watch->hear(watch->context);
	if (polled[WATCHED_IN].revents)
		sandbox_stream_serve(&watch->in);
	if (polled[WATCHED_OUT].revents)
		serve_output(watch, &watch->out[0]);
	if (polled[WATCHED_ERR].revents)
		serve_output(watch, &watch->out[1]);
}

static int reap(struct sandbox_watch *watch, struct error *err)
{
	struct rusage usage = { 0 };
	int status;

	if (wait4(watch->pid, &status, 0, &usage) < 0)
		return error_system(err, errno, "wait for the sandbox's first process");
	watch->end.cpu_time = ((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) * 1000 * NS_PER_MS +
			      ((uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec) * NS_PER_US;
	return 0;
}

/* Who reads our output may never do so: a signal still ends us, and what he has not taken is lost. */
static void drain(struct sandbox_watch *watch, struct sandbox_stream *stream, const char *name)
{
	while (sandbox_stream_drain(stream)) {
		struct pollfd polled[] = { { .fd = stream->peer_fd, .events = POLLOUT },
					   { .fd = watch->signal_fd, .events = POLLIN } };
		int number = poll(polled, ARRAY_SIZE(polled), -1) > 0 ? sandbox_watch_stop_signal(watch->signal_fd) : 0;

		if (number == 0)
			continue;
		watch->end.stopped_by = number;
		error_set(&watch->failure, ERROR_SYSTEM, EINTR, "stopped by SIG%s while nobody read the standard %s",
			  sigabbrev_np(number), name);
		sandbox_stream_close(stream);
	}
	watch->end.is_over_output |= stream->output->truncated;
	if (stream->failure && watch->failure.kind == ERROR_NONE)
		error_system(&watch->failure, stream->failure, "write to the standard %s", name);
}

/* One loop for all that can happen, and no threads: whoever is slow is waited for together with everything else. */
static int follow(struct sandbox_watch *watch, struct error *err)
{
	struct pollfd polled[N_WATCHED] = { 0 };
	bool init_is_there = true;

	watch->started = watch->next_look = clock_ns();
	while (!polled[WATCHED_END].revents) {
		fill(watch, polled, init_is_there);
		if (poll(polled, N_WATCHED, time_left(watch)) < 0 && errno != EINTR)
			return error_system(err, errno, "wait for the sandbox's end");
		if (polled[WATCHED_INIT].revents)
			init_is_there = take_message(watch);
		hold_time(watch);
		serve(watch, polled);
	}
	watch->wall_time = clock_ns() - watch->started;
	while (init_is_there)
		init_is_there = take_message(watch);
	sandbox_stream_close(&watch->in);
	denial_keeper_end(watch->keeper);
	drain(watch, &watch->out[0], "output");
	drain(watch, &watch->out[1], "error");
	return reap(watch, err);
}

int sandbox_watch_until_end(struct sandbox_watch *watch, struct error *err)
{
	int rc = follow(watch, err);

	/* Nobody looks any more: nothing of it may go on. */
	if (rc < 0) {
		kill_all(watch);
		waitpid(watch->pid, NULL, 0);
	}
	return rc;
}
