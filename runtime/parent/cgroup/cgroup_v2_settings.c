/* A plan's resources as writes to v2's files (cgroup-v2.rst). Pure. */
#include "parent/cgroup/cgroup_v2.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define PIDS_LIMIT_MAX (4 * 1024 * 1024) /* the kernel's PID_MAX_LIMIT: more can't bite, and is refused */

/* Refused rather than passed over: a limit that is asked for and does not hold is what brig is there to prevent. */
static int unsupported(struct error *err, const char *where, const char *remedy)
{
	return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			 "linux.resources.%s: cgroup version 2, which this host has, does not know it; %s", where,
			 remedy);
}

static void add_memory(struct cgroup_settings *settings, const struct plan_resources *resources,
		       const struct cgroup_facts *facts)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	bool has_limit = resources->set & PLAN_MEMORY_LIMIT && resources->memory_limit;
	int64_t limit = has_limit ? resources->memory_limit : facts->memory_limit;
	int64_t swap = resources->set & PLAN_MEMORY_SWAP ? resources->memory_swap : 0;
	struct cgroup_setting *setting;

	/* Without a word on swap, no limit on memory means no limit on both, as with v1. */
	if (has_limit && limit < 0 && swap == 0)
		swap = -1;
	if (swap) {
		setting = cgroup_settings_add(settings, CGROUP_MEMORY, "linux.resources.memory.swap", "memory.swap.max",
					      cgroup_settings_number(settings, swap < 0 ? -1 : swap - limit, "max"));
		setting->unit = page;
		setting->flags = CGROUP_SETTING_SWAP | (swap < 0 ? CGROUP_SETTING_DEFAULT : 0);
	}
	if (has_limit) {
		setting = cgroup_settings_add(settings, CGROUP_MEMORY, "linux.resources.memory.limit", "memory.max",
					      cgroup_settings_number(settings, limit, "max"));
		setting->unit = page;
		setting->flags = limit < 0 ? CGROUP_SETTING_DEFAULT : 0;
	}
	if (resources->set & PLAN_MEMORY_RESERVATION) {
		setting = cgroup_settings_add(settings, CGROUP_MEMORY, "linux.resources.memory.reservation", "memory.low",
					      cgroup_settings_number(settings, resources->memory_reservation, "max"));
		setting->unit = page;
		setting->flags = resources->memory_reservation == 0 ? CGROUP_SETTING_DEFAULT : 0;
	}
}

static int check_memory(const struct plan_resources *resources, struct error *err)
{
	if (resources->set & PLAN_MEMORY_SWAPPINESS)
		return unsupported(err, "memory.swappiness", "leave it out, or set memory.swap");
	if (resources->set & PLAN_MEMORY_OOM_DISABLE && resources->oom_disable)
		return unsupported(err, "memory.disableOOMKiller", "set it to false");
	if (resources->set & (PLAN_MEMORY_KERNEL | PLAN_MEMORY_KERNEL_TCP))
		log_warning(
			"linux.resources.memory.kernel and kernelTCP are ignored: kernel memory counts towards memory.limit");
	return 0;
}

/* One file has both numbers: the one that is not given stays as it is. */
static void add_cpu_max(struct cgroup_settings *settings, const struct plan_resources *resources,
			const struct cgroup_facts *facts)
{
	bool has_quota = resources->set & PLAN_CPU_QUOTA && resources->cpu_quota;
	bool has_period = resources->set & PLAN_CPU_PERIOD && resources->cpu_period;
	int64_t quota = has_quota ? resources->cpu_quota : facts->cpu_quota;
	uint64_t period = has_period ? resources->cpu_period : facts->cpu_period;
	struct cgroup_setting *setting;

	if (!has_quota && !has_period)
		return;
	setting = cgroup_settings_add(
		settings, CGROUP_CPU, has_quota ? "linux.resources.cpu.quota" : "linux.resources.cpu.period", "cpu.max",
		arena_printf(settings->arena, "%s %" PRIu64, cgroup_settings_number(settings, quota, "max"), period));
	setting->compare = CGROUP_COMPARE_TEXT;
	/* A quota that update gives later is a share of the period that was given alone. */
	setting->flags = quota < 0 && period == CGROUP_CPU_PERIOD_DEFAULT ? CGROUP_SETTING_DEFAULT : 0;
}

static void add_cpu_burst(struct cgroup_settings *settings, const struct plan_resources *resources)
{
	struct cgroup_setting *setting =
		cgroup_settings_add(settings, CGROUP_CPU, "linux.resources.cpu.burst", "cpu.max.burst",
				    arena_printf(settings->arena, "%" PRIu64, resources->cpu_burst));

	setting->flags = resources->cpu_burst == 0 ? CGROUP_SETTING_DEFAULT : 0;
}

