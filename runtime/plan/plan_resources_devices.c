#include "plan/plan_resources_devices.h"

#include <linux/bpf.h>
#include <linux/capability.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/report.h"

#define READ_WRITE (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define ALL (BPF_DEVCG_ACC_MKNOD | READ_WRITE)

/* What a group of ours starts from, said aloud: neither driver has to know what no match means. */
static const struct plan_device_rule deny_all = { false, 'a', -1, -1, ALL };

/* After the document's rules, as callers of every OCI runtime count on: nodes may be made (not used), and the default
 * devices, terminals and ptmx work. */
static const struct plan_device_rule always_allowed[] = {
	{ true, 'c', -1, -1, BPF_DEVCG_ACC_MKNOD },
	{ true, 'b', -1, -1, BPF_DEVCG_ACC_MKNOD },
	{ true, 'c', 1, 3, ALL },    /* null */
	{ true, 'c', 1, 5, ALL },    /* zero */
	{ true, 'c', 1, 7, ALL },    /* full */
	{ true, 'c', 1, 8, ALL },    /* random */
	{ true, 'c', 1, 9, ALL },    /* urandom */
	{ true, 'c', 5, 0, ALL },    /* tty */
	{ true, 'c', 5, 2, ALL },    /* ptmx */
	{ true, 'c', 136, -1, ALL }, /* pts */
};

static unsigned read_access(const char *text)
{
	unsigned access = 0;

	if (!text)
		return ALL;
	if (strchr(text, 'r'))
		access |= BPF_DEVCG_ACC_READ;
	if (strchr(text, 'w'))
		access |= BPF_DEVCG_ACC_WRITE;
	if (strchr(text, 'm'))
		access |= BPF_DEVCG_ACC_MKNOD;
	return access;
}

static struct plan_device_rule read_rule(const struct spec_device_rule *asked)
{
	/* "a" is every device with every access, whatever else the rule says (devices.allow of cgroup v1). */
	if (asked->type == 'a' || asked->type == 0)
		return (struct plan_device_rule){ asked->allow, 'a', -1, -1, ALL };
	return (struct plan_device_rule){ .allow = asked->allow,
					  .type = (char)asked->type,
					  .major = asked->major.set ? asked->major.value : -1,
					  .minor = asked->minor.set ? asked->minor.value : -1,
					  .access = read_access(asked->access) };
}

/* A device program or devices.deny takes CAP_SYS_ADMIN on the host. Without it nodes can't be made either. */
static bool can_limit(const struct host *host)
{
	return !host->in_user_namespace && (host->capabilities >> CAP_SYS_ADMIN & 1);
}

static int report_unlimited(struct report *report, struct error *err)
{
	const struct report_line line = {
		REPORT_NOTE,
		"devices-unlimited",
		"linux.resources.devices",
		NULL,
		"no rules",
		"limiting devices takes CAP_SYS_ADMIN on the host; without it no node can be made either"
	};

	return report_add(report, &line, err);
}

bool plan_resources_devices_is_default(const struct plan_device_rule *rule)
{
	for (size_t i = 0; i < ARRAY_SIZE(always_allowed); i++) {
		const struct plan_device_rule *allowed = &always_allowed[i];

		if (rule->type == allowed->type && (allowed->major < 0 || rule->major == allowed->major) &&
		    (allowed->minor < 0 || rule->minor == allowed->minor) && !(rule->access & ~allowed->access) &&
		    allowed->access & READ_WRITE)
			return true;
	}
	return false;
}

int plan_resources_devices_build(const struct spec_resources *resources, const struct host *host,
				 struct plan_resources *ret, struct report *report, struct error *err)
{
	size_t n = 0, most = 1 + resources->n_devices + ARRAY_SIZE(always_allowed);
	struct plan_device_rule *list;

	if (!can_limit(host))
		return resources->n_devices ? report_unlimited(report, err) : 0;
	list = arena_array_of(report->arena, most, struct plan_device_rule);
	if (!list)
		return error_memory(err);
	list[n++] = deny_all;
	for (size_t i = 0; i < resources->n_devices; i++)
		list[n++] = read_rule(&resources->devices[i]);
	/* Most documents begin with that very rule. */
	if (n > 1 && list[1].type == 'a')
		memmove(list, list + 1, --n * sizeof(*list));
	memcpy(list + n, always_allowed, sizeof(always_allowed));
	ret->devices = list;
	ret->n_devices = n + ARRAY_SIZE(always_allowed);
	return 0;
}
