#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "child/handshake.h"
#include "tests/support/scratch.h"

#define BARE offsetof(struct handshake_message, error)

struct pair {
	int ours, theirs;
};

static struct pair pair_new(void)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	return (struct pair){ fds[0], fds[1] };
}

Test(handshake, bare_messages_are_small_and_arrive)
{
	struct pair pair = pair_new();
	struct handshake_message message;
	struct error err = { 0 };

	for (int type = HANDSHAKE_GO; type <= HANDSHAKE_FAILED; type++) {
		cr_assert_eq(handshake_send(pair.theirs, (enum handshake_type)type, NULL, -EBADF), 0);
		cr_assert_eq(recv(pair.ours, &message, sizeof(message), MSG_PEEK), (ssize_t)BARE);
		cr_assert_eq(handshake_receive(pair.ours, &message, NULL, &err), 1);
		cr_assert_eq((int)message.type, type);
	}
}

Test(handshake, go_carries_the_pid)
{
	struct pair pair = pair_new();
	struct error err = { 0 };
	int pid = 0;

	cr_assert_eq(handshake_send_go(pair.theirs, 4711), 0);
	cr_assert_eq(handshake_expect(pair.ours, HANDSHAKE_GO, &pid, &err), 0);
	cr_assert_eq(pid, 4711);
	cr_assert_eq(handshake_send_go(pair.theirs, 4711), 0);
	cr_assert_eq(handshake_expect(pair.ours, HANDSHAKE_GO, /* ret_pid= */ NULL, &err), 0);
}

Test(handshake, failure_arrives_whole)
{
	struct pair pair = pair_new();
	struct handshake_message message;
	struct error sent = { 0 }, err = { 0 };

	error_set(&sent, ERROR_PROGRAM, EACCES, "exec: \"x\": permission denied");
	cr_assert_eq(handshake_send(pair.theirs, HANDSHAKE_FAILED, &sent, -EBADF), 0);
	cr_assert_eq(handshake_receive(pair.ours, &message, NULL, &err), 1);
	cr_assert_eq(message.type, HANDSHAKE_FAILED);
	cr_assert_eq(message.error.kind, ERROR_PROGRAM);
	cr_assert_eq(message.error.code, EACCES);
	cr_assert_str_eq(message.error.message, sent.message);
}

Test(handshake, failure_arrives_from_a_peer_that_left_a_message_unread)
{
	struct pair pair = pair_new();
	struct handshake_message message;
	struct error sent = { 0 }, err = { 0 };

	error_set(&sent, ERROR_PROGRAM, ENOENT, "exec: \"x\": not found");
	cr_assert_eq(handshake_send_go(pair.ours, 1), 0);
	cr_assert_eq(handshake_send(pair.theirs, HANDSHAKE_FAILED, &sent, -EBADF), 0);
	close(pair.theirs);
	cr_assert_eq(handshake_receive(pair.ours, &message, NULL, &err), 1, "ECONNRESET alone says nothing");
	cr_assert_eq(message.type, HANDSHAKE_FAILED);
	cr_assert_str_eq(message.error.message, sent.message);
	cr_assert_eq(handshake_receive(pair.ours, &message, NULL, &err), 0);
}

Test(handshake, longest_failure_arrives_whole)
{
	struct pair pair = pair_new();
	struct handshake_message message;
	struct error sent = { .kind = ERROR_SYSTEM, .code = EIO }, err = { 0 };

	memset(sent.message, 'x', sizeof(sent.message) - 1);
	cr_assert_eq(handshake_send(pair.theirs, HANDSHAKE_WARNING, &sent, -EBADF), 0);
	cr_assert_eq(handshake_receive(pair.ours, &message, NULL, &err), 1);
	cr_assert_str_eq(message.error.message, sent.message);
}

Test(handshake, descriptor_comes_along)
{
	struct pair pair = pair_new();
	struct handshake_message message;
	struct error err = { 0 };
	size_t before = scratch_count_fds();
	int fd = -EBADF;

	cr_assert_eq(handshake_send(pair.theirs, HANDSHAKE_LISTENER, NULL, 0), 0);
	cr_assert_eq(handshake_receive(pair.ours, &message, &fd, &err), 1);
	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert_eq(handshake_send(pair.theirs, HANDSHAKE_READY, NULL, 0), 0);
	cr_assert_eq(handshake_expect(pair.ours, HANDSHAKE_READY, NULL, &err), 0);
	cr_assert_eq(scratch_count_fds(), before, "one that nobody asked for is closed");
}

Test(handshake, peer_that_is_gone)
{
	struct pair pair = pair_new();
	struct handshake_message message = { .pid = 5 };
	struct error err = { 0 };

	close(pair.theirs);
	cr_assert_eq(handshake_receive(pair.ours, &message, NULL, &err), 0);
	cr_assert_eq(message.pid, 5, "nothing came: nothing is written");
	cr_assert_eq(handshake_expect(pair.ours, HANDSHAKE_GO, NULL, &err), -ECANCELED);
	cr_assert_eq(handshake_send(pair.ours, HANDSHAKE_READY, NULL, -EBADF), -EPIPE, "and no SIGPIPE");
}

