#include "base/buffer.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/output.h"

struct doctor_options {
	bool json;
};

static const struct command_option doctor_options[] = {
	{ "json", 0, OPTION_FLAG, 0, offsetof(struct doctor_options, json), NULL, NULL, "print it as JSON" },
	{ 0 },
};

static const struct command_example examples[] = {
	{ "brig doctor", "before a node gets containers" },
	{ "brig doctor --json || test $? = 3", "in a script that takes a host with a protection less" },
	{ 0 },
};

int cmd_doctor_status(enum brig_health health)
{
	static const int statuses[] = { [BRIG_HEALTHY] = 0, [BRIG_LACKS_SOME] = 3, [BRIG_LACKS_NEEDED] = 4 };

	return statuses[health];
}

static int run(const struct brig *brig, const void *data, struct error *err)
{
	const struct doctor_options *options = data;
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	enum brig_health health = BRIG_LACKS_NEEDED;
	int r = brig_doctor(brig, options->json, &text, &health, err);

	if (r >= 0)
		r = output_write(&text, err);
	return r < 0 ? r : cmd_doctor_status(health);
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "tell what this host can enforce, and how to turn on what it can't",
	.description =
		"Tries each mechanism that the floor uses, and prints what was found; what is missing with its remedy. A "
		"protection that is missing is no reason not to run containers: what the policy says of it decides.\n\n"
		"Exit status: 0 all of it works, 3 something is missing, 4 something is missing without which the set strict "
		"can't be held.",
	.group = COMMAND_LOOKS,
	.flags = COMMAND_KEEPS_NO_STATE,
	.options_size = COMMAND_OPTIONS_SIZE(struct doctor_options),
	.options = doctor_options,
	.examples = examples,
	.run = run,
};
