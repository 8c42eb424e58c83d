#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "cmd/brig/commands.h"
#include "cmd/brig/options.h"

struct values {
	const char *id, *word;
	const char *const *rest;
	const char *bundle;
	bool detach, keep;
	enum option_switch tty;
	unsigned fds;
	struct option_number memory, quota;
	struct option_list env;
	uint64_t interval;
	int format;
};

#define AT(member) offsetof(struct values, member)

static const struct values defaults = { .bundle = ".", .interval = 5000 };

static const struct command_option options[] = {
	{ "bundle", 'b', OPTION_STRING, 0, AT(bundle), "DIR", NULL, "a directory" },
	{ "detach", 'd', OPTION_FLAG, 0, AT(detach), NULL, NULL, "a flag" },
	{ "keep", 'k', OPTION_FLAG, OPTION_HIDDEN, AT(keep), NULL, NULL, "a flag" },
	{ "tty", 't', OPTION_SWITCH, 0, AT(tty), NULL, NULL, "a switch" },
	{ "preserve-fds", 0, OPTION_UNSIGNED, 0, AT(fds), "N", NULL, "a number" },
	{ "memory", 0, OPTION_SIZE, 0, AT(memory), "BYTES", NULL, "a size" },
	{ "cpu-quota", 0, OPTION_NUMBER, 0, AT(quota), "N", NULL, "a number" },
	{ "env", 'e', OPTION_LIST, 0, AT(env), "NAME=VALUE", NULL, "a list" },
	{ "interval", 0, OPTION_DURATION, 0, AT(interval), "DURATION", NULL, "a time" },
	{ "format", 'f', OPTION_ENUM, 0, AT(format), "table|json", NULL, "a choice" },
	{ 0 },
};

static const struct command_positional one_and_optional[] = {
	{ POSITIONAL_CONTAINER, AT(id), "ID", "the container" },
	{ POSITIONAL_OPTIONAL, AT(word), "SIGNAL", "a word" },
	{ 0 },
};

static const struct command_positional one_and_rest[] = {
	{ POSITIONAL_CONTAINER, AT(id), "ID", "the container" },
	{ POSITIONAL_REST, AT(rest), "COMMAND [ARGUMENT...]", "a program" },
	{ 0 },
};

static const struct command_positional one_and_verbatim[] = {
	{ POSITIONAL_CONTAINER, AT(id), "ID", "the container" },
	{ POSITIONAL_REST_VERBATIM, AT(rest), "PS-OPTION...", "options of another program" },
	{ 0 },
};

static struct values values;
static struct error err;
static struct arena *arena;

static int parse(const struct command_positional *positionals, const char *const *args)
{
	const struct command command = {
		.name = "test",
		.options_size = sizeof(values),
		.defaults = &defaults,
		.options = options,
		.positionals = positionals,
	};

	return options_parse(&command, args, arena, &values, &err);
}

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define PARSE(...) parse(one_and_optional, ARGS(__VA_ARGS__))
#define expect_message(part) cr_expect_not_null(strstr(err.message, part), "got: %s", err.message)

