/* What v2's controllers have counted, under the names of runc's events. */
#include "parent/cgroup/cgroup_v2.h"

#include <stdlib.h>
#include <string.h>

#include "parent/cgroup/cgroup_file.h"
#include "parent/cgroup/cgroup_statistics.h"

#define MICROSECOND 1000 /* of the nanoseconds that callers expect */

static void cpu(struct json_writer *writer, int fd)
{
	static const struct cgroup_statistics_line usage[] = {
		{ "usage_usec", "total", MICROSECOND },
		{ "system_usec", "kernel", MICROSECOND },
		{ "user_usec", "user", MICROSECOND },
	};
	static const struct cgroup_statistics_line throttling[] = {
		{ "nr_periods", "periods", 1 },
		{ "nr_throttled", "throttledPeriods", 1 },
		{ "throttled_usec", "throttledTime", MICROSECOND },
	};
	AUTO_FREE char *text = cgroup_statistics_read(fd, "cpu.stat");

	if (!text)
		return;
	json_write_key(writer, "cpu");
	json_write_object_begin(writer);
	json_write_key(writer, "usage");
	json_write_object_begin(writer);
	cgroup_statistics_lines(writer, text, usage, ARRAY_SIZE(usage));
	json_write_object_end(writer);
	json_write_key(writer, "throttling");
	json_write_object_begin(writer);
	cgroup_statistics_lines(writer, text, throttling, ARRAY_SIZE(throttling));
	json_write_object_end(writer);
	cgroup_statistics_pressure(writer, fd, "cpu.pressure");
	json_write_object_end(writer);
}

static void memory_usage(struct json_writer *writer, int fd)
{
	json_write_key(writer, "usage");
	json_write_object_begin(writer);
	cgroup_statistics_file(writer, "limit", fd, "memory.max");
	cgroup_statistics_file(writer, "usage", fd, "memory.current");
	cgroup_statistics_file(writer, "max", fd, "memory.peak");
	json_write_member_uint(writer, "failcnt", cgroup_file_keyed(fd, "memory.events", "max", 0));
	json_write_object_end(writer);
}

/* Callers know the sum of memory and swap from v1. */
static void swap_usage(struct json_writer *writer, int fd)
{
	int64_t limit = cgroup_file_number(fd, "memory.swap.max", -1), memory = cgroup_file_number(fd, "memory.max", -1);
	int64_t usage = cgroup_file_number(fd, "memory.swap.current", -1);

	if (usage < 0)
		return;
	json_write_key(writer, "swap");
	json_write_object_begin(writer);
	json_write_member_uint(writer, "limit", limit < 0 || memory < 0 ? UINT64_MAX : (uint64_t)(limit + memory));
	json_write_member_uint(writer, "usage", (uint64_t)(usage + cgroup_file_number(fd, "memory.current", 0)));
	json_write_member_uint(writer, "failcnt", cgroup_file_keyed(fd, "memory.swap.events", "max", 0));
	json_write_object_end(writer);
}

static void memory(struct json_writer *writer, int fd)
{
	AUTO_FREE char *text = cgroup_statistics_read(fd, "memory.stat");
	AUTO_FREE char *events = cgroup_statistics_read(fd, "memory.events");

	if (!text)
		return;
	json_write_key(writer, "memory");
	json_write_object_begin(writer);
	json_write_member_uint(writer, "cache", cgroup_statistics_number(text, "file"));
	memory_usage(writer, fd);
	swap_usage(writer, fd);
	cgroup_statistics_map(writer, "raw", text);
	cgroup_statistics_pressure(writer, fd, "memory.pressure");
	if (events)
		cgroup_statistics_map(writer, "event_count", events);
	json_write_object_end(writer);
}

struct io_word {
	const char *word, *operation;
};

/* One entry for each of the words that a device's line has: "8:0 rbytes=4096 wbytes=0 rios=1 ...". */
static void io_list(struct json_writer *writer, const char *member, const char *text, const struct io_word words[3])
{
	json_write_key(writer, member);
	json_write_array_begin(writer);
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		size_t length;

		line += *line == '\n';
		length = strcspn(line, "\n");
		for (size_t i = 0; i < 3; i++) {
			const char *found = strstr(line, words[i].word);

			if (found && found < line + length)
				cgroup_statistics_io(writer, line, words[i].operation,
						     strtoull(found + strlen(words[i].word), NULL, 10));
		}
	}
	json_write_array_end(writer);
}

static void io(struct json_writer *writer, int fd)
{
	static const struct io_word bytes[] = { { " rbytes=", "Read" },
						{ " wbytes=", "Write" },
						{ " dbytes=", "Discard" } };
	static const struct io_word counts[] = { { " rios=", "Read" }, { " wios=", "Write" }, { " dios=", "Discard" } };
	AUTO_FREE char *text = cgroup_statistics_read(fd, "io.stat");

	if (!text)
		return;
	json_write_key(writer, "blkio");
	json_write_object_begin(writer);
	io_list(writer, "ioServiceBytesRecursive", text, bytes);
	io_list(writer, "ioServicedRecursive", text, counts);
	cgroup_statistics_pressure(writer, fd, "io.pressure");
	json_write_object_end(writer);
}

static void cpuset(struct json_writer *writer, int fd)
{
	if (faccessat(fd, "cpuset.cpus.effective", F_OK, 0) < 0)
		return;
	json_write_key(writer, "cpuset");
	json_write_object_begin(writer);
	cgroup_statistics_list(writer, "cpus", fd, "cpuset.cpus.effective");
	cgroup_statistics_list(writer, "mems", fd, "cpuset.mems.effective");
	json_write_object_end(writer);
}

void cgroup_v2_statistics(struct cgroup *cgroup, struct json_writer *writer)
{
	int fd = cgroup_tree_fd(cgroup, CGROUP_TREE_V2);

	cpu(writer, fd);
	cpuset(writer, fd);
	memory(writer, fd);
	if (faccessat(fd, "pids.current", F_OK, 0) == 0)
		cgroup_statistics_pids(writer, fd);
	io(writer, fd);
	if (cgroup_v2_offers(fd, CGROUP_HUGETLB))
		cgroup_statistics_hugepages(writer, fd, /* v2= */ true);
}
