/* The tables of "linux", but for its resources and its filter. */
#include "spec/spec_types.h"

#include "spec/spec.h"

static const struct json_type namespace_kind_type = JSON_ENUM_OF(uint64_t, &names_namespaces);
static const struct json_field namespace_fields[] = {
	{ "type", &namespace_kind_type, offsetof(struct spec_namespace, type), JSON_REQUIRED },
	{ "path", &json_text, offsetof(struct spec_namespace, path) },
	{ 0 },
};
static const struct json_type namespace_type = JSON_OBJECT_OF(struct spec_namespace, namespace_fields);
static const struct json_type namespaces_type = JSON_ARRAY_OF(&namespace_type);

static const struct json_type device_kind_type = JSON_ENUM_OF(int, &names_device_types);
/* The kernel keeps 12 bits of the major number and 20 of the minor. */
static const struct json_type major_number_type = JSON_SIGNED_OF(int64_t, 0, 0xfff);
static const struct json_type minor_number_type = JSON_SIGNED_OF(int64_t, 0, 0xfffff);
static const struct json_type major_type = JSON_OPTIONAL_OF(struct opt_i64, &major_number_type);
static const struct json_type minor_type = JSON_OPTIONAL_OF(struct opt_i64, &minor_number_type);
static const struct json_field device_fields[] = {
	{ "path", &json_string, offsetof(struct spec_device, path), JSON_REQUIRED },
	{ "type", &device_kind_type, offsetof(struct spec_device, type), JSON_REQUIRED },
	{ "major", &major_type, offsetof(struct spec_device, major) },
	{ "minor", &minor_type, offsetof(struct spec_device, minor) },
	{ "fileMode", &json_opt_u32, offsetof(struct spec_device, file_mode) },
	{ "uid", &json_opt_u32, offsetof(struct spec_device, uid) },
	{ "gid", &json_opt_u32, offsetof(struct spec_device, gid) },
	{ 0 },
};
static const struct json_type device_type = JSON_OBJECT_OF(struct spec_device, device_fields);
static const struct json_type devices_type = JSON_ARRAY_OF(&device_type);

static const struct json_field net_device_fields[] = {
	{ "name", &json_text, offsetof(struct spec_net_device, name) },
	{ 0 },
};
static const struct json_type net_device_type = JSON_OBJECT_OF(struct spec_net_device, net_device_fields);
static const struct json_type net_devices_type = JSON_MAP_OF(struct spec_net_device, &net_device_type);

static const struct json_type propagation_type = JSON_ENUM_OF(uint64_t, &names_propagations);

static const struct json_field intel_rdt_fields[] = {
	{ "closID", &json_text, offsetof(struct spec_intel_rdt, clos_id) },
	{ "schemata", &json_strings, JSON_COUNTED(struct spec_intel_rdt, schemata) },
	{ "l3CacheSchema", &json_text, offsetof(struct spec_intel_rdt, l3_cache_schema) },
	{ "memBwSchema", &json_text, offsetof(struct spec_intel_rdt, mem_bw_schema) },
	{ "enableCMT", &json_bool, offsetof(struct spec_intel_rdt, enable_cmt) },
	{ "enableMBM", &json_bool, offsetof(struct spec_intel_rdt, enable_mbm) },
	{ "enableMonitoring", &json_bool, offsetof(struct spec_intel_rdt, enable_monitoring) },
	{ 0 },
};
static const struct json_type intel_rdt_type = JSON_OBJECT_OF(struct spec_intel_rdt, intel_rdt_fields);
static const struct json_type intel_rdt_pointer_type = JSON_POINTER_TO(&intel_rdt_type);

static const struct json_type memory_mode_type = JSON_ENUM_OF(int, &names_memory_modes);
static const struct json_type memory_flags_type = JSON_FLAGS_OF(uint64_t, &names_memory_flags);
static const struct json_field memory_policy_fields[] = {
	{ "mode", &memory_mode_type, offsetof(struct spec_memory_policy, mode), JSON_REQUIRED },
	{ "nodes", &json_text, offsetof(struct spec_memory_policy, nodes) },
	{ "flags", &memory_flags_type, offsetof(struct spec_memory_policy, flags) },
	{ 0 },
};
static const struct json_type memory_policy_type = JSON_OBJECT_OF(struct spec_memory_policy, memory_policy_fields);
static const struct json_type memory_policy_pointer_type = JSON_POINTER_TO(&memory_policy_type);

static const struct json_type domain_type = JSON_ENUM_OF(uint32_t, &names_personalities);
static const struct json_field personality_fields[] = {
	{ "domain", &domain_type, offsetof(struct spec_personality, domain), JSON_REQUIRED },
	{ "flags", &json_strings, JSON_COUNTED(struct spec_personality, flags) },
	{ 0 },
};
static const struct json_type personality_type = JSON_OBJECT_OF(struct spec_personality, personality_fields);
static const struct json_type personality_pointer_type = JSON_POINTER_TO(&personality_type);

static const struct json_type nanosecs_type = JSON_UNSIGNED_OF(uint32_t, 999999999);
static const struct json_field time_offset_fields[] = {
	{ "secs", &json_i64, offsetof(struct spec_time_offset, secs) },
	{ "nanosecs", &nanosecs_type, offsetof(struct spec_time_offset, nanosecs) },
	{ 0 },
};
static const struct json_type time_offset_type = JSON_OBJECT_OF(struct spec_time_offset, time_offset_fields);
static const struct json_type time_offsets_type = JSON_MAP_OF(struct spec_time_offset, &time_offset_type);

static const struct json_type seccomp_pointer_type = JSON_POINTER_TO(&spec_type_seccomp);

static const struct json_field linux_fields[] = {
	{ "uidMappings", &spec_type_id_mappings, JSON_COUNTED(struct spec_linux, uid_mappings) },
	{ "gidMappings", &spec_type_id_mappings, JSON_COUNTED(struct spec_linux, gid_mappings) },
	{ "sysctl", &json_pairs, JSON_COUNTED(struct spec_linux, sysctl) },
	{ "resources", &spec_type_resources, offsetof(struct spec_linux, resources) },
	{ "cgroupsPath", &json_text, offsetof(struct spec_linux, cgroups_path) },
	{ "namespaces", &namespaces_type, JSON_COUNTED(struct spec_linux, namespaces) },
	{ "devices", &devices_type, JSON_COUNTED(struct spec_linux, devices) },
	{ "netDevices", &net_devices_type, JSON_COUNTED(struct spec_linux, net_devices) },
	{ "seccomp", &seccomp_pointer_type, offsetof(struct spec_linux, seccomp) },
	{ "rootfsPropagation", &propagation_type, offsetof(struct spec_linux, rootfs_propagation) },
	{ "maskedPaths", &json_strings, JSON_COUNTED(struct spec_linux, masked_paths) },
	{ "readonlyPaths", &json_strings, JSON_COUNTED(struct spec_linux, readonly_paths) },
	{ "mountLabel", &json_text, offsetof(struct spec_linux, mount_label) },
	{ "intelRdt", &intel_rdt_pointer_type, offsetof(struct spec_linux, intel_rdt) },
	{ "memoryPolicy", &memory_policy_pointer_type, offsetof(struct spec_linux, memory_policy) },
	{ "personality", &personality_pointer_type, offsetof(struct spec_linux, personality) },
	{ "timeOffsets", &time_offsets_type, JSON_COUNTED(struct spec_linux, time_offsets) },
	{ 0 },
};
const struct json_type spec_type_linux = JSON_OBJECT_OF(struct spec_linux, linux_fields);
