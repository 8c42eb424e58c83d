#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "shim/proto/bootstrap.pb-c.h"
#include "shim/proto/metrics.pb-c.h"
#include "shim/proto/options.pb-c.h"
#include "shim/proto/sandbox.pb-c.h"
#include "shim/proto/task.pb-c.h"
#include "shim/proto/ttrpc.pb-c.h"
#include "shim/ttrpc/calls.h"
#include "shim/ttrpc/request.h"
#include "shim/ttrpc/response.h"

#define BUFFER(name) __attribute__((cleanup(buffer_done_cleanup))) struct buffer name = { 0 }
#define ARENA(name) AUTO(arena_free) struct arena *name = arena_new((size_t)8 * 1024 * 1024)
#define BYTES(text) ((struct message_bytes){ .data = (text), .length = sizeof(text) - 1 })

static struct message_bytes bytes_of(const struct buffer *buffer)
{
	return (struct message_bytes){ .data = buffer->data, .length = buffer->length };
}

static void expect_refused(const ProtobufCMessageDescriptor *type, struct message_bytes bytes, const char *reason)
{
	ARENA(arena);
	struct error err = { 0 };
	void *message = NULL;

	cr_expect_eq(message_unpack(type, bytes, arena, &message, &err), -EINVAL, "%s", reason);
	cr_expect_not_null(strstr(err.message, reason), "expected: %s, got: %s", reason, err.message);
	cr_expect_null(message, "a failed call must not touch its output");
}

/* Bytes as Go's implementation packs them. */
Test(ttrpc_message, unpacks_a_create_request)
{
	static const char bytes[] = "\x0a\x03"
				    "web\x12\x02/b\x1a\x0f\x0a\x05tmpfs\x12\x01t\x22\x03"
				    "rro\x20\x01\x52\x07\x0a\x03url\x12\x00";
	ARENA(arena);
	struct error err = { 0 };
	Wire__CreateTaskRequest *request;
	void *message = NULL;

	cr_assert_eq(message_unpack(&wire__create_task_request__descriptor, BYTES(bytes), arena, &message, &err), 0,
		     "%s", err.message);
	request = message;
	cr_expect_str_eq(request->id, "web");
	cr_expect_str_eq(request->bundle, "/b");
	cr_assert_eq(request->n_rootfs, 1);
	cr_expect_str_eq(request->rootfs[0]->type, "tmpfs");
	cr_expect_str_eq(request->rootfs[0]->options[0], "rro");
	cr_expect(request->terminal);
	cr_expect_str_eq(request->stdin, "", "what is not there is empty, never NULL");
	cr_expect_str_eq(request->options->type_url, "url");
}

