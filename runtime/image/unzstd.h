/* Zstandard (RFC 8878) undone step by step, with all memory taken beforehand. libzstd's owner. */
#pragma once

#include <stdbool.h>

#include "image/window.h"

#define UNZSTD_WINDOW_LOG_MAX 23 /* 8 MiB: what RFC 8878 asks of every decoder, and the most that levels up to 19 use */

struct unzstd;

/* NULL: no memory. */
struct unzstd *unzstd_new(void);
void unzstd_free(struct unzstd *unzstd);
/* As gunzip_step; -EFBIG: made with a larger window. */
int unzstd_step(struct unzstd *unzstd, struct window *window);
bool unzstd_is_complete(const struct unzstd *unzstd);
