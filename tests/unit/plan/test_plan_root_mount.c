/* The words of a snapshotter's mount, and what becomes of them; words that make no sense are refused by name. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "plan/plan_root_mount.h"

#define OPTIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })

struct root_build {
	struct arena *arena;
	struct plan_root_mount root;
	struct error err;
	int rc;
};

static void build(struct root_build *ret, const char *type, const char *source, const char *const *options)
{
	struct spec_mount asked = { .type = type, .source = source, .options = options };

	while (options[asked.n_options])
		asked.n_options++;
	*ret = (struct root_build){ .arena = arena_new(16 << 20) };
	ret->rc = plan_root_mount_build(ret->arena, &asked, &ret->root, &ret->err);
}

Test(plan_root_mount, overlay_of_containerd)
{
	struct root_build b;

	build(&b, "overlay", "overlay",
	      OPTIONS("index=off", "workdir=/s/3/work", "upperdir=/s/3/fs", "lowerdir=/s/2/fs:/s/1/fs", "volatile",
		      "x-a=b"));
	cr_assert_eq(b.rc, 0, "%s", b.err.message);
	cr_expect(b.root.is_overlay);
	cr_assert_eq(b.root.n_lower, 2);
	cr_expect_str_eq(b.root.lower[0], "/s/2/fs", "the topmost layer first");
	cr_expect_str_eq(b.root.lower[1], "/s/1/fs");
	cr_expect_str_eq(b.root.upper, "/s/3/fs");
	cr_expect_str_eq(b.root.work, "/s/3/work");
	cr_assert_eq(b.root.mount.n_options, 2, "what is not ours goes to the kernel, but words for other programs");
	cr_expect_str_eq(b.root.mount.options[0].key, "index");
	cr_expect_str_eq(b.root.mount.options[0].value, "off");
	cr_expect_str_eq(b.root.mount.options[1].key, "volatile");
	cr_expect_null(b.root.mount.options[1].value);
	cr_expect_not(b.root.mount.idmap);
	arena_free(b.arena);
}

Test(plan_root_mount, backslashes_escape_colons_in_layers)
{
	struct root_build b;

	build(&b, "overlay", "overlay", OPTIONS("lowerdir=/a\\:b:/c\\\\d:/e"));
	cr_assert_eq(b.rc, 0, "%s", b.err.message);
	cr_assert_eq(b.root.n_lower, 3);
	cr_expect_str_eq(b.root.lower[0], "/a:b");
	cr_expect_str_eq(b.root.lower[1], "/c\\d");
	cr_expect_str_eq(b.root.lower[2], "/e");
	cr_expect_null(b.root.upper);
	arena_free(b.arena);
}

Test(plan_root_mount, maps_of_layers)
{
	struct root_build b;

	build(&b, "overlay", "overlay",
	      OPTIONS("lowerdir=/a", "uidmap=0:100000:65536,70000:1:1", "gidmap=0:200000:65536"));
	cr_assert_eq(b.rc, 0, "%s", b.err.message);
	cr_expect(b.root.mount.idmap);
	cr_assert_eq(b.root.mount.uids.n_ranges, 2);
	cr_expect_eq(b.root.mount.uids.ranges[0].inside, 0);
	cr_expect_eq(b.root.mount.uids.ranges[0].outside, 100000);
	cr_expect_eq(b.root.mount.uids.ranges[0].count, 65536);
	cr_expect_eq(b.root.mount.uids.ranges[1].inside, 70000);
	cr_expect(plan_root_mount_is_mapped(&b.root.mount.uids, 100000));
	cr_expect(plan_root_mount_is_mapped(&b.root.mount.uids, 165535));
	cr_expect(plan_root_mount_is_mapped(&b.root.mount.uids, 1));
	cr_expect_not(plan_root_mount_is_mapped(&b.root.mount.uids, 165536));
	cr_expect_not(plan_root_mount_is_mapped(&b.root.mount.uids, 0));
	cr_expect_eq(b.root.mount.gids.ranges[0].outside, 200000);
	arena_free(b.arena);
}

Test(plan_root_mount, bind_and_others)
{
	struct root_build b;

	build(&b, "bind", "/s/1", OPTIONS("rbind", "ro"));
	cr_assert_eq(b.rc, 0, "%s", b.err.message);
	cr_expect_eq(b.root.mount.kind, PLAN_MOUNT_BIND);
	cr_expect(b.root.mount.recursive);
	cr_expect(b.root.mount.attr_set & MOUNT_ATTR_RDONLY);
	arena_free(b.arena);
	build(&b, "erofs", "/s/1.erofs", OPTIONS("ro", "loop"));
	cr_assert_eq(b.rc, 0, "%s", b.err.message);
	cr_expect_eq(b.root.mount.kind, PLAN_MOUNT_FILESYSTEM);
	cr_assert_eq(b.root.mount.n_options, 1, "erofs takes a file without a loop device");
	cr_expect_str_eq(b.root.mount.options[0].key, "ro", "for the superblock too");
	arena_free(b.arena);
	build(&b, "tmpfs", "tmpfs", OPTIONS("size=1m", "nosuid"));
	cr_assert_eq(b.rc, 0, "%s", b.err.message);
	cr_expect_str_eq(b.root.mount.options[0].value, "1m");
	cr_expect(b.root.mount.attr_set & MOUNT_ATTR_NOSUID);
	arena_free(b.arena);
}

struct refusal {
	const char *type, *source;
	const char *options[4];
	const char *message;
};

static const struct refusal refusals[] = {
	{ "", "x", { "ro" }, "rootfs (): has no type" },
	{ "overlay", "overlay", { "upperdir=/u", "workdir=/w" }, "rootfs (overlay): has no option lowerdir" },
	{ "overlay", "overlay", { "lowerdir=" }, "lowerdir" },
	{ "overlay", "overlay", { "lowerdir=/a:b" }, "lowerdir: the layer \"b\" is no absolute path" },
	{ "overlay", "overlay", { "lowerdir=/a::/b" }, "layers for data alone" },
	{ "overlay", "overlay", { "lowerdir=/a:" }, "layers for data alone" },
	{ "overlay", "overlay", { "lowerdir=/a", "upperdir=u" }, "upperdir: the layer \"u\" is no absolute path" },
	{ "overlay", "overlay", { "lowerdir=/a", "workdir=/w" }, "upperdir and workdir need each other" },
	{ "overlay", "overlay", { "lowerdir=/a", "uidmap=0:1:1" }, "uidmap and gidmap need each other" },
	{ "overlay", "overlay", { "lowerdir=/a", "uidmap=0:1" }, "uidmap: \"0:1\" is no list of ranges" },
	{ "overlay", "overlay", { "lowerdir=/a", "uidmap=0:1:-1" }, "uidmap" },
	{ "overlay", "overlay", { "lowerdir=/a", "uidmap=0: 1:1" }, "uidmap" },
	{ "overlay", "overlay", { "lowerdir=/a", "uidmap=0:1:0" }, "uidmap" },
	{ "overlay", "overlay", { "lowerdir=/a", "uidmap=0:4294967295:1" }, "uidmap" },
	{ "overlay", "overlay", { "lowerdir=/a", "uidmap=0:99999999999:1" }, "uidmap" },
	{ "overlay", "overlay", { "lowerdir=/a", "uidmap=0:1:1," }, "uidmap" },
	{ "overlay", "overlay", { "lowerdir=/a", "uidmap" }, "uidmap" },
	{ "overlay", "overlay", { "lowerdir=/a", "idmap" }, "asks for ids to be mapped" },
	{ "overlay", "overlay", { "lowerdir=/a", "remount" }, "\"remount\" is not supported" },
	{ "overlay", "overlay", { "lowerdir=/a", "tmpcopyup" }, "tmpcopyup" },
	{ "bind", "here", { "rbind" }, "the source \"here\" is no absolute path" },
	{ "bind", NULL, { "rbind" }, "no absolute path" },
	{ "bind", "/a", { "rbind", "size=1" }, "the option \"size\" means nothing for a bind mount" },
	{ "ext4", "/img", { "loop" }, "loop devices are not supported" },
};

Test(plan_root_mount, refuses)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *refusal = &refusals[i];
		struct root_build b;

		build(&b, refusal->type, refusal->source, refusal->options);
		cr_expect_lt(b.rc, 0, "%s %s", refusal->options[0], refusal->options[1]);
		cr_expect_not_null(strstr(b.err.message, refusal->message), "wanted: %s\ngot: %s", refusal->message,
				   b.err.message);
		arena_free(b.arena);
	}
}

Test(plan_root_mount, numbers_have_an_end)
{
	char layers[3 * (PLAN_ROOT_LAYERS_MAX + 1) + 16] = "lowerdir=";
	const char *many[PLAN_ROOT_OPTIONS_MAX + 2] = { 0 };
	struct root_build b;

	for (int i = 0; i < PLAN_ROOT_LAYERS_MAX; i++)
		strcat(layers, i ? ":/a" : "/a");
	build(&b, "overlay", "overlay", OPTIONS(layers));
	cr_expect_eq(b.rc, 0, "%s", b.err.message);
	cr_expect_eq(b.root.n_lower, PLAN_ROOT_LAYERS_MAX);
	arena_free(b.arena);
	strcat(layers, ":/a");
	build(&b, "overlay", "overlay", OPTIONS(layers));
	cr_expect_lt(b.rc, 0);
	cr_expect_not_null(strstr(b.err.message, "more than 500 layers"), "got: %s", b.err.message);
	arena_free(b.arena);
	for (size_t i = 0; i <= PLAN_ROOT_OPTIONS_MAX; i++)
		many[i] = "ro";
	build(&b, "tmpfs", "tmpfs", many);
	cr_expect_lt(b.rc, 0);
	cr_expect_not_null(strstr(b.err.message, "513 options"), "got: %s", b.err.message);
	arena_free(b.arena);
}
