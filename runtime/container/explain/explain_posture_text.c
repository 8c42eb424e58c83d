/* The texts of /proc, held against what was planned. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

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

/* What proc and sysfs are mounted at; 0: path is in neither. */
static size_t kernel_root(const char *mountinfo, const char *path)
{
	const char *type = strncmp(path, "/proc/", 6) == 0 ? "proc" : strncmp(path, "/sys/", 5) == 0 ? "sysfs" : NULL;
	size_t root = type ? strlen(type) == 4 ? 5 : 4 : 0;

	return type && is_mounted(mountinfo, path, root, type) ? root : 0;
}

enum explain_mask explain_mask_of(const char *mountinfo, const char *path)
{
	size_t root = kernel_root(mountinfo, path);

	if (root == 0)
		return EXPLAIN_NOT_THERE;
	/* One above it does as well. */
	for (size_t length = strlen(path); length > root; length--) {
		if ((path[length] == '\0' || path[length] == '/') && is_mounted(mountinfo, path, length, NULL))
			return EXPLAIN_MASKED;
	}
	return EXPLAIN_NOT_MASKED;
}

struct mount_line {
	unsigned id, parent;
	char point[PATH_MAX]; /* as the kernel writes it */
	char options[512];
};

/* The kernel writes a space, a tab, a line's end and a backslash as three octal digits. */
static bool is_at(const char *point, const char *path, size_t length)
{
	unsigned code;

	for (size_t i = 0; i < length; i++, point++) {
		if (*point == '\\' && sscanf(point, "\\%3o", &code) == 1) {
			if ((unsigned char)path[i] != code)
				return false;
			point += 3;
		} else if (*point != path[i]) {
			return false;
		}
	}
	return *point == '\0';
}

static bool next_line(const char **at, struct mount_line *ret)
{
	const char *line = *at;

	if (!*line || sscanf(line, "%u %u %*s %*s %4095s %511s", &ret->id, &ret->parent, ret->point, ret->options) != 4)
		return false;
	*at = strchrnul(line, '\n');
	*at += **at == '\n';
	return true;
}

static bool has_option(const char *options, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = options; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, length) == 0 && (at[length] == '\0' || at[length] == ','))
			return true;
	}
	return false;
}

/* Of several at one place each has the one beneath it as its parent, in whatever order they are listed. */
static bool top_mount(const char *mountinfo, const char *path, size_t length, uint64_t *ret)
{
	struct mount_line line;
	unsigned top = 0;
	bool is_found = false, is_new;

	do {
		is_new = false;
		for (const char *at = mountinfo; next_line(&at, &line);) {
			if (!is_at(line.point, path, length) || (is_found && line.parent != top) || line.id == top)
				continue;
			top = line.id;
			is_found = is_new = true;
			*ret = (has_option(line.options, "ro") ? MOUNT_ATTR_RDONLY : 0) |
			       (has_option(line.options, "nosuid") ? MOUNT_ATTR_NOSUID : 0) |
			       (has_option(line.options, "nodev") ? MOUNT_ATTR_NODEV : 0);
		}
	} while (is_new);
	return is_found;
}

bool explain_mount_attributes(const char *mountinfo, const char *path, uint64_t *ret)
{
	return top_mount(mountinfo, path, strlen(path), ret);
}

bool explain_is_writable(const char *mountinfo, const char *path)
{
	size_t root = kernel_root(mountinfo, path);
	uint64_t attributes;

	for (size_t length = strlen(path); root && length >= root; length--) {
		if ((path[length] == '\0' || path[length] == '/') && top_mount(mountinfo, path, length, &attributes))
			return !(attributes & MOUNT_ATTR_RDONLY);
	}
	return false;
}
