/* The handler's options: the TOML that is taken and what a hostile one is answered with; runc's message. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "shim/service/options.h"
#include "shim/service/toml.h"

#define ARENA_MAX ((size_t)1024 * 1024)

static const struct name colour_list[] = { { "red", 1 }, { "green", 2 } };
static const struct name_table colours = { "colour", colour_list, 2 };

struct sample {
	const char *text, *deep;
	const char *const *list;
	size_t n_list;
	int64_t number;
	bool yes;
	unsigned colour;
};

static const struct toml_field sample_fields[] = {
	{ "text", TOML_STRING, offsetof(struct sample, text) },
	{ "a.b.deep", TOML_STRING, offsetof(struct sample, deep) },
	{ "a.list", TOML_STRINGS, JSON_COUNTED(struct sample, list) },
	{ "number", TOML_INTEGER, offsetof(struct sample, number), .min = INT64_MIN, .max = INT64_MAX },
	{ "yes", TOML_BOOL, offsetof(struct sample, yes) },
	{ "colour", TOML_ENUM, offsetof(struct sample, colour), .names = &colours },
	{ "ignored", TOML_IGNORED },
	{ 0 },
};

static int decode(const char *text, struct arena *arena, struct sample *ret, struct error *err)
{
	return toml_decode(&(struct toml_input){ text, strlen(text) }, sample_fields, ret, arena, err);
}

Test(toml, every_kind_of_value)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct sample sample = { 0 };
	struct error err = { 0 };
	const char *text = "# a comment\r\n\n"
			   "text = \"a\\tb\\u00e9\\U0001F600\\\"\\\\\" # after\n"
			   "number = -1_000\r\n"
			   "\t yes=true\n"
			   "colour = 'green'\n"
			   "ignored = [ ]\n"
			   "[a]\n"
			   "list = [ 'x', # one\n  \"y\",\n ]\n"
			   "[ a . b ]\n"
			   "'deep' = 'C:\\raw'";

	cr_assert_eq(decode(text, arena, &sample, &err), 0, "%s", err.message);
	cr_expect_str_eq(sample.text, "a\tb\xc3\xa9\xf0\x9f\x98\x80\"\\");
	cr_expect_eq(sample.number, -1000);
	cr_expect(sample.yes);
	cr_expect_eq(sample.colour, 2);
	cr_expect_eq(sample.n_list, 2);
	cr_expect_str_eq(sample.list[0], "x");
	cr_expect_str_eq(sample.list[1], "y");
	cr_expect_str_eq(sample.deep, "C:\\raw");
}

Test(toml, dotted_keys_reach_tables)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct sample sample = { 0 };
	struct error err = { 0 };

	cr_assert_eq(decode("a.\"b\".deep = ''\n[a]\nlist=[]", arena, &sample, &err), 0, "%s", err.message);
	cr_expect_str_eq(sample.deep, "");
	cr_expect_eq(sample.n_list, 0);
	cr_expect_eq(decode("", arena, &sample, &err), 0);
	cr_expect_eq(decode(" \n\t# only this", arena, &sample, &err), 0);
}

Test(toml, integers)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {
		{ "0", 0 },
		{ "-0", 0 },
		{ "+17", 17 },
		{ "0xFf_0", 0xff0 },
		{ "0o17", 15 },
		{ "0b101", 5 },
		{ "1_2_3", 123 },
		{ "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
	};
	static const char *const bad[] = { "01",
					   "1_",
					   "_1",
					   "1__2",
					   "-0x1",
					   "0x",
					   "+",
					   "-",
					   "1.5",
					   "1e3",
					   "inf",
					   "nan",
					   "1979-05-27",
					   "9223372036854775808",
					   "-9223372036854775809",
					   "0xffffffffffffffff1",
					   "True",
					   "yes",
					   "0b2",
					   "0o8" };
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct sample sample = { 0 };
	struct error err = { 0 };
	char text[64];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(text, sizeof(text), "number = %s", good[i].text);
		cr_expect_eq(decode(text, arena, &sample, &err), 0, "%s: %s", text, err.message);
		cr_expect_eq(sample.number, good[i].value, "%s", text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "number = %s", bad[i]);
		cr_expect_eq(decode(text, arena, &sample, &err), -EINVAL, "%s", text);
	}
}

struct refused {
	const char *text, *reason;
};

Test(toml, what_is_wrong_is_named_with_its_line)
{
	static const struct refused list[] = {
		{ "\n\npolcy = 1", "line 3: unknown key \"polcy\"; there are text, a.b.deep" },
		{ "text = 'a'\ntext = 'b'", "line 2: the key \"text\" is there twice" },
		{ "a.list = []\n[a]\nlist = []", "line 3: the key \"a.list\" is there twice" },
		{ "[a]\n[a.b]\n[a]", "line 3: the table [a] is there twice" },
		{ "[nothing]", "unknown key \"nothing\"" },
		{ "[text]", "unknown key \"text\"" },
		{ "text = 1", "text: expected a string, found a whole number" },
		{ "number = 'x'", "number: expected a whole number, found a string" },
		{ "yes = [ 'x' ]", "yes: expected true or false, found an array of strings" },
		{ "a.list = 'x'", "a.list: expected an array of strings, found a string" },
		{ "colour = 'blue'", "colour: there is no colour \"blue\"; there are red, green" },
		{ "text", "expected '='" },
		{ "text =", "expected a value" },
		{ "= 1", "expected a key" },
		{ "text = 'a' 'b'", "expected the end of the line" },
		{ "text = 'a' text = 'b'", "expected the end of the line" },
		{ "text = 'a", "does not end on its line" },
		{ "text = \"a\nb\"", "does not end on its line" },
		{ "text = \"\"\"a\"\"\"", "several lines" },
		{ "text = '''a'''", "several lines" },
		{ "text = \"\\q\"", "escape" },
		{ "text = \"\\", "escape" },
		{ "text = \"\\u12\"", "4 hexadecimal digits" },
		{ "text = \"\\u0000\"", "no character" },
		{ "text = \"\\ud800\"", "no character" },
		{ "text = \"\\U00110000\"", "no character" },
		{ "text = { a = 1 }", "inline table" },
		{ "[[a]]", "array of tables" },
		{ "[a", "expected ']'" },
		{ "[]", "expected a key" },
		{ "[a] x", "expected the end of the line" },
		{ "a.list = [ 1 ]", "strings only" },
		{ "a.list = [ [] ]", "strings only" },
		{ "a.list = [ 'x' 'y' ]", "expected ',' or ']'" },
		{ "a.list = [ 'x',", "expected a string or ']'" },
		{ "a.list = [,]", "expected a string or ']'" },
		{ "a.list = [", "expected a string or ']'" },
		{ "a.b.c.d.e = 1", "more than 4 parts" },
		{ "[a.b]\nc.d.e = 1", "parts" },
		{ "\"a.list\" = []", "with a dot" },
		{ "\"\".text = 'x'", "empty" },
		{ "text. = 'x'", "expected a key" },
		{ ".text = 'x'", "expected a key" },
		{ "text = 'x' # \x01", "control character" },
		{ "text = 'x\ry'", "control character" },
		{ "text = 'x'\r", "expected the end of the line" },
		{ "text = '\xff'", "byte 8 is no UTF-8" },
		{ "\xef\xbb\xbftext = 'x'", "expected a key" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
		struct sample sample = { 0 };
		struct error err = { 0 };

		cr_expect_eq(decode(list[i].text, arena, &sample, &err), -EINVAL, "%s", list[i].text);
		cr_expect_eq(err.kind, ERROR_INVALID);
		cr_expect_not_null(strstr(err.message, list[i].reason), "%s: got: %s", list[i].text, err.message);
	}
}

static void expect_refused(const char *text, size_t length, const char *reason)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct sample sample = { 0 };
	struct error err = { 0 };

	cr_expect_lt(toml_decode(&(struct toml_input){ text, length }, sample_fields, &sample, arena, &err), 0);
	cr_expect_not_null(strstr(err.message, reason), "got: %s", err.message);
}

Test(toml, caps)
{
	static char text[TOML_BYTES_MAX + 1];
	size_t used;

	memset(text, '\n', sizeof(text));
	expect_refused(text, sizeof(text), "65536 are the most");
	memset(text, 'k', sizeof(text));
	expect_refused(text, TOML_BYTES_MAX, "128 bytes");
	used = (size_t)sprintf(text, "text = '");
	text[used] = 'x';
	expect_refused(text, TOML_BYTES_MAX, "4096 bytes");
	used = (size_t)sprintf(text, "a.list = [");
	for (unsigned i = 0; i <= TOML_ELEMENTS_MAX; i++)
		used += (size_t)sprintf(text + used, "'',");
	expect_refused(text, used, "64 strings");
	expect_refused("text = 'a\0b'", 12, "NUL");
}

Test(toml, every_beginning_of_a_document_ends_without_harm)
{
	static const char text[] = "text = \"\\u00e9\"\n[a.b]\ndeep = 'x'\n[a]\nlist = ['x', \"\\n\" ]\n";

	for (size_t length = 0; length < sizeof(text); length++) {
		AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
		/* On the heap, so that the sanitizer sees one byte too many. */
		AUTO_FREE char *copy = malloc(length ?: 1);
		struct sample sample = { 0 };

		memcpy(copy, text, length);
		toml_decode(&(struct toml_input){ copy, length }, sample_fields, &sample, arena, NULL);
	}
}

