/* What the built-in sets say, without a file: levels, remedies, ceilings. */
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/policy_internal.h"

static const struct name sets[] = {
	{ "strict", POLICY_STRICT },
	{ "baseline", POLICY_BASELINE },
	{ "conformant", POLICY_CONFORMANT },
};
const struct name_table policy_names_sets = { "policy set", sets, ARRAY_SIZE(sets) };

static const struct name levels[] = {
	{ "enforce", POLICY_ENFORCE },
	{ "adjust", POLICY_ADJUST },
	{ "warn", POLICY_WARN },
	{ "off", POLICY_OFF },
};
const struct name_table policy_names_levels = { "level", levels, ARRAY_SIZE(levels) };

/* Callers' defaults ask for more than many hosts give (podman, containerd): each set lets them work. */
#define WITHHELD_WARNS                                                                                                         \
	[POLICY_CAPABILITY_UNKNOWN] = POLICY_WARN, [POLICY_CAPABILITY_WITHHELD] = POLICY_WARN,                                 \
	[POLICY_CGROUP_DISABLED] = POLICY_WARN, [POLICY_LIMIT_RAISE] = POLICY_WARN, [POLICY_LIMIT_UNSUPERVISED] = POLICY_WARN, \
	[POLICY_OOM_SCORE_LOWER] = POLICY_WARN, [POLICY_RLIMIT_RAISE] = POLICY_WARN, [POLICY_SELINUX_MISSING] = POLICY_WARN

/* Refused is what the workload's owner has to decide about; what can be made safe without asking is made so. */
#define FLOOR_HOLDS                                                                                                             \
	[POLICY_AMBIENT_CAPABILITY] = POLICY_ADJUST, [POLICY_ANNOTATION] = POLICY_ENFORCE,                                      \
	[POLICY_APPARMOR] = POLICY_ADJUST, [POLICY_CAPABILITY] = POLICY_ADJUST, [POLICY_CGROUP_NAMESPACE] = POLICY_ADJUST,      \
	[POLICY_CORE_DUMP] = POLICY_ADJUST, [POLICY_DEVICE] = POLICY_ENFORCE, [POLICY_EGRESS_MAXIMUM] = POLICY_ENFORCE,         \
	[POLICY_HOOK] = POLICY_ENFORCE, [POLICY_HOST_NAMESPACE] = POLICY_ENFORCE, [POLICY_LANDLOCK] = POLICY_ADJUST,            \
	[POLICY_MASKED_PATH] = POLICY_ADJUST, [POLICY_MOUNT_FLAGS] = POLICY_ADJUST, [POLICY_MOUNT_PROPAGATION] = POLICY_ADJUST, \
	[POLICY_MOUNT_SOURCE] = POLICY_ENFORCE, [POLICY_NEW_PRIVILEGES] = POLICY_ADJUST, [POLICY_OOM_SCORE] = POLICY_ADJUST,    \
	[POLICY_RESOURCE_MAXIMUM] = POLICY_ADJUST, [POLICY_RESOURCE_MISSING] = POLICY_ADJUST,                                   \
	[POLICY_ROOTFS_UNMAPPED] = POLICY_ADJUST, [POLICY_SECCOMP] = POLICY_ADJUST, [POLICY_SESSION_KEYRING] = POLICY_ADJUST,   \
	[POLICY_SYSCTL] = POLICY_ENFORCE, [POLICY_USER_NAMESPACE] = POLICY_ADJUST, [POLICY_VOLUME_UNMAPPED] = POLICY_ENFORCE

