#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "image/choose.h"
#include "tests/unit/image/layout_fixture.h"
#include "tests/unit/image/tar_fixture.h"

#define BUFFER(name) __attribute__((cleanup(buffer_done_cleanup))) struct buffer name = { 0 }

static void add(struct buffer *archive, const char *name, const char *content)
{
	tar_fixture_add(archive, &(struct tar_member){ .name = name, .content = content });
}

static void add_folder(struct buffer *archive, const char *name)
{
	tar_fixture_add(archive, &(struct tar_member){ .name = name, .type = '5' });
}

static void unpack(struct layout_fixture *fixture, const char *name, const char *tag)
{
	struct image_config config;
	struct error err = { 0 };

	cr_assert_eq(layout_fixture_unpack(fixture, name, tag, &config, &err), 0, "%s", err.message);
}

static void expect_text(const struct layout_fixture *fixture, const char *name, const char *wanted)
{
	char text[256];

	cr_expect_str_eq(scratch_text(&fixture->scratch, name, text, sizeof(text)), wanted, "of %s", name);
}

static void expect_gone(const struct layout_fixture *fixture, const char *name)
{
	cr_expect_not(scratch_has(&fixture->scratch, name), "%s is there", name);
}

/* Three layers in three packings, from the folder and from the tar file. */
static void three_layers(const char *name)
{
	LAYOUT_FIXTURE(fixture);
	BUFFER(first);
	BUFFER(second);
	BUFFER(third);
	struct fixture_image image = {
		.layers = { &first, &second, &third },
		.kinds = { DOCUMENT_LAYER_GZIP, DOCUMENT_LAYER_ZSTD, DOCUMENT_LAYER_TAR },
	};

	add_folder(&first, "./");
	add_folder(&first, "etc/");
	add(&first, "etc/a", "first");
	add(&first, "etc/b", "first");
	tar_fixture_end(&first);
	add(&second, "./etc/b", "second");
	add(&second, "var/lib/deep/c", "second"); /* folders that have no entry */
	tar_fixture_end(&second);
	tar_fixture_add(&third, &(struct tar_member){ .name = "lib", .type = '2', .target = "/var/lib" });
	add(&third, "lib/d", "third"); /* by a link, inside the root */
	tar_fixture_end(&third);
	layout_fixture_image(&fixture, &image, &fixture.manifests);
	layout_fixture_finish(&fixture);
	unpack(&fixture, name, NULL);
	expect_text(&fixture, "root/etc/a", "first");
	expect_text(&fixture, "root/etc/b", "second");
	expect_text(&fixture, "root/var/lib/deep/c", "second");
	expect_text(&fixture, "root/var/lib/d", "third");
	expect_text(&fixture, "root/lib", "/var/lib");
}

Test(image, a_folder)
{
	three_layers("layout");
}

Test(image, a_tar_file)
{
	three_layers("layout.tar");
}

Test(image, gives_the_configuration)
{
	LAYOUT_FIXTURE(fixture);
	struct fixture_image image = {
		.process = "{\"User\":\"1000:1000\",\"Entrypoint\":[\"/bin/sh\",\"-c\"],\"Cmd\":[\"true\"],"
			   "\"Env\":[\"A=1\",\"B=2\"],\"WorkingDir\":\"/srv\",\"ExposedPorts\":{}}",
	};
	struct image_config config;
	struct error err = { 0 };

	layout_fixture_image(&fixture, &image, &fixture.manifests);
	layout_fixture_finish(&fixture);
	cr_assert_eq(layout_fixture_unpack(&fixture, "layout", NULL, &config, &err), 0, "%s", err.message);
	cr_expect_str_eq(config.user, "1000:1000");
	cr_expect_str_eq(config.working_directory, "/srv");
	cr_expect_str_eq(config.entrypoint[0], "/bin/sh");
	cr_expect_str_eq(config.entrypoint[1], "-c");
	cr_expect_null(config.entrypoint[2]);
	cr_expect_str_eq(config.cmd[0], "true");
	cr_expect_null(config.cmd[1]);
	cr_expect_str_eq(config.env[1], "B=2");
	cr_expect_null(config.env[2]);
}

