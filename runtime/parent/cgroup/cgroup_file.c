#include "parent/cgroup/cgroup_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

#define UNLIMITED_FROM (UINT64_C(1) << 62) /* v1: LONG_MAX rounded down to pages */

int64_t cgroup_file_number(int dir_fd, const char *file, int64_t otherwise)
{
	char text[64];
	uint64_t value;

	if (fd_read_file_at(dir_fd, file, text, sizeof(text)) <= 0)
		return otherwise;
	if (strcmp(text, "max") == 0 || text[0] == '-')
		return -1;
	value = strtoull(text, NULL, 10);
	return value >= UNLIMITED_FROM ? -1 : (int64_t)value;
}

uint64_t cgroup_file_keyed(int dir_fd, const char *file, const char *key, uint64_t otherwise)
{
	size_t length = strlen(key);
	char text[4096];

	if (fd_read_file_at(dir_fd, file, text, sizeof(text)) <= 0)
		return otherwise;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) == 0 && line[length] == ' ')
			return strtoull(line + length + 1, NULL, 10);
	}
	return otherwise;
}

bool cgroup_file_has_word(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *word = list; *word; word += *word == ' ') {
		size_t n = strcspn(word, " ");

		if (n == length && strncmp(word, name, n) == 0)
			return true;
		word += n;
	}
	return false;
}
