/* Streams by name: the peers are made up here, the process's end is a pipe that the test holds. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "shim/io/streams.h"
#include "tests/support/scratch.h"

#define ADDRESS "/run/containerd/s/abc"
#define BYTES_MAX ((size_t)512 * 1024)

struct far_end {
	struct stream_peer peer;
	unsigned n_joined, n_ended;
	size_t n_bytes, n_granted;
	char *bytes;
	bool is_broken;
	struct far_end *next; /* of the fixture, which outlives the streams */
};

struct fixture {
	struct loop *loop;
	struct streams *streams;
	struct stream *stream;
	struct endpoint process; /* its end of the stream */
	struct far_end *ends;
	struct error error;
	size_t n_fds;
};

static void count_join(struct stream_peer *peer)
{
	((struct far_end *)peer)->n_joined++;
}

static int take_output(struct stream_peer *peer, const void *bytes, size_t n)
{
	struct far_end *far = (struct far_end *)peer;

	if (far->is_broken)
		return -EPIPE;
	cr_assert_leq(far->n_bytes + n, BYTES_MAX);
	far->bytes = realloc(far->bytes, far->n_bytes + n + 1);
	cr_assert(far->bytes);
	memcpy(far->bytes + far->n_bytes, bytes, n);
	far->bytes[far->n_bytes + n] = '\0';
	far->n_bytes += n;
	return 0;
}

static int count_grant(struct stream_peer *peer, uint32_t n)
{
	((struct far_end *)peer)->n_granted += n;
	return ((struct far_end *)peer)->is_broken ? -EPIPE : 0;
}

static void count_end(struct stream_peer *peer)
{
	((struct far_end *)peer)->n_ended++;
}

static struct far_end *far_end_new(struct fixture *fixture)
{
	struct far_end *far = calloc(1, sizeof(*far));

	cr_assert(far);
	far->next = fixture->ends;
	fixture->ends = far;
	far->peer =
		(struct stream_peer){ .joined = count_join, .send = take_output, .grant = count_grant, .end = count_end };
	return far;
}

static void fixture_init(struct fixture *fixture)
{
	*fixture = (struct fixture){ .n_fds = scratch_count_fds(), .process = ENDPOINT_NONE };
	cr_assert_eq(loop_new(&fixture->loop, NULL), 0);
	cr_assert_eq(streams_new(fixture->loop, ADDRESS, &fixture->streams, NULL), 0);
}

static void fixture_done(struct fixture *fixture)
{
	endpoint_done(&fixture->process);
	streams_release(fixture->stream);
	streams_free(fixture->streams);
	while (fixture->ends) {
		struct far_end *far = fixture->ends;

		fixture->ends = far->next;
		free(far->bytes);
		free(far);
	}
	loop_free(fixture->loop);
	cr_expect_eq(scratch_count_fds(), fixture->n_fds, "descriptors are left open");
}
#define FIXTURE(name)                                               \
	__attribute__((cleanup(fixture_done))) struct fixture name; \
	fixture_init(&name)

static void step(struct fixture *fixture)
{
	unsigned n = 0;

	while (n < 10000 && loop_step(fixture->loop, /* max_wait= */ 0) > 0)
		n++;
	cr_assert_lt(n, 10000, "the loop spins");
}

static int open_named(struct fixture *fixture, const char *name, enum stream_use use)
{
	struct uri uri = { .scheme = URI_STREAM, .path = ADDRESS };
	char query[STREAM_NAME_MAX + 32];

	snprintf(query, sizeof(query), "streaming_id=%s", name);
	uri.query = query;
	return streams_open(fixture->streams, &(struct stream_request){ &uri, "stdout", use }, &fixture->stream,
			    &fixture->process, &fixture->error);
}

static struct far_end *join(struct fixture *fixture, const char *name)
{
	struct far_end *far = far_end_new(fixture);

	cr_assert_eq(streams_join(fixture->streams, name, &far->peer, &fixture->error), 0, "%s", fixture->error.message);
	cr_expect_eq(far->n_joined, 1);
	return far;
}

static void allow(struct fixture *fixture, struct far_end *far, int32_t n)
{
	cr_assert_eq(streams_allow(&far->peer, n, &fixture->error), 0, "%s", fixture->error.message);
	step(fixture);
}

