/* What commands print: containers as JSON and as a table, and everything to stdout with its errors seen. */
#pragma once

#include <stddef.h>

#include "base/buffer.h"
#include "base/json_write.h"
#include "container/brig.h"

/* Writes all of buffer to stdout, where buffer has not failed before. Returns 0 or a negative errno with err set. */
int output_write(const struct buffer *buffer, struct error *err);
/* Appends text as what a terminal does not act on, and spaces up to width columns, at least one; width 0: the last column, no spaces. */
void output_column(struct buffer *buffer, const char *text, size_t width);
/* One container as the contract of `state` has it. */
void output_info_json(struct json_writer *writer, const struct brig_info *info);
/* The table of `list`, with a heading. */
void output_info_table(struct buffer *buffer, const struct brig_info *infos, size_t n);
