/* Peers that are wrong, slow or hostile: an error answer or a closed connection, and nobody else notices. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "shim/ttrpc/calls.h"
#include "shim/ttrpc/output.h"
#include "tests/unit/shim/ttrpc_fixture.h"

/* A new connection is served as ever. */
static void expect_alive(struct ttrpc_fixture *fixture)
{
	AUTO_CLOSE int fd = ttrpc_fixture_connect(fixture);

	cr_assert(ttrpc_fixture_ask(fixture, fd, 1, &(struct request){ .method = "Echo" }));
	ttrpc_fixture_expect(fixture, fd, 1, STATUS_OK);
}

Test(ttrpc_hostile, refused_frames_are_answered_and_the_connection_lives_on)
{
	struct ttrpc_fixture fixture;
	int fd;

	ttrpc_fixture_init(&fixture);
	fd = ttrpc_fixture_connect(&fixture);
	ttrpc_fixture_send_frame(&fixture, fd, (struct frame_header){ .stream_id = 2, .type = FRAME_REQUEST }, "xyz", 3);
	ttrpc_fixture_expect(&fixture, fd, 2, STATUS_INVALID_ARGUMENT);
	ttrpc_fixture_send_frame(&fixture, fd, (struct frame_header){ .stream_id = 3, .type = 99 }, "xyz", 3);
	ttrpc_fixture_expect(&fixture, fd, 3, STATUS_INVALID_ARGUMENT);
	ttrpc_fixture_send_frame(&fixture, fd, (struct frame_header){ .stream_id = 5, .type = FRAME_REQUEST },
				 "\x0a\x7f", 2);
	ttrpc_fixture_expect(&fixture, fd, 5, STATUS_INVALID_ARGUMENT);
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 5, &(struct request){ .method = "Echo" }));
	ttrpc_fixture_expect(&fixture, fd, 5, STATUS_INVALID_ARGUMENT);
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 7, &(struct request){ .method = "Echo" }));
	ttrpc_fixture_expect(&fixture, fd, 7, STATUS_OK);
	close(fd);
	ttrpc_fixture_done(&fixture);
}

Test(ttrpc_hostile, oversized_messages_are_skipped)
{
	AUTO_FREE char *body = calloc(1, FRAME_LENGTH_MAX + 1);
	struct ttrpc_fixture fixture;
	int fd;

	ttrpc_fixture_init(&fixture);
	fd = ttrpc_fixture_connect(&fixture);
	ttrpc_fixture_send_frame(&fixture, fd, (struct frame_header){ .stream_id = 1, .type = FRAME_REQUEST }, body,
				 FRAME_LENGTH_MAX + 1);
	ttrpc_fixture_expect(&fixture, fd, 1, STATUS_RESOURCE_EXHAUSTED);
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 3,
				    &(struct request){ .method = "Echo", .payload = { body, FRAME_LENGTH_MAX - 64 } }));
	ttrpc_fixture_expect(&fixture, fd, 3, STATUS_OK);
	close(fd);
	ttrpc_fixture_done(&fixture);
}

Test(ttrpc_hostile, an_answer_that_is_too_large_becomes_an_error)
{
	AUTO_FREE char *payload = calloc(1, FRAME_LENGTH_MAX);
	struct ttrpc_fixture fixture;
	int fd;

	ttrpc_fixture_init(&fixture);
	fd = ttrpc_fixture_connect(&fixture);
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 1, &(struct request){ .method = "Keep" }));
	server_answer(fixture.server, fixture.kept[0], (struct message_bytes){ payload, FRAME_LENGTH_MAX });
	ttrpc_fixture_expect(&fixture, fd, 1, STATUS_RESOURCE_EXHAUSTED);
	close(fd);
	ttrpc_fixture_done(&fixture);
}

