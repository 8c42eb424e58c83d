#include "shim/ttrpc/session.h"

#include <stdio.h>
#include <string.h>

/* What a handler's caller may make us allocate for the envelope and the payload of one request. */
#define REQUEST_MEMORY(length) MESSAGE_MEMORY(length)

static struct server_call call_of(const struct session *session, uint32_t stream_id)
{
	return (struct server_call){ session->slot, session->generation, stream_id };
}

static void tell_ended(const struct session *session, uint32_t stream_id, enum server_ended why)
{
	if (session->options->ended)
		session->options->ended(session->options->context, call_of(session, stream_id), why);
}

/* Sends an answer on any stream, also one that has no open call. */
static int send_response(struct session *session, uint32_t stream_id, const struct response *response)
{
	struct frame_header header = { .stream_id = stream_id, .type = FRAME_RESPONSE };
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer body = { 0 };

	response_pack(response, &body);
	if (body.failed)
		return body.failed;
	return connection_send(session->connection, header,
			       (struct message_bytes){ .data = body.data, .length = body.length });
}

static void send_status(struct session *session, uint32_t stream_id, const struct error *why)
{
	struct response response = { .code = status_from_error(why), .message = why->message };

	send_response(session, stream_id, &response);
}

static void arm_timer(struct session *session)
{
	uint64_t earliest = calls_earliest(&session->calls);

	if (earliest)
		loop_set_timer(session->options->loop, &session->timer, earliest);
	else
		loop_clear_timer(session->options->loop, &session->timer);
}

static void end_call(struct session *session, uint32_t stream_id)
{
	calls_remove(&session->calls, stream_id);
	if (session->timer.is_active)
		arm_timer(session);
}

/* The peer is told by us: Go's client has given up at the same moment, and others may rely on the answer. */
static void expire_calls(void *context)
{
	struct session *session = context;
	uint64_t now = loop_now();
	struct error why;
	struct call call;

	while (calls_take_expired(&session->calls, now, &call)) {
		error_set(&why, ERROR_TIMEOUT, ETIMEDOUT, "%s/%s: the caller's deadline passed", call.method->service,
			  call.method->method);
		send_status(session, call.stream_id, &why);
		tell_ended(session, call.stream_id, SERVER_TIMED_OUT);
	}
	arm_timer(session);
}

static const struct server_method *find_method(const struct session *session, const struct request *request,
					       struct error *err)
{
	const struct server_options *options = session->options;
	bool knows_service = false;

	for (size_t i = 0; i < options->n_methods; i++) {
		const struct server_method *method = &options->methods[i];

		if (strcmp(method->service, request->service) != 0)
			continue;
		knows_service = true;
		if (strcmp(method->method, request->method) == 0)
			return method;
	}
	error_set(err, ERROR_UNSUPPORTED, ENOSYS, "%s/%s: %s is not served here", request->service, request->method,
		  knows_service ? "the method" : "the service");
	return NULL;
}

/* 0: none. What is over before it began ends with the next turn of the loop. */
static uint64_t deadline_of(const struct request *request)
{
	uint64_t now = loop_now(), deadline;

	if (request->timeout == 0)
		return 0;
	if (request->timeout < 0)
		return now;
	return __builtin_add_overflow(now, (uint64_t)request->timeout, &deadline) ? UINT64_MAX : deadline;
}

static int begin_call(struct session *session, const struct frame_header *header, const struct request *request,
		      struct error *err)
{
	struct call call = { .stream_id = header->stream_id, .deadline = deadline_of(request) };
	int r;

	call.method = find_method(session, request, err);
	if (!call.method)
		return -ENOSYS;
	call.takes_data = call.method->data && header->flags & FRAME_REMOTE_OPEN;
	r = calls_add(&session->calls, &call);
	if (r < 0)
		/* ENOMEM stands for any lack of room: ResourceExhausted. */
		return error_set(err, ERROR_INTERNAL, ENOMEM,
				 "%s/%s: %zu calls wait for an answer already, %d are the most", request->service,
				 request->method, session->calls.n, CALLS_MAX);
	if (call.deadline && (!session->timer.is_active || call.deadline < session->timer.deadline))
		loop_set_timer(session->options->loop, &session->timer, call.deadline);
	call.method->handle(session->options->context, call_of(session, header->stream_id), request);
	return 0;
}

static int take_request(struct session *session, const struct frame_header *header, struct message_bytes body,
			struct error *err)
{
	AUTO(arena_free) struct arena *arena = NULL;
	struct request request;
	int r;

