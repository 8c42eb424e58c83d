/* The tables of "linux.resources"; `brig update` decodes such an object by itself. */
#include "spec/spec_types.h"

#include "spec/spec.h"

static const struct json_type rule_kind_type = JSON_ENUM_OF(int, &names_device_rule_types);
/* -1: any. The kernel keeps 12 bits of the major number and 20 of the minor. */
static const struct json_type any_major_number_type = JSON_SIGNED_OF(int64_t, -1, 0xfff);
static const struct json_type any_minor_number_type = JSON_SIGNED_OF(int64_t, -1, 0xfffff);
static const struct json_type any_major_type = JSON_OPTIONAL_OF(struct opt_i64, &any_major_number_type);
static const struct json_type any_minor_type = JSON_OPTIONAL_OF(struct opt_i64, &any_minor_number_type);
static const struct json_field device_rule_fields[] = {
	{ "allow", &json_bool, offsetof(struct spec_device_rule, allow), JSON_REQUIRED },
	{ "type", &rule_kind_type, offsetof(struct spec_device_rule, type) },
	{ "major", &any_major_type, offsetof(struct spec_device_rule, major) },
	{ "minor", &any_minor_type, offsetof(struct spec_device_rule, minor) },
	{ "access", &json_text, offsetof(struct spec_device_rule, access) },
	{ 0 },
};
static const struct json_type device_rule_type = JSON_OBJECT_OF(struct spec_device_rule, device_rule_fields);
static const struct json_type device_rules_type = JSON_ARRAY_OF(&device_rule_type);

/* Bytes, or -1: no limit. */
static const struct json_type limit_number_type = JSON_SIGNED_OF(int64_t, -1, INT64_MAX);
static const struct json_type limit_type = JSON_OPTIONAL_OF(struct opt_i64, &limit_number_type);
static const struct json_type percent_number_type = JSON_UNSIGNED_OF(uint64_t, 100);
static const struct json_type percent_type = JSON_OPTIONAL_OF(struct opt_u64, &percent_number_type);
static const struct json_field memory_fields[] = {
	{ "limit", &limit_type, offsetof(struct spec_memory, limit) },
	{ "reservation", &limit_type, offsetof(struct spec_memory, reservation) },
	{ "swap", &limit_type, offsetof(struct spec_memory, swap) },
	{ "kernel", &limit_type, offsetof(struct spec_memory, kernel) },
	{ "kernelTCP", &limit_type, offsetof(struct spec_memory, kernel_tcp) },
	{ "swappiness", &percent_type, offsetof(struct spec_memory, swappiness) },
	{ "disableOOMKiller", &json_opt_bool, offsetof(struct spec_memory, disable_oom_killer) },
	{ "useHierarchy", &json_opt_bool, offsetof(struct spec_memory, use_hierarchy) },
	{ "checkBeforeUpdate", &json_opt_bool, offsetof(struct spec_memory, check_before_update) },
	{ 0 },
};
static const struct json_type memory_type = JSON_OBJECT_OF(struct spec_memory, memory_fields);

static const struct json_type idle_number_type = JSON_SIGNED_OF(int64_t, 0, 1);
static const struct json_type idle_type = JSON_OPTIONAL_OF(struct opt_i64, &idle_number_type);
static const struct json_field cpu_fields[] = {
	{ "shares", &json_opt_u64, offsetof(struct spec_cpu, shares) },
	{ "quota", &limit_type, offsetof(struct spec_cpu, quota) },
	{ "burst", &json_opt_u64, offsetof(struct spec_cpu, burst) },
	{ "period", &json_opt_u64, offsetof(struct spec_cpu, period) },
	{ "realtimeRuntime", &limit_type, offsetof(struct spec_cpu, realtime_runtime) },
	{ "realtimePeriod", &json_opt_u64, offsetof(struct spec_cpu, realtime_period) },
	{ "cpus", &json_text, offsetof(struct spec_cpu, cpus) },
	{ "mems", &json_text, offsetof(struct spec_cpu, mems) },
	{ "idle", &idle_type, offsetof(struct spec_cpu, idle) },
	{ 0 },
};
static const struct json_type cpu_type = JSON_OBJECT_OF(struct spec_cpu, cpu_fields);

static const struct json_field pids_fields[] = {
	{ "limit", &limit_type, 0 },
	{ 0 },
};
static const struct json_type pids_type = JSON_OBJECT_OF(struct opt_i64, pids_fields);

static const struct json_type major_type = JSON_SIGNED_OF(int64_t, 0, 0xfff);
static const struct json_type minor_type = JSON_SIGNED_OF(int64_t, 0, 0xfffff);
static const struct json_field weight_device_fields[] = {
	{ "major", &major_type, offsetof(struct spec_weight_device, major), JSON_REQUIRED },
	{ "minor", &minor_type, offsetof(struct spec_weight_device, minor), JSON_REQUIRED },
	{ "weight", &json_opt_u16, offsetof(struct spec_weight_device, weight) },
	{ "leafWeight", &json_opt_u16, offsetof(struct spec_weight_device, leaf_weight) },
	{ 0 },
};
static const struct json_type weight_device_type = JSON_OBJECT_OF(struct spec_weight_device, weight_device_fields);
static const struct json_type weight_devices_type = JSON_ARRAY_OF(&weight_device_type);

