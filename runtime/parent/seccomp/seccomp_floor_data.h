/* brig's own filters as the build makes them of seccomp-profiles/: constant data in the programs. The data are in
 * seccomp_floor_data.c, which is generated. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>

#include "parent/seccomp/seccomp_rules.h"
#include "plan/plan.h"

/* The answer to a call for which all conditions hold. */
struct seccomp_floor_rule {
	uint64_t needs;	 /* counts only where the container's bounding set has these capabilities */
	uint32_t action; /* SECCOMP_RET_* with its data */
	uint32_t n_conditions;
	const struct seccomp_condition *conditions;
};

/* The first rule that fits decides; the last one fits always. */
struct seccomp_floor_verdict {
	const struct seccomp_floor_rule *rules;
	size_t n;
};

/* Goes on to where the next one begins; the last one to the end of the numbers. */
struct seccomp_floor_range {
	uint32_t first;
	uint32_t verdict; /* index */
};

struct seccomp_floor_section {
	uint32_t audit;				  /* seccomp_data.arch */
	const struct seccomp_floor_range *ranges; /* the first begins with 0 */
	size_t n;
};

/* One profile on one machine. */
struct seccomp_floor_table {
	const struct seccomp_floor_verdict *verdicts;
	size_t n_verdicts;
	const struct seccomp_floor_section *sections; /* the machine's own ABI, then the one of 32 bits */
	size_t n_sections;
	uint64_t gates;				/* the capabilities that make a difference */
	const struct sock_filter *instructions; /* for a container with none of them */
	size_t n_instructions;
};

struct seccomp_floor_machine {
	struct seccomp_floor_table profiles[PLAN_N_FLOORS]; /* that of PLAN_FLOOR_NONE is empty */
};

extern const struct seccomp_floor_machine seccomp_floor_x86_64, seccomp_floor_aarch64;
/* Of the texts and of this version of brig: changes with each of them. */
extern const char seccomp_floor_data_version[];
