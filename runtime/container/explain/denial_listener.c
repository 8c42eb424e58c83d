#include "container/explain/denial_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include <linux/seccomp.h>

#include "audit/denials.h"
#include "container/notification.h"

/* Then the caller's other descriptors have their turn. */
#define BATCH 32

struct denial_listener {
	struct denials *denials;
};

struct denial_listener *denial_listener_new(const struct denials_limits *limits)
{
	struct denial_listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		return NULL;
	listener->denials = denials_new(limits ? limits : &denials_default_limits);
	if (listener->denials)
		return listener;
	free(listener);
	return NULL;
}

void denial_listener_free(struct denial_listener *listener)
{
	if (!listener)
		return;
	denials_free(listener->denials);
	free(listener);
}

/* The number may have become another process's by the time that its file is read: what was read counts only if the call
 * is still waiting then. */
static void add_program(struct denials *denials, int fd, const struct seccomp_notif *call)
{
	AUTO_CLOSE int comm_fd = -EBADF;
	char path[sizeof("/proc/4294967295/comm")], name[DENIALS_PROGRAM_MAX];
	uint64_t id = call->id;
	ssize_t length;

	/* Not in our pid namespace. */
	if (call->pid == 0)
		return;
	snprintf(path, sizeof(path), "/proc/%u/comm", call->pid);
	comm_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (comm_fd < 0)
		return;
	length = read(comm_fd, name, sizeof(name));
	if (length > 0 && notification_control(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0)
		denials_add_program(denials, name, (size_t)length);
}

static bool count(struct denials *denials, int fd, const struct seccomp_notif *call)
{
	struct denial denial = {
		.architecture = call->data.arch,
		.number = (uint32_t)call->data.nr,
		.pid = (pid_t)call->pid,
	};
	struct timespec monotonic;
	bool wants_program, within;

	for (size_t i = 0; i < DENIALS_ARGUMENTS; i++)
		denial.arguments[i] = call->data.args[i];
	clock_gettime(CLOCK_REALTIME, &denial.when);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	denial.monotonic_ns = (uint64_t)monotonic.tv_sec * 1000000000 + (uint64_t)monotonic.tv_nsec;
	within = denials_add(denials, &denial, &wants_program);
	if (within && wants_program)
		add_program(denials, fd, call);
	return within;
}

static int serve_one(struct denials *denials, int fd)
{
	union notification notification;
	bool within;
	int r = notification_receive(fd, &notification);

	if (r <= 0)
		return r;
	within = count(denials, fd, &notification.call);
	/* Refused whatever it is: nothing here could judge a call better than the filter that sent it. Also the one that was too much:
	 * it need not wait until the listener is closed. */
	r = notification_fail(fd, notification.call.id, EPERM);
	return r < 0 ? r : within ? 1 : -EPIPE;
}

int denial_listener_serve(struct denial_listener *listener, int listener_fd)
{
	int r = denials_state(listener->denials) == DENIALS_FLOOD ? -EPIPE : 1;

	for (int i = 0; i < BATCH && r > 0; i++)
		r = serve_one(listener->denials, listener_fd);
	if (r >= 0)
		return 1;
	if (r == -EPIPE)
		return 0;
	denials_end(listener->denials, DENIALS_FAILED);
	return r;
}

void denial_listener_end(struct denial_listener *listener)
{
	denials_end(listener->denials, DENIALS_ENDED);
}

uint64_t denial_listener_total(const struct denial_listener *listener)
{
	return denials_total(listener->denials);
}

void denial_listener_write_json(const struct denial_listener *listener, struct json_writer *writer)
{
	denials_write_json(listener->denials, writer);
}

size_t denial_listener_counts(const struct denial_listener *listener, struct denials_count *ret, size_t max)
{
	return denials_counts(listener->denials, ret, max);
}
