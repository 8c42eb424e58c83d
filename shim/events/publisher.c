/* An event goes out a millisecond later where the connection is up and nothing is before it. What is not acknowledged within a second, or comes while
 * nobody listens, is written to the queue's file, and sent from there. One call is under way at a time: containerd serves those of one
 * connection side by side, and the order counts. An event may be sent twice (its answer was lost, or we were killed before it
 * was noted); containerd takes that. */
#include "shim/events/publisher.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "shim/events/backlog.h"
#include "shim/events/queue.h"
#include "shim/proto/events.pb-c.h"
#include "shim/ttrpc/client.h"

#define MS UINT64_C(1000000) /* nanoseconds */
#define ANSWER_TIMEOUT (5000 * MS)
#define MEMORY_TIMEOUT (1000 * MS) /* then it goes to the file */
#define FIRST_PAUSE (1 * MS)
#define PAUSE_MIN (50 * MS)
#define PAUSE_MAX (5000 * MS)
#define TRIES_MAX 5				/* of an event that containerd refuses */
#define MEMORY_BYTES_MAX ((size_t)64 * 1024)	/* more at once go to the file */
#define MEMORY_BYTES_FULL ((size_t)1024 * 1024) /* where the file can't be written */

enum outcome { OUTCOME_NONE, OUTCOME_TAKEN, OUTCOME_REFUSED, OUTCOME_LOST };

struct publisher {
	struct publisher_options options;
	struct client *client;
	struct client_call call;
	struct backlog backlog; /* behind what is in queue */
	struct queue queue;
	bool is_sent;	      /* the first event is with containerd */
	enum outcome outcome; /* of that, for `work`: a client can't be freed within its own callback */
	unsigned n_refused;
	uint64_t pause;
	struct loop_timer work, spill, end;
	void (*idle)(void *context);
	void *idle_context;
	bool has_logged_full, is_away;
};

bool publisher_is_idle(const struct publisher *publisher)
{
	return backlog_is_empty(&publisher->backlog) && queue_is_empty(&publisher->queue);
}

/* From memory to the file, as many as it takes. */
static int spill(struct publisher *publisher, struct error *err)
{
	int r = 0;

	while (r == 0 && !backlog_is_empty(&publisher->backlog)) {
		r = queue_append(&publisher->queue, backlog_peek(&publisher->backlog), PUBLISHER_QUEUE_BYTES_MAX, err);
		if (r == 0)
			backlog_drop(&publisher->backlog);
	}
	if (r == 0)
		loop_clear_timer(publisher->options.loop, &publisher->spill);
	return r;
}

/* Where it can't be, what there is stays in memory; `add` refuses more than that has room for. */
static void spill_what_can_be(struct publisher *publisher)
{
	struct error err;

	if (spill(publisher, &err) < 0 && !publisher->has_logged_full) {
		log_warning("events for containerd stay in memory: %s", err.message);
		publisher->has_logged_full = true;
	}
}

/* containerd has it, or will never take it. */
static void drop_first(struct publisher *publisher)
{
	if (!queue_is_empty(&publisher->queue))
		queue_drop(&publisher->queue);
	else
		backlog_drop(&publisher->backlog);
	publisher->n_refused = 0;
	publisher->has_logged_full = false;
	if (backlog_is_empty(&publisher->backlog))
		loop_clear_timer(publisher->options.loop, &publisher->spill);
	else
		loop_set_timer(publisher->options.loop, &publisher->spill, loop_now() + MEMORY_TIMEOUT);
}

/* It doubles each time: a restart of containerd takes a second, an upgrade minutes. It begins anew with the next event that is taken. */
static void pause_then_work(struct publisher *publisher)
{
	uint64_t pause = publisher->pause;

	publisher->pause = pause * 2 < PAUSE_MAX ? pause * 2 : PAUSE_MAX;
	loop_set_timer(publisher->options.loop, &publisher->work, loop_now() + pause);
}

/* Whether it broke, or never was: what waits goes to the file at once, since the shim may be killed next. */
static void lose_connection(struct publisher *publisher, const struct error *why)
{
	if (!publisher->is_away)
		log_warning("containerd takes no events at %s (%s); they wait in the bundle",
			    publisher->options.address, why->message);
	publisher->is_away = true;
	client_free(publisher->client);
	publisher->client = NULL;
	publisher->is_sent = false;
	spill_what_can_be(publisher);
	pause_then_work(publisher);
}

/* Unavailable is containerd on its way down: no refusal of this event. */
static void end_of_call(void *context, const struct response *response, const struct error *err)
{
	struct publisher *publisher = context;

	if (!response) {
		publisher->outcome = OUTCOME_LOST;
		log_debug("event: %s", err->message);
	} else if (response->code == STATUS_OK) {
		publisher->outcome = OUTCOME_TAKEN;
	} else if (response->code == STATUS_UNAVAILABLE) {
		publisher->outcome = OUTCOME_LOST;
	} else {
		publisher->outcome = OUTCOME_REFUSED;
		log_warning("containerd refuses an event, time %u of %u: %s", publisher->n_refused + 1, TRIES_MAX,
			    response->message);
	}
	loop_set_timer(publisher->options.loop, &publisher->work, /* deadline= */ 0);
}

