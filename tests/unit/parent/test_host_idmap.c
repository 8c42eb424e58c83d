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
