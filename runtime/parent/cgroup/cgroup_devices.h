/* Which devices a group may use: the plan's rules as a BPF program (v2), or as a base and exceptions (v1). */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "plan/plan.h"

#define CGROUP_DEVICES_RULES_MAX 4096 /* far below what a program may hold */

/* A rule list without what a later rule for every device overrides. OCI's list: the last match counts, for each kind of
 * access by itself; what no rule matches is denied. */
struct cgroup_device_list {
	bool allow; /* what holds where none of the rules matches */
	const struct plan_device_rule *rules;
	size_t n_rules;
};

/* ---- cgroup_devices_program.c: pure ---- */

/* The last rule that matches every device decides all before it: what comes behind it is what is left. The list borrows from
 * rules. */
struct cgroup_device_list cgroup_devices_program_trim(const struct plan_device_rule *rules, size_t n_rules);
/* Nothing is ever denied: no program is needed. Also true for an empty list, which asks for no device program. */
bool cgroup_devices_program_allows_all(const struct plan_device_rule *rules, size_t n_rules);
struct cgroup_device_program {
	struct bpf_insn *insns;
	size_t n;
};

/* The program for BPF_PROG_TYPE_CGROUP_DEVICE, in the arena: returns 1 to allow. */
int cgroup_devices_program(const struct plan_device_rule *rules, size_t n_rules, struct arena *arena,
			   struct cgroup_device_program *ret, struct error *err);

/* ---- cgroup_devices.c ---- */

/* Makes the rules hold for the v2 directory cgroup_fd. fresh: it has no program of ours yet. Otherwise the old one is
 * replaced in one step, so that at no time there is none. */
int cgroup_devices_install(int cgroup_fd, const struct plan_device_rule *rules, size_t n_rules, bool fresh,
			   struct error *err);
