/* Pieces of the statistics object that both versions have. A file that is not there leaves its members out. */
#pragma once

#include <stdint.h>

#include "base/json_write.h"

/* Of a flat keyed file ("name number" a line): one line as a member. factor: what the number is multiplied with. */
struct cgroup_statistics_line {
	const char *key, *member;
	uint64_t factor;
};

#define CGROUP_STATISTICS_TEXT_MAX (256 * 1024) /* of one file */

/* The file's text, to be freed; NULL where it can't be read. */
char *cgroup_statistics_read(int dir_fd, const char *file);
/* The number behind key in text, or 0. */
uint64_t cgroup_statistics_number(const char *text, const char *key);
/* Those of the lines that text has. */
void cgroup_statistics_lines(struct json_writer *writer, const char *text, const struct cgroup_statistics_line *lines,
			     size_t n);
/* Every line of text. */
void cgroup_statistics_map(struct json_writer *writer, const char *key, const char *text);
/* A file with one number, "max" as runc prints it: 18446744073709551615. */
void cgroup_statistics_file(struct json_writer *writer, const char *member, int dir_fd, const char *file);
/* cpu.pressure and the like as "psi": {"some": {"avg10": ...}, "full": ...}. */
void cgroup_statistics_pressure(struct json_writer *writer, int dir_fd, const char *file);
/* One entry of a blkio list. device: "8:0". */
void cgroup_statistics_io(struct json_writer *writer, const char *device, const char *operation, uint64_t value);
/* A list such as "0-2" as [0,1,2]. */
void cgroup_statistics_list(struct json_writer *writer, const char *member, int dir_fd, const char *file);
/* Per page size that the kernel has: {"2MB": {usage, max, failcnt}}. v2 says which names the files have. */
void cgroup_statistics_hugepages(struct json_writer *writer, int dir_fd, bool v2);
/* The name of a page size, as the kernel names the files: the largest unit that fits ("2MB"). */
void cgroup_statistics_page_size(unsigned long kilobytes, char name[static 32]);
/* {current, limit} */
void cgroup_statistics_pids(struct json_writer *writer, int dir_fd);
