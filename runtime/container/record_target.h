/* Where a container's records go, and what they have in common. Internal to record.h's functions. */
#pragma once

#include "audit/audit.h"
#include "container/creation/creation.h"
#include "container/store.h"
#include "policy/policy.h"

#define RECORD_COMMAND_NAME_MAX 32 /* TASK_COMM_LEN is 16 */

/* One invocation that writes several lines: who called it is looked up once, and between lines that follow each other at once the
 * trail stays open (record_target_rest closes it, before something is waited for). */
struct record_session {
	struct audit_kept kept;
	struct audit_caller caller; /* pid 0: not looked up yet */
	char name[RECORD_COMMAND_NAME_MAX];
};
#define RECORD_SESSION_INIT ((struct record_session){ .kept = AUDIT_KEPT_INIT })
/* What is kept is closed; the next line opens the trail again, and finds one that was rotated meanwhile. */
void record_target_rest(struct record_session *session);

struct record_target {
	struct record_session *session; /* or NULL */
	struct audit_target trail;
	struct audit_policy policy;
	const char *plan_digest;
	bool redact_args;
	char policy_digest[AUDIT_DIGEST_TEXT];
};

/* False: there is no trail. ret borrows. */
bool record_target_of_state(const struct brig *brig, const struct state *state, struct record_target *ret);
/* The same, by the policy that holds now: only root of the host writes one. ret points into itself: not to be copied. */
bool record_target_of_policy(const struct brig *brig, const struct policy *policy, bool in_user_namespace,
			     struct record_target *ret);
/* Names out of the annotations of containerd's CRI, CRI-O and the kubelet. */
struct audit_workload record_target_workload(const struct json_pair *annotations, size_t n);
/* Fills in what all records have and writes it. binding: fails where the trail is required; else a failure is a warning. */
int record_target_write(const struct record_target *target, struct audit_record *record, bool binding, struct error *err);
