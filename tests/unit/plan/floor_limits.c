#include "floor_limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define NONE UINT64_MAX
#define PERIOD 100000u

/* One limit, as it is asked for or planned. */
struct given {
	bool is_set;
	int64_t value;	  /* 0 and less: none */
	uint64_t period;  /* of processors */
	const char *file; /* NULL: nothing is written to it */
};

static uint64_t thousandths(uint64_t quota, uint64_t period)
{
	return (quota * 1000 + period - 1) / period;
}

static uint64_t of_file(const char *text, bool is_cpu)
{
	unsigned long long value, period = PERIOD;

	if (sscanf(text, "%llu %llu", &value, &period) < 1)
		return NONE;
	return is_cpu ? thousandths(value, period) : value;
}

static uint64_t of_field(const struct given *given, bool is_cpu)
{
	if (given->value <= 0)
		return NONE;
	return is_cpu ? thousandths((uint64_t)given->value, given->period) : (uint64_t)given->value;
}

static uint64_t loosest(const struct given *given, bool is_cpu)
{
	uint64_t field = given->is_set ? of_field(given, is_cpu) : NONE;
	uint64_t file = given->file ? of_file(given->file, is_cpu) : NONE;

	if (given->is_set && given->file)
		return field > file ? field : file;
	return given->file ? file : field;
}

static const char *planned_file(const struct plan_fixture *fixture, const char *name)
{
	const struct plan_resources *resources = &fixture->plan->cgroup.resources;

	for (size_t i = 0; i < resources->n_unified; i++) {
		if (strcmp(resources->unified[i].name, name) == 0)
			return resources->unified[i].value;
	}
	return NULL;
}

static const char *asked_file(const struct plan_fixture *fixture, const char *name)
{
	const struct spec_resources *resources = &fixture->spec->linux_.resources;

	for (size_t i = 0; i < resources->n_unified; i++) {
		if (strcmp(resources->unified[i].name, name) == 0)
			return resources->unified[i].value;
	}
	return NULL;
}

static uint64_t planned_pids(const struct plan_fixture *fixture)
{
	const struct plan_resources *resources = &fixture->plan->cgroup.resources;

	return loosest(&(struct given){ resources->set & PLAN_PIDS, resources->pids, 0,
					planned_file(fixture, "pids.max") },
		       false);
}

static uint64_t planned_memory(const struct plan_fixture *fixture)
{
	const struct plan_resources *resources = &fixture->plan->cgroup.resources;

	return loosest(&(struct given){ resources->set & PLAN_MEMORY_LIMIT, resources->memory_limit, 0,
					planned_file(fixture, "memory.max") },
		       false);
}

static uint64_t planned_cpu(const struct plan_fixture *fixture)
{
	const struct plan_resources *resources = &fixture->plan->cgroup.resources;
	bool has_period = resources->set & PLAN_CPU_PERIOD && resources->cpu_period;

	return loosest(&(struct given){ resources->set & PLAN_CPU_QUOTA, resources->cpu_quota,
					has_period ? resources->cpu_period : PERIOD, planned_file(fixture, "cpu.max") },
		       true);
}

static bool asks_for(struct opt_i64 limit, const char *file)
{
	return loosest(&(struct given){ limit.set, limit.value, 1, file }, false) != NONE;
}

bool floor_limits_pids_missing(const struct plan_fixture *fixture)
{
	bool asks = asks_for(fixture->spec->linux_.resources.pids_limit, asked_file(fixture, "pids.max"));

	return !asks && planned_pids(fixture) > fixture->request.policy->resources.pids.missing;
}

bool floor_limits_memory_missing(const struct plan_fixture *fixture)
{
	bool asks = asks_for(fixture->spec->linux_.resources.memory.limit, asked_file(fixture, "memory.max"));

	return !asks && planned_memory(fixture) > fixture->request.policy->resources.memory.missing;
}

bool floor_limits_cpu_missing(const struct plan_fixture *fixture)
{
	bool asks = asks_for(fixture->spec->linux_.resources.cpu.quota, asked_file(fixture, "cpu.max"));

	return !asks && planned_cpu(fixture) > fixture->request.policy->resources.cpu.missing;
}

bool floor_limits_pids_above(const struct plan_fixture *fixture)
{
	return planned_pids(fixture) > fixture->request.policy->resources.pids.most;
}

bool floor_limits_memory_above(const struct plan_fixture *fixture)
{
	return planned_memory(fixture) > fixture->request.policy->resources.memory.most;
}

bool floor_limits_cpu_above(const struct plan_fixture *fixture)
{
	return planned_cpu(fixture) > fixture->request.policy->resources.cpu.most;
}

bool floor_limits_greedy(const struct plan_fixture *fixture)
{
	const char *partition = planned_file(fixture, "cpuset.cpus.partition");
	const char *class = planned_file(fixture, "io.prio.class");

	return (partition && strcmp(partition, "member") != 0) || (class && strcmp(class, "idle") != 0) ||
	       planned_file(fixture, "cpuset.cpus.exclusive") || planned_file(fixture, "io.latency");
}
