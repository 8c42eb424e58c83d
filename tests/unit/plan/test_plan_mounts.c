#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include <criterion/criterion.h>

#include "base/syscalls.h"
#include "plan_fixture.h"

static const struct plan_mount *only_mount(const struct plan_fixture *fixture)
{
	cr_assert_eq(fixture->plan->rootfs.n_mounts, 1);
	return &fixture->plan->rootfs.mounts[0];
}

static const struct plan_mount *build_one(struct plan_fixture *fixture, const char *mount)
{
	plan_fixture_good(fixture, &(struct plan_fixture_json){ .mounts = mount });
	return only_mount(fixture);
}

Test(plan_mounts, bind_is_told_by_option_or_type)
{
	static const struct {
		const char *mount;
		bool recursive;
	} cases[] = {
		{ "{'destination':'/a','source':'/s','type':'bind'}", false },
		{ "{'destination':'/a','source':'/s','options':['bind']}", false },
		{ "{'destination':'/a','source':'/s','type':'none','options':['rbind']}", true },
		{ "{'destination':'/a','source':'/s','type':'bind','options':['rbind']}", true },
		{ "{'destination':'/a','source':'/s','type':'tmpfs','options':['bind']}", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);
		const struct plan_mount *mount = build_one(&fixture, cases[i].mount);

		cr_expect_eq(mount->kind, PLAN_MOUNT_BIND, "%s", cases[i].mount);
		cr_expect_eq(mount->recursive, cases[i].recursive, "%s", cases[i].mount);
		cr_expect_eq(mount->maker, PLAN_MAKER_PARENT);
		cr_expect_str_eq(mount->source, "/s");
		cr_expect_str_eq(mount->where, "mounts[0]");
	}
}

static const char *const pod_options[] = { "rbind", "nosuid" };
static const struct spec_mount pod_mounts[] = {
	{ .destination = "/etc/hosts", .type = "bind", .source = "/pod/hosts", .options = pod_options, .n_options = 2 },
	{ .destination = "/dev/shm", .type = "bind", .source = "/pod/shm", .options = pod_options, .n_options = 2 },
};

static void build_in_pod(struct plan_fixture *fixture, const char *mounts)
{
	fixture->request.shared_mounts = pod_mounts;
	fixture->request.n_shared_mounts = ARRAY_SIZE(pod_mounts);
	plan_fixture_good(fixture, &(struct plan_fixture_json){ .mounts = mounts });
}

Test(plan_mounts, what_a_pod_shares_comes_where_the_spec_says_nothing)
{
	PLAN_FIXTURE(fixture);
	const struct plan_mount *mounts;

	build_in_pod(&fixture, "{'destination':'/a','source':'/s','type':'bind'}");
	mounts = fixture.plan->rootfs.mounts;
	cr_assert_eq(fixture.plan->rootfs.n_mounts, 3);
	cr_expect_str_eq(mounts[0].destination, "/a");
	cr_expect_str_eq(mounts[1].destination, "/etc/hosts");
	cr_expect_str_eq(mounts[1].source, "/pod/hosts");
	cr_expect_eq(mounts[1].kind, PLAN_MOUNT_BIND);
	cr_expect_str_eq(mounts[1].where, "the pod's /etc/hosts");
	cr_expect_str_eq(mounts[2].source, "/pod/shm");
}

/* However it is written there. A new tmpfs is what every container has that nothing was said about. */
Test(plan_mounts, what_a_pod_shares_gives_way_to_all_but_a_tmpfs)
{
	PLAN_FIXTURE(fixture);
	const struct plan_mount *mounts;

	build_in_pod(&fixture, "{'destination':'/dev/shm','source':'shm','type':'tmpfs'},"
			       "{'destination':'/etc/./hosts','source':'/s','type':'bind'}");
	mounts = fixture.plan->rootfs.mounts;
	cr_assert_eq(fixture.plan->rootfs.n_mounts, 2);
	cr_expect_str_eq(mounts[0].source, "/pod/shm");
	cr_expect_eq(mounts[0].kind, PLAN_MOUNT_BIND);
	cr_expect_str_eq(mounts[1].source, "/s");
}

