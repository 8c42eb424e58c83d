/* What the tables can't say of "linux". */
#include "spec/spec_validate.h"

#include <ctype.h>
#include <inttypes.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <string.h>

#include "base/syscalls.h"
#include "spec/spec_check.h"

/* UID_GID_MAP_MAX_EXTENTS, user_namespaces(7) */
#define ID_MAP_MAX 340
/* IFNAMSIZ without its NUL */
#define INTERFACE_MAX 15
/* Ours: names are compared each with each. */
#define NET_DEVICES_MAX 1024

const struct spec_namespace *spec_validate_find_namespace(const struct spec_linux *linux_, uint64_t type)
{
	for (size_t i = 0; i < linux_->n_namespaces; i++)
		if (linux_->namespaces[i].type == type)
			return &linux_->namespaces[i];
	return NULL;
}

/* One of each type (config-linux.md "Namespaces"). A path without a leading slash would depend on where brig is started. */
static int check_namespaces(const struct spec_linux *linux_, struct error *err)
{
	struct spec_place place = { .where = "linux.", .list = "namespaces", .member = ".path" };
	uint64_t seen = 0;
	int r = 0;

	for (place.index = 0; place.index < linux_->n_namespaces && r == 0; place.index++) {
		const struct spec_namespace *namespace = &linux_->namespaces[place.index];

		if (seen & namespace->type)
			return error_invalid(err, "linux.namespaces[%zu].type: \"%s\" is there twice", place.index,
					     names_text(&names_namespaces, namespace->type));
		seen |= namespace->type;
		if (namespace->path)
			r = spec_check_absolute(namespace->path, &place, err);
	}
	return r;
}

/* In 64 bits: the sum of two 32-bit numbers may not fit in one. */
static bool overlap(uint32_t a, uint32_t n_a, uint32_t b, uint32_t n_b)
{
	return (uint64_t)a < (uint64_t)b + n_b && (uint64_t)b < (uint64_t)a + n_a;
}

/* The last id, 4294967295, is no id: chown(2) and setuid(2) take it for "none". */
static int check_id_range(const struct spec_id_mapping *range, const char *place, struct error *err)
{
	uint32_t first = range->container_id > range->host_id ? range->container_id : range->host_id;

	if (range->size == 0)
		return error_invalid(err, "%s.size: 0 is not allowed", place);
	if ((uint64_t)first + range->size > UINT32_MAX)
		return error_invalid(err, "%s: %" PRIu32 " ids from %" PRIu32 " go beyond the last one, %" PRIu32,
				     place, range->size, first, UINT32_MAX - 1);
	return 0;
}

/* Ranges that overlap, on either side, the kernel refuses as well (EINVAL of a write to uid_map), without saying which. */
int spec_validate_id_map(const struct spec_id_mapping *list, size_t n, const char *where, const char *name,
			 struct error *err)
{
	char place[96];
	int r;

	if (n > ID_MAP_MAX)
		return error_invalid(err, "%s%s: %zu entries; the kernel takes at most %d", where, name, n, ID_MAP_MAX);
	for (size_t i = 0; i < n; i++) {
		snprintf(place, sizeof(place), "%s%s[%zu]", where, name, i);
		r = check_id_range(&list[i], place, err);
		if (r < 0)
			return r;
		for (size_t j = 0; j < i; j++)
			if (overlap(list[i].container_id, list[i].size, list[j].container_id, list[j].size) ||
			    overlap(list[i].host_id, list[i].size, list[j].host_id, list[j].size))
				return error_invalid(err, "%s: overlaps with %s%s[%zu]", place, where, name, j);
	}
	return 0;
}

static int check_id_maps(const struct spec_linux *linux_, struct error *err)
{
	int r;

	if ((linux_->n_uid_mappings || linux_->n_gid_mappings) && !spec_validate_find_namespace(linux_, CLONE_NEWUSER))
		return error_invalid(err, "linux.%s: needs an entry of type \"user\" in linux.namespaces",
				     linux_->n_uid_mappings ? "uidMappings" : "gidMappings");
	r = spec_validate_id_map(linux_->uid_mappings, linux_->n_uid_mappings, "linux.", "uidMappings", err);
	if (r < 0)
		return r;
	return spec_validate_id_map(linux_->gid_mappings, linux_->n_gid_mappings, "linux.", "gidMappings", err);
}

/* A name that becomes a path below /proc/sys: no empty, "." or ".." part, whichever of "." and "/" separates them. */
static bool is_sysctl_name(const char *name)
{
	if (!spec_check_charset(name, "._-/:@") || strchr("./", name[0]) || strchr("./", name[strlen(name) - 1]))
		return false;
	for (; name[1]; name++)
		if (strchr("./", name[0]) && strchr("./", name[1]))
			return false;
	return true;
}

