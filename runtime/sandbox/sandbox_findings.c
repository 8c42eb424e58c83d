#include "sandbox/sandbox_findings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/denials.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "container/explain/denial_listener.h"
#include "container/record.h"
#include "parent/cgroup/cgroup.h"
#include "parent/seccomp/seccomp_calls.h"
#include "sandbox/sandbox_group.h"
#include "sandbox/sandbox_words.h"

#define WARNINGS_MAX 64
#define DENIED_MAX 256
#define NS_PER_US UINT64_C(1000)

void sandbox_findings_warn(struct sandbox_result *result, const char *format, ...)
{
	char text[1024];
	const char *kept;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!result->warnings) {
		result->warnings = arena_array_of(result->arena, WARNINGS_MAX, const char *);
		result->max_warnings = result->warnings ? WARNINGS_MAX : 0;
	}
	kept = result->n_warnings < result->max_warnings ? arena_strdup(result->arena, text) : NULL;
	if (kept)
		result->warnings[result->n_warnings++] = kept;
}

void sandbox_findings_warn_of_limits(struct sandbox_result *result, const struct sandbox_group *group)
{
	static const char held[] =
		"without a cgroup --memory, --cpu-time and --cpus are not held for all of it together: memory and "
		"processor time for each process; what processes share in memory, what waits in pipes and sockets, and "
		"--cpus not at all";
	const char *text = NULL;

	if (!result->by_cgroup)
		text = group->remedy ? arena_printf(result->arena, "%s; %s", held, group->remedy) ?: held : held;
	else if (!group->has_cpu)
		text = "--cpus is not held: the cgroup that this user was given lacks the cpu controller";
	if (!text)
		return;
	sandbox_findings_warn(result, "%s", text);
	log_warning("%s", text);
}

/* What the plan holds, and not what was asked for: a policy may have lowered it. One of its processes is the init's, which the
 * caller's number leaves out. CPUs are in thousandths. */
static void take_resources(const struct plan_resources *resources, struct sandbox_limits *limits)
{
	if (resources->set & PLAN_MEMORY_LIMIT && resources->memory_limit > 0)
		limits->memory = (uint64_t)resources->memory_limit;
	if (resources->set & PLAN_PIDS && resources->pids > 1)
		limits->pids = (uint64_t)resources->pids - 1;
	if (resources->set & PLAN_CPU_QUOTA && resources->cpu_quota > 0 && resources->cpu_period > 0)
		limits->cpus = (uint64_t)resources->cpu_quota * 1000 / resources->cpu_period;
}

/* That there is no group is said in the options' words, and once: sandbox_findings_warn_of_limits(). */
static bool is_told_otherwise(const struct report_line *line, const struct sandbox_result *result)
{
	return !result->by_cgroup && strcmp(line->rule, policy_rule_name(POLICY_CGROUP_DISABLED)) == 0;
}

static void take_warnings(const struct report *report, const struct sandbox_config *document, struct sandbox_result *ret)
{
	char where[SANDBOX_WORDS_MAX];

	for (size_t i = 0; i < report->n_lines; i++) {
		const struct report_line *line = &report->lines[i];

		if (line->level != REPORT_WARNING || is_told_otherwise(line, ret))
			continue;
		sandbox_words_put(document, line->where ?: "", where);
		sandbox_findings_warn(ret, "%s%s%s: asked for %s, applied %s: %s", line->rule, *where ? ": " : "",
				      where, line->asked ?: "nothing", line->applied ?: "nothing", line->why);
		if (ret->n_warnings > 0)
			log_warning("%s", ret->warnings[ret->n_warnings - 1]);
	}
}

void sandbox_findings_of_plan(const struct creation *creation, const struct sandbox_config *document,
			      struct sandbox_result *ret)
{
	const struct plan *plan = creation->plan;