/* ".." is left alone: where a symbolic link is in the way, folding it would name another place. */
Test(plan_mounts, relative_source_begins_at_the_bundle)
{
	PLAN_FIXTURE(fixture);

	cr_expect_str_eq(build_one(&fixture, "{'destination':'/a','source':'v/../w','type':'bind'}")->source,
			 "/bundle/v/../w");
}

Test(plan_mounts, bind_without_privilege_is_the_childs)
{
	PLAN_FIXTURE(fixture);

	fixture.host.capabilities = 0;
	cr_expect_eq(build_one(&fixture, "{'destination':'/a','source':'/s','type':'bind'}")->maker, PLAN_MAKER_CHILD);
}

Test(plan_mounts, propagation_of_binds)
{
	static const struct {
		const char *options, *of_root;
		uint64_t propagation;
		bool recursive;
	} cases[] = {
		{ "'rbind'", "", MS_SLAVE, true },
		{ "'bind'", ",'rootfsPropagation':'rslave'", MS_SLAVE, true },
		{ "'rbind'", ",'rootfsPropagation':'shared'", MS_SLAVE, true },
		{ "'rbind'", ",'rootfsPropagation':'private'", MS_PRIVATE, true },
		{ "'rbind'", ",'rootfsPropagation':'rprivate'", MS_PRIVATE, true },
		{ "'rbind','rshared'", "", MS_SHARED, true },
		{ "'rbind','shared'", ",'rootfsPropagation':'rprivate'", MS_SHARED, false },
		{ "'rbind','rshared','private'", "", MS_PRIVATE, false },
		{ "'rbind','unbindable'", "", MS_UNBINDABLE, false },
	};
	char mount[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		snprintf(mount, sizeof(mount), "{'destination':'/a','source':'/s','options':[%s]}", cases[i].options);
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .mounts = mount, .linux_ = cases[i].of_root });
		cr_expect_eq(only_mount(&fixture)->propagation, cases[i].propagation, "%s %s", cases[i].options,
			     cases[i].of_root);
		cr_expect_eq(only_mount(&fixture)->propagation_recursive, cases[i].recursive, "%s", cases[i].options);
	}
}

