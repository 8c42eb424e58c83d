/* libFuzzer: any bytes from a peer: as frames, cut at any place, as a request, as each message that a service unpacks. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "shim/proto/events.pb-c.h"
#include "shim/proto/options.pb-c.h"
#include "shim/proto/sandbox.pb-c.h"
#include "shim/proto/task.pb-c.h"
#include "shim/ttrpc/frame_reader.h"
#include "shim/ttrpc/request.h"
#include "shim/ttrpc/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_messages(struct message_bytes bytes)
{
	static const ProtobufCMessageDescriptor *const types[] = {
		&wire__process_request__descriptor,	   &wire__create_task_request__descriptor,
		&wire__exec_process_request__descriptor,   &wire__update_task_request__descriptor,
		&wire__create_sandbox_request__descriptor, &wire__runc_options__descriptor,
		&wire__forward_request__descriptor,
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		AUTO(arena_free) struct arena *arena = arena_new(MESSAGE_MEMORY(bytes.length));
		struct error err = { 0 };
		void *message = NULL;

		if (!arena)
			return;
		if (message_unpack(types[i], bytes, arena, &message, &err) == 0) {
			if (protobuf_c_message_get_packed_size(message) > 2 * bytes.length + 64)
				abort();
		} else if (err.kind == ERROR_NONE || !err.message[0]) {
			abort();
		}
	}
}

static void as_body(struct message_bytes body)
{
	AUTO(arena_free) struct arena *arena = arena_new(MESSAGE_MEMORY(body.length));
	struct response response;
	struct request request;

	if (!arena)
		return;
	if (request_parse(body, arena, &request, /* err= */ NULL) == 0)
		as_messages(request.payload);
	response_parse(body, arena, &response, /* err= */ NULL);
}

/* The first byte says in pieces of how many bytes the rest arrives. */
static void as_frames(const uint8_t *data, size_t size)
{
	size_t piece = (size_t)data[0] + 1, at = 1;
	struct frame_reader reader;

	frame_reader_init(&reader, FRAME_FROM_CLIENT);
	while (at < size) {
		size_t left = size - at, given = left < piece ? left : piece;
		enum frame_reader_event event;
		size_t taken = frame_reader_feed(&reader, data + at, given, &event);

		if (taken > given || (taken == 0 && event == FRAME_READER_MORE))
			abort();
		at += taken;
		if (event == FRAME_READER_FRAME)
			as_body((struct message_bytes){ .data = reader.body.data, .length = reader.body.length });
	}
	frame_reader_done(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	as_frames(data, size);
	as_body((struct message_bytes){ .data = data, .length = size });
	as_messages((struct message_bytes){ .data = data, .length = size });
	return 0;
}
