/* The root file system, mounts, devices and guarded paths, for `brig plan`. */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/names.h"
#include "base/syscalls.h"
#include "plan/plan_printer.h"

struct attribute {
	uint64_t flag;
	const char *set, *clear;
};

/* The words of config.json. clear: what a mount is told not to have (mount_setattr(2)), as "rw" or "suid". */
static const struct attribute attributes[] = {
	{ MOUNT_ATTR_RDONLY, "ro", "rw" },
	{ MOUNT_ATTR_NOSUID, "nosuid", "suid" },
	{ MOUNT_ATTR_NODEV, "nodev", "dev" },
	{ MOUNT_ATTR_NOEXEC, "noexec", "exec" },
	{ MOUNT_ATTR_NOATIME, "noatime", NULL },
	{ MOUNT_ATTR_STRICTATIME, "strictatime", NULL },
	{ MOUNT_ATTR_NODIRATIME, "nodiratime", "diratime" },
	{ MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow", "symfollow" },
};

static void print_attributes(struct plan_printer *printer, const char *key, uint64_t set, uint64_t clear)
{
	if (set == 0 && clear == 0)
		return;
	plan_printer_list(printer, key);
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		if (set & attributes[i].flag)
			plan_printer_string(printer, NULL, attributes[i].set);
		else if (clear & attributes[i].flag)
			plan_printer_string(printer, NULL, attributes[i].clear);
	}
	if ((clear & MOUNT_ATTR__ATIME) == MOUNT_ATTR__ATIME && !(set & MOUNT_ATTR__ATIME))
		plan_printer_string(printer, NULL, "relatime");
	plan_printer_list_end(printer);
}

static const char *kind_name(enum plan_mount_kind kind)
{
	switch (kind) {
	case PLAN_MOUNT_BIND:
		return "bind";
	case PLAN_MOUNT_FILESYSTEM:
		return "filesystem";
	case PLAN_MOUNT_CGROUP:
		return "cgroup";
	}
	return NULL;
}

/* Network file systems take their passwords as options. */
static bool is_secret(const char *key)
{
	return strstr(key, "pass") || strstr(key, "secret") || strcmp(key, "key") == 0;
}

static void print_options(struct plan_printer *printer, const struct plan_mount *mount)
{
	struct buffer text = { 0 };

	if (mount->n_options == 0)
		return;
	plan_printer_list(printer, "options");
	for (size_t i = 0; i < mount->n_options; i++) {
		const struct plan_mount_option *option = &mount->options[i];

		text.length = 0;
		buffer_append_text(&text, option->key);
		if (option->value)
			buffer_printf(&text, "=%s", is_secret(option->key) ? "(not shown)" : option->value);
		plan_printer_string(printer, NULL, text.data);
	}
	plan_printer_list_end(printer);
	buffer_done(&text);
}

static void print_mount(struct plan_printer *printer, const struct plan_mount *mount)
{
	plan_printer_object(printer, NULL);
	plan_printer_string(printer, "destination", mount->destination);
	plan_printer_string(printer, "kind", kind_name(mount->kind));
	plan_printer_string(printer, "type", mount->type);
	plan_printer_string(printer, "source", mount->source);
	plan_printer_string(printer, "maker", mount->maker == PLAN_MAKER_PARENT ? "parent" : "child");
	plan_printer_bool(printer, "recursive", mount->recursive);
	plan_printer_bool(printer, "devices", mount->is_dev);
	plan_printer_bool(printer, "copyUp", mount->copy_up);
	plan_printer_bool(printer, "idMapped", mount->idmap);
	print_attributes(printer, "attributes", mount->attr_set, mount->attr_clear);
	print_attributes(printer, "attributesBelow", mount->rattr_set, mount->rattr_clear);
	plan_printer_string(printer, "propagation",
			    names_text(&names_propagations,
				       mount->propagation | (mount->propagation_recursive ? (uint64_t)MS_REC : 0)));
	print_options(printer, mount);
	plan_printer_string(printer, "label", mount->label);
	plan_printer_string(printer, "where", mount->where);
	plan_printer_object_end(printer);
}

static void print_device(struct plan_printer *printer, const struct plan_device *device)
{
	char mode[8];

	snprintf(mode, sizeof(mode), "%04o", device->mode & 07777u);
	plan_printer_object(printer, NULL);
	plan_printer_string(printer, "path", device->path);
	plan_printer_string(printer, "type", device->type == S_IFIFO ? "p" : device->type == S_IFBLK ? "b" : "c");
	if (device->type != S_IFIFO) {
		plan_printer_uint(printer, "major", device->major);
		plan_printer_uint(printer, "minor", device->minor);
	}
	plan_printer_string(printer, "mode", mode);
	plan_printer_uint(printer, "uid", device->uid);
	plan_printer_uint(printer, "gid", device->gid);
	plan_printer_object_end(printer);
}

void plan_print_files(struct plan_printer *printer, const struct plan_rootfs *rootfs)
{
	plan_printer_object(printer, "rootfs");
	plan_printer_string(printer, "path", rootfs->path);
	plan_printer_bool(printer, "readonly", rootfs->readonly);
	plan_printer_bool(printer, "idMapped", rootfs->idmap);
	plan_printer_bool(printer, "noPivot", rootfs->no_pivot);
	if (rootfs->propagation)
		plan_printer_string(printer, "propagation", names_text(&names_propagations, rootfs->propagation));
	plan_printer_string(printer, "mountLabel", rootfs->mount_label);
	plan_printer_list(printer, "mounts");
	for (size_t i = 0; i < rootfs->n_mounts; i++)
		print_mount(printer, &rootfs->mounts[i]);
	plan_printer_list_end(printer);
	plan_printer_list(printer, "devices");
	for (size_t i = 0; i < rootfs->n_devices; i++)
		print_device(printer, &rootfs->devices[i]);
	plan_printer_list_end(printer);
	plan_printer_strings(printer, "masked", rootfs->masked, rootfs->n_masked, PLAN_PRINTER_WHOLE);
	plan_printer_strings(printer, "readonlyPaths", rootfs->readonly_paths, rootfs->n_readonly_paths,
			     PLAN_PRINTER_WHOLE);
	plan_printer_object_end(printer);
}
