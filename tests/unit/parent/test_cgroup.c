/* The parts of the cgroup code that decide: conversions, comparisons, paths, lists of settings. No cgroup is touched. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "parent/cgroup/cgroup_internal.h"
#include "parent/cgroup/cgroup_v1.h"
#include "parent/cgroup/cgroup_v2.h"

struct pair {
	uint64_t from, to;
};

ParameterizedTestParameters(cgroup_convert, shares)
{
	/* From 10^((l^2 + 125 l) / 612 - 7/34), rounded up, with a real logarithm. */
	static struct pair pairs[] = {
		{ 0, 1 },	   { 1, 1 },
		{ 2, 1 },	   { 3, 2 },
		{ 102, 17 },	   { 512, 59 },
		{ 1000, 99 },	   { 1024, 100 },
		{ 2048, 174 },	   { 5856, 404 },
		{ 15371, 893 },	   { 262143, 10000 },
		{ 262144, 10000 }, { UINT64_MAX, 10000 },
	};

	return cr_make_param_array(struct pair, pairs, sizeof(pairs) / sizeof(pairs[0]));
}

ParameterizedTest(struct pair *pair, cgroup_convert, shares)
{
	cr_expect_eq(cgroup_convert_shares(pair->from), pair->to, "%lu -> %lu, not %lu", pair->from,
		     cgroup_convert_shares(pair->from), pair->to);
}

Test(cgroup_convert, shares_never_fall)
{
	uint64_t last = 0;

	for (uint64_t shares = 2; shares <= 262144; shares += 37) {
		uint64_t weight = cgroup_convert_shares(shares);

		cr_assert_geq(weight, last);
		last = weight;
	}
}

Test(cgroup_convert, io_weight_covers_the_range)
{
	cr_expect_eq(cgroup_convert_io_weight(10), 1);
	cr_expect_eq(cgroup_convert_io_weight(1000), 10000);
	cr_expect_eq(cgroup_convert_io_weight(500), 4950);
}

/* ---- comparisons ---- */

static bool number_matches(const char *wanted, const char *got, uint64_t unit)
{
	struct cgroup_setting setting = { .value = wanted, .compare = CGROUP_COMPARE_NUMBER, .unit = unit };

	return cgroup_compare_matches(&setting, got);
}

Test(cgroup_compare, numbers)
{
	cr_expect(number_matches("4096", "4096", 4096));
	cr_expect(number_matches("5000", "4096", 4096), "the kernel rounds down to pages");
	cr_expect_not(number_matches("5000", "8192", 4096));
	cr_expect_not(number_matches("5000", "4096", 1));
	cr_expect(number_matches("max", "max", 1));
	cr_expect(number_matches("-1", "9223372036854771712", 4096), "v1's no limit");
	cr_expect_not(number_matches("4096", "max", 4096));
	cr_expect_not(number_matches("4096", "", 4096));
	cr_expect_not(number_matches("4096", "4096 4096", 4096));
	cr_expect(number_matches("9223372036854775807", "9223372036854771712", 4096));
}

Test(cgroup_compare, keyed_lines)
{
	struct cgroup_setting io = { .key = "8:0", .field = "wbps", .value = "1048576", .absent = "max", .unit = 1 };
	char value[64];

	cr_expect(cgroup_compare_matches(&io, "18:0 rbps=1 wbps=7\n8:0 rbps=2 wbps=1048576 riops=max wiops=max"));
	cr_expect_not(cgroup_compare_matches(&io, "18:0 rbps=1 wbps=1048576"));
	cgroup_compare_extract(&io, "18:0 rbps=1 wbps=7", value, sizeof(value));
	cr_expect_str_eq(value, "max", "a device without a line has no limit");
	cgroup_compare_extract(&io, "8:0 rbps=1 wbps=7 riops=3", value, sizeof(value));
	cr_expect_str_eq(value, "7");
}

