/* The documents that brig writes for others: the config.json of `brig spec`, the features. */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "container/brig.h"
#include "container/status.h"
#include "parent/seccomp/seccomp.h"
#include "plan/plan_build.h"
#include "spec/spec.h"

#define BUFFER(name) __attribute__((cleanup(buffer_done_cleanup))) struct buffer name = { 0 }

static const struct host privileged = { .capabilities = (UINT64_C(1) << 41) - 1,
					.capability_bounding = (UINT64_C(1) << 41) - 1,
					.last_capability = 40,
					.cgroup_layout = HOST_CGROUP_V2 };

static struct spec *parse(bool rootless)
{
	BUFFER(text);
	struct error err = { 0 };
	struct spec *spec = NULL;

	cr_assert_eq(brig_spec(rootless, &text, &err), 0, "%s", err.message);
	cr_assert_eq(text.data[text.length - 1], '\n');
	cr_assert_eq(spec_parse(text.data, text.length, &spec, &err), 0, "%s", err.message);
	return spec;
}

static struct plan *build(const struct spec *spec, const struct host *host)
{
	AUTO(policy_done) struct policy policy = { 0 };
	const struct plan_request request = {
		.policy = &policy, .spec = spec, .host = host, .id = "box", .bundle = "/bundle"
	};
	struct report report = { 0 };
	struct error err = { 0 };
	struct plan *plan = NULL;

	/* Safe as it stands: without anything that a stricter policy adds. */
	cr_assert_eq(policy_load("conformant", &policy, &err), 0);
	cr_assert_eq(plan_build(&request, &plan, &report, &err), 0, "%s", err.message);
	for (size_t i = 0; i < report.n_lines; i++)
		cr_expect_eq(report.lines[i].level, REPORT_NOTE, "%s: %s", report.lines[i].rule, report.lines[i].why);
	return plan;
}

Test(documents, spec_is_valid_and_can_be_carried_out)
{
	AUTO(spec_free) struct spec *spec = parse(/* rootless= */ false);
	AUTO(plan_free) struct plan *plan = build(spec, &privileged);

	cr_expect(plan->has_process);
	cr_expect(plan->namespaces.create & CLONE_NEWNS);
}

/* "Safe as it stands". */
Test(documents, spec_is_safe)
{
	AUTO(spec_free) struct spec *spec = parse(/* rootless= */ false);
	AUTO(plan_free) struct plan *plan = build(spec, &privileged);
	const struct plan_capabilities *sets = &plan->process.capabilities;
	const uint64_t kinds = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

	cr_expect_eq(plan->namespaces.create & kinds, kinds);
	cr_expect_eq(plan->namespaces.n_join, 0);
	cr_expect_eq(sets->bounding | sets->permitted | sets->effective | sets->inheritable | sets->ambient, 0);
	cr_expect(plan->process.no_new_privileges);
	cr_expect(plan->rootfs.readonly);
	cr_expect(plan->seccomp.enabled);
	cr_expect_gt(plan->rootfs.n_masked, 5);
	cr_expect_gt(plan->rootfs.n_readonly_paths, 3);
}

Test(documents, spec_has_a_filter_that_compiles)
{
	AUTO(spec_free) struct spec *spec = parse(/* rootless= */ false);
	AUTO(plan_free) struct plan *plan = build(spec, &privileged);
	struct seccomp_program program = { 0 };
	struct error err = { 0 };

	cr_assert_eq(seccomp_program_get(&plan->seccomp, -EBADF, &program, &err), 0, "%s", err.message);
	cr_expect_gt(program.n, 20);
	seccomp_program_done(&program);
}

Test(documents, rootless_spec_maps_the_caller)
{
	const struct host host = { .euid = geteuid(),
				   .egid = getegid(),
				   .last_capability = 40,
				   .cgroup_layout = HOST_CGROUP_V2,
				   .rlimit_hard = { [0 ... 15] = UINT64_MAX } };
	AUTO(spec_free) struct spec *spec = parse(/* rootless= */ true);
	AUTO(plan_free) struct plan *plan = build(spec, &host);

	cr_expect(plan->namespaces.create & CLONE_NEWUSER);
	cr_assert_eq(plan->namespaces.uids.n_ranges, 1);
	cr_expect_eq(plan->namespaces.uids.ranges[0].inside, 0);
	cr_expect_eq(plan->namespaces.uids.ranges[0].outside, geteuid());
	cr_expect_eq(plan->namespaces.uids.ranges[0].count, 1);
	cr_expect_eq(plan->namespaces.gids.ranges[0].outside, getegid());
}

