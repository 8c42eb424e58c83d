#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "cmd/brig/output.h"

static const struct brig_annotation annotations[] = { { "a.b", "c\"d" } };
static const struct brig_info infos[] = {
	{ .oci_version = "1.3.0",
	  .id = "web-1",
	  .bundle = "/srv/web",
	  .rootfs = "/srv/web/rootfs",
	  .created = "2024-01-02T03:04:05Z",
	  .owner = "root",
	  .status = BRIG_RUNNING,
	  .pid = 42,
	  .annotations = annotations,
	  .n_annotations = 1 },
	{ .oci_version = "1.3.0",
	  .id = "x",
	  .bundle = "/b",
	  .rootfs = "/b/r",
	  .created = "2024-01-02T03:04:05Z",
	  .status = BRIG_STOPPED },
};

Test(output, state_has_the_fields_of_the_contract)
{
	struct buffer text = { 0 };
	struct json_writer writer = json_writer_on(&text, /* indent= */ 0);

	output_info_json(&writer, &infos[0]);
	cr_expect_str_eq(text.data, "{\"ociVersion\":\"1.3.0\",\"id\":\"web-1\",\"pid\":42,\"status\":\"running\","
				    "\"bundle\":\"/srv/web\",\"rootfs\":\"/srv/web/rootfs\","
				    "\"created\":\"2024-01-02T03:04:05Z\",\"annotations\":{\"a.b\":\"c\\\"d\"},"
				    "\"owner\":\"root\"}");
	buffer_done(&text);
}

Test(output, table_has_columns)
{
	struct buffer text = { 0 };

	output_info_table(&text, infos, ARRAY_SIZE(infos));
	cr_expect_str_eq(text.data, "ID          PID         STATUS      BUNDLE      CREATED                OWNER\n"
				    "web-1       42          running     /srv/web    2024-01-02T03:04:05Z   root\n"
				    "x           0           stopped     /b          2024-01-02T03:04:05Z   \n");
	buffer_done(&text);
}

Test(output, table_of_nothing_is_its_heading)
{
	struct buffer text = { 0 };

	output_info_table(&text, NULL, 0);
	cr_expect_str_eq(text.data, "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n");
	buffer_done(&text);
}

/* Somebody else may have chosen the bundle's path: a terminal is not to act on it, nor a line to be forged. */
Test(output, table_shows_no_control_characters)
{
	struct brig_info hostile = infos[1];
	struct buffer text = { 0 };

	hostile.bundle = "/b\x1b[31m\nfake\xc2\x9b";
	output_info_table(&text, &hostile, 1);
	cr_expect_null(strpbrk(text.data, "\x1b\x9b"), "%s", text.data);
	cr_expect_not_null(strstr(text.data, "/b\\x1b[31m\\nfake\\xc2\\x9b "), "%s", text.data);
	buffer_done(&text);
}

Test(output, columns)
{
	struct buffer text = { 0 };

	output_column(&text, "a", 4);
	output_column(&text, "too long", 4);
	output_column(&text, "", 2);
	output_column(&text, "end", 0);
	cr_expect_str_eq(text.data, "a   too long   end");
	buffer_done(&text);
}
