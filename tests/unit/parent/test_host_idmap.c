#include "parent/host_idmap.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"

Test(host_idmap, a_file_system_can_from_some_kernel_on_or_never)
{
	cr_expect(host_idmap_supported(0xEF53, HOST_IDMAP_VERSION(5, 12)));
	cr_expect_not(host_idmap_supported(0xEF53, HOST_IDMAP_VERSION(5, 11)));
	cr_expect_not(host_idmap_supported(0x01021994, HOST_IDMAP_VERSION(6, 1)));
	cr_expect(host_idmap_supported(0x01021994, HOST_IDMAP_VERSION(6, 3)));
	cr_expect_not(host_idmap_supported(0x794c7630, HOST_IDMAP_VERSION(99, 0)), "overlay");
	cr_expect_not(host_idmap_supported(0x12345678, HOST_IDMAP_VERSION(99, 0)), "unknown");
	cr_expect_not(host_idmap_supported(0xEF53, 0), "an unknown kernel");
	cr_expect(host_idmap_type_supported("erofs", HOST_IDMAP_VERSION(5, 19)));
	cr_expect_not(host_idmap_type_supported("nfs", HOST_IDMAP_VERSION(99, 0)));
	cr_expect_geq(host_idmap_kernel(), HOST_IDMAP_VERSION(5, 0));
}

#define EXT4 0xEF53
#define TMPFS 0x01021994
#define NFS 0x6969

/* A path's last letter says what is there. */
static int look(const char *path, struct statfs *ret)
{
	static const struct {
		char end;
		long magic;
	} rows[] = { { '4', EXT4 }, { 't', TMPFS }, { 'n', NFS } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		*ret = (struct statfs){ .f_type = rows[i].magic };
		if (path[strlen(path) - 1] == rows[i].end)
			return 0;
	}
	return -1;
}

static bool overlay_supported(const char *const *lower, const char *upper, unsigned kernel)
{
	struct plan_root_mount root = { .mount = { .kind = PLAN_MOUNT_FILESYSTEM, .type = "overlay" },
					.is_overlay = true,
					.lower = lower,
					.upper = upper };

	while (lower[root.n_lower])
		root.n_lower++;
	return host_idmap_root_supported(&root, kernel, look);
}

#define LAYERS(...) ((const char *const[]){ __VA_ARGS__, NULL })

Test(host_idmap, an_overlay_can_where_all_of_its_layers_can)
{
	const unsigned before = HOST_IDMAP_VERSION(6, 14), since = HOST_IDMAP_VERSION(6, 15);

	cr_expect(overlay_supported(LAYERS("/a4", "/b4"), "/c4", since));
	cr_expect(overlay_supported(LAYERS("/a4", "/bt"), "/c4", HOST_IDMAP_VERSION(7, 0)));
	cr_expect(overlay_supported(LAYERS("/a4"), NULL, since), "nothing to be written to");
	cr_expect_not(overlay_supported(LAYERS("/a4", "/b4"), "/c4", before), "each layer can, the overlay can't");
	cr_expect_not(overlay_supported(LAYERS("/a4"), NULL, 0), "an unknown kernel");
	cr_expect_not(overlay_supported(LAYERS("/an", "/b4"), "/c4", since), "the first");
	cr_expect_not(overlay_supported(LAYERS("/a4", "/bn"), "/c4", since), "the last");
	cr_expect_not(overlay_supported(LAYERS("/a4", "/b4"), "/cn", since), "the upper one");
	cr_expect_not(overlay_supported(LAYERS("/a4", "/missing"), "/c4", since), "not there");
}

Test(host_idmap, another_root_can_as_its_file_system_can)
{
	struct plan_root_mount bind = { .mount = { .kind = PLAN_MOUNT_BIND, .source = "/at" } };
	struct plan_root_mount made = { .mount = { .kind = PLAN_MOUNT_FILESYSTEM, .type = "erofs" } };

	cr_expect(host_idmap_root_supported(&bind, HOST_IDMAP_VERSION(6, 3), look));
	cr_expect_not(host_idmap_root_supported(&bind, HOST_IDMAP_VERSION(6, 2), look));
	bind.mount.source = "/missing";
	cr_expect_not(host_idmap_root_supported(&bind, HOST_IDMAP_VERSION(99, 0), look));
	cr_expect(host_idmap_root_supported(&made, HOST_IDMAP_VERSION(5, 19), look));
	cr_expect_not(host_idmap_root_supported(&made, HOST_IDMAP_VERSION(5, 18), look));
}

static bool has_line(FILE *file, const char *wanted)
{
	char line[512];

	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, wanted, strlen(wanted)) == 0)
			return true;
	}
	return false;
}

/* The guide's table is the code's. */
Test(host_idmap, the_guide_says_the_same)
{
	FILE *file = fopen(TEST_SOURCE_DIR "/docs/user-namespaces.md", "re");
	char wanted[128], line[512];
	size_t n = 0, n_rows = 0;

	cr_assert_not_null(file);
	for (const struct host_idmap_row *row = host_idmap_table(); row->type; row++, n++) {
		if (row->since)
			snprintf(wanted, sizeof(wanted), "| `%s` | Linux %u.%u |", row->type, row->since >> 16,
				 row->since & 0xffff);
		else
			snprintf(wanted, sizeof(wanted), "| `%s` | no |", row->type);
		cr_expect(has_line(file, wanted), "docs/user-namespaces.md lacks: %s", wanted);
	}
	rewind(file);
	while (fgets(line, sizeof(line), file))
		n_rows += strncmp(line, "| `", 3) == 0 && (strstr(line, "| Linux ") || strstr(line, "| no |"));
	cr_expect_eq(n_rows, n, "%zu rows in docs/user-namespaces.md, %zu in the code", n_rows, n);
	fclose(file);
}
