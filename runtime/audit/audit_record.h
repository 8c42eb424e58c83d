/* One event of the audit trail as a line of JSON. Pure. Strings come from outside: each is capped and escaped; environment variables
 * have no place here. docs/audit.md lists the fields. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/buffer.h"

#define AUDIT_LINE_MAX ((size_t)64 * 1024) /* bytes, the newline among them */
#define AUDIT_DIGEST_TEXT 65		   /* SHA-256 in hexadecimal, with its NUL */
#define AUDIT_ARGS_MAX 64u
#define AUDIT_REPORT_MAX 64u

enum audit_event {
	AUDIT_CREATE,
	AUDIT_START,
	AUDIT_EXEC,
	AUDIT_EXIT,
	AUDIT_DELETE,
	AUDIT_UPDATE,  /* of a container's limits */
	AUDIT_REFUSAL, /* of a create or an exec, by the policy */
	AUDIT_EGRESS,  /* a request to the egress proxy of a sandbox has ended */
	AUDIT_POLICY,  /* another one than before; written by the trail itself */
	AUDIT_N_EVENTS,
};

/* What a container is to who asked for it; NULL: unknown. */
struct audit_workload {
	const char *pod, *namespace, *uid, *container, *image, *sandbox;
};

struct audit_policy {
	const char *name, *digest; /* NULL: not known */
	const char *source;	   /* "default" or what --policy said; NULL: a change of policy is not looked for */
};

struct audit_report_line {
	const char *rule, *where, *level;
};

struct audit_limits {
	int64_t memory, pids; /* -1: none */
	int64_t cpu_quota;    /* microseconds in each period; -1: none */
	uint64_t cpu_period;
	uint64_t timeout_ns, max_output; /* 0: none */
};

struct audit_usage {
	bool is_known;
	uint64_t oom_kills, cpu_usec, memory_peak; /* peak in bytes; 0: nobody counts */
};

#define AUDIT_DENIED_MAX 16u
struct audit_denied {
	const char *call; /* its name */
	uint64_t count;
};

struct audit_egress {
	const char *what; /* "connect tcp 192.0.2.1:443" */
	uint64_t count;
};

/* To the egress proxy. */
struct audit_request {
	const char *host; /* NULL: it could not be understood */
	uint16_t port;	  /* 0: the same */
	bool is_connect, is_allowed;
	const char *outcome; /* "done", "not-listed" */
	uint64_t bytes_out, bytes_in;
};

struct audit_caller {
	pid_t pid;	   /* 0: not known */
	const char *name;  /* or NULL */
	int64_t login_uid; /* audit's loginuid; -1: none */
};

struct audit_record {
	enum audit_event event;
	const char *id, *exec_id, *bundle; /* or NULL */
	pid_t pid;			   /* of the container's or the exec's first process; 0: none */
	struct audit_caller caller;
	struct audit_workload workload;
	struct audit_policy policy;
	const char *plan_digest; /* or NULL */
	const char *const *args; /* NULL-terminated, or NULL */
	bool redact_args;	 /* only how many there are */
	bool has_user;
	uid_t uid; /* inside */
	gid_t gid;
	const struct audit_limits *limits; /* or NULL */
	const struct audit_report_line *report;
	size_t n_report;
	bool has_status;
	int status;		       /* as a shell has it: 128 + signal */
	const struct timespec *exited; /* when, on CLOCK_REALTIME; or NULL */
	const char *ended_by;	       /* "timeout", "max-output"; or NULL */
	bool has_denials;
	uint64_t denials;		   /* system calls that were refused */
	const struct audit_denied *denied; /* and how often each */
	size_t n_denied;
	bool has_egress;
	uint64_t egress_denials;		  /* connections, datagrams and sockets that the egress list refused */
	const struct audit_egress *egress_denied; /* and how often where to */
	size_t n_egress_denied;
	const struct audit_request *request; /* or NULL */
	struct audit_usage usage;
	uint64_t took_usec; /* from the request to this line, of a create or a start; 0: not measured */
	const char *error;  /* why it was refused or failed; or NULL */
	const char *reason; /* the same as a word ("system", "invalid"...); or NULL */
	const char *rule;   /* the policy's, by which it was refused; or NULL */
};

/* "create" */
const char *audit_record_event_name(enum audit_event event);
/* Returns false where there is no such event. */
bool audit_record_event_find(const char *name, enum audit_event *ret);

/* Where in a line the time is, which is put in when the line is written. */
#define AUDIT_TIME_OFFSET 9u /* {"time":" */
#define AUDIT_TIME_LENGTH 30u
/* Appends the line with its newline and a time of zeros; look at out->failed afterwards. Never more than AUDIT_LINE_MAX. */
void audit_record_format(const struct audit_record *record, struct buffer *out);
/* The line of an AUDIT_POLICY event; before: the digest so far, or NULL. */
void audit_record_format_policy(const struct audit_policy *policy, const char *before, struct buffer *out);
/* SHA-256 as text. Returned. */
const char *audit_record_digest(const uint8_t digest[static 32], char text[static AUDIT_DIGEST_TEXT]);
