#include "container/metrics/metrics_parse.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define UNLIMITED_FROM (UINT64_C(1) << 62) /* v1: LONG_MAX rounded down to pages */

struct key { /* several keys may add up to one number */
	const char *name;
	size_t offset;
	uint64_t divisor; /* 0: 1 */
};

#define CPU(member) offsetof(struct brig_metrics, cpu.member)
#define MEMORY(member) offsetof(struct brig_metrics, memory.member)
#define EVENT(member) offsetof(struct brig_metrics, memory_events.member)

static const struct key cpu_keys[] = {
	{ "usage_usec", CPU(usage_usec), 0 },	  { "user_usec", CPU(user_usec), 0 },
	{ "system_usec", CPU(system_usec), 0 },	  { "nr_periods", CPU(nr_periods), 0 },
	{ "nr_throttled", CPU(nr_throttled), 0 }, { "throttled_usec", CPU(throttled_usec), 0 },
};

static const struct key cpu_v1_keys[] = {
	{ "nr_periods", CPU(nr_periods), 0 },
	{ "nr_throttled", CPU(nr_throttled), 0 },
	{ "throttled_time", CPU(throttled_usec), 1000 },
};

static const struct key memory_keys[] = {
	{ "anon", MEMORY(anon), 0 },
	{ "file", MEMORY(file), 0 },
	{ "kernel_stack", MEMORY(kernel_stack), 0 },
	{ "slab", MEMORY(slab), 0 },
	{ "sock", MEMORY(sock), 0 },
	{ "shmem", MEMORY(shmem), 0 },
	{ "file_mapped", MEMORY(file_mapped), 0 },
	{ "file_dirty", MEMORY(file_dirty), 0 },
	{ "file_writeback", MEMORY(file_writeback), 0 },
	{ "anon_thp", MEMORY(anon_thp), 0 },
	{ "inactive_anon", MEMORY(inactive_anon), 0 },
	{ "active_anon", MEMORY(active_anon), 0 },
	{ "inactive_file", MEMORY(inactive_file), 0 },
	{ "active_file", MEMORY(active_file), 0 },
	{ "unevictable", MEMORY(unevictable), 0 },
	{ "slab_reclaimable", MEMORY(slab_reclaimable), 0 },
	{ "slab_unreclaimable", MEMORY(slab_unreclaimable), 0 },
	{ "pgfault", MEMORY(pgfault), 0 },
	{ "pgmajfault", MEMORY(pgmajfault), 0 },
	/* One key up to Linux 5.8, two since. */
	{ "workingset_refault", MEMORY(workingset_refault), 0 },
	{ "workingset_refault_anon", MEMORY(workingset_refault), 0 },
	{ "workingset_refault_file", MEMORY(workingset_refault), 0 },
	{ "workingset_activate", MEMORY(workingset_activate), 0 },
	{ "workingset_activate_anon", MEMORY(workingset_activate), 0 },
	{ "workingset_activate_file", MEMORY(workingset_activate), 0 },
	{ "workingset_nodereclaim", MEMORY(workingset_nodereclaim), 0 },
	{ "pgrefill", MEMORY(pgrefill), 0 },
	{ "pgscan", MEMORY(pgscan), 0 },
	{ "pgsteal", MEMORY(pgsteal), 0 },
	{ "pgactivate", MEMORY(pgactivate), 0 },
	{ "pgdeactivate", MEMORY(pgdeactivate), 0 },
	{ "pglazyfree", MEMORY(pglazyfree), 0 },
	{ "pglazyfreed", MEMORY(pglazyfreed), 0 },
	{ "thp_fault_alloc", MEMORY(thp_fault_alloc), 0 },
	{ "thp_collapse_alloc", MEMORY(thp_collapse_alloc), 0 },
};

/* Those with the groups below: v2's numbers count them always. */
static const struct key memory_v1_keys[] = {
	{ "total_rss", MEMORY(anon), 0 },
	{ "total_cache", MEMORY(file), 0 },
	{ "total_shmem", MEMORY(shmem), 0 },
	{ "total_mapped_file", MEMORY(file_mapped), 0 },
	{ "total_dirty", MEMORY(file_dirty), 0 },
	{ "total_writeback", MEMORY(file_writeback), 0 },
	{ "total_rss_huge", MEMORY(anon_thp), 0 },
	{ "total_inactive_anon", MEMORY(inactive_anon), 0 },
	{ "total_active_anon", MEMORY(active_anon), 0 },
	{ "total_inactive_file", MEMORY(inactive_file), 0 },
	{ "total_active_file", MEMORY(active_file), 0 },
	{ "total_unevictable", MEMORY(unevictable), 0 },
	{ "total_pgfault", MEMORY(pgfault), 0 },
	{ "total_pgmajfault", MEMORY(pgmajfault), 0 },
	{ "total_workingset_refault_anon", MEMORY(workingset_refault), 0 },
	{ "total_workingset_refault_file", MEMORY(workingset_refault), 0 },
};

static const struct key event_keys[] = {
	{ "low", EVENT(low), 0 }, { "high", EVENT(high), 0 },	      { "max", EVENT(max), 0 },
	{ "oom", EVENT(oom), 0 }, { "oom_kill", EVENT(oom_kill), 0 }, { "oom_group_kill", EVENT(oom_group_kill), 0 },
};