#define FLOOR_IS_OFF                                                                                                 \
	[POLICY_AMBIENT_CAPABILITY] = POLICY_OFF, [POLICY_ANNOTATION] = POLICY_OFF, [POLICY_APPARMOR] = POLICY_OFF,  \
	[POLICY_CAPABILITY] = POLICY_OFF, [POLICY_CGROUP_NAMESPACE] = POLICY_OFF, [POLICY_CORE_DUMP] = POLICY_OFF,   \
	[POLICY_DEVICE] = POLICY_OFF, [POLICY_EGRESS_MAXIMUM] = POLICY_OFF, [POLICY_HOOK] = POLICY_OFF,              \
	[POLICY_HOST_NAMESPACE] = POLICY_OFF, [POLICY_LANDLOCK] = POLICY_OFF, [POLICY_MASKED_PATH] = POLICY_OFF,     \
	[POLICY_MOUNT_FLAGS] = POLICY_OFF, [POLICY_MOUNT_PROPAGATION] = POLICY_OFF,                                  \
	[POLICY_MOUNT_SOURCE] = POLICY_OFF, [POLICY_NEW_PRIVILEGES] = POLICY_OFF, [POLICY_OOM_SCORE] = POLICY_OFF,   \
	[POLICY_RESOURCE_MAXIMUM] = POLICY_OFF, [POLICY_RESOURCE_MISSING] = POLICY_OFF,                              \
	[POLICY_ROOTFS_UNMAPPED] = POLICY_OFF, [POLICY_SECCOMP] = POLICY_OFF, [POLICY_SESSION_KEYRING] = POLICY_OFF, \
	[POLICY_SYSCTL] = POLICY_OFF, [POLICY_USER_NAMESPACE] = POLICY_OFF, [POLICY_VOLUME_UNMAPPED] = POLICY_OFF

static const enum policy_level levels_of_sets[][POLICY_N_RULES] = {
	[POLICY_CONFORMANT] = { WITHHELD_WARNS, FLOOR_IS_OFF },
	[POLICY_STRICT] = { WITHHELD_WARNS, FLOOR_HOLDS },
	[POLICY_BASELINE] = { WITHHELD_WARNS, FLOOR_HOLDS },
};

static const char *const remedies[] = {
	[POLICY_CAPABILITY_UNKNOWN] = "leave it out, or use a kernel that knows it",
	[POLICY_CAPABILITY_WITHHELD] = "leave it out, or start brig with it",
	[POLICY_CGROUP_DISABLED] = "leave the limits out, or have a cgroup made",
	[POLICY_LIMIT_RAISE] = "ask for no more than the site's maximum",
	[POLICY_LIMIT_UNSUPERVISED] = "have it made by containerd's shim, or run it in the foreground",
	[POLICY_OOM_SCORE_LOWER] = "ask for no less than brig's own value, or start brig with CAP_SYS_RESOURCE",
	[POLICY_RLIMIT_RAISE] = "ask for no more than the host's hard limit, or start brig with CAP_SYS_RESOURCE",
	[POLICY_SELINUX_MISSING] = "leave the label out, or use a host with SELinux",
	[POLICY_AMBIENT_CAPABILITY] = "leave the inheritable and ambient sets empty",
	[POLICY_ANNOTATION] = "leave the annotation out",
	[POLICY_APPARMOR] = "name a profile, or have brig-default loaded",
	[POLICY_CAPABILITY] = "leave it out",
	[POLICY_CGROUP_NAMESPACE] = "add { \"type\": \"cgroup\" } to linux.namespaces",
	[POLICY_CORE_DUMP] = "set RLIMIT_CORE to 0",
	[POLICY_DEVICE] =
		("leave the device out, or have the policy list it in \"devices\" (a network interface: in "
		 "\"net_devices\"), as deploy/policy/gpu.json does, for volumes deploy/policy/block-volumes.json"),
	[POLICY_EGRESS_MAXIMUM] =
		"ask for no more than the policy's \"egress\" has, or leave the annotation out: then it holds",
	[POLICY_HOOK] = ("leave the hook out, or have the policy list its directory in \"hook_directories\", as "
			 "deploy/policy/gpu.json does"),
	[POLICY_HOST_NAMESPACE] = "add a namespace of that kind to linux.namespaces",
	[POLICY_LANDLOCK] = "use a kernel with Landlock",
	[POLICY_MASKED_PATH] = "list it in linux.maskedPaths",
	[POLICY_MOUNT_FLAGS] = "add nosuid and nodev to the mount's options",
	[POLICY_MOUNT_PROPAGATION] = "make the mount private or a slave",
	[POLICY_MOUNT_SOURCE] = "leave it out, or have the policy list its source in \"mount_sources\"",
	[POLICY_NEW_PRIVILEGES] = "set process.noNewPrivileges",
	[POLICY_OOM_SCORE] = "ask for 0 or more",
	[POLICY_RESOURCE_MAXIMUM] = "ask for no more than the site's maximum",
	[POLICY_RESOURCE_MISSING] = "give the container a limit",
	[POLICY_ROOTFS_UNMAPPED] = "have the root file system on one that can be id-mapped",
	[POLICY_SECCOMP] = "have linux.seccomp filter system calls, as each engine's default profile does",
	[POLICY_SESSION_KEYRING] = "leave --no-new-keyring out",
	[POLICY_SYSCTL] = "leave it out, or have the policy list it in \"sysctls\"",
	[POLICY_USER_NAMESPACE] = "add a user namespace with a range of its own",
	[POLICY_VOLUME_UNMAPPED] = "use a volume on a file system that can be id-mapped",
};