static size_t fill(int fd)
{
	char bytes[4096] = { 0 };
	size_t n = 0;
	ssize_t written;

	while ((written = write(fd, bytes, sizeof(bytes))) > 0)
		n += (size_t)written;
	return n;
}

Test(streams, output_comes_as_far_as_it_is_allowed)
{
	FIXTURE(fixture);
	struct far_end *far = join(&fixture, "web-stdout");

	allow(&fixture, far, 3); /* before anybody knows what for */
	cr_assert_eq(open_named(&fixture, "web-stdout", STREAM_OUT), 0);
	cr_assert_eq(write(fixture.process.write_fd, "output", 6), 6);
	step(&fixture);
	cr_expect_str_eq(far->bytes, "out");
	cr_expect_eq(far->n_ended, 0);
	allow(&fixture, far, 100);
	cr_expect_str_eq(far->bytes, "output");

	cr_assert_eq(write(fixture.process.write_fd, "!", 1), 1);
	endpoint_done(&fixture.process);
	step(&fixture);
	cr_expect_str_eq(far->bytes, "output!");
	cr_expect_eq(far->n_ended, 1);
	cr_expect_null(far->peer.stream);
	cr_expect_eq(streams_allow(&far->peer, 1, &fixture.error), -EPIPE);
}

Test(streams, whoever_allows_everything_gets_a_bounded_part_ahead)
{
	FIXTURE(fixture);
	struct far_end *far = join(&fixture, "web-stdout");
	size_t written = 0;

	cr_assert_eq(open_named(&fixture, "web-stdout", STREAM_OUT), 0);
	for (int i = 0; i < 16; i++)
		allow(&fixture, far, INT32_MAX);
	for (int i = 0; i < 16; i++) {
		written += fill(fixture.process.write_fd);
		step(&fixture);
	}
	cr_expect_eq(far->n_bytes, STREAM_AHEAD_MAX);
	cr_expect_gt(written, STREAM_AHEAD_MAX);
}

Test(streams, what_was_not_sent_waits_for_the_next_peer)
{
	FIXTURE(fixture);
	struct far_end *first = join(&fixture, "web-stdout"), *second = NULL, *third = NULL;

	cr_assert_eq(open_named(&fixture, "web-stdout", STREAM_OUT), 0);
	allow(&fixture, first, 1000);
	streams_leave(&first->peer);
	streams_leave(&first->peer);
	cr_assert_eq(write(fixture.process.write_fd, "kept", 4), 4);
	endpoint_done(&fixture.process);
	step(&fixture);
	cr_expect_eq(first->n_bytes + first->n_ended, 0);

	second = join(&fixture, "web-stdout");
	step(&fixture);
	cr_expect_eq(second->n_bytes, 0, "it has allowed nothing yet");
	third = join(&fixture, "web-stdout");
	cr_expect_eq(second->n_ended, 1, "its name was taken over");
	allow(&fixture, third, 1000);
	cr_expect_str_eq(third->bytes, "kept");
	cr_expect_eq(third->n_ended, 1);
	/* Whoever comes after the end hears of it at once. */
	third = join(&fixture, "web-stdout");
	cr_expect_eq(third->n_ended, 1);
}

Test(streams, a_peer_that_breaks_while_it_is_sent_to_has_left)
{
	FIXTURE(fixture);
	struct far_end *far = join(&fixture, "web-stdout");

	cr_assert_eq(open_named(&fixture, "web-stdout", STREAM_OUT), 0);
	far->is_broken = true;
	cr_assert_eq(write(fixture.process.write_fd, "lost", 4), 4);
	allow(&fixture, far, 1000);
	cr_expect_null(far->peer.stream);
	cr_expect_eq(far->n_ended, 0);
}

