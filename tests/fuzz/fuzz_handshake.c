/* libFuzzer: any bytes as a message between brig and a container's first process. What is taken makes sense. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child/handshake.h"

#define MESSAGE_MAX ((size_t)2 * sizeof(struct handshake_message))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct handshake_message *message)
{
	if (message->type < HANDSHAKE_GO || message->type > HANDSHAKE_FAILED)
		abort();
	if (strnlen(message->error.message, sizeof(message->error.message)) == sizeof(message->error.message))
		abort();
	if (message->type == HANDSHAKE_FAILED &&
	    (message->error.code <= 0 || message->error.kind <= ERROR_NONE || message->error.kind > ERROR_PROGRAM))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct handshake_message message;
	struct error err = { 0 };
	int fds[2], fd, rc;

	if (size > MESSAGE_MAX || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return 0;
	if (send(fds[1], data, size, MSG_NOSIGNAL) != (ssize_t)size)
		abort();
	rc = handshake_receive(fds[0], &message, &fd, &err);
	if (fd >= 0 || (rc < 0 && (err.kind == ERROR_NONE || !err.message[0])))
		abort();
	if (rc == 1)
		check(&message);
	close(fds[0]);
	close(fds[1]);
	return 0;
}