static int from_toml(const char *text, struct arena *arena, struct options *ret, struct error *err)
{
	return options_from_toml(text, strlen(text), arena, ret, err);
}

Test(options, all_keys)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct options options;
	struct error err = { 0 };

	cr_assert_eq(from_toml("policy = 'conformant'\ncgroup_driver = 'systemd'\nSystemdCgroup = true\n"
			       "root = '/run/brig-k8s'\nlog_level = 'debug'\nshim_cgroup = '/shims'\nno_pivot = true\n"
			       "version = 3\nTypeUrl = 'x'\nConfigPath = ''\n",
			       arena, &options, &err),
		     0, "%s", err.message);
	cr_expect_str_eq(options.policy, "conformant");
	cr_expect_eq(options.cgroup_driver, OPTIONS_SYSTEMD);
	cr_expect_str_eq(options.root, "/run/brig-k8s");
	cr_expect(options.has_log_level);
	cr_expect_eq(options.log_level, LOG_LEVEL_DEBUG);
	cr_expect_str_eq(options.shim_cgroup, "/shims");
	cr_expect(options.no_pivot);
	cr_expect_eq(options.version, 3);
}

Test(options, nothing_said)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	const struct bootstrap_any none = { 0 };
	struct options options;
	struct error err = { 0 };

	cr_assert_eq(from_toml("", arena, &options, &err), 0);
	cr_expect_null(options.policy);
	cr_expect_null(options.root);
	cr_expect_eq(options.cgroup_driver, OPTIONS_CGROUPFS);
	cr_expect_not(options.has_log_level);
	cr_expect_eq(options.version, 0);
	cr_assert_eq(from_toml("policy = ''\nroot = ''\nSystemdCgroup = false", arena, &options, &err), 0);
	cr_expect_null(options.policy);
	cr_expect_null(options.root);
	cr_expect_eq(options_from_any(&none, arena, &options, &err), 0);
	cr_expect_null(options.config_path);
}

