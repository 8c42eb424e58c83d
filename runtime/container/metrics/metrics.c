#include "container/metrics/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "container/metrics/metrics_parse.h"
#include "parent/cgroup/cgroup_file.h"
#include "parent/cgroup/cgroup_statistics.h"

#define PAGE_SIZES_MAX 16

/* 0 where nobody counts. */
static uint64_t count(int fd, const char *file)
{
	char text[64];

	return fd >= 0 && fd_read_file_at(fd, file, text, sizeof(text)) > 0 ? strtoull(text, NULL, 10) : 0;
}

static uint64_t limit(int fd, const char *file)
{
	char text[64];

	return fd >= 0 && fd_read_file_at(fd, file, text, sizeof(text)) > 0 ? metrics_parse_limit(text) : UINT64_MAX;
}

static void parse(int fd, const char *file, void (*take)(const char *text, struct brig_metrics *metrics),
		  struct brig_metrics *metrics)
{
	AUTO_FREE char *text = fd >= 0 ? cgroup_statistics_read(fd, file) : NULL;

	if (text)
		take(text, metrics);
}

static void pressure(struct cgroup *cgroup, const char *file, struct brig_pressure *ret)
{
	int fd = cgroup_files(cgroup, "", NULL);
	char text[512];

	/* EOPNOTSUPP where the kernel was started with psi=0. */
	if (fd >= 0 && fd_read_file_at(fd, file, text, sizeof(text)) > 0)
		metrics_parse_pressure(text, ret);
}

/* Every group of a v2 tree counts time, whatever controllers there are. */
static void read_cpu(struct cgroup *cgroup, struct brig_metrics *metrics)
{
	int fd, v2_fd = cgroup_files(cgroup, "", NULL);
	bool v2 = true;

	fd = cgroup_files(cgroup, "cpu", &v2);
	parse(v2_fd, "cpu.stat", metrics_parse_cpu, metrics);
	if (!v2)
		parse(fd, "cpu.stat", metrics_parse_cpu_v1, metrics);
	if (v2_fd < 0) {
		fd = cgroup_files(cgroup, "cpuacct", NULL);
		metrics->cpu.usage_usec = count(fd, "cpuacct.usage") / 1000;
		metrics->cpu.user_usec = count(fd, "cpuacct.usage_user") / 1000;
		metrics->cpu.system_usec = count(fd, "cpuacct.usage_sys") / 1000;
	}
	pressure(cgroup, "cpu.pressure", &metrics->cpu.psi);
}

static void read_memory_v2(int fd, struct brig_metrics *metrics)
{
	parse(fd, "memory.stat", metrics_parse_memory, metrics);
	parse(fd, "memory.events", metrics_parse_memory_events, metrics);
	metrics->memory.usage = count(fd, "memory.current");
	metrics->memory.usage_limit = limit(fd, "memory.max");
	metrics->memory.max_usage = count(fd, "memory.peak");
	metrics->memory.swap_usage = count(fd, "memory.swap.current");
	metrics->memory.swap_limit = limit(fd, "memory.swap.max");
	metrics->memory.swap_max_usage = count(fd, "memory.swap.peak");
}

static uint64_t minus(uint64_t whole, uint64_t part)
{
	return whole > part ? whole - part : 0;
}

/* v1 counts and limits memory and swap as one sum. */
static void read_memory_v1(int fd, struct brig_metrics *metrics)
{
	uint64_t both = limit(fd, "memory.memsw.limit_in_bytes");

	parse(fd, "memory.stat", metrics_parse_memory_v1, metrics);
	metrics->memory.usage = count(fd, "memory.usage_in_bytes");
	metrics->memory.usage_limit = limit(fd, "memory.limit_in_bytes");
	metrics->memory.max_usage = count(fd, "memory.max_usage_in_bytes");
	metrics->memory.swap_usage = minus(count(fd, "memory.memsw.usage_in_bytes"), metrics->memory.usage);
	if (both != UINT64_MAX)
		metrics->memory.swap_limit = minus(both, metrics->memory.usage_limit);
	metrics->memory_events.max = count(fd, "memory.failcnt");
	metrics->memory_events.oom_kill = cgroup_file_keyed(fd, "memory.oom_control", "oom_kill", 0);
}