	ret->policy = arena_strdup(ret->arena, creation->decision.policy.name);
	ret->by_cgroup = plan->cgroup.manager != PLAN_CGROUP_DISABLED;
	if (plan->limits.timeout.value > 0)
		ret->limits.timeout = plan->limits.timeout.value;
	if (plan->limits.max_output.value > 0)
		ret->limits.max_output = plan->limits.max_output.value;
	take_resources(&plan->cgroup.resources, &ret->limits);
	take_warnings(&creation->decision.report, document, ret);
}

static uint64_t refused_processes(struct cgroup *cgroup)
{
	int fd = cgroup_files(cgroup, "pids", NULL);
	const char *found;
	char text[256];

	if (fd < 0 || fd_read_file_at(fd, "pids.events", text, sizeof(text)) < 0)
		return 0;
	found = strstr(text, "max ");
	return found ? strtoull(found + strlen("max "), NULL, 10) : 0;
}

/* Whoever has the group above can take its controllers away again: a limit's file goes with them. systemd does so with one that none of
 * its own units there asks for. */
static void warn_of_lost_limits(struct cgroup *cgroup, bool has_cpu, struct sandbox_result *ret)
{
	static const struct {
		const char *file, *option;
	} limits[] = { { "memory.max", "memory" }, { "pids.max", "pids" }, { "cpu.max", "cpus" } };
	bool version_2 = false;
	int fd = cgroup_files(cgroup, "memory", &version_2);

	for (size_t i = 0; fd >= 0 && version_2 && i < ARRAY_SIZE(limits) - !has_cpu; i++) {
		if (faccessat(fd, limits[i].file, F_OK, 0) < 0 && errno == ENOENT)
			sandbox_findings_warn(
				ret,
				"--%s was not held to the end: somebody took that controller from the group in "
				"which the sandbox's was; an ordinary user's is kept by \"systemd-run --user "
				"--scope -p Delegate=yes\"",
				limits[i].option);
	}
}

void sandbox_findings_of_group(struct cgroup *cgroup, const struct sandbox_group *group, struct sandbox_end *end,
			       struct audit_usage *usage, struct sandbox_result *ret)
{
	uint64_t n_refused;

	if (!cgroup || !ret->by_cgroup)
		return;
	warn_of_lost_limits(cgroup, group->has_cpu, ret);
	record_usage(cgroup, usage);
	if (usage->cpu_usec > 0)
		end->cpu_time = usage->cpu_usec * NS_PER_US;
	ret->peak_memory = usage->memory_peak;
	end->was_out_of_memory = usage->oom_kills > 0;
	n_refused = refused_processes(cgroup);
	end->was_out_of_pids = n_refused > 0;
	if (n_refused > 0)
		sandbox_findings_warn(ret,
				      "%" PRIu64 " times more processes were asked for than the %" PRIu64 " of --pids",
				      n_refused, ret->limits.pids);
}

void sandbox_findings_of_denials(const struct denial_listener *listener, struct sandbox_result *ret)
{
	struct denials_count counts[DENIED_MAX];
	char name[SECCOMP_CALLS_NAME_MAX];
	size_t n;

	if (!listener)
		return;
	n = denial_listener_counts(listener, counts, DENIED_MAX);
	ret->denied = arena_array_of(ret->arena, n, struct sandbox_denied);
	for (size_t i = 0; ret->denied && i < n; i++) {
		const char *call =
			arena_strdup(ret->arena, seccomp_calls_name(counts[i].architecture, counts[i].number, name));

		if (call)
			ret->denied[ret->n_denied++] = (struct sandbox_denied){ call, counts[i].count };
	}
}

void sandbox_result_done(struct sandbox_result *result)
{
	for (size_t i = 0; i < ARRAY_SIZE(result->output); i++)
		buffer_done(&result->output[i].data);
	for (size_t i = 0; i < result->n_files; i++)
		buffer_done(&result->files[i].data);
	arena_free(steal_ptr(&result->arena));
}