static void setup(void)
{
	arena = arena_new(1 << 20);
	err = (struct error){ 0 };
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(options, .init = setup, .fini = teardown);

Test(options, takes_a_value_in_every_form)
{
	const char *const *const forms[] = {
		ARGS("--bundle", "/b", "c1"), ARGS("--bundle=/b", "c1"), ARGS("-b", "/b", "c1"),
		ARGS("-b/b", "c1"),	      ARGS("-b=/b", "c1"),	 ARGS("-bundle", "/b", "c1"),
		ARGS("-bundle=/b", "c1"),     ARGS("c1", "-b", "/b"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		cr_expect_eq(parse(one_and_optional, forms[i]), 0, "form %zu: %s", i, err.message);
		cr_expect_str_eq(values.bundle, "/b", "form %zu", i);
		cr_expect_str_eq(values.id, "c1", "form %zu", i);
	}
}

Test(options, begins_with_the_defaults)
{
	values.detach = true;
	cr_expect_eq(PARSE("c1"), 0);
	cr_expect_str_eq(values.bundle, ".");
	cr_expect_eq(values.interval, 5000);
	cr_expect_not(values.detach);
	cr_expect_null(values.word);
	cr_expect_null(values.env.items);
	cr_expect_not(values.memory.set);
}

Test(options, takes_flags_in_every_form)
{
	cr_expect_eq(PARSE("--detach", "c1"), 0);
	cr_expect(values.detach);
	cr_expect_eq(PARSE("--detach=false", "c1"), 0);
	cr_expect_not(values.detach);
	cr_expect_eq(PARSE("--detach=true", "c1"), 0);
	cr_expect(values.detach);
	cr_expect_eq(PARSE("-detach", "c1"), 0);
	cr_expect(values.detach);
	cr_expect_eq(PARSE("-dk", "c1"), 0);
	cr_expect(values.detach && values.keep);
	cr_expect_eq(PARSE("-dkb", "/b", "c1"), 0);
	cr_expect(values.detach && values.keep);
	cr_expect_str_eq(values.bundle, "/b");
	cr_expect_eq(PARSE("-dt=false", "c1"), 0);
	cr_expect_eq(values.tty, OPTION_SWITCH_OFF);
	cr_expect_eq(PARSE("-dt", "c1"), 0);
	cr_expect_eq(values.tty, OPTION_SWITCH_ON);
	cr_expect_eq(PARSE("c1"), 0);
	cr_expect_eq(values.tty, OPTION_SWITCH_UNSET);
}

Test(options, takes_options_after_arguments)
{
	cr_expect_eq(PARSE("c1", "KILL", "--detach"), 0);
	cr_expect(values.detach);
	cr_expect_str_eq(values.word, "KILL");
}

Test(options, takes_values_that_look_like_options)
{
	cr_expect_eq(PARSE("--cpu-quota", "-1", "--memory", "-1", "-b", "-", "c1"), 0);
	cr_expect_eq(values.quota.value, -1);
	cr_expect_eq(values.memory.value, -1);
	cr_expect_str_eq(values.bundle, "-");
	cr_expect_eq(PARSE("--bundle", "--detach", "c1"), 0);
	cr_expect_str_eq(values.bundle, "--detach");
	cr_expect_not(values.detach);
}

Test(options, ends_at_two_dashes)
{
	cr_expect_eq(PARSE("--", "-c1", "--detach"), 0);
	cr_expect_str_eq(values.id, "-c1");
	cr_expect_str_eq(values.word, "--detach");
	cr_expect_not(values.detach);
}

Test(options, leaves_the_program_its_arguments)
{
	const char *const *args = ARGS("-t", "c1", "-d", "sh", "-c", "x", "--bundle");

	cr_expect_eq(parse(one_and_rest, args), 0);
	cr_expect(values.detach);
	cr_expect_eq(values.rest, args + 3);
	cr_expect_str_eq(values.bundle, ".");
	args = ARGS("c1", "--", "-x");
	cr_expect_eq(parse(one_and_rest, args), 0);
	cr_expect_eq(values.rest, args + 2);
	cr_expect_eq(parse(one_and_rest, ARGS("c1")), 0);
	cr_expect_null(values.rest);
}

Test(options, passes_options_of_another_program)
{
	const char *const *args = ARGS("-f", "table", "c1", "-ef", "--format", "x");

	cr_expect_eq(parse(one_and_verbatim, args), 0);
	cr_expect_eq(values.rest, args + 3);
}

Test(options, collects_lists_in_order)
{
	cr_expect_eq(PARSE("-e", "A=1", "--env=B=2", "c1", "-eC=3", "--env", "D", "-e", "E"), 0);
	cr_assert_eq(values.env.n_items, 5);
	cr_expect_str_eq(values.env.items[0], "A=1");
	cr_expect_str_eq(values.env.items[1], "B=2");
	cr_expect_str_eq(values.env.items[2], "C=3");
	cr_expect_str_eq(values.env.items[4], "E");
	cr_expect_null(values.env.items[5]);
}

Test(options, collects_long_lists)
{
	const char *args[2003];

	for (size_t i = 0; i < 2000; i += 2) {
		args[i] = "-e";
		args[i + 1] = i % 4 ? "odd" : "even";
	}
	args[2000] = "c1";
	args[2001] = NULL;
	cr_expect_eq(parse(one_and_optional, args), 0);
	cr_assert_eq(values.env.n_items, 1000);
	cr_expect_str_eq(values.env.items[999], "odd");
	cr_expect_null(values.env.items[1000]);
}

Test(options, help_is_stronger_than_all_but_errors_before_it)
{
	cr_expect_eq(PARSE("--help"), OPTIONS_HELP);
	cr_expect_eq(PARSE("-h"), OPTIONS_HELP);
	cr_expect_eq(PARSE("-help"), OPTIONS_HELP);
	cr_expect_eq(PARSE("-dh"), OPTIONS_HELP);
	cr_expect_eq(PARSE("c1", "--help", "--no-such-option"), OPTIONS_HELP);
	cr_expect_eq(parse(one_and_rest, ARGS("c1", "sh", "--help")), 0);
}

static const struct {
	const char *args[4], *reason;
} refused[] = {
	{ { NULL }, "ID is missing" },
	{ { "c1", "TERM", "more" }, "unexpected argument \"more\"" },
	{ { "--bundel", "x" }, "unknown option --bundel (did you mean --bundle?)" },
	{ { "--zzzzz", "x" }, "unknown option --zzzzz; see \"brig test --help\"" },
	{ { "--bundle=x", "-z" }, "unknown option -z" },
	{ { "-dz", "c1" }, "unknown option -dz" },
	{ { "c1", "--bundle" }, "option --bundle lacks its value: --bundle DIR" },
	{ { "c1", "-b" }, "option --bundle lacks its value" },
	{ { "--detach=maybe", "c1" }, "option --detach: can't understand \"maybe\", expected true or false" },
	{ { "--preserve-fds=-1", "c1" }, "out of range: \"-1\"" },
	{ { "--preserve-fds=4294967296", "c1" }, "out of range: \"4294967296\"" },
	{ { "--preserve-fds=3x", "c1" }, "can't understand \"3x\"" },
	{ { "--preserve-fds=", "c1" }, "can't understand \"\"" },
	{ { "--cpu-quota=99999999999999999999", "c1" }, "--cpu-quota: can't understand" },
	{ { "--memory=5y", "c1" }, "expected a number of bytes" },
	{ { "--interval=5", "c1" }, "expected a duration" },
	{ { "--format=yaml", "c1" }, "expected table|json" },
};

Test(options, refuses)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		cr_expect_eq(parse(one_and_optional, refused[i].args), -EINVAL, "%s", refused[i].reason);
		cr_expect_eq(err.kind, ERROR_USAGE);
		expect_message(refused[i].reason);
		expect_message("see \"brig test --help\"");
	}
}

