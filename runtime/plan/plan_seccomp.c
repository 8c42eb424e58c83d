/* linux.seccomp copied, with each errno in its action. What becomes of it is compiled in parent/seccomp/. */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/names.h"
#include "plan/plan_builder.h"
#include "plan/plan_digest.h"

/* The errno travels in the action's data: EPERM where it is left out (OCI). Actions without use for it have none. */
static uint32_t fold_action(uint32_t action, const struct opt_u32 *errno_ret)
{
	if (action != SECCOMP_RET_ERRNO && action != SECCOMP_RET_TRACE)
		return action;
	return action | ((errno_ret->set ? errno_ret->value : EPERM) & SECCOMP_RET_DATA);
}

static int build_args(struct plan_builder *builder, const struct spec_seccomp_rule *asked,
		      struct plan_seccomp_rule *ret, struct error *err)
{
	struct plan_seccomp_arg *args = arena_array_of(builder->arena, asked->n_args, struct plan_seccomp_arg);

	if (!args)
		return error_memory(err);
	for (size_t i = 0; i < asked->n_args; i++) {
		args[i].index = asked->args[i].index;
		args[i].value = asked->args[i].value;
		args[i].value_two = asked->args[i].value_two;
		args[i].op = names_text(&names_seccomp_operators, (uint64_t)asked->args[i].op);
		if (!args[i].op)
			return error_invalid(err, "linux.seccomp: unknown operator %d", asked->args[i].op);
	}
	ret->args = args;
	ret->n_args = asked->n_args;
	return 0;
}

/* A listener that has to be told of its own write(2) would wait for itself. */
static int check_notify(size_t rule, const struct spec_seccomp_rule *asked, struct error *err)
{
	for (size_t i = 0; asked->action == SECCOMP_RET_USER_NOTIF && i < asked->n_names; i++) {
		if (strcmp(asked->names[i], "write") == 0)
			return error_invalid(err,
					     "linux.seccomp.syscalls[%zu].names[%zu]: write can't be notified, handing over "
					     "the listener takes it",
					     rule, i);
	}
	return 0;
}

static int build_rule(struct plan_builder *builder, size_t i, struct plan_seccomp_rule *ret, struct error *err)
{
	const struct spec_seccomp_rule *asked = &builder->spec->linux_.seccomp->syscalls[i];
	int rc = check_notify(i, asked, err);

	ret->action = fold_action(asked->action, &asked->errno_ret);
	ret->n_names = asked->n_names;
	if (rc >= 0)
		rc = build_args(builder, asked, ret, err);
	return rc < 0 ? rc : plan_builder_copy_list(builder, asked->names, asked->n_names, &ret->names, err);
}

static int build_rules(struct plan_builder *builder, struct plan_seccomp *ret, struct error *err)
{
	const struct spec_seccomp *asked = builder->spec->linux_.seccomp;
	struct plan_seccomp_rule *rules = arena_array_of(builder->arena, asked->n_syscalls, struct plan_seccomp_rule);
	int rc = rules ? 0 : error_memory(err);

	for (size_t i = 0; rc >= 0 && i < asked->n_syscalls; i++)
		rc = build_rule(builder, i, &rules[i], err);
	ret->rules = rules;
	ret->n_rules = asked->n_syscalls;
	return rc;
}

static int build_architectures(struct plan_builder *builder, struct plan_seccomp *ret, struct error *err)
{
	const struct spec_seccomp *asked = builder->spec->linux_.seccomp;
	uint32_t *list = arena_array_of(builder->arena, asked->n_architectures, uint32_t);

	if (!list)
		return error_memory(err);
	if (asked->n_architectures)
		memcpy(list, asked->architectures, asked->n_architectures * sizeof(*list));
	ret->architectures = list;
	ret->n_architectures = asked->n_architectures;
	return 0;
}

int plan_seccomp_build(struct plan_builder *builder, struct error *err)
{
	const struct spec_seccomp *asked = builder->spec->linux_.seccomp;
	struct plan_seccomp *plan = &builder->plan->seccomp;
	int rc;

	if (!asked)
		return 0;
	plan->enabled = true;
	/* Other runtimes switch the costly side channel mitigations off where nothing is said: callers count on that speed. */
	plan->flags = asked->flags.set ? asked->flags.value : SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	plan->default_action = fold_action(asked->default_action, &asked->default_errno_ret);
	rc = build_architectures(builder, plan, err);
	if (rc >= 0)
		rc = build_rules(builder, plan, err);
	if (rc >= 0)
		rc = plan_builder_copy(builder, asked->listener_path, &plan->listener_path, err);
	if (rc >= 0)
		rc = plan_builder_copy(builder, asked->listener_metadata, &plan->listener_metadata, err);
	if (rc >= 0)
		plan_digest_seccomp(plan, plan->digest);
	return rc;
}
