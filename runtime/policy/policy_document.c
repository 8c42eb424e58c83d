/* What a policy file says: one table an object, each error with the place in the document. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/path.h"
#include "policy/limit_value.h"
#include "policy/policy_internal.h"
#include "policy/policy_values.h"

#define ARENA_MAX ((size_t)1024 * 1024)
#define IDS_LEAST 65536 /* of one container: nobody is 65534 */

struct device_document {
	unsigned type;
	struct opt_u32 major, minor;
	const char *path;
	unsigned access;
};

struct resource_document {
	struct opt_u64 missing, most;
};

/* The file as it is written, before the set fills in what it leaves out: what is 0 or NULL was not said. */
struct document {
	unsigned set;
	unsigned levels[POLICY_N_RULES];
	const char *delegated[POLICY_N_RULES];
	const char *timeout, *max_output;
	struct resource_document pids, memory, cpu;
	const struct policy_ids *ids;
	const int *capabilities;
	size_t n_capabilities;
	const struct device_document *devices;
	size_t n_devices;
	const char *const *mount_sources;
	size_t n_mount_sources;
	const char *const *hook_directories;
	size_t n_hook_directories;
	const char *const *loggers;
	size_t n_loggers;
	const char *const *sysctls;
	size_t n_sysctls;
	const char *const *net_devices;
	size_t n_net_devices;
	const struct egress_value *egress; /* apart: an empty list is not the same as none */
	const struct policy_audit_document *audit;
};

static const struct name device_types[] = { { "b", 'b' }, { "c", 'c' } };
static const struct name_table device_type_names = { "device type", device_types, ARRAY_SIZE(device_types) };

static const struct json_type set_type = JSON_ENUM_OF(unsigned, &policy_names_sets);
static const struct json_type level_type = JSON_ENUM_OF(unsigned, &policy_names_levels);
static const struct json_type device_type_type = JSON_ENUM_OF(unsigned, &device_type_names);

/* Their names, once. */
#define RULES(RULE)                                             \
	RULE("capability-unknown", POLICY_CAPABILITY_UNKNOWN)   \
	RULE("capability-withheld", POLICY_CAPABILITY_WITHHELD) \
	RULE("cgroup-disabled", POLICY_CGROUP_DISABLED)         \
	RULE("limit-raise", POLICY_LIMIT_RAISE)                 \
	RULE("limit-unsupervised", POLICY_LIMIT_UNSUPERVISED)   \
	RULE("oom-score-lower", POLICY_OOM_SCORE_LOWER)         \
	RULE("rlimit-raise", POLICY_RLIMIT_RAISE)               \
	RULE("selinux-missing", POLICY_SELINUX_MISSING)         \
	RULE("ambient-capability", POLICY_AMBIENT_CAPABILITY)   \
	RULE("annotation", POLICY_ANNOTATION)                   \
	RULE("apparmor", POLICY_APPARMOR)                       \
	RULE("capability", POLICY_CAPABILITY)                   \
	RULE("cgroup-namespace", POLICY_CGROUP_NAMESPACE)       \
	RULE("core-dump", POLICY_CORE_DUMP)                     \
	RULE("device", POLICY_DEVICE)                           \
	RULE("egress-maximum", POLICY_EGRESS_MAXIMUM)           \
	RULE("hook", POLICY_HOOK)                               \
	RULE("host-namespace", POLICY_HOST_NAMESPACE)           \
	RULE("landlock", POLICY_LANDLOCK)                       \
	RULE("masked-path", POLICY_MASKED_PATH)                 \
	RULE("mount-flags", POLICY_MOUNT_FLAGS)                 \
	RULE("mount-propagation", POLICY_MOUNT_PROPAGATION)     \
	RULE("mount-source", POLICY_MOUNT_SOURCE)               \
	RULE("new-privileges", POLICY_NEW_PRIVILEGES)           \
	RULE("oom-score", POLICY_OOM_SCORE)                     \
	RULE("resource-maximum", POLICY_RESOURCE_MAXIMUM)       \
	RULE("resource-missing", POLICY_RESOURCE_MISSING)       \
	RULE("rootfs-unmapped", POLICY_ROOTFS_UNMAPPED)         \
	RULE("seccomp", POLICY_SECCOMP)                         \
	RULE("session-keyring", POLICY_SESSION_KEYRING)         \
	RULE("sysctl", POLICY_SYSCTL)                           \
	RULE("user-namespace", POLICY_USER_NAMESPACE)           \
	RULE("volume-unmapped", POLICY_VOLUME_UNMAPPED)

