#include "base/buffer.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/output.h"

#define AT(member) offsetof(struct brig_check, member)

static const struct brig_check defaults = { .path = "." };

static const struct command_option check_options[] = {
	{ "json", 0, OPTION_FLAG, 0, AT(json), NULL, NULL, "print it as JSON" },
	{ 0 },
};

static const struct command_positional positionals[] = {
	{ POSITIONAL_OPTIONAL, AT(path), "BUNDLE|FILE",
	  "a bundle, or a config.json by itself; default: the current directory" },
	{ 0 },
};

static const struct command_example examples[] = {
	{ "brig check /srv/box", "what the policy in force makes of this bundle" },
	{ "brig --policy strict check config.json --json", "for programs, with another policy" },
	{ 0 },
};

/* For scripts: 1 and 2 are taken by errors of the command itself and of the shell. */
static const int statuses[] = { [BRIG_AS_ASKED] = 0, [BRIG_ADJUSTED] = 3, [BRIG_IS_REFUSED] = 4 };

static int run(const struct brig *brig, const void *data, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	enum brig_verdict verdict = BRIG_IS_REFUSED;
	int r = brig_check(brig, data, &text, &verdict, err);

	if (r >= 0)
		r = output_write(&text, err);
	return r < 0 ? r : statuses[verdict];
}

const struct command cmd_check = {
	.name = "check",
	.summary = "tell what the policy would change or refuse, before anything runs",
	.description =
		"Prints one line for each thing that the policy in force would change, leave out or refuse, all of them at once, "
		"with its place in config.json, the reason, and what to do. Changes nothing and needs no privileges; as an "
		"ordinary user it can't look at every mount's source.\n\n"
		"Exit status: 0 as it is, 3 adjusted, 4 refused, 1 for a document that is wrong in itself.",
	.group = COMMAND_PREPARES,
	.flags = COMMAND_KEEPS_NO_STATE,
	.options_size = COMMAND_OPTIONS_SIZE(struct brig_check),
	.defaults = &defaults,
	.options = check_options,
	.positionals = positionals,
	.examples = examples,
	.run = run,
};