static void take_line(const char *line, size_t name_length, const struct key *keys, size_t n, void *metrics)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(keys[i].name) != name_length || memcmp(keys[i].name, line, name_length) != 0)
			continue;
		*(uint64_t *)((char *)metrics + keys[i].offset) +=
			strtoull(line + name_length + 1, NULL, 10) / (keys[i].divisor ?: 1);
		return;
	}
}

/* "name number" a line. */
static void take(const char *text, const struct key *keys, size_t n, struct brig_metrics *metrics)
{
	for (const char *line = text; *line; line += strspn(line, "\n")) {
		size_t name_length = strcspn(line, " \n");

		if (line[name_length] == ' ')
			take_line(line, name_length, keys, n, metrics);
		line += strcspn(line, "\n");
	}
}

void metrics_parse_cpu(const char *text, struct brig_metrics *metrics)
{
	take(text, cpu_keys, ARRAY_SIZE(cpu_keys), metrics);
}

void metrics_parse_cpu_v1(const char *text, struct brig_metrics *metrics)
{
	take(text, cpu_v1_keys, ARRAY_SIZE(cpu_v1_keys), metrics);
}

void metrics_parse_memory(const char *text, struct brig_metrics *metrics)
{
	take(text, memory_keys, ARRAY_SIZE(memory_keys), metrics);
}

void metrics_parse_memory_v1(const char *text, struct brig_metrics *metrics)
{
	take(text, memory_v1_keys, ARRAY_SIZE(memory_v1_keys), metrics);
}

void metrics_parse_memory_events(const char *text, struct brig_metrics *metrics)
{
	take(text, event_keys, ARRAY_SIZE(event_keys), metrics);
}

static bool take_share(const char *line, struct brig_pressure_share *ret)
{
	struct brig_pressure_share share;

	if (!line || sscanf(line + 5, "avg10=%lf avg60=%lf avg300=%lf total=%" SCNu64, &share.avg10, &share.avg60,
			    &share.avg300, &share.total) != 4)
		return false;
	*ret = share;
	return true;
}

void metrics_parse_pressure(const char *text, struct brig_pressure *ret)
{
	ret->is_known = take_share(strncmp(text, "some ", 5) == 0 ? text : NULL, &ret->some);
	text = strstr(text, "\nfull ");
	take_share(text ? text + 1 : NULL, &ret->full);
}

uint64_t metrics_parse_limit(const char *text)
{
	uint64_t value = strtoull(text, NULL, 10);

	return text[0] < '0' || text[0] > '9' || value >= UNLIMITED_FROM ? UINT64_MAX : value;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static bool parse_device(const char *text, struct brig_io_entry *ret)
{
	return sscanf(text, "%" SCNu64 ":%" SCNu64, &ret->major, &ret->minor) == 2;
}

/* The number behind " word=", within the line. */
static uint64_t io_number(const char *line, size_t length, const char *word)
{
	const char *found = memmem(line, length, word, strlen(word));

	return found ? strtoull(found + strlen(word), NULL, 10) : 0;
}

int metrics_parse_io(const char *text, struct arena *arena, struct brig_metrics *metrics, struct error *err)
{
	struct brig_io_entry *list = arena_array_of(arena, count_lines(text), struct brig_io_entry);
	size_t n = 0;

	if (!list)
		return error_memory(err);
	for (const char *line = text; *line; line += strspn(line, "\n")) {
		size_t length = strcspn(line, "\n");

		if (parse_device(line, &list[n])) {
			list[n].rbytes = io_number(line, length, " rbytes=");
			list[n].wbytes = io_number(line, length, " wbytes=");
			list[n].rios = io_number(line, length, " rios=");
			list[n++].wios = io_number(line, length, " wios=");
		}
		line += length;
	}
	metrics->io = list;
	metrics->n_io = n;
	return 0;
}

static struct brig_io_entry *entry_of(struct brig_metrics *metrics, const struct brig_io_entry *device)
{
	for (size_t i = 0; i < metrics->n_io; i++) {
		if (metrics->io[i].major == device->major && metrics->io[i].minor == device->minor)
			return &metrics->io[i];
	}
	metrics->io[metrics->n_io] = *device;
	return &metrics->io[metrics->n_io++];
}

static void take_io_v1(const char *text, bool bytes, struct brig_metrics *metrics)
{
	for (const char *line = text; *line; line += strspn(line, "\n")) {
		struct brig_io_entry device = { 0 };
		char operation[16];
		uint64_t value;

		if (sscanf(line, "%" SCNu64 ":%" SCNu64 " %15s %" SCNu64, &device.major, &device.minor, operation,
			   &value) == 4) {
			struct brig_io_entry *entry = entry_of(metrics, &device);

			if (strcmp(operation, "Read") == 0)
				*(bytes ? &entry->rbytes : &entry->rios) = value;
			else if (strcmp(operation, "Write") == 0)
				*(bytes ? &entry->wbytes : &entry->wios) = value;
		}
		line += strcspn(line, "\n");
	}
}

int metrics_parse_io_v1(const char *bytes, const char *operations, struct arena *arena, struct brig_metrics *metrics,
			struct error *err)
{
	metrics->n_io = 0;
	metrics->io = arena_array_of(arena, count_lines(bytes) + count_lines(operations), struct brig_io_entry);
	if (!metrics->io)
		return error_memory(err);
	take_io_v1(bytes, /* bytes= */ true, metrics);
	take_io_v1(operations, /* bytes= */ false, metrics);
	return 0;
}
