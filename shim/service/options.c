#include "shim/service/options.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "shim/service/toml.h"

#define RUNTIME_OPTIONS "runtimeoptions.v1.Options"
#define RUNC_OPTIONS "containerd.runc.v1.Options"
#define UNSET UINT_MAX

static const struct name driver_list[] = { { "cgroupfs", OPTIONS_CGROUPFS }, { "systemd", OPTIONS_SYSTEMD } };
static const struct name_table driver_names = { "cgroup driver", driver_list, ARRAY_SIZE(driver_list) };
static const struct name level_list[] = {
	{ "error", LOG_LEVEL_ERROR }, { "warning", LOG_LEVEL_WARNING }, { "warn", LOG_LEVEL_WARNING },
	{ "info", LOG_LEVEL_INFO },   { "debug", LOG_LEVEL_DEBUG },
};
static const struct name_table level_names = { "log level", level_list, ARRAY_SIZE(level_list) };

struct table { /* the handler's options as they are written */
	const char *policy, *root, *shim_cgroup;
	unsigned cgroup_driver, log_level; /* UNSET, or the enum's value */
	int64_t version;
	bool systemd_cgroup, no_pivot, redact_args;
};

static const struct toml_field table_fields[] = {
	{ "policy", TOML_STRING, offsetof(struct table, policy) },
	{ "cgroup_driver", TOML_ENUM, offsetof(struct table, cgroup_driver), .names = &driver_names },
	{ "SystemdCgroup", TOML_BOOL, offsetof(struct table, systemd_cgroup) },
	{ "root", TOML_STRING, offsetof(struct table, root) },
	{ "log_level", TOML_ENUM, offsetof(struct table, log_level), .names = &level_names },
	{ "shim_cgroup", TOML_STRING, offsetof(struct table, shim_cgroup) },
	{ "no_pivot", TOML_BOOL, offsetof(struct table, no_pivot) },
	{ "redact_args", TOML_BOOL, offsetof(struct table, redact_args) },
	{ "version", TOML_INTEGER, offsetof(struct table, version), .min = BOOTSTRAP_VERSION_LEGACY,
	  .max = BOOTSTRAP_VERSION },
	/* containerd hands on the table as it is, with what it read from it itself. */
	{ "TypeUrl", TOML_IGNORED },
	{ "ConfigPath", TOML_IGNORED },
	{ 0 },
};

/* runtimeoptions.v1.Options. Source: containerd's api/types/runtimeoptions/v1/api.proto */
struct runtime_options {
	struct wire_bytes config_path, config_body;
};

static const struct wire_field runtime_fields[] = {
	{ 2, WIRE_BYTES, offsetof(struct runtime_options, config_path) },
	{ 3, WIRE_BYTES, offsetof(struct runtime_options, config_body) },
	{ 0 },
};

/* containerd.runc.v1.Options. Source: containerd's api/types/runc/options/oci.proto */
struct runc_options {
	struct wire_bytes shim_cgroup, root;
	uint64_t no_pivot, no_new_keyring, systemd_cgroup;
};

/* Without those that mean nothing to us: the name of runc's program, the owner of pipes that we don't make, CRIU's folders. */
static const struct wire_field runc_fields[] = {
	{ 1, WIRE_NUMBER, offsetof(struct runc_options, no_pivot) },
	{ 2, WIRE_NUMBER, offsetof(struct runc_options, no_new_keyring) },
	{ 3, WIRE_BYTES, offsetof(struct runc_options, shim_cgroup) },
	{ 7, WIRE_BYTES, offsetof(struct runc_options, root) },
	{ 9, WIRE_NUMBER, offsetof(struct runc_options, systemd_cgroup) },
	{ 0 },
};

struct options options_default(void)
{
	return (struct options){ .cgroup_driver = OPTIONS_CGROUPFS, .log_level = LOG_LEVEL_INFO };
}

/* The paths are joined with names of our own: "/run/../etc" would say something else than it shows. */
static bool has_dot_dot(const char *path)
{
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/' ? 1 : 0;
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2]))
			return true;
	}
	return false;
}

/* An empty path says nothing, as protobuf has it. */
static int check_path(const char *name, const char **path, struct error *err)
{
	if (!*path || !**path) {
		*path = NULL;
		return 0;
	}
	if (**path != '/' || strlen(*path) >= PATH_MAX || has_dot_dot(*path))
		return error_invalid(err, "%s: \"%.200s\" is no absolute path without \"..\"; write one like /run/brig",
				     name, *path);
	return 0;
}

