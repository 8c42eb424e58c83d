/* One thread's events: descriptors that become ready, and points in time. Built on epoll(7), level-triggered. Watches and
 * timers are members of their owners: nothing is allocated, and removing one is safe at any moment, also from the callback
 * of another that became ready at the same time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct loop;

/* Of a socket, pipe, pidfd (readable once the process is gone), timerfd, signalfd. Zeroed: not watched. */
struct loop_watch {
	void (*ready)(void *context, uint32_t events); /* EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR */
	void *context;
	int fd; /* these two belong to the loop */
	bool is_active;
};

struct loop_timer {
	void (*expired)(void *context); /* once; the timer can be set anew in it */
	void *context;
	uint64_t deadline; /* these belong to the loop */
	struct loop_timer *next;
	bool is_active;
};

/* Returns 0 or a negative errno with err set. */
int loop_new(struct loop **ret, struct error *err);
/* What is still watched or set becomes void: it has to be removed, or never used again. */
void loop_free(struct loop *loop);
DEFINE_CLEANUP(struct loop *, loop_free);

/* Watches fd, which stays the caller's, for events (EPOLLIN and so on; EPOLLHUP and EPOLLERR come in any case).
 * watch->ready and watch->context are set by the caller before. Returns 0 or a negative errno with err set. */
int loop_watch(struct loop *loop, struct loop_watch *watch, int fd, uint32_t events, struct error *err);
/* Other events for what is watched; 0: hang-ups and errors alone. Returns 0 or a negative errno. */
int loop_rewatch(struct loop *loop, struct loop_watch *watch, uint32_t events);
/* To be called before the descriptor is closed. Nothing happens where it is not watched. */
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t loop_now(void);
/* deadline: as loop_now() counts. A timer that is set already is moved. */
void loop_set_timer(struct loop *loop, struct loop_timer *timer, uint64_t deadline);
void loop_clear_timer(struct loop *loop, struct loop_timer *timer);

/* Waits for events, max_wait milliseconds at most (-1: without a bound), and calls back for each that came. Returns how many
 * callbacks there were, or a negative errno. */
int loop_step(struct loop *loop, int max_wait);
/* loop_step until loop_stop was called. Returns 0 or a negative errno. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
