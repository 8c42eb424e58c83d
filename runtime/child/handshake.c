#include "child/handshake.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/fd.h"

int handshake_send(int channel_fd, enum handshake_type type, const struct error *error, int passed_fd)
{
	struct handshake_message message = { .type = type };
	size_t length = offsetof(struct handshake_message, error);

	/* Most messages are a bare type; the kilobyte of an error travels only with those that carry one. */
	if (error) {
		message.error = *error;
		length += offsetof(struct error, message) + strlen(error->message) + 1;
	}
	return fd_send(channel_fd, &message, length, passed_fd);
}

int handshake_send_go(int channel_fd, int pid)
{
	struct handshake_message message = { .type = HANDSHAKE_GO, .pid = pid };

	return fd_send(channel_fd, &message, offsetof(struct handshake_message, error), -EBADF);
}

int handshake_send_ended(int channel_fd, int status, uint64_t elapsed)
{
	struct handshake_message message = { .type = HANDSHAKE_ENDED, .pid = status, .elapsed = elapsed };

	return fd_send(channel_fd, &message, offsetof(struct handshake_message, error), -EBADF);
}

/* What the child sends is hostile as soon as its program could be behind it: each field is held against its range before it is
 * used. */
int handshake_receive(int channel_fd, struct handshake_message *ret, int *ret_fd, struct error *err)
{
	struct handshake_message message = { 0 };
	ssize_t n = fd_receive(channel_fd, &message, sizeof(message), ret_fd);

	/* A peer that ended with something of ours unread: its own last words come after this. */
	if (n == -ECONNRESET)
		n = fd_receive(channel_fd, &message, sizeof(message), ret_fd);
	if (n == 0 || n == -ECONNRESET)
		return 0;
	if (n < 0)
		return error_system(err, (int)-n, "receive from the container's first process");
	if ((size_t)n < offsetof(struct handshake_message, error) || message.type < HANDSHAKE_GO ||
	    message.type > HANDSHAKE_FAILED)
		return error_set(err, ERROR_INTERNAL, EPROTO, "the container's first process sent a malformed message");
	message.error.message[sizeof(message.error.message) - 1] = '\0';
	if (message.type == HANDSHAKE_FAILED && message.error.code <= 0)
		message.error.code = EIO;
	if (message.type == HANDSHAKE_FAILED && (message.error.kind <= ERROR_NONE || message.error.kind > ERROR_PROGRAM))
		message.error.kind = ERROR_INTERNAL;
	*ret = message;
	return 1;
}

int handshake_expect(int channel_fd, enum handshake_type type, int *ret_pid, struct error *err)
{
	struct handshake_message message;
	int rc = handshake_receive(channel_fd, &message, NULL, err);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return error_set(err, ERROR_SYSTEM, ECANCELED, "brig ended before the container was set up");
	if (message.type != type)
		return error_set(err, ERROR_INTERNAL, EPROTO, "unexpected message %d instead of %d", message.type, type);
	if (ret_pid)
		*ret_pid = message.pid;
	return 0;
}
