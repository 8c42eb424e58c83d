/* linux.devices and those that every container has (config-linux.md "Default Devices"). */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "plan/plan_builder.h"

/* OCI config-linux.md "Default devices"; ptmx is a link into devpts, console comes with the terminal. */
static const struct plan_device defaults[] = {
	{ "/dev/null", S_IFCHR, 1, 3, 0666, 0, 0 },    { "/dev/zero", S_IFCHR, 1, 5, 0666, 0, 0 },
	{ "/dev/full", S_IFCHR, 1, 7, 0666, 0, 0 },    { "/dev/random", S_IFCHR, 1, 8, 0666, 0, 0 },
	{ "/dev/urandom", S_IFCHR, 1, 9, 0666, 0, 0 }, { "/dev/tty", S_IFCHR, 5, 0, 0666, 0, 0 },
};

static const struct plan_device *find(const struct plan_device *list, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].path, path) == 0)
			return &list[i];
	}
	return NULL;
}

static int read_device(struct plan_builder *builder, size_t i, struct plan_device *ret, struct error *err)
{
	const struct spec_device *asked = &builder->spec->linux_.devices[i];

	ret->type = asked->type == 'p' ? S_IFIFO : asked->type == 'b' ? S_IFBLK : S_IFCHR;
	if (ret->type != S_IFIFO) {
		ret->major = (uint32_t)asked->major.value;
		ret->minor = (uint32_t)asked->minor.value;
	}
	/* fileMode may come with the bits of the type, as stat(2) has it. */
	ret->mode = (asked->file_mode.set ? asked->file_mode.value : 0666) & 0777;
	ret->uid = asked->uid.set ? asked->uid.value : 0;
	ret->gid = asked->gid.set ? asked->gid.value : 0;
	ret->path = path_normalise(builder->arena, asked->path);
	if (!ret->path)
		return error_memory(err);
	if (ret->path[1] == '\0' || strcmp(ret->path, "/dev") == 0)
		return error_invalid(err, "linux.devices[%zu].path: \"%.200s\" is the directory %s of the container", i,
				     asked->path, ret->path);
	return 0;
}

/* /dev/ptmx is the container's own devpts, /dev/console its own terminal: the host's node would lead out of it. */
static const char *replaced_by(const struct plan_builder *builder, const char *path)
{
	if (strcmp(path, "/dev/ptmx") == 0)
		return "a link to pts/ptmx, the container's own devpts";
	if (strcmp(path, "/dev/console") == 0 && builder->process && builder->process->terminal)
		return "the container's own terminal";
	return NULL;
}

static bool same_device(const struct plan_device *a, const struct plan_device *b)
{
	return a->type == b->type && a->major == b->major && a->minor == b->minor;
}

/* Adds the device unless its path is there already: once more the same is harmless, something else a mistake. */
static int add(struct plan_builder *builder, struct plan_device *list, size_t *n, size_t i, struct error *err)
{
	struct plan_device device = { 0 };
	const struct plan_device *same;
	const char *instead;
	int rc = read_device(builder, i, &device, err);

	if (rc < 0)
		return rc;
	same = find(list, *n, device.path);
	if (same)
		return same_device(same, &device)
			       ? 0
			       : error_invalid(err,
					       "linux.devices[%zu].path: %s is there already, with another "
					       "type or number",
					       i, device.path);
	instead = replaced_by(builder, device.path);
	if (instead)
		return report_add(builder->report,
				  &(struct report_line){ REPORT_NOTE, "device-replaced", "linux.devices", device.path,
							 instead, "the host's node would lead out of the container" },
				  err);
	list[(*n)++] = device;
	return 0;
}

int plan_devices_build(struct plan_builder *builder, struct error *err)
{
	size_t n_asked = builder->spec->linux_.n_devices, n = 0;
	struct plan_device *list = arena_array_of(builder->arena, n_asked + ARRAY_SIZE(defaults), struct plan_device);
	int rc = list ? 0 : error_memory(err);

	for (size_t i = 0; rc >= 0 && i < n_asked; i++)
		rc = add(builder, list, &n, i, err);
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(defaults); i++) {
		if (!find(list, n, defaults[i].path))
			list[n++] = defaults[i];
	}
	builder->plan->rootfs.devices = list;
	builder->plan->rootfs.n_devices = n;
	return rc;
}