Test(image, a_configuration_without_process)
{
	LAYOUT_FIXTURE(fixture);
	struct fixture_image image = { .tag = NULL };
	struct image_config config;
	struct error err = { 0 };

	layout_fixture_image(&fixture, &image, &fixture.manifests);
	layout_fixture_finish(&fixture);
	cr_assert_eq(layout_fixture_unpack(&fixture, "layout", NULL, &config, &err), 0, "%s", err.message);
	cr_expect_null(config.entrypoint);
	cr_expect_null(config.cmd);
	cr_expect_null(config.env);
	cr_expect_null(config.user);
}

Test(image, whiteouts_hide_what_is_below)
{
	LAYOUT_FIXTURE(fixture);
	BUFFER(below);
	BUFFER(above);
	struct fixture_image image = { .layers = { &below, &above } };

	add(&below, "gone", "x");
	add(&below, "folder/gone", "x");
	add(&below, "folder/stays", "x");
	add(&below, "whole/a/b", "x");
	add(&below, "opaque/old", "x");
	add(&below, "opaque/both/old", "x");
	add(&below, "late/old", "x");
	tar_fixture_end(&below);
	add(&above, ".wh.gone", NULL);
	add(&above, "folder/.wh.gone", NULL);
	add(&above, ".wh.whole", NULL);
	add(&above, ".wh.never-was", NULL);
	add(&above, "never-was/.wh.x", NULL);
	add(&above, "opaque/new", "y");
	add(&above, "opaque/both/new", "y");
	add(&above, "opaque/.wh..wh..opq", NULL); /* after what it must not hide */
	add(&above, "late/.wh..wh..opq", NULL);
	add(&above, "late/new", "y");
	add(&above, "again", "y");
	add(&above, ".wh.again", NULL);
	tar_fixture_end(&above);
	layout_fixture_image(&fixture, &image, &fixture.manifests);
	layout_fixture_finish(&fixture);
	unpack(&fixture, "layout", NULL);
	expect_gone(&fixture, "root/gone");
	expect_gone(&fixture, "root/.wh.gone");
	expect_gone(&fixture, "root/folder/gone");
	expect_text(&fixture, "root/folder/stays", "x");
	expect_gone(&fixture, "root/whole");
	expect_gone(&fixture, "root/never-was");
	expect_gone(&fixture, "root/opaque/old");
	expect_gone(&fixture, "root/opaque/both/old");
	expect_gone(&fixture, "root/opaque/.wh..wh..opq");
	expect_text(&fixture, "root/opaque/new", "y");
	expect_text(&fixture, "root/opaque/both/new", "y");
	expect_gone(&fixture, "root/late/old");
	expect_text(&fixture, "root/late/new", "y");
	expect_text(&fixture, "root/again", "y");
}

Test(image, later_entries_replace_earlier_ones)
{
	LAYOUT_FIXTURE(fixture);
	BUFFER(layer);
	struct fixture_image image = { .layers = { &layer } };

	add(&layer, "file", "1");
	add(&layer, "file", "2");
	add(&layer, "folder/inside", "1");
	add(&layer, "folder", "a file now");
	tar_fixture_add(&layer, &(struct tar_member){ .name = "link", .type = '2', .target = "file" });
	add(&layer, "link", "a file now");
	tar_fixture_add(&layer, &(struct tar_member){ .name = "hard", .type = '1', .target = "file" });
	add(&layer, "hard", "not through the link");
	tar_fixture_add(&layer, &(struct tar_member){ .name = "there", .type = '2', .target = "folder" });
	add_folder(&layer, "there/");
	tar_fixture_end(&layer);
	layout_fixture_image(&fixture, &image, &fixture.manifests);
	layout_fixture_finish(&fixture);
	unpack(&fixture, "layout", NULL);
	expect_text(&fixture, "root/file", "2");
	expect_text(&fixture, "root/folder", "a file now");
	expect_text(&fixture, "root/link", "a file now");
	expect_text(&fixture, "root/hard", "not through the link");
	cr_expect(S_ISDIR(scratch_mode(&fixture.scratch, "root/there")));
}

