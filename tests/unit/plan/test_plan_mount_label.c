#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan_fixture.h"

#define LABEL "system_u:object_r:container_file_t:s0:c1,c2"
#define LABELLED ",'mountLabel':'" LABEL "'"

/* Of the i-th mount; NULL where it has none. */
static const char *context_of(const struct plan_fixture *fixture, size_t i)
{
	const struct plan_mount *mount = &fixture->plan->rootfs.mounts[i];
	const char *found = NULL;

	for (size_t k = 0; k < mount->n_options; k++) {
		if (strcmp(mount->options[k].key, "context") == 0) {
			cr_expect_null(found, "%s has two labels", mount->destination);
			found = mount->options[k].value;
		}
	}
	return found;
}

static void build(struct plan_fixture *fixture, const char *mounts, const char *namespaces)
{
	fixture->host.selinux = true;
	plan_fixture_good(fixture,
			  &(struct plan_fixture_json){ .linux_ = LABELLED, .mounts = mounts, .namespaces = namespaces });
}

Test(plan_mount_label, new_file_systems_get_it_as_an_option)
{
	static const char *const types[] = { "tmpfs", "devpts", "ramfs", "overlay", "ext4" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		char mount[128];
		PLAN_FIXTURE(fixture);

		snprintf(mount, sizeof(mount), "{'destination':'/a','type':'%s','options':['ro','a=b']}", types[i]);
		build(&fixture, mount, NULL);
		cr_expect_str_eq(context_of(&fixture, 0) ?: "none", LABEL, "%s", types[i]);
		cr_expect_null(fixture.plan->rootfs.mounts[0].label, "%s", types[i]);
	}
}

/* Among as many options of its own as there can be. */
Test(plan_mount_label, devices_of_a_user_namespace_get_it_as_well)
{
	PLAN_FIXTURE(fixture);

	fixture.host.selinux = true;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){
					    .linux_ = LABELLED PLAN_FIXTURE_MAPS,
					    .namespaces = PLAN_FIXTURE_USER,
					    .mounts = "{'destination':'/dev','type':'tmpfs','options':['ro']}" });
	cr_assert(fixture.plan->rootfs.mounts[0].is_dev);
	cr_expect_eq(fixture.plan->rootfs.mounts[0].n_options, 3, "uid, gid, context");
	cr_expect_str_eq(context_of(&fixture, 0), LABEL);
}

Test(plan_mount_label, what_the_kernel_or_the_files_themselves_label_is_left_alone)
{
	static const char *const mounts[] = {
		"{'destination':'/proc','type':'proc'}",
		"{'destination':'/sys','type':'sysfs'}",
		"{'destination':'/sys/fs/cgroup','type':'cgroup'}",
		"{'destination':'/t','type':'tracefs'}",
		"{'destination':'/b','type':'bind','source':'/b','options':['rbind','ro']}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		PLAN_FIXTURE(fixture);

		build(&fixture, mounts[i], ",{'type':'network'}");
		cr_expect_null(context_of(&fixture, 0), "%s", mounts[i]);
		cr_expect_null(fixture.plan->rootfs.mounts[0].label, "%s", mounts[i]);
	}
}

/* The kernel makes it with the ipc namespace, before anybody could give it options. */
Test(plan_mount_label, message_queues_get_it_on_their_root)
{
	PLAN_FIXTURE(own);
	PLAN_FIXTURE(of_the_host);

	build(&own, "{'destination':'/dev/mqueue','type':'mqueue'}", ",{'type':'ipc'}");
	cr_expect_str_eq(own.plan->rootfs.mounts[0].label ?: "none", LABEL);
	cr_expect_null(context_of(&own, 0));
	build(&of_the_host, "{'destination':'/dev/mqueue','type':'mqueue'}", NULL);
	cr_expect_null(of_the_host.plan->rootfs.mounts[0].label, "the host's own is not a container's to label");
	cr_expect_not(plan_fixture_has_line(&of_the_host, "mount-label"));
}

Test(plan_mount_label, message_queues_of_a_user_namespace_go_without_and_that_is_told)
{
	PLAN_FIXTURE(fixture);

	fixture.host.selinux = true;
	plan_fixture_good(&fixture,
			  &(struct plan_fixture_json){ .linux_ = LABELLED PLAN_FIXTURE_MAPS,
						       .namespaces = PLAN_FIXTURE_USER ",{'type':'ipc'}",
						       .mounts = "{'destination':'/dev/mqueue','type':'mqueue'}" });
	cr_expect_null(fixture.plan->rootfs.mounts[0].label);
	cr_expect_str_eq(plan_fixture_line(&fixture, "mount-label")->asked, LABEL);
}

Test(plan_mount_label, a_label_of_the_mount_itself_counts)
{
	static const char *const options[] = { "context=x:y:z", "context=\\\"x:y:z\\\"", "rootcontext=x:y:z" };

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct plan_mount *mount;
		char text[128];
		PLAN_FIXTURE(fixture);

		snprintf(text, sizeof(text), "{'destination':'/a','type':'tmpfs','options':['%s']}", options[i]);
		build(&fixture, text, NULL);
		mount = &fixture.plan->rootfs.mounts[0];
		cr_assert_eq(mount->n_options, 1);
		cr_expect_str_eq(mount->options[0].value, "x:y:z", "without quotes, which are for mount(2)");
	}
}

/* Values of other options are theirs, quotes and all. */
Test(plan_mount_label, quotes_of_others_stay)
{
	PLAN_FIXTURE(fixture);

	build(&fixture, "{'destination':'/a','type':'tmpfs','options':['x=\\\"y\\\"','context=\\\"']}", NULL);
	cr_expect_str_eq(fixture.plan->rootfs.mounts[0].options[0].value, "\"y\"");
	cr_expect_str_eq(fixture.plan->rootfs.mounts[0].options[1].value, "\"");
}

Test(plan_mount_label, an_empty_one_is_none)
{
	PLAN_FIXTURE(fixture);

	fixture.host.selinux = true;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){ .linux_ = ",'mountLabel':''",
								 .mounts = "{'destination':'/a','type':'tmpfs'}" });
	cr_expect_null(fixture.plan->rootfs.mount_label);
	cr_expect_null(context_of(&fixture, 0));
}
