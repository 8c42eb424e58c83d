#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/buffer.h"
#include "parent/cgroup/cgroup_unit.h"

static const struct cgroup_unit_owner root = { .user = false };
static const struct cgroup_unit_owner sailor = { .user = true, .uid = 1000 };

Test(cgroup_unit, names)
{
	static const struct {
		const struct cgroup_unit_owner *owner;
		const char *asked, *scope, *slice, *path;
	} cases[] = {
		{ &root, "system.slice:brig:box", "brig-box.scope", "system.slice", "system.slice/brig-box.scope" },
		{ &root, ":brig:box", "brig-box.scope", "system.slice", "system.slice/brig-box.scope" },
		{ &root, "a.slice::box", "box.scope", "a.slice", "a.slice/box.scope" },
		{ &root, "-.slice:x:box", "x-box.scope", "-.slice", "x-box.scope" },
		{ &root, "a-b-c.slice:cri:box", "cri-box.scope", "a-b-c.slice",
		  "a.slice/a-b.slice/a-b-c.slice/cri-box.scope" },
		/* Those that systemd escapes, and those that look alike. */
		{ &root, ":_x:y", "_x-y.scope", "system.slice", "system.slice/__x-y.scope" },
		{ &root, "_a-b.slice::y", "y.scope", "_a-b.slice", "__a.slice/__a-b.slice/y.scope" },
		{ &root, "cpu.slice::memory", "memory.scope", "cpu.slice", "_cpu.slice/_memory.scope" },
		{ &root, "cpu-io.slice::cgroup.x", "cgroup.x.scope", "cpu-io.slice",
		  "_cpu.slice/cpu-io.slice/_cgroup.x.scope" },
		{ &root, "cpux.slice::x_", "x_.scope", "cpux.slice", "cpux.slice/x_.scope" },
		{ &sailor, ":brig:box", "brig-box.scope", "user.slice",
		  "user.slice/user-1000.slice/user@1000.service/user.slice/brig-box.scope" },
		{ &sailor, "a-b.slice:brig:box", "brig-box.scope", "a-b.slice",
		  "user.slice/user-1000.slice/user@1000.service/a.slice/a-b.slice/brig-box.scope" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cgroup_unit unit;
		struct error err = { 0 };

		cr_assert_eq(cgroup_unit_of(cases[i].asked, cases[i].owner, &unit, &err), 0, "%s", err.message);
		cr_expect_str_eq(unit.scope, cases[i].scope);
		cr_expect_str_eq(unit.slice, cases[i].slice);
		cr_expect_str_eq(unit.path, cases[i].path);
		cr_expect_eq(unit.user, cases[i].owner->user);
	}
}

Test(cgroup_unit, paths_of_slices)
{
	static const struct {
		const char *slice, *path; /* NULL: it has none */
	} cases[] = {
		{ "a.slice", "a.slice" },
		{ "a-b-c.slice", "a.slice/a-b.slice/a-b-c.slice" },
		{ "-.slice", "" },
		{ "cpu-x.slice", "_cpu.slice/cpu-x.slice" },
		{ "a--b.slice", NULL },
		{ "a.slice/b.slice", NULL },
		{ "a", NULL },
	};
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert_eq(cgroup_unit_slice_path(cases[i].slice, path, sizeof(path)), cases[i].path ? 0 : -EINVAL);
		cr_expect_str_eq(path, cases[i].path ?: path);
	}
	cr_expect_eq(cgroup_unit_slice_path("a-b.slice", path, strlen("a.slice/a-b.slice")), -EINVAL);
	cr_expect_eq(cgroup_unit_slice_path("a-b.slice", path, strlen("a.slice/a-b.slice") + 1), 0);
}

Test(cgroup_unit, refused_names)
{
	static const char *const paths[] = {
		"",
		"a",
		"a.slice:b",
		"a:b:c",
		".slice:b:c",
		"a--b.slice:b:c",
		"-a.slice:b:c",
		"a-.slice:b:c",
		"../a.slice:b:c",
		"a.slice/b.slice:b:c",
		"a.slice:b:c d",
		"a.slice:b:c\nproperty b X true",
		"a.slice\nunit x:b:c",
		"a.slice:b:../c",
		"a.slice:.b:c",
		"a.slice:b@:c",
	};
	struct cgroup_unit unit = { .scope = "untouched" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct error err = { 0 };

		cr_expect_eq(cgroup_unit_of(paths[i], &root, &unit, &err), -EINVAL, "%s", paths[i]);
		cr_expect_not_null(strstr(err.message, "linux.cgroupsPath"), "%s: %s", paths[i], err.message);
		cr_expect_str_eq(unit.scope, "untouched");
	}
}

