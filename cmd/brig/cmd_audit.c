#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/output.h"

#define OUTPUT_CHUNK ((size_t)64 * 1024)

struct audit_options {
	const char *file, *since, *id, *event;
	bool json, follow;
};

#define AT(member) offsetof(struct audit_options, member)

static const struct command_option audit_options[] = {
	{ "since", 0, OPTION_STRING, 0, AT(since), "TIME|DURATION", NULL,
	  "only what happened from then on: 2030-01-31, 2030-01-31T23:59:59Z, or so long ago: 90s, 2h30m" },
	{ "id", 0, OPTION_STRING, 0, AT(id), "ID", NULL, "only of that container, which need not exist any more" },
	{ "event", 0, OPTION_STRING, 0, AT(event), "NAME", NULL,
	  "only of that kind: create, start, exec, exit, update, delete, refusal, egress or policy" },
	{ "follow", 'f', OPTION_FLAG, 0, AT(follow), NULL, NULL, "and what happens from now on, until a signal" },
	{ "json", 0, OPTION_FLAG, 0, AT(json), NULL, NULL, "print the lines as they are: JSON with all that is known" },
	{ "file", 0, OPTION_STRING, 0, AT(file), "FILE", NULL,
	  "the audit trail to read; default: the policy's, or /var/log/brig/audit.jsonl" },
	{ 0 },
};

static const struct command_example examples[] = {
	{ "brig audit --since 1h --event refusal", "what was refused in the last hour, and why" },
	{ "brig audit --since 0s --follow", "what happens from now on" },
	{ "brig audit --id box1 --json | jq .args", "the programs that ran in a container" },
	{ 0 },
};

struct printer {
	bool json;
	struct buffer text;
};

/* What is in a trail, or in a file that is said to be one, comes from outside: a terminal must not act on it. */
static void append_detail(struct buffer *out, const char *name, const char *text)
{
	if (*text)
		buffer_append_labelled(out, name, text);
}

static void append_row(struct buffer *out, const struct brig_audit_entry *entry)
{
	char time[] = "YYYY-MM-DDTHH:MM:SS", status[24] = "";

	if (entry->has_status)
		snprintf(status, sizeof(status), "%lld", (long long)entry->status);
	snprintf(time, sizeof(time), "%s", entry->time);
	output_column(out, time, /* width= */ 21);
	output_column(out, entry->event, /* width= */ 9);
	output_column(out, status, /* width= */ 7);
	buffer_append_visible(out, entry->id, /* quoted= */ false);
	append_detail(out, " exec=", entry->exec_id);
	append_detail(out, " pod=", entry->pod);
	append_detail(out, " namespace=", entry->namespace);
	append_detail(out, " container=", entry->container);
	append_detail(out, " image=", entry->image);
	append_detail(out, " policy=", entry->policy);
	if (entry->oom_kills)
		buffer_printf(out, " oom-kills=%llu", (unsigned long long)entry->oom_kills);
	append_detail(out, " error: ", entry->error);
	buffer_append_text(out, "\n");
}

static int print_entry(void *context, const struct brig_audit_entry *entry, struct error *err)
{
	struct printer *printer = context;
	int r;

	if (printer->json) {
		buffer_append(&printer->text, entry->line, entry->length);
		buffer_append_text(&printer->text, "\n");
	} else {
		append_row(&printer->text, entry);
	}
	if (printer->text.length < OUTPUT_CHUNK && !printer->text.failed)
		return 0;
	r = output_write(&printer->text, err);
	printer->text.length = 0;
	return r;
}

/* Who follows sees a line when it is there. */
static int print_now(void *context, struct error *err)
{
	struct printer *printer = context;
	int r = output_write(&printer->text, err);

	printer->text.length = 0;
	return r;
}

static int run(const struct brig *brig, const void *data, struct error *err)
{
	const struct audit_options *options = data;
	struct printer printer = { .json = options->json };
	const struct brig_audit request = {
		.file = options->file,
		.since = options->since,
		.id = options->id,
		.event = options->event,
		.take = print_entry,
		.wait = options->follow ? print_now : NULL,
		.context = &printer,
	};
	int r;

	if (!options->json)
		buffer_append_text(&printer.text, "TIME (UTC)           EVENT    STATUS CONTAINER\n");
	r = brig_audit(brig, &request, err);
	if (r >= 0)
		r = output_write(&printer.text, err);
	buffer_done(&printer.text);
	return r;
}

const struct command cmd_audit = {
	.name = "audit",
	.summary = "print the audit trail: what happened to which container",
	.description =
		"Under the policy sets strict and baseline, and where the policy says so, brig keeps a trail of each create, "
		"start, exec, exit, update, delete and refusal, and of changes of the policy: by default in "
		"/var/log/brig/audit.jsonl, which root alone can read. This prints it, the oldest line first, rotated files "
		"included. Values of environment variables are never in it.",
	.group = COMMAND_LOOKS,
	.options_size = COMMAND_OPTIONS_SIZE(struct audit_options),
	.options = audit_options,
	.examples = examples,
	.run = run,
};
