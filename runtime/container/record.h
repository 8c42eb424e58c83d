/* What the audit trail is told about a container, gathered from where it is known (docs/audit.md). Nothing happens where the container
 * has no trail. A program that runs has its line in the trail before it does; if it then can't be executed, another line says so. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "audit/audit.h"
#include "base/error.h"
#include "container/brig.h"
#include "container/store.h"
#include "plan/plan.h"
#include "policy/policy.h"

struct cgroup;
struct creation;
struct denial_listener;

/* Before the state is saved: puts there what later lines need, if there is a trail. */
int record_prepare(struct creation *creation, struct error *err);
/* Fails where the policy has it that nothing happens unrecorded, and it can't be recorded; so do the next two. */
int record_create(struct creation *creation, struct error *err);
/* begun_usec: when it was asked for; 0: together with the create, whose line has the time of both. */
int record_start(const struct brig *brig, const struct state *state, uint64_t begun_usec, struct error *err);

struct record_exec {
	const struct brig *brig;
	const struct state *state;
	const struct policy *policy;
	const struct plan *plan; /* NULL: it has come to none */
	const struct report *report;
	const char *exec_id; /* or NULL */
	pid_t pid;
	bool in_user_namespace; /* brig is: not the initial one */
};
/* Before the program runs. Returns 0, also where there is no trail, or a negative errno where the policy demands a record and
 * none can be made: the exec is then not to happen. */
int record_exec(const struct record_exec *exec, struct error *err);

/* Of create or run: a refusal, a failed create, or, after record_create, the end of what was made. */
void record_create_failure(const struct creation *creation, const struct error *failure);
/* Of an exec that was not recorded: a refusal, or a failed exec. */
void record_exec_failure(const struct record_exec *exec, const struct error *failure);

struct record_exit {
	pid_t pid;
	const char *exec_id; /* or NULL */
	bool has_status;
	int status;			       /* as a shell has it */
	const struct timespec *at;	       /* when it ended, or NULL: now */
	const char *ended_by;		       /* "timeout", "max-output", or NULL */
	struct cgroup *cgroup;		       /* what it has used; or NULL */
	const struct audit_usage *usage;       /* the same, read already; or NULL */
	const char *error;		       /* or NULL */
	const struct denial_listener *denials; /* who has counted the calls that were refused; or NULL */
};
/* Of the first process, or of an exec. A trail that can't be written is a warning: the end has happened whatever is on record. */
void record_exit(const struct brig *brig, const struct state *state, const struct record_exit *exit);
/* A request to the egress proxy of a sandbox. Fails where the policy has it that nothing happens unrecorded. */
int record_egress(const struct brig *brig, const struct state *state, const struct audit_request *request,
		  struct error *err);
/* Limits that were changed, or (error) were not; report: what the policy made of those that were asked for. A trail that can't be written
 * is a warning. */
void record_update(const struct brig *brig, const struct state *state, const struct plan *plan,
		   const struct report *report, const struct error *failure);
void record_delete(const struct brig *brig, const struct state *state, const struct audit_usage *usage);
/* To be read while the group is there; cgroup may be NULL. ret is left alone where nothing is known. */
void record_usage(struct cgroup *cgroup, struct audit_usage *ret);
