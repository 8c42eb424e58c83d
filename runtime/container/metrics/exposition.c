#include "container/metrics/exposition.h"

#include <inttypes.h>

#define USEC_PER_S 1000000

void exposition_begin(struct buffer *out, const struct exposition_family *family)
{
	buffer_printf(out, "# HELP %s %s.\n# TYPE %s %s\n", family->name, family->help, family->name, family->type);
}

static void append_escaped(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			buffer_append_text(out, "\\n");
		else if (*text == '"' || *text == '\\')
			buffer_printf(out, "\\%c", *text);
		else
			buffer_append(out, text, 1);
	}
}

void exposition_sample(struct buffer *out, const struct exposition_family *family,
		       const char *const values[EXPOSITION_LABELS], uint64_t value)
{
	buffer_append_text(out, family->name);
	for (unsigned i = 0; i < EXPOSITION_LABELS && family->labels[i]; i++) {
		buffer_printf(out, "%s%s=\"", i ? "," : "{", family->labels[i]);
		append_escaped(out, values[i] ? values[i] : "");
		buffer_append_text(out, "\"");
	}
	buffer_printf(out, "%s %" PRIu64 "\n", family->labels[0] ? "}" : "", value);
}

static void append_seconds(struct buffer *out, uint64_t usec)
{
	buffer_printf(out, "%" PRIu64 ".%06" PRIu64, usec / USEC_PER_S, usec % USEC_PER_S);
}

void exposition_histogram(struct buffer *out, const struct exposition_family *family,
			  const struct exposition_histogram *histogram)
{
	uint64_t below = 0;

	for (size_t i = 0; i < histogram->n; i++) {
		below += histogram->counts[i];
		buffer_printf(out, "%s_bucket{le=\"", family->name);
		append_seconds(out, histogram->bounds[i]);
		buffer_printf(out, "\"} %" PRIu64 "\n", below);
	}
	below += histogram->counts[histogram->n];
	buffer_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", family->name, below, family->name);
	append_seconds(out, histogram->sum_usec);
	buffer_printf(out, "\n%s_count %" PRIu64 "\n", family->name, below);
}