Test(options, what_is_wrong_is_named)
{
	static const struct refused list[] = {
		{ "polcy = 'x'",
		  "options: line 1: unknown key \"polcy\"; there are policy, cgroup_driver, SystemdCgroup, root, "
		  "log_level, shim_cgroup, no_pivot, redact_args, version" },
		{ "version = 1", "version: expected a number from 2 to 3, found 1" },
		{ "version = '3'", "version: expected a whole number, found a string" },
		{ "cgroup_driver = 'v1'", "there is no cgroup driver \"v1\"; there are cgroupfs, systemd" },
		{ "cgroup_driver = 'cgroupfs'\nSystemdCgroup = true", "contradicts" },
		{ "log_level = 'loud'", "there is no log level" },
		{ "root = 'run/brig'", "root: \"run/brig\" is no absolute path" },
		{ "root = '/run/../etc'", "no absolute path" },
		{ "shim_cgroup = '/a/..'", "shim_cgroup" },
		{ "[plugins]\nx = 1", "unknown key \"plugins\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
		struct options options = { .version = 77 };
		struct error err = { 0 };

		cr_expect_eq(from_toml(list[i].text, arena, &options, &err), -EINVAL, "%s", list[i].text);
		cr_expect_not_null(strstr(err.message, list[i].reason), "%s: got: %s", list[i].text, err.message);
		cr_expect_eq(options.version, 77, "a failure must not touch the output");
	}
}

static struct bootstrap_any any_of(const char *type, const struct buffer *value)
{
	return (struct bootstrap_any){
		.type_url = { (const uint8_t *)type, strlen(type) },
		.value = { (const uint8_t *)value->data, value->length },
	};
}

Test(options, from_runtimeoptions)
{
	static const char toml[] = "policy = 'conformant'\nversion = 3";
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	AUTO(buffer_done) struct buffer message = { 0 }, path = { 0 };
	struct bootstrap_any any;
	struct options options;
	struct error err = { 0 };

	wire_put_text(&message, 1, "io.containerd.brig.v2");
	wire_put_text(&message, 2, "/etc/brig.toml");
	wire_put_text(&message, 3, toml);
	any = any_of("type.googleapis.com/runtimeoptions.v1.Options", &message);
	cr_assert_eq(options_from_any(&any, arena, &options, &err), 0, "%s", err.message);
	cr_expect_eq(options.version, 3);
	cr_expect_null(options.config_path, "the body is there, so nobody needs the file");

	wire_put_text(&path, 2, "/etc/brig.toml");
	any = any_of("runtimeoptions.v1.Options", &path);
	cr_assert_eq(options_from_any(&any, arena, &options, &err), 0, "%s", err.message);
	cr_expect_str_eq(options.config_path, "/etc/brig.toml");
}

Test(options, from_runc)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	AUTO(buffer_done) struct buffer message = { 0 };
	struct bootstrap_any any;
	struct options options;
	struct error err = { 0 };

	wire_put_number(&message, 1, 1);
	wire_put_number(&message, 2, 1);
	wire_put_text(&message, 3, "/shims");
	wire_put_text(&message, 6, "runc");
	wire_put_text(&message, 7, "/run/docker");
	wire_put_text(&message, 8, "criu");
	wire_put_number(&message, 9, 1);
	wire_put_number(&message, 13, 3);
	any = any_of("containerd.runc.v1.Options", &message);
	cr_assert_eq(options_from_any(&any, arena, &options, &err), 0, "%s", err.message);
	cr_expect(options.no_pivot && options.no_new_keyring);
	cr_expect_str_eq(options.shim_cgroup, "/shims");
	cr_expect_str_eq(options.root, "/run/docker");
	cr_expect_eq(options.cgroup_driver, OPTIONS_SYSTEMD);
	cr_expect_eq(options.version, 0);
}

