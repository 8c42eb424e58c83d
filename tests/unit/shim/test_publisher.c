#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "shim/events/queue.h"
#include "tests/unit/shim/events_fixture.h"

#define MS UINT64_C(1000000)

Test(publisher, sends_in_order_and_writes_no_file)
{
	struct events_fixture fixture;

	events_fixture_init(&fixture);
	events_fixture_serve(&fixture);
	events_fixture_open(&fixture);
	cr_expect(publisher_is_idle(fixture.publisher));
	events_fixture_publish(&fixture, 0, 300);
	cr_expect_not(publisher_is_idle(fixture.publisher));
	cr_expect_not(scratch_has(&fixture.scratch, QUEUE_FILE));
	events_fixture_expect_count(&fixture, 300);
	events_fixture_expect_idle(&fixture);
	events_fixture_expect_run(&fixture, 0, 0, 300);
	events_fixture_done(&fixture);
}

/* The first try comes with the loop. */
static void expect_file(struct events_fixture *fixture)
{
	uint64_t deadline = loop_now() + 20000 * MS;

	while (!scratch_has(&fixture->scratch, QUEUE_FILE)) {
		cr_assert_lt(loop_now(), deadline, "no " QUEUE_FILE);
		cr_assert_geq(loop_step(fixture->loop, 5), 0);
	}
}

Test(publisher, keeps_events_while_containerd_is_away)
{
	struct events_fixture fixture;

	events_fixture_init(&fixture);
	events_fixture_open(&fixture);
	events_fixture_publish(&fixture, 0, 50);
	expect_file(&fixture);
	cr_expect_eq(scratch_mode(&fixture.scratch, QUEUE_FILE) & 07777, 0600);
	events_fixture_serve(&fixture);
	events_fixture_expect_count(&fixture, 50);
	events_fixture_expect_idle(&fixture);
	cr_expect_not(scratch_has(&fixture.scratch, QUEUE_FILE), "the file stays behind");
	/* It ends while the connection is idle, and comes back at the same address. */
	events_fixture_hang_up(&fixture);
	events_fixture_publish(&fixture, 50, 5);
	for (int i = 0; i < 20; i++)
		cr_assert_geq(loop_step(fixture.loop, 5), 0);
	events_fixture_publish(&fixture, 55, 5);
	cr_expect(scratch_has(&fixture.scratch, QUEUE_FILE));
	events_fixture_serve(&fixture);
	events_fixture_expect_count(&fixture, 60);
	events_fixture_publish(&fixture, 60, 5);
	events_fixture_expect_count(&fixture, 65);
	events_fixture_expect_idle(&fixture);
	events_fixture_expect_run(&fixture, 0, 0, 65);
	events_fixture_done(&fixture);
}

Test(publisher, sends_again_what_a_dying_containerd_did_not_answer)
{
	struct events_fixture fixture;

	events_fixture_init(&fixture);
	events_fixture_serve(&fixture);
	events_fixture_open(&fixture);
	fixture.answer = EVENTS_KEEP_SILENT;
	events_fixture_publish(&fixture, 0, 3);
	events_fixture_expect_count(&fixture, 1);
	events_fixture_hang_up(&fixture);
	fixture.answer = EVENTS_TAKE;
	events_fixture_serve(&fixture);
	events_fixture_expect_count(&fixture, 4);
	events_fixture_expect_idle(&fixture);
	events_fixture_expect_run(&fixture, 1, 0, 3);
	events_fixture_done(&fixture);
}

Test(publisher, gives_an_event_up_that_is_refused_five_times)
{
	struct events_fixture fixture;

	events_fixture_init(&fixture);
	events_fixture_serve(&fixture);
	events_fixture_open(&fixture);
	fixture.refuse_first = 5;
	events_fixture_publish(&fixture, 0, 3);
	events_fixture_expect_count(&fixture, 7);
	events_fixture_expect_idle(&fixture);
	for (size_t i = 0; i < 5; i++)
		cr_expect_eq(fixture.received[i], 0);
	events_fixture_expect_run(&fixture, 5, 1, 2);
	events_fixture_done(&fixture);
}

