/* What an audit trail adds up to: counters that only grow, whatever becomes of the trail's oldest files. tally.c is pure; tally_file.c
 * keeps the sums beside the trail, with the place up to which it was counted. See docs/monitoring.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/audit_read.h"
#include "base/buffer.h"
#include "base/error.h"

enum tally_family {
	TALLY_CREATES,	      /* by policy */
	TALLY_STARTS,	      /* by policy */
	TALLY_EXECS,	      /* by policy */
	TALLY_FAILURES,	      /* by operation, reason */
	TALLY_REFUSALS,	      /* by rule */
	TALLY_ADJUSTMENTS,    /* by rule, level */
	TALLY_DENIALS,	      /* by call */
	TALLY_EGRESS_DENIALS, /* by who refused: "list", or "proxy" */
	TALLY_OOM_KILLS,      /* no labels */
	TALLY_DEADLINES,      /* by limit */
	TALLY_POLICY_CHANGES, /* no labels */
	TALLY_STARTUPS,	      /* by the index of a bucket, as a number, and phase: none for create, "start" */
	TALLY_STARTUP_USEC,   /* by phase: the sum */
	TALLY_BROKEN_LINES,   /* no labels */
	TALLY_UNCOUNTED,      /* no labels: what had no room below its own labels */
	TALLY_N_FAMILIES,
};

#define TALLY_LABELS 2
#define TALLY_LABEL_MAX 64
#define TALLY_COUNTERS_MAX 4096u
#define TALLY_OOMS_MAX 1024u

struct tally_counter {
	enum tally_family family;
	char labels[TALLY_LABELS][TALLY_LABEL_MAX]; /* "": none */
	uint64_t value;
};

/* A container that ran out of memory: its exit and its removal tell of the same kills. */
struct tally_oom {
	const char *id; /* owned */
	uint64_t kills; /* that are counted */
};

struct tally {
	struct tally_counter *counters;
	size_t n_counters;
	struct tally_oom *ooms;
	size_t n_ooms;
	struct audit_position position;
	bool is_found; /* there was a trail to read */
};

/* The upper bounds of the buckets in microseconds; one more has no bound. */
#define TALLY_BUCKETS 12
extern const uint64_t tally_bounds[TALLY_BUCKETS];

/* Frees the counters, and the ids of the containers that ran out of memory; the tally is empty afterwards. */
void tally_done(struct tally *tally);
/* -ENOMEM with err set. labels: NULL or "" for none; cut where they are too long. */
int tally_add(struct tally *tally, enum tally_family family, const char *const labels[TALLY_LABELS], uint64_t n,
	      struct error *err);
/* Counts one line. */
int tally_take(struct tally *tally, const struct audit_entry *entry, struct error *err);
/* So many kills of that container are counted already. */
int tally_remember_oom(struct tally *tally, const char *id, uint64_t kills, struct error *err);
/* 0 where nothing was counted. */
uint64_t tally_value(const struct tally *tally, enum tally_family family, const char *const labels[TALLY_LABELS]);

/* As JSON, and back: text is a file of ours. */
void tally_format(const struct tally *tally, struct buffer *out);
int tally_parse(const char *text, size_t length, struct tally *ret, struct error *err);

/* The trail at path, counted up to its present end, and that kept in PATH.sums (0600) beside it. Where there is no trail, is_found is
 * false and nothing is made. Two at the same time take turns. ret is for tally_done, on success alone.
 * Errors: ERROR_REFUSED (others could write what is there), ERROR_INVALID (the sums are not brig's), ERROR_TIMEOUT, ERROR_SYSTEM. */
int tally_update(const char *path, struct tally *ret, struct error *err);