Test(cgroup_compare, lists)
{
	struct cgroup_setting cpus = { .value = "0,1,4-6", .compare = CGROUP_COMPARE_LIST };

	cr_expect(cgroup_compare_matches(&cpus, "0-1,4-6"));
	cr_expect_not(cgroup_compare_matches(&cpus, "0-1,4-7"));
	cr_expect_not(cgroup_compare_matches(&cpus, ""));
	cr_expect(cgroup_compare_list_within("0-1", "0,1,2"));
	cr_expect_not(cgroup_compare_list_within("0-3", "0-2"));
	cr_expect_not(cgroup_compare_list_within("0-99999999", "0-2"), "no memory is overrun");
	cr_expect_not(cgroup_compare_list_within("2-1", "0-2"));
	cr_expect_not(cgroup_compare_list_within("0;1", "0-2"));
}

Test(cgroup_compare, oom_control_has_its_own_form)
{
	struct cgroup_setting setting = { .value = "1", .compare = CGROUP_COMPARE_OOM_CONTROL };

	cr_expect(cgroup_compare_matches(&setting, "oom_kill_disable 1\nunder_oom 0\noom_kill 0"));
	cr_expect_not(cgroup_compare_matches(&setting, "oom_kill_disable 0\nunder_oom 1\noom_kill 1"));
}

/* ---- paths ---- */

ParameterizedTestParameters(cgroup_path, refused)
{
	static char paths[][32] = { "", "/a", "a/", "a//b", "..", "a/..", "../a", "a/../b", ".", "a/./b", "a\nb", "/" };

	return cr_make_param_array(char[32], paths, sizeof(paths) / sizeof(paths[0]));
}

ParameterizedTest(char (*path)[32], cgroup_path, refused)
{
	struct error err = { 0 };

	cr_expect_eq(cgroup_tree_check_path(*path, &err), -EINVAL, "\"%s\"", *path);
	cr_expect_not_null(strstr(err.message, "linux.cgroupsPath"), "got: %s", err.message);
}

Test(cgroup_path, accepted)
{
	cr_expect_eq(cgroup_tree_check_path("brig/web-1", NULL), 0);
	cr_expect_eq(cgroup_tree_check_path("a..b/...", NULL), 0);
	cr_expect_eq(cgroup_tree_check_path("kubepods.slice/pod:1", NULL), 0);
}