/* As many as podman has by default: no ordinary workload comes near, and a fork bomb ends long before the host's own table is full.
 * No number of bytes or processors fits all: those are for the site to say. */
#define PIDS_MISSING 2048

static const struct policy_resources resources_of_sets = { .pids = { .missing = PIDS_MISSING } };

/* What systemd's and the kubelet's ranges and /etc/subuid leave free: from behind systemd's range for containers to where the
 * foreign ids of its home directories begin (systemd's UIDS-GIDS). */
static const struct policy_ids ids_of_sets = { .first = 1879048192, .count = 268304384, .size = 65536 };

#define BIT(capability) (UINT64_C(1) << (capability))

/* What official images need that begin as root and drop to a user. */
static const uint64_t short_list = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) |
				   BIT(CAP_KILL) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) |
				   BIT(CAP_NET_BIND_SERVICE);

uint64_t policy_capabilities(const struct policy *policy, bool user_namespace)
{
	enum policy_set set = policy_set(policy);
	uint64_t more = policy ? policy->capabilities : 0;

	/* Under conformant the rule is off, unless the site or an annotation wants it. */
	return (set == POLICY_STRICT && !user_namespace ? 0 : short_list) | more;
}

void policy_init(struct policy *policy, enum policy_set set)
{
	static const char *const texts[] = {
		[POLICY_CONFORMANT] = "{\"set\":\"conformant\"}",
		[POLICY_STRICT] = "{\"set\":\"strict\"}",
		[POLICY_BASELINE] = "{\"set\":\"baseline\"}",
	};

	*policy = (struct policy){ .text = texts[set], .set = set, .resources = resources_of_sets, .ids = ids_of_sets };
	memcpy(policy->levels, levels_of_sets[set], sizeof(policy->levels));
	snprintf(policy->name, sizeof(policy->name), "%s", names_text(&policy_names_sets, set));
	policy->audit = policy_audit_of_set(set);
	policy_digest_of_set(set, policy->digest);
}

enum policy_set policy_set(const struct policy *policy)
{
	return policy ? policy->set : POLICY_BUILT_IN;
}

const char *policy_name(const struct policy *policy)
{
	return policy ? policy->name : names_text(&policy_names_sets, POLICY_BUILT_IN);
}

enum policy_level policy_level(const struct policy *policy, enum policy_rule rule)
{
	return policy ? policy->levels[rule] : levels_of_sets[POLICY_BUILT_IN][rule];
}

struct policy_ids policy_ids(const struct policy *policy)
{
	return policy && policy->ids.count ? policy->ids : ids_of_sets;
}

struct policy_resources policy_resources(const struct policy *policy)
{
	return policy ? policy->resources : resources_of_sets;
}

const char *policy_level_name(enum policy_level level)
{
	return names_text(&policy_names_levels, level) ?: "as the set has it";
}

bool policy_level_find(const char *text, enum policy_level *ret)
{
	uint64_t level;

	if (!names_find(&policy_names_levels, text, &level))
		return false;
	*ret = (enum policy_level)level;
	return true;
}

const char *policy_rule_remedy(enum policy_rule rule)
{
	return remedies[rule];
}