Test(cgroup_unit, long_names_are_refused)
{
	char path[2 * UNIT_REQUEST_NAME_MAX + 64], dashes[2 * UNIT_REQUEST_NAME_MAX + 64] = "";
	struct cgroup_unit unit;
	struct error err = { 0 };

	memset(path, 'x', sizeof(path));
	memcpy(path, "a.slice:b:", 10);
	path[10 + UNIT_REQUEST_NAME_MAX] = '\0';
	cr_expect_eq(cgroup_unit_of(path, &root, &unit, &err), -EINVAL);
	/* As many levels as a name has room for: the path would be longer than any. */
	for (size_t i = 0; i < 120; i++)
		strcat(dashes, i ? "-a" : "a");
	strcat(dashes, ".slice:b:c");
	cr_expect_eq(cgroup_unit_of(dashes, &root, &unit, &err), -EINVAL);
}

static void expect_properties(const struct cgroup_setting *setting, const char *wanted)
{
	struct cgroup_setting copy = *setting;
	struct cgroup_settings settings = { .list = &copy, .n = 1 };
	struct buffer request = { 0 };

	buffer_append_text(&request, "");
	cgroup_unit_properties(&settings, &request);
	cr_expect_str_eq(request.data, wanted, "%s %s", setting->file, setting->value);
	buffer_done(&request);
}

Test(cgroup_unit, properties)
{
	static const struct {
		struct cgroup_setting setting;
		const char *wanted;
	} cases[] = {
		{ { .file = "memory.max", .value = "4096" }, "property t MemoryMax 4096\n" },
		{ { .file = "memory.max", .value = "max" }, "property t MemoryMax 18446744073709551615\n" },
		{ { .file = "memory.swap.max", .value = "0" }, "property t MemorySwapMax 0\n" },
		{ { .file = "pids.max", .value = "7" }, "property t TasksMax 7\n" },
		{ { .file = "cpu.idle", .value = "1" }, "property t CPUWeight 0\n" },
		{ { .file = "cpu.idle", .value = "0" }, "" },
		{ { .file = "cpu.idle", .value = "0", .before = "0" }, "" },
		{ { .file = "cpu.idle", .value = "0", .before = "1" }, "property t CPUWeight 18446744073709551615\n" },
		{ { .file = "cpu.max", .value = "50000 100000" },
		  "property t CPUQuotaPerSecUSec 500000\nproperty t CPUQuotaPeriodUSec 100000\n" },
		{ { .file = "cpu.max", .value = "33333 100000" },
		  "property t CPUQuotaPerSecUSec 340000\nproperty t CPUQuotaPeriodUSec 100000\n" },
		{ { .file = "cpu.max", .value = "max 100000" }, "property t CPUQuotaPerSecUSec 18446744073709551615\n" },
		{ { .file = "cpuset.cpus", .value = "0-2,9" }, "property ay AllowedCPUs 0702\n" },
		{ { .file = "cpuset.mems", .value = "0" }, "property ay AllowedMemoryNodes 01\n" },
		{ { .file = "cpuset.cpus", .value = "0-99999999" }, "" },
		{ { .file = "io.bfq.weight", .key = "default", .value = "100", .other_file = "io.weight", .other_value = "91" },
		  "property t IOWeight 91\n" },
		{ { .file = "io.bfq.weight", .key = "8:0", .value = "100", .other_file = "io.weight", .other_value = "91" },
		  "property a(st) IODeviceWeight /dev/block/8:0 91\n" },
		{ { .file = "io.max", .key = "8:0", .field = "rbps", .value = "1000" },
		  "property a(st) IOReadBandwidthMax /dev/block/8:0 1000\n" },
		{ { .file = "io.max", .key = "8:0", .field = "wiops", .value = "max" },
		  "property a(st) IOWriteIOPSMax /dev/block/8:0 18446744073709551615\n" },
		/* systemd has no properties for these. */
		{ { .file = "hugetlb.2MB.max", .value = "1" }, "" },
		{ { .file = "memory.oom.group", .value = "1" }, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_properties(&cases[i].setting, cases[i].wanted);
}
