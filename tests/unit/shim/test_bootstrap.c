/* The shim's command line: flags, stdin of start in both forms, the answers byte by byte, addresses. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "shim/bootstrap/address.h"
#include "shim/bootstrap/answer.h"
#include "shim/bootstrap/arguments.h"
#include "shim/bootstrap/bootstrap.h"

#define ARENA_MAX ((size_t)1024 * 1024)
#define OPTIONS_TYPE "runtimeoptions.v1.Options"

static const struct arguments pod = { .namespace = "k8s.io", .id = "pod-1" };

Test(arguments, as_containerd_calls_start)
{
	char *argv[] = { "shim",   "-namespace", "k8s.io", "-address", "/run/c.sock", "-publish-binary",
			 "/bin/c", "-id",	 "pod-1",  "-debug",   "start",	      NULL };
	struct arguments arguments;
	struct error err = { 0 };

	cr_assert_eq(arguments_parse(argv, &arguments, &err), 0, "%s", err.message);
	cr_expect_eq(arguments.action, ARGUMENTS_START);
	cr_expect_str_eq(arguments.namespace, "k8s.io");
	cr_expect_str_eq(arguments.address, "/run/c.sock");
	cr_expect_str_eq(arguments.publish_binary, "/bin/c");
	cr_expect_str_eq(arguments.id, "pod-1");
	cr_expect_str_eq(arguments.bundle, "");
	cr_expect(arguments.debug);
}

Test(arguments, in_all_the_ways_of_go)
{
	char *argv[] = { "shim",     "--namespace=a=b",	 "-namespace=k8s.io", "--id", "x",	"--debug=F",
			 "-bundle=", "-debug-socket=/x", "-socket=/s",	      "--",   "delete", "-ignored",
			 NULL };
	char *info[] = { "shim", "-info", NULL }, *version[] = { "shim", "-v", "start", NULL };
	char *serve[] = { "shim", "-id=x", "-namespace=n", NULL }, *features[] = { "shim", "features", NULL },
	     *value_with_dash[] = { "shim", "-id", "-x", "-info", NULL };
	struct arguments arguments;
	struct error err = { 0 };

	cr_assert_eq(arguments_parse(argv, &arguments, &err), 0, "%s", err.message);
	cr_expect_eq(arguments.action, ARGUMENTS_DELETE);
	cr_expect_str_eq(arguments.namespace, "k8s.io");
	cr_expect_str_eq(arguments.socket, "/s");
	cr_expect_not(arguments.debug);
	cr_expect_eq(arguments_parse(info, &arguments, &err), 0);
	cr_expect_eq(arguments.action, ARGUMENTS_INFO);
	cr_expect_eq(arguments_parse(version, &arguments, &err), 0);
	cr_expect_eq(arguments.action, ARGUMENTS_VERSION);
	cr_expect_eq(arguments_parse(features, &arguments, &err), 0);
	cr_expect_eq(arguments.action, ARGUMENTS_FEATURES);
	cr_expect_eq(arguments_parse(serve, &arguments, &err), 0);
	cr_expect_eq(arguments.action, ARGUMENTS_SERVE);
	cr_expect_eq(arguments_parse(value_with_dash, &arguments, &err), 0);
	cr_expect_str_eq(arguments.id, "-x");
}

Test(arguments, what_is_wrong_is_named)
{
	static char *lines[][6] = {
		{ "shim", "-bogus", "start" },
		{ "shim", "-id" },
		{ "shim", "-debug=maybe", "start" },
		{ "shim", "-id=x", "-namespace=n", "stop" },
		{ "shim", "-namespace=n", "start" },
		{ "shim", "-id=x", "delete" },
		{ "shim", "-id=../x", "-namespace=n", "start" },
		{ "shim", "-id=x", "-namespace=a/b", "start" },
		{ "shim", "---id=x", "start" },
		{ "shim", "-=x", "start" },
		{ "shim", "-" },
		{ NULL },
	};
	static const char *const reasons[] = {
		"unknown flag \"-bogus\"", "no value after \"id\"", "\"maybe\"",
		"unknown action \"stop\"", "-id is missing",	    "-namespace is missing",
		"-id is \"../x\"",	   "-namespace is \"a/b\"", "unknown flag \"---id=x\"",
		"unknown flag \"-=x\"",	   "unknown action \"-\"",  "-namespace is missing",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct arguments arguments = { .id = "kept" };
		struct error err = { 0 };

		cr_expect_eq(arguments_parse(lines[i], &arguments, &err), -EINVAL, "line %zu", i);
		cr_expect_eq(err.kind, ERROR_USAGE);
		cr_expect_not_null(strstr(err.message, reasons[i]), "got: %s", err.message);
		cr_expect_str_eq(arguments.id, "kept");
	}
}

Test(arguments, names_are_safe_in_paths)
{
	static const char *const bad[] = { "", ".", "..", "-x", "a/b", "a b", "a\n", "\xc3\xa9", ".hidden", "a%b" };
	char longest[ARGUMENTS_NAME_MAX + 2];

	memset(longest, 'a', sizeof(longest));
	longest[ARGUMENTS_NAME_MAX] = '\0';
	cr_expect(arguments_is_name(longest));
	longest[ARGUMENTS_NAME_MAX] = 'a';
	longest[ARGUMENTS_NAME_MAX + 1] = '\0';
	cr_expect_not(arguments_is_name(longest));
	cr_expect(arguments_is_name("k8s.io") && arguments_is_name("0") && arguments_is_name("a_b-C.9"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_not(arguments_is_name(bad[i]), "%s", bad[i]);
}

static struct wire_bytes bytes_of(const struct buffer *buffer)
{
	return (struct wire_bytes){ (const uint8_t *)buffer->data, buffer->length };
}

static void put_any(struct buffer *out, const char *type, const char *value)
{
	wire_put_text(out, 1, type);
	wire_put_text(out, 2, value);
}

static void put_extension(struct buffer *out, const char *type, const char *value)
{
	AUTO(buffer_done) struct buffer any = { 0 }, extension = { 0 };

	put_any(&any, type, value);
	wire_put_message(&extension, 1, &any);
	wire_put_message(out, 8, &extension);
}

static void put_params(struct buffer *out, const char *id, const char *namespace)
{
	wire_put_text(out, 1, id);
	wire_put_text(out, 2, namespace);
	wire_put_number(out, 3, (uint64_t)-4);
	wire_put_text(out, 4, "2.3.1");
	wire_put_text(out, 5, "/run/c.ttrpc");
	wire_put_text(out, 6, "/run/c.sock");
	wire_put_text(out, 7, "/bin/c");
	put_extension(out, "containerd.io/other", "x");
	put_extension(out, OPTIONS_TYPE, "options");
	wire_put_text(out, 9, "/run/c/s");
}

Test(bootstrap, the_new_form)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	AUTO(buffer_done) struct buffer stdin_bytes = { 0 };
	struct bootstrap bootstrap;
	struct error err = { 0 };

	put_params(&stdin_bytes, "pod-1", "k8s.io");
	cr_assert_eq(bootstrap_decode(bytes_of(&stdin_bytes), &pod, arena, &bootstrap, &err), 0);
	cr_expect_eq(bootstrap.form, BOOTSTRAP_PARAMS);
	cr_expect_eq(bootstrap.log_level, -4);
	cr_expect_str_eq(bootstrap.containerd_version, "2.3.1");
	cr_expect_str_eq(bootstrap.ttrpc_address, "/run/c.ttrpc");
	cr_expect_str_eq(bootstrap.grpc_address, "/run/c.sock");
	cr_expect_str_eq(bootstrap.containerd_binary, "/bin/c");
	cr_expect_str_eq(bootstrap.socket_dir, "/run/c/s");
	cr_expect_eq(bootstrap.n_extensions, 2);
	cr_expect(wire_equals(bootstrap.options.type_url, OPTIONS_TYPE));
	cr_expect(wire_equals(bootstrap.options.value, "options"));
	cr_expect_eq(bootstrap_version(&bootstrap, 2), 3, "the new form can do version 3 whatever the options say");
}

static void expect_legacy(const struct buffer *input, const char *options)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct bootstrap bootstrap;
	struct error err = { 0 };

	cr_assert_eq(bootstrap_decode(bytes_of(input), &pod, arena, &bootstrap, &err), 0);
	cr_expect_eq(bootstrap.form, BOOTSTRAP_LEGACY);
	cr_expect_str_eq(bootstrap.ttrpc_address, "");
	cr_expect_eq(bootstrap.n_extensions, 0);
	cr_expect(wire_equals(bootstrap.options.value, options));
	cr_expect_eq(bootstrap_version(&bootstrap, 0), 2);
	cr_expect_eq(bootstrap_version(&bootstrap, 3), 3);
}

Test(bootstrap, an_any_is_no_params_although_it_parses_as_such)
{
	AUTO(buffer_done) struct buffer any = { 0 };

	put_any(&any, OPTIONS_TYPE, "options");
	expect_legacy(&any, "options");
}

Test(bootstrap, nothing_garbage_and_others_params_are_legacy)
{
	AUTO(buffer_done) struct buffer other_id = { 0 }, other_namespace = { 0 }, cut = { 0 }, bad_text = { 0 };
	static const char garbage[] = "\xff\xff\xff{\"version\":2}";

	expect_legacy(&(struct buffer){ 0 }, "");
	expect_legacy(&(struct buffer){ .data = (char *)garbage, .length = sizeof(garbage) }, "");
	put_params(&cut, "pod-1", "k8s.io");
	cut.length--;
	expect_legacy(&cut, "");
	put_params(&bad_text, "pod-1", "k8s.io");
	wire_put_text(&bad_text, 5, "\xff");
	expect_legacy(&bad_text, "");
	/* They have the form of an Any as well, but of a type that is none of options. */
	put_params(&other_id, "pod-2", "k8s.io");
	expect_legacy(&other_id, "");
	put_params(&other_namespace, "pod-1", "default");
	expect_legacy(&other_namespace, "");
}

