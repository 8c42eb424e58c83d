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

/* NAME="value",NAME="value": the family's own. */
static void append_labels(struct buffer *out, const struct exposition_family *family,
			  const char *const values[EXPOSITION_LABELS])
{
	for (unsigned i = 0; i < EXPOSITION_LABELS && family->labels[i]; i++) {
		buffer_printf(out, "%s%s=\"", i ? "," : "", family->labels[i]);
		append_escaped(out, values[i] ? values[i] : "");
		buffer_append_text(out, "\"");
	}
}

/* SUFFIX{labels} and a blank; without the braces where there are no labels. */
static void append_name(struct buffer *out, const struct exposition_family *family, const char *suffix,
			const char *const values[EXPOSITION_LABELS])
{
	buffer_printf(out, "%s%s%s", family->name, suffix, family->labels[0] ? "{" : "");
	append_labels(out, family, values);
	buffer_append_text(out, family->labels[0] ? "} " : " ");
}

void exposition_sample(struct buffer *out, const struct exposition_family *family,
		       const char *const values[EXPOSITION_LABELS], uint64_t value)
{
	append_name(out, family, "", values);
	buffer_printf(out, "%" PRIu64 "\n", value);
}

static void append_seconds(struct buffer *out, uint64_t usec)
{
	buffer_printf(out, "%" PRIu64 ".%06" PRIu64, usec / USEC_PER_S, usec % USEC_PER_S);
}

static void append_bucket(struct buffer *out, const struct exposition_family *family,
			  const char *const values[EXPOSITION_LABELS])
{
	buffer_printf(out, "%s_bucket{", family->name);
	append_labels(out, family, values);
	buffer_printf(out, "%sle=\"", family->labels[0] ? "," : "");
}

void exposition_histogram(struct buffer *out, const struct exposition_family *family,
			  const char *const values[EXPOSITION_LABELS], const struct exposition_histogram *histogram)
{
	uint64_t below = 0;

	for (size_t i = 0; i < histogram->n; i++) {
		below += histogram->counts[i];
		append_bucket(out, family, values);
		append_seconds(out, histogram->bounds[i]);
		buffer_printf(out, "\"} %" PRIu64 "\n", below);
	}
	below += histogram->counts[histogram->n];
	append_bucket(out, family, values);
	buffer_printf(out, "+Inf\"} %" PRIu64 "\n", below);
	append_name(out, family, "_sum", values);
	append_seconds(out, histogram->sum_usec);
	buffer_append_text(out, "\n");
	append_name(out, family, "_count", values);
	buffer_printf(out, "%" PRIu64 "\n", below);
}