Test(image, modes_and_links)
{
	LAYOUT_FIXTURE(fixture);
	BUFFER(layer);
	struct fixture_image image = { .layers = { &layer } };
	struct stat status;

	tar_fixture_add(&layer, &(struct tar_member){ .name = "su", .content = "x", .mode = 06755 });
	tar_fixture_add(&layer, &(struct tar_member){ .name = "tmp/", .type = '5', .mode = 01777 });
	tar_fixture_add(&layer, &(struct tar_member){ .name = "sgid/", .type = '5', .mode = 02775 });
	tar_fixture_add(&layer, &(struct tar_member){ .name = "pipe", .type = '6', .mode = 0600 });
	tar_fixture_add(&layer,
			&(struct tar_member){ .name = "soft", .type = '2', .target = "/outside/../../etc/passwd" });
	tar_fixture_add(&layer, &(struct tar_member){ .name = "hard", .type = '1', .target = "./su" });
	tar_fixture_add(&layer, &(struct tar_member){ .name = "hard-soft", .type = '1', .target = "soft" });
	tar_fixture_end(&layer);
	layout_fixture_image(&fixture, &image, &fixture.manifests);
	layout_fixture_finish(&fixture);
	unpack(&fixture, "layout", NULL);
	cr_expect_eq(scratch_mode(&fixture.scratch, "root/su") & 07777, 0755, "set-user-ID is not kept");
	cr_expect_eq(scratch_mode(&fixture.scratch, "root/tmp") & 07777, 01777);
	cr_expect_eq(scratch_mode(&fixture.scratch, "root/sgid") & 07777, 0775);
	cr_expect(S_ISFIFO(scratch_mode(&fixture.scratch, "root/pipe")));
	expect_text(&fixture, "root/soft", "/outside/../../etc/passwd");
	expect_text(&fixture, "root/hard-soft", "/outside/../../etc/passwd");
	cr_expect_eq(fstatat(fixture.scratch.fd, "root/hard", &status, AT_SYMLINK_NOFOLLOW), 0);
	cr_expect_eq(status.st_nlink, 2);
	cr_expect_eq(status.st_mtime, 1000000000);
}

/* As root the owners are the layer's. */
Test(image, owners)
{
	LAYOUT_FIXTURE(fixture);
	BUFFER(layer);
	struct fixture_image image = { .layers = { &layer } };
	struct stat status;

	tar_fixture_add(&layer, &(struct tar_member){ .name = "file", .uid = 1234, .gid = 2345 });
	tar_fixture_add(&layer,
			&(struct tar_member){ .name = "link", .type = '2', .target = "/etc/passwd", .uid = 1234 });
	tar_fixture_end(&layer);
	layout_fixture_image(&fixture, &image, &fixture.manifests);
	layout_fixture_finish(&fixture);
	if (getuid() == 0)
		cr_assert(seteuid(0) == 0 && setegid(0) == 0);
	unpack(&fixture, "layout", NULL);
	cr_assert_eq(fstatat(fixture.scratch.fd, "root/file", &status, AT_SYMLINK_NOFOLLOW), 0);
	cr_expect_eq(status.st_uid, getuid() == 0 ? 1234 : getuid());
	cr_expect_eq(status.st_gid, getuid() == 0 ? 2345 : getgid());
	cr_assert_eq(fstatat(fixture.scratch.fd, "root/link", &status, AT_SYMLINK_NOFOLLOW), 0);
	cr_expect_eq(status.st_uid, getuid() == 0 ? 1234 : getuid());
}

/* A caller without privileges can still work in the folders, and remove them. */
Test(image, folders_that_nobody_may_write)
{
	LAYOUT_FIXTURE(fixture);
	BUFFER(layer);
	struct fixture_image image = { .layers = { &layer } };

	if (geteuid() == 0)
		return;
	tar_fixture_add(&layer, &(struct tar_member){ .name = "locked/", .type = '5', .mode = 0555 });
	add(&layer, "locked/file", "x");
	tar_fixture_end(&layer);
	layout_fixture_image(&fixture, &image, &fixture.manifests);
	layout_fixture_finish(&fixture);
	unpack(&fixture, "layout", NULL);
	expect_text(&fixture, "root/locked/file", "x");
	cr_expect_eq(scratch_mode(&fixture.scratch, "root/locked") & 07777, 0755);
}

static void one_file_image(struct layout_fixture *fixture, const char *tag, const char *platform, const char *content)
{
	BUFFER(layer);
	struct fixture_image image = { .tag = tag, .platform = platform, .layers = { &layer } };

	add(&layer, "which", content);
	tar_fixture_end(&layer);
	layout_fixture_image(fixture, &image, &fixture->manifests);
}

static void expect_failure(struct layout_fixture *fixture, const char *tag, enum error_kind kind, const char *reason)
{
	struct image_config config;
	struct error err = { 0 };

	cr_assert_lt(layout_fixture_unpack(fixture, "layout", tag, &config, &err), 0);
	cr_expect_eq(err.kind, kind, "kind %d: %s", (int)err.kind, err.message);
	cr_expect_not_null(strstr(err.message, reason), "expected \"%s\", got \"%s\"", reason, err.message);
}

