#include "base/arena.h"
#include "base/buffer.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/container_argument.h"
#include "cmd/brig/output.h"

#define STATE_LIMIT ((size_t)32 * 1024 * 1024)

static const struct command_positional positionals[] = {
	CONTAINER_ARGUMENT(struct container_argument, id),
	{ 0 },
};

static int run(const struct brig *brig, const void *options, struct error *err)
{
	const struct container_argument *argument = options;
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	AUTO(arena_free) struct arena *arena = arena_new(STATE_LIMIT);
	struct json_writer writer = json_writer_on(&text, /* indent= */ 2);
	struct brig_info info = { 0 };
	int r;

	if (!arena)
		return error_memory(err);
	r = brig_state(brig, argument->id, arena, &info, err);
	if (r < 0)
		return r;
	output_info_json(&writer, &info);
	buffer_append_text(&text, "\n");
	return output_write(&text, err);
}

const struct command cmd_state = {
	.name = "state",
	.summary = "print the state of a container as JSON",
	.description =
		"The status is creating, created, running, paused or stopped. The pid is that of the container's program as "
		"the caller sees it, 0 where it has ended.",
	.group = COMMAND_LOOKS,
	.options_size = COMMAND_OPTIONS_SIZE(struct container_argument),
	.positionals = positionals,
	.run = run,
};
