/* Limits as values for kernel files: what is to be written where, why, and what the file shows when it worked. Pure: a
 * plan's resources become a list, which cgroup_apply.c carries out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "plan/plan.h"

enum cgroup_controller {
	CGROUP_CPU,
	CGROUP_CPUACCT,
	CGROUP_CPUSET,
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_IO, /* v1: blkio */
	CGROUP_HUGETLB,
	CGROUP_RDMA,
	CGROUP_DEVICES, /* v1 only, as the following */
	CGROUP_FREEZER,
	CGROUP_NET_CLS,
	CGROUP_NET_PRIO,
	CGROUP_N_CONTROLLERS,
	CGROUP_NO_CONTROLLER = CGROUP_N_CONTROLLERS, /* a file that every v2 group has */
};

enum cgroup_compare {
	CGROUP_COMPARE_NUMBER, /* equal after rounding down to `unit`; "max", "-1" and what v1 shows instead are the same */
	CGROUP_COMPARE_TEXT,	    /* equal */
	CGROUP_COMPARE_LIST,	    /* the same set: "0,1" and "0-1" */
	CGROUP_COMPARE_OOM_CONTROL, /* v1's memory.oom_control: the first line's number */
	CGROUP_COMPARE_LOOSE, /* numbers as above by whole pages, all else is believed: files that we know nothing about */
};

/* Microseconds: the period of cpu.max and cpu.cfs_period_us in a new group. */
#define CGROUP_CPU_PERIOD_DEFAULT 100000

/* Bits of cgroup_setting.flags. */
enum {
	CGROUP_SETTING_DEFAULT = 1 << 0,  /* what a new group has anyway: needs no controller */
	CGROUP_SETTING_SWAP = 1 << 1,	  /* a missing file is no failure where the host has no swap */
	CGROUP_SETTING_OPTIONAL = 1 << 2, /* a missing file is no failure at all */
};

struct cgroup_setting {
	enum cgroup_controller controller;
	unsigned flags;
	const char *where; /* "linux.resources.memory.limit" */
	const char *file;
	const char *key, *field; /* or NULL; what is written: "[key ][field=]value" */
	const char *value;
	const char *absent;		      /* what a keyed file without a line for key means */
	const char *other_file, *other_value; /* instead, where file does not exist; or NULL */
	enum cgroup_compare compare;
	uint64_t unit; /* CGROUP_COMPARE_NUMBER: the kernel's granularity */
	char *before;  /* cgroup_apply.c's: the value to put back; NULL: nothing to undo */
};

struct cgroup_settings {
	struct arena *arena; /* of the strings and the list */
	struct cgroup_setting *list;
	size_t n, capacity;
};

/* What the group has now, as far as new values depend on it. -1: no limit. */
struct cgroup_facts {
	int64_t memory_limit, memory_swap; /* memory_swap: v1's memory + swap */
	int64_t cpu_quota;
	uint64_t cpu_period, cpu_burst;
	uint32_t v2_controllers; /* of a hybrid host's v2 tree */
};

/* Of a new group. */
#define CGROUP_FACTS_NEW                                                                     \
	{                                                                                    \
		.memory_limit = -1, .memory_swap = -1, .cpu_quota = -1, .cpu_period = 100000 \
	}

/* Room for all that resources can ask for. */
int cgroup_settings_init(struct cgroup_settings *settings, const struct plan_resources *resources, struct arena *arena,
			 struct error *err);
/* Adds one: the returned setting, whose other members are zero, can be filled further. A file that takes one number. */
struct cgroup_setting *cgroup_settings_add(struct cgroup_settings *settings, enum cgroup_controller controller,
					   const char *where, const char *file, const char *value);
/* Text for a number, "max" (or v1's "-1") for a negative one. */
const char *cgroup_settings_number(struct cgroup_settings *settings, int64_t value, const char *unlimited);
/* Bits 1 << enum cgroup_controller of what has to be there for them. */
uint32_t cgroup_settings_controllers(const struct cgroup_settings *settings);
/* Where config.json asked for the first setting of that controller. */
const char *cgroup_settings_where(const struct cgroup_settings *settings, enum cgroup_controller controller);
/* rlimit-like numbers that both versions refuse: below -1, swap smaller than memory. */
int cgroup_settings_check(const struct plan_resources *resources, const struct cgroup_facts *facts, struct error *err);
/* "8:0" */
const char *cgroup_settings_device(struct cgroup_settings *settings, const struct plan_throttle *throttle);
/* "linux.resources.blockIO.throttleReadBpsDevice" */
const char *cgroup_settings_throttle_where(const struct plan_throttle *throttle);
/* Bytes of a page size as hugetlb files name it ("2MB"); 0: not one. */
uint64_t cgroup_settings_page_size(const char *name);
/* hugetlb, rdma: the same files but for the prefix. */
int cgroup_settings_hugepages(struct cgroup_settings *settings, const struct plan_resources *resources, bool v2,
			      struct error *err);
int cgroup_settings_rdma(struct cgroup_settings *settings, const struct plan_resources *resources, struct error *err);

/* "memory"; v1 name, which differs for one: "blkio" and "io". */
const char *cgroup_settings_controller_name(enum cgroup_controller controller, bool v2);

/* Is what the file shows (a whole file's text) what was wanted? */
bool cgroup_compare_matches(const struct cgroup_setting *setting, const char *text);
/* The value of setting's key and field in a file's text, copied to value; what absent says where it has none. */
void cgroup_compare_extract(const struct cgroup_setting *setting, const char *text, char *value, size_t size);
/* Is every number of list ("0-2,5") in allowed too? False for malformed lists. */
bool cgroup_compare_list_within(const char *list, const char *allowed);

/* v1's cpu.shares (2..262144, 1024 by default) as v2's cpu.weight (1..10000, 100 by default). */
uint64_t cgroup_convert_shares(uint64_t shares);
/* OCI's block IO weight (10..1000) as v2's io.weight (1..10000). */
uint64_t cgroup_convert_io_weight(uint64_t weight);
