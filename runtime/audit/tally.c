#include "audit/tally.h"

#include <stdio.h>
#include <string.h>

#include "audit/audit_record.h"
#include "base/cleanup.h"

const uint64_t tally_bounds[TALLY_BUCKETS] = { 1000,   2500,   5000,   10000,	25000,	 50000,
					       100000, 250000, 500000, 1000000, 2500000, 5000000 };

/* LABELS(a, b): those of one counter. */
#define LABELS(...) ((const char *const[TALLY_LABELS]){ __VA_ARGS__ })

void tally_done(struct tally *tally)
{
	for (size_t i = 0; i < tally->n_ooms; i++)
		free((void *)(uintptr_t)tally->ooms[i].id);
	free(tally->ooms);
	free(tally->counters);
	*tally = (struct tally){ 0 };
}

static bool matches(const struct tally_counter *counter, enum tally_family family, const char *const labels[TALLY_LABELS])
{
	for (size_t i = 0; i < TALLY_LABELS; i++) {
		if (strncmp(counter->labels[i], labels[i] ?: "", TALLY_LABEL_MAX - 1) != 0)
			return false;
	}
	return counter->family == family;
}

/* Also a plain walk: a site has some dozens of policies, rules and calls, and TALLY_COUNTERS_MAX is for one that is attacked. */
static struct tally_counter *find(const struct tally *tally, enum tally_family family,
				  const char *const labels[TALLY_LABELS])
{
	for (size_t i = 0; i < tally->n_counters; i++) {
		if (matches(&tally->counters[i], family, labels))
			return &tally->counters[i];
	}
	return NULL;
}

uint64_t tally_value(const struct tally *tally, enum tally_family family, const char *const labels[TALLY_LABELS])
{
	const struct tally_counter *counter = find(tally, family, labels);

	return counter ? counter->value : 0;
}

/* Room for one more of size bytes in a list of n: it grows by doubling. */
static void *grow(void *list, size_t n, size_t size)
{
	if (n > 0 && (n & (n - 1)) != 0)
		return list;
	return reallocarray(list, n ? n * 2 : 1, size);
}

/* What has no room for its labels is still counted, without them: a sum that lacks events would be wrong, one that says so is
 * not. */
int tally_add(struct tally *tally, enum tally_family family, const char *const labels[TALLY_LABELS], uint64_t n,
	      struct error *err)
{
	struct tally_counter *counter = find(tally, family, labels), *grown;

	if (!counter && family != TALLY_UNCOUNTED && tally->n_counters + 1 >= TALLY_COUNTERS_MAX)
		return tally_add(tally, TALLY_UNCOUNTED, LABELS(NULL), n, err);
	if (!counter) {
		grown = grow(tally->counters, tally->n_counters, sizeof(*grown));
		if (!grown)
			return error_memory(err);
		tally->counters = grown;
		counter = &grown[tally->n_counters++];
		*counter = (struct tally_counter){ .family = family };
		for (size_t i = 0; i < TALLY_LABELS; i++)
			snprintf(counter->labels[i], TALLY_LABEL_MAX, "%s", labels[i] ?: "");
	}
	counter->value += n;
	return 0;
}

static struct tally_oom *find_oom(const struct tally *tally, const char *id)
{
	for (size_t i = 0; i < tally->n_ooms; i++) {
		if (strcmp(tally->ooms[i].id, id) == 0)
			return &tally->ooms[i];
	}
	return NULL;
}

static void forget_oom(struct tally *tally, size_t index)
{
	free((void *)(uintptr_t)tally->ooms[index].id);
	tally->n_ooms--;
	memmove(&tally->ooms[index], &tally->ooms[index + 1], (tally->n_ooms - index) * sizeof(*tally->ooms));
}

int tally_remember_oom(struct tally *tally, const char *id, uint64_t kills, struct error *err)
{
	struct tally_oom *oom = find_oom(tally, id), *grown;

	if (oom) {
		oom->kills = kills;
		return 0;
	}
	/* Containers whose removal was never told: the oldest goes. */
	if (tally->n_ooms == TALLY_OOMS_MAX)
		forget_oom(tally, 0);
	grown = grow(tally->ooms, tally->n_ooms, sizeof(*grown));
	if (!grown)
		return error_memory(err);
	tally->ooms = grown;
	grown[tally->n_ooms].id = strdup(id);
	if (!grown[tally->n_ooms].id)
		return error_memory(err);
	grown[tally->n_ooms++].kills = kills;
	return 0;
}

/* An exit tells of the kills so far, and a removal of all: the difference to what is counted is what is new. */
static int take_ooms(struct tally *tally, const struct audit_entry *entry, bool is_last, struct error *err)
{
	struct tally_oom *oom = find_oom(tally, entry->id);
	uint64_t counted = oom ? oom->kills : 0;
	int rc = 0;

	if (entry->oom_kills > counted)
		rc = tally_add(tally, TALLY_OOM_KILLS, LABELS(NULL), entry->oom_kills - counted, err);
	if (rc >= 0 && !is_last && entry->oom_kills > counted)
		rc = tally_remember_oom(tally, entry->id, entry->oom_kills, err);
	else if (rc >= 0 && is_last && oom)
		forget_oom(tally, (size_t)(oom - tally->ooms));
	return rc;
}

static const char *known(const char *text)
{
	return *text ? text : "unknown";
}

static int take_failure(struct tally *tally, const struct audit_entry *entry, struct error *err)
{
	return tally_add(tally, TALLY_FAILURES, LABELS(entry->event, known(entry->reason)), 1, err);
}

