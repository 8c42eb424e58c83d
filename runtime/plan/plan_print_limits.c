/* The group and its limits, for `brig plan`. */
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "plan/plan_printer.h"

static void print_memory_and_cpu(struct plan_printer *printer, const struct plan_resources *resources)
{
	const struct {
		uint32_t bit;
		const char *name;
		int64_t value;
	} numbers[] = {
		{ PLAN_MEMORY_LIMIT, "memoryLimit", resources->memory_limit },
		{ PLAN_MEMORY_RESERVATION, "memoryReservation", resources->memory_reservation },
		{ PLAN_MEMORY_SWAP, "memoryAndSwap", resources->memory_swap },
		{ PLAN_MEMORY_KERNEL, "memoryKernel", resources->memory_kernel },
		{ PLAN_MEMORY_KERNEL_TCP, "memoryKernelTCP", resources->memory_kernel_tcp },
		{ PLAN_MEMORY_SWAPPINESS, "memorySwappiness", (int64_t)resources->memory_swappiness },
		{ PLAN_CPU_SHARES, "cpuShares", (int64_t)resources->cpu_shares },
		{ PLAN_CPU_QUOTA, "cpuQuota", resources->cpu_quota },
		{ PLAN_CPU_PERIOD, "cpuPeriod", (int64_t)resources->cpu_period },
		{ PLAN_CPU_BURST, "cpuBurst", (int64_t)resources->cpu_burst },
		{ PLAN_CPU_IDLE, "cpuIdle", resources->cpu_idle },
		{ PLAN_CPU_RT_RUNTIME, "cpuRealtimeRuntime", resources->cpu_rt_runtime },
		{ PLAN_CPU_RT_PERIOD, "cpuRealtimePeriod", (int64_t)resources->cpu_rt_period },
		{ PLAN_PIDS, "pids", resources->pids },
		{ PLAN_IO_DEFAULT_WEIGHT, "ioWeight", resources->io_weight },
		{ PLAN_IO_DEFAULT_LEAF_WEIGHT, "ioLeafWeight", resources->io_leaf_weight },
		{ PLAN_NET_CLASS, "netClass", resources->net_class },
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (resources->set & numbers[i].bit)
			plan_printer_int(printer, numbers[i].name, numbers[i].value);
	}
	if (resources->set & PLAN_MEMORY_OOM_DISABLE)
		plan_printer_bool(printer, "oomKillDisabled", resources->oom_disable);
	if (resources->set & PLAN_MEMORY_CHECK)
		plan_printer_bool(printer, "memoryCheckBeforeUpdate", resources->memory_check_before_update);
	if (resources->set & PLAN_MEMORY_HIERARCHY)
		plan_printer_bool(printer, "memoryUseHierarchy", resources->memory_hierarchy);
	plan_printer_string(printer, "cpus", resources->cpus);
	plan_printer_string(printer, "mems", resources->mems);
}

static const char *throttle_name(const struct plan_throttle *throttle)
{
	switch (throttle->kind) {
	case PLAN_IO_WEIGHT:
		return "weight";
	case PLAN_IO_LEAF_WEIGHT:
		return "leafWeight";
	case PLAN_IO_READ_BPS:
		return "readBps";
	case PLAN_IO_WRITE_BPS:
		return "writeBps";
	case PLAN_IO_READ_IOPS:
		return "readIops";
	case PLAN_IO_WRITE_IOPS:
		return "writeIops";
	}
	return NULL;
}

static void print_throttles(struct plan_printer *printer, const struct plan_resources *resources)
{
	char device[48];

	if (resources->n_throttles == 0)
		return;
	plan_printer_list(printer, "io");
	for (size_t i = 0; i < resources->n_throttles; i++) {
		const struct plan_throttle *throttle = &resources->throttles[i];

		snprintf(device, sizeof(device), "%" PRIu64 ":%" PRIu64, throttle->major, throttle->minor);
		plan_printer_object(printer, NULL);
		plan_printer_string(printer, "device", device);
		plan_printer_uint(printer, throttle_name(throttle), throttle->value);
		plan_printer_object_end(printer);
	}
	plan_printer_list_end(printer);
}

