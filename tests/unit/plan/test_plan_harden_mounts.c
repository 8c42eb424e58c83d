/* What mounts allow: the floor's rules mount-flags and mount-propagation, and which mount namespaces are locked. */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan_fixture.h"
#include "policy/policy.h"

#define AUTO_POLICY __attribute__((cleanup(policy_done)))

#define BOTH (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

static struct policy flags_policy(const char *level)
{
	struct policy policy = { 0 };
	struct error err = { 0 };
	char text[256];
	int n = snprintf(text, sizeof(text),
			 "{\"set\":\"conformant\",\"rules\":{\"mount-flags\":\"%s\",\"mount-propagation\":\"%s\"}}",
			 level, level);

	cr_assert_eq(policy_parse(text, (size_t)n, &policy, &err), 0, "%s", err.message);
	return policy;
}

Test(plan_harden_mounts, volumes_are_nosuid_and_nodev)
{
	static const struct {
		const char *mount;
		uint64_t set, below;
		const char *applied; /* NULL: there was nothing to do */
	} cases[] = {
		{ "{'destination':'/a','source':'/s','options':['rbind']}", BOTH, BOTH, "nosuid, nodev" },
		{ "{'destination':'/a','source':'/s','options':['bind']}", BOTH, 0, "nosuid, nodev" },
		{ "{'destination':'/a','source':'/s','options':['bind','suid','dev']}", BOTH, 0, "nosuid, nodev" },
		{ "{'destination':'/a','source':'/s','options':['rbind','rsuid','rdev']}", BOTH, BOTH, "nosuid, nodev" },
		{ "{'destination':'/a','source':'/s','options':['bind','nosuid','nodev']}", BOTH, 0, NULL },
		{ "{'destination':'/a','source':'/s','options':['bind','nosuid']}", BOTH, 0, "nodev" },
		{ "{'destination':'/a','source':'/s','options':['rbind','nosuid','nodev']}", BOTH, BOTH, "nosuid, nodev" },
		{ "{'destination':'/a','source':'/s','options':['rbind','rnosuid','rnodev']}", 0, BOTH, NULL },
		{ "{'destination':'/a','source':'/s','options':['rbind','rnosuid','rnodev','dev']}", 0, BOTH, NULL },
		{ "{'destination':'/a','source':'/s','options':['bind','nosuid','nodev','rsuid']}", BOTH, 0, "nosuid" },
		{ "{'destination':'/t','type':'tmpfs','source':'t'}", BOTH, 0, "nosuid, nodev" },
		{ "{'destination':'/proc','type':'proc','source':'proc'}", BOTH, 0, "nosuid, nodev" },
		{ "{'destination':'/dev','type':'tmpfs','source':'t'}", MOUNT_ATTR_NOSUID, 0, "nosuid" },
		{ "{'destination':'/dev/pts','type':'devpts','source':'t'}", MOUNT_ATTR_NOSUID, 0, "nosuid" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_POLICY struct policy policy = flags_policy("adjust");
		PLAN_FIXTURE(fixture);
		const struct plan_mount *mount;

		fixture.request.policy = &policy;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .mounts = cases[i].mount });
		mount = &fixture.plan->rootfs.mounts[0];
		cr_expect_eq(mount->attr_set & BOTH, cases[i].set, "%s: %#lx", cases[i].mount,
			     (unsigned long)mount->attr_set);
		cr_expect_eq(mount->rattr_set & BOTH, cases[i].below, "%s: %#lx", cases[i].mount,
			     (unsigned long)mount->rattr_set);
		cr_expect_eq((mount->attr_clear | mount->rattr_clear) & BOTH, 0, "%s", cases[i].mount);
		cr_expect_eq(plan_fixture_has_line(&fixture, "mount-flags"), cases[i].applied != NULL, "%s",
			     cases[i].mount);
		if (cases[i].applied)
			cr_expect_str_eq(plan_fixture_line(&fixture, "mount-flags")->applied, cases[i].applied);
	}
}

Test(plan_harden_mounts, a_device_that_is_bound_stays_one)
{
	AUTO_POLICY struct policy policy = flags_policy("adjust");
	PLAN_FIXTURE(fixture);
	const struct host_source source = { .known = true, .mode = S_IFCHR | 0666, .real = "/dev/fuse" };

	fixture.request.policy = &policy;
	fixture.request.sources = &source;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){
					    .mounts = "{'destination':'/a','source':'/dev/fuse','options':['rbind']}" });
	cr_expect_eq(fixture.plan->rootfs.mounts[0].rattr_set & BOTH, (uint64_t)MOUNT_ATTR_NOSUID);
}