Test(image, by_tag)
{
	LAYOUT_FIXTURE(fixture);

	one_file_image(&fixture, "1.0", NULL, "one");
	one_file_image(&fixture, "2.0", NULL, "two");
	layout_fixture_finish(&fixture);
	expect_failure(&fixture, NULL, ERROR_USAGE, "(\"1.0\", \"2.0\")");
	expect_failure(&fixture, "3.0", ERROR_NOT_FOUND, "no image has the tag \"3.0\" (\"1.0\", \"2.0\")");
	unpack(&fixture, "layout", "2.0");
	expect_text(&fixture, "root/which", "two");
}

Test(image, by_platform)
{
	LAYOUT_FIXTURE(fixture);

	one_file_image(&fixture, NULL, "\"os\":\"linux\",\"architecture\":\"vax\"", "vax");
	one_file_image(&fixture, NULL,
		       "\"os\":\"windows\",\"architecture\":\""
		       "amd64\"",
		       "windows");
	one_file_image(&fixture, NULL, "\"os\":\"unknown\",\"architecture\":\"unknown\"", "an attestation");
	layout_fixture_finish(&fixture);
	expect_failure(&fixture, NULL, ERROR_NOT_FOUND, "no image for linux/");
}

Test(image, of_another_architecture_by_its_configuration)
{
	LAYOUT_FIXTURE(fixture);
	struct fixture_image image = { .architecture = "vax" };

	layout_fixture_image(&fixture, &image, &fixture.manifests);
	layout_fixture_finish(&fixture);
	expect_failure(&fixture, NULL, ERROR_NOT_FOUND, "is for linux/vax");
}

/* index.json -> n indexes, one in the other -> the image. */
static void nest(struct layout_fixture *fixture, unsigned n)
{
	BUFFER(layer);
	BUFFER(descriptors);
	struct fixture_image image = { .layers = { &layer } };
	char hex[65];

	add(&layer, "which", "nested");
	tar_fixture_end(&layer);
	layout_fixture_image(fixture, &image, &descriptors);
	for (unsigned i = 0; i < n; i++) {
		BUFFER(index);

		buffer_printf(
			&index,
			"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[%s]}",
			descriptors.data);
		layout_fixture_blob(fixture, index.data, index.length, hex);
		descriptors.length = 0;
		buffer_printf(&descriptors,
			      "{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"sha256:%s\",\"size\":%zu,"
			      "\"annotations\":{\"org.opencontainers.image.ref.name\":\"latest\"}}",
			      hex, index.length);
	}
	buffer_append(&fixture->manifests, descriptors.data, descriptors.length);
	layout_fixture_finish(fixture);
}

Test(image, in_nested_indexes)
{
	LAYOUT_FIXTURE(fixture);

	nest(&fixture, CHOOSE_DEPTH_MAX);
	unpack(&fixture, "layout.tar", "latest");
	expect_text(&fixture, "root/which", "nested");
}

Test(image, in_too_many_nested_indexes)
{
	LAYOUT_FIXTURE(fixture);

	nest(&fixture, CHOOSE_DEPTH_MAX + 1);
	expect_failure(&fixture, NULL, ERROR_REFUSED, "each in the other");
}

Test(image, nothing_there)
{
	LAYOUT_FIXTURE(fixture);
	struct image_config config;
	struct error err = { 0 };

	cr_expect_eq(layout_fixture_unpack(&fixture, "missing", NULL, &config, &err), -ENOENT);
	cr_expect_eq(err.kind, ERROR_NOT_FOUND);
	expect_failure(&fixture, NULL, ERROR_REFUSED, "no OCI image layout");
	layout_fixture_finish(&fixture);
	expect_failure(&fixture, NULL, ERROR_NOT_FOUND, "no image in the layout");
}

Test(image, leaves_nothing_open)
{
	LAYOUT_FIXTURE(fixture);
	size_t before = scratch_count_fds();

	one_file_image(&fixture, NULL, NULL, "x");
	layout_fixture_finish(&fixture);
	unpack(&fixture, "layout", NULL);
	expect_failure(&fixture, "none", ERROR_NOT_FOUND, "no image");
	cr_expect_eq(scratch_count_fds(), before);
}