Test(bootstrap, every_beginning_of_params_ends_without_harm)
{
	AUTO(buffer_done) struct buffer params = { 0 };

	put_params(&params, "pod-1", "k8s.io");
	for (size_t length = 0; length <= params.length; length++) {
		AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
		AUTO_FREE uint8_t *copy = malloc(length ?: 1);
		struct bootstrap bootstrap;

		memcpy(copy, params.data, length);
		cr_expect_eq(bootstrap_decode((struct wire_bytes){ copy, length }, &pod, arena, &bootstrap, NULL), 0);
	}
}

Test(bootstrap, caps)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	AUTO(buffer_done) struct buffer many = { 0 }, large = { 0 };
	AUTO_FREE char *megabytes = calloc(1, BOOTSTRAP_STDIN_MAX);
	struct bootstrap bootstrap;

	put_params(&many, "pod-1", "k8s.io");
	for (unsigned i = 0; i < BOOTSTRAP_EXTENSIONS_MAX + 5; i++)
		put_extension(&many, "t", "v");
	cr_assert_eq(bootstrap_decode(bytes_of(&many), &pod, arena, &bootstrap, NULL), 0);
	cr_expect_eq(bootstrap.form, BOOTSTRAP_PARAMS);
	cr_expect_eq(bootstrap.n_extensions, BOOTSTRAP_EXTENSIONS_MAX);
	for (unsigned i = 0; i < WIRE_FIELDS_MAX; i++)
		wire_put_number(&many, 100, 1);
	expect_legacy(&many, "");
	put_params(&large, "pod-1", "k8s.io");
	wire_put_bytes(&large, 99, megabytes, BOOTSTRAP_STDIN_MAX);
	expect_legacy(&large, "");
}