struct enabled {
	bool enabled;
};
static const struct json_field enabled_fields[] = { { "enabled", &json_bool, 0, JSON_REQUIRED }, { 0 } };
static const struct json_type enabled_type = JSON_OBJECT_OF(struct enabled, enabled_fields);

struct linux_features {
	const char *const *namespaces;
	size_t n_namespaces;
	const char *const *capabilities;
	size_t n_capabilities;
	struct enabled seccomp, apparmor, selinux, intel_rdt;
};
static const struct json_field linux_fields[] = {
	{ "namespaces", &json_strings, JSON_COUNTED(struct linux_features, namespaces), JSON_REQUIRED },
	{ "capabilities", &json_strings, JSON_COUNTED(struct linux_features, capabilities), JSON_REQUIRED },
	{ "cgroup", &json_ignored, 0, JSON_REQUIRED },
	{ "seccomp", &enabled_type, offsetof(struct linux_features, seccomp), JSON_REQUIRED },
	{ "apparmor", &enabled_type, offsetof(struct linux_features, apparmor), JSON_REQUIRED },
	{ "selinux", &enabled_type, offsetof(struct linux_features, selinux), JSON_REQUIRED },
	{ "intelRdt", &enabled_type, offsetof(struct linux_features, intel_rdt), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type linux_type = JSON_OBJECT_OF(struct linux_features, linux_fields);

struct features {
	const char *version_min, *version_max;
	const char *const *hooks;
	size_t n_hooks;
	const char *const *mount_options;
	size_t n_mount_options;
	struct linux_features linux_;
};
static const struct json_field features_fields[] = {
	{ "ociVersionMin", &json_string, offsetof(struct features, version_min), JSON_REQUIRED },
	{ "ociVersionMax", &json_string, offsetof(struct features, version_max), JSON_REQUIRED },
	{ "hooks", &json_strings, JSON_COUNTED(struct features, hooks), JSON_REQUIRED },
	{ "mountOptions", &json_strings, JSON_COUNTED(struct features, mount_options), JSON_REQUIRED },
	{ "linux", &linux_type, offsetof(struct features, linux_), JSON_REQUIRED },
	{ "annotations", &json_ignored, 0, 0 },
	{ 0 },
};
static const struct json_type features_type = JSON_OBJECT_OF(struct features, features_fields);

static bool has(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], name) == 0)
			return true;
	}
	return false;
}

Test(documents, features_are_json_with_what_others_look_for)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	const struct brig brig = { .root = "/nonexistent" };
	struct features features = { 0 };
	struct error err = { 0 };
	struct json_input input;
	BUFFER(text);

	cr_assert_eq(brig_features(&brig, &text, &err), 0, "%s", err.message);
	input = (struct json_input){ .text = text.data, .length = text.length };
	cr_assert_eq(json_decode(&input, &features_type, &features, arena, &err), 0, "%s", err.message);
	cr_expect_str_eq(features.version_min, "1.0.0");
	cr_expect_str_eq(features.version_max, "1.3.0");
	cr_expect_eq(features.n_hooks, 6);
	cr_expect(has(features.mount_options, features.n_mount_options, "rro"));
	cr_expect(has(features.mount_options, features.n_mount_options, "idmap"));
	cr_expect(has(features.linux_.namespaces, features.linux_.n_namespaces, "user"));
	cr_expect(has(features.linux_.namespaces, features.linux_.n_namespaces, "time"));
	cr_expect(has(features.linux_.capabilities, features.linux_.n_capabilities, "CAP_SYS_ADMIN"));
	cr_expect(features.linux_.seccomp.enabled);
	cr_expect_not(features.linux_.intel_rdt.enabled);
}

Test(documents, each_status_has_the_name_of_the_specification)
{
	cr_expect_str_eq(brig_status_name(BRIG_CREATING), "creating");
	cr_expect_str_eq(brig_status_name(BRIG_CREATED), "created");
	cr_expect_str_eq(brig_status_name(BRIG_RUNNING), "running");
	cr_expect_str_eq(brig_status_name(BRIG_PAUSED), "paused");
	cr_expect_str_eq(brig_status_name(BRIG_STOPPED), "stopped");
}