/* Where the file can't be read its events are lost, and what is in memory comes next. */
static void drop_unreadable(struct publisher *publisher, const struct error *why)
{
	queue_drop(&publisher->queue);
	publisher->n_refused = 0;
	log_error("events for containerd that waited in the bundle are lost: %s", why->message);
	loop_set_timer(publisher->options.loop, &publisher->work, /* deadline= */ 0);
}

static int send_first(struct publisher *publisher, const struct buffer *first, struct error *err)
{
	const struct request_metadata metadata = { "containerd-namespace-ttrpc", publisher->options.namespace };
	const struct request request = {
		.service = "containerd.services.events.ttrpc.v1.Events",
		.method = "Forward",
		.timeout = (int64_t)ANSWER_TIMEOUT,
		.metadata = &metadata,
		.n_metadata = 1,
		.payload = { first->data, first->length },
	};

	publisher->call = (struct client_call){ .done = end_of_call, .context = publisher };
	return client_send(publisher->client, &publisher->call, &request, err);
}

/* Is there anybody to send to? */
static bool connect_client(struct publisher *publisher)
{
	struct error err;

	if (publisher->client && client_is_connected(publisher->client))
		return true;
	client_free(publisher->client);
	publisher->client = NULL;
	if (client_connect(publisher->options.loop, publisher->options.address, &publisher->client, &err) == 0)
		return true;
	lose_connection(publisher, &err);
	return false;
}

static void tell_idle(struct publisher *publisher)
{
	void (*idle)(void *context) = publisher->idle;

	publisher->idle = NULL;
	loop_clear_timer(publisher->options.loop, &publisher->end);
	if (idle)
		idle(publisher->idle_context);
}

/* What may come next, where nothing is under way. The last act of whoever calls: `idle` may free the publisher. */
static void go_on(struct publisher *publisher)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer stored = { 0 };
	const struct buffer *first = &stored;
	struct error err;

	if (publisher->is_sent || publisher->work.is_active)
		return;
	if (publisher_is_idle(publisher)) {
		tell_idle(publisher);
		return;
	}
	if (!connect_client(publisher))
		return;
	if (queue_is_empty(&publisher->queue)) {
		first = backlog_peek(&publisher->backlog);
	} else if (queue_peek(&publisher->queue, &stored, &err) < 0) {
		drop_unreadable(publisher, &err);
		return;
	}
	if (send_first(publisher, first, &err) < 0) {
		lose_connection(publisher, &err);
		return;
	}
	publisher->is_sent = true;
}

/* Somebody waits for the answer to the request that the event tells of, and often for what comes next: a short exec is over before its
 * events wake one more reader, who would want the same processor. */
static void go_on_soon(struct publisher *publisher)
{
	if (!publisher->is_sent && !publisher->work.is_active)
		loop_set_timer(publisher->options.loop, &publisher->work, loop_now() + FIRST_PAUSE);
}

static void take_outcome(struct publisher *publisher, enum outcome outcome)
{
	struct error why;

	switch (outcome) {
	case OUTCOME_NONE:
		return;
	case OUTCOME_TAKEN:
		publisher->pause = PAUSE_MIN;
		if (publisher->is_away)
			log_info("containerd takes events again");
		publisher->is_away = false;
		drop_first(publisher);
		return;
	case OUTCOME_REFUSED:
		if (++publisher->n_refused < TRIES_MAX) {
			pause_then_work(publisher);
			return;
		}
		log_error("an event is given up: containerd refused it %u times", TRIES_MAX);
		publisher->pause = PAUSE_MIN;
		drop_first(publisher);
		return;
	case OUTCOME_LOST:
		error_set(&why, ERROR_SYSTEM, EPIPE, "no answer");
		lose_connection(publisher, &why);
		return;
	}
}

static void work(void *context)
{
	struct publisher *publisher = context;
	enum outcome outcome = publisher->outcome;

	publisher->outcome = OUTCOME_NONE;
	if (outcome != OUTCOME_NONE)
		publisher->is_sent = false;
	take_outcome(publisher, outcome);
	go_on(publisher);
}

static void spill_late(void *context)
{
	spill_what_can_be(context);
}

/* The shim's own end can't wait any longer: the rest is in the bundle for its next shim, and goes with it. */
static void end_waiting(void *context)
{
	struct publisher *publisher = context;

	spill_what_can_be(publisher);
	tell_idle(publisher);
}

