/* Settings written to the kernel's files and read back; put back as they were where that is asked for. */
#include "parent/cgroup/cgroup_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define FILE_MAX (64 * 1024) /* bytes of a keyed file: one line per device */

static const char *group_name(const struct cgroup *cgroup)
{
	return cgroup->path;
}

/* From the start of the file whatever was written: kernfs makes the text anew for each pread at 0. */
static int read_whole(int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t n;

	do {
		n = pread(fd, text + length, size - 1 - length, (off_t)length);
		if (n < 0 && errno != EINTR)
			return -errno;
		length += n > 0 ? (size_t)n : 0;
	} while (n != 0 && length < size - 1);
	text[length] = '\0';
	if (length > 0 && text[length - 1] == '\n')
		text[length - 1] = '\0';
	return 0;
}

/* Without swap a limit on it holds by itself, also where the kernel was built or booted without the files for it. What can't be
 * read counts as "there is swap": the limit is then demanded. */
static bool host_has_swap(void)
{
	char text[256];
	AUTO_CLOSE int fd = open("/proc/swaps", O_RDONLY | O_CLOEXEC);

	/* One line is the heading. */
	return fd < 0 || read_whole(fd, text, sizeof(text)) < 0 || strchr(text, '\n');
}

static int missing_file(const struct cgroup *cgroup, const struct cgroup_setting *setting, struct error *err)
{
	const char *name = cgroup_settings_controller_name(setting->controller, cgroup->layout == HOST_CGROUP_V2);

	if (setting->flags & CGROUP_SETTING_OPTIONAL)
		return 0;
	if (setting->flags & CGROUP_SETTING_SWAP && !host_has_swap())
		return 0;
	if (setting->controller == CGROUP_NO_CONTROLLER)
		return error_set(
			err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			"%s: this host's cgroups (%s) have no file %s; leave it out, or boot with cgroup version 2",
			setting->where, cgroup_layout_name(cgroup->layout), setting->file);
	return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			 "%s: this kernel's %s controller has no %s, so the limit %s can't be enforced; leave it out",
			 setting->where, name, setting->file, setting->value);
}

