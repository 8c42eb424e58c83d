#include <errno.h>
#include <limits.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/container_argument.h"
#include "cmd/brig/output.h"

struct events_options {
	const char *id;
	uint64_t interval_ms;
	bool stats;
};

#define AT(member) offsetof(struct events_options, member)

static const struct events_options defaults = { .interval_ms = 5000 };

static const struct command_option events_options[] = {
	{ "interval", 0, OPTION_DURATION, 0, AT(interval_ms), "DURATION", NULL,
	  "the time between statistics, such as 500ms or 1m30s; default: 5s" },
	{ "stats", 0, OPTION_FLAG, 0, AT(stats), NULL, NULL, "print the statistics once and end" },
	{ 0 },
};

static const struct command_positional positionals[] = {
	CONTAINER_ARGUMENT(struct events_options, id),
	{ 0 },
};

static const struct command_example examples[] = {
	{ "brig events --stats box1", "what the container uses now" },
	{ 0 },
};

/* data: JSON, or NULL */
static int print_event(const char *type, const char *id, const char *data, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer line = { 0 };
	struct json_writer writer = json_writer_on(&line, /* indent= */ 0);

	json_write_object_begin(&writer);
	json_write_member(&writer, "type", type);
	json_write_member(&writer, "id", id);
	if (data) {
		json_write_key(&writer, "data");
		json_write_raw(&writer, data);
	}
	json_write_object_end(&writer);
	buffer_append_text(&line, "\n");
	return output_write(&line, err);
}

static int print_statistics(const struct brig *brig, const char *id, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer data = { 0 };
	int r = brig_statistics(brig, id, &data, err);

	if (r < 0)
		return r;
	if (data.failed || !data.data)
		return error_memory(err);
	return print_event("stats", id, data.data, err);
}

/* Returns 1 when the interval is over, 0 when the container has ended, or a negative errno. */
static int watch_interval(const struct brig *brig, const struct events_options *options, struct error *err)
{
	int64_t end = clock_ms() + (int64_t)options->interval_ms, now;
	int r;

	for (;;) {
		now = clock_ms();
		if (now >= end)
			return 1;
		r = brig_wait_oom(brig, options->id, end - now > INT_MAX ? INT_MAX : (int)(end - now), err);
		if (r == 0)
			return 0;
		if (r > 0)
			r = print_event("oom", options->id, NULL, err);
		if (r < 0 && r != -ETIME)
			return r;
	}
}

static int watch(const struct brig *brig, const struct events_options *options, struct error *err)
{
	int r;

	for (;;) {
		r = watch_interval(brig, options, err);
		if (r <= 0)
			return r;
		r = print_statistics(brig, options->id, err);
		/* It ended in between: no failure, and the next wait would say the same. */
		if (r < 0 && (err->kind == ERROR_NOT_RUNNING || err->kind == ERROR_NOT_FOUND))
			return 0;
		if (r < 0)
			return r;
	}
}

static int run(const struct brig *brig, const void *data, struct error *err)
{
	const struct events_options *options = data;
	int r;

	if (options->stats)
		return print_statistics(brig, options->id, err);
	if (options->interval_ms == 0 || options->interval_ms > (uint64_t)INT64_MAX / 1000000)
		return error_set(err, ERROR_USAGE, EINVAL, "option --interval: expected a time from 1ms on");
	/* Now and not after the first interval: an unknown id is an error at once, and a container that ended has no events. */
	r = print_statistics(brig, options->id, err);
	return r < 0 ? r : watch(brig, options, err);
}

const struct command cmd_events = {
	.name = "events",
	.summary = "print statistics and out-of-memory events as JSON",
	.description =
		"Prints one JSON object a line: of type stats, first at once and then after each interval, and of type oom "
		"whenever the kernel ended a process for lack of memory. Ends with the container.",
	.group = COMMAND_LOOKS,
	.options_size = COMMAND_OPTIONS_SIZE(struct events_options),
	.defaults = &defaults,
	.options = events_options,
	.positionals = positionals,
	.examples = examples,
	.run = run,
};
