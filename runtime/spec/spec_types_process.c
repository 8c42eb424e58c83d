/* The tables of "process". */
#include "spec/spec_types.h"

#include "spec/spec.h"

static const struct json_field console_size_fields[] = {
	{ "height", &json_u16, offsetof(struct spec_console_size, height), JSON_REQUIRED },
	{ "width", &json_u16, offsetof(struct spec_console_size, width), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type console_size_type = JSON_OBJECT_OF(struct spec_console_size, console_size_fields);
static const struct json_type console_size_pointer_type = JSON_POINTER_TO(&console_size_type);

/* An id that is missing must not become root (CVE-2024-40635's kin): both are required, as config.md has it. */
static const struct json_field user_fields[] = {
	{ "uid", &json_u32, offsetof(struct spec_user, uid), JSON_REQUIRED },
	{ "gid", &json_u32, offsetof(struct spec_user, gid), JSON_REQUIRED },
	{ "umask", &json_opt_u32, offsetof(struct spec_user, umask) },
	{ "additionalGids", &json_u32s, JSON_COUNTED(struct spec_user, additional_gids) },
	{ "username", &json_ignored }, /* Windows */
	{ 0 },
};
static const struct json_type user_type = JSON_OBJECT_OF(struct spec_user, user_fields);

static const struct json_field capabilities_fields[] = {
	{ "bounding", &json_strings, JSON_COUNTED(struct spec_capabilities, bounding) },
	{ "effective", &json_strings, JSON_COUNTED(struct spec_capabilities, effective) },
	{ "inheritable", &json_strings, JSON_COUNTED(struct spec_capabilities, inheritable) },
	{ "permitted", &json_strings, JSON_COUNTED(struct spec_capabilities, permitted) },
	{ "ambient", &json_strings, JSON_COUNTED(struct spec_capabilities, ambient) },
	{ 0 },
};
static const struct json_type capabilities_type = JSON_OBJECT_OF(struct spec_capabilities, capabilities_fields);
static const struct json_type capabilities_pointer_type = JSON_POINTER_TO(&capabilities_type);

static const struct json_type rlimit_name_type = JSON_ENUM_OF(int, &names_rlimits);
static const struct json_field rlimit_fields[] = {
	{ "type", &rlimit_name_type, offsetof(struct spec_rlimit, type), JSON_REQUIRED },
	{ "hard", &json_u64, offsetof(struct spec_rlimit, hard), JSON_REQUIRED },
	{ "soft", &json_u64, offsetof(struct spec_rlimit, soft), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type rlimit_type = JSON_OBJECT_OF(struct spec_rlimit, rlimit_fields);
static const struct json_type rlimits_type = JSON_ARRAY_OF(&rlimit_type);

static const struct json_type scheduler_policy_type = JSON_ENUM_OF(int, &names_scheduler_policies);
static const struct json_type scheduler_flags_type = JSON_FLAGS_OF(uint64_t, &names_scheduler_flags);
static const struct json_type nice_type = JSON_SIGNED_OF(int, -20, 19);
static const struct json_type priority_type = JSON_SIGNED_OF(int, 0, 99);
static const struct json_field scheduler_fields[] = {
	{ "policy", &scheduler_policy_type, offsetof(struct spec_scheduler, policy), JSON_REQUIRED },
	{ "nice", &nice_type, offsetof(struct spec_scheduler, nice) },
	{ "priority", &priority_type, offsetof(struct spec_scheduler, priority) },
	{ "flags", &scheduler_flags_type, offsetof(struct spec_scheduler, flags) },
	{ "runtime", &json_u64, offsetof(struct spec_scheduler, runtime) },
	{ "deadline", &json_u64, offsetof(struct spec_scheduler, deadline) },
	{ "period", &json_u64, offsetof(struct spec_scheduler, period) },
	{ 0 },
};
static const struct json_type scheduler_type = JSON_OBJECT_OF(struct spec_scheduler, scheduler_fields);
static const struct json_type scheduler_pointer_type = JSON_POINTER_TO(&scheduler_type);

static const struct json_type io_class_type = JSON_ENUM_OF(int, &names_io_classes);
static const struct json_type io_priority_number_type = JSON_SIGNED_OF(int, 0, 7);
static const struct json_field io_priority_fields[] = {
	{ "class", &io_class_type, offsetof(struct spec_io_priority, class), JSON_REQUIRED },
	{ "priority", &io_priority_number_type, offsetof(struct spec_io_priority, priority), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type io_priority_type = JSON_OBJECT_OF(struct spec_io_priority, io_priority_fields);
static const struct json_type io_priority_pointer_type = JSON_POINTER_TO(&io_priority_type);

static const struct json_field exec_cpu_affinity_fields[] = {
	{ "initial", &json_text, offsetof(struct spec_exec_cpu_affinity, initial) },
	{ "final", &json_text, offsetof(struct spec_exec_cpu_affinity, final) },
	{ 0 },
};
static const struct json_type exec_cpu_affinity_type =
	JSON_OBJECT_OF(struct spec_exec_cpu_affinity, exec_cpu_affinity_fields);
static const struct json_type exec_cpu_affinity_pointer_type = JSON_POINTER_TO(&exec_cpu_affinity_type);

/* proc_pid_oom_score_adj(5) */
static const struct json_type oom_score_adj_number_type = JSON_SIGNED_OF(int, -1000, 1000);
static const struct json_type oom_score_adj_type = JSON_OPTIONAL_OF(struct opt_int, &oom_score_adj_number_type);

static const struct json_field process_fields[] = {
	{ "terminal", &json_bool, offsetof(struct spec_process, terminal) },
	{ "consoleSize", &console_size_pointer_type, offsetof(struct spec_process, console_size) },
	{ "user", &user_type, offsetof(struct spec_process, user) },
	{ "args", &json_strings, JSON_COUNTED(struct spec_process, args) },
	{ "commandLine", &json_ignored }, /* Windows */
	{ "env", &json_strings, JSON_COUNTED(struct spec_process, env) },
	{ "cwd", &json_string, offsetof(struct spec_process, cwd), JSON_REQUIRED },
	{ "capabilities", &capabilities_pointer_type, offsetof(struct spec_process, capabilities) },
	{ "rlimits", &rlimits_type, JSON_COUNTED(struct spec_process, rlimits) },
	{ "noNewPrivileges", &json_bool, offsetof(struct spec_process, no_new_privileges) },
	{ "apparmorProfile", &json_text, offsetof(struct spec_process, apparmor_profile) },
	{ "oomScoreAdj", &oom_score_adj_type, offsetof(struct spec_process, oom_score_adj) },
	{ "scheduler", &scheduler_pointer_type, offsetof(struct spec_process, scheduler) },
	{ "selinuxLabel", &json_text, offsetof(struct spec_process, selinux_label) },
	{ "ioPriority", &io_priority_pointer_type, offsetof(struct spec_process, io_priority) },
	{ "execCPUAffinity", &exec_cpu_affinity_pointer_type, offsetof(struct spec_process, exec_cpu_affinity) },
	{ 0 },
};
const struct json_type spec_type_process = JSON_OBJECT_OF(struct spec_process, process_fields);
