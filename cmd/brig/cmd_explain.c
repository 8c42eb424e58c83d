#include "base/buffer.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/output.h"

#define AT(member) offsetof(struct brig_explain, member)

/* For scripts: as check and doctor have it. */
#define STATUS_FLAGGED 3

static const struct command_option explain_options[] = {
	{ "last", 0, OPTION_FLAG, 0, AT(last), NULL, NULL,
	  "the container that brig run ended with last, whose state is gone; in place of ID" },
	{ "json", 0, OPTION_FLAG, 0, AT(json), NULL, NULL, "print it as JSON" },
	{ 0 },
};

static const struct command_positional positionals[] = {
	{ POSITIONAL_OPTIONAL, AT(id), "ID", "the container's name" },
	{ 0 },
};

static const struct command_example examples[] = {
	{ "brig explain web-1", "what was changed and refused, and whether all that was planned holds" },
	{ "brig explain --last --json | jq .denials.calls", "after brig run: what a program was refused" },
	{ 0 },
};

static int run(const struct brig *brig, const void *data, struct error *err)
{
	const struct brig_explain *options = data;
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	bool is_flagged = false;
	int r;

	if (options->last == (options->id != NULL))
		return error_set(err, ERROR_USAGE, EINVAL, "either a container's name or --last is needed");
	r = brig_explain(brig, options, &text, &is_flagged, err);
	if (r >= 0)
		r = output_write(&text, err);
	return r < 0 ? r : is_flagged ? STATUS_FLAGGED : 0;
}

const struct command cmd_explain = {
	.name = "explain",
	.summary = "tell what the policy changed, whether it holds, and what was refused",
	.description =
		"Prints what the policy made of the container's config.json when it was made; the limits and protections that the "
		"kernel shows of its first process, each held against the plan, limits against the last update of them (ok or "
		"FLAGGED); and the system calls that brig's filter refused: which, with which arguments, by which programs, how "
		"often, when, and the rule that would allow them, with what that opens.\n\n"
		"Calls are counted where somebody stays with the container: brig run in the foreground, and the shim. What "
		"config.json's own filter refuses is not counted. A flood of refused calls ends the counting.\n\n"
		"Exit status: 0 all of it is as planned, 3 something is flagged.",
	.group = COMMAND_LOOKS,
	.options_size = COMMAND_OPTIONS_SIZE(struct brig_explain),
	.options = explain_options,
	.positionals = positionals,
	.examples = examples,
	.run = run,
};
