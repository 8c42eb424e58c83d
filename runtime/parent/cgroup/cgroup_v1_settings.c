/* A plan's resources as writes to v1's files (the kernel's cgroup-v1 documentation). Pure. */
#include "parent/cgroup/cgroup_v1.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "parent/cgroup/cgroup_v2.h"

#define SHARES_MIN 2
#define SHARES_MAX 262144

/* The kernel rounds down to pages: what is read back may differ by less than one (unit). */
static struct cgroup_setting *add_bytes(struct cgroup_settings *settings, const char *where, const char *file,
					int64_t value)
{
	struct cgroup_setting *setting =
		cgroup_settings_add(settings, CGROUP_MEMORY, where, file, cgroup_settings_number(settings, value, "-1"));

	setting->unit = (uint64_t)sysconf(_SC_PAGESIZE);
	setting->flags = value < 0 ? CGROUP_SETTING_DEFAULT : 0;
	return setting;
}

static struct cgroup_setting *add_number(struct cgroup_settings *settings, enum cgroup_controller controller,
					 const char *where, const char *file, uint64_t value)
{
	return cgroup_settings_add(settings, controller, where, file, arena_printf(settings->arena, "%" PRIu64, value));
}

static void add_swap(struct cgroup_settings *settings, int64_t swap)
{
	struct cgroup_setting *setting =
		add_bytes(settings, "linux.resources.memory.swap", "memory.memsw.limit_in_bytes", swap);

	setting->flags |= CGROUP_SETTING_SWAP;
}

static void add_limits(struct cgroup_settings *settings, const struct plan_resources *resources,
		       const struct cgroup_facts *facts)
{
	int64_t limit = resources->set & PLAN_MEMORY_LIMIT ? resources->memory_limit : 0;
	int64_t swap = resources->set & PLAN_MEMORY_SWAP ? resources->memory_swap : 0;
	/* memory + swap may not be less than memory at any time: what grows beyond it goes after it. */
	bool swap_first = limit && facts->memory_swap >= 0 && (limit < 0 || limit > facts->memory_swap);

	if (limit < 0 && swap == 0)
		swap = -1;
	if (swap && swap_first)
		add_swap(settings, swap);
	if (limit)
		add_bytes(settings, "linux.resources.memory.limit", "memory.limit_in_bytes", limit);
	if (swap && !swap_first)
		add_swap(settings, swap);
}

static void add_memory(struct cgroup_settings *settings, const struct plan_resources *resources,
		       const struct cgroup_facts *facts)
{
	struct cgroup_setting *setting;

	add_limits(settings, resources, facts);
	if (resources->set & PLAN_MEMORY_RESERVATION && resources->memory_reservation)
		add_bytes(settings, "linux.resources.memory.reservation", "memory.soft_limit_in_bytes",
			  resources->memory_reservation);
	if (resources->set & PLAN_MEMORY_SWAPPINESS)
		add_number(settings, CGROUP_MEMORY, "linux.resources.memory.swappiness", "memory.swappiness",
			   resources->memory_swappiness);
	if (resources->set & PLAN_MEMORY_OOM_DISABLE) {
		setting = cgroup_settings_add(settings, CGROUP_MEMORY, "linux.resources.memory.disableOOMKiller",
					      "memory.oom_control", resources->oom_disable ? "1" : "0");
		setting->flags = resources->oom_disable ? 0 : CGROUP_SETTING_DEFAULT;
		/* The file shows several lines, this one first. It is written as a plain number. */
		setting->compare = CGROUP_COMPARE_OOM_CONTROL;
	}
	if (resources->set & PLAN_MEMORY_KERNEL)
		log_warning("linux.resources.memory.kernel is ignored: the kernel has no such limit since Linux 5.16");
	if (resources->set & PLAN_MEMORY_KERNEL_TCP && resources->memory_kernel_tcp)
		add_bytes(settings, "linux.resources.memory.kernelTCP", "memory.kmem.tcp.limit_in_bytes",
			  resources->memory_kernel_tcp);
	if (resources->set & PLAN_MEMORY_HIERARCHY && !resources->memory_hierarchy)
		log_warning(
			"linux.resources.memory.useHierarchy: false is ignored: memory is always counted hierarchically");
}

static void add_quota(struct cgroup_settings *settings, const struct plan_resources *resources)
{
	struct cgroup_setting *setting;

	if (!(resources->set & PLAN_CPU_QUOTA) || !resources->cpu_quota)
		return;
	setting = cgroup_settings_add(settings, CGROUP_CPU, "linux.resources.cpu.quota", "cpu.cfs_quota_us",
				      cgroup_settings_number(settings, resources->cpu_quota, "-1"));
	setting->flags = resources->cpu_quota < 0 ? CGROUP_SETTING_DEFAULT : 0;
}

