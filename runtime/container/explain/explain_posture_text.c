/* The texts of /proc, held against what was planned. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container/explain/explain.h"

bool explain_status_number(const char *text, const char *key, int base, uint64_t *ret)
{
	size_t length = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += line != text;
		if (strncmp(line, key, length) != 0 || line[length] != ':')
			continue;
		*ret = strtoull(line + length + 1, NULL, base);
		return true;
	}
	return false;
}

static bool has_range(const struct expected_range *range, const struct expected_range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (ranges[i].inside == range->inside && ranges[i].outside == range->outside &&
		    ranges[i].count == range->count)
			return true;
	}
	return false;
}

bool explain_map_agrees(const char *text, const struct expected_range *ranges, size_t n)
{
	struct expected_range found;
	size_t n_found = 0;
	int length;

	for (const char *at = text; sscanf(at, " %" SCNu32 " %" SCNu32 " %" SCNu32 "%n", &found.inside, &found.outside,
					   &found.count, &length) == 3;
	     at += length) {
		if (!has_range(&found, ranges, n))
			return false;
		n_found++;
	}
	return n_found == n;
}

/* mountinfo's fifth field, and the type behind " - ". Source: proc_pid_mountinfo(5). */
static bool is_mounted(const char *mountinfo, const char *path, size_t length, const char *type)
{
	for (const char *line = mountinfo; line && *line; line = strchr(line, '\n')) {
		const char *point, *dash;
		int at = 0;

		line += *line == '\n';
		if (sscanf(line, "%*s %*s %*s %*s %n", &at) < 0 || at == 0)
			return false;
		point = line + at;
		if (strncmp(point, path, length) != 0 || point[length] != ' ')
			continue;
		dash = strstr(point, " - ");
		if (!type || (dash && strncmp(dash + 3, type, strlen(type)) == 0 && dash[3 + strlen(type)] == ' '))
			return true;
	}
	return false;
}

enum explain_mask explain_mask_of(const char *mountinfo, const char *path)
{
	const char *type = strncmp(path, "/proc/", 6) == 0 ? "proc" : strncmp(path, "/sys/", 5) == 0 ? "sysfs" : NULL;
	size_t root = type ? strlen(type) == 4 ? 5 : 4 : 0;

	if (!type || !is_mounted(mountinfo, path, root, type))
		return EXPLAIN_NOT_THERE;
	/* One above it does as well. */
	for (size_t length = strlen(path); length > root; length--) {
		if ((path[length] == '\0' || path[length] == '/') && is_mounted(mountinfo, path, length, NULL))
			return EXPLAIN_MASKED;
	}
	return EXPLAIN_NOT_MASKED;
}
