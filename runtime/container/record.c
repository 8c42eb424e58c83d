#include "container/record.h"

#include <stdio.h>
#include <string.h>

#include <sha2.h>

#include "config.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "container/creation/creation.h"
#include "container/record_target.h"
#include "plan/report.h"
#include "spec/spec.h"

#define CPU_PERIOD_DEFAULT 100000 /* microseconds: the kernel's */

_Static_assert(sizeof(struct plan_pair) == sizeof(struct json_pair), "both are a name and its value");

static void add(SHA2_CTX *context, const char *text)
{
	/* With its NUL: no two lists of texts look alike. NULL is not "". */
	SHA256Update(context, (const uint8_t *)(text ?: "\1"), text ? strlen(text) + 1 : 2);
}

/* A plan is what config.json, the policy, the host and brig's version make of each other. The first two go in as they are, and the
 * report stands for the host: to print a plan and take the digest of that costs a fifth of a start. */
static const char *digest_plan(const struct decision *decision, const char *policy_digest,
			       char text[static AUDIT_DIGEST_TEXT])
{
	uint8_t digest[32];
	SHA2_CTX context;

	SHA256Init(&context);
	add(&context, "brig plan 1 " PACKAGE_VERSION);
	add(&context, policy_digest);
	SHA256Update(&context, (const uint8_t *)decision->text.data, decision->text.length);
	for (size_t i = 0; i < decision->report.n_lines; i++) {
		const struct report_line *line = &decision->report.lines[i];

		add(&context, line->rule);
		add(&context, line->where);
		add(&context, line->asked);
		add(&context, line->applied);
		add(&context, report_level_name(line->level));
	}
	SHA256Final(digest, &context);
	return audit_record_digest(digest, text);
}

static bool target_of_creation(const struct creation *creation, struct record_target *ret)
{
	const struct decision *decision = &creation->decision;

	if (creation->container.state.audit)
		return record_target_of_state(creation->brig, &creation->container.state, ret);
	/* No name: it did not come as far as to a policy. */
	return decision->policy.name[0] &&
	       record_target_of_policy(creation->brig, &decision->policy, decision->host.in_user_namespace, ret);
}

int record_prepare(struct creation *creation, struct error *err)
{
	struct arena *arena = creation->container.arena;
	char plan_digest[AUDIT_DIGEST_TEXT];
	struct record_target target;
	struct state_audit *audit;

	if (creation->container.state.audit || !target_of_creation(creation, &target))
		return 0;
	audit = arena_new_of(arena, struct state_audit);
	if (!audit)
		return error_memory(err);
	digest_plan(&creation->decision, target.policy.digest, plan_digest);
	*audit = (struct state_audit){
		.path = arena_strdup(arena, target.trail.path),
		.max_bytes = target.trail.max_bytes,
		.keep = target.trail.keep,
		.syslog = target.trail.syslog,
		.journald = target.trail.journald,
		.required = target.trail.required,
		.redact_args = target.redact_args,
		.policy = arena_strdup(arena, target.policy.name),
		.policy_digest = arena_strdup(arena, target.policy.digest),
		.plan_digest = arena_strdup(arena, plan_digest),
	};
	if (!audit->path || !audit->policy || !audit->policy_digest || !audit->plan_digest)
		return error_memory(err);
	creation->container.state.audit = audit;
	return 0;
}

/* Room for the lines' names; what has no room is counted by the record. */
static size_t take_report(const struct report *report, struct audit_report_line lines[static AUDIT_REPORT_MAX])
{
	size_t n = report->n_lines < AUDIT_REPORT_MAX ? report->n_lines : AUDIT_REPORT_MAX;

	for (size_t i = 0; i < n; i++)
		lines[i] = (struct audit_report_line){ .rule = report->lines[i].rule,
						       .where = report->lines[i].where,
						       .level = report_level_name(report->lines[i].level) };
	return report->n_lines;
}

