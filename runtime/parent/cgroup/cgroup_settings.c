#include "parent/cgroup/cgroup_settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCALARS_MAX 32 /* more than there are bits in plan_resources.set, and cpus and mems */

/* All room at once: each setting then has a place that stays where it is, and add() can't fail but by a text that found no
 * memory, which is looked for once, at the end of cgroup_v1_settings() and cgroup_v2_settings(). */
int cgroup_settings_init(struct cgroup_settings *settings, const struct plan_resources *resources, struct arena *arena,
			 struct error *err)
{
	/* A page size has up to two files, an RDMA device two fields. */
	size_t capacity = SCALARS_MAX + resources->n_throttles + 2 * resources->n_hugepages + 2 * resources->n_rdma +
			  resources->n_net_priorities + resources->n_unified;

	*settings = (struct cgroup_settings){ .arena = arena, .capacity = capacity };
	settings->list = arena_array_of(arena, capacity, struct cgroup_setting);
	return settings->list ? 0 : error_memory(err);
}

struct cgroup_setting *cgroup_settings_add(struct cgroup_settings *settings, enum cgroup_controller controller,
					   const char *where, const char *file, const char *value)
{
	struct cgroup_setting *setting = &settings->list[settings->n++];

	*setting = (struct cgroup_setting){
		.controller = controller,
		.where = where,
		.file = file,
		.value = value,
		.compare = CGROUP_COMPARE_NUMBER,
		.unit = 1,
	};
	return setting;
}

const char *cgroup_settings_number(struct cgroup_settings *settings, int64_t value, const char *unlimited)
{
	return value < 0 ? unlimited : arena_printf(settings->arena, "%" PRId64, value);
}

/* A default that no controller has to be made for: "no limit" holds where there is nobody who limits. */
uint32_t cgroup_settings_controllers(const struct cgroup_settings *settings)
{
	uint32_t controllers = 0;

	for (size_t i = 0; i < settings->n; i++) {
		const struct cgroup_setting *setting = &settings->list[i];

		if (!(setting->flags & CGROUP_SETTING_DEFAULT) && setting->controller != CGROUP_NO_CONTROLLER)
			controllers |= UINT32_C(1) << setting->controller;
	}
	return controllers;
}

const char *cgroup_settings_where(const struct cgroup_settings *settings, enum cgroup_controller controller)
{
	for (size_t i = 0; i < settings->n; i++)
		if (settings->list[i].controller == controller && !(settings->list[i].flags & CGROUP_SETTING_DEFAULT))
			return settings->list[i].where;
	return controller == CGROUP_DEVICES ? "linux.resources.devices" : "linux.cgroupsPath";
}

static int check_number(const char *where, int64_t value, struct error *err)
{
	if (value >= -1)
		return 0;
	return error_invalid(err, "linux.resources.%s: %" PRId64 " is neither a limit nor -1 (no limit)", where, value);
}

/* OCI's "swap" is memory and swap together, as v1 has it (memory.memsw.limit_in_bytes); v2 limits swap alone. -1 is no limit,
 * and 0 is taken for "not given", as by runc. */
int cgroup_settings_check(const struct plan_resources *resources, const struct cgroup_facts *facts, struct error *err)
{
	uint32_t set = resources->set;
	int64_t limit = set & PLAN_MEMORY_LIMIT && resources->memory_limit ? resources->memory_limit
									   : facts->memory_limit;
	int r = 0;

	if (set & PLAN_MEMORY_LIMIT)
		r = check_number("memory.limit", resources->memory_limit, err);
	if (r == 0 && set & PLAN_MEMORY_RESERVATION)
		r = check_number("memory.reservation", resources->memory_reservation, err);
	if (r == 0 && set & PLAN_MEMORY_SWAP)
		r = check_number("memory.swap", resources->memory_swap, err);
	if (r == 0 && set & PLAN_CPU_QUOTA)
		r = check_number("cpu.quota", resources->cpu_quota, err);
	if (r < 0 || !(set & PLAN_MEMORY_SWAP) || resources->memory_swap <= 0)
		return r;
	if (limit < 0)
		return error_invalid(err,
				     "linux.resources.memory.swap: %" PRId64 " limits memory and swap together, "
				     "which needs memory.limit as well",
				     resources->memory_swap);
	if (resources->memory_swap < limit)
		return error_invalid(err,
				     "linux.resources.memory.swap: %" PRId64 " is memory and swap together and must not be "
				     "less than memory.limit, %" PRId64,
				     resources->memory_swap, limit);
	return 0;
}

const char *cgroup_settings_device(struct cgroup_settings *settings, const struct plan_throttle *throttle)
{
	return arena_printf(settings->arena, "%" PRIu64 ":%" PRIu64, throttle->major, throttle->minor);
}