/* Every peer sends its own garbage: wholly random, or with headers that make some sense. Answers are thrown away. */
Test(ttrpc_hostile, garbage_harms_nobody)
{
	struct ttrpc_fixture fixture;

	ttrpc_fixture_init(&fixture);
	for (unsigned seed = 0; seed < 60; seed++) {
		AUTO_CLOSE int fd = ttrpc_fixture_connect(&fixture);
		char thrown[4096];
		uint8_t data[600];

		srandom(seed);
		for (int round = 0; round < 20; round++) {
			for (size_t i = 0; i < sizeof(data); i++)
				data[i] = (uint8_t)(random() & (seed % 2 ? 0x0f : 0xff));
			for (size_t i = 0; seed % 3 && i + FRAME_HEADER_SIZE < sizeof(data); i += 40)
				memcpy(data + i, ((uint8_t[]){ 0, 0, 0, 30, 0, 0, (uint8_t)round, (uint8_t)i | 1, 1 }),
				       9);
			ttrpc_fixture_send(&fixture, fd, data, sizeof(data) - (unsigned)round);
			while (recv(fd, thrown, sizeof(thrown), MSG_DONTWAIT) > 0)
				;
		}
	}
	expect_alive(&fixture);
	ttrpc_fixture_settle(&fixture);
	cr_expect_eq(server_n_connections(fixture.server), 0);
	ttrpc_fixture_done(&fixture);
}

Test(ttrpc_hostile, a_message_cut_short_is_forgotten)
{
	size_t n_fds = scratch_count_fds();
	struct ttrpc_fixture fixture;

	ttrpc_fixture_init(&fixture);
	for (size_t length = 1; length <= 20; length++) {
		AUTO_CLOSE int fd = ttrpc_fixture_connect(&fixture);

		ttrpc_fixture_send(&fixture, fd, "\0\0\0\x40\0\0\0\1\1\0\x0a\4test\x12\4Echo", length);
	}
	ttrpc_fixture_settle(&fixture);
	cr_expect_eq(server_n_connections(fixture.server), 0);
	expect_alive(&fixture);
	ttrpc_fixture_done(&fixture);
	cr_expect_eq(scratch_count_fds(), n_fds);
}

Test(ttrpc_hostile, open_calls_are_bounded)
{
	struct ttrpc_fixture fixture;
	uint32_t id = 1;
	int fd;

	ttrpc_fixture_init(&fixture);
	fd = ttrpc_fixture_connect(&fixture);
	for (int i = 0; i < CALLS_MAX; i++, id += 2)
		cr_assert(ttrpc_fixture_ask(&fixture, fd, id, &(struct request){ .method = "Keep" }));
	cr_expect_eq(fixture.n_kept, CALLS_MAX);
	cr_assert(ttrpc_fixture_ask(&fixture, fd, id, &(struct request){ .method = "Keep" }));
	ttrpc_fixture_expect(&fixture, fd, id, STATUS_RESOURCE_EXHAUSTED);
	expect_alive(&fixture);
	close(fd);
	ttrpc_fixture_settle(&fixture);
	cr_expect_eq(fixture.n_ended[SERVER_DISCONNECTED], CALLS_MAX);
	ttrpc_fixture_done(&fixture);
}

Test(ttrpc_hostile, connections_are_bounded)
{
	struct ttrpc_fixture fixture;
	int fds[SERVER_CONNECTIONS_MAX + 5];

	ttrpc_fixture_init(&fixture);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = ttrpc_fixture_connect(&fixture);
		ttrpc_fixture_settle(&fixture);
	}
	cr_expect_eq(server_n_connections(fixture.server), SERVER_CONNECTIONS_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	ttrpc_fixture_settle(&fixture);
	expect_alive(&fixture);
	ttrpc_fixture_done(&fixture);
}

/* Sends echoes of 16 KiB without fetching an answer, as long as the server reads. Returns how many went out whole. */
static unsigned flood(struct ttrpc_fixture *fixture, int fd, size_t *ret_rest, const struct buffer *frame)
{
	uint8_t *bytes = (uint8_t *)frame->data;
	unsigned n = 0;
	size_t at = 0;

	for (int idle = 0; idle < 3;) {
		struct frame_header header = {
			.length = (uint32_t)frame->length - FRAME_HEADER_SIZE,
			.stream_id = n * 2 + 1,
			.type = FRAME_REQUEST,
		};
		ssize_t sent;

		frame_header_pack(&header, bytes);
		sent = send(fd, bytes + at, frame->length - at, MSG_NOSIGNAL);
		ttrpc_fixture_settle(fixture);
		idle = sent < 0 ? idle + 1 : 0;
		at += sent > 0 ? (size_t)sent : 0;
		n += at == frame->length;
		at %= frame->length;
		cr_assert_lt(n, 2000, "the server reads without end");
	}
	*ret_rest = at;
	return n;
}