/* Each error names its key. */
static int check_paths(struct options *options, struct error *err)
{
	int r = check_path("root", &options->root, err) ?: check_path("shim_cgroup", &options->shim_cgroup, err);

	return r < 0 ? r : check_path("ConfigPath", &options->config_path, err);
}

/* SystemdCgroup is true or false; only a true one can contradict. */
static int choose_driver(const struct table *table, enum options_cgroup_driver *ret, struct error *err)
{
	if (table->systemd_cgroup && table->cgroup_driver == OPTIONS_CGROUPFS)
		return error_invalid(err,
				     "SystemdCgroup = true contradicts cgroup_driver = \"cgroupfs\"; keep one of them");
	*ret = table->systemd_cgroup || table->cgroup_driver == OPTIONS_SYSTEMD ? OPTIONS_SYSTEMD : OPTIONS_CGROUPFS;
	return 0;
}

int options_from_toml(const char *text, size_t length, struct arena *arena, struct options *ret, struct error *err)
{
	struct table table = { .cgroup_driver = UNSET, .log_level = UNSET };
	struct options options = options_default();
	const struct toml_input input = { text, length };
	int r = toml_decode(&input, table_fields, &table, arena, err)
			?: choose_driver(&table, &options.cgroup_driver, err);

	if (r == 0) {
		options.policy = table.policy && *table.policy ? table.policy : NULL;
		options.root = table.root;
		options.shim_cgroup = table.shim_cgroup;
		options.no_pivot = table.no_pivot;
		options.redact_args = table.redact_args;
		options.version = (unsigned)table.version;
		options.has_log_level = table.log_level != UNSET;
		if (options.has_log_level)
			options.log_level = (enum log_level)table.log_level;
		r = check_paths(&options, err);
	}
	if (r < 0)
		return error_prefix(err, "options");
	*ret = options;
	return 0;
}

/* The handler's table, as containerd hands it on for a runtime that it does not know. */
static int from_runtime_options(struct wire_bytes message, struct arena *arena, struct options *ret, struct error *err)
{
	struct runtime_options given = { 0 };
	struct options options = options_default();
	int r;

	if (wire_decode(message, runtime_fields, &given) < 0)
		return error_invalid(err, "options: malformed " RUNTIME_OPTIONS);
	/* With a body the file has been read for us. */
	if (given.config_body.length > 0)
		return options_from_toml((const char *)given.config_body.data, given.config_body.length, arena, ret, err);
	options.config_path = wire_text(given.config_path, arena);
	if (!options.config_path)
		return error_invalid(err, "options: ConfigPath is no UTF-8 text");
	r = check_paths(&options, err);
	if (r < 0)
		return error_prefix(err, "options");
	*ret = options;
	return 0;
}

/* docker and whoever takes every shim for runc's. An unknown field is no error here: protobuf's readers pass over what is newer. */
static int from_runc_options(struct wire_bytes message, struct arena *arena, struct options *ret, struct error *err)
{
	struct options options = options_default();
	struct runc_options given = { 0 };
	int r;

	if (wire_decode(message, runc_fields, &given) < 0)
		return error_invalid(err, "options: malformed " RUNC_OPTIONS);
	options.root = wire_text(given.root, arena);
	options.shim_cgroup = wire_text(given.shim_cgroup, arena);
	if (!options.root || !options.shim_cgroup)
		return error_invalid(err, "options: root or shim_cgroup is no UTF-8 text");
	options.no_pivot = given.no_pivot;
	options.no_new_keyring = given.no_new_keyring;
	options.cgroup_driver = given.systemd_cgroup ? OPTIONS_SYSTEMD : OPTIONS_CGROUPFS;
	r = check_paths(&options, err);
	if (r < 0)
		return error_prefix(err, "options");
	*ret = options;
	return 0;
}

/* Without a type nothing was said. Another type is an error here, since Create's caller has to know that its options mean nothing. */
int options_from_any(const struct bootstrap_any *any, struct arena *arena, struct options *ret, struct error *err)
{
	struct wire_bytes type = bootstrap_any_type(any);
	const char *name;

	if (type.length == 0) {
		*ret = options_default();
		return 0;
	}
	if (wire_equals(type, RUNTIME_OPTIONS))
		return from_runtime_options(any->value, arena, ret, err);
	if (wire_equals(type, RUNC_OPTIONS))
		return from_runc_options(any->value, arena, ret, err);
	name = wire_text(type, arena);
	return error_invalid(err,
			     "options: of the unknown type \"%.100s\"; brig takes " RUNTIME_OPTIONS " and " RUNC_OPTIONS,
			     name ? name : "(no text)");
}
