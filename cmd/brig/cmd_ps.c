#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/container_argument.h"
#include "cmd/brig/output.h"
#include "cmd/brig/ps_program.h"

#define PS_LIMIT ((size_t)32 * 1024 * 1024)

enum { FORMAT_TABLE, FORMAT_JSON };

struct ps_options {
	const char *id;
	const char *const *arguments;
	int format;
};

#define AT(member) offsetof(struct ps_options, member)

static const struct command_option ps_options[] = {
	{ "format", 'f', OPTION_ENUM, 0, AT(format), "table|json", NULL,
	  "table: what ps(1) prints; json: an array of process ids" },
	{ 0 },
};

static const struct command_positional positionals[] = {
	CONTAINER_ARGUMENT(struct ps_options, id),
	{ POSITIONAL_REST_VERBATIM, AT(arguments), "PS-OPTION...",
	  "options for ps(1); default: -ef. One column has to be PID" },
	{ 0 },
};

static const struct command_example examples[] = {
	{ "brig ps box1 -eo pid,rss,comm", "the memory of each process" },
	{ 0 },
};

static int print_json(const pid_t *pids, size_t n, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct json_writer writer = json_writer_on(&text, /* indent= */ 0);

	json_write_array_begin(&writer);
	for (size_t i = 0; i < n; i++)
		json_write_int(&writer, pids[i]);
	json_write_array_end(&writer);
	buffer_append_text(&text, "\n");
	return output_write(&text, err);
}

static int print_table(const char *const *arguments, const pid_t *pids, size_t n, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer all = { 0 };
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer wanted = { 0 };
	int r = ps_program_run(arguments, &all, err);

	if (r == 0)
		r = ps_program_filter(all.data ?: "", pids, n, &wanted, err);
	return r < 0 ? r : output_write(&wanted, err);
}

static int run(const struct brig *brig, const void *data, struct error *err)
{
	const struct ps_options *options = data;
	AUTO(arena_free) struct arena *arena = arena_new(PS_LIMIT);
	struct brig_pids pids = { 0 };
	int r;

	if (!arena)
		return error_memory(err);
	r = brig_processes(brig, options->id, arena, &pids, err);
	if (r < 0)
		return r;
	if (options->format == FORMAT_JSON)
		return print_json(pids.list, pids.n, err);
	return print_table(options->arguments, pids.list, pids.n, err);
}

const struct command cmd_ps = {
	.name = "ps",
	.summary = "print the processes in a container",
	.description =
		"The process ids are those that the caller sees. For a table the host's ps(1) is executed, and the lines of "
		"other processes are left out.",
	.group = COMMAND_LOOKS,
	.options_size = COMMAND_OPTIONS_SIZE(struct ps_options),
	.options = ps_options,
	.positionals = positionals,
	.examples = examples,
	.run = run,
};
