#include "base/buffer.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/output.h"

static int run(const struct brig *brig, const void *options, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	int r = brig_features(brig, &text, err);

	(void)options;
	if (r < 0)
		return r;
	if (text.length && text.data[text.length - 1] != '\n')
		buffer_append_text(&text, "\n");
	return output_write(&text, err);
}

const struct command cmd_features = {
	.name = "features",
	.summary = "print as JSON what this brig supports",
	.description =
		"The features document of the OCI runtime specification. It depends on the program, not on the host.",
	.group = COMMAND_PREPARES,
	.flags = COMMAND_KEEPS_NO_STATE,
	.run = run,
};
