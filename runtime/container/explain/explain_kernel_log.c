#include "container/explain/explain_kernel_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include "base/cleanup.h"
#include "base/timestamp.h"

#define RECORD_MAX 8192	    /* the kernel's own bound for one */
#define RECORDS_MAX 1000000 /* who writes faster than we read does not keep us */
#define FACILITY_KERNEL_END \
	8 /* a record's number begins with facility * 8 + level: what programs write is never the kernel's */
#define HEAD "audit: type=1326 audit("

static bool field(const char *text, const char *name, int base, uint64_t *ret)
{
	const char *at = strstr(text, name);
	char *end;

	if (!at)
		return false;
	at += strlen(name);
	errno = 0;
	*ret = strtoull(at, &end, base);
	return end != at && errno == 0;
}

/* In quotes as it is; a name with odd characters in it comes as hexadecimal digits, and stays so. */
static void copy_program(const char *text, char program[static 16])
{
	const char *at = strstr(text, " comm=");
	size_t length;

	if (!at)
		return;
	at += strlen(" comm=");
	at += *at == '"';
	length = strcspn(at, "\" ");
	snprintf(program, 16, "%.*s", (int)length, at);
}

bool explain_kernel_log_parse(const char *record, struct explain_kernel_call *ret)
{
	const char *text = strchr(record, ';'), *stamp;
	struct explain_kernel_call call = { 0 };
	uint64_t level, uid, architecture, number, code, seconds;
	unsigned milliseconds;

	if (!text || !field(record, "", 10, &level) || level >= FACILITY_KERNEL_END ||
	    strncmp(text + 1, HEAD, strlen(HEAD)) != 0)
		return false;
	stamp = text + 1 + strlen(HEAD);
	if (!field(stamp, "", 10, &seconds) || sscanf(stamp, "%*u.%3u:", &milliseconds) != 1)
		return false;
	if (!field(stamp, " uid=", 10, &uid) || !field(stamp, " arch=", 16, &architecture) ||
	    !field(stamp, " syscall=", 10, &number) || !field(stamp, " code=", 16, &code) ||
	    (code & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO)
		return false;
	call.uid = (uint32_t)uid;
	call.architecture = (uint32_t)architecture;
	call.number = (uint32_t)number;
	call.milliseconds = seconds * 1000 + milliseconds;
	copy_program(stamp, call.program);
	*ret = call;
	return true;
}

/* ---- those of one container ---- */

struct search {
	const struct state *state;
	struct arena *arena;
	uint64_t since;
	struct denial_call *calls;
	struct denial_document found;
};

static const char *time_text(struct arena *arena, uint64_t milliseconds)
{
	const struct timespec when = { .tv_sec = (time_t)(milliseconds / 1000),
				       .tv_nsec = (long)(milliseconds % 1000) * 1000000 };
	char text[TIMESTAMP_MAX];

	return arena_strdup(arena, timestamp_format(&when, text)) ?: "";
}

static bool is_same(const struct denial_call *call, const struct explain_kernel_call *other)
{
	return call->architecture == other->architecture && call->number == other->number &&
	       strcmp(call->programs[0], other->program) == 0;
}

static void add(struct search *search, const struct explain_kernel_call *call)
{
	struct denial_document *found = &search->found;
	const char *time = time_text(search->arena, call->milliseconds), **programs;

	found->total++;
	for (size_t i = 0; i < found->n_calls; i++) {
		if (is_same(&search->calls[i], call)) {
			search->calls[i].count++;
			search->calls[i].last = time;
			return;
		}
	}
	programs = arena_array_of(search->arena, 1, const char *);
	if (found->n_calls == EXPLAIN_KERNEL_LOG_CALLS || !programs) {
		found->others++;
		return;
	}
	programs[0] = arena_strdup(search->arena, call->program) ?: "";
	search->calls[found->n_calls++] = (struct denial_call){ .architecture = call->architecture,
								.number = call->number,
								.programs = programs,
								.n_programs = 1,
								.count = 1,
								.first = time,
								.last = time };
}

static bool is_of(const struct search *search, const struct explain_kernel_call *call)
{
	const struct state *state = search->state;

	return call->uid >= state->ids_first && call->uid - state->ids_first < state->ids_size &&
	       call->milliseconds >= search->since;
}

/* Each read(2) gives one record. EPIPE: some were overwritten meanwhile, go on with the next one. */
static void read_log(struct search *search, int fd)
{
	char record[RECORD_MAX + 1];
	struct explain_kernel_call call;

	for (unsigned i = 0; i < RECORDS_MAX; i++) {
		ssize_t n = read(fd, record, RECORD_MAX);

		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			return;
		record[n] = '\0';
		if (explain_kernel_log_parse(record, &call) && is_of(search, &call))
			add(search, &call);
	}
}

void explain_kernel_log(const struct state *state, struct arena *arena, struct denial_document *ret)
{
	AUTO_CLOSE int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct search search = { .state = state, .arena = arena };
	struct timespec created;

	/* Without ids of its own, or not since when, nobody can tell whose a record is. */
	if (fd < 0 || state->ids_size == 0 || timestamp_parse(state->created, &created) < 0)
		return;
	search.since = (uint64_t)created.tv_sec * 1000 + (uint64_t)created.tv_nsec / 1000000;
	search.calls = arena_array_of(arena, EXPLAIN_KERNEL_LOG_CALLS, struct denial_call);
	if (!search.calls)
		return;
	read_log(&search, fd);
	search.found.calls = search.calls;
	*ret = search.found;
}