Test(publisher, never_gives_up_while_containerd_is_unavailable)
{
	struct events_fixture fixture;

	events_fixture_init(&fixture);
	events_fixture_serve(&fixture);
	events_fixture_open(&fixture);
	fixture.refusal = STATUS_UNAVAILABLE;
	fixture.refuse_first = 7;
	events_fixture_publish(&fixture, 0, 2);
	events_fixture_expect_count(&fixture, 9);
	events_fixture_expect_idle(&fixture);
	events_fixture_expect_run(&fixture, 7, 0, 2);
	events_fixture_done(&fixture);
}

/* Silence: first what waits goes to the file, then the call ends by its time limit, and the event is sent anew. */
Test(publisher, survives_a_containerd_that_never_answers)
{
	struct events_fixture fixture;
	uint64_t deadline = loop_now() + 20000 * MS;

	events_fixture_init(&fixture);
	events_fixture_serve(&fixture);
	events_fixture_open(&fixture);
	fixture.answer = EVENTS_KEEP_SILENT;
	events_fixture_publish(&fixture, 0, 2);
	events_fixture_expect_count(&fixture, 1);
	cr_expect_not(scratch_has(&fixture.scratch, QUEUE_FILE));
	while (!scratch_has(&fixture.scratch, QUEUE_FILE)) {
		cr_assert_lt(loop_now(), deadline, "not written");
		cr_assert_geq(loop_step(fixture.loop, 20), 0);
	}
	cr_expect_eq(fixture.n_received, 1, "still the one call");
	fixture.answer = EVENTS_TAKE;
	events_fixture_expect_count(&fixture, 3);
	events_fixture_expect_idle(&fixture);
	events_fixture_expect_run(&fixture, 1, 0, 2);
	events_fixture_done(&fixture);
}

/* The answer comes after the event was written to the file: it is not sent again. */
Test(publisher, a_late_answer_counts)
{
	struct events_fixture fixture;
	uint64_t deadline = loop_now() + 20000 * MS;

	events_fixture_init(&fixture);
	events_fixture_serve(&fixture);
	events_fixture_open(&fixture);
	fixture.answer = EVENTS_KEEP_SILENT;
	events_fixture_publish(&fixture, 0, 3);
	while (!scratch_has(&fixture.scratch, QUEUE_FILE)) {
		cr_assert_lt(loop_now(), deadline, "not written");
		cr_assert_geq(loop_step(fixture.loop, 20), 0);
	}
	fixture.answer = EVENTS_TAKE;
	cr_assert_eq(server_answer(fixture.server, fixture.last_call, (struct message_bytes){ 0 }), 0);
	events_fixture_expect_idle(&fixture);
	cr_expect_eq(fixture.n_received, 3);
	events_fixture_expect_run(&fixture, 0, 0, 3);
	cr_expect_not(scratch_has(&fixture.scratch, QUEUE_FILE));
	events_fixture_done(&fixture);
}

/* By the place that is noted in the file. What was not answered when the first one ended may come twice. */
Test(publisher, the_next_shim_goes_on_where_the_last_one_stopped)
{
	struct events_fixture fixture;

	events_fixture_init(&fixture);
	events_fixture_open(&fixture);
	events_fixture_publish(&fixture, 0, 3);
	events_fixture_serve(&fixture);
	events_fixture_expect_count(&fixture, 2);
	publisher_free(fixture.publisher);
	fixture.publisher = NULL;
	events_fixture_open(&fixture);
	events_fixture_expect_idle(&fixture);
	cr_expect_leq(fixture.n_received, 4, "%zu", fixture.n_received);
	cr_expect_eq(fixture.received[0], 0);
	cr_expect_eq(fixture.received[1], 1);
	cr_expect_eq(fixture.received[fixture.n_received - 1], 2);
	events_fixture_done(&fixture);
}

