/* The features document: OCI runtime-spec features.md, features-linux.md. */
#include <stdio.h>

#include "base/json_write.h"
#include "base/names.h"
#include "brig-places.h"
#include "config.h"
#include "container/brig.h"
#include "parent/seccomp/seccomp_floor.h"
#include "plan/plan_levels.h"
#include "plan/plan_mount_options.h"
#include "policy/policy.h"

static void write_names(struct json_writer *writer, const char *key, const struct name_table *table)
{
	json_write_key(writer, key);
	json_write_array_begin(writer);
	for (size_t i = 0; i < table->n; i++)
		json_write_string(writer, table->list[i].text);
	json_write_array_end(writer);
}

static void write_list(struct json_writer *writer, const char *key, const char *const *list)
{
	json_write_key(writer, key);
	json_write_array_begin(writer);
	for (; *list; list++)
		json_write_string(writer, *list);
	json_write_array_end(writer);
}

static void write_enabled(struct json_writer *writer, const char *key, bool enabled)
{
	json_write_key(writer, key);
	json_write_object_begin(writer);
	json_write_member_bool(writer, "enabled", enabled);
	json_write_object_end(writer);
}

static void write_mount_options(struct json_writer *writer)
{
	const char *name;

	json_write_key(writer, "mountOptions");
	json_write_array_begin(writer);
	for (size_t i = 0; (name = plan_mount_options_name(i)); i++)
		json_write_string(writer, name);
	json_write_array_end(writer);
}

static void write_seccomp(struct json_writer *writer)
{
	/* SPEC_ALLOW and TSYNC are taken and passed on; TSYNC makes no difference to a process with one thread. */
	json_write_key(writer, "seccomp");
	json_write_object_begin(writer);
	json_write_member_bool(writer, "enabled", true);
	write_names(writer, "actions", &names_seccomp_actions);
	write_names(writer, "operators", &names_seccomp_operators);
	write_names(writer, "archs", &names_seccomp_archs);
	write_names(writer, "knownFlags", &names_seccomp_flags);
	write_names(writer, "supportedFlags", &names_seccomp_flags);
	json_write_object_end(writer);
}

static void write_cgroup(struct json_writer *writer)
{
	json_write_key(writer, "cgroup");
	json_write_object_begin(writer);
	json_write_member_bool(writer, "v1", true);
	json_write_member_bool(writer, "v2", true);
	json_write_member_bool(writer, "systemd", BRIG_SYSTEMD_HELPER[0] != '\0');
	json_write_member_bool(writer, "systemdUser", BRIG_SYSTEMD_HELPER[0] != '\0');
	json_write_member_bool(writer, "rdma", true);
	json_write_object_end(writer);
}

static void write_memory_policy(struct json_writer *writer)
{
	json_write_key(writer, "memoryPolicy");
	json_write_object_begin(writer);
	write_names(writer, "modes", &names_memory_modes);
	write_names(writer, "flags", &names_memory_flags);
	json_write_object_end(writer);
}

static void write_linux(struct json_writer *writer)
{
	json_write_key(writer, "linux");
	json_write_object_begin(writer);
	write_names(writer, "namespaces", &names_namespaces);
	write_names(writer, "capabilities", &names_capabilities);
	write_cgroup(writer);
	write_seccomp(writer);
	write_enabled(writer, "apparmor", true);
	write_enabled(writer, "selinux", true);
	write_enabled(writer, "intelRdt", false);
	write_memory_policy(writer);
	write_enabled(writer, "netDevices", true);
	json_write_key(writer, "mountExtensions");
	json_write_object_begin(writer);
	write_enabled(writer, "idmap", true);
	json_write_object_end(writer);
	json_write_object_end(writer);
}

/* Those of config.json that change what brig does; one that ends in "." stands for all that begin so (features.md). */
static void write_unsafe_annotations(struct json_writer *writer)
{
	char name[128];

	json_write_key(writer, "potentiallyUnsafeConfigAnnotations");
	json_write_array_begin(writer);
	json_write_string(writer, "brig.dev/egress");
	json_write_string(writer, "brig.dev/max-output");
	json_write_string(writer, "brig.dev/tcp");
	json_write_string(writer, "brig.dev/timeout");
	for (size_t i = 0; i < POLICY_N_RULES; i++) {
		snprintf(name, sizeof(name), PLAN_LEVELS_PREFIX "%s", policy_rule_name((enum policy_rule)i));
		json_write_string(writer, name);
	}
	json_write_string(writer, "org.systemd.property.");
	json_write_array_end(writer);
}

int brig_features(const struct brig *brig, struct buffer *json, struct error *err)
{
	static const char *const hooks[] = {
		"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", NULL
	};
	struct json_writer writer = json_writer_on(json, /* indent= */ 2);

	(void)brig;
	json_write_object_begin(&writer);
	json_write_member(&writer, "ociVersionMin", "1.0.0");
	json_write_member(&writer, "ociVersionMax", "1.3.0");
	write_list(&writer, "hooks", hooks);
	write_mount_options(&writer);
	write_linux(&writer);
	json_write_key(&writer, "annotations");
	json_write_object_begin(&writer);
	json_write_member(&writer, "dev.brig.version", PACKAGE_VERSION);
	/* Of brig's own system call filters: another text, another version. */
	json_write_member(&writer, "dev.brig.seccomp.floor", seccomp_floor_version());
	json_write_object_end(&writer);
	write_unsafe_annotations(&writer);
	json_write_object_end(&writer);
	return json->failed ? error_memory(err) : 0;
}