Test(options, a_huge_option_is_an_error_of_bounded_length)
{
	static char huge[100000];

	memset(huge, 'x', sizeof(huge) - 1);
	huge[0] = huge[1] = '-';
	cr_expect_eq(PARSE(huge, "c1"), -EINVAL);
	expect_message("unknown option --xxx");
	cr_expect_eq(PARSE("c1", "b", huge + 2), -EINVAL);
	expect_message("unexpected argument");
}

Test(options, global_options_end_at_the_command)
{
	const char *const *args = ARGS("--root=/r", "--log", "l", "--log-format=json", "--systemd-cgroup", "--rootless",
				       "true", "--cgroup-manager", "disabled", "--log-level", "warn", "--criu=c",
				       "create", "--root");
	struct commands_globals globals;

	cr_expect_eq(options_parse(&commands_brig, args, arena, &globals, &err), 0, "%s", err.message);
	cr_expect_str_eq(globals.root, "/r");
	cr_expect_str_eq(globals.log, "l");
	cr_expect_str_eq(globals.criu, "c");
	cr_expect_eq(globals.log_format, 1);
	cr_expect(globals.systemd_cgroup);
	cr_expect_eq(globals.cgroup_manager, COMMANDS_CGROUP_DISABLED);
	cr_expect_str_eq(globals.command[0], "create");
	cr_expect_str_eq(globals.command[1], "--root");
	cr_expect_eq(commands_log_level(&globals), LOG_LEVEL_WARNING);
}

Test(options, global_errors_name_brigs_own_help)
{
	struct commands_globals globals;

	cr_expect_eq(options_parse(&commands_brig, ARGS("--rot", "x"), arena, &globals, &err), -EINVAL);
	expect_message("(did you mean --root?); see \"brig --help\"");
}
