#include "plan/plan_root_mount.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "plan/plan_builder.h"
#include "plan/plan_mount_options.h"

#define MAP_RANGES_MAX 340 /* user_namespaces(7) */

bool plan_root_mount_is_mapped(const struct plan_id_map *map, uint32_t id)
{
	for (size_t i = 0; i < map->n_ranges; i++) {
		if (id >= map->ranges[i].outside && id - map->ranges[i].outside < map->ranges[i].count)
			return true;
	}
	return false;
}

static size_t count(const char *text, char what)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == what;
	return n;
}

/* "0:100000:65536", several separated by commas: inside, outside, count. */
static int parse_map(struct arena *arena, const char *text, struct plan_id_map *ret, struct error *err)
{
	size_t n = count(text, ',') + 1;
	struct plan_id_range *ranges = arena_array_of(arena, n, struct plan_id_range);
	const char *next = text;
	int length;

	if (n > MAP_RANGES_MAX)
		return error_invalid(err, "has %zu ranges of ids, %d are the most", n, MAP_RANGES_MAX);
	if (!ranges)
		return error_memory(err);
	for (size_t i = 0; i < n; i++) {
		struct plan_id_range *range = &ranges[i];
		unsigned long long inside, outside, size;

		/* sscanf(3) would take signs and blanks as well. */
		if (strspn(next, "0123456789:") != strcspn(next, ",") ||
		    sscanf(next, "%10llu:%10llu:%10llu%n", &inside, &outside, &size, &length) != 3 ||
		    (next[length] != ',' && next[length]) || size == 0 || inside + size > UINT32_MAX ||
		    outside + size > UINT32_MAX)
			return error_invalid(err, "\"%.100s\" is no list of ranges such as 0:100000:65536", text);
		*range = (struct plan_id_range){ (uint32_t)inside, (uint32_t)outside, (uint32_t)size };
		next += length + 1;
	}
	*ret = (struct plan_id_map){ ranges, n };
	return 0;
}

/* Up to the next colon that no backslash escapes; *text moves behind it. */
static const char *next_layer(struct arena *arena, const char **text)
{
	char *layer = arena_alloc(arena, strlen(*text) + 1), *out = layer;
	const char *in = *text;

	if (!layer)
		return NULL;
	for (; *in && *in != ':'; in++) {
		if (*in == '\\' && in[1])
			in++;
		*out++ = *in;
	}
	*text = in;
	return layer;
}

static int check_layer(const char *path, struct error *err)
{
	if (path[0] == '/')
		return 0;
	return path[0] ? error_invalid(err, "the layer \"%.200s\" is no absolute path", path)
		       : error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				   "layers for data alone (\"::\") are not supported");
}

static int parse_lower(struct arena *arena, const char *text, struct plan_root_mount *ret, struct error *err)
{
	size_t most = count(text, ':') + 1;
	const char **list = arena_array_of(arena, most, const char *);
	int rc;

	if (!list)
		return error_memory(err);
	for (ret->n_lower = 0; ret->n_lower < PLAN_ROOT_LAYERS_MAX; text++) {
		const char *layer = next_layer(arena, &text);

		rc = layer ? check_layer(layer, err) : error_memory(err);
		if (rc < 0)
			return rc;
		list[ret->n_lower++] = layer;
		if (!*text) {
			ret->lower = list;
			return 0;
		}
	}
	return error_invalid(err, "has more than %d layers", PLAN_ROOT_LAYERS_MAX);
}

static int take_path(const char *value, const char **ret, struct error *err)
{
	*ret = value;
	return check_layer(value, err);
}

/* 1: it was ours; 0: it is the file system's. */
static int take_option(struct arena *arena, const struct plan_mount_option *option, struct plan_root_mount *ret,
		       struct error *err)
{
	const char *key = option->key, *value = option->value ?: "";
	int rc = 0;

	/* Words for other programs: mount(8). */
	if (strncmp(key, "x-", 2) == 0 || strncmp(key, "X-", 2) == 0)
		return 1;
	if (strcmp(key, "uidmap") == 0)
		rc = parse_map(arena, value, &ret->mount.uids, err);
	else if (strcmp(key, "gidmap") == 0)
		rc = parse_map(arena, value, &ret->mount.gids, err);
	else if (ret->is_overlay && strcmp(key, "lowerdir") == 0)
		rc = parse_lower(arena, value, ret, err);
	else if (ret->is_overlay && strcmp(key, "upperdir") == 0)
		rc = take_path(value, &ret->upper, err);
	else if (ret->is_overlay && strcmp(key, "workdir") == 0)
		rc = take_path(value, &ret->work, err);
	/* Since Linux 6.12 erofs takes the file itself. */
	else if (!option->value && strcmp(key, "loop") == 0 && strcmp(ret->mount.type, "erofs") != 0)
		rc = error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			       "loop devices are not supported; set one up and name it");
	else
		return !option->value && strcmp(key, "loop") == 0;
	return rc < 0 ? error_prefix(err, "%s", key) : 1;
}