/* Bytes or operations a second; 0 takes a limit away. */
static const struct json_field throttle_fields[] = {
	{ "major", &major_type, offsetof(struct spec_throttle_device, major), JSON_REQUIRED },
	{ "minor", &minor_type, offsetof(struct spec_throttle_device, minor), JSON_REQUIRED },
	{ "rate", &json_u64, offsetof(struct spec_throttle_device, rate), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type throttle_type = JSON_OBJECT_OF(struct spec_throttle_device, throttle_fields);
static const struct json_type throttles_type = JSON_ARRAY_OF(&throttle_type);

static const struct json_field block_io_fields[] = {
	{ "weight", &json_opt_u16, offsetof(struct spec_block_io, weight) },
	{ "leafWeight", &json_opt_u16, offsetof(struct spec_block_io, leaf_weight) },
	{ "weightDevice", &weight_devices_type, JSON_COUNTED(struct spec_block_io, weight_device) },
	{ "throttleReadBpsDevice", &throttles_type, JSON_COUNTED(struct spec_block_io, throttle_read_bps_device) },
	{ "throttleWriteBpsDevice", &throttles_type, JSON_COUNTED(struct spec_block_io, throttle_write_bps_device) },
	{ "throttleReadIOPSDevice", &throttles_type, JSON_COUNTED(struct spec_block_io, throttle_read_iops_device) },
	{ "throttleWriteIOPSDevice", &throttles_type, JSON_COUNTED(struct spec_block_io, throttle_write_iops_device) },
	{ 0 },
};
static const struct json_type block_io_type = JSON_OBJECT_OF(struct spec_block_io, block_io_fields);

static const struct json_field hugepage_limit_fields[] = {
	{ "pageSize", &json_string, offsetof(struct spec_hugepage_limit, page_size), JSON_REQUIRED },
	{ "limit", &json_u64, offsetof(struct spec_hugepage_limit, limit), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type hugepage_limit_type = JSON_OBJECT_OF(struct spec_hugepage_limit, hugepage_limit_fields);
static const struct json_type hugepage_limits_type = JSON_ARRAY_OF(&hugepage_limit_type);

static const struct json_field priority_fields[] = {
	{ "name", &json_string, offsetof(struct spec_interface_priority, name), JSON_REQUIRED },
	{ "priority", &json_u32, offsetof(struct spec_interface_priority, priority), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type priority_type = JSON_OBJECT_OF(struct spec_interface_priority, priority_fields);
static const struct json_type priorities_type = JSON_ARRAY_OF(&priority_type);
static const struct json_field network_fields[] = {
	{ "classID", &json_opt_u32, offsetof(struct spec_network, class_id) },
	{ "priorities", &priorities_type, JSON_COUNTED(struct spec_network, priorities) },
	{ 0 },
};
static const struct json_type network_type = JSON_OBJECT_OF(struct spec_network, network_fields);

static const struct json_field rdma_fields[] = {
	{ "hcaHandles", &json_opt_u32, offsetof(struct spec_rdma, hca_handles) },
	{ "hcaObjects", &json_opt_u32, offsetof(struct spec_rdma, hca_objects) },
	{ 0 },
};
static const struct json_type rdma_entry_type = JSON_OBJECT_OF(struct spec_rdma, rdma_fields);
static const struct json_type rdma_type = JSON_MAP_OF(struct spec_rdma, &rdma_entry_type);

static const struct json_field resources_fields[] = {
	{ "devices", &device_rules_type, JSON_COUNTED(struct spec_resources, devices) },
	{ "memory", &memory_type, offsetof(struct spec_resources, memory) },
	{ "cpu", &cpu_type, offsetof(struct spec_resources, cpu) },
	{ "pids", &pids_type, offsetof(struct spec_resources, pids_limit) },
	{ "blockIO", &block_io_type, offsetof(struct spec_resources, block_io) },
	{ "hugepageLimits", &hugepage_limits_type, JSON_COUNTED(struct spec_resources, hugepage_limits) },
	{ "network", &network_type, offsetof(struct spec_resources, network) },
	{ "rdma", &rdma_type, JSON_COUNTED(struct spec_resources, rdma) },
	{ "unified", &json_pairs, JSON_COUNTED(struct spec_resources, unified) },
	{ 0 },
};
/* intelRdt lies beside the resources in the specification, not in them. */
const struct json_type spec_type_resources = JSON_OBJECT_OF(struct spec_resources, resources_fields);
