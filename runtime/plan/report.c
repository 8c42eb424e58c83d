#include "plan/report.h"

#include <string.h>

#define FIRST_CAPACITY 8

/* The arena can't grow a block in place: the old list stays behind in it, which costs as much again at most. */
static int grow(struct report *report, struct error *err)
{
	size_t capacity = report->capacity ? report->capacity * 2 : FIRST_CAPACITY;
	struct report_line *lines = arena_array_of(report->arena, capacity, struct report_line);

	if (!lines)
		return error_memory(err);
	if (report->n_lines)
		memcpy(lines, report->lines, report->n_lines * sizeof(*lines));
	report->lines = lines;
	report->capacity = capacity;
	return 0;
}

int report_add(struct report *report, const struct report_line *line, struct error *err)
{
	int rc = report->n_lines == report->capacity ? grow(report, err) : 0;

	if (rc >= 0)
		report->lines[report->n_lines++] = *line;
	return rc;
}

const char *report_level_name(enum report_level level)
{
	switch (level) {
	case REPORT_NOTE:
		return "note";
	case REPORT_ADJUSTED:
		return "adjusted";
	case REPORT_WARNING:
		return "warning";
	case REPORT_REFUSED:
		return "refused";
	}
	return "unknown";
}