static int check_sysctls(const struct spec_linux *linux_, struct error *err)
{
	for (size_t i = 0; i < linux_->n_sysctl; i++) {
		const struct json_pair *pair = &linux_->sysctl[i];

		if (!is_sysctl_name(pair->name))
			return error_invalid(err, "linux.sysctl: \"%.*s\" is not a name such as \"net.ipv4.ip_forward\"",
					     SPEC_SHOWN, pair->name);
		/* Tabs and spaces separate numbers; anything else of the kind is an attempt at something (CVE-2022-0811). */
		for (const char *c = pair->value; *c; c++)
			if (iscntrl((unsigned char)*c) && *c != '\t')
				return error_invalid(err,
						     "linux.sysctl[\"%s\"]: the control character 0x%02x is not allowed",
						     pair->name, (unsigned char)*c);
	}
	return 0;
}

/* As a whole component: "a..b" is a name like any other. */
static bool has_dot_dot(const char *path)
{
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
			return true;
	}
	return false;
}

/* Also of the systemd driver's "slice:prefix:name", which has no slashes and so no "..". */
static int check_cgroups_path(const char *path, struct error *err)
{
	if (!path)
		return 0;
	if (has_dot_dot(path))
		return error_invalid(err, "linux.cgroupsPath: \"%.*s\" leads out of its place by \"..\"", SPEC_SHOWN,
				     path);
	return spec_check_plain(path, "linux.", "cgroupsPath", err);
}

static int check_device(const struct spec_device *device, const struct spec_place *place, struct error *err)
{
	char text[SPEC_PLACE_MAX];
	int r = spec_check_absolute(device->path, place, err);

	if (r < 0)
		return r;
	if (device->type != 'p' && (!device->major.set || !device->minor.set))
		return error_invalid(err, "linux.devices[%zu]: \"%s\" is missing; only type \"p\" goes without",
				     place->index, device->major.set ? "minor" : "major");
	/* Callers pass st_mode as it is, type bits included: those are ignored, as other runtimes do. */
	if (device->file_mode.set && device->file_mode.value > 0177777)
		return error_invalid(err, "linux.devices[%zu].fileMode: %u is out of range; allowed: 0 to 65535",
				     place->index, device->file_mode.value);
	if ((device->uid.set && device->uid.value == UINT32_MAX) || (device->gid.set && device->gid.value == UINT32_MAX))
		return error_invalid(err, "%s: the owner %u is not a valid id", spec_check_place(place, text),
				     UINT32_MAX);
	return 0;
}

static int check_devices(const struct spec_linux *linux_, struct error *err)
{
	struct spec_place place = { .where = "linux.", .list = "devices", .member = ".path" };
	int r = 0;

	for (place.index = 0; place.index < linux_->n_devices && r == 0; place.index++)
		r = check_device(&linux_->devices[place.index], &place, err);
	return r;
}

static int check_paths(const struct spec_linux *linux_, struct error *err)
{
	struct spec_place place = { .where = "linux.", .list = "maskedPaths" };
	int r = 0;

	for (place.index = 0; place.index < linux_->n_masked_paths && r == 0; place.index++)
		r = spec_check_absolute(linux_->masked_paths[place.index], &place, err);
	place.list = "readonlyPaths";
	for (place.index = 0; place.index < linux_->n_readonly_paths && r == 0; place.index++)
		r = spec_check_absolute(linux_->readonly_paths[place.index], &place, err);
	return r;
}

static int check_time_offsets(const struct spec_linux *linux_, struct error *err)
{
	const struct spec_namespace *time = spec_validate_find_namespace(linux_, CLONE_NEWTIME);
	uint64_t clock;

	for (size_t i = 0; i < linux_->n_time_offsets; i++)
		if (!names_find(&names_clocks, linux_->time_offsets[i].clock, &clock))
			return error_invalid(err,
					     "linux.timeOffsets: \"%.*s\" is not a clock; allowed: monotonic, boottime",
					     SPEC_SHOWN, linux_->time_offsets[i].clock);
	/* The offsets of a namespace that has members can't be changed (time_namespaces(7)). */
	if (linux_->n_time_offsets && (!time || time->path))
		return error_invalid(
			err, "linux.timeOffsets: needs an entry of type \"time\" without path in linux.namespaces");
	return 0;
}

/* What the kernel takes as one (net/core/dev.c: dev_valid_name), without control characters. */
static bool is_interface_name(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++) {
		if (!isgraph((unsigned char)name[i]) || strchr("/:%", name[i]))
			return false;
	}
	return length >= 1 && length <= INTERFACE_MAX && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* A name, or one that the kernel is to complete with a number (config-linux.md, "Network Devices"). */