static void add_cpu_idle(struct cgroup_settings *settings, const struct plan_resources *resources)
{
	struct cgroup_setting *setting =
		cgroup_settings_add(settings, CGROUP_CPU, "linux.resources.cpu.idle", "cpu.idle",
				    arena_printf(settings->arena, "%" PRId64, resources->cpu_idle));

	setting->flags = resources->cpu_idle == 0 ? CGROUP_SETTING_DEFAULT : 0;
}

static int add_cpu(struct cgroup_settings *settings, const struct plan_resources *resources,
		   const struct cgroup_facts *facts, struct error *err)
{
	bool idle = resources->set & PLAN_CPU_IDLE && resources->cpu_idle;
	bool smaller_burst = resources->set & PLAN_CPU_BURST && resources->cpu_burst < facts->cpu_burst;

	if ((resources->set & PLAN_CPU_RT_RUNTIME && resources->cpu_rt_runtime) ||
	    (resources->set & PLAN_CPU_RT_PERIOD && resources->cpu_rt_period))
		return unsupported(err, "cpu.realtimeRuntime", "leave it and cpu.realtimePeriod out");
	/* A burst may not be larger than the quota at any time. */
	if (smaller_burst)
		add_cpu_burst(settings, resources);
	add_cpu_max(settings, resources, facts);
	if (resources->set & PLAN_CPU_BURST && !smaller_burst)
		add_cpu_burst(settings, resources);
	/* An idle group has no weight: the kernel refuses one while it is idle. */
	if (resources->set & PLAN_CPU_IDLE && !idle)
		add_cpu_idle(settings, resources);
	if (resources->set & PLAN_CPU_SHARES && resources->cpu_shares && !idle) {
		uint64_t weight = cgroup_convert_shares(resources->cpu_shares);
		struct cgroup_setting *setting = cgroup_settings_add(settings, CGROUP_CPU, "linux.resources.cpu.shares",
								     "cpu.weight",
								     arena_printf(settings->arena, "%" PRIu64, weight));

		setting->flags = weight == 100 ? CGROUP_SETTING_DEFAULT : 0;
	}
	if (idle)
		add_cpu_idle(settings, resources);
	return 0;
}

/* Two schedulers, two files: BFQ's own where it is there (1 to 1000), else the controller's (1 to 10000). */
static void add_io_weight(struct cgroup_settings *settings, const char *where, const char *key, uint64_t weight)
{
	struct cgroup_setting *setting = cgroup_settings_add(settings, CGROUP_IO, where, "io.bfq.weight",
							     arena_printf(settings->arena, "%" PRIu64, weight));

	setting->key = key;
	setting->absent = "default";
	setting->other_file = "io.weight";
	setting->other_value = arena_printf(settings->arena, "%" PRIu64, cgroup_convert_io_weight(weight));
}

static int add_throttle(struct cgroup_settings *settings, const struct plan_throttle *throttle, struct error *err)
{
	static const char *const fields[] = {
		[PLAN_IO_READ_BPS] = "rbps",
		[PLAN_IO_WRITE_BPS] = "wbps",
		[PLAN_IO_READ_IOPS] = "riops",
		[PLAN_IO_WRITE_IOPS] = "wiops",
	};
	const char *where = cgroup_settings_throttle_where(throttle), *key = cgroup_settings_device(settings, throttle);
	struct cgroup_setting *setting;

	if (throttle->kind == PLAN_IO_LEAF_WEIGHT)
		return unsupported(err, "blockIO.weightDevice.leafWeight", "leave it out, or use weight");
	if (throttle->kind == PLAN_IO_WEIGHT) {
		add_io_weight(settings, where, key, throttle->value);
		return 0;
	}
	/* 0 takes the limit away, as with v1. */
	setting = cgroup_settings_add(settings, CGROUP_IO, where, "io.max",
				      throttle->value ? arena_printf(settings->arena, "%" PRIu64, throttle->value)
						      : "max");
	setting->key = key;
	setting->field = fields[throttle->kind];
	setting->absent = "max";
	setting->flags = throttle->value ? 0 : CGROUP_SETTING_DEFAULT;
	return 0;
}

static int add_io(struct cgroup_settings *settings, const struct plan_resources *resources, struct error *err)
{
	int r = 0;

	if (resources->set & PLAN_IO_DEFAULT_LEAF_WEIGHT && resources->io_leaf_weight)
		return unsupported(err, "blockIO.leafWeight", "leave it out, or use weight");
	if (resources->set & PLAN_IO_DEFAULT_WEIGHT && resources->io_weight)
		add_io_weight(settings, "linux.resources.blockIO.weight", "default", resources->io_weight);
	for (size_t i = 0; r == 0 && i < resources->n_throttles; i++)
		r = add_throttle(settings, &resources->throttles[i], err);
	return r;
}

