#include "tests/unit/shim/ttrpc_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "shim/ttrpc/listener.h"

#define PATIENCE UINT64_C(20000000000) /* nanoseconds */

static void handle_echo(void *context, struct server_call call, const struct request *request)
{
	struct ttrpc_fixture *fixture = context;

	server_answer(fixture->server, call, request->payload);
}

static void handle_keep(void *context, struct server_call call, const struct request *request)
{
	struct ttrpc_fixture *fixture = context;

	(void)request;
	cr_assert_lt(fixture->n_kept, TTRPC_FIXTURE_KEPT_MAX);
	fixture->kept[fixture->n_kept++] = call;
}

static void handle_fail(void *context, struct server_call call, const struct request *request)
{
	struct ttrpc_fixture *fixture = context;
	struct error err;

	(void)request;
	error_set(&err, ERROR_NOT_FOUND, ENOENT, "container web: there is none");
	server_refuse(fixture->server, call, &err);
}

static void handle_sum(void *context, struct server_call call, const struct request *request)
{
	struct ttrpc_fixture *fixture = context;

	(void)call;
	fixture->sum = request->payload.length;
}

static void handle_sum_data(void *context, struct server_call call, struct message_bytes payload, bool is_last)
{
	struct ttrpc_fixture *fixture = context;
	char text[32];

	fixture->sum += payload.length;
	if (!is_last)
		return;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)fixture->sum);
	server_send_data(fixture->server, call, (struct message_bytes){ text, strlen(text) }, /* is_last= */ false);
	server_send_data(fixture->server, call, (struct message_bytes){ 0 }, /* is_last= */ true);
}

static void count_ended(void *context, struct server_call call, enum server_ended why)
{
	struct ttrpc_fixture *fixture = context;

	fixture->n_ended[why]++;
	cr_expect_eq(server_answer(fixture->server, call, (struct message_bytes){ 0 }), -ENOENT, "it is over");
}

void ttrpc_fixture_init(struct ttrpc_fixture *fixture)
{
	static const struct server_method methods[] = {
		{ "test", "Echo", handle_echo, NULL },
		{ "test", "Keep", handle_keep, NULL },
		{ "test", "Fail", handle_fail, NULL },
		{ "test", "Sum", handle_sum, handle_sum_data },
	};
	struct server_options options = {
		.methods = methods,
		.n_methods = ARRAY_SIZE(methods),
		.context = fixture,
		.ended = count_ended,
	};
	struct error err = { 0 };
	int fd;

	*fixture = (struct ttrpc_fixture){ .scratch = scratch_new() };
	cr_assert_eq(loop_new(&fixture->loop, &err), 0, "%s", err.message);
	options.loop = fixture->loop;
	snprintf(fixture->path, sizeof(fixture->path), "%s/s/socket", fixture->scratch.path);
	fd = listener_open(fixture->path, &err);
	cr_assert_geq(fd, 0, "%s", err.message);
	cr_assert_eq(server_new(&options, fd, &fixture->server, &err), 0, "%s", err.message);
}

void ttrpc_fixture_done(struct ttrpc_fixture *fixture)
{
	server_free(fixture->server);
	loop_free(fixture->loop);
	scratch_done(&fixture->scratch);
}

void ttrpc_fixture_settle(struct ttrpc_fixture *fixture)
{
	int n;

	do
		n = loop_step(fixture->loop, 0);
	while (n > 0);
	cr_assert_eq(n, 0);
}

int ttrpc_fixture_connect(const struct ttrpc_fixture *fixture)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	cr_assert_lt(strlen(fixture->path), sizeof(address.sun_path));
	strcpy(address.sun_path, fixture->path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

bool ttrpc_fixture_send(struct ttrpc_fixture *fixture, int fd, const void *data, size_t length)
{
	uint64_t deadline = loop_now() + PATIENCE;
	const char *at = data;

	while (length > 0) {
		ssize_t n = send(fd, at, length, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return false;
		if (n > 0) {
			at += n;
			length -= (size_t)n;
		}
		cr_assert_lt(loop_now(), deadline, "the server does not read");
		ttrpc_fixture_settle(fixture);
	}
	return true;
}

bool ttrpc_fixture_send_frame(struct ttrpc_fixture *fixture, int fd, struct frame_header header, const void *body,
			      size_t length)
{
	uint8_t bytes[FRAME_HEADER_SIZE];

	header.length = (uint32_t)length;
	frame_header_pack(&header, bytes);
	return ttrpc_fixture_send(fixture, fd, bytes, sizeof(bytes)) &&
	       (length == 0 || ttrpc_fixture_send(fixture, fd, body, length));
}

bool ttrpc_fixture_ask(struct ttrpc_fixture *fixture, int fd, uint32_t stream_id, const struct request *request)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer body = { 0 };
	struct request completed = *request;

	completed.service = request->service ?: "test";
	request_pack(&completed, &body);
	cr_assert_eq(body.failed, 0);
	return ttrpc_fixture_send_frame(fixture, fd,
					(struct frame_header){ .stream_id = stream_id, .type = FRAME_REQUEST },
					body.data, body.length);
}

static bool receive_bytes(struct ttrpc_fixture *fixture, int fd, void *data, size_t length)
{
	uint64_t deadline = loop_now() + PATIENCE;
	char *at = data;

	while (length > 0) {
		ssize_t n = recv(fd, at, length, 0);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			return false;
		if (n > 0) {
			at += n;
			length -= (size_t)n;
			continue;
		}
		cr_assert_lt(loop_now(), deadline, "no answer");
		cr_assert_geq(loop_step(fixture->loop, 5), 0);
	}
	return true;
}

static void unpack(struct ttrpc_answer *answer)
{
	AUTO(arena_free) struct arena *arena = arena_new(MESSAGE_MEMORY(answer->header.length));
	struct response response;
	struct error err = { 0 };

	cr_assert_eq(response_parse((struct message_bytes){ answer->body, answer->header.length }, arena, &response, &err),
		     0, "%s", err.message);
	answer->code = response.code;
	answer->payload_length = response.payload.length;
	snprintf(answer->message, sizeof(answer->message), "%s", response.message);
}

bool ttrpc_fixture_receive(struct ttrpc_fixture *fixture, int fd, struct ttrpc_answer *ret)
{
	uint8_t bytes[FRAME_HEADER_SIZE];

	*ret = (struct ttrpc_answer){ 0 };
	if (!receive_bytes(fixture, fd, bytes, sizeof(bytes)))
		return false;
	ret->header = frame_header_unpack(bytes);
	ret->body = calloc(1, ret->header.length + 1);
	if (!receive_bytes(fixture, fd, ret->body, ret->header.length)) {
		free(ret->body);
		return false;
	}
	if (ret->header.type == FRAME_RESPONSE)
		unpack(ret);
	return true;
}

void ttrpc_fixture_expect(struct ttrpc_fixture *fixture, int fd, uint32_t stream_id, enum status_code code)
{
	struct ttrpc_answer answer;

	cr_assert(ttrpc_fixture_receive(fixture, fd, &answer), "stream %u: the server hung up", stream_id);
	cr_expect_eq(answer.header.type, FRAME_RESPONSE);
	cr_expect_eq(answer.header.stream_id, stream_id, "%u", answer.header.stream_id);
	cr_expect_eq(answer.code, code, "stream %u: %d: %s", stream_id, answer.code, answer.message);
	free(answer.body);
}
