/* The floor's rules about where mounts come from: by what a source is and where it really lies, not by how it is called. */
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "plan/plan_harden.h"
#include "plan/plan_places.h"

#define CONFIGFS_MAGIC 0x62656570
#define FUSE_CTL_MAGIC 0x65735543
#define MQUEUE_MAGIC 0x19800202

static const struct {
	uint32_t magic;
	const char *what;
} kernel_file_systems[] = {
	{ PROC_SUPER_MAGIC, "a procfs" },
	{ SYSFS_MAGIC, "a sysfs" },
	{ CGROUP_SUPER_MAGIC, "a cgroup" },
	{ CGROUP2_SUPER_MAGIC, "a cgroup" },
	{ DEBUGFS_MAGIC, "a debugfs" },
	{ TRACEFS_MAGIC, "a tracefs" },
	{ SECURITYFS_MAGIC, "a securityfs" },
	{ BPF_FS_MAGIC, "a bpf file system" },
	{ CONFIGFS_MAGIC, "a configfs" },
	{ (uint32_t)EFIVARFS_MAGIC, "an efivarfs" },
	{ NSFS_MAGIC, "a namespace" },
	{ SELINUX_MAGIC, "an selinuxfs" },
	{ (uint32_t)AAFS_MAGIC, "an apparmorfs" },
	{ PSTOREFS_MAGIC, "a pstore" },
	{ BINFMTFS_MAGIC, "a binfmt_misc" },
	{ DEVPTS_SUPER_MAGIC, "a devpts" },
	{ FUSE_CTL_MAGIC, "a fusectl" },
	{ MQUEUE_MAGIC, "an mqueue" },
};

/* A new one of these shows the container's own namespaces or nothing; any other is made of something of the host's. */
static const char *const new_file_systems[] = { "tmpfs", "proc", "sysfs", "devpts", "mqueue" };

/* What is masked and read-only is so in these places: one more would be without. */
static const struct {
	const char *type, *place, *why;
} guarded_file_systems[] = {
	{ "proc", "/proc", "elsewhere than at /proc nothing in it would be masked or read-only" },
	{ "sysfs", "/sys", "elsewhere than at /sys nothing in it would be masked or read-only" },
};

/* Of the kernel's own devices (admin-guide/devices.rst): null, zero, full, random, urandom; tty. */
static const struct {
	unsigned major, minor;
} harmless_devices[] = { { 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 }, { 1, 9 }, { 5, 0 } };

/* What it is a name of is up to the process that looks: openat2(2), RESOLVE_NO_MAGICLINKS. It could not be opened either. */
static const char is_magic[] = "it leads through a magic link, as procfs has them: name the file itself";

struct finding {
	enum policy_rule rule;
	const char *why; /* NULL: nothing is against it */
};

static bool is_listed(const struct plan_builder *builder, const char *path)
{
	const struct policy_strings listed = policy_mount_sources(builder->request->policy);

	for (size_t i = 0; path && i < listed.n; i++) {
		const char *entry = listed.list[i];

		/* What everybody writes, and where it is since the last century's end. */
		if (path_is_below(entry, "/var/run"))
			entry += strlen("/var");
		if (path_is_below(path, entry))
			return true;
	}
	return false;
}

static bool device_is_listed(const struct plan_builder *builder, const struct host_source *source)
{
	const struct policy_devices listed = policy_devices(builder->request->policy);
	char type = S_ISBLK(source->mode) ? 'b' : 'c';

	for (size_t i = 0; type == 'c' && i < ARRAY_SIZE(harmless_devices); i++) {
		if (major(source->special) == harmless_devices[i].major &&
		    minor(source->special) == harmless_devices[i].minor)
			return true;
	}
	for (size_t i = 0; i < listed.n; i++) {
		const struct policy_device *device = &listed.list[i];

		if (device->type == type && (device->major < 0 || device->major == (int64_t)major(source->special)) &&
		    (device->minor < 0 || device->minor == (int64_t)minor(source->special)))
			return true;
	}
	return false;
}

static const char *kernel_file_system(const struct host_source *source)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel_file_systems); i++) {
		if (source->file_system == kernel_file_systems[i].magic)
			return kernel_file_systems[i].what;
	}
	return NULL;
}

static int judge_kind(const struct plan_builder *builder, const struct host_source *source, struct finding *ret,
		      struct error *err)
{
	const char *kernel = kernel_file_system(source);

	if (S_ISSOCK(source->mode))
		ret->why = "it is a socket, and whoever serves it is outside of the container";
	else if (kernel)
		ret->why = plan_builder_text(builder, err, "it lies in %s, which is the kernel's", kernel);
	else if (source->below)
		ret->why = plan_builder_text(builder, err, "at %s, below it, there is a file system of the kernel's",
					     source->below);
	else
		return 0;
	return ret->why ? 0 : -ENOMEM;
}

