/* Plain structs into JSON documents, by the tables that json_decode reads them with: what is written and what is read can't drift
 * apart. For documents of our own; what people see is written with json_write.h. */
#pragma once

#include "base/json.h"
#include "base/json_write.h"

/* Writes value, which is of that type. A field that is not JSON_REQUIRED and holds nothing but zeroes is left out: json_decode leaves
 * it so. A type that only reads (JSON_CONVERT, JSON_FLAGS, JSON_IGNORED) becomes null. */
void json_encode(struct json_writer *writer, const struct json_type *type, const void *value);
