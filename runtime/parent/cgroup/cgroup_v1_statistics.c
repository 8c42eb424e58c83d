/* What v1's controllers have counted, under the names of runc's events. */
#include "parent/cgroup/cgroup_v1.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "parent/cgroup/cgroup_file.h"
#include "parent/cgroup/cgroup_statistics.h"
#include "parent/cgroup/cgroup_v2.h"

static void percpu(struct json_writer *writer, const char *member, int fd, const char *file)
{
	AUTO_FREE char *text = cgroup_statistics_read(fd, file);
	char *next = text, *end;

	if (!text)
		return;
	json_write_key(writer, member);
	json_write_array_begin(writer);
	for (uint64_t value = strtoull(next, &end, 10); end != next; value = strtoull(next, &end, 10)) {
		json_write_uint(writer, value);
		next = end;
	}
	json_write_array_end(writer);
}

/* cpuacct's numbers are nanoseconds already. */
static void cpu_usage(struct json_writer *writer, int fd)
{
	json_write_key(writer, "usage");
	json_write_object_begin(writer);
	cgroup_statistics_file(writer, "total", fd, "cpuacct.usage");
	percpu(writer, "percpu", fd, "cpuacct.usage_percpu");
	cgroup_statistics_file(writer, "kernel", fd, "cpuacct.usage_sys");
	cgroup_statistics_file(writer, "user", fd, "cpuacct.usage_user");
	json_write_object_end(writer);
}

static void cpu_usage_v2(struct json_writer *writer, int fd)
{
	json_write_key(writer, "usage");
	json_write_object_begin(writer);
	json_write_member_uint(writer, "total", cgroup_file_keyed(fd, "cpu.stat", "usage_usec", 0) * 1000);
	json_write_member_uint(writer, "kernel", cgroup_file_keyed(fd, "cpu.stat", "system_usec", 0) * 1000);
	json_write_member_uint(writer, "user", cgroup_file_keyed(fd, "cpu.stat", "user_usec", 0) * 1000);
	json_write_object_end(writer);
}

/* Time is counted in the v2 tree of a hybrid host for every group, throttling where the quota is. */
static void cpu(struct cgroup *cgroup, struct json_writer *writer)
{
	static const struct cgroup_statistics_line throttling[] = {
		{ "nr_periods", "periods", 1 },
		{ "nr_throttled", "throttledPeriods", 1 },
		{ "throttled_time", "throttledTime", 1 },
	};
	int v2_fd = cgroup_tree_fd(cgroup, CGROUP_TREE_V2), account_fd = cgroup_tree_fd(cgroup, CGROUP_CPUACCT);
	AUTO_FREE char *text = cgroup_statistics_read(cgroup_tree_fd(cgroup, CGROUP_CPU), "cpu.stat");

	if (v2_fd < 0 && account_fd < 0 && !text)
		return;
	json_write_key(writer, "cpu");
	json_write_object_begin(writer);
	if (account_fd >= 0)
		cpu_usage(writer, account_fd);
	else if (v2_fd >= 0)
		cpu_usage_v2(writer, v2_fd);
	json_write_key(writer, "throttling");
	json_write_object_begin(writer);
	if (text)
		cgroup_statistics_lines(writer, text, throttling, ARRAY_SIZE(throttling));
	json_write_object_end(writer);
	if (v2_fd >= 0)
		cgroup_statistics_pressure(writer, v2_fd, "cpu.pressure");
	json_write_object_end(writer);
}

static void memory_entry(struct json_writer *writer, const char *key, int fd, const char *prefix)
{
	static const char *const members[][2] = {
		{ "limit", "limit_in_bytes" },
		{ "usage", "usage_in_bytes" },
		{ "max", "max_usage_in_bytes" },
		{ "failcnt", "failcnt" },
	};
	char file[64];

	json_write_key(writer, key);
	json_write_object_begin(writer);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		snprintf(file, sizeof(file), "memory.%s%s", prefix, members[i][1]);
		cgroup_statistics_file(writer, members[i][0], fd, file);
	}
	json_write_object_end(writer);
}

