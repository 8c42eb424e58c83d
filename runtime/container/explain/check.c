/* brig check: the policy's report on a document, all of it, before anything runs. */
#include <errno.h>
#include <limits.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/json_write.h"
#include "container/brig.h"
#include "container/creation/creation.h"
#include "parent/join.h"
#include "plan/report.h"
#include "policy/policy.h"

static const char *const verdicts[] = {
	[BRIG_AS_ASKED] = "as it is",
	[BRIG_ADJUSTED] = "adjusted",
	[BRIG_IS_REFUSED] = "refused",
};

/* Parts of path, which is changed: the folder, and the document's name in it, NULL for a bundle. */
static int split(char *path, const char **ret_bundle, const char **ret_name, struct error *err)
{
	struct stat status;
	char *slash;

	if (stat(path, &status) < 0)
		return error_system(err, errno, "open %.200s", path);
	*ret_bundle = path;
	*ret_name = NULL;
	if (S_ISDIR(status.st_mode))
		return 0;
	slash = strrchr(path, '/');
	*ret_name = slash ? slash + 1 : path;
	*ret_bundle = slash == path ? "/" : slash ? path : ".";
	if (slash)
		*slash = '\0';
	return 0;
}

/* A warning may be about what stays as it was asked for. */
static enum brig_verdict verdict_of(const struct report_line *line)
{
	switch (line->level) {
	case REPORT_NOTE:
		return BRIG_AS_ASKED;
	case REPORT_WARNING:
		return line->asked && line->applied && strcmp(line->asked, line->applied) == 0 ? BRIG_AS_ASKED
											       : BRIG_ADJUSTED;
	case REPORT_ADJUSTED:
		return BRIG_ADJUSTED;
	case REPORT_REFUSED:
		break;
	}
	return BRIG_IS_REFUSED;
}

static enum brig_verdict verdict_on(const struct report *report)
{
	enum brig_verdict verdict = BRIG_AS_ASKED;

	for (size_t i = 0; i < report->n_lines; i++) {
		if (verdict_of(&report->lines[i]) > verdict)
			verdict = verdict_of(&report->lines[i]);
	}
	return verdict;
}

static void print_line(const struct report_line *line, struct buffer *out)
{
	buffer_printf(out, "%-9s %-20s ", report_level_name(line->level), line->rule);
	buffer_append_labelled(out, "", line->where ?: "");
	if (line->asked)
		buffer_append_labelled(out, ": asked for ", line->asked);
	if (line->applied && line->level == REPORT_REFUSED) {
		buffer_append_labelled(out, line->asked ? "; " : ": ", line->why);
		buffer_append_labelled(out, "; to do: ", line->applied);
	} else if (line->applied) {
		buffer_append_labelled(out, ", applied ", line->applied);
		buffer_append_labelled(out, ": ", line->why);
	} else {
		buffer_append_labelled(out, ": ", line->why);
	}
	buffer_append_text(out, "\n");
}

static void print_text(const struct decision *decision, enum brig_verdict verdict, struct buffer *out)
{
	for (size_t i = 0; i < decision->report.n_lines; i++)
		print_line(&decision->report.lines[i], out);
	buffer_printf(out, "%s under policy %s\n", verdicts[verdict], policy_name(&decision->policy));
}

static void write_line(struct json_writer *writer, const struct report_line *line)
{
	json_write_object_begin(writer);
	json_write_member(writer, "level", report_level_name(line->level));
	json_write_member(writer, "rule", line->rule);
	if (line->where)
		json_write_member(writer, "where", line->where);
	if (line->asked)
		json_write_member(writer, "asked", line->asked);
	if (line->applied)
		json_write_member(writer, line->level == REPORT_REFUSED ? "remedy" : "applied", line->applied);
	json_write_member(writer, "why", line->why);
	json_write_object_end(writer);
}

static void write_json(const char *policy, const struct report *report, enum brig_verdict verdict, struct buffer *out)
{
	struct json_writer writer = json_writer_on(out, /* indent= */ 2);

	json_write_object_begin(&writer);
	json_write_member(&writer, "policy", policy);
	json_write_member(&writer, "verdict", verdicts[verdict]);
	json_write_key(&writer, "report");
	json_write_array_begin(&writer);
	for (size_t i = 0; i < report->n_lines; i++)
		write_line(&writer, &report->lines[i]);
	json_write_array_end(&writer);
	json_write_object_end(&writer);
	buffer_append_text(out, "\n");
}