/* Arguments as the plan has them; whether they are written is the target's word (redact_args). */
static void take_process(const struct plan *plan, struct audit_record *record)
{
	if (!plan || !plan->has_process)
		return;
	record->args = plan->process.argv;
	record->has_user = true;
	record->uid = plan->process.uid;
	record->gid = plan->process.gid;
}

static struct audit_limits limits_of(const struct plan *plan)
{
	const struct plan_resources *resources = &plan->cgroup.resources;

	return (struct audit_limits){
		.memory = resources->set & PLAN_MEMORY_LIMIT ? resources->memory_limit : -1,
		.pids = resources->set & PLAN_PIDS && resources->pids > 0 ? resources->pids : -1,
		.cpu_quota = resources->set & PLAN_CPU_QUOTA ? resources->cpu_quota : -1,
		.cpu_period = resources->set & PLAN_CPU_PERIOD ? resources->cpu_period : CPU_PERIOD_DEFAULT,
		.timeout_ns = plan->limits.timeout.value,
		.max_output = plan->limits.max_output.value,
	};
}

/* What is known of a container that may have come to no plan. */
static void take_request(const struct creation *creation, struct audit_record *record)
{
	const struct decision *decision = &creation->decision;

	record->id = creation->request->id;
	record->bundle = decision->plan ? decision->plan->bundle : creation->request->bundle;
	if (decision->spec)
		record->workload = record_target_workload(decision->spec->annotations, decision->spec->n_annotations);
	take_process(decision->plan, record);
}

int record_create(struct creation *creation, struct error *err)
{
	struct audit_report_line lines[AUDIT_REPORT_MAX];
	struct audit_limits limits = limits_of(creation->plan);
	struct audit_record record = { .event = AUDIT_CREATE, .pid = creation->birth.pid, .limits = &limits };
	struct record_target target;
	int rc;

	if (!target_of_creation(creation, &target))
		return 0;
	/* The state lacks it: it is for the trail to see a change, once. */
	target.policy.source = creation->brig->policy ?: "default";
	take_request(creation, &record);
	record.report = lines;
	record.n_report = take_report(&creation->decision.report, lines);
	record.took_usec = clock_us() - creation->begun_usec;
	rc = record_target_write(&target, &record, /* binding= */ true, err);
	creation->is_recorded = rc >= 0;
	return rc;
}

/* The rule that a refusal's message names. Its last words are ours: what config.json has comes before them. */
static const char *rule_of(const char *message)
{
	static const char phrase[] = "; rule ";
	const char *found = NULL, *name;
	size_t length;

	for (const char *next = message; (next = strstr(next, phrase)); next++)
		found = next + sizeof(phrase) - 1;
	length = found ? strcspn(found, " ") : 0;
	for (enum policy_rule rule = 0; length > 0 && rule < POLICY_N_RULES; rule++) {
		name = policy_rule_name(rule);
		if (strlen(name) == length && memcmp(name, found, length) == 0)
			return name;
	}
	return "built-in";
}

/* Why it did not come to pass: in words, and in one to count by. */
static void take_failure(const struct error *failure, struct audit_record *record)
{
	static const char *const reasons[] = {
		[ERROR_NONE] = "unknown",    [ERROR_INTERNAL] = "internal",	  [ERROR_SYSTEM] = "system",
		[ERROR_USAGE] = "usage",     [ERROR_INVALID] = "invalid",	  [ERROR_NOT_FOUND] = "not-found",
		[ERROR_EXISTS] = "exists",   [ERROR_NOT_RUNNING] = "not-running", [ERROR_STATE] = "state",
		[ERROR_REFUSED] = "refused", [ERROR_UNSUPPORTED] = "unsupported", [ERROR_TIMEOUT] = "timeout",
		[ERROR_PROGRAM] = "program",
	};

	record->error = failure->message;
	record->reason = reasons[failure->kind];
	if (failure->kind == ERROR_REFUSED)
		record->rule = rule_of(failure->message);
}

