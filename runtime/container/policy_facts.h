/* Facts that single rules of the policy need, each of which costs system calls: looked for only where the rule may hold. */
#pragma once

#include "plan/plan_build.h"

/* Landlock's version, where the rule or an annotation may ask for it. request: policy and spec are set. */
void policy_facts_landlock(const struct plan_request *request, struct host *host);
/* What the plan and the container's process (NULL: there is none) need of the host: AppArmor's profile, our own oom_score_adj. host has
 * been probed. request: policy and spec are set. */
void policy_facts_host(const struct plan_request *request, const struct spec_process *process, struct host *host);
/* The limits of the cgroups above the container's, for rules about what asked leaves out or raises. cgroup_path: as
 * linux.cgroupsPath has it, NULL: the group is one right below the root. */
int policy_facts_parents(const struct plan_request *request, const char *cgroup_path, struct host_limits *ret,
			 struct error *err);