static void print_refusal(const struct error *refusal, struct buffer *out)
{
	buffer_printf(out, "%-9s %-20s ", "refused", "built-in");
	buffer_append_visible(out, refusal->message, /* quoted= */ false);
	buffer_append_text(out, "\nrefused\n");
}

/* What no policy allows ends planning: the error is the report then. */
static int report_refusal(const struct decision *decision, const struct brig_check *request,
			  const struct error *refusal, struct buffer *out)
{
	const struct report_line line = { .level = REPORT_REFUSED, .rule = "built-in", .why = refusal->message };
	struct report report = { .lines = (struct report_line *)&line, .n_lines = 1 };

	if (request->json)
		write_json(policy_name(&decision->policy), &report, BRIG_IS_REFUSED, out);
	else
		print_refusal(refusal, out);
	return 0;
}

/* As create would open it, but with nothing entered. Only a refusal is of interest: what is not there yet, or closed to us, may
 * be another thing when the container is made. */
static int look_at_namespace(struct decision *decision, const struct plan_namespace_join *one, struct error *err)
{
	const struct plan_namespaces alone = { .join = one, .n_join = 1 };
	enum policy_rule rule = one->flag == CLONE_NEWUSER ? POLICY_USER_NAMESPACE : POLICY_HOST_NAMESPACE;
	enum policy_level level = policy_level(&decision->policy, rule);
	struct report_line line = { .level = REPORT_REFUSED, .rule = "built-in", .where = "linux.namespaces" };
	struct error refusal = { 0 };
	struct join join;

	if (join_open(&alone, /* privileged= */ false, &join, &refusal) >= 0) {
		join_done(&join);
		return 0;
	}
	if (refusal.kind != ERROR_REFUSED)
		return 0;
	if (level == POLICY_ENFORCE || level == POLICY_ADJUST)
		line.rule = policy_rule_name(rule);
	line.why = arena_strdup(decision->report.arena, refusal.message);
	line.applied = policy_rule_remedy(rule);
	return line.why ? report_add(&decision->report, &line, err) : error_memory(err);
}

/* Whose the namespaces are that it is told to join is seen once they are opened. One that is not there yet may come. */
static int look_at_namespaces(struct decision *decision, struct error *err)
{
	const struct plan_namespaces *namespaces = &decision->plan->namespaces;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < namespaces->n_join; i++)
		rc = look_at_namespace(decision, &namespaces->join[i], err);
	return rc;
}

/* The id is only a name in the plan: nothing is reserved, and no state directory is looked at. */
static int decide(const struct brig *brig, const char *path, struct decision *decision, struct error *err)
{
	AUTO_FREE char *copy = strdup(path);
	struct brig_create create = { .id = "container", .collects = true };
	int rc = copy ? split(copy, &create.bundle, &create.config, err) : error_memory(err);

	if (rc >= 0)
		rc = creation_decide(brig, &create, PLAN_HOLDS_TIMEOUT | PLAN_HOLDS_MAX_OUTPUT, decision, err);
	return rc < 0 ? rc : look_at_namespaces(decision, err);
}

static enum brig_verdict tell(const struct decision *decision, bool json, struct buffer *out)
{
	enum brig_verdict verdict = verdict_on(&decision->report);

	if (json)
		write_json(policy_name(&decision->policy), &decision->report, verdict, out);
	else
		print_text(decision, verdict, out);
	return verdict;
}

int brig_check(const struct brig *brig, const struct brig_check *request, struct buffer *out, enum brig_verdict *ret,
	       struct error *err)
{
	struct decision decision = { 0 };
	int rc = decide(brig, request->path, &decision, err);

	if (rc >= 0)
		*ret = tell(&decision, request->json, out);
	if (rc < 0 && err->kind == ERROR_REFUSED) {
		*ret = BRIG_IS_REFUSED;
		rc = report_refusal(&decision, request, err, out);
	}
	creation_decision_done(&decision);
	if (rc < 0)
		return rc;
	return out->failed ? error_memory(err) : 0;
}