/* Who can mount what: by privilege and by the namespaces that the container has. */
Test(plan_mounts, maker)
{
	static const char map[] = PLAN_FIXTURE_MAPS;
	static const struct {
		const char *type, *destination, *namespaces, *linux_;
		bool privileged;
		enum plan_mount_maker maker;
	} cases[] = {
		{ "proc", "/proc", "", "", true, PLAN_MAKER_CHILD },
		{ "mqueue", "/dev/mqueue", "", "", true, PLAN_MAKER_CHILD },
		{ "devpts", "/dev/pts", "", "", true, PLAN_MAKER_CHILD },
		{ "cgroup", "/sys/fs/cgroup", "", "", true, PLAN_MAKER_CHILD },
		{ "cgroup2", "/sys/fs/cgroup", "", "", true, PLAN_MAKER_CHILD },
		{ "tmpfs", "/tmp", "", "", true, PLAN_MAKER_CHILD },
		{ "tmpfs", "/dev", "", "", true, PLAN_MAKER_PARENT },
		{ "tmpfs", "/dev/", "", "", true, PLAN_MAKER_PARENT },
		{ "tmpfs", "/dev", "", "", false, PLAN_MAKER_CHILD },
		{ "tmpfs", "/dev", ",{'type':'user'}", map, true, PLAN_MAKER_PARENT },
		{ "tmpfs", "/dev", ",{'type':'user','path':'/n'}", "", true, PLAN_MAKER_CHILD },
		{ "sysfs", "/sys", "", "", true, PLAN_MAKER_CHILD },
		{ "sysfs", "/sys", ",{'type':'network'}", "", true, PLAN_MAKER_CHILD },
		{ "sysfs", "/sys", ",{'type':'network','path':'/n'}", "", true, PLAN_MAKER_CHILD },
		{ "sysfs", "/sys", ",{'type':'network','path':'/n'},{'type':'user'}", map, true, PLAN_MAKER_PARENT },
		{ "sysfs", "/sys", ",{'type':'network'},{'type':'user'}", map, true, PLAN_MAKER_CHILD },
		{ "ext4", "/data", "", "", true, PLAN_MAKER_PARENT },
		{ "overlay", "/data", "", "", false, PLAN_MAKER_CHILD },
		{ "overlay", "/data", ",{'type':'user'}", map, true, PLAN_MAKER_CHILD },
	};
	char mount[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		if (!cases[i].privileged)
			fixture.host.capabilities = 0;
		snprintf(mount, sizeof(mount), "{'destination':'%s','source':'x','type':'%s'}", cases[i].destination,
			 cases[i].type);
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .mounts = mount,
									 .namespaces = cases[i].namespaces,
									 .linux_ = cases[i].linux_ });
		cr_expect_eq(only_mount(&fixture)->maker, cases[i].maker, "%s %s %s", cases[i].type,
			     cases[i].destination, cases[i].namespaces);
		cr_expect_eq(only_mount(&fixture)->kind,
			     strncmp(cases[i].type, "cgroup", 6) == 0 ? PLAN_MOUNT_CGROUP : PLAN_MOUNT_FILESYSTEM);
		cr_expect_eq(only_mount(&fixture)->is_dev, strncmp(cases[i].destination, "/dev", 5) == 0 ||
								   strcmp(cases[i].destination, "/dev/") == 0);
	}
}

/* A runtime that is root in a user namespace (rootless podman's) can't make nodes: the child binds the host's. */
Test(plan_mounts, dev_in_a_user_namespace_of_the_host_is_the_childs)
{
	PLAN_FIXTURE(fixture);

	fixture.host.in_user_namespace = true;
	cr_expect_eq(build_one(&fixture, "{'destination':'/dev','type':'tmpfs'}")->maker, PLAN_MAKER_CHILD);
}

static const char *option(const struct plan_mount *mount, const char *key)
{
	for (size_t i = 0; i < mount->n_options; i++) {
		if (strcmp(mount->options[i].key, key) == 0)
			return mount->options[i].value ?: "";
	}
	return NULL;
}

Test(plan_mounts, dev_belongs_to_the_mapped_root)
{
	static const struct {
		const char *options, *uid, *gid;
	} cases[] = {
		{ "'mode=755'", "100000", "200000" },
		{ "'uid=7','gid=8'", "100007", "200008" },
	};
	char mount[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		snprintf(mount, sizeof(mount), "{'destination':'/dev','type':'tmpfs','options':[%s]}", cases[i].options);
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ .mounts = mount,
									 .namespaces = PLAN_FIXTURE_USER,
									 .linux_ = PLAN_FIXTURE_MAPS });
		cr_expect_str_eq(option(only_mount(&fixture), "uid"), cases[i].uid);
		cr_expect_str_eq(option(only_mount(&fixture), "gid"), cases[i].gid);
	}
}

Test(plan_mounts, dev_of_an_unmapped_owner_is_refused)
{
	static const char *const options[] = { "uid=1000", "uid=x", "gid=4294967296", "uid=" };
	char mount[256];

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		snprintf(mount, sizeof(mount), "{'destination':'/dev','type':'tmpfs','options':['%s']}", options[i]);
		plan_fixture_refused(&(struct plan_fixture_json){ .mounts = mount,
								  .namespaces = PLAN_FIXTURE_USER,
								  .linux_ = PLAN_FIXTURE_MAPS },
				     ERROR_INVALID, "is not mapped by linux.");
	}
}