	if (header->stream_id <= session->last_stream_id)
		return error_invalid(err, "stream id %u: ids have to rise, the last one was %u", header->stream_id,
				     session->last_stream_id);
	session->last_stream_id = header->stream_id;
	arena = arena_new(REQUEST_MEMORY(body.length));
	if (!arena)
		return error_memory(err);
	r = request_parse(body, arena, &request, err);
	return r < 0 ? r : begin_call(session, header, &request, err);
}

/* The stream's id has been used by a request of its own: data never begins a call. */
static int take_data(struct session *session, const struct frame_header *header, struct message_bytes body,
		     struct error *err)
{
	struct call *call = calls_find(&session->calls, header->stream_id);
	bool is_last = header->flags & FRAME_REMOTE_CLOSED;
	void (*data)(void *, struct server_call, struct message_bytes, bool);

	if (!call)
		return error_invalid(err, "stream id %u: data for a call that is over", header->stream_id);
	if (!call->takes_data) {
		end_call(session, header->stream_id);
		tell_ended(session, header->stream_id, SERVER_MISUSED);
		return error_invalid(err, "stream id %u: data for a call that takes none", header->stream_id);
	}
	data = call->method->data;
	call->takes_data = !is_last;
	if (header->flags & FRAME_NO_DATA)
		body.data = NULL;
	else if (!body.data)
		body.data = ""; /* an empty message is one */
	data(session->options->context, call_of(session, header->stream_id), body, is_last);
	return 0;
}

static void handle_frame(void *context, const struct frame_header *header, struct message_bytes body)
{
	struct session *session = context;
	struct error err = { 0 };
	int r;

	if (header->type == FRAME_REQUEST)
		r = take_request(session, header, body, &err);
	else
		r = take_data(session, header, body, &err);
	if (r < 0)
		send_status(session, header->stream_id, &err);
}

/* The frame was skipped, and the connection goes on. */
static void handle_refused(void *context, const struct frame_header *header, const struct error *why)
{
	struct session *session = context;

	/* Its id is used up; and an open call of that id, if any, is answered by this. */
	if (header->type == FRAME_REQUEST && header->stream_id > session->last_stream_id && header->stream_id % 2 == 1)
		session->last_stream_id = header->stream_id;
	send_status(session, header->stream_id, why);
	if (calls_find(&session->calls, header->stream_id)) {
		end_call(session, header->stream_id);
		tell_ended(session, header->stream_id, SERVER_MISUSED);
	}
}

static void handle_closed(void *context, const struct error *why)
{
	struct session *session = context;
	struct session old = *session;
	struct call call;

	(void)why;
	/* The slot is free before anybody hears of it: an answer from one of the callbacks finds nothing. */
	session->calls = (struct calls){ 0 };
	session_close(session);
	while (calls_take_any(&old.calls, &call))
		tell_ended(&old, call.stream_id, SERVER_DISCONNECTED);
	calls_done(&old.calls);
	if (old.options->disconnected)
		old.options->disconnected(old.options->context);
}

int session_open(struct session *session, int fd, struct error *err)
{
	static const struct connection_owner owner = {
		.frame = handle_frame,
		.refused = handle_refused,
		.closed = handle_closed,
	};
	struct connection_options options = {
		.loop = session->options->loop,
		.peer = FRAME_FROM_CLIENT,
		.owner = &owner,
		.context = session,
	};

	session->last_stream_id = 0;
	session->stream_ended = 0;
	session->timer = (struct loop_timer){ .expired = expire_calls, .context = session };
	return connection_new(&options, fd, &session->connection, err);
}

void session_close(struct session *session)
{
	loop_clear_timer(session->options->loop, &session->timer);
	connection_free(session->connection);
	session->connection = NULL;
	session->generation++;
	calls_done(&session->calls);
}

int session_answer(struct session *session, uint32_t stream_id, const struct response *response)
{
	struct error why;
	int r;

	if (!calls_find(&session->calls, stream_id))
		return -ENOENT;
	end_call(session, stream_id);
	r = send_response(session, stream_id, response);
	if (r == -EMSGSIZE) {
		error_set(&why, ERROR_INTERNAL, EMSGSIZE, "the answer has more than %u bytes", FRAME_LENGTH_MAX);
		send_status(session, stream_id, &why);
	}
	return r;
}

int session_send_data(struct session *session, uint32_t stream_id, struct message_bytes payload, bool is_last)
{
	struct frame_header header = { .stream_id = stream_id, .type = FRAME_DATA };

	if (!calls_find(&session->calls, stream_id))
		return -ENOENT;
	if (is_last) {
		header.flags |= FRAME_REMOTE_CLOSED;
		session->stream_ended = loop_now();
		end_call(session, stream_id);
	}
	if (!payload.data)
		header.flags |= FRAME_NO_DATA;
	return connection_send(session->connection, header, payload);
}
