/* Lines of the audit trail, chosen. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/audit_read.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/quantity.h"
#include "base/timestamp.h"
#include "container/brig.h"
#include "policy/policy.h"

#define NS_PER_S 1000000000
#define LOOK_AGAIN_MS 1000

struct query {
	const struct brig_audit *request;
	char since[TIMESTAMP_MAX]; /* as the lines have it, so that text compares; "" for all */
};

static int parse_since(const char *text, char since[static TIMESTAMP_MAX], struct error *err)
{
	struct timespec when;
	uint64_t ago;

	if (timestamp_parse(text, &when) < 0) {
		if (quantity_duration(text, &ago) < 0)
			return error_set(err, ERROR_USAGE, EINVAL,
					 "option --since: \"%.64s\" is neither a time (2030-01-31T23:59:59Z) nor a duration "
					 "(90s, 2h30m)",
					 text);
		clock_gettime(CLOCK_REALTIME, &when);
		ago = ago / NS_PER_S < (uint64_t)when.tv_sec ? ago / NS_PER_S : (uint64_t)when.tv_sec;
		when.tv_sec -= (time_t)ago;
	}
	timestamp_format(&when, since);
	return 0;
}

static int check_event(const char *name, struct error *err)
{
	enum audit_event event;
	char all[128] = "";

	if (!name || audit_record_event_find(name, &event))
		return 0;
	for (event = 0; event < AUDIT_N_EVENTS; event++) {
		strcat(all, event ? ", " : "");
		strcat(all, audit_record_event_name(event));
	}
	return error_set(err, ERROR_USAGE, EINVAL, "option --event: there is no event \"%.64s\"; there are: %s", name,
			 all);
}

static int take(void *context, const struct audit_entry *entry, struct error *err)
{
	const struct query *query = context;
	const struct brig_audit *request = query->request;
	const struct brig_audit_entry told = {
		.time = entry->time,
		.event = entry->event,
		.id = entry->id,
		.exec_id = entry->exec_id,
		.pod = entry->pod,
		.namespace = entry->namespace,
		.container = entry->container,
		.image = entry->image,
		.policy = entry->policy,
		.error = entry->error,
		.has_status = entry->has_status,
		.status = entry->status,
		.oom_kills = entry->oom_kills,
		.line = entry->line,
		.length = entry->length,
	};

	if (strcmp(entry->time, query->since) < 0 || (request->id && strcmp(entry->id, request->id) != 0) ||
	    (request->event && strcmp(entry->event, request->event) != 0))
		return 0;
	return request->take(request->context, &told, err);
}

/* Until something is written there: into the file, a new one in its place, the file or its folder for the first time. */
static int wait_for_more(const char *path, struct error *err)
{
	AUTO_CLOSE int fd = inotify_init1(IN_CLOEXEC);
	char folder[PATH_MAX], events[4096];
	struct pollfd polled = { .fd = fd, .events = POLLIN };
	const char *slash = strrchr(path, '/');

	if (fd < 0)
		return error_system(err, errno, "inotify_init1");
	snprintf(folder, sizeof(folder), "%.*s", slash && slash > path ? (int)(slash - path) : 1, path);
	/* Without it, or with a write since we looked, the time bound has to do. */
	(void)inotify_add_watch(fd, folder, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
	if (poll(&polled, 1, LOOK_AGAIN_MS) < 0 && errno != EINTR)
		return error_system(err, errno, "wait for the audit trail %s", path);
	if (polled.revents && read(fd, events, sizeof(events)) < 0 && errno != EINTR)
		return error_system(err, errno, "read from inotify");
	return 0;
}

/* A trail that is not there yet may come. */
static int follow(struct audit_reader *reader, const struct brig_audit *request, struct error *err)
{
	struct audit_position position = { 0 };
	int rc = 0;

	reader->position = &position;
	while (rc >= 0) {
		rc = audit_read(reader, err);
		if (rc < 0 && err->kind == ERROR_NOT_FOUND)
			rc = 0;
		if (rc >= 0)
			rc = request->wait(request->context, err);
		if (rc >= 0)
			rc = wait_for_more(reader->path, err);
	}
	return rc;
}

int brig_audit(const struct brig *brig, const struct brig_audit *request, struct error *err)
{
	struct query query = { .request = request };
	struct audit_reader reader = { .path = request->file, .take = take, .context = &query };
	struct policy policy = { 0 };
	int rc = check_event(request->event, err);

	if (rc >= 0 && request->since)
		rc = parse_since(request->since, query.since, err);
	if (rc >= 0 && !request->file)
		rc = policy_load(brig->policy, &policy, err);
	if (rc >= 0 && !reader.path)
		reader.path = policy.audit.path[0] ? policy.audit.path : AUDIT_PATH_DEFAULT;
	if (rc >= 0)
		rc = request->wait ? follow(&reader, request, err) : audit_read(&reader, err);
	if (rc >= 0 && reader.n_broken > 0)
		log_warning("%" PRIu64 " lines of the audit trail %s are not brig's: passed over", reader.n_broken,
			    reader.path);
	policy_done(&policy);
	return rc;
}