Test(publisher, the_next_shim_sends_what_is_left)
{
	struct events_fixture fixture;

	events_fixture_init(&fixture);
	events_fixture_open(&fixture);
	events_fixture_publish(&fixture, 0, 10);
	publisher_free(fixture.publisher);
	events_fixture_open(&fixture);
	cr_expect_not(publisher_is_idle(fixture.publisher));
	events_fixture_publish(&fixture, 10, 2);
	events_fixture_serve(&fixture);
	events_fixture_expect_count(&fixture, 12);
	events_fixture_expect_idle(&fixture);
	events_fixture_expect_run(&fixture, 0, 0, 12);
	events_fixture_done(&fixture);
}

Test(publisher, refuses_more_than_the_queue_holds)
{
	static char value[512 * 1024];
	struct publisher_event event = { .topic = "/tasks/7", .type_url = "containerd.events.Test", .value = value };
	struct events_fixture fixture;
	struct error err;
	size_t n = 0;
	int r;

	events_fixture_init(&fixture);
	events_fixture_open(&fixture);
	strcpy(value, "value 7");
	event.length = sizeof(value);
	while ((r = publisher_publish(fixture.publisher, &event, &err)) == 0 && n < 100)
		n++;
	cr_expect_eq(r, -ENOSPC);
	cr_expect_not_null(strstr(err.message, QUEUE_FILE), "%s", err.message);
	cr_expect_gt(n, 24);
	cr_expect_leq(n * sizeof(value), PUBLISHER_QUEUE_BYTES_MAX);
	events_fixture_serve(&fixture);
	events_fixture_expect_count(&fixture, n);
	events_fixture_expect_idle(&fixture);
	events_fixture_publish(&fixture, 8, 1);
	events_fixture_expect_count(&fixture, n + 1);
	events_fixture_expect_run(&fixture, n, 8, 1);
	events_fixture_done(&fixture);
}

static void limit_files(rlim_t size)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = size;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(publisher, what_the_file_has_no_room_for_waits_in_memory_behind_it)
{
	struct events_fixture fixture;

	signal(SIGXFSZ, SIG_IGN);
	events_fixture_init(&fixture);
	events_fixture_open(&fixture);
	events_fixture_publish(&fixture, 0, 3);
	expect_file(&fixture);
	limit_files(1);
	events_fixture_publish(&fixture, 3, 3);
	limit_files(RLIM_INFINITY);
	events_fixture_publish(&fixture, 6, 3);
	events_fixture_serve(&fixture);
	events_fixture_expect_count(&fixture, 9);
	events_fixture_expect_idle(&fixture);
	events_fixture_expect_run(&fixture, 0, 0, 9);
	events_fixture_done(&fixture);
}

Test(publisher, an_event_without_end_is_refused)
{
	static char value[2 * 1024 * 1024];
	const struct publisher_event event = {
		.topic = "/tasks/7", .type_url = "containerd.events.Test", .value = value, .length = sizeof(value)
	};
	struct events_fixture fixture;
	struct error err;

	events_fixture_init(&fixture);
	events_fixture_open(&fixture);
	cr_expect_lt(publisher_publish(fixture.publisher, &event, &err), 0);
	cr_expect(publisher_is_idle(fixture.publisher));
	events_fixture_done(&fixture);
}

