/* Hooks copied, each with its place in config.json for messages. */
#include "base/cleanup.h"
#include "plan/plan_builder.h"

struct hook_list {
	const char *name;
	const struct spec_hook *hooks;
	size_t n;
};

static int build_one(struct plan_builder *builder, const struct spec_hook *asked, const char *where,
		     struct plan_hook *ret, struct error *err)
{
	const char *const self[] = { asked->path };
	int rc;

	ret->where = where;
	ret->timeout = asked->timeout.set ? asked->timeout.value : 0;
	rc = plan_builder_copy(builder, asked->path, &ret->path, err);
	/* As execve(2) has it, args[0] is the program's name; left out, that is the path. */
	if (rc >= 0)
		rc = asked->n_args ? plan_builder_copy_list(builder, asked->args, asked->n_args, &ret->argv, err)
				   : plan_builder_copy_list(builder, self, 1, &ret->argv, err);
	/* Exactly what the hook names, never ours nor the container's (CVE-2025-23266). */
	return rc < 0 ? rc : plan_builder_copy_list(builder, asked->env, asked->n_env, &ret->envp, err);
}

static int build_list(struct plan_builder *builder, const struct hook_list *asked, struct plan_hooks *ret,
		      struct error *err)
{
	struct plan_hook *list = arena_array_of(builder->arena, asked->n, struct plan_hook);
	const char *where;
	int rc = list ? 0 : error_memory(err);

	for (size_t i = 0; rc >= 0 && i < asked->n; i++) {
		where = plan_builder_text(builder, err, "hooks.%s[%zu]", asked->name, i);
		rc = where ? build_one(builder, &asked->hooks[i], where, &list[i], err) : -ENOMEM;
	}
	*ret = (struct plan_hooks){ .list = list, .n = asked->n };
	return rc;
}

int plan_hooks_build(struct plan_builder *builder, struct error *err)
{
	const struct spec_hooks *hooks = &builder->spec->hooks;
	const struct hook_list lists[PLAN_N_HOOK_KINDS] = {
		[PLAN_HOOK_PRESTART] = { "prestart", hooks->prestart, hooks->n_prestart },
		[PLAN_HOOK_CREATE_RUNTIME] = { "createRuntime", hooks->create_runtime, hooks->n_create_runtime },
		[PLAN_HOOK_CREATE_CONTAINER] = { "createContainer", hooks->create_container, hooks->n_create_container },
		[PLAN_HOOK_START_CONTAINER] = { "startContainer", hooks->start_container, hooks->n_start_container },
		[PLAN_HOOK_POSTSTART] = { "poststart", hooks->poststart, hooks->n_poststart },
		[PLAN_HOOK_POSTSTOP] = { "poststop", hooks->poststop, hooks->n_poststop },
	};
	int rc = 0;

	for (size_t kind = 0; rc >= 0 && kind < PLAN_N_HOOK_KINDS; kind++)
		rc = build_list(builder, &lists[kind], &builder->plan->hooks[kind], err);
	if (rc < 0 || hooks->n_prestart == 0)
		return rc;
	return report_add(builder->report,
			  &(struct report_line){ REPORT_NOTE, "hook-deprecated", "hooks.prestart", NULL, NULL,
						 "the specification has deprecated it for createRuntime" },
			  err);
}
