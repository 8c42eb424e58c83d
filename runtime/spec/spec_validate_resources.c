/* What the tables can't say of "linux.resources". */
#include "spec/spec_validate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "spec/spec_check.h"

/* Documentation/scheduler/sched-bwc.rst: at least a millisecond, at most a second. */
#define PERIOD_MIN 1000
#define PERIOD_MAX 1000000
#define QUOTA_MIN 1000
/* Ours: no architecture has more sizes, and they are compared each with each. */
#define PAGE_SIZES_MAX 64
/* config-linux.md, "Block IO" */
#define WEIGHT_MIN 10
#define WEIGHT_MAX 1000

static int check_device_rules(const struct spec_resources *resources, const char *where, struct error *err)
{
	for (size_t i = 0; i < resources->n_devices; i++) {
		const char *access = resources->devices[i].access;

		if (access && strspn(access, "rwm") != strlen(access))
			return error_invalid(err, "%sdevices[%zu].access: \"%.*s\" is not made of \"r\", \"w\" and \"m\"",
					     where, i, SPEC_SHOWN, access);
	}
	return 0;
}

/* 0 stands for "not given". */
static int check_cpu(const struct spec_cpu *cpu, const char *where, struct error *err)
{
	uint64_t period = cpu->period.value;
	int64_t quota = cpu->quota.value;
	int r;

	if (cpu->period.set && period != 0 && (period < PERIOD_MIN || period > PERIOD_MAX))
		return error_invalid(err, "%scpu.period: %" PRIu64 " is out of range; allowed: %d to %d microseconds",
				     where, period, PERIOD_MIN, PERIOD_MAX);
	if (cpu->quota.set && quota > 0 && quota < QUOTA_MIN)
		return error_invalid(err,
				     "%scpu.quota: %" PRId64 " is out of range; allowed: -1, or from %d microseconds",
				     where, quota, QUOTA_MIN);
	r = spec_check_cpu_list(cpu->cpus, where, "cpu.cpus", err);
	return r < 0 ? r : spec_check_cpu_list(cpu->mems, where, "cpu.mems", err);
}

static int check_weight(const struct opt_u16 *weight, const char *where, const char *name, struct error *err)
{
	if (!weight->set || weight->value == 0 || (weight->value >= WEIGHT_MIN && weight->value <= WEIGHT_MAX))
		return 0;
	return error_invalid(err, "%sblockIO.%s: %u is out of range; allowed: %d to %d", where, name, weight->value,
			     WEIGHT_MIN, WEIGHT_MAX);
}

static int check_block_io(const struct spec_block_io *io, const char *where, struct error *err)
{
	char name[64];
	int r = check_weight(&io->weight, where, "weight", err);

	if (r == 0)
		r = check_weight(&io->leaf_weight, where, "leafWeight", err);
	for (size_t i = 0; i < io->n_weight_device && r == 0; i++) {
		snprintf(name, sizeof(name), "weightDevice[%zu].weight", i);
		r = check_weight(&io->weight_device[i].weight, where, name, err);
		if (r < 0)
			break;
		snprintf(name, sizeof(name), "weightDevice[%zu].leafWeight", i);
		r = check_weight(&io->weight_device[i].leaf_weight, where, name, err);
	}
	return r;
}

/* "64KB", "2MB", "1GB": it becomes part of a file's name. */
static bool is_page_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits >= 1 && digits <= 10 && text[0] != '0' &&
	       (strcmp(text + digits, "KB") == 0 || strcmp(text + digits, "MB") == 0 || strcmp(text + digits, "GB") == 0);
}

static int check_hugepages(const struct spec_resources *resources, const char *where, struct error *err)
{
	if (resources->n_hugepage_limits > PAGE_SIZES_MAX)
		return error_invalid(err, "%shugepageLimits: %zu entries; at most %d are allowed", where,
				     resources->n_hugepage_limits, PAGE_SIZES_MAX);
	for (size_t i = 0; i < resources->n_hugepage_limits; i++) {
		const char *size = resources->hugepage_limits[i].page_size;

		if (!is_page_size(size))
			return error_invalid(err,
					     "%shugepageLimits[%zu].pageSize: \"%.*s\" is not a size such as \"2MB\"",
					     where, i, SPEC_SHOWN, size);
		for (size_t j = 0; j < i; j++)
			if (strcmp(resources->hugepage_limits[j].page_size, size) == 0)
				return error_invalid(err, "%shugepageLimits[%zu].pageSize: \"%s\" is there twice",
						     where, i, size);
	}
	return 0;
}

/* Both go into lines of the form "NAME VALUE". */
static int check_network(const struct spec_network *network, const char *where, struct error *err)
{
	for (size_t i = 0; i < network->n_priorities; i++)
		if (!spec_check_charset(network->priorities[i].name, "-_.:@"))
			return error_invalid(err, "%snetwork.priorities[%zu].name: \"%.*s\" is not an interface's name",
					     where, i, SPEC_SHOWN, network->priorities[i].name);
	return 0;
}

static int check_rdma(const struct spec_resources *resources, const char *where, struct error *err)
{
	for (size_t i = 0; i < resources->n_rdma; i++) {
		const struct spec_rdma *rdma = &resources->rdma[i];

		if (!spec_check_charset(rdma->device, "-_."))
			return error_invalid(err, "%srdma[\"%.*s\"]: not a device's name", where, SPEC_SHOWN,
					     rdma->device);
		if (!rdma->hca_handles.set && !rdma->hca_objects.set)
			return error_invalid(err, "%srdma[\"%s\"]: one of hcaHandles and hcaObjects is required", where,
					     rdma->device);
	}
	return 0;
}

/* A file of the container's own cgroup that limits something: no path, and none of the files that move processes about. */
static bool is_unified_name(const char *name)
{
	if (!spec_check_charset(name, "_.-") || name[0] == '.' || !strchr(name, '.'))
		return false;
	return strncmp(name, "cgroup.", 7) != 0 || strncmp(name, "cgroup.max.", 11) == 0;
}

static int check_unified(const struct spec_resources *resources, const char *where, struct error *err)
{
	for (size_t i = 0; i < resources->n_unified; i++)
		if (!is_unified_name(resources->unified[i].name))
			return error_invalid(err,
					     "%sunified[\"%.*s\"]: not a limit's file; allowed: names such as "
					     "\"memory.high\" without \"/\", and of cgroup.* only cgroup.max.*",
					     where, SPEC_SHOWN, resources->unified[i].name);
	return 0;
}

int spec_validate_resources(const struct spec_resources *resources, const char *where, struct error *err)
{
	int r = check_device_rules(resources, where, err);

	if (r == 0)
		r = check_cpu(&resources->cpu, where, err);
	if (r == 0)
		r = check_block_io(&resources->block_io, where, err);
	if (r == 0)
		r = check_hugepages(resources, where, err);
	if (r == 0)
		r = check_network(&resources->network, where, err);
	if (r == 0)
		r = check_rdma(resources, where, err);
	if (r == 0)
		r = check_unified(resources, where, err);
	return r;
}
