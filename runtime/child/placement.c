#include "child/placement.h"

#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/names.h"
#include "child/steps.h"

int placement_set_cpus(const struct plan_number_list *list)
{
	if (list->n_words == 0)
		return 0;
	return sched_setaffinity(0, list->n_words * sizeof(*list->bits), (const cpu_set_t *)list->bits);
}

static int set_memory_policy(const struct plan_memory_policy *policy, struct error *err)
{
	const struct plan_number_list *nodes = &policy->nodes;
	/* The kernel looks at one bit less than it is told of. */
	unsigned long n_bits = nodes->n_words * 8 * sizeof(*nodes->bits) + 1;

	if (syscall(SYS_set_mempolicy, policy->mode | (int)policy->flags, nodes->bits, nodes->bits ? n_bits : 0) < 0)
		return error_system(err, errno, "linux.memoryPolicy: set %s, nodes \"%s\"",
				    names_text(&names_memory_modes, (uint64_t)policy->mode), nodes->text ?: "");
	return 0;
}

/* In the container's control group, whose processors and nodes bound both. */
int placement_apply(struct child *child, struct error *err)
{
	const struct plan_process *process = &child->plan->process;

	if (placement_set_cpus(&process->final_cpus) < 0)
		return error_system(err, errno, "process.execCPUAffinity.final: run on processors %s",
				    process->final_cpus.text);
	return process->memory_policy.set ? set_memory_policy(&process->memory_policy, err) : 0;
}