static void expect_any_refused(const struct bootstrap_any *any, const char *reason)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct options options = { .version = 77 };
	struct error err = { 0 };

	cr_expect_eq(options_from_any(any, arena, &options, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, reason), "got: %s", err.message);
	cr_expect_eq(options.version, 77);
}

Test(options, hostile_messages)
{
	static const char broken[] = "\x1a\x7fx", wrong_type[] = "\x38\x01", path[] = "\x12\x01\xff",
			  relative[] = "\x3a\x01x";
	struct buffer value = { .data = (char *)broken, .length = sizeof(broken) - 1 };
	struct bootstrap_any any = any_of("runtimeoptions.v1.Options", &value);

	expect_any_refused(&any, "malformed runtimeoptions");
	any = any_of("containerd.runc.v1.Options", &value);
	expect_any_refused(&any, "malformed containerd.runc");
	value = (struct buffer){ .data = (char *)wrong_type, .length = 2 };
	any = any_of("containerd.runc.v1.Options", &value);
	expect_any_refused(&any, "malformed containerd.runc");
	value = (struct buffer){ .data = (char *)path, .length = 3 };
	any = any_of("runtimeoptions.v1.Options", &value);
	expect_any_refused(&any, "UTF-8");
	value = (struct buffer){ .data = (char *)relative, .length = 3 };
	any = any_of("containerd.runc.v1.Options", &value);
	expect_any_refused(&any, "root: \"x\" is no absolute path");
	any = any_of("example.com/other", &value);
	expect_any_refused(&any, "unknown type \"other\"");
	any.type_url.data = (const uint8_t *)"\xff\xfe";
	any.type_url.length = 2;
	expect_any_refused(&any, "(no text)");
}
