/* Members are in the order in which Go's specs-go writes them: the decoder looks there first. */
#include "spec/spec_types.h"

#include "spec/spec.h"

static const struct json_field root_fields[] = {
	{ "path", &json_text, offsetof(struct spec_root, path), JSON_REQUIRED },
	{ "readonly", &json_bool, offsetof(struct spec_root, readonly) },
	{ 0 },
};
static const struct json_type root_type = JSON_OBJECT_OF(struct spec_root, root_fields);

static const struct json_field id_mapping_fields[] = {
	{ "containerID", &json_u32, offsetof(struct spec_id_mapping, container_id), JSON_REQUIRED },
	{ "hostID", &json_u32, offsetof(struct spec_id_mapping, host_id), JSON_REQUIRED },
	{ "size", &json_u32, offsetof(struct spec_id_mapping, size), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type id_mapping_type = JSON_OBJECT_OF(struct spec_id_mapping, id_mapping_fields);
const struct json_type spec_type_id_mappings = JSON_ARRAY_OF(&id_mapping_type);

static const struct json_field mount_fields[] = {
	{ "destination", &json_text, offsetof(struct spec_mount, destination), JSON_REQUIRED },
	{ "type", &json_text, offsetof(struct spec_mount, type) },
	{ "source", &json_text, offsetof(struct spec_mount, source) },
	{ "options", &json_strings, JSON_COUNTED(struct spec_mount, options) },
	{ "uidMappings", &spec_type_id_mappings, JSON_COUNTED(struct spec_mount, uid_mappings) },
	{ "gidMappings", &spec_type_id_mappings, JSON_COUNTED(struct spec_mount, gid_mappings) },
	{ 0 },
};
static const struct json_type mount_type = JSON_OBJECT_OF(struct spec_mount, mount_fields);
static const struct json_type mounts_type = JSON_ARRAY_OF(&mount_type);

static const struct json_field hook_fields[] = {
	{ "path", &json_text, offsetof(struct spec_hook, path), JSON_REQUIRED },
	{ "args", &json_strings, JSON_COUNTED(struct spec_hook, args) },
	{ "env", &json_strings, JSON_COUNTED(struct spec_hook, env) },
	{ "timeout", &json_opt_int, offsetof(struct spec_hook, timeout) },
	{ 0 },
};
static const struct json_type hook_type = JSON_OBJECT_OF(struct spec_hook, hook_fields);
static const struct json_type hook_list_type = JSON_ARRAY_OF(&hook_type);

static const struct json_field hooks_fields[] = {
	{ "prestart", &hook_list_type, JSON_COUNTED(struct spec_hooks, prestart) },
	{ "createRuntime", &hook_list_type, JSON_COUNTED(struct spec_hooks, create_runtime) },
	{ "createContainer", &hook_list_type, JSON_COUNTED(struct spec_hooks, create_container) },
	{ "startContainer", &hook_list_type, JSON_COUNTED(struct spec_hooks, start_container) },
	{ "poststart", &hook_list_type, JSON_COUNTED(struct spec_hooks, poststart) },
	{ "poststop", &hook_list_type, JSON_COUNTED(struct spec_hooks, poststop) },
	{ 0 },
};
static const struct json_type hooks_type = JSON_OBJECT_OF(struct spec_hooks, hooks_fields);

static const struct json_type process_pointer_type = JSON_POINTER_TO(&spec_type_process);

static const struct json_field spec_fields[] = {
	{ "ociVersion", &json_string, offsetof(struct spec, oci_version), JSON_REQUIRED },
	{ "process", &process_pointer_type, offsetof(struct spec, process) },
	{ "root", &root_type, offsetof(struct spec, root), JSON_REQUIRED },
	{ "hostname", &json_text, offsetof(struct spec, hostname) },
	{ "domainname", &json_text, offsetof(struct spec, domainname) },
	{ "mounts", &mounts_type, JSON_COUNTED(struct spec, mounts) },
	{ "hooks", &hooks_type, offsetof(struct spec, hooks) },
	{ "annotations", &json_pairs, JSON_COUNTED(struct spec, annotations) },
	{ "linux", &spec_type_linux, offsetof(struct spec, linux_) },
	/* Sections for other systems say nothing to a Linux runtime (config.md, "Platform-specific configuration"). */
	{ "solaris", &json_ignored },
	{ "windows", &json_ignored },
	{ "vm", &json_ignored },
	{ "zos", &json_ignored },
	{ "freebsd", &json_ignored },
	{ 0 },
};
const struct json_type spec_type = JSON_OBJECT_OF(struct spec, spec_fields);
