#include "cmd/brig/update_request.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json_write.h"

enum kind { KIND_NUMBER, KIND_TEXT };

/* One member of an object; entries of an object stand together. */
static const struct {
	const char *object, *key;
	enum kind kind;
	size_t offset;
} members[] = {
#define NUMBER(member) KIND_NUMBER, offsetof(struct update_request, member)
#define TEXT(member) KIND_TEXT, offsetof(struct update_request, member)
	{ "memory", "limit", NUMBER(memory) },
	{ "memory", "reservation", NUMBER(memory_reservation) },
	{ "memory", "swap", NUMBER(memory_swap) },
	{ "cpu", "shares", NUMBER(cpu_shares) },
	{ "cpu", "quota", NUMBER(cpu_quota) },
	{ "cpu", "burst", NUMBER(cpu_burst) },
	{ "cpu", "period", NUMBER(cpu_period) },
	{ "cpu", "realtimeRuntime", NUMBER(cpu_rt_runtime) },
	{ "cpu", "realtimePeriod", NUMBER(cpu_rt_period) },
	{ "cpu", "cpus", TEXT(cpus) },
	{ "cpu", "mems", TEXT(mems) },
	{ "cpu", "idle", NUMBER(cpu_idle) },
	{ "pids", "limit", NUMBER(pids_limit) },
	{ "blockIO", "weight", NUMBER(blkio_weight) },
#undef NUMBER
#undef TEXT
};

static bool write_member(const struct update_request *request, size_t i, struct json_writer *writer)
{
	const void *value = (const char *)request + members[i].offset;
	const struct option_number *number = value;
	const char *const *text = value;

	switch (members[i].kind) {
	case KIND_NUMBER:
		if (!number->set)
			return false;
		if (writer)
			json_write_member_int(writer, members[i].key, number->value);
		return true;
	case KIND_TEXT:
		if (!*text)
			return false;
		if (writer)
			json_write_member(writer, members[i].key, *text);
		return true;
	}
	return false;
}

size_t update_request_format(const struct update_request *request, struct buffer *json)
{
	struct json_writer writer = json_writer_on(json, /* indent= */ 0);
	const char *open = NULL;
	size_t n = 0;

	json_write_object_begin(&writer);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (!write_member(request, i, /* writer= */ NULL))
			continue;
		if (!open || strcmp(open, members[i].object) != 0) {
			if (open)
				json_write_object_end(&writer);
			open = members[i].object;
			json_write_key(&writer, open);
			json_write_object_begin(&writer);
		}
		write_member(request, i, &writer);
		n++;
	}
	if (open)
		json_write_object_end(&writer);
	json_write_object_end(&writer);
	return n;
}