static void add_cpuset(struct cgroup_settings *settings, const char *where, const char *file, const char *list)
{
	struct cgroup_setting *setting;

	if (!list || !list[0])
		return;
	setting = cgroup_settings_add(settings, CGROUP_CPUSET, where, file, list);
	setting->compare = CGROUP_COMPARE_LIST;
}

/* "memory.high" belongs to memory: the word before the dot is the controller's name. */
static enum cgroup_controller controller_of_file(const char *file)
{
	size_t length = strcspn(file, ".");

	for (enum cgroup_controller c = 0; c < CGROUP_N_CONTROLLERS; c++) {
		const char *name = cgroup_settings_controller_name(c, /* v2= */ true);

		if (strlen(name) == length && strncmp(name, file, length) == 0)
			return c;
	}
	return CGROUP_NO_CONTROLLER;
}

/* Any file of the group but those that would move, kill or delegate processes. */
static bool file_is_allowed(const char *file)
{
	static const char *const core[] = { "cgroup.max.depth", "cgroup.max.descendants", "cgroup.pressure" };

	if (!file[0] || file[0] == '.' || strchr(file, '/') || strlen(file) > 64 || !strchr(file, '.'))
		return false;
	for (size_t i = 0; i < sizeof(core) / sizeof(core[0]); i++)
		if (strcmp(file, core[i]) == 0)
			return true;
	return strncmp(file, "cgroup.", 7) != 0;
}

int cgroup_v2_settings_unified(struct cgroup_settings *settings, const struct plan_resources *resources, struct error *err)
{
	for (size_t i = 0; i < resources->n_unified; i++) {
		const struct plan_pair *pair = &resources->unified[i];
		const char *where = arena_printf(settings->arena, "linux.resources.unified[\"%.100s\"]", pair->name);
		struct cgroup_setting *setting;

		if (!where)
			return error_memory(err);
		if (!file_is_allowed(pair->name))
			return error_invalid(err, "%s: not the name of a file with a limit, such as \"memory.high\"",
					     where);
		setting = cgroup_settings_add(settings, controller_of_file(pair->name), where, pair->name, pair->value);
		setting->compare = CGROUP_COMPARE_LOOSE;
	}
	return 0;
}

static int add_rest(struct cgroup_settings *settings, const struct plan_resources *resources, struct error *err)
{
	int r;

	add_cpuset(settings, "linux.resources.cpu.cpus", "cpuset.cpus", resources->cpus);
	add_cpuset(settings, "linux.resources.cpu.mems", "cpuset.mems", resources->mems);
	if (resources->set & PLAN_PIDS)
		cgroup_v2_settings_pids(settings, resources->pids);
	if (resources->set & PLAN_NET_CLASS && resources->net_class)
		return unsupported(err, "network.classID", "leave it out");
	if (resources->n_net_priorities)
		return unsupported(err, "network.priorities", "leave them out");
	r = add_io(settings, resources, err);
	if (r == 0)
		r = cgroup_settings_hugepages(settings, resources, /* v2= */ true, err);
	if (r == 0)
		r = cgroup_settings_rdma(settings, resources, err);
	/* Last, so that what is asked for by the kernel's own name wins. */
	if (r == 0)
		r = cgroup_v2_settings_unified(settings, resources, err);
	return r;
}

void cgroup_v2_settings_pids(struct cgroup_settings *settings, int64_t limit)
{
	bool unlimited = limit <= 0 || limit > PIDS_LIMIT_MAX;
	struct cgroup_setting *setting =
		cgroup_settings_add(settings, CGROUP_PIDS, "linux.resources.pids.limit", "pids.max",
				    cgroup_settings_number(settings, unlimited ? -1 : limit, "max"));

	setting->flags = unlimited ? CGROUP_SETTING_DEFAULT : 0;
}

int cgroup_v2_settings(const struct plan_resources *resources, const struct cgroup_facts *facts,
		       struct cgroup_settings *settings, struct error *err)
{
	int r = cgroup_settings_check(resources, facts, err);

	if (r == 0)
		r = check_memory(resources, err);
	if (r < 0)
		return r;
	add_memory(settings, resources, facts);
	r = add_cpu(settings, resources, facts, err);
	if (r == 0)
		r = add_rest(settings, resources, err);
	for (size_t i = 0; r == 0 && i < settings->n; i++)
		if (!settings->list[i].where || !settings->list[i].file || !settings->list[i].value)
			return error_memory(err);
	return r;
}
