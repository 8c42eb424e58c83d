#include "container/explain/explain_egress.h"

#include <inttypes.h>

#include "base/cleanup.h"
#include "base/timestamp.h"

void explain_egress_find(const struct container *container, const struct expectation *expected,
			 struct explain_egress *ret, struct explain_findings *findings)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	struct error err = { 0 };
	int rc;

	if (!expected->egress)
		return;
	rc = cgroup_open(container->state.cgroup_manager, container->state.cgroup_path, &cgroup, &err);
	if (rc >= 0)
		rc = egress_read(cgroup, container->arena, &ret->report, &err);
	ret->is_counted = rc >= 0 && ret->report.n_entries == expected->n_egress;
	if (ret->is_counted)
		explain_find(findings, "egress", true, "held by programs on the cgroup; entries: %zu, refused: %" PRIu64,
			     expected->n_egress, ret->report.denied);
	else
		explain_find(findings, "egress", false, "not held: %s",
			     rc < 0 ? err.message : "the programs on the cgroup are of another list");
}

static const char *time_of(int64_t ns, char text[static TIMESTAMP_MAX])
{
	const struct timespec at = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	return timestamp_format(&at, text);
}

static void print_denial(const struct egress_denial *denial, struct buffer *out)
{
	char what[EGRESS_DENIAL_TEXT_MAX], first[TIMESTAMP_MAX], last[TIMESTAMP_MAX];

	buffer_printf(out, "  %s: not in brig.dev/egress; count %" PRIu64 ", %s to %s\n",
		      egress_denial_format(denial, what), denial->count, time_of(denial->first_ns, first),
		      time_of(denial->last_ns, last));
}

void explain_egress_print(const struct expectation *expected, const struct explain_egress *egress, struct buffer *out)
{
	const struct egress_report *report = &egress->report;

	if (!expected->egress)
		return;
	buffer_append_text(out, "\nWhere it may connect to (brig.dev/egress)\n");
	if (expected->n_egress == 0)
		buffer_append_text(out, "  nowhere\n");
	for (size_t i = 0; i < expected->n_egress; i++) {
		buffer_printf(out, "  %s", expected->egress[i]);
		if (egress->is_counted)
			buffer_printf(out, ": connections %" PRIu64 ", datagrams %" PRIu64,
				      report->entries[i].connections, report->entries[i].datagrams);
		buffer_append_text(out, "\n");
	}
	if (!egress->is_counted)
		return;
	buffer_printf(out, "What was refused there: %" PRIu64 "\n", report->denied);
	for (size_t i = 0; i < report->n_denials; i++)
		print_denial(&report->denials[i], out);
	if (report->others)
		buffer_printf(out, "  and %" PRIu64 " to further places\n", report->others);
}

static void write_entries(const struct expectation *expected, const struct explain_egress *egress,
			  struct json_writer *writer)
{
	json_write_key(writer, "allowed");
	json_write_array_begin(writer);
	for (size_t i = 0; i < expected->n_egress; i++) {
		json_write_object_begin(writer);
		json_write_member(writer, "entry", expected->egress[i]);
		if (egress->is_counted) {
			json_write_member_uint(writer, "connections", egress->report.entries[i].connections);
			json_write_member_uint(writer, "datagrams", egress->report.entries[i].datagrams);
		}
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

static void write_denial(const struct egress_denial *denial, struct json_writer *writer)
{
	char what[EGRESS_DENIAL_TEXT_MAX], text[TIMESTAMP_MAX];

	json_write_object_begin(writer);
	json_write_member(writer, "what", egress_denial_format(denial, what));
	json_write_member_uint(writer, "count", denial->count);
	json_write_member(writer, "first", time_of(denial->first_ns, text));
	json_write_member(writer, "last", time_of(denial->last_ns, text));
	json_write_object_end(writer);
}

void explain_egress_write(const struct expectation *expected, const struct explain_egress *egress,
			  struct json_writer *writer)
{
	const struct egress_report *report = &egress->report;

	if (!expected->egress) {
		json_write_null(writer);
		return;
	}
	json_write_object_begin(writer);
	write_entries(expected, egress, writer);
	if (egress->is_counted) {
		json_write_member_uint(writer, "total", report->denied);
		json_write_member_uint(writer, "others", report->others);
		json_write_key(writer, "denials");
		json_write_array_begin(writer);
		for (size_t i = 0; i < report->n_denials; i++)
			write_denial(&report->denials[i], writer);
		json_write_array_end(writer);
	}
	json_write_object_end(writer);
}
