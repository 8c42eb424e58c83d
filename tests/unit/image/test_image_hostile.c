#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/unit/image/layout_fixture.h"
#include "tests/unit/image/tar_fixture.h"

#define BUFFER(name) __attribute__((cleanup(buffer_done_cleanup))) struct buffer name = { 0 }
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

/* It fails for that reason, whether a folder or a tar file, and nothing beside "root" has changed. */
static void expect_refused(struct layout_fixture *fixture, const char *name, const char *reason)
{
	struct image_config config = { .user = "untouched" };
	struct error err = { 0 };
	char text[32];

	cr_assert_lt(layout_fixture_unpack(fixture, name, NULL, &config, &err), 0, "expected \"%s\"", reason);
	cr_expect(err.kind == ERROR_REFUSED || err.kind == ERROR_UNSUPPORTED, "kind %d: %s", (int)err.kind, err.message);
	cr_expect_not_null(strstr(err.message, reason), "expected \"%s\", got \"%s\"", reason, err.message);
	cr_expect_str_eq(config.user, "untouched");
	cr_expect_str_eq(scratch_text(&fixture->scratch, "outside/secret", text, sizeof(text)), "secret");
	cr_expect_eq(scratch_mode(&fixture->scratch, "outside/secret") & 07777, 0600);
	cr_expect_eq(scratch_count(&fixture->scratch), 4, "layout, layout.tar, root, outside");
}

struct hostile_layer {
	const char *reason;
	struct tar_member members[4]; /* up to one without a name */
};

/* "evil" leads outside, by one more ".." than there can be folders, so that it would work without a root. */
#define EVIL                                                        \
	{                                                           \
		.name = "evil", .type = '2', .target = "../outside" \
	}

static const struct hostile_layer hostile_layers[] = {
	{ "absolute", { { .name = "/outside/new" } } },
	{ "absolute", { { .name = "//outside" } } },
	{ "\"..\"", { { .name = "../outside/new" } } },
	{ "\"..\"", { { .name = "a/../../outside/new" } } },
	{ "\"..\"", { { .name = "..", .type = '5', .mode = 0777 } } },
	{ "\"..\"", { { .name = "../outside", .type = '2', .target = "/" } } },
	{ "can't be but a folder", { { .name = "./", .type = '2', .target = "../outside" } } },
	{ "can't be but a folder", { { .name = ".", .content = "x" } } },
	{ "hard link to /etc/passwd", { { .name = "h", .type = '1', .target = "/etc/passwd" } } },
	{ "hard link to ../outside/secret", { { .name = "h", .type = '1', .target = "../outside/secret" } } },
	{ "hard link to missing", { { .name = "h", .type = '1', .target = "missing" } } },
	{ "hard link to evil/secret", { EVIL, { .name = "h", .type = '1', .target = "evil/secret" } } },
	{ "which is a folder", { { .name = "d", .type = '5' }, { .name = "h", .type = '1', .target = "d" } } },
	{ "hard link to the root", { { .name = "h", .type = '1', .target = "." } } },
	{ "hard link to itself", { { .name = "h" }, { .name = "h", .type = '1', .target = "./h" } } },
	{ "No such file", { { .name = "d/f" }, { .name = "d", .type = '1', .target = "d/f" } } },
	{ "a device", { { .name = "null", .type = '3' } } },
	{ "a device", { { .name = "sda", .type = '4' } } },
	{ "sparse", { { .name = "s", .type = 'S' } } },
	{ "is none", { { .name = "f" }, { .name = "f/below" } } },
	{ "can't be reached", { { .name = "l", .type = '2', .target = "l" }, { .name = "l/below" } } },
	{ "can't be reached", { { .name = "l", .type = '2', .target = "missing/../.." }, { .name = "l/below" } } },
	{ "whiteout", { { .name = ".wh..." } } },
	{ "whiteout", { { .name = ".wh.d/f" } } },
	{ "checksum", { { .name = "f", .damage = 1 } } },
	{ "entry 2", { { .name = "f" }, { .name = "/g" } } },
	{ "entry 1, /etc/evil", { { .name = "/etc/evil" } } },
	{ "cut off", { { .name = "f", .content = "x", .size = "00000010000" } } },
};