Test(wire, malformed_messages)
{
	static const struct {
		const char *text;
		size_t length;
	} list[] = {
		{ "\x80", 1 },						/* a tag that does not end */
		{ "\x00\x00", 2 },					/* field 0 */
		{ "\x08", 1 },						/* no value */
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11 }, /* more than 64 bits */
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12 },
		{ "\x0a\x02x", 3 }, /* longer than the rest */
		{ "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },
		{ "\x0b", 1 }, /* a group */
		{ "\x0c", 1 },
		{ "\x0e\x01", 2 },		   /* no type */
		{ "\x09\x01\x02\x03", 4 },	   /* fixed64 */
		{ "\x0d\x01\x02\x03", 4 },	   /* fixed32 */
		{ "\x88\x80\x80\x80\x10\x01", 6 }, /* a field number over 29 bits */
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct wire_bytes message = { (const uint8_t *)list[i].text, list[i].length };
		struct wire_value value = { .number = 77 };

		cr_expect_eq(wire_next(&message, &value), -EBADMSG, "case %zu", i);
		cr_expect_eq(value.number, 77, "a failure must not touch the output");
	}
}

Test(wire, values_of_all_sizes)
{
	static const uint8_t text[] = "\x09\x01\x00\x00\x00\x00\x00\x00\x80\x0d\x02\x00\x00\x80\x12\x00";
	static const uint64_t numbers[] = { 1, 127, 128, 300, UINT32_MAX, UINT64_MAX };
	struct wire_bytes message = { text, sizeof(text) - 1 };
	AUTO(buffer_done) struct buffer out = { 0 };
	struct wire_value value;

	cr_expect(wire_next(&message, &value) == 1 && value.value == UINT64_C(0x8000000000000001));
	cr_expect(wire_next(&message, &value) == 1 && value.value == 0x80000002);
	cr_expect(wire_next(&message, &value) == 1 && value.kind == WIRE_BYTES && value.bytes.length == 0);
	cr_expect_eq(wire_next(&message, &value), 0);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		wire_put_number(&out, (uint32_t)i * 1000 + 1, numbers[i]);
	message = bytes_of(&out);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		cr_expect_eq(wire_next(&message, &value), 1);
		cr_expect(value.number == i * 1000 + 1 && value.value == numbers[i]);
	}
}

