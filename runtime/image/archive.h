/* Where the files of a layout are in a tar file of it: nothing is unpacked. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "image/pace.h"

#define ARCHIVE_MEMBERS_MAX 4096

struct archive;

/* fd: a regular file of size bytes, borrowed for the call. ERROR_REFUSED: no tar archive, or a damaged one. */
int archive_open(int fd, uint64_t size, const struct pace *pace, struct archive **ret, struct error *err);
void archive_free(struct archive *archive);
DEFINE_CLEANUP(struct archive *, archive_free);
/* The last file of that name, without "./" at its beginning. */
bool archive_find(const struct archive *archive, const char *name, uint64_t *ret_offset, uint64_t *ret_size);