static int judge_place(const struct plan_builder *builder, const struct host_source *source, bool writable,
		       struct finding *ret, struct error *err)
{
	struct plan_places places = plan_places_of(builder->request);
	const char *alias = source->alias;
	int rc;

	places.writable = writable;
	rc = plan_places_judge(builder, &places, source->real, &ret->why, err);
	if (rc < 0 || ret->why || !alias)
		return rc;
	/* The kubelet binds volumes from where they were staged for a node. */
	if (plan_places_is_kubelet_volume(&places, source->real) ||
	    (plan_places_is_staged_volume(alias) && path_is_below(source->real, "/var/lib")))
		return 0;
	rc = plan_places_judge(builder, &places, alias, &ret->why, err);
	if (rc < 0 || !ret->why)
		return rc;
	ret->why = plan_builder_text(builder, err, "it is %s by another name, and %s", alias, ret->why);
	return ret->why ? 0 : -ENOMEM;
}

static int judge_bind(const struct plan_builder *builder, const struct plan_mount *mount,
		      const struct host_source *source, struct finding *ret, struct error *err)
{
	bool writable = !((mount->attr_set | mount->rattr_set) & MOUNT_ATTR_RDONLY);
	int rc;

	*ret = (struct finding){ .rule = POLICY_MOUNT_SOURCE };
	if (S_ISCHR(source->mode) || S_ISBLK(source->mode)) {
		ret->rule = POLICY_DEVICE;
		if (!device_is_listed(builder, source))
			ret->why = "it is a device, which no list of the policy names";
		return 0;
	}
	if (is_listed(builder, source->real))
		return 0;
	rc = judge_place(builder, source, writable, ret, err);
	return rc < 0 || ret->why ? rc : judge_kind(builder, source, ret, err);
}

static void judge_new(const struct plan_builder *builder, const struct plan_mount *mount, struct finding *ret)
{
	*ret = (struct finding){ .rule = POLICY_MOUNT_SOURCE };
	for (size_t i = 0; i < ARRAY_SIZE(guarded_file_systems); i++) {
		if (strcmp(mount->type, guarded_file_systems[i].type) == 0 &&
		    strcmp(mount->destination, guarded_file_systems[i].place) != 0)
			ret->why = guarded_file_systems[i].why;
	}
	for (size_t i = 0; i < ARRAY_SIZE(new_file_systems); i++) {
		if (strcmp(mount->type, new_file_systems[i]) == 0)
			return;
	}
	if (!mount->source || !is_listed(builder, mount->source))
		ret->why = "a new file system of that type is made of a device, a server or a directory of the host's";
}

/* For a user who may not look there, who plans: whoever makes the container decides. */
static int note_unknown(const struct plan_builder *builder, const char *where, const char *asked, struct error *err)
{
	const struct report_line line = {
		.level = REPORT_NOTE,
		.rule = policy_rule_name(POLICY_MOUNT_SOURCE),
		.where = where,
		.asked = asked,
		.applied = "not decided yet",
		.why = "nothing can be seen there; who makes the container has to, or it is refused",
	};

	return report_add(builder->report, &line, err);
}

static int text_of_asked(const struct plan_builder *builder, const struct plan_mount *mount,
			 const struct host_source *source, const char **ret, struct error *err)
{
	if (mount->kind != PLAN_MOUNT_BIND)
		*ret = plan_builder_text(builder, err, "type %s", mount->type);
	else if (strcmp(mount->source, source->real) == 0)
		*ret = mount->source;
	else
		*ret = plan_builder_text(builder, err, "%s (really %s)", mount->source, source->real);
	return *ret ? 0 : -ENOMEM;
}

static int refuse(struct plan_builder *builder, struct report_line *line, struct error *err)
{
	line->rule = policy_rule_name(POLICY_MOUNT_SOURCE);
	return plan_harden_refuse(policy_name(builder->request->policy), line, /* remedy= */ NULL, err);
}

/* A warning does not make it openable. */
static int find_magic(struct plan_builder *builder, struct report_line *line, bool *ret_drop, struct error *err)
{
	line->why = is_magic;
	if (plan_harden_level(builder, POLICY_MOUNT_SOURCE) == POLICY_WARN)
		return refuse(builder, line, err);
	return plan_harden_find(builder, POLICY_MOUNT_SOURCE, line, ret_drop, err);
}