/* Creates have no name here, since sums of before there were others have none. */
static int take_startup(struct tally *tally, const struct audit_entry *entry, const char *phase, struct error *err)
{
	char index[24];
	size_t i = 0;
	int rc;

	if (entry->took_usec == 0)
		return 0;
	while (i < TALLY_BUCKETS && entry->took_usec > tally_bounds[i])
		i++;
	snprintf(index, sizeof(index), "%zu", i);
	rc = tally_add(tally, TALLY_STARTUPS, LABELS(index, phase), 1, err);
	return rc < 0 ? rc : tally_add(tally, TALLY_STARTUP_USEC, LABELS(phase), entry->took_usec, err);
}

static int take_report(struct tally *tally, const struct audit_entry *entry, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < entry->n_report; i++) {
		const struct audit_entry_report *line = &entry->report[i];

		rc = tally_add(tally, TALLY_ADJUSTMENTS, LABELS(known(line->rule ?: ""), known(line->level ?: "")), 1,
			       err);
	}
	return rc;
}

static int take_create(struct tally *tally, const struct audit_entry *entry, struct error *err)
{
	int rc;

	if (entry->error[0])
		return take_failure(tally, entry, err);
	rc = tally_add(tally, TALLY_CREATES, LABELS(known(entry->policy)), 1, err);
	if (rc >= 0)
		rc = take_startup(tally, entry, /* phase= */ NULL, err);
	return rc < 0 ? rc : take_report(tally, entry, err);
}

static int take_start(struct tally *tally, const struct audit_entry *entry, struct error *err)
{
	int rc = tally_add(tally, TALLY_STARTS, LABELS(known(entry->policy)), 1, err);

	return rc < 0 ? rc : take_startup(tally, entry, "start", err);
}

static int take_exec(struct tally *tally, const struct audit_entry *entry, struct error *err)
{
	int rc;

	if (entry->error[0])
		return take_failure(tally, entry, err);
	rc = tally_add(tally, TALLY_EXECS, LABELS(known(entry->policy)), 1, err);
	return rc < 0 ? rc : take_report(tally, entry, err);
}

static int take_denials(struct tally *tally, const struct audit_entry *entry, struct error *err)
{
	uint64_t rest = entry->denials;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < entry->n_denied; i++) {
		uint64_t count = entry->denied[i].count < rest ? entry->denied[i].count : rest;

		rc = tally_add(tally, TALLY_DENIALS, LABELS(known(entry->denied[i].call ?: "")), count, err);
		rest -= count;
	}
	return rc < 0 || rest == 0 ? rc : tally_add(tally, TALLY_DENIALS, LABELS("other"), rest, err);
}

static int take_exit(struct tally *tally, const struct audit_entry *entry, struct error *err)
{
	int rc = take_denials(tally, entry, err);

	/* Its program could not be executed. */
	if (rc >= 0 && entry->error[0])
		rc = tally_add(tally, TALLY_FAILURES, LABELS(*entry->exec_id ? "exec" : "start", "program"), 1, err);
	if (rc >= 0 && entry->ended_by[0])
		rc = tally_add(tally, TALLY_DEADLINES, LABELS(entry->ended_by), 1, err);
	/* What follows is the container's own, which an exec's end tells as well. */
	if (rc >= 0 && !*entry->exec_id && entry->egress_denials > 0)
		rc = tally_add(tally, TALLY_EGRESS_DENIALS, LABELS("list"), entry->egress_denials, err);
	return rc < 0 || *entry->exec_id ? rc : take_ooms(tally, entry, /* is_last= */ false, err);
}

static int take_egress(struct tally *tally, const struct audit_entry *entry, struct error *err)
{
	return entry->is_request_allowed ? 0 : tally_add(tally, TALLY_EGRESS_DENIALS, LABELS("proxy"), 1, err);
}

/* With an error: its making failed after its line was written, and counts as a failure of that. */
static int take_delete(struct tally *tally, const struct audit_entry *entry, struct error *err)
{
	int rc = entry->error[0] ? tally_add(tally, TALLY_FAILURES, LABELS("create", known(entry->reason)), 1, err) : 0;

	return rc < 0 ? rc : take_ooms(tally, entry, /* is_last= */ true, err);
}

static int take_refusal(struct tally *tally, const struct audit_entry *entry, struct error *err)
{
	return tally_add(tally, TALLY_REFUSALS, LABELS(known(entry->rule)), 1, err);
}

static int take_policy(struct tally *tally, const struct audit_entry *entry, struct error *err)
{
	(void)entry;
	return tally_add(tally, TALLY_POLICY_CHANGES, LABELS(NULL), 1, err);
}

int tally_take(struct tally *tally, const struct audit_entry *entry, struct error *err)
{
	static int (*const take[AUDIT_N_EVENTS])(struct tally *, const struct audit_entry *, struct error *) = {
		[AUDIT_CREATE] = take_create, [AUDIT_START] = take_start,   [AUDIT_EXEC] = take_exec,
		[AUDIT_EXIT] = take_exit,     [AUDIT_DELETE] = take_delete, [AUDIT_REFUSAL] = take_refusal,
		[AUDIT_POLICY] = take_policy, [AUDIT_EGRESS] = take_egress,
	};
	enum audit_event event;

	/* A later version's: nothing that is counted here. */
	if (!audit_record_event_find(entry->event, &event) || !take[event])
		return 0;
	return take[event](tally, entry, err);
}
