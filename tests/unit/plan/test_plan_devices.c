#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "plan_fixture.h"

static const struct plan_device *find(const struct plan_fixture *fixture, const char *path)
{
	const struct plan_rootfs *rootfs = &fixture->plan->rootfs;
	const struct plan_device *found = NULL;

	for (size_t i = 0; i < rootfs->n_devices; i++) {
		if (strcmp(rootfs->devices[i].path, path) != 0)
			continue;
		cr_expect_null(found, "%s is there twice", path);
		found = &rootfs->devices[i];
	}
	return found;
}

Test(plan_devices, default_ones_are_always_there)
{
	static const struct {
		const char *path;
		uint32_t major, minor;
	} defaults[] = { { "/dev/null", 1, 3 },	  { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
			 { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 } };
	PLAN_FIXTURE(fixture);

	plan_fixture_good(&fixture, &(struct plan_fixture_json){ 0 });
	cr_expect_eq(fixture.plan->rootfs.n_devices, 6);
	for (size_t i = 0; i < 6; i++) {
		const struct plan_device *device = find(&fixture, defaults[i].path);

		cr_assert_not_null(device, "%s", defaults[i].path);
		cr_expect_eq(device->type, S_IFCHR);
		cr_expect_eq(device->major, defaults[i].major);
		cr_expect_eq(device->minor, defaults[i].minor);
		cr_expect_eq(device->mode, 0666);
	}
}

Test(plan_devices, asked_ones)
{
	PLAN_FIXTURE(fixture);
	const struct plan_device *device;

	plan_fixture_good(
		&fixture,
		&(struct plan_fixture_json){
			.linux_ = ",'devices':[{'path':'/dev//fuse','type':'c','major':10,'minor':229},"
				  "{'path':'/dev/sda','type':'b','major':8,'minor':0,'fileMode':25008,'uid':1,'gid':6},"
				  "{'path':'/run/pipe','type':'p'},{'path':'/dev/u','type':'u','major':1,'minor':1},"
				  "{'path':'/dev/null','type':'c','major':1,'minor':3,'fileMode':384}]" });
	cr_expect_eq(fixture.plan->rootfs.n_devices, 10);
	device = find(&fixture, "/dev/fuse");
	cr_expect_eq(device->mode, 0666);
	device = find(&fixture, "/dev/sda");
	cr_expect_eq(device->type, S_IFBLK);
	cr_expect_eq(device->mode, 0660, "the type's bits are cut: %o", device->mode);
	cr_expect_eq(device->uid, 1);
	cr_expect_eq(device->gid, 6);
	cr_expect_eq(find(&fixture, "/run/pipe")->type, S_IFIFO);
	cr_expect_eq(find(&fixture, "/dev/u")->type, S_IFCHR);
	cr_expect_eq(find(&fixture, "/dev/null")->mode, 0600);
}

Test(plan_devices, each_path_once)
{
	PLAN_FIXTURE(fixture);

	plan_fixture_good(&fixture, &(struct plan_fixture_json){
					    .linux_ = ",'devices':[{'path':'/dev/fuse','type':'c','major':10,'minor':229},"
						      "{'path':'/dev/./fuse','type':'c','major':10,'minor':229}]" });
	cr_expect_eq(fixture.plan->rootfs.n_devices, 7);
	plan_fixture_refused(
		&(struct plan_fixture_json){ .linux_ = ",'devices':[{'path':'/dev/a','type':'c','major':10,'minor':229},"
						       "{'path':'/dev/a','type':'b','major':10,'minor':229}]" },
		ERROR_INVALID, "linux.devices[1].path: /dev/a is there already");
	plan_fixture_refused(&(struct plan_fixture_json){ .linux_ = ",'devices':[{'path':'/dev/..','type':'p'}]" },
			     ERROR_INVALID, "is the directory / of the container");
	plan_fixture_refused(
		&(struct plan_fixture_json){ .linux_ = ",'devices':[{'path':'/dev/./','type':'c','major':1,'minor':3}]" },
		ERROR_INVALID, "is the directory /dev of the container");
}

Test(plan_devices, ptmx_and_console_are_the_containers_own)
{
	static const char devices[] = ",'devices':[{'path':'/dev/ptmx','type':'c','major':5,'minor':2},"
				      "{'path':'/dev/console','type':'c','major':5,'minor':1}]";
	PLAN_FIXTURE(terminal);
	PLAN_FIXTURE(none);

	plan_fixture_good(&terminal, &(struct plan_fixture_json){ .linux_ = devices, .process = ",'terminal':true" });
	cr_expect_null(find(&terminal, "/dev/ptmx"));
	cr_expect_null(find(&terminal, "/dev/console"));
	cr_expect_eq(terminal.report.n_lines, 2);
	plan_fixture_good(&none, &(struct plan_fixture_json){ .linux_ = devices });
	cr_expect_null(find(&none, "/dev/ptmx"));
	cr_expect_not_null(find(&none, "/dev/console"));
}

/* ---- the rest of the root file system ---- */

Test(plan_rootfs, path_and_guarded_paths)
{
	PLAN_FIXTURE(fixture);

	fixture.request.no_pivot = true;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){ .linux_ = ",'maskedPaths':['/proc//kcore','/a/../b'],"
									   "'readonlyPaths':['/proc/sys/']" });
	cr_expect_str_eq(fixture.plan->rootfs.path, "/bundle/rootfs");
	cr_expect_eq(fixture.plan->rootfs.n_masked, 2);
	cr_expect_str_eq(fixture.plan->rootfs.masked[0], "/proc/kcore");
	cr_expect_str_eq(fixture.plan->rootfs.masked[1], "/b");
	cr_expect_str_eq(fixture.plan->rootfs.readonly_paths[0], "/proc/sys");
	cr_expect(fixture.plan->rootfs.no_pivot);
	cr_expect_eq(fixture.plan->rootfs.propagation, 0);
}

Test(plan_rootfs, refused)
{
	PLAN_FIXTURE(fixture);

	plan_fixture_refused(&(struct plan_fixture_json){ .linux_ = ",'maskedPaths':['/a','//']" }, ERROR_INVALID,
			     "linux.maskedPaths[1]");
	plan_fixture_refused(&(struct plan_fixture_json){ .linux_ = ",'readonlyPaths':['/']" }, ERROR_INVALID,
			     "linux.readonlyPaths[0]");
	fixture.request.no_pivot = true;
	plan_fixture_build(&fixture, &(struct plan_fixture_json){ .linux_ = ",'rootfsPropagation':'rprivate'" });
	cr_expect_lt(fixture.rc, 0);
	cr_expect_not_null(strstr(fixture.err.message, "linux.rootfsPropagation"), "%s", fixture.err.message);
}
