/* The floor's rule about devices: nodes, and what the cgroup lets be used. A node that is bound from the host without a rule for it
 * can be seen and not opened. */
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "plan/plan_harden.h"
#include "plan/plan_resources_devices.h"

#define USE (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define ALL (BPF_DEVCG_ACC_MKNOD | USE)

static const struct plan_device_rule deny_all = { false, 'a', -1, -1, ALL };

/* What engines have in their default lists, with no node for it: left out without a word against the workload. */
static const struct plan_device_rule harmless[] = {
	{ true, 'c', 5, 1, ALL },    /* console: the container's is a terminal of its own */
	{ true, 'c', 10, 200, ALL }, /* net/tun */
	{ true, 'c', 10, 229, ALL }, /* fuse */
};

static bool is_part(int64_t number, int64_t of)
{
	return of < 0 || number == of;
}

/* Making a node takes CAP_MKNOD, and each group allows it: what counts is the use. */
static bool covers(const struct plan_device_rule *wide, const struct plan_device_rule *narrow)
{
	return wide->type == narrow->type && is_part(narrow->major, wide->major) &&
	       is_part(narrow->minor, wide->minor) && !(narrow->access & USE & ~wide->access);
}

static struct plan_device_rule rule_of(const struct policy_device *device)
{
	return (struct plan_device_rule){ true, device->type, device->major, device->minor, device->access };
}

static bool is_listed(const struct policy_devices *site, const struct plan_device_rule *rule)
{
	for (size_t i = 0; i < site->n; i++) {
		struct plan_device_rule listed = rule_of(&site->list[i]);

		if (covers(&listed, rule))
			return true;
	}
	return false;
}

static bool is_harmless(const struct plan_device_rule *rule)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		if (covers(&harmless[i], rule))
			return true;
	}
	return false;
}

/* The part of rule that the site lists as well. */
static size_t add_listed(const struct policy_devices *site, const struct plan_device_rule *rule,
			 struct plan_device_rule *list)
{
	size_t n = 0;

	for (size_t i = 0; i < site->n; i++) {
		struct plan_device_rule both = rule_of(&site->list[i]);

		if (rule->type != 'a' && rule->type != both.type)
			continue;
		if (rule->major >= 0 && both.major >= 0 && rule->major != both.major)
			continue;
		if (rule->minor >= 0 && both.minor >= 0 && rule->minor != both.minor)
			continue;
		both.major = both.major < 0 ? rule->major : both.major;
		both.minor = both.minor < 0 ? rule->minor : both.minor;
		both.access &= rule->access;
		if (both.access)
			list[n++] = both;
	}
	return n;
}

static const char *number_text(const struct plan_builder *builder, int64_t number, struct error *err)
{
	return number < 0 ? "*" : plan_builder_text(builder, err, "%" PRId64, number);
}

/* asked: "/dev/sda, b 8:0" */
static const char *text_of(const struct plan_builder *builder, const struct plan_device_rule *rule, const char *path,
			   struct error *err)
{
	const char *major = number_text(builder, rule->major, err), *minor = number_text(builder, rule->minor, err);

	if (!major || !minor)
		return NULL;
	if (rule->type == 'a')
		return "all devices";
	return plan_builder_text(builder, err, "%.200s%s%c %s:%s", path, *path ? ", " : "", rule->type, major, minor);
}

static int find(struct plan_builder *builder, const char *where, const char *asked, bool *ret_adjust, struct error *err)
{
	struct report_line line = { .where = where,
				    .asked = asked,
				    .applied = "left out",
				    .why = "it is neither one of the default devices nor on the policy's list" };

	return asked ? plan_harden_find(builder, POLICY_DEVICE, &line, ret_adjust, err) : -ENOMEM;
}

static const char in_rules[] = "linux.resources.devices";

/* Everything, as a privileged container asks for it, and what engines add unasked: cut to what there may be, at the level enforce, too.
 * There is nothing that the one who asked could leave out. */
