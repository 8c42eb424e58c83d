/* What brig doctor looks at: one probe a row, each of which tries the thing itself rather than a version number where it can. */
#pragma once

#include <stddef.h>

#include "container/brig.h"
#include "policy/policy.h"

enum doctor_state {
	DOCTOR_WORKS,
	DOCTOR_LACKS,  /* a protection less; containers run */
	DOCTOR_NEEDED, /* missing, and strict can't be held without it */
};

#define DOCTOR_DETAIL_MAX 256

struct doctor_finding {
	enum doctor_state state;
	char detail[DOCTOR_DETAIL_MAX]; /* what was found: "version 7" */
};

struct doctor_check {
	const char *name; /* short and stable, for programs: "user-namespaces" */
	const char *what; /* for people */
	const char *remedy;
	void (*look)(const struct brig *brig, struct doctor_finding *ret);
};

/* All of them, in the order in which they are printed; ended by a row without name. */
extern const struct doctor_check doctor_checks[];

/* What an overlay that can be made is worth there. kernel: HOST_IDMAP_VERSION. */
void doctor_judge_overlay(unsigned kernel, struct doctor_finding *ret);
/* What a host is that was so far, and where a check finds that: the worse of the two. */
enum brig_health doctor_worse(enum brig_health so_far, enum doctor_state state);
/* Whose ids are usually among these, with their numbers; NULL: nobody's. Source: systemd's "Users, Groups, UIDs and GIDs",
 * kubernetes.io "User Namespaces". */
const char *doctor_ids_taken(const struct policy_ids *ids);
