#include "plan/plan_resources.h"

#include "plan/plan_resources_devices.h"
#include "plan/plan_resources_lists.h"

/* Copies a number that the document has. */
#define COPY(plan, bit, member, from)                   \
	do {                                            \
		if ((from)->set) {                      \
			(plan)->set |= (bit);           \
			(plan)->member = (from)->value; \
		}                                       \
	} while (0)

/* The same where 0 makes no sense as a limit: callers that fill in structs leave it there for "not given". */
#define COPY_UNLESS_0(plan, bit, member, from)         \
	do {                                           \
		if ((from)->value != 0)                \
			COPY(plan, bit, member, from); \
	} while (0)

static void build_memory(const struct spec_memory *asked, struct plan_resources *plan)
{
	COPY_UNLESS_0(plan, PLAN_MEMORY_LIMIT, memory_limit, &asked->limit);
	COPY_UNLESS_0(plan, PLAN_MEMORY_RESERVATION, memory_reservation, &asked->reservation);
	COPY_UNLESS_0(plan, PLAN_MEMORY_SWAP, memory_swap, &asked->swap);
	COPY_UNLESS_0(plan, PLAN_MEMORY_KERNEL, memory_kernel, &asked->kernel);
	COPY_UNLESS_0(plan, PLAN_MEMORY_KERNEL_TCP, memory_kernel_tcp, &asked->kernel_tcp);
	COPY(plan, PLAN_MEMORY_SWAPPINESS, memory_swappiness, &asked->swappiness);
	COPY(plan, PLAN_MEMORY_OOM_DISABLE, oom_disable, &asked->disable_oom_killer);
	COPY(plan, PLAN_MEMORY_HIERARCHY, memory_hierarchy, &asked->use_hierarchy);
	COPY(plan, PLAN_MEMORY_CHECK, memory_check_before_update, &asked->check_before_update);
}

static void build_cpu(const struct spec_cpu *asked, struct plan_resources *plan)
{
	COPY_UNLESS_0(plan, PLAN_CPU_SHARES, cpu_shares, &asked->shares);
	COPY_UNLESS_0(plan, PLAN_CPU_QUOTA, cpu_quota, &asked->quota);
	COPY_UNLESS_0(plan, PLAN_CPU_PERIOD, cpu_period, &asked->period);
	COPY(plan, PLAN_CPU_BURST, cpu_burst, &asked->burst);
	COPY(plan, PLAN_CPU_IDLE, cpu_idle, &asked->idle);
	COPY_UNLESS_0(plan, PLAN_CPU_RT_RUNTIME, cpu_rt_runtime, &asked->realtime_runtime);
	COPY_UNLESS_0(plan, PLAN_CPU_RT_PERIOD, cpu_rt_period, &asked->realtime_period);
}

static void build_others(const struct spec_resources *asked, struct plan_resources *plan)
{
	COPY(plan, PLAN_PIDS, pids, &asked->pids_limit);
	COPY_UNLESS_0(plan, PLAN_IO_DEFAULT_WEIGHT, io_weight, &asked->block_io.weight);
	COPY_UNLESS_0(plan, PLAN_IO_DEFAULT_LEAF_WEIGHT, io_leaf_weight, &asked->block_io.leaf_weight);
	COPY(plan, PLAN_NET_CLASS, net_class, &asked->network.class_id);
}

static int build_cpuset(const struct spec_cpu *asked, struct arena *arena, struct plan_resources *plan, struct error *err)
{
	plan->cpus = asked->cpus ? arena_strdup(arena, asked->cpus) : NULL;
	plan->mems = asked->mems ? arena_strdup(arena, asked->mems) : NULL;
	return !plan->cpus == !asked->cpus && !plan->mems == !asked->mems ? 0 : error_memory(err);
}

int plan_resources_build(const struct spec_resources *resources, const struct host *host, struct plan_resources *ret,
			 struct report *report, struct error *err)
{
	struct arena *arena = report->arena;
	struct plan_resources plan = { 0 };
	int rc;

	build_memory(&resources->memory, &plan);
	build_cpu(&resources->cpu, &plan);
	build_others(resources, &plan);
	rc = build_cpuset(&resources->cpu, arena, &plan, err);
	if (rc >= 0)
		rc = plan_resources_lists_build(resources, arena, &plan, err);
	if (rc >= 0 && resources->n_devices > 0)
		rc = plan_resources_devices_build(resources, host, &plan, report, err);
	if (rc >= 0)
		*ret = plan;
	return rc;
}
