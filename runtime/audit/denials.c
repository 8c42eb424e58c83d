#include "audit/denials.h"

#include <stdio.h>
#include <string.h>

#include "base/timestamp.h"

#define PROGRAMS_MAX 4
#define SECOND_NS UINT64_C(1000000000)
/* One process that makes a call over and over is asked for its name no more often: it may have executed another program. */
#define ASK_AGAIN_NS (SECOND_NS / 100)
#define NOBODY SIZE_MAX

struct entry {
	struct denial first;
	unsigned decisive;
	char programs[PROGRAMS_MAX][DENIALS_PROGRAM_MAX];
	unsigned n_programs;
	pid_t asked_pid;
	uint64_t asked_ns;
	uint64_t count;
	struct timespec last;
};

struct denials {
	struct denials_limits limits;
	enum denials_end end;
	uint64_t total, others;
	/* The bucket: time that was not used up by calls, each of which takes 1/rate. */
	uint64_t saved_ns, filled_ns;
	struct entry *entries;
	size_t n, capacity;
	size_t nameless; /* the entry that denials_add_program() is about, or NOBODY */
};

const struct denials_limits denials_default_limits = { .n_entries = 256, .rate = 1000, .burst = 10000 };

static uint64_t call_ns(const struct denials *denials)
{
	return SECOND_NS / denials->limits.rate;
}

static uint64_t bucket_ns(const struct denials *denials)
{
	return (denials->limits.burst + 1) * call_ns(denials);
}

struct denials *denials_new(const struct denials_limits *limits)
{
	struct denials *denials = calloc(1, sizeof(*denials));

	if (!denials)
		return NULL;
	denials->limits = *limits;
	if (denials->limits.rate == 0 || denials->limits.rate > SECOND_NS)
		denials->limits.rate = denials_default_limits.rate;
	if (denials->limits.burst > UINT32_MAX)
		denials->limits.burst = UINT32_MAX;
	denials->saved_ns = bucket_ns(denials);
	denials->nameless = NOBODY;
	return denials;
}

void denials_free(struct denials *denials)
{
	if (!denials)
		return;
	free(denials->entries);
	free(denials);
}

/* ---- the rate ---- */

/* A token bucket in time: a call costs 1/rate seconds of what was saved up, and no more is saved than the burst is worth. No
 * timer runs. */
static bool take_from_bucket(struct denials *denials, uint64_t now_ns)
{
	uint64_t most = bucket_ns(denials), elapsed = 0;

	if (now_ns > denials->filled_ns && denials->total > 0)
		elapsed = now_ns - denials->filled_ns;
	denials->filled_ns = now_ns;
	denials->saved_ns = elapsed > most - denials->saved_ns ? most : denials->saved_ns + elapsed;
	if (denials->saved_ns < call_ns(denials))
		return false;
	denials->saved_ns -= call_ns(denials);
	return true;
}

/* ---- the table ---- */

/* The first time's arguments stand for all; only the decisive ones tell kinds apart (ioctl's request, not its pointer). */
static bool is_same(const struct entry *entry, const struct denial *denial)
{
	if (entry->first.architecture != denial->architecture || entry->first.number != denial->number)
		return false;
	for (unsigned i = 0; i < DENIALS_ARGUMENTS; i++)
		if ((entry->decisive & 1u << i) && entry->first.arguments[i] != denial->arguments[i])
			return false;
	return true;
}

/* false: the table is as large as it may get, or memory ran out. */
static bool make_room(struct denials *denials)
{
	size_t capacity = denials->capacity ? 2 * denials->capacity : 8;
	struct entry *entries;

	if (denials->n >= denials->limits.n_entries)
		return false;
	if (denials->n < denials->capacity)
		return true;
	if (capacity > denials->limits.n_entries)
		capacity = denials->limits.n_entries;
	entries = reallocarray(denials->entries, capacity, sizeof(*entries));
	if (!entries)
		return false;
	denials->entries = entries;
	denials->capacity = capacity;
	return true;
}

/* NULL: one of the others. Some hundred entries at most, and a listener that is bounded by its rate: a plain walk. */
static struct entry *find_entry(struct denials *denials, const struct denial *denial)
{
	for (size_t i = 0; i < denials->n; i++)
		if (is_same(&denials->entries[i], denial))
			return &denials->entries[i];
	if (!make_room(denials))
		return NULL;
	denials->entries[denials->n] = (struct entry){
		.first = *denial,
		.decisive = denials_decisive_arguments(denial->architecture, denial->number),
	};
	return &denials->entries[denials->n++];
}

static bool wants_program(const struct entry *entry, const struct denial *denial)
{
	if (entry->n_programs == PROGRAMS_MAX)
		return false;
	return entry->count == 0 || entry->asked_pid != denial->pid ||
	       denial->monotonic_ns - entry->asked_ns >= ASK_AGAIN_NS;
}