Test(ttrpc_message, field_numbers_are_those_of_the_protocol)
{
	static const struct {
		const ProtobufCMessageDescriptor *type;
		const char *field;
		unsigned number;
	} facts[] = {
		{ &wire__state_response__descriptor, "exec_id", 11 },
		{ &wire__create_sandbox_request__descriptor, "annotations", 6 },
		{ &wire__sandbox_status_response__descriptor, "extra", 7 },
		{ &wire__bootstrap_params__descriptor, "socket_dir", 9 },
		{ &wire__bootstrap_result__descriptor, "metadata", 5 },
		{ &wire__runtime_info__descriptor, "annotations", 5 },
		{ &wire__runc_options__descriptor, "systemd_cgroup", 9 },
		{ &wire__runc_checkpoint_options__descriptor, "image_path", 8 },
		{ &wire__metrics__descriptor, "memory", 4 },
		{ &wire__metrics__descriptor, "memory_events", 8 },
		{ &wire__memory_stat__descriptor, "usage_limit", 33 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field_by_name(facts[i].type, facts[i].field);

		cr_assert_not_null(field, "%s", facts[i].field);
		cr_expect_eq(field->id, facts[i].number, "%s", facts[i].field);
	}
}

Test(ttrpc_message, refuses_what_is_malformed)
{
	const ProtobufCMessageDescriptor *type = &wire__create_task_request__descriptor;

	expect_refused(type, BYTES("\x0a"), "cut short");
	expect_refused(type, BYTES("\x0a\x05web"), "CreateTaskRequest: the message is cut short");
	expect_refused(type, BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "cut short");
	expect_refused(type, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "cut short");
	expect_refused(type, BYTES("\x0a\x03w\0b"), "CreateTaskRequest.id: a NUL byte");
	expect_refused(type, BYTES("\x12\x01\xff"), "CreateTaskRequest.bundle: not UTF-8");
	expect_refused(type, BYTES("\x1a\x03\x0a\x01\0"), "Mount.type: a NUL byte");
	expect_refused(type, BYTES("\x02\x00"), "no field number 0");
	expect_refused(type, BYTES("\x0b"), "wire type 3");
	expect_refused(type, BYTES("\x08\x01"), "malformed message"); /* id as a number */
	expect_refused(type, BYTES("\x21\x01"), "cut short");
	expect_refused(type, BYTES("\x25\x01\x02\x03"), "cut short");
}

Test(ttrpc_message, bounds_the_number_of_fields)
{
	BUFFER(buffer);

	for (unsigned i = 0; i < MESSAGE_FIELDS_MAX; i++)
		buffer_append(&buffer, "\x1a", 2); /* an empty Mount each */
	cr_expect_eq(message_check(&wire__create_task_request__descriptor, bytes_of(&buffer), NULL), 0);
	buffer_append(&buffer, "\x1a", 2);
	expect_refused(&wire__create_task_request__descriptor, bytes_of(&buffer), "more than 16384 fields");
}

Test(ttrpc_message, an_arena_bounds_the_memory)
{
	AUTO(arena_free) struct arena *arena = arena_new(2048);
	AUTO_FREE char *bytes = malloc(4003);
	struct error err = { 0 };
	void *message = NULL;

	memset(bytes, 'x', 4003);
	memcpy(bytes, "\x0a\xa0\x1f", 3);
	cr_assert_eq(message_unpack(&wire__process_request__descriptor, (struct message_bytes){ bytes, 4003 }, arena,
				    &message, &err),
		     -ENOMEM);
	cr_assert_eq(status_from_error(&err), STATUS_RESOURCE_EXHAUSTED);
}

Test(ttrpc_message, request_survives_both_ways)
{
	static const struct request_metadata metadata[] = { { "a", "1" }, { "b", "2" } };
	struct request request = { "svc", "Do", BYTES("pay\0load"), 5000, metadata, 2 }, parsed;
	struct error err = { 0 };
	ARENA(arena);
	BUFFER(buffer);

	request_pack(&request, &buffer);
	cr_assert_eq(buffer.failed, 0);
	cr_assert_eq(request_parse(bytes_of(&buffer), arena, &parsed, &err), 0, "%s", err.message);
	cr_expect_str_eq(parsed.service, "svc");
	cr_expect_str_eq(parsed.method, "Do");
	cr_assert_eq(parsed.payload.length, 8);
	cr_expect_eq(memcmp(parsed.payload.data, "pay\0load", 8), 0);
	cr_expect_eq(parsed.timeout, 5000);
	cr_assert_eq(parsed.n_metadata, 2);
	cr_expect_str_eq(parsed.metadata[1].key, "b");
	cr_expect_str_eq(parsed.metadata[1].value, "2");
}

Test(ttrpc_message, request_names_service_and_method)
{
	ARENA(arena);
	struct request request;
	struct error err = { 0 };

	cr_expect_eq(request_parse(BYTES("\x12\x01m"), arena, &request, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "no service"), "%s", err.message);
	cr_expect_eq(request_parse(BYTES("\x0a\x01s"), arena, &request, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "no method"), "%s", err.message);
}

Test(ttrpc_message, request_bounds_its_metadata)
{
	ARENA(arena);
	BUFFER(buffer);
	struct request request;

	buffer_append(&buffer, "\x0a\x01s\x12\x01m", 6);
	for (int i = 0; i <= REQUEST_METADATA_MAX; i++)
		buffer_append(&buffer, "\x2a", 2);
	cr_expect_eq(request_parse(bytes_of(&buffer), arena, &request, NULL), -EINVAL);
}

Test(ttrpc_message, response_survives_both_ways)
{
	struct response failed = { .code = STATUS_NOT_FOUND, .message = "no such container" }, parsed;
	ARENA(arena);
	BUFFER(buffer);

	response_pack(&failed, &buffer);
	cr_assert_eq(response_parse(bytes_of(&buffer), arena, &parsed, NULL), 0);
	cr_expect_eq(parsed.code, STATUS_NOT_FOUND);
	cr_expect_str_eq(parsed.message, "no such container");

	buffer.length = 0;
	response_pack(&(struct response){ .payload = BYTES("yes") }, &buffer);
	cr_assert_eq(response_parse(bytes_of(&buffer), arena, &parsed, NULL), 0);
	cr_expect_eq(parsed.code, STATUS_OK);
	cr_expect_eq(parsed.payload.length, 3);
}

Test(ttrpc_message, every_kind_of_error_has_a_status)
{
	static const struct {
		enum error_kind kind;
		enum status_code code;
	} cases[] = {
		{ ERROR_NONE, STATUS_OK },
		{ ERROR_INTERNAL, STATUS_INTERNAL },
		{ ERROR_SYSTEM, STATUS_UNKNOWN },
		{ ERROR_USAGE, STATUS_INVALID_ARGUMENT },
		{ ERROR_INVALID, STATUS_INVALID_ARGUMENT },
		{ ERROR_NOT_FOUND, STATUS_NOT_FOUND },
		{ ERROR_EXISTS, STATUS_ALREADY_EXISTS },
		{ ERROR_NOT_RUNNING, STATUS_NOT_FOUND },
		{ ERROR_STATE, STATUS_FAILED_PRECONDITION },
		{ ERROR_REFUSED, STATUS_PERMISSION_DENIED },
		{ ERROR_UNSUPPORTED, STATUS_UNIMPLEMENTED },
		{ ERROR_TIMEOUT, STATUS_DEADLINE_EXCEEDED },
		{ ERROR_PROGRAM, STATUS_UNKNOWN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(status_from_error(&(struct error){ .kind = cases[i].kind }), cases[i].code, "kind %d",
			     cases[i].kind);
}

Test(ttrpc_calls, are_found_by_id_and_taken_by_deadline)
{
	struct calls calls = { 0 };
	struct call call;

	for (uint32_t id = 1; id < 200; id += 2)
		cr_assert_eq(
			calls_add(&calls, &(struct call){ .stream_id = id, .deadline = id % 4 == 1 ? 1000 - id : 0 }), 0);
	cr_expect_eq(calls_find(&calls, 99)->stream_id, 99);
	cr_expect_null(calls_find(&calls, 100));
	cr_expect(calls_remove(&calls, 197), "the one with the earliest deadline");
	cr_expect_not(calls_remove(&calls, 197));
	cr_expect_eq(calls_earliest(&calls), 1000 - 193);
	cr_expect_not(calls_take_expired(&calls, 1000 - 194, &call));
	cr_expect(calls_take_expired(&calls, 1000 - 193, &call));
	cr_expect_eq(call.stream_id, 193);
	while (calls_take_any(&calls, &call))
		;
	cr_expect_eq(calls.n, 0);
	cr_expect_eq(calls_earliest(&calls), 0);
	calls_done(&calls);
}

Test(ttrpc_calls, are_bounded)
{
	struct calls calls = { 0 };
	uint32_t id = 1;

	while (calls_add(&calls, &(struct call){ .stream_id = id }) == 0)
		id += 2;
	cr_expect_eq(calls.n, CALLS_MAX);
	calls_done(&calls);
}