int publisher_new(const struct publisher_options *options, struct publisher **ret, struct error *err)
{
	struct publisher *publisher = calloc(1, sizeof(*publisher));
	struct error why;

	if (!publisher)
		return error_memory(err);
	publisher->options = *options;
	publisher->options.address = strdup(options->address ?: "");
	publisher->options.namespace = strdup(options->namespace);
	publisher->pause = PAUSE_MIN;
	publisher->work = (struct loop_timer){ .expired = work, .context = publisher };
	publisher->spill = (struct loop_timer){ .expired = spill_late, .context = publisher };
	publisher->end = (struct loop_timer){ .expired = end_waiting, .context = publisher };
	publisher->queue.fd = -EBADF;
	if (!publisher->options.address || !publisher->options.namespace) {
		publisher_free(publisher);
		return error_memory(err);
	}
	/* No reason for a pod not to start. */
	if (*publisher->options.address && queue_init(&publisher->queue, options->directory_fd, &why) < 0)
		log_error("%s", why.message);
	if (!queue_is_empty(&publisher->queue))
		loop_set_timer(options->loop, &publisher->work, /* deadline= */ 0);
	*ret = publisher;
	return 0;
}

void publisher_free(struct publisher *publisher)
{
	if (!publisher)
		return;
	if (!backlog_is_empty(&publisher->backlog))
		spill_what_can_be(publisher);
	loop_clear_timer(publisher->options.loop, &publisher->work);
	loop_clear_timer(publisher->options.loop, &publisher->spill);
	loop_clear_timer(publisher->options.loop, &publisher->end);
	client_free(publisher->client);
	backlog_done(&publisher->backlog);
	queue_done(&publisher->queue);
	free((char *)publisher->options.address);
	free((char *)publisher->options.namespace);
	free(publisher);
}

/* The time is that of the event, and not that of its sending. */
static void pack(const struct publisher *publisher, const struct publisher_event *event, struct buffer *ret)
{
	Wire__ForwardRequest request = WIRE__FORWARD_REQUEST__INIT;
	Wire__Envelope envelope = WIRE__ENVELOPE__INIT;
	Wire__Timestamp timestamp = WIRE__TIMESTAMP__INIT;
	Wire__Any any = WIRE__ANY__INIT;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	timestamp.seconds = now.tv_sec;
	timestamp.nanos = (int32_t)now.tv_nsec;
	any.type_url = (char *)event->type_url;
	any.value = (ProtobufCBinaryData){ .len = event->length, .data = (uint8_t *)event->value };
	envelope.timestamp = &timestamp;
	envelope.namespace_ = (char *)publisher->options.namespace;
	envelope.topic = (char *)event->topic;
	envelope.event = &any;
	request.envelope = &envelope;
	message_pack(&request.base, ret);
}

/* In order: what comes while older events are in the file goes there too, behind those that wait in memory for room in it. */
static int add(struct publisher *publisher, struct buffer *packed, struct error *err)
{
	struct backlog *backlog = &publisher->backlog;
	bool was_empty;
	int r;

	if (backlog->bytes + packed->length > MEMORY_BYTES_FULL)
		spill_what_can_be(publisher);
	if (backlog->bytes + packed->length > MEMORY_BYTES_FULL)
		return error_set(err, ERROR_SYSTEM, ENOSPC,
				 "%zu bytes of events wait in memory, and " QUEUE_FILE " takes no more", backlog->bytes);
	was_empty = backlog_is_empty(backlog);
	r = backlog_append(backlog, packed);
	if (r < 0)
		return error_memory(err);
	if (was_empty)
		loop_set_timer(publisher->options.loop, &publisher->spill, loop_now() + MEMORY_TIMEOUT);
	if (backlog->bytes > MEMORY_BYTES_MAX || publisher->is_away || !queue_is_empty(&publisher->queue))
		spill_what_can_be(publisher);
	return 0;
}

int publisher_publish(struct publisher *publisher, const struct publisher_event *event, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer packed = { 0 };
	int r;

	/* They would fill the queue's file, and then memory, for nobody. */
	if (!*publisher->options.address)
		return 0;
	pack(publisher, event, &packed);
	r = packed.failed ? error_system(err, -packed.failed, "pack the event") : add(publisher, &packed, err);
	if (r < 0)
		return error_prefix(err, "event %s", event->topic);
	go_on_soon(publisher);
	return 0;
}

void publisher_hurry(struct publisher *publisher)
{
	if (!publisher->is_away)
		return;
	publisher->pause = PAUSE_MIN;
	if (!publisher->is_sent && publisher->work.is_active)
		loop_set_timer(publisher->options.loop, &publisher->work, /* deadline= */ 0);
}

void publisher_finish(struct publisher *publisher, uint64_t timeout, void (*idle)(void *context), void *context)
{
	publisher->idle = idle;
	publisher->idle_context = context;
	if (publisher_is_idle(publisher)) {
		tell_idle(publisher);
		return;
	}
	loop_set_timer(publisher->options.loop, &publisher->end, loop_now() + timeout);
	/* Not after the pause that is on: this may be the last chance. */
	if (!publisher->is_sent && publisher->work.is_active)
		loop_set_timer(publisher->options.loop, &publisher->work, /* deadline= */ 0);
}