#define LEVEL(name, rule) \
	[rule] = { name, &level_type, offsetof(struct document, levels) + (rule) * sizeof(unsigned), /* flags= */ 0 },
#define DELEGATION(name, rule)                                                                                      \
	[rule] = { name, &policy_values_annotation, offsetof(struct document, delegated) + (rule) * sizeof(char *), \
		   /* flags= */ 0 },

/* Levels and delegations lie in the document itself: their objects have no struct of their own. */
static const struct json_field rule_fields[POLICY_N_RULES + 1] = { RULES(LEVEL) };
static const struct json_field delegate_fields[POLICY_N_RULES + 1] = { RULES(DELEGATION) };
static const struct json_type rules_type = JSON_OBJECT_OF(struct document, rule_fields);
static const struct json_type delegate_type = JSON_OBJECT_OF(struct document, delegate_fields);

static const struct json_field limit_fields[] = {
	{ "timeout", &json_string, offsetof(struct document, timeout), 0 },
	{ "max_output", &json_string, offsetof(struct document, max_output), 0 },
	{ 0 },
};
static const struct json_type limits_type = JSON_OBJECT_OF(struct document, limit_fields);

#define RESOURCE_FIELDS(type)                                                                 \
	{                                                                                     \
		{ "missing", type, offsetof(struct resource_document, missing), 0 },          \
			{ "most", type, offsetof(struct resource_document, most), 0 }, { 0 }, \
	}
static const struct json_field pids_fields[] = RESOURCE_FIELDS(&policy_values_count);
static const struct json_field memory_fields[] = RESOURCE_FIELDS(&policy_values_bytes);
static const struct json_field cpu_fields[] = RESOURCE_FIELDS(&policy_values_processors);
static const struct json_type pids_type = JSON_OBJECT_OF(struct resource_document, pids_fields);
static const struct json_type memory_type = JSON_OBJECT_OF(struct resource_document, memory_fields);
static const struct json_type cpu_type = JSON_OBJECT_OF(struct resource_document, cpu_fields);
static const struct json_field resource_fields[] = {
	{ "pids", &pids_type, offsetof(struct document, pids), 0 },
	{ "memory", &memory_type, offsetof(struct document, memory), 0 },
	{ "cpu", &cpu_type, offsetof(struct document, cpu), 0 },
	{ 0 },
};
static const struct json_type resources_type = JSON_OBJECT_OF(struct document, resource_fields);

