/* The tables of "linux.seccomp"; a learned profile is such an object too. */
#include "spec/spec_types.h"

#include "spec/spec.h"

static const struct json_type action_type = JSON_ENUM_OF(uint32_t, &names_seccomp_actions);
static const struct json_type operator_type = JSON_ENUM_OF(int, &names_seccomp_operators);
/* A system call has six arguments; seccomp's return value has 16 bits for data. */
static const struct json_type index_type = JSON_UNSIGNED_OF(uint32_t, 5);
static const struct json_type errno_number_type = JSON_UNSIGNED_OF(uint32_t, 0xffff);
static const struct json_type errno_type = JSON_OPTIONAL_OF(struct opt_u32, &errno_number_type);

static const struct json_field arg_fields[] = {
	{ "index", &index_type, offsetof(struct spec_seccomp_arg, index), JSON_REQUIRED },
	{ "value", &json_u64, offsetof(struct spec_seccomp_arg, value), JSON_REQUIRED },
	{ "valueTwo", &json_u64, offsetof(struct spec_seccomp_arg, value_two) },
	{ "op", &operator_type, offsetof(struct spec_seccomp_arg, op), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type arg_type = JSON_OBJECT_OF(struct spec_seccomp_arg, arg_fields);
static const struct json_type args_type = JSON_ARRAY_OF(&arg_type);

static const struct json_field rule_fields[] = {
	{ "names", &json_strings, JSON_COUNTED(struct spec_seccomp_rule, names), JSON_REQUIRED },
	{ "action", &action_type, offsetof(struct spec_seccomp_rule, action), JSON_REQUIRED },
	{ "errnoRet", &errno_type, offsetof(struct spec_seccomp_rule, errno_ret) },
	{ "args", &args_type, JSON_COUNTED(struct spec_seccomp_rule, args) },
	{ 0 },
};
static const struct json_type rule_type = JSON_OBJECT_OF(struct spec_seccomp_rule, rule_fields);
static const struct json_type rules_type = JSON_ARRAY_OF(&rule_type);

static const struct json_type arch_type = JSON_ENUM_OF(uint32_t, &names_seccomp_archs);
static const struct json_type archs_type = JSON_ARRAY_OF(&arch_type);
static const struct json_type flags_bits_type = JSON_FLAGS_OF(uint64_t, &names_seccomp_flags);
static const struct json_type flags_type = JSON_OPTIONAL_OF(struct opt_u64, &flags_bits_type);

static const struct json_field seccomp_fields[] = {
	{ "defaultAction", &action_type, offsetof(struct spec_seccomp, default_action), JSON_REQUIRED },
	{ "defaultErrnoRet", &errno_type, offsetof(struct spec_seccomp, default_errno_ret) },
	{ "architectures", &archs_type, JSON_COUNTED(struct spec_seccomp, architectures) },
	{ "flags", &flags_type, offsetof(struct spec_seccomp, flags) },
	{ "listenerPath", &json_text, offsetof(struct spec_seccomp, listener_path) },
	{ "listenerMetadata", &json_text, offsetof(struct spec_seccomp, listener_metadata) },
	{ "syscalls", &rules_type, JSON_COUNTED(struct spec_seccomp, syscalls) },
	{ 0 },
};
const struct json_type spec_type_seccomp = JSON_OBJECT_OF(struct spec_seccomp, seccomp_fields);
