#include "cmd/brig/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

int output_write(const struct buffer *buffer, struct error *err)
{
	int r;

	if (buffer->failed == -ENOMEM)
		return error_memory(err);
	if (buffer->failed)
		return error_system(err, -buffer->failed, "collect the output");
	r = fd_write_all(STDOUT_FILENO, buffer->data, buffer->length);
	return r < 0 ? error_system(err, -r, "write to the standard output") : 0;
}

void output_column(struct buffer *buffer, const char *text, size_t width)
{
	size_t before = buffer->length, used;

	buffer_append_visible(buffer, text, /* quoted= */ false);
	used = buffer->length - before;
	/* What is too long for its column still ends before the next one begins. */
	if (width > 0)
		buffer_printf(buffer, "%*s", used < width ? (int)(width - used) : 1, "");
}

void output_info_json(struct json_writer *writer, const struct brig_info *info)
{
	json_write_object_begin(writer);
	json_write_member(writer, "ociVersion", info->oci_version);
	json_write_member(writer, "id", info->id);
	json_write_member_int(writer, "pid", info->pid);
	json_write_member(writer, "status", brig_status_name(info->status));
	json_write_member(writer, "bundle", info->bundle);
	json_write_member(writer, "rootfs", info->rootfs);
	json_write_member(writer, "created", info->created);
	json_write_key(writer, "annotations");
	json_write_object_begin(writer);
	for (size_t i = 0; i < info->n_annotations; i++)
		json_write_member(writer, info->annotations[i].name, info->annotations[i].value);
	json_write_object_end(writer);
	json_write_member(writer, "owner", info->owner ?: "");
	json_write_object_end(writer);
}

enum column { COLUMN_ID, COLUMN_PID, COLUMN_STATUS, COLUMN_BUNDLE, COLUMN_CREATED, COLUMN_OWNER, N_COLUMNS };

static const char *const headings[N_COLUMNS] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };

/* number: room for a pid */
static const char *cell(const struct brig_info *info, enum column column, char number[16])
{
	switch (column) {
	case COLUMN_ID:
		return info->id;
	case COLUMN_PID:
		snprintf(number, 16, "%d", (int)info->pid);
		return number;
	case COLUMN_STATUS:
		return brig_status_name(info->status);
	case COLUMN_BUNDLE:
		return info->bundle;
	case COLUMN_CREATED:
		return info->created;
	case COLUMN_OWNER:
		return info->owner ?: "";
	case N_COLUMNS:
		break;
	}
	return "";
}

static size_t column_width(const struct brig_info *infos, size_t n, enum column column)
{
	size_t width = 9, length;
	char number[16];

	for (size_t i = 0; i < n; i++) {
		length = strlen(cell(&infos[i], column, number));
		if (length > width)
			width = length;
	}
	return width + 3;
}

void output_info_table(struct buffer *buffer, const struct brig_info *infos, size_t n)
{
	size_t widths[N_COLUMNS] = { 0 };
	char number[16];

	for (enum column column = 0; column < N_COLUMNS - 1; column++)
		widths[column] = column_width(infos, n, column);
	for (enum column column = 0; column < N_COLUMNS; column++)
		output_column(buffer, headings[column], widths[column]);
	buffer_append_text(buffer, "\n");
	for (size_t i = 0; i < n; i++) {
		for (enum column column = 0; column < N_COLUMNS; column++)
			output_column(buffer, cell(&infos[i], column, number), widths[column]);
		buffer_append_text(buffer, "\n");
	}
}
