/* What there is to say about a sandbox beside its end: limits in effect, warnings, calls that were refused, what it has used. */
#pragma once

#include <stdarg.h>

#include "container/creation/creation.h"
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_watch.h"

struct audit_usage;
struct denial_listener;
struct sandbox_config;
struct sandbox_group;

/* One more line for the result. */
void sandbox_findings_warn(struct sandbox_result *result, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Limits that nobody holds for all of it together, in the result and in the log. */
void sandbox_findings_warn_of_limits(struct sandbox_result *result, const struct sandbox_group *group);
/* Once it is decided: the limits that the policy has left, its name, and its warnings, in the result and in the log. */
void sandbox_findings_of_plan(const struct creation *creation, const struct sandbox_config *document,
			      struct sandbox_result *ret);
/* After the end, while the group is there. usage: what was read for it, for the audit trail as well; left alone where there is no group. */
void sandbox_findings_of_group(struct cgroup *cgroup, const struct sandbox_group *group, struct sandbox_end *end,
			       struct audit_usage *usage, struct sandbox_result *ret);
void sandbox_findings_of_denials(const struct denial_listener *listener, struct sandbox_result *ret);
