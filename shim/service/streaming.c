#include "shim/service/streaming.h"

#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "shim/io/streams.h"
#include "shim/proto/common.pb-c.h"
#include "shim/proto/streaming.pb-c.h"
#include "shim/service/service_core.h"

#define TYPE_INIT "containerd.services.streaming.v1.StreamInit"
#define TYPE_DATA "containerd.types.transfer.Data"
#define TYPE_WINDOW "containerd.types.transfer.WindowUpdate"
#define TYPE_EMPTY "google.protobuf.Empty"

/* A connection's stream of messages, from its request until either side ends it. */
struct streaming_call {
	struct stream_peer peer; /* the first member */
	struct service *service;
	struct server_call id;
	bool has_name;
	struct streaming_call *next; /* of service->streaming_calls */
};

/* The link that leads to it, or the last one, which is NULL. */
static struct streaming_call **find(struct service *service, struct server_call id)
{
	struct streaming_call **link = &service->streaming_calls;

	while (*link && ((*link)->id.slot != id.slot || (*link)->id.generation != id.generation ||
			 (*link)->id.stream_id != id.stream_id))
		link = &(*link)->next;
	return link;
}

/* The process's end stays: another peer may come for the same name, as containerd does after its own restart. */
static void forget(struct streaming_call *call)
{
	struct streaming_call **link = find(call->service, call->id);

	*link = call->next;
	streams_leave(&call->peer);
	free(call);
}

static int send_message(struct streaming_call *call, const char *type, const ProtobufCMessage *message)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer inner = { 0 }, outer = { 0 };
	Wire__Any any = WIRE__ANY__INIT;

	if (message)
		message_pack(message, &inner);
	any.type_url = (char *)type;
	any.value.data = (uint8_t *)inner.data;
	any.value.len = inner.length;
	message_pack(&any.base, &outer);
	if (inner.failed || outer.failed)
		return -ENOMEM;
	return server_send_data(call->service->server, call->id,
				(struct message_bytes){ .data = outer.data, .length = outer.length },
				/* is_last= */ false);
}

static void tell_joined(struct stream_peer *peer)
{
	send_message((struct streaming_call *)peer, TYPE_EMPTY, /* message= */ NULL);
}

static int send_output(struct stream_peer *peer, const void *bytes, size_t n)
{
	Wire__StreamData data = WIRE__STREAM_DATA__INIT;

	data.data.data = (uint8_t *)bytes;
	data.data.len = n;
	return send_message((struct streaming_call *)peer, TYPE_DATA, &data.base);
}

static int grant_input(struct stream_peer *peer, uint32_t n)
{
	Wire__WindowUpdate window = WIRE__WINDOW_UPDATE__INIT;

	window.update = (int32_t)n;
	return send_message((struct streaming_call *)peer, TYPE_WINDOW, &window.base);
}

static void end_call(struct stream_peer *peer)
{
	struct streaming_call *call = (struct streaming_call *)peer;

	server_send_data(call->service->server, call->id, (struct message_bytes){ 0 }, /* is_last= */ true);
	forget(call);
}

void streaming_handle(void *context, struct server_call id, const struct request *request)
{
	struct service *service = context;
	struct streaming_call *call = calloc(1, sizeof(*call));
	struct error err = { 0 };

	(void)request; /* nothing is in it: the name comes as data */
	if (!call) {
		error_memory(&err);
		server_refuse(service->server, id, &err);
		return;
	}
	call->peer =
		(struct stream_peer){ .joined = tell_joined, .send = send_output, .grant = grant_input, .end = end_call };
	call->service = service;
	call->id = id;
	call->next = service->streaming_calls;
	service->streaming_calls = call;
}

/* The first message. The name need not be known yet: containerd opens the streams of a process before it asks for that. */
static int take_name(struct streaming_call *call, const Wire__Any *any, struct arena *arena, struct error *err)
{
	Wire__StreamInit *init;
	void *message;
	int r;

	if (strcmp(any->type_url, TYPE_INIT) != 0)
		return error_invalid(err, "the first message of a stream is a %.100s, and no " TYPE_INIT, any->type_url);
	r = message_unpack(&wire__stream_init__descriptor, (struct message_bytes){ any->value.data, any->value.len },
			   arena, &message, err);
	if (r < 0)
		return r;
	init = message;
	call->has_name = true;
	return streams_join(call->service->streams, init->id, &call->peer, err);
}

static int take_data(struct streaming_call *call, const Wire__Any *any, struct arena *arena, struct error *err)
{
	Wire__StreamData *data;
	void *message;
	int r = message_unpack(&wire__stream_data__descriptor,
			       (struct message_bytes){ any->value.data, any->value.len }, arena, &message, err);

	if (r < 0)
		return r;
	data = message;
	return streams_take(&call->peer, data->data.data, data->data.len, err);
}

static int take_window(struct streaming_call *call, const Wire__Any *any, struct arena *arena, struct error *err)
{
	Wire__WindowUpdate *window;
	void *message;
	int r = message_unpack(&wire__window_update__descriptor,
			       (struct message_bytes){ any->value.data, any->value.len }, arena, &message, err);

	if (r < 0)
		return r;
	window = message;
	return streams_allow(&call->peer, window->update, err);
}

/* One message of a peer's, within the memory that its own size allows. */
static int take(struct streaming_call *call, struct message_bytes payload, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(MESSAGE_MEMORY(payload.length));
	Wire__Any *any;
	void *message;
	int r;

	if (!arena)
		return error_memory(err);
	r = message_unpack(&wire__any__descriptor, payload, arena, &message, err);
	if (r < 0)
		return r;
	any = message;
	if (!call->has_name)
		return take_name(call, any, arena, err);
	if (strcmp(any->type_url, TYPE_DATA) == 0)
		return take_data(call, any, arena, err);
	if (strcmp(any->type_url, TYPE_WINDOW) == 0)
		return take_window(call, any, arena, err);
	return error_invalid(err, "a message of a stream is a %.100s", any->type_url);
}

/* Ends this stream; connection and process go on. */
static void refuse(struct streaming_call *call, const struct error *err)
{
	log_debug("refused: %s", err->message);
	server_refuse(call->service->server, call->id, err);
	forget(call);
}

void streaming_data(void *context, struct server_call id, struct message_bytes payload, bool is_last)
{
	struct service *service = context;
	struct streaming_call *call = *find(service, id);
	struct error err = { 0 };

	if (!call)
		return;
	if (payload.data && take(call, payload, &err) < 0) {
		refuse(call, &err);
		return;
	}
	/* It may have ended with that. */
	call = is_last ? *find(service, id) : NULL;
	if (call)
		streams_take_end(&call->peer);
}

void streaming_ended(struct service *service, struct server_call id)
{
	struct streaming_call *call = *find(service, id);

	if (call)
		forget(call);
}

void streaming_free_all(struct service *service)
{
	while (service->streaming_calls)
		forget(service->streaming_calls);
}
