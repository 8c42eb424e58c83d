/* Files replaced atomically, and directories of our own. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

/* Makes the new file dir_fd/name with content; EEXIST where there is one. */
int file_create_at(int dir_fd, const char *name, const struct buffer *content, mode_t mode, struct error *err);
/* Replaces dir_fd/name with content by way of a temporary file and rename(2): readers see the old or the new, never a part. */
int file_replace_at(int dir_fd, const char *name, const struct buffer *content, mode_t mode, struct error *err);
/* The same by path, for files in the caller's hands such as --pid-file. A device or FIFO, also by a symbolic link such as /dev/stdout, is
 * written to as it is; another symbolic link is an error. */
int file_replace(const char *path, const struct buffer *content, mode_t mode, struct error *err);
/* Appends the regular file dir_fd/name to buffer: never a link, a FIFO or a device; max as in fd_read_all. */
int file_read_at(int dir_fd, const char *name, size_t max, struct buffer *buffer, struct error *err);
/* Opens the directory at path, made with its parents (0711, the last one mode) where it is missing. A descriptor, or a negative errno. */
int file_make_directory(const char *path, mode_t mode, struct error *err);