static void expect_bytes(const struct buffer *out, const char *text, size_t length)
{
	cr_expect_eq(out->failed, 0);
	cr_assert_eq(out->length, length);
	cr_expect_arr_eq(out->data, text, length);
}

#define EXPECT_BYTES(out, text) expect_bytes((out), (text), sizeof(text) - 1)

Test(answer, start)
{
	AUTO(buffer_done) struct buffer bare = { 0 }, json = { 0 }, params = { 0 };

	answer_start(BOOTSTRAP_LEGACY, 2, "unix:///s/x", &bare);
	EXPECT_BYTES(&bare, "unix:///s/x");
	answer_start(BOOTSTRAP_LEGACY, 3, "unix:///s/x", &json);
	EXPECT_BYTES(&json, "{\"version\":3,\"address\":\"unix:///s/x\",\"protocol\":\"ttrpc\"}");
	answer_start(BOOTSTRAP_PARAMS, 3, "unix:///s/x", &params);
	EXPECT_BYTES(&params, "\x08\x03\x12\x0bunix:///s/x\x1a\x05ttrpc");
}

Test(answer, delete_and_info)
{
	static const struct answer_annotation annotations[] = { { "a", "b" }, { "c", "" } };
	const struct answer_info info = {
		.name = "brig",
		.version = "1",
		.revision = "r",
		.options = { { (const uint8_t *)"t", 1 }, { (const uint8_t *)"v", 1 } },
		.features = "{}",
		.features_length = 2,
		.annotations = annotations,
		.n_annotations = 2,
	};
	AUTO(buffer_done) struct buffer deleted = { 0 }, full = { 0 }, least = { 0 };

	answer_delete(7, 137, (struct timespec){ .tv_sec = 300, .tv_nsec = 5 }, &deleted);
	EXPECT_BYTES(&deleted, "\x08\x07\x10\x89\x01\x1a\x05\x08\xac\x02\x10\x05");
	answer_info(&info, &full);
	EXPECT_BYTES(&full, "\x0a\x04"
			    "brig"
			    "\x12\x06\x0a\x01"
			    "1"
			    "\x12\x01r"
			    "\x1a\x06\x0a\x01t\x12\x01v"
			    "\x22\x49\x0a\x43"
			    "types.containerd.io/opencontainers/runtime-spec/1/features/Features"
			    "\x12\x02{}"
			    "\x2a\x06\x0a\x01"
			    "a"
			    "\x12\x01"
			    "b"
			    "\x2a\x03\x0a\x01"
			    "c");
	answer_info(&(struct answer_info){ .name = "x" }, &least);
	EXPECT_BYTES(&least, "\x0a\x01x\x12\x00");
}