static const struct json_field ids_fields[] = {
	{ "first", &json_u32, offsetof(struct policy_ids, first), JSON_REQUIRED },
	{ "count", &json_u32, offsetof(struct policy_ids, count), JSON_REQUIRED },
	{ "size", &json_u32, offsetof(struct policy_ids, size), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type ids_object = JSON_OBJECT_OF(struct policy_ids, ids_fields);
static const struct json_type ids_type = JSON_POINTER_TO(&ids_object);

static const struct json_field device_fields[] = {
	{ "type", &device_type_type, offsetof(struct device_document, type), 0 },
	{ "major", &json_opt_u32, offsetof(struct device_document, major), 0 },
	{ "minor", &json_opt_u32, offsetof(struct device_document, minor), 0 },
	{ "path", &policy_values_path, offsetof(struct device_document, path), 0 },
	{ "access", &policy_values_access, offsetof(struct device_document, access), 0 },
	{ 0 },
};
static const struct json_type device_object = JSON_OBJECT_OF(struct device_document, device_fields);
static const struct json_type devices_type = JSON_ARRAY_OF(&device_object);
static const struct json_type capabilities_type = JSON_ARRAY_OF(&policy_values_capability);
static const struct json_type paths_type = JSON_ARRAY_OF(&policy_values_path);
static const struct json_type endpoints_type = JSON_ARRAY_OF(&policy_values_endpoint);
static const struct json_type egress_type = JSON_POINTER_TO(&endpoints_type);
static const struct json_type sysctls_type = JSON_ARRAY_OF(&policy_values_sysctl);
static const struct json_type interfaces_type = JSON_ARRAY_OF(&policy_values_interface);

/* "set" has to be there: what a file means must not change with the set that a later version has built in. */
static const struct json_field document_fields[] = {
	{ "set", &set_type, offsetof(struct document, set), JSON_REQUIRED },
	{ "rules", &rules_type, 0, 0 },
	{ "delegate", &delegate_type, 0, 0 },
	{ "limits", &limits_type, 0, 0 },
	{ "resources", &resources_type, 0, 0 },
	{ "user_namespaces", &ids_type, offsetof(struct document, ids), 0 },
	{ "capabilities", &capabilities_type, JSON_COUNTED(struct document, capabilities), 0 },
	{ "devices", &devices_type, JSON_COUNTED(struct document, devices), 0 },
	{ "mount_sources", &paths_type, JSON_COUNTED(struct document, mount_sources), 0 },
	{ "hook_directories", &paths_type, JSON_COUNTED(struct document, hook_directories), 0 },
	{ "loggers", &paths_type, JSON_COUNTED(struct document, loggers), 0 },
	{ "sysctls", &sysctls_type, JSON_COUNTED(struct document, sysctls), 0 },
	{ "net_devices", &interfaces_type, JSON_COUNTED(struct document, net_devices), 0 },
	{ "egress", &egress_type, offsetof(struct document, egress), 0 },
	{ "audit", &policy_audit_type, offsetof(struct document, audit), 0 },
	{ 0 },
};
static const struct json_type document_type = JSON_OBJECT_OF(struct document, document_fields);

const char *policy_rule_name(enum policy_rule rule)
{
	return rule_fields[rule].name;
}

/* Text, and not JSON's numbers: "30s" and "1m" say their unit (limit_value.h has the same forms for annotations). */
static int take_limits(const struct document *document, struct policy *policy, struct error *err)
{
	struct policy_limits *limits = &policy->limits;
	int rc = 0;

	if (document->timeout)
		rc = limit_value_timeout("limits.timeout", document->timeout, &limits->timeout, err);
	if (rc >= 0 && document->max_output)
		rc = limit_value_bytes("limits.max_output", document->max_output, &limits->max_output, err);
	return rc;
}

/* What the set fills in is lowered with the site's maximum; what the file itself says has to make sense. */
static int take_resource(const char *where, const struct resource_document *asked, struct policy_resource *resource,
			 struct error *err)
{
	if (asked->missing.set)
		resource->missing = asked->missing.value;
	if (asked->most.set)
		resource->most = asked->most.value;
	if (resource->most == 0 || resource->missing <= resource->most)
		return 0;
	if (asked->missing.set)
		return error_invalid(
			err, "resources.%s: \"missing\" is more than \"most\": a container could not have it", where);
	resource->missing = resource->most;
	return 0;
}

static int take_resources(const struct document *document, struct policy *policy, struct error *err)
{
	int rc = take_resource("pids", &document->pids, &policy->resources.pids, err);

	if (rc >= 0)
		rc = take_resource("memory", &document->memory, &policy->resources.memory, err);
	return rc < 0 ? rc : take_resource("cpu", &document->cpu, &policy->resources.cpu, err);
}

static int take_ids(const struct document *document, struct policy *policy, struct error *err)
{
	const struct policy_ids *ids = document->ids;

	if (!ids)
		return 0;
	if (ids->first < IDS_LEAST)
		return error_invalid(err,
				     "user_namespaces.first: %u is an id of the host's own users; give one from %d on",
				     ids->first, IDS_LEAST);
	if (ids->size < IDS_LEAST || ids->size > ids->count)
		return error_invalid(err,
				     "user_namespaces.size: %u ids for one container: give %d at least, and no more than "
				     "\"count\"",
				     ids->size, IDS_LEAST);
	/* The last number is none: to the kernel it means "leave as it is". */
	if (ids->count > UINT32_MAX - ids->first)
		return error_invalid(err, "user_namespaces.count: %u ids from %u on are more than there are",
				     ids->count, ids->first);
	policy->ids = *ids;
	return 0;
}

/* A driver's numbers may differ from one start of the machine to the next; its nodes are the host's to make. One that is not there
 * can't be used either. */
static int device_by_path(const char *path, struct policy_device *device, bool *ret_found, struct error *err)
{
	struct stat status;

	if (!path_is_below(path, "/dev"))
		return error_invalid(err, "path: %.200s is not below /dev", path);
	*ret_found = stat(path, &status) == 0 && (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode));
	if (!*ret_found)
		return 0;
	device->type = S_ISCHR(status.st_mode) ? 'c' : 'b';
	device->major = major(status.st_rdev);
	device->minor = minor(status.st_rdev);
	return 0;
}

static int take_device(const struct device_document *asked, struct policy_device *device, bool *ret_found,
		       struct error *err)
{
	bool numbered = asked->type || asked->major.set || asked->minor.set;

	device->access = asked->access ? asked->access : BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;
	if (asked->path && !numbered)
		return device_by_path(asked->path, device, ret_found, err);
	if (asked->path || !asked->type || !asked->major.set)
		return error_invalid(
			err, "give either \"path\", or \"type\" and \"major\" (and \"minor\", unless all are meant)");
	device->type = (char)asked->type;
	device->major = asked->major.value;
	device->minor = asked->minor.set ? (int64_t)asked->minor.value : -1;
	*ret_found = true;
	return 0;
}

/* One whose node is not there is left out, so that the list may name what only some hosts have. */
static int take_devices(const struct document *document, struct policy *policy, struct error *err)
{
	struct policy_device *list = arena_array_of(policy->arena, document->n_devices, struct policy_device);
	int rc = list ? 0 : error_memory(err);
	size_t n = 0;
	bool found = false;

	for (size_t i = 0; rc >= 0 && i < document->n_devices; i++) {
		rc = take_device(&document->devices[i], &list[n], &found, err);
		if (rc < 0)
			return error_prefix(err, "devices[%zu]", i);
		n += found;
	}
	policy->devices = (struct policy_devices){ list, n };
	return rc;
}

static int take_egress(const struct document *document, struct policy *policy, struct error *err)
{
	if (document->egress && document->egress->n > EGRESS_VALUE_ENTRIES_MAX)
		return error_invalid(err, "egress: has %zu entries, %d are the most; give ranges of addresses",
				     document->egress->n, EGRESS_VALUE_ENTRIES_MAX);
	policy->egress = document->egress;
	return 0;
}

/* Each list adds to what the set allows, and none takes away: which rule makes use of it is the plan's to decide. */
static void take_lists(const struct document *document, struct policy *policy)
{
	for (size_t i = 0; i < document->n_capabilities; i++)
		policy->capabilities |= UINT64_C(1) << document->capabilities[i];
	policy->mount_sources = (struct policy_strings){ document->mount_sources, document->n_mount_sources };
	policy->hook_directories = (struct policy_strings){ document->hook_directories, document->n_hook_directories };
	policy->loggers = (struct policy_strings){ document->loggers, document->n_loggers };
	policy->sysctls = (struct policy_strings){ document->sysctls, document->n_sysctls };
	policy->net_devices = (struct policy_strings){ document->net_devices, document->n_net_devices };
	for (size_t i = 0; i < POLICY_N_RULES; i++) {
		policy->delegated[i] = document->delegated[i];
		if (document->levels[i] != POLICY_LEVEL_OF_SET)
			policy->levels[i] = (enum policy_level)document->levels[i];
	}
}

static int take(const struct document *document, struct arena *arena, struct policy *policy, struct error *err)
{
	int rc;

	policy_init(policy, (enum policy_set)document->set);
	policy->arena = arena;
	take_lists(document, policy);
	rc = take_limits(document, policy, err);
	if (rc >= 0)
		rc = take_resources(document, policy, err);
	if (rc >= 0)
		rc = take_ids(document, policy, err);
	if (rc >= 0)
		rc = take_egress(document, policy, err);
	if (rc >= 0)
		rc = policy_audit_take(document->audit, &policy->audit, err);
	return rc < 0 ? rc : take_devices(document, policy, err);
}

/* strict: an unknown or misspelt member is an error, other than in config.json, where the specification demands that it be
 * ignored. The text is kept whole, for the state of containers that are made under it. */
int policy_parse(const char *text, size_t length, struct policy *ret, struct error *err)
{
	static const struct json_limits limits = { .bytes = POLICY_BYTES_MAX, .string = 4096, .elements = 256, .depth = 4 };
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	const struct json_input input = { .text = text, .length = length, .limits = &limits, .strict = true };
	struct document document = { 0 };
	struct policy policy;
	int rc = arena ? json_decode(&input, &document_type, &document, arena, err) : error_memory(err);

	if (rc >= 0)
		rc = take(&document, arena, &policy, err);
	if (rc < 0)
		return rc;
	policy_digest(text, length, policy.digest);
	policy.text = arena_strndup(arena, text, length);
	if (!policy.text)
		return error_memory(err);
	steal_ptr(&arena);
	*ret = policy;
	return 0;
}
