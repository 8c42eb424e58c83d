#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "shim/loop/loop.h"

#define LOOP(name)                                \
	AUTO(loop_free) struct loop *name = NULL; \
	cr_assert_eq(loop_new(&name, NULL), 0)

struct end {
	struct loop *loop;
	struct loop_watch watch;
	struct loop_timer timer;
	struct end *other;
	int fds[2];
	unsigned n_ready, n_expired;
};

static void take_ready(void *context, uint32_t events)
{
	struct end *end = context;
	char byte;

	cr_assert(events & (EPOLLIN | EPOLLHUP));
	cr_assert_geq(read(end->fds[0], &byte, 1), 0);
	end->n_ready++;
	if (end->other)
		loop_unwatch(end->loop, &end->other->watch);
}

static void take_expired(void *context)
{
	struct end *end = context;

	end->n_expired++;
	if (end->n_expired < 3)
		loop_set_timer(end->loop, &end->timer, loop_now());
	else
		loop_stop(end->loop);
}

static void end_init(struct end *end, struct loop *loop)
{
	*end = (struct end){ .loop = loop };
	end->watch = (struct loop_watch){ .ready = take_ready, .context = end };
	end->timer = (struct loop_timer){ .expired = take_expired, .context = end };
	cr_assert_eq(pipe(end->fds), 0);
	cr_assert_eq(loop_watch(loop, &end->watch, end->fds[0], EPOLLIN, NULL), 0);
}

static void end_done(struct end *end)
{
	loop_unwatch(end->loop, &end->watch);
	close(end->fds[0]);
	close(end->fds[1]);
}

Test(loop, calls_back_what_is_ready)
{
	struct end end;
	LOOP(loop);

	end_init(&end, loop);
	cr_expect_eq(loop_step(loop, 0), 0);
	cr_assert_eq(write(end.fds[1], "xy", 2), 2);
	cr_expect_eq(loop_step(loop, -1), 1);
	cr_expect_eq(loop_step(loop, -1), 1, "level-triggered");
	cr_expect_eq(loop_step(loop, 0), 0);
	cr_expect_eq(end.n_ready, 2);
	end_done(&end);
}

Test(loop, what_was_removed_is_not_called_back)
{
	struct end first, second;
	LOOP(loop);

	end_init(&first, loop);
	end_init(&second, loop);
	first.other = &second;
	second.other = &first;
	cr_assert_eq(write(first.fds[1], "x", 1), 1);
	cr_assert_eq(write(second.fds[1], "x", 1), 1);
	cr_expect_eq(loop_step(loop, -1), 1, "both were ready, the first removes the other");
	cr_expect_eq(first.n_ready + second.n_ready, 1);
	end_done(&first);
	end_done(&second);
}

Test(loop, events_can_be_changed)
{
	struct end end;
	LOOP(loop);

	end_init(&end, loop);
	cr_assert_eq(write(end.fds[1], "x", 1), 1);
	cr_assert_eq(loop_rewatch(loop, &end.watch, 0), 0);
	cr_expect_eq(loop_step(loop, 0), 0);
	cr_assert_eq(loop_rewatch(loop, &end.watch, EPOLLIN), 0);
	cr_expect_eq(loop_step(loop, 0), 1);
	loop_unwatch(loop, &end.watch);
	cr_expect_eq(loop_rewatch(loop, &end.watch, EPOLLIN), -ENOENT);
	end_done(&end);
}

Test(loop, timers_expire_in_order)
{
	uint64_t start = loop_now();
	struct end end[3];
	LOOP(loop);

	for (int i = 0; i < 3; i++) {
		end_init(&end[i], loop);
		end[i].n_expired = 10;
		loop_set_timer(loop, &end[i].timer, start + (uint64_t)(3 - i) * 5000000);
	}
	loop_clear_timer(loop, &end[1].timer);
	cr_expect_eq(loop_step(loop, -1), 1);
	cr_expect_eq(end[2].n_expired, 11, "the earliest");
	cr_expect_geq(loop_now(), start + 5000000);
	cr_expect_eq(loop_step(loop, -1), 1);
	cr_expect_eq(end[0].n_expired, 11);
	cr_expect_eq(end[1].n_expired, 10, "the cleared one");
	for (int i = 0; i < 3; i++)
		end_done(&end[i]);
}

Test(loop, runs_until_it_is_stopped)
{
	struct end end;
	LOOP(loop);

	end_init(&end, loop);
	loop_set_timer(loop, &end.timer, loop_now());
	loop_set_timer(loop, &end.timer, loop_now()); /* moved, not doubled */
	cr_expect_eq(loop_run(loop), 0);
	cr_expect_eq(end.n_expired, 3);
	end_done(&end);
}

Test(loop, a_descriptor_that_cannot_be_watched_is_an_error)
{
	struct loop_watch watch = { .ready = take_ready };
	struct error err = { 0 };
	LOOP(loop);

	cr_expect_eq(loop_watch(loop, &watch, 9999, EPOLLIN, &err), -EBADF);
	cr_expect_not(watch.is_active);
	loop_unwatch(loop, &watch);
}
