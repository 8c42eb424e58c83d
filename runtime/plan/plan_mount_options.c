#include "plan/plan_mount_options.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan/plan_mount_label.h"

enum option_kind {
	SET, /* value: MOUNT_ATTR_*, for this mount */
	CLEAR,
	SET_ALL, /* the same for all mounts below it */
	CLEAR_ALL,
	ATIME, /* value: a setting of the field MOUNT_ATTR__ATIME */
	ATIME_ALL,
	BIND,	     /* value: 1 with all that is below */
	PROPAGATION, /* value: MS_* with MS_REC */
	ID_MAP,	     /* value: 1 with all that is below */
	COPY_UP,
	SUPERBLOCK, /* fsconfig(2) knows it for every new file system; a bind mount has no say in it */
	NOTHING,    /* the default of what we make, or of no meaning any more */
	REFUSED,
};

struct option {
	const char *name;
	enum option_kind kind;
	uint64_t value;
};

/* OCI config.md "Linux mount options", in its order. */
static const struct option options[] = {
	{ "async", NOTHING, 0 },
	{ "atime", ATIME, MOUNT_ATTR_RELATIME },
	{ "bind", BIND, 0 },
	{ "defaults", NOTHING, 0 },
	{ "dev", CLEAR, MOUNT_ATTR_NODEV },
	{ "diratime", CLEAR, MOUNT_ATTR_NODIRATIME },
	{ "dirsync", SUPERBLOCK, 0 },
	{ "exec", CLEAR, MOUNT_ATTR_NOEXEC },
	{ "iversion", NOTHING, 0 },
	{ "lazytime", SUPERBLOCK, 0 },
	{ "loud", NOTHING, 0 },
	{ "mand", SUPERBLOCK, 0 },
	{ "noatime", ATIME, MOUNT_ATTR_NOATIME },
	{ "nodev", SET, MOUNT_ATTR_NODEV },
	{ "nodiratime", SET, MOUNT_ATTR_NODIRATIME },
	{ "noexec", SET, MOUNT_ATTR_NOEXEC },
	{ "noiversion", NOTHING, 0 },
	{ "nolazytime", NOTHING, 0 },
	{ "nomand", NOTHING, 0 },
	{ "norelatime", NOTHING, 0 },
	{ "nostrictatime", ATIME, MOUNT_ATTR_RELATIME },
	{ "nosuid", SET, MOUNT_ATTR_NOSUID },
	{ "nosymfollow", SET, MOUNT_ATTR_NOSYMFOLLOW },
	{ "private", PROPAGATION, MS_PRIVATE },
	{ "ratime", ATIME_ALL, MOUNT_ATTR_RELATIME },
	{ "rbind", BIND, 1 },
	{ "rdev", CLEAR_ALL, MOUNT_ATTR_NODEV },
	{ "rdiratime", CLEAR_ALL, MOUNT_ATTR_NODIRATIME },
	{ "relatime", ATIME, MOUNT_ATTR_RELATIME },
	{ "remount", REFUSED, 0 },
	{ "rexec", CLEAR_ALL, MOUNT_ATTR_NOEXEC },
	{ "rnoatime", ATIME_ALL, MOUNT_ATTR_NOATIME },
	{ "rnodev", SET_ALL, MOUNT_ATTR_NODEV },
	{ "rnodiratime", SET_ALL, MOUNT_ATTR_NODIRATIME },
	{ "rnoexec", SET_ALL, MOUNT_ATTR_NOEXEC },
	{ "rnorelatime", NOTHING, 0 },
	{ "rnostrictatime", ATIME_ALL, MOUNT_ATTR_RELATIME },
	{ "rnosuid", SET_ALL, MOUNT_ATTR_NOSUID },
	{ "rnosymfollow", SET_ALL, MOUNT_ATTR_NOSYMFOLLOW },
	{ "ro", SET, MOUNT_ATTR_RDONLY },
	{ "rprivate", PROPAGATION, MS_PRIVATE | MS_REC },
	{ "rrelatime", ATIME_ALL, MOUNT_ATTR_RELATIME },
	{ "rro", SET_ALL, MOUNT_ATTR_RDONLY },
	{ "rrw", CLEAR_ALL, MOUNT_ATTR_RDONLY },
	{ "rshared", PROPAGATION, MS_SHARED | MS_REC },
	{ "rslave", PROPAGATION, MS_SLAVE | MS_REC },
	{ "rstrictatime", ATIME_ALL, MOUNT_ATTR_STRICTATIME },
	{ "rsuid", CLEAR_ALL, MOUNT_ATTR_NOSUID },
	{ "rsymfollow", CLEAR_ALL, MOUNT_ATTR_NOSYMFOLLOW },
	{ "runbindable", PROPAGATION, MS_UNBINDABLE | MS_REC },
	{ "rw", CLEAR, MOUNT_ATTR_RDONLY },
	{ "shared", PROPAGATION, MS_SHARED },
	{ "silent", NOTHING, 0 },
	{ "slave", PROPAGATION, MS_SLAVE },
	{ "strictatime", ATIME, MOUNT_ATTR_STRICTATIME },
	{ "suid", CLEAR, MOUNT_ATTR_NOSUID },
	{ "symfollow", CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
	{ "sync", SUPERBLOCK, 0 },
	{ "tmpcopyup", COPY_UP, 0 },
	{ "unbindable", PROPAGATION, MS_UNBINDABLE },
	{ "idmap", ID_MAP, 0 },
	{ "ridmap", ID_MAP, 1 },
};

const char *plan_mount_options_name(size_t i)
{
	return i < ARRAY_SIZE(options) ? options[i].name : NULL;
}

/* A linear search over some sixty short words: a container has a few dozen options, and a table that a reader can hold against
 * the specification is worth more than a hash. */
static const struct option *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	}
	return NULL;
}

