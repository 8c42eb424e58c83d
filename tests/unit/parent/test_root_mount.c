/* Root file systems made detached, and the older way. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "child/mount_make.h"
#include "parent/overlay.h"
#include "parent/root_mount.h"
#include "tests/support/scratch.h"

struct layers {
	struct scratch scratch;
	char paths[4][256]; /* two lower, upper, work */
	const char *lower[2];
	struct plan_root_mount root;
};

static void layers_init(struct layers *layers, const char *odd)
{
	static const char *const names[] = { "top", "bottom", "upper", "work" };

	/* A mount namespace of our own: what a test that fails leaves goes with it. */
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		cr_skip_test("needs root and a mount namespace");
	layers->scratch = scratch_new();
	for (size_t i = 0; i < 4; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s%s", names[i], odd);
		scratch_directory(&layers->scratch, name);
		snprintf(layers->paths[i], sizeof(layers->paths[i]), "%s/%s", layers->scratch.path, name);
	}
	layers->lower[0] = layers->paths[0];
	layers->lower[1] = layers->paths[1];
	layers->root = (struct plan_root_mount){
		.mount = { .kind = PLAN_MOUNT_FILESYSTEM, .where = "rootfs", .type = "overlay", .destination = "overlay" },
		.is_overlay = true,
		.lower = layers->lower,
		.n_lower = 2,
		.upper = layers->paths[2],
		.work = layers->paths[3]
	};
}

static void layers_done(struct layers *layers)
{
	scratch_done(&layers->scratch);
}

static void touch(const char *folder, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "%s", path);
	close(fd);
}

Test(root_mount, overlay_is_detached_and_writable)
{
	struct error err = { 0 };
	struct layers layers;
	size_t n_fds;
	int fd, file_fd;

	layers_init(&layers, ":,\\x");
	touch(layers.paths[0], "of-top");
	touch(layers.paths[1], "of-bottom");
	n_fds = scratch_count_fds();
	fd = root_mount_make(&layers.root, &err);
	cr_assert_geq(fd, 0, "%s", err.message);
	cr_expect_eq(scratch_count_fds(), n_fds + 1, "the mount alone stays open");
	cr_expect_eq(faccessat(fd, "of-top", F_OK, 0), 0);
	cr_expect_eq(faccessat(fd, "of-bottom", F_OK, 0), 0);
	file_fd = openat(fd, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_expect_geq(file_fd, 0);
	close(file_fd);
	cr_expect(scratch_has(&layers.scratch, "upper:,\\x/new"));
	close(fd);
	layers_done(&layers);
}

Test(root_mount, a_layer_that_is_missing_is_named)
{
	struct error err = { 0 };
	struct layers layers;
	size_t n_fds;

	layers_init(&layers, "");
	layers.lower[1] = "/nonexistent/layer";
	n_fds = scratch_count_fds();
	cr_expect_eq(root_mount_make(&layers.root, &err), -ENOENT);
	cr_expect_not_null(strstr(err.message, "/nonexistent/layer"), "got: %s", err.message);
	layers.lower[1] = layers.paths[1];
	layers.root.work = "/nonexistent/work";
	cr_expect_eq(root_mount_make(&layers.root, &err), -ENOENT);
	cr_expect_not_null(strstr(err.message, "workdir: open /nonexistent/work"), "got: %s", err.message);
	cr_expect_eq(scratch_count_fds(), n_fds);
	layers_done(&layers);
}

Test(root_mount, the_old_way_gives_the_same)
{
	struct error err = { 0 };
	struct layers layers;
	char place[256];

	layers_init(&layers, ":,\\x");
	touch(layers.paths[1], "of-bottom");
	scratch_directory(&layers.scratch, "place");
	snprintf(place, sizeof(place), "%s/place", layers.scratch.path);
	cr_assert_eq(root_mount_check_place(place, &err), 0, "%s", err.message);
	cr_assert_eq(root_mount_attach_old(&layers.root, place, &err), 0, "%s", err.message);
	cr_expect(scratch_has(&layers.scratch, "place/of-bottom"));
	touch(place, "new");
	cr_expect(scratch_has(&layers.scratch, "upper:,\\x/new"));
	cr_expect_eq(root_mount_check_place(place, &err), -EBUSY);
	cr_expect_eq(err.kind, ERROR_EXISTS);
	cr_expect_not_null(strstr(err.message, place), "got: %s", err.message);
	umount2(place, MNT_DETACH);
	layers.root.mount.idmap = true;
	cr_expect_lt(root_mount_attach_old(&layers.root, place, &err), 0);
	cr_expect_eq(err.kind, ERROR_UNSUPPORTED);
	layers_done(&layers);
}

Test(root_mount, attached_for_hooks)
{
	struct error err = { 0 };
	struct layers layers;
	char place[256];
	int fd;

	layers_init(&layers, "");
	touch(layers.paths[0], "of-top");
	scratch_directory(&layers.scratch, "place");
	snprintf(place, sizeof(place), "%s/place", layers.scratch.path);
	fd = root_mount_make(&layers.root, &err);
	cr_assert_geq(fd, 0, "%s", err.message);
	cr_expect_eq(root_mount_attach(fd, "/nonexistent", &err), -ENOENT);
	cr_assert_eq(root_mount_attach(fd, place, &err), 0, "%s", err.message);
	cr_expect(scratch_has(&layers.scratch, "place/of-top"));
	umount2(place, MNT_DETACH);
	close(fd);
	layers_done(&layers);
}

Test(root_mount, a_place_that_is_no_directory)
{
	SCRATCH(scratch);
	struct error err = { 0 };
	char path[256];

	scratch_file(&scratch, "file", "", 0600);
	scratch_link(&scratch, "link", "/");
	snprintf(path, sizeof(path), "%s/file", scratch.path);
	cr_expect_eq(root_mount_check_place(path, &err), -ENOTDIR);
	snprintf(path, sizeof(path), "%s/link", scratch.path);
	cr_expect_eq(root_mount_check_place(path, &err), -ENOTDIR);
	cr_expect_eq(root_mount_check_place("/nonexistent", &err), -ENOENT);
}

Test(root_mount, data_of_the_old_way_is_escaped)
{
	static const char *const lower[] = { "/a:b", "/c,d", "/e\\f" };
	static const struct plan_mount_option options[] = { { "index", "off" }, { "volatile", NULL } };
	const struct plan_root_mount root = {
		.mount = { .options = options, .n_options = 2 }, .lower = lower, .n_lower = 3, .upper = "/u", .work = "/w"
	};
	char *data = root_mount_old_data(&root);

	cr_expect_str_eq(data, "lowerdir=/a\\:b:/c\\,d:/e\\\\f,upperdir=/u,workdir=/w,index=off,volatile");
	free(data);
}

/* Each of them is some kernel's word (overlay.h); the machines of tests/vm have two of these. */
Test(root_mount, a_kernel_that_takes_no_descriptor_is_asked_otherwise)
{
	cr_expect_eq(overlay_next(EBADF), OVERLAY_BY_PATH);
	cr_expect_eq(overlay_next(EINVAL), OVERLAY_BY_PATH);
	cr_expect_eq(overlay_next(EOPNOTSUPP), OVERLAY_AT_ONCE);
	cr_expect_eq(overlay_next(EPERM), OVERLAY_FAILS);
	cr_expect_eq(overlay_next(ENOMEM), OVERLAY_FAILS);
}
