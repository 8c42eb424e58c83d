/* The floor's rule about hooks: programs of the host, run as root, that config.json names. */
#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "plan/plan_harden.h"
#include "plan/plan_hook_environment.h"

/* Of variables in one line of the report. */
#define NAMES_MAX ((size_t)8)
#define NAME_LENGTH_MAX ((size_t)64)

/* In a listed directory, or one that is listed itself. As text: a link in a listed directory leads where its owner, who is the site's, wants. Text does not
 * know where ".." behind a link leads: the kernel goes up from where that points to. */
static int is_allowed(const struct plan_builder *builder, const struct plan_hook *hook, bool *ret, struct error *err)
{
	struct policy_strings directories = policy_hook_directories(builder->request->policy);
	const char *path = path_normalise(builder->arena, hook->path);

	if (!path)
		return error_memory(err);
	*ret = false;
	for (size_t i = 0; i < directories.n && !strstr(hook->path, "/../"); i++)
		*ret |= path_is_below(path, directories.list[i]);
	return 0;
}

static int name_length(const char *variable)
{
	size_t length = strcspn(variable, "=");

	return (int)(length < NAME_LENGTH_MAX ? length : NAME_LENGTH_MAX);
}

static int report_environment(struct plan_builder *builder, const struct plan_hook *hook, const char *asked,
			      const char *applied, struct error *err)
{
	bool warns = plan_harden_level(builder, POLICY_HOOK) == POLICY_WARN;
	struct report_line line = { .level = warns ? REPORT_WARNING : REPORT_ADJUSTED,
				    .rule = policy_rule_name(POLICY_HOOK),
				    .asked = asked,
				    .applied = warns ? asked : applied,
				    .why = "the policy lists the program, and not what a variable may have it load or run" };

	line.where = plan_builder_text(builder, err, "%s" PLAN_HOOK_ENVIRONMENT, hook->where);
	return line.where ? report_add(builder->report, &line, err) : -ENOMEM;
}

/* In one line: an engine's whole environment may be among them. The values are nobody's business but the program's. */
static int report_left_out(struct plan_builder *builder, const struct plan_hook *hook, struct error *err)
{
	const char *names = "";
	size_t n = 0;

	for (size_t i = 0; hook->envp[i]; i++) {
		const char *variable = hook->envp[i];

		if (plan_hook_environment_of(variable))
			continue;
		if (n++ >= NAMES_MAX)
			continue;
		names = plan_builder_text(builder, err, "%s%s%.*s", names, *names ? ", " : "", name_length(variable),
					  variable);
		if (!names)
			return -ENOMEM;
	}
	if (n > NAMES_MAX)
		names = plan_builder_text(builder, err, "%s and %zu more", names, n - NAMES_MAX);
	if (!names)
		return -ENOMEM;
	return n ? report_environment(builder, hook, names, "left out", err) : 0;
}

/* Made so at the level enforce too: engines hand on what they have themselves. */
static int check_environment(struct plan_builder *builder, struct plan_hook *hook, struct error *err)
{
	enum policy_level level = plan_harden_level(builder, POLICY_HOOK);
	int rc;

	if (level == POLICY_OFF)
		return 0;
	rc = report_left_out(builder, hook, err);
	for (size_t i = 0; rc >= 0 && hook->envp[i]; i++) {
		const char *instead = plan_hook_environment_of(hook->envp[i]);

		if (instead && instead != hook->envp[i])
			rc = report_environment(builder, hook, "PATH", instead, err);
	}
	return rc < 0 || level == POLICY_WARN ? rc : plan_hook_environment_clear(builder->arena, hook, err);
}

static int check(struct plan_builder *builder, const struct plan_hook *hook, bool *ret_keep, struct error *err)
{
	struct report_line line = {
		.where = hook->where,
		.asked = plan_builder_text(builder, err, "%.200s", hook->path),
		.applied = "left out",
		.why = "it would run on the host as brig does, and is in none of the policy's directories"
	};
	bool adjust = false;
	int rc = is_allowed(builder, hook, ret_keep, err);

	if (rc < 0 || *ret_keep)
		return rc;
	if (!line.asked)
		return -ENOMEM;
	rc = plan_harden_find(builder, POLICY_HOOK, &line, &adjust, err);
	*ret_keep = !adjust;
	return rc;
}

static int check_list(struct plan_builder *builder, struct plan_hooks *hooks, struct error *err)
{
	struct plan_hook *kept = arena_array_of(builder->arena, hooks->n, struct plan_hook);
	int rc = kept ? 0 : error_memory(err);
	size_t n = 0;
	bool keep = true;

	for (size_t i = 0; rc >= 0 && i < hooks->n; i++) {
		rc = check(builder, &hooks->list[i], &keep, err);
		if (rc < 0 || !keep)
			continue;
		kept[n] = hooks->list[i];
		rc = check_environment(builder, &kept[n++], err);
	}
	if (rc >= 0)
		*hooks = (struct plan_hooks){ kept, n };
	return rc;
}

int plan_harden_hook(struct plan_builder *builder, struct error *err)
{
	int rc = 0;

	for (size_t kind = 0; rc >= 0 && kind < PLAN_N_HOOK_KINDS; kind++)
		rc = check_list(builder, &builder->plan->hooks[kind], err);
	return rc;
}
