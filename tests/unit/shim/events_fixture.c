#include "tests/unit/shim/events_fixture.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "shim/proto/events.pb-c.h"
#include "shim/ttrpc/listener.h"

#define PATIENCE UINT64_C(20000000000) /* nanoseconds */

static void keep(struct events_fixture *fixture, struct message_bytes payload)
{
	AUTO(arena_free) struct arena *arena = arena_new(MESSAGE_MEMORY(payload.length));
	Wire__ForwardRequest *request;
	Wire__Envelope *envelope;
	char value[64];
	struct error err;
	void *unpacked;
	int number;

	cr_assert_eq(message_unpack(&wire__forward_request__descriptor, payload, arena, &unpacked, &err), 0, "%s",
		     err.message);
	request = unpacked;
	envelope = request->envelope;
	cr_assert_eq(sscanf(envelope->topic, "/tasks/%d", &number), 1, "topic %s", envelope->topic);
	cr_expect_str_eq(envelope->namespace_, "k8s.io");
	cr_expect_gt(envelope->timestamp->seconds, 1600000000);
	cr_expect_str_eq(envelope->event->type_url, "containerd.events.Test");
	snprintf(value, sizeof(value), "value %d", number);
	cr_expect_geq(envelope->event->value.len, strlen(value));
	cr_expect_eq(memcmp(envelope->event->value.data, value, strlen(value)), 0);
	cr_assert_lt(fixture->n_received, EVENTS_FIXTURE_MAX);
	fixture->received[fixture->n_received++] = number;
}

static void handle_forward(void *context, struct server_call call, const struct request *request)
{
	struct events_fixture *fixture = context;
	enum events_answer answer = fixture->answer;

	cr_assert_eq(request->n_metadata, 1);
	cr_expect_str_eq(request->metadata[0].key, "containerd-namespace-ttrpc");
	cr_expect_str_eq(request->metadata[0].value, "k8s.io");
	keep(fixture, request->payload);
	fixture->last_call = call;
	if (fixture->refuse_first > 0) {
		fixture->refuse_first--;
		answer = EVENTS_REFUSE;
	}
	if (answer == EVENTS_TAKE)
		server_answer(fixture->server, call, (struct message_bytes){ 0 });
	if (answer == EVENTS_REFUSE)
		server_refuse_with(fixture->server, call, fixture->refusal, "not now");
}

void events_fixture_init(struct events_fixture *fixture)
{
	struct error err;

	*fixture = (struct events_fixture){ .scratch = scratch_new(), .refusal = STATUS_UNKNOWN };
	snprintf(fixture->path, sizeof(fixture->path), "%s/s/socket", fixture->scratch.path);
	cr_assert_eq(loop_new(&fixture->loop, &err), 0, "%s", err.message);
}

void events_fixture_done(struct events_fixture *fixture)
{
	publisher_free(fixture->publisher);
	server_free(fixture->server);
	loop_free(fixture->loop);
	scratch_done(&fixture->scratch);
}

void events_fixture_serve(struct events_fixture *fixture)
{
	static const struct server_method methods[] = {
		{ "containerd.services.events.ttrpc.v1.Events", "Forward", handle_forward, NULL },
	};
	struct server_options options = { .methods = methods, .n_methods = ARRAY_SIZE(methods) };
	struct error err;
	int fd = listener_open(fixture->path, &err);

	cr_assert_geq(fd, 0, "%s", err.message);
	options.loop = fixture->loop;
	options.context = fixture;
	cr_assert_eq(server_new(&options, fd, &fixture->server, &err), 0, "%s", err.message);
}

void events_fixture_hang_up(struct events_fixture *fixture)
{
	server_free(fixture->server);
	fixture->server = NULL;
	unlink(fixture->path);
}

void events_fixture_open(struct events_fixture *fixture)
{
	const struct publisher_options options = {
		.loop = fixture->loop,
		.address = fixture->path,
		.namespace = "k8s.io",
		.directory_fd = fixture->scratch.fd,
	};
	struct error err;

	cr_assert_eq(publisher_new(&options, &fixture->publisher, &err), 0, "%s", err.message);
}

void events_fixture_publish(struct events_fixture *fixture, int first, int n)
{
	char topic[64], value[64];
	struct publisher_event event = { .topic = topic, .type_url = "containerd.events.Test", .value = value };
	struct error err;

	for (int i = first; i < first + n; i++) {
		snprintf(topic, sizeof(topic), "/tasks/%d", i);
		event.length = (size_t)snprintf(value, sizeof(value), "value %d", i);
		cr_assert_eq(publisher_publish(fixture->publisher, &event, &err), 0, "%s", err.message);
	}
}

void events_fixture_expect_count(struct events_fixture *fixture, size_t n)
{
	uint64_t deadline = loop_now() + PATIENCE;

	while (fixture->n_received < n) {
		cr_assert_lt(loop_now(), deadline, "%zu of %zu events came", fixture->n_received, n);
		cr_assert_geq(loop_step(fixture->loop, 20), 0);
	}
	cr_assert_eq(fixture->n_received, n, "%zu instead of %zu events came", fixture->n_received, n);
}

void events_fixture_expect_idle(struct events_fixture *fixture)
{
	uint64_t deadline = loop_now() + PATIENCE;

	while (!publisher_is_idle(fixture->publisher)) {
		cr_assert_lt(loop_now(), deadline, "events still wait");
		cr_assert_geq(loop_step(fixture->loop, 20), 0);
	}
}

void events_fixture_expect_run(const struct events_fixture *fixture, size_t place, int first, size_t n)
{
	cr_assert_leq(place + n, fixture->n_received);
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(fixture->received[place + i], first + (int)i, "at %zu: event %d instead of %d", place + i,
			     fixture->received[place + i], first + (int)i);
}

void events_fixture_tell(void *context)
{
	struct events_fixture *fixture = context;

	cr_expect_not(fixture->is_told, "told twice");
	fixture->is_told = true;
}