/* After record_create() the trail has a container: its end has to be there as well, or it would seem to run for ever. */
void record_create_failure(const struct creation *creation, const struct error *failure)
{
	struct audit_record record = { .event = failure->kind == ERROR_REFUSED ? AUDIT_REFUSAL : AUDIT_CREATE };
	struct record_target target;

	if (!target_of_creation(creation, &target))
		return;
	target.policy.source = creation->brig->policy ?: "default";
	take_request(creation, &record);
	take_failure(failure, &record);
	if (creation->is_recorded) {
		record.event = AUDIT_DELETE;
		record.args = NULL;
	}
	record_target_write(&target, &record, /* binding= */ false, NULL);
}

void record_update(const struct brig *brig, const struct state *state, const struct plan *plan,
		   const struct report *report, const struct error *failure)
{
	struct audit_report_line lines[AUDIT_REPORT_MAX];
	struct audit_limits limits = { .memory = -1, .pids = -1, .cpu_quota = -1, .cpu_period = CPU_PERIOD_DEFAULT };
	struct audit_record record = { .event = AUDIT_UPDATE, .id = state->id, .limits = &limits, .report = lines };
	struct record_target target;

	if (!record_target_of_state(brig, state, &target))
		return;
	if (plan)
		limits = limits_of(plan);
	if (failure)
		take_failure(failure, &record);
	record.n_report = take_report(report, lines);
	record.workload = record_target_workload(state->annotations, state->n_annotations);
	record_target_write(&target, &record, /* binding= */ false, NULL);
}

int record_start(const struct brig *brig, const struct state *state, uint64_t begun_usec, struct error *err)
{
	struct audit_record record = { .event = AUDIT_START, .id = state->id, .pid = state->pid };
	struct record_target target;

	if (!record_target_of_state(brig, state, &target))
		return 0;
	record.workload = record_target_workload(state->annotations, state->n_annotations);
	/* No start takes no time: 0 is for what was not measured. */
	if (begun_usec)
		record.took_usec = (clock_us() - begun_usec) ?: 1;
	return record_target_write(&target, &record, /* binding= */ true, err);
}

/* The container's own trail goes before that of another policy, under which the exec may be asked for. */
static bool target_of_exec(const struct record_exec *exec, struct record_target *ret)
{
	if (record_target_of_state(exec->brig, exec->state, ret)) {
		ret->policy =
			(struct audit_policy){ .name = exec->policy->name,
					       .digest = audit_record_digest(exec->policy->digest, ret->policy_digest) };
		/* Who asks for the exec may hide what the container's maker did not. */
		ret->redact_args |= exec->brig->redact_args || exec->policy->audit.redact_args;
		return true;
	}
	return record_target_of_policy(exec->brig, exec->policy, exec->in_user_namespace, ret);
}

int record_exec(const struct record_exec *exec, struct error *err)
{
	struct audit_report_line lines[AUDIT_REPORT_MAX];
	struct audit_record record = {
		.event = AUDIT_EXEC, .id = exec->state->id, .exec_id = exec->exec_id, .pid = exec->pid, .report = lines
	};
	struct record_target target;

	if (!target_of_exec(exec, &target))
		return 0;
	record.workload = record_target_workload(exec->state->annotations, exec->state->n_annotations);
	record.n_report = take_report(exec->report, lines);
	take_process(exec->plan, &record);
	return record_target_write(&target, &record, /* binding= */ true, err);
}

void record_exec_failure(const struct record_exec *exec, const struct error *failure)
{
	struct audit_record record = { .event = failure->kind == ERROR_REFUSED ? AUDIT_REFUSAL : AUDIT_EXEC,
				       .id = exec->state->id,
				       .exec_id = exec->exec_id };
	struct record_target target;

	if (!exec->policy->name[0] || !target_of_exec(exec, &target))
		return;
	record.workload = record_target_workload(exec->state->annotations, exec->state->n_annotations);
	take_process(exec->plan, &record);
	take_failure(failure, &record);
	record_target_write(&target, &record, /* binding= */ false, NULL);
}
