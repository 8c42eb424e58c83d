#include "shim/bootstrap/answer.h"

#include "base/cleanup.h"
#include "shim/bootstrap/wire.h"

#define PROTOCOL "ttrpc"
#define FEATURES_TYPE "types.containerd.io/opencontainers/runtime-spec/1/features/Features"

void answer_start(enum bootstrap_form form, unsigned version, const char *address, struct buffer *out)
{
	switch (form) {
	case BOOTSTRAP_PARAMS:
		wire_put_number(out, 1, version);
		wire_put_text(out, 2, address);
		wire_put_text(out, 3, PROTOCOL);
		return;
	case BOOTSTRAP_LEGACY:
		/* An address is of our own making: no character of it has to be escaped. */
		if (version == BOOTSTRAP_VERSION_LEGACY)
			buffer_append_text(out, address);
		else
			buffer_printf(out, "{\"version\":%u,\"address\":\"%s\",\"protocol\":\"" PROTOCOL "\"}", version,
				      address);
		return;
	}
}

/* An absent one stays absent: an empty Any would be one of no type. */
static void put_any(struct buffer *out, uint32_t field, const struct bootstrap_any *any)
{
	AUTO(buffer_done) struct buffer part = { 0 };

	if (any->type_url.length == 0)
		return;
	wire_put_bytes(&part, 1, any->type_url.data, any->type_url.length);
	if (any->value.length)
		wire_put_bytes(&part, 2, any->value.data, any->value.length);
	wire_put_message(out, field, &part);
}

static void put_version(struct buffer *out, const struct answer_info *info)
{
	AUTO(buffer_done) struct buffer part = { 0 };

	wire_put_text(&part, 1, info->version);
	wire_put_text(&part, 2, info->revision);
	wire_put_message(out, 2, &part);
}

/* JSON in an Any, by the type's name that containerd registered for it. */
static void put_features(struct buffer *out, const struct answer_info *info)
{
	const struct bootstrap_any any = {
		.type_url = { (const uint8_t *)FEATURES_TYPE, sizeof(FEATURES_TYPE) - 1 },
		.value = { (const uint8_t *)info->features, info->features_length },
	};

	if (info->features)
		put_any(out, 4, &any);
}

static void put_annotation(struct buffer *out, const struct answer_annotation *annotation)
{
	AUTO(buffer_done) struct buffer part = { 0 };

	wire_put_text(&part, 1, annotation->name);
	wire_put_text(&part, 2, annotation->value);
	wire_put_message(out, 5, &part);
}

void answer_info(const struct answer_info *info, struct buffer *out)
{
	wire_put_text(out, 1, info->name);
	put_version(out, info);
	put_any(out, 3, &info->options);
	put_features(out, info);
	for (size_t i = 0; i < info->n_annotations; i++)
		put_annotation(out, &info->annotations[i]);
}

/* DeleteResponse is the task service's message: pid 1, exit_status 2, exited_at 3. */
void answer_delete(uint32_t pid, uint32_t status, struct timespec at, struct buffer *out)
{
	AUTO(buffer_done) struct buffer timestamp = { 0 };

	wire_put_number(&timestamp, 1, (uint64_t)at.tv_sec);
	wire_put_number(&timestamp, 2, (uint64_t)at.tv_nsec);
	wire_put_number(out, 1, pid);
	wire_put_number(out, 2, status);
	wire_put_message(out, 3, &timestamp);
}
