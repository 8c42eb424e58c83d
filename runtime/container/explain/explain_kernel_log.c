#include "container/explain/explain_kernel_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "base/timestamp.h"
#include "container/explain/kernel_record_owner.h"

#define RECORD_MAX 8192	    /* the kernel's own bound for one */
#define RECORDS_MAX 1000000 /* who writes faster than we read does not keep us */
/* As large as auditd's own bound for its file is (max_log_file), where nobody changes it. */
#define TAIL_MAX ((size_t)8 * 1024 * 1024)
#define SEEN_MAX 1024

DEFINE_CLEANUP(FILE *, fclose);

struct search {
	struct kernel_record_owner owner;
	struct arena *arena;
	uint64_t since;
	uint64_t *seen; /* serials of the container's, in the kernel's messages */
	size_t n_seen;
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

static bool is_same(const struct denial_call *call, const struct kernel_record *other)
{
	return call->architecture == other->architecture && call->number == other->number &&
	       strcmp(call->programs[0], other->program) == 0;
}

/* The two sources overlap in time; all texts of it are as long. */
static void take(struct denial_call *call, const char *time)
{
	call->count++;
	if (strcmp(time, call->first) < 0)
		call->first = time;
	if (strcmp(time, call->last) > 0)
		call->last = time;
}

static void add(struct search *search, const struct kernel_record *call)
{
	struct denial_document *found = &search->found;
	const char *time = time_text(search->arena, call->milliseconds), **programs;

	found->total++;
	for (size_t i = 0; i < found->n_calls; i++) {
		if (is_same(&search->calls[i], call)) {
			take(&search->calls[i], time);
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

static bool is_of(const struct search *search, const struct kernel_record *record)
{
	return record->milliseconds >= search->since && kernel_record_owner_has(&search->owner, record);
}

/* Each read(2) gives one record. EPIPE: some were overwritten meanwhile, go on with the next one. */
static void read_messages(struct search *search)
{
	AUTO_CLOSE int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char text[RECORD_MAX + 1];
	struct kernel_record record;

	for (unsigned i = 0; fd >= 0 && i < RECORDS_MAX; i++) {
		ssize_t n = read(fd, text, RECORD_MAX);

		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			return;
		text[n] = '\0';
		if (!kernel_record_of_kmsg(text, &record) || !is_of(search, &record))
			continue;
		if (search->n_seen < SEEN_MAX)
			search->seen[search->n_seen++] = record.serial;
		add(search, &record);
	}
}

/* ---- auditd's file ---- */

int explain_kernel_log_open(const char *path, size_t tail)
{
	AUTO_CLOSE int fd =
		sys_openat2(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_uid != 0 ||
	    (status.st_mode & (S_IWGRP | S_IWOTH)))
		return -EBADF;
	if ((uint64_t)status.st_size > tail && lseek(fd, status.st_size - (off_t)tail, SEEK_SET) < 0)
		return -EBADF;
	return steal_fd(&fd);
}

/* What the kernel could not give to a daemon it writes down, and gives to the next one, too. */
static bool is_seen(const struct search *search, const struct kernel_record *record)
{
	for (size_t i = 0; i < search->n_seen; i++) {
		if (search->seen[i] == record->serial)
			return true;
	}
	return false;
}

/* The first line may be the end of one. A longer one than any of the kernel's is none. */
static void read_auditd(struct search *search)
{
	AUTO_CLOSE int fd = explain_kernel_log_open(EXPLAIN_KERNEL_LOG_AUDITD, TAIL_MAX);
	AUTO(fclose) FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char line[RECORD_MAX + 1];
	struct kernel_record record;
	size_t taken = 0;

	if (!file)
		return;
	steal_fd(&fd);
	/* It may grow while we read. */
	while (taken < TAIL_MAX && fgets(line, sizeof(line), file)) {
		taken += strlen(line) + 1;
		if (kernel_record_of_auditd(line, &record) && is_of(search, &record) && !is_seen(search, &record))
			add(search, &record);
	}
}

void explain_kernel_log(const struct state *state, struct arena *arena, struct denial_document *ret)
{
	struct search search = { .arena = arena };
	struct timespec created;

	if (timestamp_parse(state->created, &created) < 0)
		return;
	search.owner = kernel_record_owner_find(state, arena);
	if (search.owner.ids_size == 0 && search.owner.n_processes == 0)
		return;
	search.since = (uint64_t)created.tv_sec * 1000 + (uint64_t)created.tv_nsec / 1000000;
	search.calls = arena_array_of(arena, EXPLAIN_KERNEL_LOG_CALLS, struct denial_call);
	search.seen = arena_array_of(arena, SEEN_MAX, uint64_t);
	if (!search.calls || !search.seen)
		return;
	read_messages(&search);
	read_auditd(&search);
	search.found.calls = search.calls;
	*ret = search.found;
}