Test(plan_mounts, devpts_loses_a_group_that_is_not_mapped)
{
	static const char mount[] =
		"{'destination':'/dev/pts','type':'devpts','options':['newinstance','gid=5','ptmxmode=0666']}";
	static const char small[] = ",'uidMappings':[{'containerID':0,'hostID':1000,'size':1}]"
				    ",'gidMappings':[{'containerID':0,'hostID':1000,'size':1}]";
	PLAN_FIXTURE(mapped);
	PLAN_FIXTURE(unmapped);

	plan_fixture_good(&mapped, &(struct plan_fixture_json){ .mounts = mount,
								.namespaces = PLAN_FIXTURE_USER,
								.linux_ = PLAN_FIXTURE_MAPS });
	cr_expect_str_eq(option(only_mount(&mapped), "gid"), "5");
	plan_fixture_good(&unmapped, &(struct plan_fixture_json){
					     .mounts = mount, .namespaces = PLAN_FIXTURE_USER, .linux_ = small });
	cr_expect_eq(only_mount(&unmapped)->n_options, 2);
	cr_expect_null(option(only_mount(&unmapped), "gid"));
	cr_expect_str_eq(option(only_mount(&unmapped), "ptmxmode"), "0666");
	cr_expect_str_eq(plan_fixture_line(&unmapped, "devpts-group")->asked, "gid=5");
}

Test(plan_mounts, sysfs_that_the_kernel_would_refuse_becomes_a_read_only_bind)
{
	static const struct {
		const char *namespaces, *linux_;
		bool in_user_namespace, bound;
	} cases[] = {
		{ ",{'type':'user'}", PLAN_FIXTURE_MAPS, false, true },
		{ ",{'type':'user','path':'/n'}", "", false, true },
		{ "", "", true, true },
		{ "", "", false, false },
		{ ",{'type':'network'}", "", true, false },
	};
	const uint64_t safe = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		fixture.host.in_user_namespace = cases[i].in_user_namespace;
		plan_fixture_good(&fixture,
				  &(struct plan_fixture_json){
					  .mounts = "{'destination':'/sys','type':'sysfs','options':['rw','suid']}",
					  .namespaces = cases[i].namespaces,
					  .linux_ = cases[i].linux_ });
		cr_expect_eq(plan_fixture_has_line(&fixture, "sysfs-bound"), cases[i].bound);
		cr_expect_eq(only_mount(&fixture)->kind, cases[i].bound ? PLAN_MOUNT_BIND : PLAN_MOUNT_FILESYSTEM);
		if (!cases[i].bound)
			continue;
		cr_expect_str_eq(only_mount(&fixture)->source, "/sys");
		cr_expect(only_mount(&fixture)->recursive);
		cr_expect_eq(only_mount(&fixture)->rattr_set, safe);
		cr_expect_eq(only_mount(&fixture)->attr_clear | only_mount(&fixture)->rattr_clear, 0);
		cr_expect_eq(only_mount(&fixture)->propagation, MS_SLAVE);
	}
}

