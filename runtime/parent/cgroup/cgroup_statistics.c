#include "parent/cgroup/cgroup_statistics.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "parent/cgroup/cgroup_file.h"
#include "parent/cgroup/cgroup_internal.h"

#define LIST_NUMBER_MAX 8192
#define PRESSURE_WORDS 4

char *cgroup_statistics_read(int dir_fd, const char *file)
{
	AUTO_FREE char *text = malloc(CGROUP_STATISTICS_TEXT_MAX);

	if (!text || fd_read_file_at(dir_fd, file, text, CGROUP_STATISTICS_TEXT_MAX) < 0)
		return NULL;
	return steal_ptr(&text);
}

/* The line "KEY VALUE" of that key, whole: "anon" is not to find "anon_thp". */
static const char *find(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) == 0 && line[length] == ' ')
			return line + length + 1;
	}
	return NULL;
}

uint64_t cgroup_statistics_number(const char *text, const char *key)
{
	const char *found = find(text, key);

	return found ? strtoull(found, NULL, 10) : 0;
}

void cgroup_statistics_lines(struct json_writer *writer, const char *text, const struct cgroup_statistics_line *lines,
			     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *found = find(text, lines[i].key);

		if (found)
			json_write_member_uint(writer, lines[i].member, strtoull(found, NULL, 10) * lines[i].factor);
	}
}

void cgroup_statistics_map(struct json_writer *writer, const char *key, const char *text)
{
	char name[128];

	json_write_key(writer, key);
	json_write_object_begin(writer);
	for (const char *line = text; *line; line += strspn(line, "\n")) {
		size_t n = strcspn(line, " \n");

		if (n > 0 && n < sizeof(name) && line[n] == ' ' && isdigit((unsigned char)line[n + 1])) {
			snprintf(name, sizeof(name), "%.*s", (int)n, line);
			json_write_member_uint(writer, name, strtoull(line + n + 1, NULL, 10));
		}
		line += strcspn(line, "\n");
	}
	json_write_object_end(writer);
}

void cgroup_statistics_file(struct json_writer *writer, const char *member, int dir_fd, const char *file)
{
	char text[64];

	if (fd_read_file_at(dir_fd, file, text, sizeof(text)) <= 0)
		return;
	json_write_member_uint(writer, member, strcmp(text, "max") == 0 ? UINT64_MAX : strtoull(text, NULL, 10));
}

/* "avg10=0.00 avg60=0.00 avg300=0.00 total=0", behind the line's name: numbers as the kernel writes them are JSON's. */
static void pressure_line(struct json_writer *writer, const char *name, const char *text)
{
	static const char *const words[PRESSURE_WORDS] = { "avg10=", "avg60=", "avg300=", "total=" };
	const char *line = find(text, name);
	char number[32], key[16];

	if (!line)
		return;
	json_write_key(writer, name);
	json_write_object_begin(writer);
	for (size_t i = 0; i < PRESSURE_WORDS; i++) {
		const char *found = strstr(line, words[i]);

		if (!found)
			continue;
		found += strlen(words[i]);
		snprintf(number, sizeof(number), "%.*s", (int)strspn(found, "0123456789."), found);
		snprintf(key, sizeof(key), "%.*s", (int)strlen(words[i]) - 1, words[i]);
		json_write_key(writer, key);
		json_write_raw(writer, number[0] ? number : "0");
	}
	json_write_object_end(writer);
}

void cgroup_statistics_pressure(struct json_writer *writer, int dir_fd, const char *file)
{
	char text[512];

	/* EOPNOTSUPP where the kernel was started with psi=0. */
	if (fd_read_file_at(dir_fd, file, text, sizeof(text)) <= 0)
		return;
	json_write_key(writer, "psi");
	json_write_object_begin(writer);
	pressure_line(writer, "some", text);
	pressure_line(writer, "full", text);
	json_write_object_end(writer);
}

