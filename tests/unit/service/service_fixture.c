#include "tests/unit/service/service_fixture.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "shim/proto/task.pb-c.h"
#include "shim/ttrpc/listener.h"

#define PATIENCE UINT64_C(20000000000) /* nanoseconds */

void service_fixture_init(struct service_fixture *fixture)
{
	struct service_options options = { .namespace = "k8s.io", .id = "web", .ttrpc_address = "" };
	struct error err = { 0 };

	memset(&fake, 0, sizeof(fake));
	fake.info = (struct task_info){ .id = "web", .exec_id = "", .bundle = "/b", .in = "", .out = "", .err = "" };
	*fixture = (struct service_fixture){ .scratch = scratch_new() };
	cr_assert_eq(loop_new(&fixture->loop, &err), 0, "%s", err.message);
	snprintf(fixture->path, sizeof(fixture->path), "%s/s/socket", fixture->scratch.path);
	snprintf(fixture->bundle, sizeof(fixture->bundle), "%s/bundle", fixture->scratch.path);
	scratch_directory(&fixture->scratch, "bundle");
	options.loop = fixture->loop;
	options.listen_fd = listener_open(fixture->path, &err);
	cr_assert_geq(options.listen_fd, 0, "%s", err.message);
	options.socket_path = fixture->path;
	options.bundle = fixture->bundle;
	cr_assert_eq(service_new(&options, &fixture->service, &err), 0, "%s", err.message);
	fixture->client = service_fixture_connect(fixture);
}

void service_fixture_done(struct service_fixture *fixture)
{
	client_free(fixture->client);
	service_free(fixture->service);
	loop_free(fixture->loop);
	cr_expect_not(scratch_has(&fixture->scratch, "s/socket"), "the socket's file goes with the service");
	cr_expect_eq(fake.n_freed, fake.n_made);
	scratch_done(&fixture->scratch);
}

struct client *service_fixture_connect(struct service_fixture *fixture)
{
	struct error err = { 0 };
	struct client *client;

	cr_assert_eq(client_connect(fixture->loop, fixture->path, &client, &err), 0, "%s", err.message);
	return client;
}

void service_fixture_create(struct service_fixture *fixture)
{
	Wire__CreateTaskRequest create = WIRE__CREATE_TASK_REQUEST__INIT;

	create.id = "web";
	create.bundle = "/b";
	fake.answers_at_once = true;
	service_fixture_expect(fixture, "Create", &create, STATUS_OK, NULL);
	fake.answers_at_once = false;
	fake.count = 1;
}

void service_fixture_settle(struct service_fixture *fixture)
{
	int n;

	do
		n = loop_step(fixture->loop, 0);
	while (n > 0);
	cr_assert_eq(n, 0);
}

static void take_answer(void *context, const struct response *response, const struct error *err)
{
	struct service_answer *answer = context;

	answer->is_done = true;
	answer->code = response ? response->code : STATUS_UNAVAILABLE;
	snprintf(answer->message, sizeof(answer->message), "%s", response ? response->message : err->message);
	if (!response || response->payload.length == 0)
		return;
	cr_assert_leq(response->payload.length, sizeof(answer->payload));
	memcpy(answer->payload, response->payload.data, response->payload.length);
	answer->length = response->payload.length;
}

void service_fixture_send(struct client *client, struct service_answer *answer, struct service_question question)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer packed = { 0 };
	struct request request = { .service = question.service ?: TASK_V2, .method = question.method };
	struct error err = { 0 };

	answer->is_done = false;
	answer->length = 0;
	answer->call = (struct client_call){ .done = take_answer, .context = answer };
	request.payload = question.raw;
	request.timeout = question.timeout;
	if (question.message) {
		message_pack(question.message, &packed);
		request.payload = (struct message_bytes){ packed.data, packed.length };
	}
	cr_assert_eq(client_send(client, &answer->call, &request, &err), 0, "%s", err.message);
}

void service_fixture_wait(struct service_fixture *fixture, struct service_answer *answer)
{
	uint64_t deadline = loop_now() + PATIENCE;

	while (!answer->is_done) {
		cr_assert_lt(loop_now(), deadline, "no answer");
		cr_assert_geq(loop_step(fixture->loop, 5), 0);
	}
}

const struct service_answer *service_fixture_ask(struct service_fixture *fixture, const char *method, const void *message)
{
	static struct service_answer answer;

	service_fixture_send(fixture->client, &answer, (struct service_question){ .method = method, .message = message });
	service_fixture_wait(fixture, &answer);
	return &answer;
}

void service_fixture_expect(struct service_fixture *fixture, const char *method, const void *message,
			    enum status_code code, const char *reason)
{
	const struct service_answer *answer = service_fixture_ask(fixture, method, message);

	cr_expect_eq(answer->code, code, "%s: %d: %s", method, answer->code, answer->message);
	if (reason)
		cr_expect_not_null(strstr(answer->message, reason), "%s: got: %s", method, answer->message);
}

void *service_fixture_unpack(const struct service_answer *answer, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *message = protobuf_c_message_unpack(type, NULL, answer->length, answer->payload);

	cr_assert_eq(answer->code, STATUS_OK, "%d: %s", answer->code, answer->message);
	cr_assert_not_null(message);
	return message;
}