/* The child does as it is told: what the kernel would refuse to it is known before. */
Test(plan_mounts, cgroups_that_the_kernel_would_refuse_become_a_read_only_bind)
{
	static const struct {
		const char *namespaces, *linux_;
		bool in_user_namespace;
		enum plan_cgroup_manager manager;
		bool bound;
	} cases[] = {
		{ ",{'type':'user'}", PLAN_FIXTURE_MAPS, false, PLAN_CGROUP_DISABLED, true },
		{ ",{'type':'user','path':'/n'}", "", false, PLAN_CGROUP_DISABLED, true },
		{ "", "", true, PLAN_CGROUP_FS, true },
		/* The host's own, for root without a user namespace. */
		{ "", "", false, PLAN_CGROUP_DISABLED, false },
		/* The container's group is shown by the parent. */
		{ ",{'type':'user'}", PLAN_FIXTURE_MAPS, false, PLAN_CGROUP_FS, false },
		/* It has a tree of its own. */
		{ ",{'type':'user'},{'type':'cgroup'}", PLAN_FIXTURE_MAPS, false, PLAN_CGROUP_DISABLED, false },
		{ ",{'type':'cgroup','path':'/n'}", "", true, PLAN_CGROUP_DISABLED, false },
	};
	const uint64_t safe = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		fixture.host.in_user_namespace = cases[i].in_user_namespace;
		fixture.request.cgroup_manager = cases[i].manager;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){
						    .mounts = "{'destination':'/c','type':'cgroup','options':['rw']}",
						    .namespaces = cases[i].namespaces,
						    .linux_ = cases[i].linux_ });
		cr_expect_eq(plan_fixture_has_line(&fixture, "cgroup-bound"), cases[i].bound, "case %zu", i);
		cr_expect_eq(only_mount(&fixture)->kind, cases[i].bound ? PLAN_MOUNT_BIND : PLAN_MOUNT_CGROUP,
			     "case %zu", i);
		if (!cases[i].bound)
			continue;
		cr_expect_str_eq(only_mount(&fixture)->source, "/sys/fs/cgroup");
		cr_expect(only_mount(&fixture)->recursive);
		cr_expect_eq(only_mount(&fixture)->rattr_set, safe);
		cr_expect_eq(only_mount(&fixture)->propagation, MS_SLAVE);
	}
}

Test(plan_mounts, destinations_are_normalised)
{
	PLAN_FIXTURE(fixture);

	cr_expect_str_eq(build_one(&fixture, "{'destination':'/a//b/../c/.','type':'tmpfs'}")->destination, "/a/c");
	cr_expect_not(plan_fixture_has_line(&fixture, "mount-relative"));
	plan_fixture_done(&fixture);
	fixture.report = (struct report){ 0 };
	cr_expect_str_eq(build_one(&fixture, "{'destination':'a/b','type':'tmpfs'}")->destination, "/a/b");
	cr_expect_str_eq(plan_fixture_line(&fixture, "mount-relative")->asked, "a/b");
}

Test(plan_mounts, refused_destinations)
{
	static const char *const mounts[] = {
		"{'destination':'/','type':'tmpfs'}",
		"{'destination':'/a/..','source':'/s','type':'bind'}",
		"{'destination':'/proc','type':'tmpfs'}",
		"{'destination':'/proc','source':'/s','type':'bind'}",
		"{'destination':'/proc/','source':'/s','options':['rbind']}",
		"{'destination':'/x/../proc','type':'tmpfs'}",
		"{'destination':'proc','type':'tmpfs'}",
		"{'destination':'/proc/self/attr','source':'/s','type':'bind'}",
		"{'destination':'/proc/sys','source':'/s','type':'bind'}",
		"{'destination':'/proc/acpi','type':'tmpfs'}",
		"{'destination':'/proc/meminfo','type':'tmpfs'}",
		"{'destination':'/proc/meminfo/x','source':'/s','type':'bind'}",
		"{'destination':'/proc/sys/kernel','source':'/s','type':'bind'}",
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++)
		plan_fixture_refused(&(struct plan_fixture_json){ .mounts = mounts[i] }, ERROR_REFUSED,
				     "mounts[0].destination");
}

Test(plan_mounts, what_may_lie_in_proc)
{
	static const char *const mounts[] = {
		"{'destination':'/proc','type':'proc','options':['hidepid=2','subset=pid']}",
		"{'destination':'/proc','source':'/proc','type':'bind'}",
		"{'destination':'/proc/meminfo','source':'/lxcfs/meminfo','type':'bind'}",
		"{'destination':'/proc/sys/kernel/ns_last_pid','source':'/s','type':'bind'}",
		"{'destination':'/processes','type':'tmpfs'}",
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		PLAN_FIXTURE(fixture);

		build_one(&fixture, mounts[i]);
	}
}

