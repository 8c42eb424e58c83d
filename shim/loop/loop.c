#include "shim/loop/loop.h"

#include <limits.h>
#include <sys/epoll.h>

#include "base/clock.h"

#define BATCH 16
#define NS_PER_MS UINT64_C(1000000)

struct loop {
	int epoll_fd;
	bool is_stopped;
	struct loop_timer *timers; /* the earliest first */
	struct epoll_event batch[BATCH];
	int n_batch, position; /* of the events that are being called back: loop_unwatch takes out of the rest */
};

int loop_new(struct loop **ret, struct error *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return error_memory(err);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		int code = errno;

		free(loop);
		return error_system(err, code, "epoll_create1");
	}
	*ret = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	close_and_reset(&loop->epoll_fd);
	free(loop);
}

int loop_watch(struct loop *loop, struct loop_watch *watch, int fd, uint32_t events, struct error *err)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return error_system(err, errno, "watch descriptor %d", fd);
	watch->fd = fd;
	watch->is_active = true;
	return 0;
}

int loop_rewatch(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (!watch->is_active)
		return -ENOENT;
	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) < 0 ? -errno : 0;
}

void loop_unwatch(struct loop *loop, struct loop_watch *watch)
{
	if (!watch->is_active)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->is_active = false;
	/* Its owner may be freed next: an event that was fetched already must not reach it. */
	for (int i = loop->position; i < loop->n_batch; i++) {
		if (loop->batch[i].data.ptr == watch)
			loop->batch[i].data.ptr = NULL;
	}
}

uint64_t loop_now(void)
{
	return clock_ns();
}

void loop_set_timer(struct loop *loop, struct loop_timer *timer, uint64_t deadline)
{
	struct loop_timer **place = &loop->timers;

	loop_clear_timer(loop, timer);
	/* A shim has a few dozen timers at most. */
	while (*place && (*place)->deadline <= deadline)
		place = &(*place)->next;
	timer->deadline = deadline;
	timer->next = *place;
	timer->is_active = true;
	*place = timer;
}

void loop_clear_timer(struct loop *loop, struct loop_timer *timer)
{
	struct loop_timer **place = &loop->timers;

	if (!timer->is_active)
		return;
	while (*place && *place != timer)
		place = &(*place)->next;
	if (*place)
		*place = timer->next;
	timer->next = NULL;
	timer->is_active = false;
}

/* Milliseconds that epoll may wait: not longer than max_wait, nor past the first timer. */
static int wait_time(const struct loop *loop, int max_wait)
{
	uint64_t now, left;

	if (!loop->timers)
		return max_wait;
	now = loop_now();
	if (loop->timers->deadline <= now)
		return 0;
	/* Rounded up, or the loop would spin through the last millisecond. */
	left = (loop->timers->deadline - now - 1) / NS_PER_MS + 1;
	if (left > INT_MAX)
		left = INT_MAX;
	return max_wait >= 0 && (uint64_t)max_wait < left ? max_wait : (int)left;
}

static int expire_timers(struct loop *loop)
{
	uint64_t now = loop->timers ? loop_now() : 0;
	struct loop_timer *timer;
	int n = 0;

	/* Against one point in time: a timer that sets itself anew in the past gets its turn in the next step. */
	while ((timer = loop->timers) && timer->deadline <= now && n < BATCH) {
		loop_clear_timer(loop, timer);
		timer->expired(timer->context);
		n++;
	}
	return n;
}

int loop_step(struct loop *loop, int max_wait)
{
	int n = epoll_wait(loop->epoll_fd, loop->batch, BATCH, wait_time(loop, max_wait)), called = 0;

	if (n < 0 && errno != EINTR)
		return -errno;
	loop->n_batch = n < 0 ? 0 : n;
	for (loop->position = 0; loop->position < loop->n_batch;) {
		struct epoll_event event = loop->batch[loop->position++];
		struct loop_watch *watch = event.data.ptr;

		if (!watch)
			continue;
		watch->ready(watch->context, event.events);
		called++;
	}
	loop->n_batch = loop->position = 0;
	return called + expire_timers(loop);
}

int loop_run(struct loop *loop)
{
	while (!loop->is_stopped) {
		int r = loop_step(loop, /* max_wait= */ -1);

		if (r < 0)
			return r;
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->is_stopped = true;
}