static int cut(struct plan_builder *builder, const struct plan_device_rule *rule, bool *ret_adjust, struct error *err)
{
	enum policy_level level = plan_harden_level(builder, POLICY_DEVICE);
	struct report_line line = { .level = REPORT_ADJUSTED,
				    .rule = policy_rule_name(POLICY_DEVICE),
				    .where = in_rules,
				    .asked = "all devices",
				    .applied = "the default ones, and those on the policy's list",
				    .why = "it would have the host's disks and memory" };

	if (level != POLICY_ENFORCE)
		return find(builder, in_rules, text_of(builder, rule, "", err), ret_adjust, err);
	*ret_adjust = true;
	return rule->type == 'a' ? report_add(builder->report, &line, err) : 0;
}

static int check_rule(struct plan_builder *builder, const struct plan_device_rule *rule, bool *ret_cut, struct error *err)
{
	struct policy_devices site = policy_devices(builder->request->policy);

	*ret_cut = false;
	if (!rule->allow || !(rule->access & USE) || plan_resources_devices_is_default(rule) || is_listed(&site, rule))
		return 0;
	if (rule->type == 'a' || is_harmless(rule))
		return cut(builder, rule, ret_cut, err);
	return find(builder, in_rules, text_of(builder, rule, "", err), ret_cut, err);
}

static int check_rules(struct plan_builder *builder, struct error *err)
{
	struct plan_resources *resources = &builder->plan->cgroup.resources;
	struct policy_devices site = policy_devices(builder->request->policy);
	struct plan_device_rule *kept =
		arena_array(builder->arena, resources->n_devices, (site.n + 1) * sizeof(struct plan_device_rule));
	size_t n = 0;
	int rc = kept ? 0 : error_memory(err);
	bool is_cut;

	for (size_t i = 0; rc >= 0 && i < resources->n_devices; i++) {
		const struct plan_device_rule *rule = &resources->devices[i];

		rc = check_rule(builder, rule, &is_cut, err);
		if (rc < 0)
			break;
		/* The first one says what the group starts from. */
		if (is_cut && i == 0)
			kept[n++] = deny_all;
		if (is_cut)
			n += add_listed(&site, rule, kept + n);
		else
			kept[n++] = *rule;
	}
	if (rc < 0)
		return rc;
	resources->devices = kept;
	resources->n_devices = n;
	return 0;
}

static int check_node(struct plan_builder *builder, const struct plan_device *device, bool *ret_keep, struct error *err)
{
	struct policy_devices site = policy_devices(builder->request->policy);
	/* With any access: the rules say which. */
	struct plan_device_rule rule = { true, device->type == S_IFBLK ? 'b' : 'c', device->major, device->minor, 0 };
	bool adjust;
	int rc;

	*ret_keep = true;
	if (device->type == S_IFIFO || plan_resources_devices_is_default(&rule) || is_listed(&site, &rule))
		return 0;
	rc = find(builder, "linux.devices", text_of(builder, &rule, device->path, err), &adjust, err);
	*ret_keep = !adjust;
	return rc;
}

static int check_nodes(struct plan_builder *builder, struct error *err)
{
	struct plan_rootfs *rootfs = &builder->plan->rootfs;
	struct plan_device *kept = arena_array_of(builder->arena, rootfs->n_devices, struct plan_device);
	int rc = kept ? 0 : error_memory(err);
	size_t n = 0;
	bool keep;

	for (size_t i = 0; rc >= 0 && i < rootfs->n_devices; i++) {
		rc = check_node(builder, &rootfs->devices[i], &keep, err);
		if (rc >= 0 && keep)
			kept[n++] = rootfs->devices[i];
	}
	if (rc < 0)
		return rc;
	rootfs->devices = kept;
	rootfs->n_devices = n;
	return 0;
}

int plan_harden_device(struct plan_builder *builder, struct error *err)
{
	int rc = check_nodes(builder, err);

	return rc < 0 ? rc : check_rules(builder, err);
}