Test(plan_mounts, refused_shapes)
{
	static const struct {
		const char *mount, *words;
	} cases[] = {
		{ "{'destination':'/a'}", "mounts[0].type: is missing" },
		{ "{'destination':'/a','type':'none'}", "mounts[0].type: is missing" },
		{ "{'destination':'/a','type':'bind'}", "mounts[0].source: is missing" },
		{ "{'destination':'/a','source':'/s','type':'bind','options':['size=1m']}", "\"size\" means nothing" },
		{ "{'destination':'/a','source':'/s','type':'bind','options':['context=x']}",
		  "\"context\" means nothing" },
		{ "{'destination':'/a','type':'tmpfs','options':['=x']}", "mounts[0].options[0]" },
		{ "{'destination':'/a','source':'/s','type':'bind','options':['tmpcopyup']}", "tmpcopyup" },
		{ "{'destination':'/proc','type':'proc','options':['tmpcopyup']}", "tmpcopyup" },
		{ "{'destination':'/a','type':'tmpfs','options':['idmap']}", "only a bind mount" },
		{ "{'destination':'/a','source':'/s','type':'bind','options':['ridmap']}", "asks for ridmap" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		plan_fixture_refused(&(struct plan_fixture_json){ .mounts = cases[i].mount }, ERROR_INVALID,
				     cases[i].words);
}

/* ---- id-mapped mounts ---- */

#define MAPPINGS                                                  \
	",'uidMappings':[{'containerID':0,'hostID':5,'size':2}]," \
	"'gidMappings':[{'containerID':0,'hostID':6,'size':2}]"

Test(plan_mounts, maps_ids_by_its_own_mappings)
{
	static const struct {
		const char *options;
		bool recursive;
	} cases[] = { { "'bind'", false }, { "'rbind','idmap'", false }, { "'rbind','ridmap'", true } };
	char mount[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		snprintf(mount, sizeof(mount), "{'destination':'/a','source':'/s','options':[%s]" MAPPINGS "}",
			 cases[i].options);
		build_one(&fixture, mount);
		cr_expect(only_mount(&fixture)->idmap);
		cr_expect_eq(only_mount(&fixture)->idmap_recursive, cases[i].recursive);
		cr_expect_eq(only_mount(&fixture)->maker, PLAN_MAKER_PARENT);
		cr_assert_eq(only_mount(&fixture)->uids.n_ranges, 1);
		cr_expect_eq(only_mount(&fixture)->uids.ranges[0].outside, 5);
		cr_expect_eq(only_mount(&fixture)->gids.ranges[0].outside, 6);
	}
}

Test(plan_mounts, maps_ids_by_the_containers_maps)
{
	PLAN_FIXTURE(fixture);

	plan_fixture_good(&fixture, &(struct plan_fixture_json){
					    .mounts = "{'destination':'/a','source':'/s','options':['bind','idmap']}",
					    .namespaces = PLAN_FIXTURE_USER,
					    .linux_ = PLAN_FIXTURE_MAPS });
	cr_expect(only_mount(&fixture)->idmap);
	cr_expect_eq(only_mount(&fixture)->uids.n_ranges, 0);
}

Test(plan_mounts, mapping_ids_takes_privilege)
{
	PLAN_FIXTURE(fixture);

	fixture.host.capabilities = 0;
	plan_fixture_build(&fixture, &(struct plan_fixture_json){
					     .mounts = "{'destination':'/a','source':'/s','type':'bind'" MAPPINGS "}" });
	cr_expect_lt(fixture.rc, 0);
	cr_expect_eq(fixture.err.kind, ERROR_UNSUPPORTED);
}