Test(cgroup_path, caps)
{
	char deep[2 * 40 + 1] = "", longest[CGROUP_PATH_MAX + 2];

	for (int i = 0; i < 40; i++)
		strcat(deep, i ? "/a" : "a");
	cr_expect_eq(cgroup_tree_check_path(deep, NULL), -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	cr_expect_eq(cgroup_tree_check_path(longest, NULL), -EINVAL);
	longest[300] = '\0';
	cr_expect_eq(cgroup_tree_check_path(longest, NULL), -EINVAL, "a name longer than 255 bytes");
}

/* ---- settings ---- */

typedef int settings_function(const struct plan_resources *, const struct cgroup_facts *, struct cgroup_settings *,
			      struct error *);

struct fixture {
	struct arena *arena;
	struct cgroup_settings settings;
	struct cgroup_facts facts;
	struct error err;
};

static int build(struct fixture *f, settings_function *function, const struct plan_resources *resources)
{
	if (!f->arena) {
		f->arena = arena_new(1024 * 1024);
		f->facts = (struct cgroup_facts)CGROUP_FACTS_NEW;
	}
	cr_assert_eq(cgroup_settings_init(&f->settings, resources, f->arena, &f->err), 0);
	return function(resources, &f->facts, &f->settings, &f->err);
}

static const struct cgroup_setting *find(const struct fixture *f, const char *file)
{
	for (size_t i = 0; i < f->settings.n; i++)
		if (strcmp(f->settings.list[i].file, file) == 0)
			return &f->settings.list[i];
	return NULL;
}

static const char *value_of(const struct fixture *f, const char *file)
{
	const struct cgroup_setting *setting = find(f, file);

	return setting ? setting->value : "(none)";
}

static size_t position(const struct fixture *f, const char *file)
{
	const struct cgroup_setting *setting = find(f, file);

	cr_assert_not_null(setting, "%s", file);
	return (size_t)(setting - f->settings.list);
}

Test(cgroup_settings, nothing_asked_needs_nothing)
{
	struct plan_resources resources = { 0 };
	struct fixture f = { 0 };

	cr_expect_eq(build(&f, cgroup_v1_settings, &resources), 0);
	cr_expect_eq(f.settings.n, 0);
	cr_expect_eq(build(&f, cgroup_v2_settings, &resources), 0);
	cr_expect_eq(f.settings.n, 0);
	arena_free(f.arena);
}

Test(cgroup_settings, only_the_controllers_that_limits_need)
{
	struct plan_resources resources = {
		.set = PLAN_MEMORY_LIMIT | PLAN_PIDS | PLAN_CPU_SHARES | PLAN_MEMORY_OOM_DISABLE | PLAN_CPU_PERIOD,
		.memory_limit = 64 << 20,
		.pids = 0,	    /* no limit */
		.cpu_shares = 1024, /* what a group has anyway */
		.cpu_period = 100000,
	};
	struct fixture f = { 0 };

	cr_expect_eq(build(&f, cgroup_v1_settings, &resources), 0);
	cr_expect_eq(cgroup_settings_controllers(&f.settings), 1 << CGROUP_MEMORY);
	cr_expect_eq(build(&f, cgroup_v2_settings, &resources), 0);
	cr_expect_eq(cgroup_settings_controllers(&f.settings), 1 << CGROUP_MEMORY);
	cr_expect_str_eq(cgroup_settings_where(&f.settings, CGROUP_MEMORY), "linux.resources.memory.limit");
	arena_free(f.arena);
}

Test(cgroup_settings, controllers_of_every_kind)
{
	const struct plan_throttle throttle = { .kind = PLAN_IO_READ_BPS, .major = 8, .value = 1 };
	const struct plan_number pages = { .name = "2MB", .value = 4 << 20, .reservation = true };
	const struct plan_rdma rdma = { .device = "mlx5_1", .set_handles = true, .handles = 3 };
	struct plan_resources resources = {
		.set = PLAN_PIDS | PLAN_CPU_QUOTA | PLAN_NET_CLASS,
		.pids = 100,
		.cpu_quota = 50000,
		.net_class = 1,
		.cpus = "0",
		.throttles = &throttle,
		.n_throttles = 1,
		.hugepages = &pages,
		.n_hugepages = 1,
		.rdma = &rdma,
		.n_rdma = 1,
	};
	struct fixture f = { 0 };

	cr_expect_eq(build(&f, cgroup_v1_settings, &resources), 0);
	cr_expect_eq(cgroup_settings_controllers(&f.settings),
		     1 << CGROUP_PIDS | 1 << CGROUP_CPU | 1 << CGROUP_NET_CLS | 1 << CGROUP_CPUSET | 1 << CGROUP_IO |
			     1 << CGROUP_HUGETLB | 1 << CGROUP_RDMA);
	cr_expect_str_eq(value_of(&f, "hugetlb.2MB.limit_in_bytes"), "4194304");
	cr_expect_str_eq(value_of(&f, "blkio.throttle.read_bps_device"), "1");
	cr_expect_str_eq(find(&f, "rdma.max")->field, "hca_handle");
	resources.set &= ~(uint32_t)PLAN_NET_CLASS;
	cr_expect_eq(build(&f, cgroup_v2_settings, &resources), 0);
	cr_expect_str_eq(value_of(&f, "cpu.max"), "50000 100000");
	cr_expect_str_eq(value_of(&f, "hugetlb.2MB.max"), "4194304");
	cr_expect_str_eq(value_of(&f, "hugetlb.2MB.rsvd.max"), "4194304");
	cr_expect_str_eq(find(&f, "io.max")->field, "rbps");
	arena_free(f.arena);
}

Test(cgroup_settings, swap_is_memory_and_swap)
{
	struct plan_resources resources = { .set = PLAN_MEMORY_LIMIT | PLAN_MEMORY_SWAP,
					    .memory_limit = 1 << 20,
					    .memory_swap = 3 << 20 };
	struct fixture f = { 0 };

	cr_expect_eq(build(&f, cgroup_v2_settings, &resources), 0);
	cr_expect_str_eq(value_of(&f, "memory.swap.max"), "2097152");
	cr_expect_eq(build(&f, cgroup_v1_settings, &resources), 0);
	cr_expect_str_eq(value_of(&f, "memory.memsw.limit_in_bytes"), "3145728");
	resources.memory_swap = -1;
	cr_expect_eq(build(&f, cgroup_v2_settings, &resources), 0);
	cr_expect_str_eq(value_of(&f, "memory.swap.max"), "max");
	resources.memory_swap = 1 << 20;
	cr_expect_eq(build(&f, cgroup_v2_settings, &resources), 0);
	cr_expect_str_eq(value_of(&f, "memory.swap.max"), "0", "no swap at all");
	resources.memory_swap = 4096;
	cr_expect_eq(build(&f, cgroup_v2_settings, &resources), -EINVAL);
	cr_expect_not_null(strstr(f.err.message, "linux.resources.memory.swap"), "got: %s", f.err.message);
	resources.set = PLAN_MEMORY_SWAP;
	cr_expect_eq(build(&f, cgroup_v2_settings, &resources), -EINVAL, "nothing to subtract from");
	f.facts.memory_limit = 1024;
	cr_expect_eq(build(&f, cgroup_v2_settings, &resources), 0, "an update knows the limit from before");
	cr_expect_str_eq(value_of(&f, "memory.swap.max"), "3072");
	arena_free(f.arena);
}

Test(cgroup_settings, v1_memory_and_swap_in_the_order_that_the_kernel_takes)
{
	struct plan_resources resources = { .set = PLAN_MEMORY_LIMIT | PLAN_MEMORY_SWAP,
					    .memory_limit = 8 << 20,
					    .memory_swap = 16 << 20 };
	struct fixture f = { 0 };

	cr_expect_eq(build(&f, cgroup_v1_settings, &resources), 0);
	cr_expect_lt(position(&f, "memory.limit_in_bytes"), position(&f, "memory.memsw.limit_in_bytes"));
	f.facts.memory_limit = f.facts.memory_swap = 4 << 20;
	cr_expect_eq(build(&f, cgroup_v1_settings, &resources), 0);
	cr_expect_gt(position(&f, "memory.limit_in_bytes"), position(&f, "memory.memsw.limit_in_bytes"));
	arena_free(f.arena);
}

Test(cgroup_settings, quota_and_period)
{
	struct plan_resources resources = { .set = PLAN_CPU_PERIOD, .cpu_period = 20000 };
	struct fixture f = { 0 };

	build(&f, cgroup_v2_settings, &resources);
	cr_expect_str_eq(value_of(&f, "cpu.max"), "max 20000");
	cr_expect_eq(cgroup_settings_controllers(&f.settings), 1 << CGROUP_CPU, "a later quota is a share of it");
	build(&f, cgroup_v1_settings, &resources);
	cr_expect_eq(cgroup_settings_controllers(&f.settings), 1 << CGROUP_CPU);
	resources.cpu_period = 100000;
	build(&f, cgroup_v1_settings, &resources);
	cr_expect_eq(cgroup_settings_controllers(&f.settings), 0, "the kernel's own period alone changes nothing");
	build(&f, cgroup_v2_settings, &resources);
	cr_expect_eq(cgroup_settings_controllers(&f.settings), 0);
	resources.cpu_period = 20000;
	f.facts.cpu_quota = 5000;
	build(&f, cgroup_v2_settings, &resources);
	cr_expect_str_eq(value_of(&f, "cpu.max"), "5000 20000", "an update keeps the quota");
	resources.set |= PLAN_CPU_QUOTA;
	resources.cpu_quota = 2000;
	build(&f, cgroup_v1_settings, &resources);
	cr_expect_lt(position(&f, "cpu.cfs_quota_us"), position(&f, "cpu.cfs_period_us"), "the period shrinks");
	resources.cpu_period = 500000;
	build(&f, cgroup_v1_settings, &resources);
	cr_expect_gt(position(&f, "cpu.cfs_quota_us"), position(&f, "cpu.cfs_period_us"), "the period grows");
	arena_free(f.arena);
}

Test(cgroup_settings, idle_takes_the_place_of_a_weight)
{
	struct plan_resources resources = { .set = PLAN_CPU_IDLE | PLAN_CPU_SHARES, .cpu_idle = 1, .cpu_shares = 2048 };
	struct fixture f = { 0 };

	build(&f, cgroup_v2_settings, &resources);
	cr_expect_str_eq(value_of(&f, "cpu.idle"), "1");
	cr_expect_null(find(&f, "cpu.weight"));
	resources.cpu_idle = 0;
	build(&f, cgroup_v2_settings, &resources);
	cr_expect_lt(position(&f, "cpu.idle"), position(&f, "cpu.weight"));
	arena_free(f.arena);
}

static void expect_refused(settings_function *function, const struct plan_resources *resources, const char *where)
{
	struct fixture f = { 0 };

	cr_expect_lt(build(&f, function, resources), 0, "%s", where);
	cr_expect_not_null(strstr(f.err.message, where), "got: %s", f.err.message);
	arena_free(f.arena);
}

Test(cgroup_settings, v2_names_what_it_does_not_know)
{
	const struct plan_number priority = { .name = "eth0", .value = 1 };
	const struct plan_throttle leaf = { .kind = PLAN_IO_LEAF_WEIGHT, .major = 8, .value = 100 };

	expect_refused(cgroup_v2_settings, &(struct plan_resources){ .set = PLAN_MEMORY_SWAPPINESS },
		       "memory.swappiness");
	expect_refused(cgroup_v2_settings,
		       &(struct plan_resources){ .set = PLAN_MEMORY_OOM_DISABLE, .oom_disable = true },
		       "memory.disableOOMKiller");
	expect_refused(cgroup_v2_settings, &(struct plan_resources){ .set = PLAN_CPU_RT_RUNTIME, .cpu_rt_runtime = 1 },
		       "cpu.realtimeRuntime");
	expect_refused(cgroup_v2_settings, &(struct plan_resources){ .set = PLAN_NET_CLASS, .net_class = 1 },
		       "network.classID");
	expect_refused(cgroup_v2_settings, &(struct plan_resources){ .net_priorities = &priority, .n_net_priorities = 1 },
		       "network.priorities");
	expect_refused(cgroup_v2_settings, &(struct plan_resources){ .throttles = &leaf, .n_throttles = 1 },
		       "blockIO.weightDevice");
	expect_refused(cgroup_v2_settings, &(struct plan_resources){ .set = PLAN_MEMORY_LIMIT, .memory_limit = -2 },
		       "linux.resources.memory.limit");
}

ParameterizedTestParameters(cgroup_settings, unified_refuses)
{
	static char names[][40] = { "",
				    "../memory.max",
				    "a/b.c",
				    ".hidden",
				    "cgroup.procs",
				    "cgroup.kill",
				    "cgroup.freeze",
				    "cgroup.subtree_control",
				    "cgroup.type",
				    "memory",
				    "cgroup.threads" };

	return cr_make_param_array(char[40], names, sizeof(names) / sizeof(names[0]));
}

ParameterizedTest(char (*name)[40], cgroup_settings, unified_refuses)
{
	const struct plan_pair pair = { .name = *name, .value = "1" };

	expect_refused(cgroup_v2_settings, &(struct plan_resources){ .unified = &pair, .n_unified = 1 },
		       "linux.resources.unified");
}

Test(cgroup_settings, unified_knows_its_controller)
{
	const struct plan_pair pairs[] = { { "memory.high", "1000000" }, { "cgroup.max.depth", "3" }, { "io.max", "x" } };
	struct plan_resources resources = { .unified = pairs, .n_unified = 3 };
	struct fixture f = { 0 };

	cr_expect_eq(build(&f, cgroup_v2_settings, &resources), 0);
	cr_expect_eq(cgroup_settings_controllers(&f.settings), 1 << CGROUP_MEMORY | 1 << CGROUP_IO);
	cr_expect_eq(find(&f, "cgroup.max.depth")->controller, CGROUP_NO_CONTROLLER);
	cr_expect_eq(build(&f, cgroup_v1_settings, &resources), 0);
	cr_expect_eq(cgroup_settings_controllers(&f.settings), 0, "v1's controllers don't serve v2's names");
	arena_free(f.arena);
}

Test(cgroup_settings, page_sizes)
{
	cr_expect_eq(cgroup_settings_page_size("2MB"), 2 << 20);
	cr_expect_eq(cgroup_settings_page_size("64KB"), 64 << 10);
	cr_expect_eq(cgroup_settings_page_size("1GB"), 1 << 30);
	cr_expect_eq(cgroup_settings_page_size("2mb"), 0);
	cr_expect_eq(cgroup_settings_page_size("MB"), 0);
	cr_expect_eq(cgroup_settings_page_size("-1MB"), 0);
	cr_expect_eq(cgroup_settings_page_size("2MB/../x"), 0);
	cr_expect_eq(cgroup_settings_page_size("99999999999GB"), 0);
}

/* ---- managers ---- */

Test(cgroup, disabled_has_no_group)
{
	struct plan_cgroup plan = { .manager = PLAN_CGROUP_DISABLED, .path = "brig/x" };
	struct cgroup *cgroup = NULL;
	struct error err = { 0 };
	struct arena *arena = arena_new(4096);
	pid_t *pids;
	size_t n = 7;

	cr_expect_eq(cgroup_check_unused(&plan, &err), 0);
	cr_assert_eq(cgroup_create(&plan, &cgroup, &err), 0);
	cr_expect_eq(cgroup_clone_fd(cgroup), -EBADF);
	cr_expect_eq(cgroup_join(cgroup, 1, /* cloned= */ false, &err), 0);
	cr_expect_not(cgroup_exists(cgroup));
	cr_expect_eq(cgroup_pids(cgroup, arena, &pids, &n, &err), 0);
	cr_expect_eq(n, 0);
	cr_expect_eq(cgroup_delegate(cgroup, 1000, &err), 0);
	cr_expect_eq(cgroup_destroy(cgroup, 0, &err), 0);
	cr_expect_eq(cgroup_kill(cgroup, &err), -EOPNOTSUPP);
	cr_expect_eq(err.kind, ERROR_UNSUPPORTED);
	cr_expect_lt(cgroup_freeze(cgroup, true, 10, &err), 0);
	cgroup_free(cgroup);
	arena_free(arena);
}

/* Not a pure v2 tree, or a name that is none: either way it is told before anything is asked of systemd. */
Test(cgroup, systemd_says_what_is_missing)
{
	struct plan_cgroup plan = { .manager = PLAN_CGROUP_SYSTEMD, .path = "x.slice:y" };
	struct cgroup *cgroup = NULL;
	struct error err = { 0 };

	cr_expect_lt(cgroup_create(&plan, &cgroup, &err), 0);
	cr_expect_null(cgroup);
	cr_expect_not_null(strstr(err.message,
				  cgroup_layout() == HOST_CGROUP_V2 ? "slice:prefix:name" : "--systemd-cgroup"),
			   "got: %s", err.message);
}