Test(image_hostile, layers)
{
	for (size_t i = 0; i < ARRAY_SIZE(hostile_layers); i++) {
		LAYOUT_FIXTURE(fixture);
		BUFFER(layer);
		struct fixture_image image = { .layers = { &layer }, .kinds = { (enum document_layer)(i % 3) } };

		for (const struct tar_member *member = hostile_layers[i].members; member->name; member++)
			tar_fixture_add(&layer, member);
		if (strcmp(hostile_layers[i].reason, "cut off") != 0)
			tar_fixture_end(&layer);
		layout_fixture_image(&fixture, &image, &fixture.manifests);
		layout_fixture_finish(&fixture);
		expect_refused(&fixture, i % 2 ? "layout" : "layout.tar", hostile_layers[i].reason);
	}
}

/* Links that lead outside as seen from the host lead to the same name inside. */
Test(image_hostile, links_stay_inside)
{
	LAYOUT_FIXTURE(fixture);
	BUFFER(layer);
	struct fixture_image image = { .layers = { &layer } };
	struct image_config config;
	struct error err = { 0 };
	char absolute[192];

	snprintf(absolute, sizeof(absolute), "%s/outside", fixture.scratch.path);
	tar_fixture_add(&layer, &(struct tar_member){ .name = "up", .type = '2', .target = "../../../../../../outside" });
	tar_fixture_add(&layer, &(struct tar_member){ .name = "up/secret", .content = "new" });
	tar_fixture_add(&layer, &(struct tar_member){ .name = "absolute", .type = '2', .target = absolute });
	tar_fixture_add(&layer, &(struct tar_member){ .name = "absolute/secret", .content = "new" });
	tar_fixture_add(&layer, &(struct tar_member){ .name = "secret", .type = '2', .target = "../outside/secret" });
	tar_fixture_add(&layer, &(struct tar_member){ .name = "hard", .type = '1', .target = "secret" });
	tar_fixture_add(&layer, &(struct tar_member){ .name = "secret", .content = "new" });
	tar_fixture_add(&layer, &(struct tar_member){ .name = "self", .type = '2', .target = "/proc/self/cwd" });
	tar_fixture_add(&layer, &(struct tar_member){ .name = "self/made", .content = "new" });
	tar_fixture_end(&layer);
	layout_fixture_image(&fixture, &image, &fixture.manifests);
	layout_fixture_finish(&fixture);
	cr_assert_eq(layout_fixture_unpack(&fixture, "layout", NULL, &config, &err), 0, "%s", err.message);
	cr_expect_str_eq(scratch_text(&fixture.scratch, "outside/secret", absolute, sizeof(absolute)), "secret");
	cr_expect_str_eq(scratch_text(&fixture.scratch, "root/outside/secret", absolute, sizeof(absolute)), "new");
	cr_expect(scratch_has(&fixture.scratch, "root/proc/self/cwd/made"));
	cr_expect_str_eq(scratch_text(&fixture.scratch, "root/hard", absolute, sizeof(absolute)), "../outside/secret");
}

/* Each layer goes into the last one's deepest folder by a link. */
Test(image_hostile, depth_by_links)
{
	LAYOUT_FIXTURE(fixture);
	BUFFER(layer);
	struct fixture_image image = { .layers = { &layer } };
	static const char hundred[] = "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d";
	char name[128];

	for (unsigned i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), i ? "link/%s" : "%s", hundred);
		tar_fixture_add(&layer, &(struct tar_member){ .name = name, .type = '5' });
		if (i > 0)
			continue;
		tar_fixture_add(&layer, &(struct tar_member){ .name = "link", .type = '2', .target = name });
	}
	for (unsigned i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "step%u", i);
		tar_fixture_add(&layer, &(struct tar_member){ .name = name, .type = '2', .target = i ? "x" : "link" });
	}
	/* down -> the deepest so far, 39 levels further each time */
	tar_fixture_add(&layer, &(struct tar_member){ .name = "a", .type = '2', .target = hundred });
	tar_fixture_add(&layer, &(struct tar_member){ .name = "l1",
						      .type = '2',
						      .target = "a/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d" });
	snprintf(name, sizeof(name), "l1/%s", hundred);
	tar_fixture_add(&layer, &(struct tar_member){ .name = name, .type = '5' });
	tar_fixture_add(&layer, &(struct tar_member){ .name = "l2", .type = '2', .target = name });
	snprintf(name, sizeof(name), "l2/%s", hundred);
	tar_fixture_add(&layer, &(struct tar_member){ .name = name, .type = '5' });
	tar_fixture_end(&layer);
	layout_fixture_image(&fixture, &image, &fixture.manifests);
	layout_fixture_finish(&fixture);
	expect_refused(&fixture, "layout", "folders deep");
}