/* The last word counts: "ro,rw" is writable, as mount(8) has it. */
static void set(uint64_t *set, uint64_t *clear, uint64_t flag)
{
	*set |= flag;
	*clear &= ~flag;
}

/* The atime settings are the values of one field, which mount_setattr(2) wants cleared as a whole. */
static void set_atime(uint64_t *set, uint64_t *clear, uint64_t value)
{
	*set = (*set & ~(uint64_t)MOUNT_ATTR__ATIME) | value;
	*clear |= MOUNT_ATTR__ATIME;
}

/* A label has commas, so that whoever may have to give it to mount(2) puts it in quotes; fsconfig(2) takes the label alone. */
static int copy_value(const struct plan_builder *builder, const char *key, const char *value, const char **ret,
		      struct error *err)
{
	size_t length = strlen(value);

	if (!plan_mount_label_is_option(key) || length < 2 || *value != '"' || value[length - 1] != '"')
		return plan_builder_copy(builder, value, ret, err);
	*ret = arena_strndup(builder->arena, value + 1, length - 2);
	return *ret ? 0 : error_memory(err);
}

/* What no table knows is the file system's own ("size=64k"): fsconfig(2) takes it, or names it in the error. */
static int add_data(const struct plan_builder *builder, const char *text, struct plan_mount *ret, struct error *err)
{
	struct plan_mount_option *list = (struct plan_mount_option *)ret->options;
	struct plan_mount_option *one = &list[ret->n_options];
	const char *equals = strchr(text, '=');

	one->key = arena_strndup(builder->arena, text, equals ? (size_t)(equals - text) : strlen(text));
	if (!one->key)
		return error_memory(err);
	ret->n_options++;
	return equals ? copy_value(builder, one->key, equals + 1, &one->value, err) : 0;
}

static int apply(const struct plan_builder *builder, const struct option *option, struct plan_mount *ret,
		 struct error *err)
{
	switch (option->kind) {
	case SET:
		set(&ret->attr_set, &ret->attr_clear, option->value);
		return 0;
	case CLEAR:
		set(&ret->attr_clear, &ret->attr_set, option->value);
		return 0;
	case SET_ALL:
		set(&ret->rattr_set, &ret->rattr_clear, option->value);
		return 0;
	case CLEAR_ALL:
		set(&ret->rattr_clear, &ret->rattr_set, option->value);
		return 0;
	case ATIME:
		set_atime(&ret->attr_set, &ret->attr_clear, option->value);
		return 0;
	case ATIME_ALL:
		set_atime(&ret->rattr_set, &ret->rattr_clear, option->value);
		return 0;
	case BIND:
		ret->kind = PLAN_MOUNT_BIND;
		ret->recursive |= option->value;
		return 0;
	case PROPAGATION:
		ret->propagation = option->value & ~(uint64_t)MS_REC;
		ret->propagation_recursive = option->value & MS_REC;
		return 0;
	case ID_MAP:
		ret->idmap = true;
		ret->idmap_recursive = option->value;
		return 0;
	case COPY_UP:
		ret->copy_up = true;
		return 0;
	case SUPERBLOCK:
		return add_data(builder, option->name, ret, err);
	case NOTHING:
		return 0;
	case REFUSED:
		break;
	}
	return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			 "\"%s\" is not supported: it changes a mount that is there; give the options to that mount itself",
			 option->name);
}

static int parse_one(const struct plan_builder *builder, const char *text, struct plan_mount *ret, struct error *err)
{
	const struct option *option = find(text);

	if (option)
		return apply(builder, option, ret, err);
	if (*text == '=')
		return error_invalid(err, "\"%.100s\" has no name before its \"=\"", text);
	return *text ? add_data(builder, text, ret, err) : 0;
}

/* As with runc and crun: what is asked for with all that is below counts for the mount itself too, in whatever order they stand. */
static void yield_to_recursive(struct plan_mount *mount)
{
	uint64_t decided = mount->rattr_set | mount->rattr_clear;

	mount->attr_set &= ~decided;
	mount->attr_clear &= ~decided;
}

int plan_mount_options_parse(const struct plan_builder *builder, const struct plan_mount_asked *asked,
			     struct plan_mount *ret, struct error *err)
{
	const struct spec_mount *spec = asked->spec;
	/* Room for those that the plan itself may add (plan_mount_kinds.c, plan_mount_label.c). */
	struct plan_mount_option *list =
		arena_array_of(builder->arena, spec->n_options + PLAN_MOUNT_OPTIONS_SPARE, struct plan_mount_option);
	int rc = 0;

	if (!list)
		return error_memory(err);
	ret->options = list;
	for (size_t i = 0; rc >= 0 && i < spec->n_options; i++) {
		rc = parse_one(builder, spec->options[i], ret, err);
		if (rc < 0 && rc != -ENOMEM)
			error_prefix(err, "%s.options[%zu]", asked->where, i);
	}
	yield_to_recursive(ret);
	return rc;
}