Test(ttrpc_hostile, a_peer_that_does_not_read_is_not_read)
{
	static char payload[16 * 1024];
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer frame = { 0 };
	struct ttrpc_fixture fixture;
	size_t rest;
	unsigned n;
	int fd;

	ttrpc_fixture_init(&fixture);
	buffer_append(&frame, "header....", FRAME_HEADER_SIZE);
	request_pack(&(struct request){ "test", "Echo", .payload = { payload, sizeof(payload) } }, &frame);
	fd = ttrpc_fixture_connect(&fixture);
	n = flood(&fixture, fd, &rest, &frame);
	/* What is in the queue and in both directions of the socket. */
	cr_expect_lt(n * sizeof(payload), 2 * OUTPUT_MARK + 2 * 1024 * 1024, "%u", n);
	expect_alive(&fixture);
	for (unsigned i = 0; i < n; i++)
		ttrpc_fixture_expect(&fixture, fd, i * 2 + 1, STATUS_OK);
	cr_assert(ttrpc_fixture_send(&fixture, fd, frame.data + rest, frame.length - rest));
	ttrpc_fixture_expect(&fixture, fd, n * 2 + 1, STATUS_OK);
	close(fd);
	ttrpc_fixture_done(&fixture);
}

Test(ttrpc_hostile, answers_beyond_all_measure_end_the_connection)
{
	AUTO_FREE char *payload = calloc(1, 3 * 1024 * 1024);
	struct ttrpc_fixture fixture;
	int fd, r = 0;

	ttrpc_fixture_init(&fixture);
	fd = ttrpc_fixture_connect(&fixture);
	for (uint32_t id = 1; id < 20; id += 2)
		cr_assert(ttrpc_fixture_ask(&fixture, fd, id, &(struct request){ .method = "Keep" }));
	for (size_t i = 0; i < fixture.n_kept && r == 0; i++)
		r = server_answer(fixture.server, fixture.kept[i], (struct message_bytes){ payload, 3 * 1024 * 1024 });
	cr_expect_eq(r, -ENOBUFS);
	cr_expect_eq(fixture.n_ended[SERVER_DISCONNECTED], 0, "not from within the answer");
	ttrpc_fixture_settle(&fixture);
	cr_expect_gt(fixture.n_ended[SERVER_DISCONNECTED], 0);
	cr_expect_eq(server_n_connections(fixture.server), 0);
	expect_alive(&fixture);
	close(fd);
	ttrpc_fixture_done(&fixture);
}

Test(ttrpc_hostile, memory_stays_flat)
{
	struct ttrpc_fixture fixture;
	struct mallinfo2 before = { 0 };
	uint32_t id = 1;
	int fd;

	ttrpc_fixture_init(&fixture);
	fd = ttrpc_fixture_connect(&fixture);
	for (int i = 0; i < 5000; i++, id += 2) {
		if (i == 100)
			before = mallinfo2();
		cr_assert(ttrpc_fixture_ask(&fixture, fd, id, &(struct request){ .method = i % 2 ? "Echo" : "Nope" }));
		ttrpc_fixture_expect(&fixture, fd, id, i % 2 ? STATUS_OK : STATUS_UNIMPLEMENTED);
	}
	cr_expect_lt(mallinfo2().uordblks, before.uordblks + 4096);
	close(fd);
	ttrpc_fixture_done(&fixture);
}

/* Thousands at once: all are sent before any answer is fetched. */
Test(ttrpc_hostile, a_burst_is_answered_in_full)
{
	struct ttrpc_fixture fixture;
	int fd;

	ttrpc_fixture_init(&fixture);
	fd = ttrpc_fixture_connect(&fixture);
	for (uint32_t i = 0; i < 3000; i++)
		cr_assert(ttrpc_fixture_ask(&fixture, fd, i * 2 + 1, &(struct request){ .method = "Echo" }));
	for (uint32_t i = 0; i < 3000; i++)
		ttrpc_fixture_expect(&fixture, fd, i * 2 + 1, STATUS_OK);
	close(fd);
	ttrpc_fixture_done(&fixture);
}