/* A limit of UINT64_MAX is none (plan_printer_limit()). */
static void print_numbers(struct plan_printer *printer, const char *key, const struct plan_number *list, size_t n)
{
	if (n == 0)
		return;
	plan_printer_object(printer, key);
	for (size_t i = 0; i < n; i++)
		plan_printer_limit(printer, list[i].name, list[i].value);
	plan_printer_object_end(printer);
}

static void print_named(struct plan_printer *printer, const struct plan_resources *resources)
{
	print_numbers(printer, "hugepages", resources->hugepages, resources->n_hugepages);
	print_numbers(printer, "netPriorities", resources->net_priorities, resources->n_net_priorities);
	if (resources->n_rdma)
		plan_printer_object(printer, "rdma");
	for (size_t i = 0; i < resources->n_rdma; i++) {
		const struct plan_rdma *rdma = &resources->rdma[i];

		plan_printer_object(printer, rdma->device);
		if (rdma->set_handles)
			plan_printer_uint(printer, "handles", rdma->handles);
		if (rdma->set_objects)
			plan_printer_uint(printer, "objects", rdma->objects);
		plan_printer_object_end(printer);
	}
	if (resources->n_rdma)
		plan_printer_object_end(printer);
	if (resources->n_unified)
		plan_printer_object(printer, "unified");
	for (size_t i = 0; i < resources->n_unified; i++)
		plan_printer_string(printer, resources->unified[i].name, resources->unified[i].value);
	if (resources->n_unified)
		plan_printer_object_end(printer);
}

/* As devices.allow of cgroup v1 has it: "c 136:* rwm". */
static void print_devices(struct plan_printer *printer, const struct plan_resources *resources)
{
	char line[96], major[24], minor[24];

	if (resources->n_devices == 0)
		return;
	plan_printer_list(printer, "devices");
	for (size_t i = 0; i < resources->n_devices; i++) {
		const struct plan_device_rule *rule = &resources->devices[i];

		snprintf(major, sizeof(major), rule->major < 0 ? "*" : "%" PRId64, rule->major);
		snprintf(minor, sizeof(minor), rule->minor < 0 ? "*" : "%" PRId64, rule->minor);
		snprintf(line, sizeof(line), "%s %c %s:%s %s%s%s", rule->allow ? "allow" : "deny", rule->type, major,
			 minor, rule->access & BPF_DEVCG_ACC_READ ? "r" : "",
			 rule->access & BPF_DEVCG_ACC_WRITE ? "w" : "", rule->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
		plan_printer_string(printer, NULL, line);
	}
	plan_printer_list_end(printer);
}

static const char *manager_name(enum plan_cgroup_manager manager)
{
	switch (manager) {
	case PLAN_CGROUP_FS:
		return "fs";
	case PLAN_CGROUP_SYSTEMD:
		return "systemd";
	case PLAN_CGROUP_DISABLED:
		return "disabled";
	}
	return NULL;
}

void plan_print_limits(struct plan_printer *printer, const struct plan_cgroup *cgroup)
{
	plan_printer_object(printer, "cgroup");
	plan_printer_string(printer, "manager", manager_name(cgroup->manager));
	plan_printer_string(printer, "path", cgroup->path);
	if (cgroup->delegate)
		plan_printer_uint(printer, "ownerUid", cgroup->owner_uid);
	if (cgroup->n_properties)
		plan_printer_object(printer, "properties");
	for (size_t i = 0; i < cgroup->n_properties; i++)
		plan_printer_string(printer, cgroup->properties[i].name, cgroup->properties[i].value);
	if (cgroup->n_properties)
		plan_printer_object_end(printer);
	print_memory_and_cpu(printer, &cgroup->resources);
	print_throttles(printer, &cgroup->resources);
	print_named(printer, &cgroup->resources);
	print_devices(printer, &cgroup->resources);
	plan_printer_object_end(printer);
}