/* containerd removes the bundle while we still run. */
Test(publisher, without_its_directory_events_wait_in_memory)
{
	static char value[1024 * 1024];
	struct publisher_event event = { .topic = "/tasks/7", .type_url = "containerd.events.Test", .value = value };
	struct events_fixture fixture;
	int bundle_fd;
	struct publisher_options options;
	struct error err;

	events_fixture_init(&fixture);
	scratch_directory(&fixture.scratch, "bundle");
	bundle_fd = openat(fixture.scratch.fd, "bundle", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(unlinkat(fixture.scratch.fd, "bundle", AT_REMOVEDIR), 0);
	options = (struct publisher_options){ fixture.loop, fixture.path, "k8s.io", bundle_fd };
	cr_assert_eq(publisher_new(&options, &fixture.publisher, &err), 0);
	events_fixture_publish(&fixture, 0, 20);
	event.length = sizeof(value);
	cr_expect_eq(publisher_publish(fixture.publisher, &event, &err), -ENOSPC, "there is a bound");
	events_fixture_serve(&fixture);
	events_fixture_expect_count(&fixture, 20);
	events_fixture_expect_idle(&fixture);
	events_fixture_expect_run(&fixture, 0, 0, 20);
	close(bundle_fd);
	events_fixture_done(&fixture);
}

Test(publisher, a_file_that_somebody_spoils_does_not_stop_it)
{
	struct events_fixture fixture;
	char path[PATH_MAX], said[1024] = "";
	const struct log_options log = { .path = path, .level = LOG_LEVEL_ERROR };
	int fd;

	events_fixture_init(&fixture);
	snprintf(path, sizeof(path), "%s/log", fixture.scratch.path);
	cr_assert_eq(log_open(&log, NULL), 0);
	events_fixture_open(&fixture);
	events_fixture_publish(&fixture, 0, 5);
	expect_file(&fixture);
	fd = openat(fixture.scratch.fd, QUEUE_FILE, O_WRONLY | O_CLOEXEC);
	cr_assert_eq(ftruncate(fd, 3), 0);
	close(fd);
	events_fixture_serve(&fixture);
	events_fixture_expect_idle(&fixture);
	log_close();
	cr_expect_gt(fd_read_file_at(AT_FDCWD, path, said, sizeof(said)), 0);
	cr_expect(strstr(said, "are lost: " QUEUE_FILE), "%s", said);
	events_fixture_publish(&fixture, 5, 2);
	events_fixture_expect_count(&fixture, 2);
	events_fixture_expect_run(&fixture, 0, 5, 2);
	events_fixture_done(&fixture);
}

Test(publisher, tells_when_nothing_waits)
{
	struct events_fixture fixture;

	events_fixture_init(&fixture);
	events_fixture_serve(&fixture);
	events_fixture_open(&fixture);
	publisher_finish(fixture.publisher, 1000 * MS, events_fixture_tell, &fixture);
	cr_expect(fixture.is_told, "at once");
	fixture.is_told = false;
	events_fixture_publish(&fixture, 0, 3);
	publisher_finish(fixture.publisher, 60000 * MS, events_fixture_tell, &fixture);
	cr_expect_not(fixture.is_told);
	events_fixture_expect_idle(&fixture);
	cr_expect(fixture.is_told);
	cr_expect_eq(fixture.n_received, 3);
	events_fixture_done(&fixture);
}

Test(publisher, ends_in_time_with_nobody_there)
{
	struct events_fixture fixture;
	uint64_t deadline = loop_now() + 20000 * MS;

	events_fixture_init(&fixture);
	events_fixture_open(&fixture);
	events_fixture_publish(&fixture, 0, 3);
	publisher_finish(fixture.publisher, 50 * MS, events_fixture_tell, &fixture);
	while (!fixture.is_told) {
		cr_assert_lt(loop_now(), deadline);
		cr_assert_geq(loop_step(fixture.loop, 20), 0);
	}
	cr_expect(scratch_has(&fixture.scratch, QUEUE_FILE), "the events are kept");
	events_fixture_done(&fixture);
}

Test(publisher, without_an_address_events_are_dropped)
{
	struct events_fixture fixture;

	events_fixture_init(&fixture);
	fixture.path[0] = '\0';
	events_fixture_open(&fixture);
	events_fixture_publish(&fixture, 0, 3);
	cr_expect(publisher_is_idle(fixture.publisher));
	publisher_finish(fixture.publisher, 60000 * MS, events_fixture_tell, &fixture);
	cr_expect(fixture.is_told, "there is nothing to wait for");
	cr_expect_not(scratch_has(&fixture.scratch, QUEUE_FILE));
	events_fixture_done(&fixture);
}