static void add_period(struct cgroup_settings *settings, const struct plan_resources *resources, bool alone)
{
	struct cgroup_setting *setting;

	if (!(resources->set & PLAN_CPU_PERIOD) || !resources->cpu_period)
		return;
	setting = add_number(settings, CGROUP_CPU, "linux.resources.cpu.period", "cpu.cfs_period_us",
			     resources->cpu_period);
	/* Without a quota it limits nothing yet, but a quota that update gives later is a share of it. */
	setting->flags = alone && resources->cpu_period == CGROUP_CPU_PERIOD_DEFAULT ? CGROUP_SETTING_DEFAULT : 0;
}

static void add_quota_and_period(struct cgroup_settings *settings, const struct plan_resources *resources,
				 const struct cgroup_facts *facts)
{
	bool quota_first = resources->cpu_period < facts->cpu_period;
	int64_t quota = resources->set & PLAN_CPU_QUOTA && resources->cpu_quota ? resources->cpu_quota : facts->cpu_quota;

	/* A parent bounds quota / period. Between the two writes the ratio has to stay below what it becomes. */
	if (quota_first)
		add_quota(settings, resources);
	add_period(settings, resources, /* alone= */ quota < 0);
	if (!quota_first)
		add_quota(settings, resources);
}

static void add_burst(struct cgroup_settings *settings, const struct plan_resources *resources)
{
	struct cgroup_setting *setting =
		add_number(settings, CGROUP_CPU, "linux.resources.cpu.burst", "cpu.cfs_burst_us", resources->cpu_burst);

	setting->flags = resources->cpu_burst == 0 ? CGROUP_SETTING_DEFAULT : 0;
}

static void add_idle(struct cgroup_settings *settings, const struct plan_resources *resources)
{
	struct cgroup_setting *setting =
		cgroup_settings_add(settings, CGROUP_CPU, "linux.resources.cpu.idle", "cpu.idle",
				    arena_printf(settings->arena, "%" PRId64, resources->cpu_idle));

	setting->flags = resources->cpu_idle == 0 ? CGROUP_SETTING_DEFAULT : 0;
}

static void add_shares(struct cgroup_settings *settings, const struct plan_resources *resources)
{
	uint64_t shares = resources->cpu_shares;
	struct cgroup_setting *setting;

	if (!(resources->set & PLAN_CPU_SHARES) || shares == 0)
		return;
	shares = shares < SHARES_MIN ? SHARES_MIN : shares > SHARES_MAX ? SHARES_MAX : shares;
	setting = add_number(settings, CGROUP_CPU, "linux.resources.cpu.shares", "cpu.shares", shares);
	setting->flags = shares == 1024 ? CGROUP_SETTING_DEFAULT : 0;
}

/* The period first: the runtime is a part of it. */
static void add_realtime(struct cgroup_settings *settings, const struct plan_resources *resources)
{
	if (resources->set & PLAN_CPU_RT_PERIOD && resources->cpu_rt_period)
		add_number(settings, CGROUP_CPU, "linux.resources.cpu.realtimePeriod", "cpu.rt_period_us",
			   resources->cpu_rt_period);
	if (resources->set & PLAN_CPU_RT_RUNTIME && resources->cpu_rt_runtime)
		cgroup_settings_add(settings, CGROUP_CPU, "linux.resources.cpu.realtimeRuntime", "cpu.rt_runtime_us",
				    cgroup_settings_number(settings, resources->cpu_rt_runtime, "-1"));
}

static void add_cpu(struct cgroup_settings *settings, const struct plan_resources *resources,
		    const struct cgroup_facts *facts)
{
	bool idle = resources->set & PLAN_CPU_IDLE && resources->cpu_idle;
	bool smaller_burst = resources->set & PLAN_CPU_BURST && resources->cpu_burst < facts->cpu_burst;

	if (smaller_burst)
		add_burst(settings, resources);
	add_quota_and_period(settings, resources, facts);
	if (resources->set & PLAN_CPU_BURST && !smaller_burst)
		add_burst(settings, resources);
	if (resources->set & PLAN_CPU_IDLE && !idle)
		add_idle(settings, resources);
	/* An idle group has no shares: the kernel refuses them while it is idle. */
	if (!idle)
		add_shares(settings, resources);
	if (idle)
		add_idle(settings, resources);
	add_realtime(settings, resources);
}

static void add_cpuset(struct cgroup_settings *settings, const char *where, const char *file, const char *list)
{
	struct cgroup_setting *setting;

	if (!list || !list[0])
		return;
	setting = cgroup_settings_add(settings, CGROUP_CPUSET, where, file, list);
	setting->compare = CGROUP_COMPARE_LIST;
}

static struct cgroup_setting *add_weight(struct cgroup_settings *settings, const char *where, bool device, uint64_t weight)
{
	struct cgroup_setting *setting =
		add_number(settings, CGROUP_IO, where, device ? "blkio.weight_device" : "blkio.weight", weight);

	/* Since Linux 5.0 only the BFQ scheduler has weights. */
	setting->other_file = device ? "blkio.bfq.weight_device" : "blkio.bfq.weight";
	setting->other_value = setting->value;
	return setting;
}

