/* The page that is served: a text file, read anew for each request. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

/* A node with thousands of label sets prints some hundred kilobytes. */
#define PAGE_MAX ((size_t)4 * 1024 * 1024)

/* Appends the regular file `name` of the directory dir_fd: no link, at most PAGE_MAX bytes. Returns 0 or a negative errno with err set. */
int page_read(int dir_fd, const char *name, struct buffer *out, struct error *err);
/* Opens the directory that path is in and points *ret_name at the rest of path. A descriptor, or a negative errno with err set. */
int page_open_directory(const char *path, const char **ret_name, struct error *err);
