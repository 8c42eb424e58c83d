#include "parent/host_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/path.h"

#define BYTES_MAX ((size_t)16 * 1024 * 1024)

static const char *const kernel_types[] = {
	"proc",	    "sysfs",	"cgroup",   "cgroup2", "debugfs", "tracefs",	 "securityfs", "bpf",
	"configfs", "efivarfs", "devtmpfs", "pstore",  "nsfs",	  "binfmt_misc", "selinuxfs",  "mqueue",
};

/* Space, tab, newline and backslash are written as three octal digits. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; to++) {
		bool escaped = text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
			       text[2] <= '7' && text[3] >= '0' && text[3] <= '7';

		*to = escaped ? (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0')) : *text;
		text += escaped ? 4 : 1;
	}
	*to = '\0';
}

/* "36 35 98:0 /part /mnt rw,noatime master:1 - ext3 /dev/root rw" */
static bool parse_line(char *line, struct host_mount *ret)
{
	char *fields[5], *separator = strstr(line, " - "), *type, *end;

	if (!separator)
		return false;
	*separator = '\0';
	type = separator + 3;
	type[strcspn(type, " ")] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strsep(&line, " ");
		if (!fields[i])
			return false;
		unescape(fields[i]);
	}
	*ret = (struct host_mount){ strtoull(fields[0], &end, 10), fields[2], fields[3], fields[4], type };
	return *end == '\0' && ret->point[0] == '/';
}

int host_mounts_parse(char *text, struct arena *arena, struct host_mounts *ret, struct error *err)
{
	struct host_mounts mounts = { 0 };
	struct host_mount *list;
	size_t lines = 1;
	char *line;

	for (const char *letter = text; *letter; letter++)
		lines += *letter == '\n';
	list = arena_array_of(arena, lines, struct host_mount);
	if (!list)
		return error_memory(err);
	while ((line = strsep(&text, "\n")))
		mounts.n += parse_line(line, &list[mounts.n]);
	mounts.list = list;
	*ret = mounts;
	return 0;
}

int host_mounts_read(struct arena *arena, struct host_mounts *ret, struct error *err)
{
	AUTO_CLOSE int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	struct buffer text __attribute__((cleanup(buffer_done_cleanup))) = { 0 };
	char *copy;
	int rc;

	if (fd < 0)
		return error_system(err, errno, "open /proc/self/mountinfo");
	rc = fd_read_all(fd, BYTES_MAX, &text, "/proc/self/mountinfo", err);
	if (rc < 0)
		return rc;
	copy = arena_strndup(arena, text.data ?: "", text.length);
	return copy ? host_mounts_parse(copy, arena, ret, err) : error_memory(err);
}

/* path without the first directories that prefix has: "/a/b" and "/a" -> "/b", "/a" and "/a" -> "" */
static const char *rest(const char *path, const char *prefix)
{
	size_t length = strlen(prefix);

	path += length > 1 ? length : 0;
	return strcmp(path, "/") == 0 ? "" : path;
}

static const struct host_mount *find(const struct host_mounts *mounts, uint64_t id)
{
	for (size_t i = 0; i < mounts->n; i++) {
		if (mounts->list[i].id == id)
			return &mounts->list[i];
	}
	return NULL;
}

static const char *join(struct arena *arena, const char *directory, const char *below)
{
	return arena_printf(arena, "%s%s", strcmp(directory, "/") == 0 && *below ? "" : directory, below);
}

const char *host_mounts_alias(const struct host_mounts *mounts, uint64_t id, const char *path, struct arena *arena)
{
	const struct host_mount *own = find(mounts, id), *best = own;
	const char *inside;

	if (!own || !path_is_below(path, own->point))
		return NULL;
	inside = join(arena, own->root, rest(path, own->point));
	for (size_t i = 0; inside && i < mounts->n; i++) {
		const struct host_mount *other = &mounts->list[i];

		if (strcmp(other->device, own->device) == 0 && path_is_below(inside, other->root) &&
		    strlen(other->root) <= strlen(own->root) && strlen(other->point) < strlen(best->point))
			best = other;
	}
	return inside && best != own ? join(arena, best->point, rest(inside, best->root)) : NULL;
}

static bool is_of_kernel(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel_types); i++) {
		if (strcmp(type, kernel_types[i]) == 0)
			return true;
	}
	return false;
}

const char *host_mounts_kernel_below(const struct host_mounts *mounts, const char *path)
{
	for (size_t i = 0; i < mounts->n; i++) {
		const struct host_mount *mount = &mounts->list[i];

		if (path_is_below(mount->point, path) && strcmp(mount->point, path) != 0 && is_of_kernel(mount->type))
			return mount->point;
	}
	return NULL;
}