bool denials_add(struct denials *denials, const struct denial *denial, bool *ret_wants_program)
{
	struct entry *entry;

	*ret_wants_program = false;
	denials->nameless = NOBODY;
	if (denials->end != DENIALS_FLOOD && !take_from_bucket(denials, denial->monotonic_ns))
		denials_end(denials, DENIALS_FLOOD);
	if (denials->end == DENIALS_FLOOD)
		return false;
	denials->total++;
	entry = find_entry(denials, denial);
	if (!entry) {
		denials->others++;
		return true;
	}
	if (wants_program(entry, denial)) {
		*ret_wants_program = true;
		denials->nameless = (size_t)(entry - denials->entries);
		entry->asked_pid = denial->pid;
		entry->asked_ns = denial->monotonic_ns;
	}
	entry->count++;
	entry->last = denial->when;
	return true;
}

void denials_add_program(struct denials *denials, const char *program, size_t length)
{
	char name[DENIALS_PROGRAM_MAX] = "?"; /* a program may call itself nothing at all */
	struct entry *entry;

	if (denials->nameless == NOBODY)
		return;
	entry = &denials->entries[denials->nameless];
	denials->nameless = NOBODY;
	/* It is the container's to choose: escape sequences must not reach anybody's terminal. */
	for (size_t i = 0; i < length && i + 1 < sizeof(name) && program[i] && program[i] != '\n'; i++)
		name[i] = program[i] >= ' ' && program[i] <= '~' ? program[i] : '?';
	for (unsigned i = 0; i < entry->n_programs; i++)
		if (strcmp(entry->programs[i], name) == 0)
			return;
	memcpy(entry->programs[entry->n_programs++], name, sizeof(name));
}

void denials_end(struct denials *denials, enum denials_end end)
{
	if (denials->end == DENIALS_GO_ON)
		denials->end = end;
}

enum denials_end denials_state(const struct denials *denials)
{
	return denials->end;
}

uint64_t denials_total(const struct denials *denials)
{
	return denials->total;
}

size_t denials_counts(const struct denials *denials, struct denials_count *ret, size_t max)
{
	size_t n = 0, at;

	for (size_t i = 0; i < denials->n; i++) {
		const struct entry *entry = &denials->entries[i];

		for (at = 0; at < n; at++)
			if (ret[at].architecture == entry->first.architecture && ret[at].number == entry->first.number)
				break;
		if (at == max)
			continue;
		if (at == n)
			ret[n++] = (struct denials_count){ entry->first.architecture, entry->first.number, 0 };
		ret[at].count += entry->count;
	}
	return n;
}

/* ---- the document ---- */

static void write_arguments(const struct entry *entry, struct json_writer *writer)
{
	char text[sizeof("0x0123456789abcdef")];

	/* As text: JSON's readers are not bound to keep 64 bits of a number. */
	json_write_key(writer, "arguments");
	json_write_array_begin(writer);
	for (unsigned i = 0; i < DENIALS_ARGUMENTS; i++) {
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)entry->first.arguments[i]);
		json_write_string(writer, text);
	}
	json_write_array_end(writer);
	json_write_key(writer, "decisive");
	json_write_array_begin(writer);
	for (unsigned i = 0; i < DENIALS_ARGUMENTS; i++)
		if (entry->decisive & 1u << i)
			json_write_uint(writer, i);
	json_write_array_end(writer);
}

static void write_entry(const struct entry *entry, struct json_writer *writer)
{
	char text[TIMESTAMP_MAX];

	json_write_object_begin(writer);
	json_write_member_uint(writer, "architecture", entry->first.architecture);
	json_write_member_uint(writer, "number", entry->first.number);
	write_arguments(entry, writer);
	json_write_key(writer, "programs");
	json_write_array_begin(writer);
	for (unsigned i = 0; i < entry->n_programs; i++)
		json_write_string(writer, entry->programs[i]);
	json_write_array_end(writer);
	json_write_member_uint(writer, "count", entry->count);
	json_write_member(writer, "first", timestamp_format(&entry->first.when, text));
	json_write_member(writer, "last", timestamp_format(&entry->last, text));
	json_write_object_end(writer);
}

void denials_write_json(const struct denials *denials, struct json_writer *writer)
{
	static const char *const states[DENIALS_N_ENDS] = {
		[DENIALS_GO_ON] = "listening",
		[DENIALS_ENDED] = "ended",
		[DENIALS_FLOOD] = "flood",
		[DENIALS_FAILED] = "failed",
	};

	json_write_object_begin(writer);
	json_write_member(writer, "state", states[denials->end]);
	json_write_member_uint(writer, "total", denials->total);
	json_write_member_uint(writer, "others", denials->others);
	json_write_key(writer, "calls");
	json_write_array_begin(writer);
	for (size_t i = 0; i < denials->n; i++)
		write_entry(&denials->entries[i], writer);
	json_write_array_end(writer);
	json_write_object_end(writer);
}
