#include "shim/ttrpc/response.h"

#include "shim/proto/ttrpc.pb-c.h"

/* Without a status it is a success: that is how Go's server says so. */
int response_parse(struct message_bytes body, struct arena *arena, struct response *ret, struct error *err)
{
	void *unpacked = NULL;
	Wire__Response *wire;
	int r = message_unpack(&wire__response__descriptor, body, arena, &unpacked, err);

	if (r < 0)
		return r;
	wire = unpacked;
	*ret = (struct response){
		.code = wire->status ? (enum status_code)wire->status->code : STATUS_OK,
		.message = wire->status ? wire->status->message : "",
		.payload = { .data = wire->payload.data, .length = wire->payload.len },
	};
	return 0;
}

void response_pack(const struct response *response, struct buffer *buffer)
{
	Wire__Response wire = WIRE__RESPONSE__INIT;
	Wire__Status status = WIRE__STATUS__INIT;

	if (response->code != STATUS_OK) {
		status.code = (int32_t)response->code;
		status.message = (char *)(response->message ?: "");
		wire.status = &status;
	}
	wire.payload = (ProtobufCBinaryData){
		.len = response->payload.length,
		.data = (uint8_t *)response->payload.data,
	};
	message_pack(&wire.base, buffer);
}
