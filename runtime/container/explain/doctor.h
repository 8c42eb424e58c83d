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

/* Whose ids are usually among these, with their numbers; NULL: nobody's. Source: systemd's "Users, Groups, UIDs and GIDs",
 * kubernetes.io "User Namespaces". */
const char *doctor_ids_taken(const struct policy_ids *ids);