Test(plan_harden_mounts, nothing_is_shared_with_the_host)
{
	static const struct {
		const char *level;
		int rc;
		uint64_t propagation;
	} cases[] = {
		{ "adjust", 0, MS_SLAVE },
		{ "warn", 0, MS_SHARED },
		{ "off", 0, MS_SHARED },
		{ "enforce", -EPERM, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_POLICY struct policy policy = flags_policy(cases[i].level);
		PLAN_FIXTURE(fixture);

		fixture.request.policy = &policy;
		plan_fixture_build(&fixture,
				   &(struct plan_fixture_json){
					   .mounts = "{'destination':'/a','source':'/s','options':['bind','rshared',"
						     "'nosuid','nodev']}",
					   .linux_ = ",'rootfsPropagation':'rshared'" });
		cr_assert_eq(fixture.rc, cases[i].rc, "%s: %s", cases[i].level, fixture.err.message);
		if (fixture.rc < 0)
			continue;
		cr_expect_eq(fixture.plan->rootfs.mounts[0].propagation, cases[i].propagation, "%s", cases[i].level);
		cr_expect(fixture.plan->rootfs.mounts[0].propagation_recursive);
		cr_expect_eq(fixture.plan->rootfs.propagation & (MS_SHARED | MS_SLAVE), cases[i].propagation, "%s",
			     cases[i].level);
	}
}

/* A user namespace that is new, and mounts that are made outside of it: with the host's numbers. */
Test(plan_harden_mounts, a_new_user_namespace_gets_locked_mounts)
{
	AUTO_POLICY struct policy policy = flags_policy("adjust");
	PLAN_FIXTURE(fixture);
	const struct plan_mount *mounts;

	fixture.request.policy = &policy;
	plan_fixture_good(&fixture,
			  &(struct plan_fixture_json){
				  .mounts = "{'destination':'/t','type':'tmpfs','source':'t','options':['uid=5']},"
					    "{'destination':'/dev/pts','type':'devpts','source':'p','options':['gid=5']}",
				  .namespaces = PLAN_FIXTURE_USER,
				  .linux_ = PLAN_FIXTURE_MAPS });
	cr_expect(fixture.plan->rootfs.locked);
	mounts = fixture.plan->rootfs.mounts;
	cr_assert_eq(mounts[0].n_options, 2);
	cr_expect_str_eq(mounts[0].options[0].key, "uid");
	cr_expect_str_eq(mounts[0].options[0].value, "100005");
	cr_expect_str_eq(mounts[0].options[1].key, "gid");
	cr_expect_str_eq(mounts[0].options[1].value, "200000");
	cr_assert_eq(mounts[1].n_options, 1);
	cr_expect_str_eq(mounts[1].options[0].value, "200005");
}

Test(plan_harden_mounts, nothing_is_locked_without_a_reason_or_the_means)
{
	static const struct {
		const char *level, *namespaces;
		uint64_t capabilities;
		bool nested;
	} cases[] = {
		{ "off", PLAN_FIXTURE_USER, PLAN_FIXTURE_ALL_CAPABILITIES, false },
		{ "adjust", "", PLAN_FIXTURE_ALL_CAPABILITIES, false },
		{ "adjust", PLAN_FIXTURE_USER, 0, false },
		{ "adjust", PLAN_FIXTURE_USER, PLAN_FIXTURE_ALL_CAPABILITIES, true },
		{ "adjust", ",{'type':'user','path':'/proc/9/ns/user'}", PLAN_FIXTURE_ALL_CAPABILITIES, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_POLICY struct policy policy = flags_policy(cases[i].level);
		bool maps = strcmp(cases[i].namespaces, PLAN_FIXTURE_USER) == 0;
		PLAN_FIXTURE(fixture);

		fixture.request.policy = &policy;
		fixture.host.capabilities = cases[i].capabilities;
		fixture.host.in_user_namespace = cases[i].nested;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .namespaces = cases[i].namespaces,
									 .linux_ = maps ? PLAN_FIXTURE_MAPS : "" });
		cr_expect_not(fixture.plan->rootfs.locked, "case %zu", i);
	}
}

/* Before it is opened, so that `brig check` tells it; a path that is just not there may come. */
Test(plan_harden_mounts, a_magic_link_is_refused_and_named)
{
	static const struct host_source magic = { .magic = true };
	const struct plan_fixture_json volume = {
		.mounts = "{'destination':'/a','type':'bind','source':'/proc/self/cwd','options':['rbind']}"
	};
	struct policy policy = { 0 };
	PLAN_FIXTURE(source);
	PLAN_FIXTURE(root);

	cr_assert_eq(policy_load("conformant", &policy, NULL), 0);
	policy.levels[POLICY_MOUNT_SOURCE] = POLICY_ENFORCE;
	source.request.policy = root.request.policy = &policy;
	source.request.sources = &magic;
	plan_fixture_build(&source, &volume);
	cr_expect_eq(source.err.kind, ERROR_REFUSED);
	cr_expect_not_null(strstr(source.err.message,
				  "mounts[0].source: asked for /proc/self/cwd, but it leads through a magic link"),
			   "%s", source.err.message);
	root.request.root_source = magic;
	root.request.root_is_at_path = true;
	plan_fixture_build(&root, &(struct plan_fixture_json){ 0 });
	cr_expect_eq(root.err.kind, ERROR_REFUSED);
	cr_expect_not_null(strstr(root.err.message, "root.path: "), "%s", root.err.message);
	cr_expect_not_null(strstr(root.err.message, "magic link"), "%s", root.err.message);
}