static void read_memory(struct cgroup *cgroup, struct brig_metrics *metrics)
{
	bool v2 = true;
	int fd = cgroup_files(cgroup, "memory", &v2);

	metrics->memory.usage_limit = metrics->memory.swap_limit = UINT64_MAX;
	if (fd >= 0 && v2)
		read_memory_v2(fd, metrics);
	else if (fd >= 0)
		read_memory_v1(fd, metrics);
	pressure(cgroup, "memory.pressure", &metrics->memory.psi);
}

static int read_pids(struct cgroup *cgroup, struct arena *arena, struct brig_metrics *metrics, struct error *err)
{
	int fd = cgroup_files(cgroup, "pids", NULL);
	size_t n = 0;
	pid_t *list;
	int rc = 0;

	metrics->pids.limit = limit(fd, "pids.max");
	metrics->pids.current = count(fd, "pids.current");
	/* Nobody counts threads there: the number of processes is the next best. */
	if (fd < 0)
		rc = cgroup_pids(cgroup, arena, &list, &n, err);
	if (fd < 0 && rc >= 0)
		metrics->pids.current = n;
	return rc;
}

static int read_io(struct cgroup *cgroup, struct arena *arena, struct brig_metrics *metrics, struct error *err)
{
	AUTO_FREE char *bytes = NULL, *operations = NULL;
	bool v2 = true;
	int fd = cgroup_files(cgroup, "io", &v2);

	pressure(cgroup, "io.pressure", &metrics->io_psi);
	if (fd < 0)
		return 0;
	if (v2) {
		bytes = cgroup_statistics_read(fd, "io.stat");
		return bytes ? metrics_parse_io(bytes, arena, metrics, err) : 0;
	}
	bytes = cgroup_statistics_read(fd, "blkio.throttle.io_service_bytes_recursive");
	operations = cgroup_statistics_read(fd, "blkio.throttle.io_serviced_recursive");
	return metrics_parse_io_v1(bytes ?: "", operations ?: "", arena, metrics, err);
}

static void read_page_size(int fd, bool v2, const char *size, struct brig_hugepages *ret)
{
	char file[64];

	snprintf(file, sizeof(file), "hugetlb.%s.%s", size, v2 ? "current" : "usage_in_bytes");
	ret->current = count(fd, file);
	snprintf(file, sizeof(file), "hugetlb.%s.%s", size, v2 ? "max" : "limit_in_bytes");
	ret->max = limit(fd, file);
	snprintf(file, sizeof(file), "hugetlb.%s.%s", size, v2 ? "events" : "failcnt");
	ret->failed = v2 ? cgroup_file_keyed(fd, file, "max", 0) : count(fd, file);
}

static int read_hugepages(struct cgroup *cgroup, struct arena *arena, struct brig_metrics *metrics, struct error *err)
{
	bool v2 = true;
	int fd = cgroup_files(cgroup, "hugetlb", &v2);
	AUTO(closedir) DIR *directory = fd >= 0 ? opendir("/sys/kernel/mm/hugepages") : NULL;
	const struct dirent *entry;
	unsigned long kilobytes;
	char size[32];

	if (!directory)
		return 0;
	metrics->hugepages = arena_array_of(arena, PAGE_SIZES_MAX, struct brig_hugepages);
	if (!metrics->hugepages)
		return error_memory(err);
	while (metrics->n_hugepages < PAGE_SIZES_MAX && (entry = readdir(directory))) {
		struct brig_hugepages *next = &metrics->hugepages[metrics->n_hugepages];

		if (sscanf(entry->d_name, "hugepages-%lukB", &kilobytes) != 1)
			continue;
		cgroup_statistics_page_size(kilobytes, size);
		next->page_size = arena_strdup(arena, size);
		if (!next->page_size)
			return error_memory(err);
		read_page_size(fd, v2, size, next);
		metrics->n_hugepages++;
	}
	return 0;
}

int metrics_read(struct cgroup *cgroup, struct arena *arena, struct brig_metrics *ret, struct error *err)
{
	struct brig_metrics metrics = { 0 };
	int rc;

	read_cpu(cgroup, &metrics);
	read_memory(cgroup, &metrics);
	rc = read_pids(cgroup, arena, &metrics, err);
	if (rc >= 0)
		rc = read_io(cgroup, arena, &metrics, err);
	if (rc >= 0)
		rc = read_hugepages(cgroup, arena, &metrics, err);
	if (rc < 0)
		return rc;
	*ret = metrics;
	return 0;
}
