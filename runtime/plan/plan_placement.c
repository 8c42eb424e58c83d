/* On which processors an exec runs, and on which nodes its memory and the first process's lies. */
#include <string.h>

#include "base/number_list.h"
#include "plan/plan_builder.h"

/* A list that spec/ has checked. */
static int copy_numbers(const struct plan_builder *builder, const char *text, struct plan_number_list *ret,
			struct error *err)
{
	struct number_list parsed;
	unsigned long *bits;
	int rc;

	if (!text)
		return 0;
	rc = number_list_parse(text, &parsed);
	if (rc < 0)
		return error_set(err, ERROR_INTERNAL, -rc, "\"%s\" is no list of numbers", text);
	bits = arena_array_of(builder->arena, parsed.n_words, unsigned long);
	if (!bits)
		return error_memory(err);
	memcpy(bits, parsed.bits, parsed.n_words * sizeof(*bits));
	ret->bits = bits;
	ret->n_words = parsed.n_words;
	return plan_builder_copy(builder, text, &ret->text, err);
}

/* Where it runs and has its memory: of an exec, as the first process has the processors of its group (config.md: execCPUAffinity), and the
 * memory policy of both. */
int plan_placement_build(struct plan_builder *builder, struct error *err)
{
	const struct spec_exec_cpu_affinity *affinity = builder->process->exec_cpu_affinity;
	const struct spec_memory_policy *memory = builder->spec->linux_.memory_policy;
	struct plan_process *plan = &builder->plan->process;
	int rc = 0;

	if (builder->exec && affinity) {
		rc = copy_numbers(builder, affinity->initial, &plan->first_cpus, err);
		if (rc >= 0)
			rc = copy_numbers(builder, affinity->final, &plan->final_cpus, err);
	}
	if (rc < 0 || !memory)
		return rc;
	plan->memory_policy = (struct plan_memory_policy){ .set = true, .mode = memory->mode, .flags = memory->flags };
	return copy_numbers(builder, memory->nodes, &plan->memory_policy.nodes, err);
}
