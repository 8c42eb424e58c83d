#include "base/buffer.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/output.h"

#define AT(member) offsetof(struct brig_plan, member)

static const struct brig_plan defaults = { .bundle = ".", .id = "container" };

static const struct command_option plan_options[] = {
	{ "bundle", 'b', OPTION_STRING, 0, AT(bundle), "DIR", NULL,
	  "the bundle: a directory with config.json in it; default: the current directory" },
	{ "json", 0, OPTION_FLAG, 0, AT(json), NULL, NULL, "print it as JSON" },
	{ 0 },
};

static const struct command_positional positionals[] = {
	{ POSITIONAL_OPTIONAL, AT(id), "ID", "the name that the container would have; default: container" },
	{ 0 },
};

static const struct command_example examples[] = {
	{ "brig plan -b /srv/box", "for people" },
	{ "brig --policy conformant plan -b /srv/box --json", "for programs, with another policy" },
	{ 0 },
};

static int run(const struct brig *brig, const void *data, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	int r = brig_plan(brig, data, &text, err);

	if (r < 0)
		return r;
	if (text.length && text.data[text.length - 1] != '\n')
		buffer_append_text(&text, "\n");
	return output_write(&text, err);
}

const struct command cmd_plan = {
	.name = "plan",
	.summary = "print what would be done with a bundle, without doing it",
	.description =
		"Shows every mount, limit, capability and restriction that the container would get on this host under the "
		"policy in force, and for each rule what was asked, what would be applied, and why. Changes "
		"nothing and needs no privileges.",
	.group = COMMAND_PREPARES,
	.flags = COMMAND_KEEPS_NO_STATE,
	.options_size = COMMAND_OPTIONS_SIZE(struct brig_plan),
	.defaults = &defaults,
	.options = plan_options,
	.positionals = positionals,
	.examples = examples,
	.run = run,
};
