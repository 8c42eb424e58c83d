#include "base/arena.h"
#include "base/buffer.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/output.h"

#define LIST_LIMIT ((size_t)256 * 1024 * 1024)

enum { FORMAT_TABLE, FORMAT_JSON };

struct list_options {
	int format;
	bool quiet;
};

#define AT(member) offsetof(struct list_options, member)

static const struct command_option list_options[] = {
	{ "format", 'f', OPTION_ENUM, 0, AT(format), "table|json", NULL, "how to print them" },
	{ "quiet", 'q', OPTION_FLAG, 0, AT(quiet), NULL, NULL, "print the names only, one a line" },
	{ 0 },
};

static const struct command_example examples[] = {
	{ "brig list -q | xargs -rn1 brig delete --force", "end and remove all containers" },
	{ 0 },
};

static void format_json(struct buffer *text, const struct brig_info *infos, size_t n)
{
	struct json_writer writer = json_writer_on(text, /* indent= */ 0);

	json_write_array_begin(&writer);
	for (size_t i = 0; i < n; i++)
		output_info_json(&writer, &infos[i]);
	json_write_array_end(&writer);
	buffer_append_text(text, "\n");
}

static int run(const struct brig *brig, const void *data, struct error *err)
{
	const struct list_options *options = data;
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	AUTO(arena_free) struct arena *arena = arena_new(LIST_LIMIT);
	struct brig_info *infos = NULL;
	size_t n = 0;
	int r;

	if (!arena)
		return error_memory(err);
	r = brig_list(brig, arena, &infos, &n, err);
	if (r < 0)
		return r;
	if (options->quiet) {
		for (size_t i = 0; i < n; i++)
			buffer_printf(&text, "%s\n", infos[i].id);
	} else if (options->format == FORMAT_JSON) {
		format_json(&text, infos, n);
	} else {
		output_info_table(&text, infos, n);
	}
	return output_write(&text, err);
}

const struct command cmd_list = {
	.name = "list",
	.summary = "print all containers",
	.description = "The containers are those whose state is below the directory that --root names.",
	.group = COMMAND_LOOKS,
	.options_size = COMMAND_OPTIONS_SIZE(struct list_options),
	.options = list_options,
	.examples = examples,
	.run = run,
};