/* *ret_drop: the mount is to be left out. */
static int check(struct plan_builder *builder, struct plan_mount *mount, const struct host_source *source,
		 bool *ret_drop, struct error *err)
{
	bool is_bind = mount->kind == PLAN_MOUNT_BIND, magic = is_bind && source && source->magic;
	struct report_line line = { .applied = "no such mount" };
	struct finding finding;
	int rc = 0;

	line.where = plan_builder_text(builder, err, "%s.%s", mount->where, is_bind ? "source" : "type");
	if (!line.where)
		return -ENOMEM;
	mount->source_checked = is_bind;
	if (is_bind && !magic && !(source && source->known && source->real))
		return note_unknown(builder, line.where, mount->source, err);
	if (magic) {
		line.asked = mount->source;
		return find_magic(builder, &line, ret_drop, err);
	}
	if (is_bind) {
		mount->source_device = source->device;
		mount->source_inode = source->inode;
		rc = judge_bind(builder, mount, source, &finding, err);
	} else {
		judge_new(builder, mount, &finding);
	}
	if (rc < 0 || !finding.why)
		return rc;
	line.why = finding.why;
	rc = text_of_asked(builder, mount, source, &line.asked, err);
	return rc < 0 ? rc : plan_harden_find(builder, finding.rule, &line, ret_drop, err);
}

/* Of what no container can do without, or does what it says only as a whole: what can't be left out is refused. */
static int find_needed(struct plan_builder *builder, struct report_line *line, struct error *err)
{
	bool ignored;

	if (plan_harden_level(builder, POLICY_MOUNT_SOURCE) == POLICY_ADJUST)
		return refuse(builder, line, err);
	return plan_harden_find(builder, POLICY_MOUNT_SOURCE, line, &ignored, err);
}

static int check_root(struct plan_builder *builder, struct error *err)
{
	const struct host_source *source = &builder->request->root_source;
	struct plan_places places = plan_places_of(builder->request);
	struct report_line line = { .where = "root.path", .asked = builder->plan->rootfs.path };
	struct finding finding = { .rule = POLICY_MOUNT_SOURCE };
	int rc;

	places.writable = !builder->plan->rootfs.readonly;
	if (source->magic) {
		line.why = is_magic;
		return plan_harden_level(builder, POLICY_MOUNT_SOURCE) == POLICY_WARN ? refuse(builder, &line, err)
										      : find_needed(builder, &line, err);
	}
	if (!source->known || !source->real) {
		builder->plan->rootfs.source_checked = builder->request->root_is_at_path;
		return builder->request->root_is_at_path ? note_unknown(builder, line.where, line.asked, err) : 0;
	}
	builder->plan->rootfs.source_checked = true;
	builder->plan->rootfs.source_device = source->device;
	builder->plan->rootfs.source_inode = source->inode;
	if (is_listed(builder, source->real))
		return 0;
	rc = plan_places_judge_root(builder, &places, source->real, &finding.why, err);
	if (rc >= 0 && !finding.why && source->alias)
		rc = plan_places_judge_root(builder, &places, source->alias, &finding.why, err);
	if (rc >= 0 && !finding.why)
		rc = judge_kind(builder, source, &finding, err);
	if (rc < 0 || !finding.why)
		return rc;
	line.why = finding.why;
	return find_needed(builder, &line, err);
}

/* As text, since an exec has it too: links on the way there are for the connection to refuse. */
int plan_harden_listener(struct plan_builder *builder, struct error *err)
{
	struct plan_seccomp *seccomp = &builder->plan->seccomp;
	struct report_line line = { .where = "linux.seccomp.listenerPath",
				    .asked = seccomp->listener_path,
				    .applied = "no such listener",
				    .why = "brig would connect to that socket of the host as root, and no entry of "
					   "\"mount_sources\" in the policy names it" };
	enum policy_level level = plan_harden_level(builder, POLICY_MOUNT_SOURCE);
	const char *path;

	if (!seccomp->listener_path || level == POLICY_OFF)
		return 0;
	seccomp->listener_held = level != POLICY_WARN;
	path = path_normalise(builder->arena, seccomp->listener_path);
	if (!path)
		return error_memory(err);
	return is_listed(builder, path) ? 0 : find_needed(builder, &line, err);
}

/* The list is in the spec's order, what a pod shares behind it or in a place of it. */
int plan_harden_mount_source(struct plan_builder *builder, struct error *err)
{
	const struct plan_request *request = builder->request;
	struct plan_rootfs *rootfs = &builder->plan->rootfs;
	struct plan_mount *list = (struct plan_mount *)rootfs->mounts;
	size_t n = 0;
	int rc;

	if (plan_harden_level(builder, POLICY_MOUNT_SOURCE) == POLICY_OFF)
		return 0;
	rc = check_root(builder, err);
	for (size_t i = 0; rc >= 0 && i < rootfs->n_mounts; i++) {
		const struct host_source *source =
			request->sources && i < builder->spec->n_mounts ? &request->sources[i] : NULL;
		bool drop = false;

		if (!list[i].ours && list[i].kind != PLAN_MOUNT_CGROUP)
			rc = check(builder, &list[i], source, &drop, err);
		if (!drop)
			list[n++] = list[i];
	}
	if (rc >= 0)
		rootfs->n_mounts = n;
	return rc;
}