Test(streams, input_is_bounded_and_whole)
{
	FIXTURE(fixture);
	struct far_end *far = join(&fixture, "web-stdin");
	static char bytes[STREAM_WINDOW];
	size_t n_sent = 0, n_read = 0;
	ssize_t n;

	cr_assert_eq(open_named(&fixture, "web-stdin", STREAM_IN), 0);
	while (n_sent < far->n_granted) {
		size_t piece = far->n_granted - n_sent < 1000 ? far->n_granted - n_sent : 1000;

		cr_assert_eq(streams_take(&far->peer, bytes, piece, &fixture.error), 0, "%s", fixture.error.message);
		n_sent += piece;
		step(&fixture);
		cr_assert_leq(n_sent, 3 * 65536, "input nobody reads has no bound");
	}
	cr_expect_geq(n_sent, STREAM_WINDOW);
	cr_expect_eq(streams_take(&far->peer, "x", 1, &fixture.error), -EINVAL);
	streams_take_end(&far->peer);
	while ((n = read(fixture.process.read_fd, bytes, sizeof(bytes))) > 0) {
		n_read += (size_t)n;
		step(&fixture);
	}
	cr_expect_eq(n, 0, "the end");
	cr_expect_eq(n_read, n_sent);
	cr_expect_eq(streams_take(&far->peer, "x", 1, &fixture.error), -EINVAL, "input after its end");
}

Test(streams, input_that_nobody_reads_any_more_is_dropped)
{
	FIXTURE(fixture);
	struct far_end *far = join(&fixture, "web-stdin");
	static char bytes[STREAM_WINDOW];

	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(open_named(&fixture, "web-stdin", STREAM_IN), 0);
	endpoint_done(&fixture.process);
	for (int i = 0; i < 10; i++)
		cr_assert_eq(streams_take(&far->peer, bytes, sizeof(bytes), &fixture.error), 0, "%s",
			     fixture.error.message);
	cr_expect_eq(far->n_granted, 11 * STREAM_WINDOW);
	streams_release(steal_ptr(&fixture.stream));
	cr_expect_eq(far->n_ended, 1);
}

Test(streams, the_process_sees_the_end_of_its_input)
{
	FIXTURE(fixture);
	struct far_end *far = join(&fixture, "web-stdin");
	char byte;

	cr_assert_eq(open_named(&fixture, "web-stdin", STREAM_IN), 0);
	streams_leave(&far->peer);
	cr_expect_eq(read(fixture.process.read_fd, &byte, 1), -1, "a peer that goes is no end");
	streams_close_in(fixture.stream);
	cr_expect_eq(read(fixture.process.read_fd, &byte, 1), 0);
}

Test(streams, refusals)
{
	FIXTURE(fixture);
	struct far_end *far = join(&fixture, "web-stdout"), *other = far_end_new(&fixture);
	char long_name[STREAM_NAME_MAX + 2];

	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	cr_expect_eq(streams_join(fixture.streams, "", &other->peer, &fixture.error), -EINVAL);
	cr_expect_eq(streams_join(fixture.streams, long_name, &other->peer, &fixture.error), -EINVAL);
	cr_expect_eq(other->n_joined, 0);
	cr_expect_eq(open_named(&fixture, "web-stderr", STREAM_OUT), -ENOENT);
	cr_expect_eq(streams_allow(&far->peer, 0, &fixture.error), -EINVAL);
	cr_expect_eq(streams_take(&far->peer, "x", 1, &fixture.error), -EINVAL, "of no use yet");
	cr_assert_eq(open_named(&fixture, "web-stdout", STREAM_OUT), 0);
	cr_expect_eq(open_named(&fixture, "web-stdout", STREAM_OUT), -EEXIST);
	cr_expect_eq(streams_take(&far->peer, "x", 1, &fixture.error), -EINVAL, "it is output");
	streams_take_end(&far->peer);
	cr_expect_not_null(far->peer.stream);
}

Test(streams, names_have_a_bound_and_go_with_their_peers)
{
	FIXTURE(fixture);
	struct far_end *ends[STREAMS_MAX];
	struct far_end *other = far_end_new(&fixture);
	char name[32];

	for (int i = 0; i < STREAMS_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		ends[i] = join(&fixture, name);
	}
	cr_expect_eq(streams_join(fixture.streams, "more", &other->peer, &fixture.error), -ENOMEM);
	for (int i = 0; i < STREAMS_MAX; i++)
		streams_leave(&ends[i]->peer);
	cr_expect_eq(streams_join(fixture.streams, "more", &other->peer, &fixture.error), 0);
}
