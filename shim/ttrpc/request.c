#include "shim/ttrpc/request.h"

#include "shim/proto/ttrpc.pb-c.h"

static ProtobufCBinaryData binary(struct message_bytes bytes)
{
	return (ProtobufCBinaryData){ .len = bytes.length, .data = (uint8_t *)bytes.data };
}

static struct message_bytes borrowed(ProtobufCBinaryData data)
{
	return (struct message_bytes){ .data = data.data, .length = data.len };
}

/* Borrows from body, which lies as long as the arena. */
int request_parse(struct message_bytes body, struct arena *arena, struct request *ret, struct error *err)
{
	struct request_metadata *metadata;
	void *unpacked = NULL;
	Wire__Request *wire;
	int r = message_unpack(&wire__request__descriptor, body, arena, &unpacked, err);

	if (r < 0)
		return r;
	wire = unpacked;
	if (!wire->service[0] || !wire->method[0])
		return error_invalid(err, "Request: names no %s", wire->service[0] ? "method" : "service");
	if (wire->n_metadata > REQUEST_METADATA_MAX)
		return error_invalid(err, "Request.metadata: %zu entries, %d are the most", wire->n_metadata,
				     REQUEST_METADATA_MAX);
	metadata = arena_array_of(arena, wire->n_metadata, struct request_metadata);
	if (!metadata)
		return error_memory(err);
	for (size_t i = 0; i < wire->n_metadata; i++)
		metadata[i] = (struct request_metadata){ wire->metadata[i]->key, wire->metadata[i]->value };

	*ret = (struct request){
		.service = wire->service,
		.method = wire->method,
		.payload = borrowed(wire->payload),
		.timeout = wire->timeout_nano,
		.metadata = metadata,
		.n_metadata = wire->n_metadata,
	};
	return 0;
}

void request_pack(const struct request *request, struct buffer *buffer)
{
	Wire__KeyValue pairs[REQUEST_METADATA_MAX], *list[REQUEST_METADATA_MAX];
	Wire__Request wire = WIRE__REQUEST__INIT;

	if (request->n_metadata > REQUEST_METADATA_MAX) {
		buffer->failed = -EINVAL;
		return;
	}
	for (size_t i = 0; i < request->n_metadata; i++) {
		wire__key_value__init(&pairs[i]);
		pairs[i].key = (char *)request->metadata[i].key;
		pairs[i].value = (char *)request->metadata[i].value;
		list[i] = &pairs[i];
	}
	wire.service = (char *)request->service;
	wire.method = (char *)request->method;
	wire.payload = binary(request->payload);
	wire.timeout_nano = request->timeout;
	wire.n_metadata = request->n_metadata;
	wire.metadata = list;
	message_pack(&wire.base, buffer);
}