/* With something unread the kernel says ECONNRESET to the other side: that is the end as well. */
Test(handshake, peer_that_left_without_reading)
{
	struct pair pair = pair_new();
	struct handshake_message message;
	struct error err = { 0 };

	cr_assert_eq(handshake_send(pair.ours, HANDSHAKE_GO, NULL, -EBADF), 0);
	close(pair.theirs);
	cr_assert_eq(handshake_receive(pair.ours, &message, NULL, &err), 0);
}

Test(handshake, other_message_than_expected)
{
	struct pair pair = pair_new();
	struct error err = { 0 };
	int pid = 5;

	cr_assert_eq(handshake_send(pair.theirs, HANDSHAKE_READY, NULL, -EBADF), 0);
	cr_assert_eq(handshake_expect(pair.ours, HANDSHAKE_GO, &pid, &err), -EPROTO);
	cr_assert_eq(err.kind, ERROR_INTERNAL);
	cr_assert_eq(pid, 5);
}

static void expect_malformed(const void *bytes, size_t length)
{
	struct pair pair = pair_new();
	struct handshake_message message = { .pid = 5 };
	struct error err = { 0 };

	cr_assert_eq(send(pair.theirs, bytes, length, 0), (ssize_t)length);
	cr_expect_eq(handshake_receive(pair.ours, &message, NULL, &err), -EPROTO, "%zu bytes", length);
	cr_expect_eq(err.kind, ERROR_INTERNAL);
	cr_expect_eq(message.pid, 5, "the output stays as it was");
	close(pair.ours);
	close(pair.theirs);
}

Test(handshake, short_messages_are_malformed)
{
	struct handshake_message message = { .type = HANDSHAKE_GO };

	for (size_t length = 1; length < BARE; length++)
		expect_malformed(&message, length);
}

Test(handshake, unknown_types_are_malformed)
{
	static const int types[] = { 0, -1, HANDSHAKE_FAILED + 1, INT_MAX, INT_MIN };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct handshake_message message = { .type = (enum handshake_type)types[i] };

		expect_malformed(&message, sizeof(message));
	}
}

static struct handshake_message deliver(const struct handshake_message *sent, size_t length)
{
	struct pair pair = pair_new();
	struct handshake_message message;
	struct error err = { 0 };

	cr_assert_eq(send(pair.theirs, sent, length, 0), (ssize_t)length);
	cr_assert_eq(handshake_receive(pair.ours, &message, NULL, &err), 1);
	return message;
}

Test(handshake, text_without_an_end_gets_one)
{
	struct handshake_message sent = { .type = HANDSHAKE_FAILED, .error = { .kind = ERROR_SYSTEM, .code = EIO } };
	struct handshake_message message;

	memset(sent.error.message, 'x', sizeof(sent.error.message));
	message = deliver(&sent, sizeof(sent));
	cr_assert_eq(strnlen(message.error.message, sizeof(message.error.message)), sizeof(message.error.message) - 1);
	message = deliver(&sent, offsetof(struct handshake_message, error.message) + 3);
	cr_assert_str_eq(message.error.message, "xxx");
	message = deliver(&sent, offsetof(struct handshake_message, error.message));
	cr_assert_str_eq(message.error.message, "");
}

/* A failure has to be one for whoever returns its code and looks up its kind in a table. */
Test(handshake, failure_without_sense_becomes_one_that_has_it)
{
	static const int codes[] = { 0, -1, INT_MIN }, kinds[] = { 0, -1, ERROR_PROGRAM + 1, INT_MAX, INT_MIN };
	struct handshake_message sent = { .type = HANDSHAKE_FAILED };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		sent.error = (struct error){ .kind = ERROR_SYSTEM, .code = codes[i] };
		cr_expect_gt(deliver(&sent, sizeof(sent)).error.code, 0, "%d", codes[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		sent.error = (struct error){ .kind = (enum error_kind)kinds[i], .code = EIO };
		cr_expect_eq(deliver(&sent, sizeof(sent)).error.kind, ERROR_INTERNAL, "%d", kinds[i]);
	}
	cr_expect_gt(deliver(&sent, BARE).error.code, 0);
	cr_expect_eq(deliver(&sent, BARE).error.kind, ERROR_INTERNAL);
}

Test(handshake, longer_message_than_any_of_ours_is_cut)
{
	struct {
		struct handshake_message message;
		char more[256];
	} sent = { .message = { .type = HANDSHAKE_GO, .pid = 9 } };
	struct pair pair = pair_new();
	struct handshake_message message;
	struct error err = { 0 };

	cr_assert_eq(send(pair.theirs, &sent, sizeof(sent), 0), (ssize_t)sizeof(sent));
	cr_assert_eq(handshake_send(pair.theirs, HANDSHAKE_READY, NULL, -EBADF), 0);
	cr_assert_eq(handshake_receive(pair.ours, &message, NULL, &err), 1);
	cr_assert_eq(message.pid, 9);
	cr_assert_eq(handshake_receive(pair.ours, &message, NULL, &err), 1);
	cr_assert_eq(message.type, HANDSHAKE_READY, "the rest of one message is not the next one");
}