static bool is_name_inside(const char *name)
{
	size_t length = strlen(name);
	char stem[INTERFACE_MAX + 1];

	if (length <= 2 || length > INTERFACE_MAX || strcmp(name + length - 2, "%d") != 0)
		return is_interface_name(name);
	snprintf(stem, sizeof(stem), "%.*s", (int)(length - 2), name);
	return is_interface_name(stem);
}

static int check_net_devices(const struct spec_linux *linux_, struct error *err)
{
	if (linux_->n_net_devices > NET_DEVICES_MAX)
		return error_invalid(err, "linux.netDevices: %zu entries; at most %d are allowed",
				     linux_->n_net_devices, NET_DEVICES_MAX);
	for (size_t i = 0; i < linux_->n_net_devices; i++) {
		const struct spec_net_device *device = &linux_->net_devices[i];
		const char *inside = device->name ?: device->host_name;

		if (!is_interface_name(device->host_name) || !is_name_inside(inside))
			return error_invalid(err, "linux.netDevices[\"%.*s\"]: \"%.*s\" is not an interface's name",
					     SPEC_SHOWN, device->host_name, SPEC_SHOWN, inside);
		for (size_t j = 0; j < i; j++)
			if (!strchr(inside, '%') &&
			    strcmp(linux_->net_devices[j].name ?: linux_->net_devices[j].host_name, inside) == 0)
				return error_invalid(err, "linux.netDevices[\"%s\"].name: \"%s\" is there twice",
						     device->host_name, inside);
	}
	return 0;
}

static int check_intel_rdt(const struct spec_intel_rdt *rdt, struct error *err)
{
	/* It becomes a directory of the resctrl file system. */
	if (rdt->clos_id && (!spec_check_charset(rdt->clos_id, "-_.") || rdt->clos_id[0] == '.'))
		return error_invalid(err, "linux.intelRdt.closID: \"%.*s\" is not a directory's name", SPEC_SHOWN,
				     rdt->clos_id);
	if (rdt->mem_bw_schema && (strncmp(rdt->mem_bw_schema, "MB:", 3) != 0 || strchr(rdt->mem_bw_schema, '\n')))
		return error_invalid(err, "linux.intelRdt.memBwSchema: \"%.*s\" is not one line that begins with \"MB:\"",
				     SPEC_SHOWN, rdt->mem_bw_schema);
	for (size_t i = 0; i < rdt->n_schemata; i++)
		if (strchr(rdt->schemata[i], '\n'))
			return error_invalid(err, "linux.intelRdt.schemata[%zu]: a line break is not allowed", i);
	return 0;
}

/* set_mempolicy(2): some modes are about nodes, two are not, and one takes both. */
static int check_memory_policy(const struct spec_memory_policy *policy, struct error *err)
{
	const char *mode = names_text(&names_memory_modes, (uint64_t)policy->mode);
	bool takes_none = policy->mode == MPOL_DEFAULT || policy->mode == MPOL_LOCAL;

	if (takes_none && policy->nodes)
		return error_invalid(err, "linux.memoryPolicy.nodes: \"%.*s\": %s takes no nodes; leave them out",
				     SPEC_SHOWN, policy->nodes, mode);
	if (!takes_none && policy->mode != MPOL_PREFERRED && !policy->nodes)
		return error_invalid(err, "linux.memoryPolicy.nodes: missing; %s takes a list such as \"0-3,7\"", mode);
	return spec_check_cpu_list(policy->nodes, "linux.", "memoryPolicy.nodes", err);
}

int spec_validate_linux(const struct spec_linux *linux_, struct error *err)
{
	static int (*const checks[])(const struct spec_linux *, struct error *) = {
		check_namespaces, check_id_maps,      check_sysctls,	 check_devices,
		check_paths,	  check_time_offsets, check_net_devices,
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(checks) && r == 0; i++)
		r = checks[i](linux_, err);
	if (r == 0)
		r = check_cgroups_path(linux_->cgroups_path, err);
	if (r == 0)
		r = spec_check_plain(linux_->mount_label, "linux.", "mountLabel", err);
	if (r == 0 && linux_->memory_policy)
		r = check_memory_policy(linux_->memory_policy, err);
	if (r == 0 && linux_->personality && linux_->personality->n_flags)
		r = error_invalid(err, "linux.personality.flags: \"%.*s\" is not known; no flag is defined", SPEC_SHOWN,
				  linux_->personality->flags[0]);
	if (r == 0 && linux_->intel_rdt)
		r = check_intel_rdt(linux_->intel_rdt, err);
	if (r == 0)
		r = spec_validate_resources(&linux_->resources, "linux.resources.", err);
	if (r == 0 && linux_->seccomp)
		r = spec_validate_seccomp(linux_->seccomp, err);
	return r;
}
