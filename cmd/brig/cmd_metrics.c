#include <sys/stat.h>

#include "base/buffer.h"
#include "base/file.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/output.h"

struct metrics_options {
	const char *output, *file, *containerd;
};

#define AT(member) offsetof(struct metrics_options, member)

static const struct command_option metrics_options[] = {
	{ "output", 'o', OPTION_STRING, 0, AT(output), "FILE", NULL,
	  "replace FILE by it, which others may read, and never in part; default: the standard output" },
	{ "file", 0, OPTION_STRING, 0, AT(file), "FILE", NULL,
	  "the audit trail to count; default: the policy's, or /var/log/brig/audit.jsonl" },
	{ "containerd", 0, OPTION_STRING, 0, AT(containerd), "DIR", NULL,
	  "where the shim keeps the state of containers, a folder for each of containerd's namespaces; default: "
	  "/run/containerd/brig" },
	{ 0 },
};

static const struct metrics_options defaults = { .containerd = BRIG_CONTAINERD_ROOT };

static const struct command_example examples[] = {
	{ "brig metrics", "what there is, and what has happened on this node" },
	{ "brig metrics --output /var/lib/prometheus/node-exporter/brig.prom", "for node_exporter's text file collector" },
	{ 0 },
};

static int run(const struct brig *brig, const void *data, struct error *err)
{
	const struct metrics_options *options = data;
	const struct brig_metrics_request request = { .file = options->file, .containerd = options->containerd };
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	int r = brig_metrics(brig, &request, &text, err);

	if (r < 0)
		return r;
	if (!options->output)
		return output_write(&text, err);
	/* Whoever collects it is another user, whatever our caller's mask says. */
	umask(022);
	return file_replace(options->output, &text, 0644, err);
}

const struct command cmd_metrics = {
	.name = "metrics",
	.summary = "print the node as numbers, for Prometheus",
	.description =
		"Containers by their state, starts, failures, refusals by rule, refused system calls, kills for want of memory, "
		"how long making a container took, and the memory of shims, as the text format that Prometheus and "
		"node_exporter read.\n\n"
		"What has happened is counted from the audit trail. The sums are kept beside it (audit.jsonl.sums), so that they "
		"go on growing when the trail's oldest lines are gone; a trail whose oldest file is replaced between two calls "
		"loses those lines.",
	.group = COMMAND_LOOKS,
	.options_size = COMMAND_OPTIONS_SIZE(struct metrics_options),
	.defaults = &defaults,
	.options = metrics_options,
	.examples = examples,
	.run = run,
};