static void memory(struct cgroup *cgroup, struct json_writer *writer)
{
	int fd = cgroup_tree_fd(cgroup, CGROUP_MEMORY);
	AUTO_FREE char *text = cgroup_statistics_read(fd, "memory.stat");

	if (!text)
		return;
	json_write_key(writer, "memory");
	json_write_object_begin(writer);
	json_write_member_uint(writer, "cache", cgroup_statistics_number(text, "cache"));
	memory_entry(writer, "usage", fd, "");
	memory_entry(writer, "swap", fd, "memsw.");
	memory_entry(writer, "kernel", fd, "kmem.");
	memory_entry(writer, "kernelTCP", fd, "kmem.tcp.");
	cgroup_statistics_map(writer, "raw", text);
	if (cgroup_tree_fd(cgroup, CGROUP_TREE_V2) >= 0)
		cgroup_statistics_pressure(writer, cgroup_tree_fd(cgroup, CGROUP_TREE_V2), "memory.pressure");
	json_write_key(writer, "event_count");
	json_write_object_begin(writer);
	json_write_member_uint(writer, "oom_kill", cgroup_file_keyed(fd, "memory.oom_control", "oom_kill", 0));
	json_write_object_end(writer);
	json_write_object_end(writer);
}

/* Lines "8:0 Read 4096", and sums. */
static void io_list(struct json_writer *writer, const char *member, int fd, const char *file)
{
	AUTO_FREE char *text = cgroup_statistics_read(fd, file);
	char *rest = text;

	if (!text)
		return;
	json_write_key(writer, member);
	json_write_array_begin(writer);
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		const char *device = strsep(&line, " "), *operation = strsep(&line, " ");

		if (operation && line && strchr(device, ':'))
			cgroup_statistics_io(writer, device, operation, strtoull(line, NULL, 10));
	}
	json_write_array_end(writer);
}

static void io(struct cgroup *cgroup, struct json_writer *writer)
{
	int fd = cgroup_tree_fd(cgroup, CGROUP_IO);

	if (fd < 0)
		return;
	json_write_key(writer, "blkio");
	json_write_object_begin(writer);
	io_list(writer, "ioServiceBytesRecursive", fd, "blkio.throttle.io_service_bytes_recursive");
	io_list(writer, "ioServicedRecursive", fd, "blkio.throttle.io_serviced_recursive");
	if (cgroup_tree_fd(cgroup, CGROUP_TREE_V2) >= 0)
		cgroup_statistics_pressure(writer, cgroup_tree_fd(cgroup, CGROUP_TREE_V2), "io.pressure");
	json_write_object_end(writer);
}

static void cpuset(struct cgroup *cgroup, struct json_writer *writer)
{
	static const char *const flags[] = { "cpu_exclusive",	"mem_hardwall",	      "mem_exclusive",
					     "memory_migrate",	"memory_spread_page", "memory_spread_slab",
					     "memory_pressure", "sched_load_balance" };
	int fd = cgroup_tree_fd(cgroup, CGROUP_CPUSET);
	char file[64];

	if (fd < 0)
		return;
	json_write_key(writer, "cpuset");
	json_write_object_begin(writer);
	cgroup_statistics_list(writer, "cpus", fd, "cpuset.cpus");
	cgroup_statistics_list(writer, "mems", fd, "cpuset.mems");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		snprintf(file, sizeof(file), "cpuset.%s", flags[i]);
		cgroup_statistics_file(writer, flags[i], fd, file);
	}
	json_write_member_int(writer, "sched_relax_domain_level",
			      cgroup_file_number(fd, "cpuset.sched_relax_domain_level", -1));
	json_write_object_end(writer);
}

static void pids(struct cgroup *cgroup, struct json_writer *writer)
{
	AUTO(arena_free) struct arena *arena = NULL;
	size_t n = 0;
	pid_t *list;

	if (cgroup_tree_fd(cgroup, CGROUP_PIDS) >= 0) {
		cgroup_statistics_pids(writer, cgroup_tree_fd(cgroup, CGROUP_PIDS));
		return;
	}
	/* Nobody counts threads here: the number of processes is the next best. */
	arena = arena_new(/* limit= */ 64 * 1024 * 1024);
	if (!arena || cgroup_pids(cgroup, arena, &list, &n, NULL) < 0)
		return;
	json_write_key(writer, "pids");
	json_write_object_begin(writer);
	json_write_member_uint(writer, "current", n);
	json_write_object_end(writer);
}

void cgroup_v1_statistics(struct cgroup *cgroup, struct json_writer *writer)
{
	int v2_fd = cgroup_tree_fd(cgroup, CGROUP_TREE_V2);

	cpu(cgroup, writer);
	cpuset(cgroup, writer);
	memory(cgroup, writer);
	pids(cgroup, writer);
	io(cgroup, writer);
	if (cgroup_tree_fd(cgroup, CGROUP_HUGETLB) >= 0)
		cgroup_statistics_hugepages(writer, cgroup_tree_fd(cgroup, CGROUP_HUGETLB), /* v2= */ false);
	else if (v2_fd >= 0 && cgroup_v2_offers(v2_fd, CGROUP_HUGETLB))
		cgroup_statistics_hugepages(writer, v2_fd, /* v2= */ true);
}