const char *cgroup_settings_throttle_where(const struct plan_throttle *throttle)
{
	switch (throttle->kind) {
	case PLAN_IO_WEIGHT:
	case PLAN_IO_LEAF_WEIGHT:
		return "linux.resources.blockIO.weightDevice";
	case PLAN_IO_READ_BPS:
		return "linux.resources.blockIO.throttleReadBpsDevice";
	case PLAN_IO_WRITE_BPS:
		return "linux.resources.blockIO.throttleWriteBpsDevice";
	case PLAN_IO_READ_IOPS:
		return "linux.resources.blockIO.throttleReadIOPSDevice";
	case PLAN_IO_WRITE_IOPS:
		return "linux.resources.blockIO.throttleWriteIOPSDevice";
	}
	return "linux.resources.blockIO";
}

/* "2MB" as in hugetlb.2MB.max (the kernel's mem_fmt(): KB, MB, GB, powers of 1024). The name becomes a part of a file's name,
 * so that nothing but digits and a unit gets through. */
uint64_t cgroup_settings_page_size(const char *name)
{
	static const char units[][3] = { "KB", "MB", "GB" };
	uint64_t number;
	char *end;

	if (name[0] < '1' || name[0] > '9')
		return 0;
	number = strtoull(name, &end, 10);
	if (number > 1024 * 1024)
		return 0;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i]) == 0)
			return number << (10 * (i + 1));
	return 0;
}

int cgroup_settings_hugepages(struct cgroup_settings *settings, const struct plan_resources *resources, bool v2,
			      struct error *err)
{
	const char *limit = v2 ? "max" : "limit_in_bytes", *reserve = v2 ? "rsvd.max" : "rsvd.limit_in_bytes";

	for (size_t i = 0; i < resources->n_hugepages; i++) {
		const struct plan_number *pages = &resources->hugepages[i];
		uint64_t unit = cgroup_settings_page_size(pages->name);
		const char *where = arena_printf(settings->arena, "linux.resources.hugepageLimits[%zu]", i);
		const char *value = arena_printf(settings->arena, "%" PRIu64, pages->value);
		struct cgroup_setting *setting;

		if (!where || !value)
			return error_memory(err);
		if (unit == 0)
			return error_invalid(err, "%s.pageSize: \"%s\" is not a page size like \"2MB\"", where,
					     pages->name);
		setting = cgroup_settings_add(settings, CGROUP_HUGETLB, where,
					      arena_printf(settings->arena, "hugetlb.%s.%s", pages->name, limit), value);
		setting->unit = unit;
		if (!pages->reservation)
			continue;
		/* Without it a program reserves by mmap more than it may fault in, and is killed by SIGBUS. */
		setting = cgroup_settings_add(settings, CGROUP_HUGETLB, where,
					      arena_printf(settings->arena, "hugetlb.%s.%s", pages->name, reserve),
					      value);
		setting->unit = unit;
		setting->flags |= CGROUP_SETTING_OPTIONAL;
	}
	return 0;
}

static void add_rdma(struct cgroup_settings *settings, const struct plan_rdma *rdma, const char *field, uint32_t value)
{
	const char *where = arena_printf(settings->arena, "linux.resources.rdma[%s]", rdma->device);
	struct cgroup_setting *setting = cgroup_settings_add(settings, CGROUP_RDMA, where, "rdma.max",
							     arena_printf(settings->arena, "%" PRIu32, value));

	setting->key = rdma->device;
	setting->field = field;
	setting->absent = "max";
}

int cgroup_settings_rdma(struct cgroup_settings *settings, const struct plan_resources *resources, struct error *err)
{
	for (size_t i = 0; i < resources->n_rdma; i++) {
		const struct plan_rdma *rdma = &resources->rdma[i];

		/* It is written as the first word of a line. */
		if (!rdma->device || !rdma->device[0] || strpbrk(rdma->device, " \t\n"))
			return error_invalid(err, "linux.resources.rdma: \"%s\" is not a device's name",
					     rdma->device ?: "");
		if (rdma->set_handles)
			add_rdma(settings, rdma, "hca_handle", rdma->handles);
		if (rdma->set_objects)
			add_rdma(settings, rdma, "hca_object", rdma->objects);
	}
	return 0;
}

const char *cgroup_settings_controller_name(enum cgroup_controller controller, bool v2)
{
	switch (controller) {
	case CGROUP_CPU:
		return "cpu";
	case CGROUP_CPUACCT:
		return "cpuacct";
	case CGROUP_CPUSET:
		return "cpuset";
	case CGROUP_MEMORY:
		return "memory";
	case CGROUP_PIDS:
		return "pids";
	case CGROUP_IO:
		return v2 ? "io" : "blkio";
	case CGROUP_HUGETLB:
		return "hugetlb";
	case CGROUP_RDMA:
		return "rdma";
	case CGROUP_DEVICES:
		return "devices";
	case CGROUP_FREEZER:
		return "freezer";
	case CGROUP_NET_CLS:
		return "net_cls";
	case CGROUP_NET_PRIO:
		return "net_prio";
	case CGROUP_N_CONTROLLERS:
		break;
	}
	return "unified";
}