/* Documentation/admin-guide/cgroup-v1/blkio-controller.rst. */
static const char *throttle_file(const struct plan_throttle *throttle)
{
	switch (throttle->kind) {
	case PLAN_IO_WEIGHT:
		return "blkio.weight_device";
	case PLAN_IO_LEAF_WEIGHT:
		return "blkio.leaf_weight_device";
	case PLAN_IO_READ_BPS:
		return "blkio.throttle.read_bps_device";
	case PLAN_IO_WRITE_BPS:
		return "blkio.throttle.write_bps_device";
	case PLAN_IO_READ_IOPS:
		return "blkio.throttle.read_iops_device";
	case PLAN_IO_WRITE_IOPS:
		return "blkio.throttle.write_iops_device";
	}
	return NULL;
}

static void add_throttle(struct cgroup_settings *settings, const struct plan_throttle *throttle)
{
	const char *where = cgroup_settings_throttle_where(throttle);
	struct cgroup_setting *setting;

	if (throttle->kind == PLAN_IO_WEIGHT) {
		setting = add_weight(settings, where, /* device= */ true, throttle->value);
	} else {
		setting = add_number(settings, CGROUP_IO, where, throttle_file(throttle), throttle->value);
		setting->flags = throttle->value ? 0 : CGROUP_SETTING_DEFAULT;
	}
	setting->key = cgroup_settings_device(settings, throttle);
	setting->absent = "0";
}

static void add_io(struct cgroup_settings *settings, const struct plan_resources *resources)
{
	if (resources->set & PLAN_IO_DEFAULT_WEIGHT && resources->io_weight)
		add_weight(settings, "linux.resources.blockIO.weight", /* device= */ false, resources->io_weight);
	if (resources->set & PLAN_IO_DEFAULT_LEAF_WEIGHT && resources->io_leaf_weight)
		add_number(settings, CGROUP_IO, "linux.resources.blockIO.leafWeight", "blkio.leaf_weight",
			   resources->io_leaf_weight);
	for (size_t i = 0; i < resources->n_throttles; i++)
		add_throttle(settings, &resources->throttles[i]);
}

static int add_network(struct cgroup_settings *settings, const struct plan_resources *resources, struct error *err)
{
	if (resources->set & PLAN_NET_CLASS) {
		struct cgroup_setting *setting = add_number(settings, CGROUP_NET_CLS, "linux.resources.network.classID",
							    "net_cls.classid", resources->net_class);

		setting->flags = resources->net_class ? 0 : CGROUP_SETTING_DEFAULT;
	}
	for (size_t i = 0; i < resources->n_net_priorities; i++) {
		const struct plan_number *priority = &resources->net_priorities[i];
		struct cgroup_setting *setting;

		if (!priority->name[0] || strpbrk(priority->name, " \t\n"))
			return error_invalid(err,
					     "linux.resources.network.priorities[%zu].name: \"%s\" is not an interface",
					     i, priority->name);
		setting = add_number(settings, CGROUP_NET_PRIO, "linux.resources.network.priorities",
				     "net_prio.ifpriomap", priority->value);
		setting->key = priority->name;
		setting->absent = "0";
	}
	return 0;
}

/* What is asked for by the v2 name is looked for in the v2 tree of a hybrid host, which has few of them. */
static int add_unified(struct cgroup_settings *settings, const struct plan_resources *resources,
		       const struct cgroup_facts *facts, struct error *err)
{
	size_t first = settings->n;
	int r = cgroup_v2_settings_unified(settings, resources, err);

	for (size_t i = first; r == 0 && i < settings->n; i++)
		if (!(facts->v2_controllers & UINT32_C(1) << settings->list[i].controller))
			settings->list[i].controller = CGROUP_NO_CONTROLLER;
	return r;
}

int cgroup_v1_settings(const struct plan_resources *resources, const struct cgroup_facts *facts,
		       struct cgroup_settings *settings, struct error *err)
{
	int r = cgroup_settings_check(resources, facts, err);

	if (r < 0)
		return r;
	add_memory(settings, resources, facts);
	add_cpu(settings, resources, facts);
	add_cpuset(settings, "linux.resources.cpu.cpus", "cpuset.cpus", resources->cpus);
	add_cpuset(settings, "linux.resources.cpu.mems", "cpuset.mems", resources->mems);
	if (resources->set & PLAN_PIDS)
		cgroup_v2_settings_pids(settings, resources->pids);
	add_io(settings, resources);
	r = add_network(settings, resources, err);
	if (r == 0)
		r = cgroup_settings_hugepages(settings, resources, facts->v2_controllers & 1 << CGROUP_HUGETLB, err);
	if (r == 0)
		r = cgroup_settings_rdma(settings, resources, err);
	if (r == 0)
		r = add_unified(settings, resources, facts, err);
	for (size_t i = 0; r == 0 && i < settings->n; i++)
		if (!settings->list[i].where || !settings->list[i].file || !settings->list[i].value)
			return error_memory(err);
	return r;
}