/* A file of the unified list may be one that is only written, such as memory.reclaim (0200). */
static int open_file(int dir_fd, const struct cgroup_setting *setting)
{
	int fd = openat(dir_fd, setting->file, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);

	if (fd < 0 && errno == EACCES && setting->compare == CGROUP_COMPARE_LOOSE)
		fd = openat(dir_fd, setting->file, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

/* Opens the file, or the other one that takes its place on this kernel; the setting then speaks of that one. */
static int open_setting(struct cgroup *cgroup, struct cgroup_setting *setting)
{
	int dir_fd = cgroup_tree_of(cgroup, setting->controller);
	int fd = dir_fd < 0 ? dir_fd : open_file(dir_fd, setting);

	if (fd == -ENOENT && dir_fd >= 0 && setting->other_file) {
		setting->file = setting->other_file;
		setting->value = setting->other_value;
		setting->other_file = NULL;
		fd = open_file(dir_fd, setting);
	}
	return fd;
}

/* One write(2) for one line: the kernel takes "8:0 rbps=1048576" as a change of that key and field alone, and leaves all
 * others. */
static int write_value(int fd, const struct cgroup_setting *setting, const char *value)
{
	char text[4096];
	int n = snprintf(text, sizeof(text), "%s%s%s%s%s", setting->key ?: "", setting->key ? " " : "",
			 setting->field ?: "", setting->field ? "=" : "", value);

	if (n < 0 || (size_t)n >= sizeof(text))
		return -E2BIG;
	return pwrite(fd, text, (size_t)n, 0) < 0 ? -errno : 0;
}

/* The errno alone says little: what the kernel means by it depends on the controller. */
static int refused(const struct cgroup *cgroup, const struct cgroup_setting *setting, int errnum, const char *had,
		   struct error *err)
{
	const char *remedy = "choose a value that the kernel takes, or leave it out";

	if (errnum == EBUSY && setting->controller == CGROUP_MEMORY)
		remedy = "more than that is in use already: choose a larger value";
	if (errnum == ENODEV)
		remedy = "there is no such device on this host";
	if (errnum == EACCES || errnum == EPERM || errnum == EROFS)
		remedy = "no right to change this cgroup";
	return error_set(err, errnum == EINVAL || errnum == ERANGE ? ERROR_INVALID : ERROR_SYSTEM, errnum,
			 "%s: write \"%s\" to %s of the cgroup %s, which has \"%.200s\": %s; %s", setting->where,
			 setting->value, setting->file, group_name(cgroup), had,
			 strerrordesc_np(errnum) ?: "unknown error", remedy);
}

static int not_kept(const struct cgroup *cgroup, const struct cgroup_setting *setting, const char *has, struct error *err)
{
	return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			 "%s: asked for \"%s\", but %s of the cgroup %s has \"%.200s\" after it was set: this host can't "
			 "enforce the limit; choose a value that it keeps",
			 setting->where, setting->value, setting->file, group_name(cgroup), has);
}

/* The kernel lets a group run elsewhere when none of its CPUs is there: the effective ones have to be among those asked for. */
static int check_effective(struct cgroup *cgroup, const struct cgroup_setting *setting, struct error *err)
{
	bool cpus = strcmp(setting->file, "cpuset.cpus") == 0, v2 = cgroup->layout == HOST_CGROUP_V2;
	struct cgroup_setting effective = *setting;
	AUTO_CLOSE int fd = -EBADF;
	char text[4096];

	if (v2)
		effective.file = cpus ? "cpuset.cpus.effective" : "cpuset.mems.effective";
	else
		effective.file = cpus ? "cpuset.effective_cpus" : "cpuset.effective_mems";
	fd = openat(cgroup_tree_of(cgroup, CGROUP_CPUSET), effective.file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read_whole(fd, text, sizeof(text)) < 0)
		return 0; /* the root's, or an old kernel's: not there to be asked */
	if (cgroup_compare_list_within(text, setting->value))
		return 0;
	return not_kept(cgroup, &effective, text, err);
}

/* A limit that the kernel rounds, cuts off or forgets would be one that does not hold: it is read back and compared with what
 * was asked. */
static int check_written(struct cgroup *cgroup, struct cgroup_setting *setting, int fd, struct error *err)
{
	char text[4096];
	AUTO_FREE char *whole = NULL;
	char *got = text;
	size_t size = sizeof(text);
	int r;

	if (setting->key) {
		whole = malloc(size = FILE_MAX);
		got = whole;
	}
	if (!got)
		return error_memory(err);
	r = read_whole(fd, got, size);
	if (r == -EBADF || r == -EINVAL || r == -EOPNOTSUPP)
		return 0; /* a write-only file of the unified list */
	if (r < 0)
		return error_system(err, -r, "%s: read %s back", setting->where, setting->file);
	if (!cgroup_compare_matches(setting, got)) {
		cgroup_compare_extract(setting, got, text, sizeof(text));
		return not_kept(cgroup, setting, text, err);
	}
	if (setting->compare == CGROUP_COMPARE_LIST)
		return check_effective(cgroup, setting, err);
	return 0;
}

/* The value as it is now; where it can't be read, there is nothing to put back. */
static char *read_before(struct arena *arena, const struct cgroup_setting *setting, int fd)
{
	AUTO_FREE char *text = malloc(FILE_MAX);
	char value[4096];

	if (!text || read_whole(fd, text, FILE_MAX) < 0)
		return NULL;
	cgroup_compare_extract(setting, text, value, sizeof(value));
	return arena_strdup(arena, value);
}

static int apply_one(struct cgroup *cgroup, struct cgroup_settings *settings, struct cgroup_setting *setting, bool undo,
		     struct error *err)
{
	AUTO_CLOSE int fd = open_setting(cgroup, setting);
	char had[256] = "";
	int r;

	if (fd == -ENOENT && setting->flags & CGROUP_SETTING_DEFAULT)
		return 0;
	if (fd == -ENOENT)
		return missing_file(cgroup, setting, err);
	if (fd < 0)
		return refused(cgroup, setting, -fd, had, err);
	if (undo)
		setting->before = read_before(settings->arena, setting, fd);
	r = write_value(fd, setting, setting->value);
	if (r < 0) {
		/* Nothing was changed. */
		setting->before = NULL;
		if (read_whole(fd, had, sizeof(had)) < 0)
			had[0] = '\0';
		return refused(cgroup, setting, -r, had, err);
	}
	return check_written(cgroup, setting, fd, err);
}

void cgroup_apply_undo(struct cgroup *cgroup, struct cgroup_settings *settings)
{
	for (size_t i = settings->n; i-- > 0;) {
		struct cgroup_setting *setting = &settings->list[i];
		AUTO_CLOSE int fd = setting->before ? open_setting(cgroup, setting) : -EBADF;

		if (!setting->before)
			continue;
		if (fd < 0 || write_value(fd, setting, setting->before) < 0)
			log_warning("%s: can't put %s of the cgroup %s back to \"%s\"", setting->where, setting->file,
				    group_name(cgroup), setting->before);
		setting->before = NULL;
	}
}

int cgroup_apply(struct cgroup *cgroup, struct cgroup_settings *settings, bool undo, struct error *err)
{
	for (size_t i = 0; i < settings->n; i++) {
		struct cgroup_setting *setting = &settings->list[i];
		int r;

		/* A new group has it already; and where its controller isn't in use, there is nothing to take away. */
		if (setting->flags & CGROUP_SETTING_DEFAULT && (!undo || cgroup_tree_of(cgroup, setting->controller) < 0))
			continue;
		r = apply_one(cgroup, settings, setting, undo, err);
		if (r < 0) {
			if (undo)
				cgroup_apply_undo(cgroup, settings);
			return r;
		}
	}
	return 0;
}