static int sort_options(struct arena *arena, struct plan_root_mount *ret, struct error *err)
{
	struct plan_mount_option *list = (struct plan_mount_option *)ret->mount.options;
	size_t n = 0;

	for (size_t i = 0; i < ret->mount.n_options; i++) {
		int rc = take_option(arena, &list[i], ret, err);

		if (rc < 0)
			return rc;
		if (rc == 0)
			list[n++] = list[i];
	}
	ret->mount.n_options = n;
	return 0;
}

/* A bind has no file system of its own to give options to. */
static int finish_bind(struct plan_mount *mount, struct error *err)
{
	if (!mount->source || mount->source[0] != '/')
		return error_invalid(err, "the source \"%.200s\" is no absolute path", mount->source ?: "");
	if (mount->n_options)
		return error_invalid(err, "the option \"%.100s\" means nothing for a bind mount; leave it out",
				     mount->options[0].key);
	mount->idmap_recursive = mount->recursive;
	return 0;
}

/* The superblock has to know it as well: a file system that is read-only replays no journal. */
static int finish_filesystem(struct plan_mount *mount)
{
	struct plan_mount_option *list = (struct plan_mount_option *)mount->options;

	if (mount->attr_set & MOUNT_ATTR_RDONLY && strcmp(mount->type, "tmpfs") != 0)
		list[mount->n_options++] = (struct plan_mount_option){ .key = "ro" };
	return 0;
}

static int finish_overlay(const struct plan_root_mount *root, struct error *err)
{
	if (root->n_lower == 0)
		return error_invalid(err, "has no option lowerdir");
	if (!root->upper != !root->work)
		return error_invalid(err, "upperdir and workdir need each other: one is missing");
	return 0;
}

static int check_caps(const struct spec_mount *asked, struct error *err)
{
	size_t bytes = 0;

	if (!asked->type || !*asked->type)
		return error_invalid(err, "has no type");
	if (asked->n_options > PLAN_ROOT_OPTIONS_MAX)
		return error_invalid(err, "has %zu options, %d are the most", asked->n_options, PLAN_ROOT_OPTIONS_MAX);
	for (size_t i = 0; i < asked->n_options; i++)
		bytes += strlen(asked->options[i]);
	if (bytes > PLAN_ROOT_OPTION_BYTES_MAX)
		return error_invalid(err, "its options have %zu bytes, %zu are the most", bytes,
				     PLAN_ROOT_OPTION_BYTES_MAX);
	return 0;
}

static int build(struct arena *arena, const struct spec_mount *asked, struct plan_root_mount *root, struct error *err)
{
	const struct plan_builder builder = { .arena = arena };
	const struct plan_mount_asked words = { .where = "rootfs", .spec = asked };
	struct plan_mount *mount = &root->mount;
	int rc = check_caps(asked, err);

	if (rc >= 0)
		rc = plan_mount_options_parse(&builder, &words, mount, err);
	if (rc >= 0)
		rc = plan_builder_copy(&builder, asked->type, &mount->type, err);
	if (rc >= 0)
		rc = plan_builder_copy(&builder, asked->source, &mount->source, err);
	if (rc < 0)
		return rc;
	mount->destination = mount->type;
	if (strcmp(mount->type, "bind") == 0)
		mount->kind = PLAN_MOUNT_BIND;
	root->is_overlay = mount->kind == PLAN_MOUNT_FILESYSTEM && strcmp(mount->type, "overlay") == 0;
	rc = sort_options(arena, root, err);
	if (rc < 0)
		return rc;
	if (!mount->uids.n_ranges != !mount->gids.n_ranges)
		return error_invalid(err, "uidmap and gidmap need each other: one is missing");
	mount->idmap |= mount->uids.n_ranges > 0;
	if (mount->idmap && !mount->uids.n_ranges)
		return error_invalid(err, "asks for ids to be mapped, and says not how: give uidmap and gidmap");
	if (mount->copy_up)
		return error_invalid(err, "tmpcopyup has no meaning for a root file system");
	/* What it spreads, and whither, is config.json's linux.rootfsPropagation. */
	mount->propagation = 0;
	if (root->is_overlay)
		return finish_overlay(root, err);
	return mount->kind == PLAN_MOUNT_BIND ? finish_bind(mount, err) : finish_filesystem(mount);
}

int plan_root_mount_build(struct arena *arena, const struct spec_mount *asked, struct plan_root_mount *ret,
			  struct error *err)
{
	struct plan_root_mount root = {
		.mount = { .kind = PLAN_MOUNT_FILESYSTEM, .maker = PLAN_MAKER_PARENT, .where = "rootfs" }
	};
	int rc = build(arena, asked, &root, err);

	if (rc < 0)
		return error_prefix(err, "rootfs (%.100s)", asked->type ?: "no type");
	*ret = root;
	return 0;
}
