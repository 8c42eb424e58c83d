/* Numbers as node_exporter and Prometheus read them: the text exposition format 0.0.4, one family after the other. Pure. */
#pragma once

#include <stdint.h>

#include "base/buffer.h"

#define EXPOSITION_LABELS 2

struct exposition_family {
	const char *name;		       /* brig_... */
	const char *type;		       /* "counter", "gauge", "histogram" */
	const char *labels[EXPOSITION_LABELS]; /* names, or NULL */
	const char *help;		       /* a phrase without full stop */
};

/* HELP and TYPE: once, before the family's first sample. */
void exposition_begin(struct buffer *out, const struct exposition_family *family);
/* values: of the labels that the family has. They are escaped. */
void exposition_sample(struct buffer *out, const struct exposition_family *family,
		       const char *const values[EXPOSITION_LABELS], uint64_t value);
/* What a histogram is made of: counts[i] samples of at most bounds[i] microseconds that are above the bound before; counts[n] above all. */
struct exposition_histogram {
	const uint64_t *bounds, *counts;
	size_t n;
	uint64_t sum_usec;
};
/* In seconds. values: of the labels that the family has beside `le`. */
void exposition_histogram(struct buffer *out, const struct exposition_family *family,
			  const char *const values[EXPOSITION_LABELS], const struct exposition_histogram *histogram);