Test(address, is_the_digest_of_who_listens_for_whom)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct address_parts parts = { ADDRESS_DIRECTORY, "/run/containerd/containerd.sock", "k8s.io", "abc" };
	const char *address = NULL, *relative = NULL;
	struct error err = { 0 };

	cr_assert_eq(address_format(&parts, arena, &address, &err), 0, "%s", err.message);
	cr_expect_str_eq(address,
			 "unix:///run/containerd/s/a99a1752d3a0fadfb1f869026f16760475df03a572e20f4ccea9e6c1e5470b72");
	parts.containerd = "";
	cr_assert_eq(address_format(&parts, arena, &relative, &err), 0);
	cr_expect_str_eq(relative,
			 "unix:///run/containerd/s/dc8322dde99ae1599a6de32c7fbd26acd7964b2eb541676f2c30e0ba0cf82e8d");
}

Test(address, has_room_in_a_socket)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	char directory[64] = "/";
	struct address_parts parts = { directory, "/run/c.sock", "n", "g" };
	const char *address = NULL;
	struct error err = { 0 };

	memset(directory + 1, 'd', 40);
	cr_expect_eq(address_format(&parts, arena, &address, &err), 0);
	cr_expect_eq(strlen(address), strlen(ADDRESS_SCHEME) + ADDRESS_PATH_MAX);
	address = NULL;
	directory[41] = 'd';
	cr_expect_eq(address_format(&parts, arena, &address, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "has 42 bytes, and a socket's path leaves room for 41"), "%s",
			   err.message);
	directory[0] = 'x';
	cr_expect_eq(address_format(&parts, arena, &address, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "not absolute"));
	cr_expect_null(address);
}

static int group_of(const char *json, struct arena *arena, const char **ret, struct error *err)
{
	return address_group((struct address_config){ json, strlen(json) }, "own-id", arena, ret, err);
}

Test(address, groups)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct error err = { 0 };
	const char *group = NULL;

	cr_assert_eq(group_of("{\"ociVersion\":\"1.1.0\",\"process\":{\"args\":[1]}}", arena, &group, &err), 0, "%s",
		     err.message);
	cr_expect_str_eq(group, "own-id");
	cr_assert_eq(group_of("{\"annotations\":{\"x\":\"y\",\"io.kubernetes.cri.sandbox-id\":\"pod\"}}", arena, &group,
			      &err),
		     0);
	cr_expect_str_eq(group, "pod");
	cr_assert_eq(
		group_of("{\"annotations\":{\"io.kubernetes.cri.sandbox-id\":\"pod\",\"io.containerd.runc.v2.group\":\"g\"}}",
			 arena, &group, &err),
		0);
	cr_expect_str_eq(group, "g");
	cr_assert_eq(
		group_of("{\"annotations\":{\"io.containerd.runc.v2.group\":\"g\",\"io.kubernetes.cri-o.SandboxID\":\"crio\"}}",
			 arena, &group, &err),
		0);
	cr_expect_str_eq(group, "crio");
	cr_assert_eq(group_of("{\"annotations\":{\"io.containerd.runc.v2.group\":\"\"}}", arena, &group, &err), 0);
	cr_expect_str_eq(group, "own-id");
}

Test(address, a_group_can_not_reach_another_namespace)
{
	static const char *const bad[] = { "../default/other", "a/b", "..", " ", "a\\nb" };
	char json[200];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
		const char *group = "kept";
		struct error err = { 0 };

		snprintf(json, sizeof(json), "{\"annotations\":{\"io.containerd.runc.v2.group\":\"%s\"}}", bad[i]);
		cr_expect_eq(group_of(json, arena, &group, &err), -EINVAL, "%s", bad[i]);
		cr_expect_not_null(strstr(err.message, "io.containerd.runc.v2.group"), "%s", err.message);
		cr_expect_str_eq(group, "kept");
	}
}

Test(address, broken_bundles)
{
	static const char *const bad[] = { "", "{", "[]", "{\"annotations\":[]}", "{\"annotations\":{\"a\":1}}" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
		const char *group = "kept";
		struct error err = { 0 };

		cr_expect_lt(group_of(bad[i], arena, &group, &err), 0, "%s", bad[i]);
		cr_expect_eq(strncmp(err.message, "config.json: ", 13), 0, "%s", err.message);
		cr_expect_str_eq(group, "kept");
	}
}
