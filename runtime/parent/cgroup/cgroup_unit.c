#include "parent/cgroup/cgroup_unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define SLICE ".slice"
#define SCOPE ".scope"

struct cgroup_unit_owner cgroup_unit_owner_now(void)
{
	struct cgroup_unit_owner owner = { .user = geteuid() != 0, .uid = geteuid() };
	unsigned long inside = 0, outside = 0, length = 0;
	char map[4096];

	if (fd_read_file_at(AT_FDCWD, "/proc/self/uid_map", map, sizeof(map)) <= 0 ||
	    sscanf(map, "%lu %lu %lu", &inside, &outside, &length) != 3)
		return owner;
	/* The map of the machine's own user namespace is one line, each id to itself. */
	if (inside == 0 && outside == 0 && length == UINT32_MAX)
		return owner;
	if (owner.uid >= inside && owner.uid - inside < length)
		owner.uid = (uid_t)(owner.uid - inside + outside);
	owner.user = owner.uid != 0;
	return owner;
}

/* systemd's VALID_CHARS of unit names, without the @ of templates. */
static bool name_is_valid(const char *name, size_t length)
{
	return length > 0 && length <= UNIT_REQUEST_NAME_MAX && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.\\-") >= length;
}

/* A dash stands for a level: no level is without a name. */
static bool slice_is_valid(const char *slice, size_t length)
{
	size_t stem = length - strlen(SLICE);

	if (length <= strlen(SLICE) || strncmp(slice + stem, SLICE, strlen(SLICE)) != 0 || !name_is_valid(slice, length))
		return false;
	if (stem == 1 && slice[0] == '-')
		return true;
	for (size_t i = 0; i < stem; i++) {
		if (slice[i] == '-' && (i == 0 || i + 1 == stem || slice[i + 1] == '-'))
			return false;
	}
	return true;
}

/* What systemd puts before the name of a unit's directory: an underscore where it has one already (no unit's name may look like an
 * escaped one), or could be a file of the kernel's, such as "cpu.slice". */
static const char *escape_of(const char *name, size_t stem)
{
	static const char *const kernels[] = { "cgroup", "cpu",	   "cpuacct", "cpuset", "io",
					       "blkio",	 "memory", "devices", "pids" };

	if (name[0] == '_' || strncmp(name, "cgroup.", strlen("cgroup.")) == 0)
		return "_";
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		if (strlen(kernels[i]) == stem && strncmp(name, kernels[i], stem) == 0)
			return "_";
	}
	return "";
}

/* Appends a.slice/a-b.slice/; how much there is now. */
static size_t append_slices(char path[static CGROUP_PATH_MAX], size_t used, const char *slice)
{
	size_t stem = strlen(slice) - strlen(SLICE);

	if (strcmp(slice, "-" SLICE) == 0)
		return used;
	for (size_t i = 1; i <= stem && used < CGROUP_PATH_MAX; i++) {
		if (i == stem || slice[i] == '-')
			used += (size_t)snprintf(path + used, CGROUP_PATH_MAX - used, "%s%.*s" SLICE "/",
						 escape_of(slice, i), (int)i, slice);
	}
	return used;
}

int cgroup_unit_slice_path(const char *slice, char *path, size_t size)
{
	char slices[CGROUP_PATH_MAX] = "";
	size_t used;

	if (!slice_is_valid(slice, strlen(slice)))
		return -EINVAL;
	used = append_slices(slices, 0, slice);
	if (used >= sizeof(slices) || used > size)
		return -EINVAL;
	/* Without the slash after the last one. */
	snprintf(path, size, "%.*s", used > 0 ? (int)used - 1 : 0, slices);
	return 0;
}

static int fill_names(const char *path, bool user, struct cgroup_unit *ret, struct error *err)
{
	const char *prefix = strchr(path, ':'), *name = prefix ? strchr(prefix + 1, ':') : NULL;
	size_t n_slice = prefix ? (size_t)(prefix - path) : 0;
	int n;

	if (!name)
		return error_invalid(err, "linux.cgroupsPath: \"%.200s\" is not of the form slice:prefix:name", path);
	name++;
	if (n_slice && !slice_is_valid(path, n_slice))
		return error_invalid(err, "linux.cgroupsPath: \"%.*s\" is not the name of a slice, such as \"a-b.slice\"",
				     (int)(n_slice < 200 ? n_slice : 200), path);
	snprintf(ret->slice, sizeof(ret->slice), "%.*s", (int)n_slice, path);
	if (!n_slice)
		strcpy(ret->slice, user ? "user" SLICE : "system" SLICE);
	n = (int)(name - prefix) - 2;
	n = snprintf(ret->scope, sizeof(ret->scope), "%.*s%s%s" SCOPE, n, prefix + 1, n ? "-" : "", name);
	if (n < 0 || n > UNIT_REQUEST_NAME_MAX || !name_is_valid(ret->scope, (size_t)n))
		return error_invalid(
			err,
			"linux.cgroupsPath: \"%.200s\" makes no name that systemd takes: letters, digits and :_.\\- "
			"alone, %d bytes at most",
			path, UNIT_REQUEST_NAME_MAX);
	return 0;
}

int cgroup_unit_of(const char *path, const struct cgroup_unit_owner *owner, struct cgroup_unit *ret, struct error *err)
{
	struct cgroup_unit unit = { .user = owner->user };
	int rc = fill_names(path, owner->user, &unit, err);
	const char *escape;
	size_t used = 0;

	if (rc < 0)
		return rc;
	if (owner->user)
		used = (size_t)snprintf(unit.path, sizeof(unit.path), "user.slice/user-%u.slice/user@%u.service/",
					owner->uid, owner->uid);
	used = append_slices(unit.path, used, unit.slice);
	escape = escape_of(unit.scope, strlen(unit.scope) - strlen(SCOPE));
	if (used + strlen(escape) + strlen(unit.scope) >= sizeof(unit.path))
		return error_invalid(err, "linux.cgroupsPath: the slice \"%s\" has too many levels", unit.slice);
	snprintf(unit.path + used, sizeof(unit.path) - used, "%s%s", escape, unit.scope);
	*ret = unit;
	return 0;
}