void cgroup_statistics_io(struct json_writer *writer, const char *device, const char *operation, uint64_t value)
{
	char *minor;
	uint64_t major = strtoull(device, &minor, 10);

	json_write_object_begin(writer);
	json_write_member_uint(writer, "major", major);
	json_write_member_uint(writer, "minor", *minor == ':' ? strtoull(minor + 1, NULL, 10) : 0);
	json_write_member(writer, "op", operation);
	json_write_member_uint(writer, "value", value);
	json_write_object_end(writer);
}

/* cpuset's lists ("0-3,7") become arrays of numbers, as runc's events have them. */
void cgroup_statistics_list(struct json_writer *writer, const char *member, int dir_fd, const char *file)
{
	AUTO_FREE char *text = cgroup_statistics_read(dir_fd, file);

	if (!text)
		return;
	json_write_key(writer, member);
	json_write_array_begin(writer);
	for (char *next = text; isdigit((unsigned char)*next); next += *next == ',') {
		unsigned long first = strtoul(next, &next, 10), last = first;

		if (*next == '-')
			last = strtoul(next + 1, &next, 10);
		for (unsigned long i = first; i <= last && i < LIST_NUMBER_MAX; i++)
			json_write_uint(writer, i);
	}
	json_write_array_end(writer);
}

static void hugepage_file(struct json_writer *writer, const char *member, int dir_fd, const char *size, const char *file)
{
	char name[64];

	snprintf(name, sizeof(name), "hugetlb.%s.%s", size, file);
	cgroup_statistics_file(writer, member, dir_fd, name);
}

void cgroup_statistics_page_size(unsigned long kilobytes, char name[static 32])
{
	if (kilobytes >= 1024 * 1024)
		snprintf(name, 32, "%luGB", kilobytes >> 20);
	else if (kilobytes >= 1024)
		snprintf(name, 32, "%luMB", kilobytes >> 10);
	else
		snprintf(name, 32, "%luKB", kilobytes);
}

static void hugepage_size(struct json_writer *writer, int dir_fd, bool v2, unsigned long kilobytes)
{
	char size[32], name[64];

	cgroup_statistics_page_size(kilobytes, size);
	json_write_key(writer, size);
	json_write_object_begin(writer);
	hugepage_file(writer, "usage", dir_fd, size, v2 ? "current" : "usage_in_bytes");
	if (!v2) {
		hugepage_file(writer, "max", dir_fd, size, "max_usage_in_bytes");
		hugepage_file(writer, "failcnt", dir_fd, size, "failcnt");
	} else {
		snprintf(name, sizeof(name), "hugetlb.%s.events", size);
		json_write_member_uint(writer, "failcnt", cgroup_file_keyed(dir_fd, name, "max", 0));
	}
	json_write_object_end(writer);
}

void cgroup_statistics_hugepages(struct json_writer *writer, int dir_fd, bool v2)
{
	AUTO(closedir) DIR *directory = opendir("/sys/kernel/mm/hugepages");
	const struct dirent *entry;

	json_write_key(writer, "hugetlb");
	json_write_object_begin(writer);
	while (directory && (entry = readdir(directory))) {
		unsigned long kilobytes = 0;

		if (sscanf(entry->d_name, "hugepages-%lukB", &kilobytes) == 1)
			hugepage_size(writer, dir_fd, v2, kilobytes);
	}
	json_write_object_end(writer);
}

void cgroup_statistics_pids(struct json_writer *writer, int dir_fd)
{
	int64_t limit = cgroup_file_number(dir_fd, "pids.max", -1);

	json_write_key(writer, "pids");
	json_write_object_begin(writer);
	cgroup_statistics_file(writer, "current", dir_fd, "pids.current");
	json_write_member_uint(writer, "limit", limit < 0 ? 0 : (uint64_t)limit);
	json_write_object_end(writer);
}

int cgroup_statistics(struct cgroup *cgroup, struct buffer *json, struct error *err)
{
	struct json_writer writer = json_writer_on(json, /* indent= */ 0);

	json_write_object_begin(&writer);
	if (cgroup_exists(cgroup))
		cgroup->limits->statistics(cgroup, &writer);
	json_write_object_end(&writer);
	return json->failed ? error_system(err, -json->failed, "write the statistics of the cgroup %s", cgroup->path) : 0;
}
