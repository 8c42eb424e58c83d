#include "audit/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sha2.h>

#include "audit/journal.h"
#include "audit/syslog.h"
#include "audit/trail.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/timestamp.h"

/* The policy that was last seen from a source is kept as a symbolic link that points nowhere, "SOURCE:DIGEST", since that is read by
 * one system call and replaced by one. There are 256 at most: sources that share one are told apart by what is in it. */
#define SLOT_DIGITS 2
#define SOURCE_DIGITS 16
#define SEEN_MAX (SOURCE_DIGITS + 1 + AUDIT_DIGEST_TEXT)

struct slot {
	char name[NAME_MAX + 64];
	char source[SOURCE_DIGITS + 2]; /* with the colon */
};

static void find_slot(const struct trail *trail, const struct audit_policy *policy, struct slot *ret)
{
	uint8_t digest[32];
	char text[AUDIT_DIGEST_TEXT];
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)policy->source, strlen(policy->source));
	SHA256Final(digest, &context);
	audit_record_digest(digest, text);
	snprintf(ret->name, sizeof(ret->name), "%s.policy-%.*s", trail->name, SLOT_DIGITS, text);
	snprintf(ret->source, sizeof(ret->source), "%.*s:", SOURCE_DIGITS, text);
}

/* Under the lock, so that the order of lines is that of their times. */
static void put_time(struct buffer *line)
{
	char text[TIMESTAMP_MAX];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	timestamp_format(&now, text);
	if (strlen(text) == AUDIT_TIME_LENGTH)
		memcpy(line->data + AUDIT_TIME_OFFSET, text, AUDIT_TIME_LENGTH);
}

static int append(struct trail *trail, struct buffer *line, struct error *err)
{
	if (line->failed)
		return error_memory(err);
	put_time(line);
	return trail_append(trail, line, err);
}

static int remember(const struct trail *trail, const struct slot *slot, const char *digest, struct error *err)
{
	char new_name[sizeof(slot->name) + 8], seen[SEEN_MAX];

	snprintf(new_name, sizeof(new_name), "%s.new", slot->name);
	snprintf(seen, sizeof(seen), "%s%s", slot->source, digest);
	unlinkat(trail->dir_fd, new_name, 0);
	if (symlinkat(seen, trail->dir_fd, new_name) < 0 ||
	    renameat(trail->dir_fd, new_name, trail->dir_fd, slot->name) < 0)
		return error_system(err, errno, "remember the policy beside the audit trail %s", trail->target->path);
	return 0;
}

/* The line first: where we are killed in between, it is written twice, not never. */
static int note_policy(struct trail *trail, const struct audit_policy *policy, struct buffer *line, struct error *err)
{
	char seen[SEEN_MAX];
	const char *before = NULL;
	struct slot slot;
	ssize_t n;
	int rc;

	if (!policy->source || !policy->digest)
		return 0;
	find_slot(trail, policy, &slot);
	n = readlinkat(trail->dir_fd, slot.name, seen, sizeof(seen) - 1);
	seen[n > 0 ? n : 0] = '\0';
	if (strncmp(seen, slot.source, strlen(slot.source)) == 0)
		before = seen + strlen(slot.source);
	if (before && strcmp(before, policy->digest) == 0)
		return 0;
	audit_record_format_policy(policy, before, line);
	rc = append(trail, line, err);
	return rc < 0 ? rc : remember(trail, &slot, policy->digest, err);
}

static int write_lines(const struct audit_target *target, const struct audit_record *record, struct buffer *policy_line,
		       struct buffer *line, struct error *err)
{
	struct trail trail;
	int rc = trail_open(target, &trail, err);

	if (rc < 0)
		return rc;
	rc = note_policy(&trail, &record->policy, policy_line, err);
	if (rc >= 0)
		rc = append(&trail, line, err);
	trail_done(&trail);
	return rc;
}

static void tell_syslog(enum audit_event event, const struct buffer *line)
{
	int r = line->length ? syslog_send(SYSLOG_SOCKET, event, line) : 0;

	if (r < 0)
		log_warning("the audit trail's line did not get to syslog: send to %s: %s", SYSLOG_SOCKET, strerror(-r));
}

static void tell_journald(enum audit_event event, const char *id, const struct buffer *line)
{
	int r = journal_send(JOURNAL_SOCKET, event, id, line);

	if (r < 0)
		log_warning("the audit trail's line did not get to journald: send to %s: %s", JOURNAL_SOCKET,
			    strerror(-r));
}

int audit_write(const struct audit_target *target, const struct audit_record *record, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer policy_line = { 0 }, line = { 0 };
	int rc;

	if (!target->path)
		return 0;
	audit_record_format(record, &line);
	rc = write_lines(target, record, &policy_line, &line, err);
	if (rc >= 0 && target->syslog) {
		tell_syslog(AUDIT_POLICY, &policy_line);
		tell_syslog(record->event, &line);
	}
	if (rc >= 0 && target->journald) {
		tell_journald(AUDIT_POLICY, /* id= */ NULL, &policy_line);
		tell_journald(record->event, record->id, &line);
	}
	return rc;
}