struct hostile_image {
	const char *reason;
	struct fixture_image image;
};

Test(image_hostile, blobs)
{
	static const struct hostile_image list[] = {
		{ "its descriptor says", { .layer_size = 1 } },
		{ "its descriptor says", { .layer_size = -1 } },
		{ "diff_ids say", { .diff_id = ZEROS } },
		{ "diff_ids for 1 layers", { .more_diff_ids = 1 } },
		{ "is missing", { .layer_digest = "sha256:" ZEROS } },
		{ "is no digest", { .layer_digest = "sha256:../../../../../../../../../../../../../../etc/passwd" } },
		{ "is no digest", { .layer_digest = "sha256:" ZEROS "0" } },
		{ "is no digest",
		  { .layer_digest = "sha256:../../0000000000000000000000000000000000000000000000000000000000" } },
		{ "is no digest", { .layer_digest = "md5:00" } },
		{ "only sha256: is supported", { .layer_digest = "sha512:" ZEROS ZEROS } },
		{ "known: tar, tar+gzip and tar+zstd", { .layer_type = "application/vnd.oci.image.layer.v1.tar+lzma" } },
		{ "known: tar, tar+gzip and tar+zstd",
		  { .layer_type = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted" } },
		{ "compressed data is damaged", { .layer_type = "application/vnd.oci.image.layer.v1.tar+gzip" } },
		{ "compressed data is damaged", { .layer_type = "application/vnd.oci.image.layer.v1.tar+zstd" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		LAYOUT_FIXTURE(fixture);
		BUFFER(layer);
		struct fixture_image image = list[i].image;

		tar_fixture_add(&layer, &(struct tar_member){ .name = "file", .content = "x" });
		tar_fixture_end(&layer);
		image.layers[0] = &layer;
		layout_fixture_image(&fixture, &image, &fixture.manifests);
		layout_fixture_finish(&fixture);
		expect_refused(&fixture, i % 2 ? "layout" : "layout.tar", list[i].reason);
	}
}

/* Finds the blob whose content begins like that; the path is relative to the scratch directory. */
static void find_blob(const struct layout_fixture *fixture, const char *beginning, char path[static 256])
{
	int fd = openat(fixture->scratch.fd, "layout/blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fdopendir(fd);
	const struct dirent *entry;
	char text[1024];
	bool found = false;

	cr_assert_not_null(directory);
	while (!found && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, 256, "layout/blobs/sha256/%.64s", entry->d_name);
		scratch_text(&fixture->scratch, path, text, sizeof(text));
		found = strncmp(text, beginning, strlen(beginning)) == 0;
	}
	closedir(directory);
	cr_assert(found, "no blob begins with %s", beginning);
}

struct changed_blob {
	const char *beginning; /* of the blob that is changed */
	const char *reason;
};

/* A blob with one byte changed, of the size that it had. */
Test(image_hostile, content_with_another_digest)
{
	static const struct changed_blob list[] = {
		{ "{\"schemaVersion\"", "has the digest" },
		{ "{\"os\"", "has the digest" },
		{ "file", "not have the digest" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		LAYOUT_FIXTURE(fixture);
		BUFFER(layer);
		struct fixture_image image = { .layers = { &layer } };
		char path[256];
		int fd;

		tar_fixture_add(&layer, &(struct tar_member){ .name = "file", .content = "x" });
		tar_fixture_end(&layer);
		layout_fixture_image(&fixture, &image, &fixture.manifests);
		layout_fixture_finish(&fixture);
		find_blob(&fixture, list[i].beginning, path);
		fd = openat(fixture.scratch.fd, path, O_WRONLY | O_CLOEXEC);
		cr_assert_geq(fd, 0);
		/* In a layer, a byte of a file's content: nothing but the digest can tell. */
		cr_assert_eq(pwrite(fd, "y", 1, i == 2 ? 512 : 2), 1);
		close(fd);
		expect_refused(&fixture, "layout", list[i].reason);
	}
}

static void simple_layout(struct layout_fixture *fixture)
{
	BUFFER(layer);
	struct fixture_image image = { .layers = { &layer } };

	tar_fixture_add(&layer, &(struct tar_member){ .name = "file", .content = "x" });
	tar_fixture_end(&layer);
	layout_fixture_image(fixture, &image, &fixture->manifests);
	layout_fixture_finish(fixture);
}

Test(image_hostile, links_in_the_layout)
{
	LAYOUT_FIXTURE(fixture);
	char path[256];

	simple_layout(&fixture);
	find_blob(&fixture, "file", path);
	cr_assert_eq(unlinkat(fixture.scratch.fd, path, 0), 0);
	scratch_link(&fixture.scratch, path, "../../../outside/secret");
	expect_refused(&fixture, "layout", "symbolic link");
	cr_assert_eq(unlinkat(fixture.scratch.fd, path, 0), 0);
	cr_assert_eq(mkfifoat(fixture.scratch.fd, path, 0600), 0);
	expect_refused(&fixture, "layout", "no regular file");
}

Test(image_hostile, documents)
{
	static const struct {
		const char *name, *text, *reason;
	} list[] = {
		{ "oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}", "version \"2.0.0\"" },
		{ "oci-layout", "{}", "no imageLayoutVersion" },
		{ "oci-layout", "", "" },
		{ "index.json", "[]", "index.json: " },
		{ "index.json", "{\"manifests\":[{}", "index.json: " },
		{ "index.json", "{\"schemaVersion\":1,\"manifests\":[]}", "schemaVersion 1" },
		{ "index.json", "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"x\"}],\"layers\":[{}]}",
		  "has manifests and" },
		{ "index.json", "{\"schemaVersion\":2,\"layers\":[{}]}", "a manifest where an index" },
		{ "index.json", "{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\"}", "in an index" },
		{ "index.json", "{\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\"}]}",
		  "a descriptor without a digest" },
		{ "index.json", "{\"manifests\":[{\"size\":-1}]}", "index.json: " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		LAYOUT_FIXTURE(fixture);
		char path[64];

		simple_layout(&fixture);
		snprintf(path, sizeof(path), "layout/%s", list[i].name);
		scratch_file(&fixture.scratch, path, list[i].text, 0644);
		expect_refused(&fixture, "layout", list[i].reason);
	}
}

Test(image_hostile, no_layout_at_all)
{
	LAYOUT_FIXTURE(fixture);

	simple_layout(&fixture);
	scratch_file(&fixture.scratch, "layout.tar", "\x1f\x8b\x08 and so on", 0644);
	expect_refused(&fixture, "layout.tar", "packed with gzip");
	scratch_file(&fixture.scratch, "layout.tar", "no tar archive at all", 0644);
	expect_refused(&fixture, "layout.tar", "cut off inside a header");
	scratch_file(&fixture.scratch, "layout.tar", "", 0644);
	expect_refused(&fixture, "layout.tar", "no OCI image layout");
}

/* Each bound of struct image_limits, from below and from above. */
static int unpack_bounded(struct layout_fixture *fixture, uint64_t bytes, uint64_t entries, struct error *err)
{
	char path[256];
	struct image_request request = { .layout = path, .limits = { .bytes = bytes, .entries = entries } };
	int root_fd = openat(fixture->scratch.fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	struct image_config config;

	snprintf(path, sizeof(path), "%s/layout", fixture->scratch.path);
	rc = image_unpack(&request, root_fd, fixture->arena, &config, err);
	close(root_fd);
	return rc;
}

Test(image_hostile, limits)
{
	LAYOUT_FIXTURE(fixture);
	BUFFER(first);
	BUFFER(second);
	struct fixture_image image = { .layers = { &first, &second } };
	struct error err = { 0 };

	tar_fixture_add(&first, &(struct tar_member){ .name = "a", .content = "0123456789" });
	tar_fixture_end(&first);
	tar_fixture_add(&second, &(struct tar_member){ .name = "b", .content = "0123456789" });
	tar_fixture_end(&second);
	layout_fixture_image(&fixture, &image, &fixture.manifests);
	layout_fixture_finish(&fixture);
	cr_expect_eq(unpack_bounded(&fixture, 20, 2, &err), 0, "%s", err.message);
	cr_expect_lt(unpack_bounded(&fixture, 19, 2, &err), 0);
	cr_expect_not_null(strstr(err.message, "more bytes"), "%s", err.message);
	cr_expect_lt(unpack_bounded(&fixture, 20, 1, &err), 0);
	cr_expect_not_null(strstr(err.message, "more entries"), "%s", err.message);
}

/* Folders that one name brings along count. */
Test(image_hostile, limits_of_implicit_folders)
{
	LAYOUT_FIXTURE(fixture);
	BUFFER(layer);
	struct fixture_image image = { .layers = { &layer } };
	struct error err = { 0 };

	tar_fixture_add(&layer, &(struct tar_member){ .name = "a/b/c/d/e" });
	tar_fixture_end(&layer);
	layout_fixture_image(&fixture, &image, &fixture.manifests);
	layout_fixture_finish(&fixture);
	cr_expect_lt(unpack_bounded(&fixture, 1, 4, &err), 0);
	cr_expect_not_null(strstr(err.message, "more entries"), "%s", err.message);
}

/* What a layer made stays when the layer hides its folder, each time it does. */
static int unpack_hiding(unsigned n_files, unsigned n_times, struct error *err)
{
	LAYOUT_FIXTURE(fixture);
	BUFFER(layer);
	struct fixture_image image = { .layers = { &layer } };
	char name[32];

	for (unsigned i = 0; i < n_files; i++) {
		snprintf(name, sizeof(name), "a/%u", i);
		tar_fixture_add(&layer, &(struct tar_member){ .name = name });
	}
	for (unsigned i = 0; i < n_times; i++)
		tar_fixture_add(&layer, &(struct tar_member){ .name = "a/.wh..wh..opq" });
	tar_fixture_end(&layer);
	layout_fixture_image(&fixture, &image, &fixture.manifests);
	layout_fixture_finish(&fixture);
	return unpack_bounded(&fixture, 1, 1000, err);
}

Test(image_hostile, limits_of_what_is_hidden)
{
	struct error err = { 0 };

	cr_expect_eq(unpack_hiding(5, 40, &err), 0, "%s", err.message);
	cr_expect_lt(unpack_hiding(40, 40, &err), 0);
	cr_expect_eq(err.kind, ERROR_REFUSED);
	cr_expect_not_null(strstr(err.message, "hides and replaces more"), "%s", err.message);
}

/* Whoever asked for it may end it at any time: each turn asks. */
static int count_down(void *context, struct error *err)
{
	unsigned *left = context;

	if (*left == 0)
		return error_set(err, ERROR_TIMEOUT, ETIMEDOUT, "that was enough");
	(*left)--;
	return 0;
}

static int unpack_for(struct layout_fixture *fixture, const char *name, unsigned turns, struct error *err)
{
	char path[256];
	struct image_request request = { .layout = path, .pace = { .may_go_on = count_down, .context = &turns } };
	AUTO_CLOSE int root_fd = openat(fixture->scratch.fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct image_config config;

	snprintf(path, sizeof(path), "%s/%s", fixture->scratch.path, name);
	return image_unpack(&request, root_fd, fixture->arena, &config, err);
}

Test(image_hostile, can_be_stopped)
{
	static const char *const names[] = { "layout", "layout.tar" };
	LAYOUT_FIXTURE(fixture);
	size_t n_fds = scratch_count_fds();

	simple_layout(&fixture);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct error err = { 0 };

		cr_expect_eq(unpack_for(&fixture, names[i], 0, &err), -ETIMEDOUT);
		cr_expect_eq(err.kind, ERROR_TIMEOUT);
		cr_expect_not_null(strstr(err.message, "that was enough"), "%s", err.message);
		cr_expect_eq(unpack_for(&fixture, names[i], 1, &err), -ETIMEDOUT, "%s", err.message);
		cr_expect_eq(unpack_for(&fixture, names[i], 100000, &err), 0, "%s", err.message);
	}
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a decoder is left");
	cr_expect_eq(scratch_count_fds(), n_fds);
}
