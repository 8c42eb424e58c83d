/* gzip (RFC 1952) undone step by step, with all memory taken beforehand: it runs where no system call is left. zlib's owner. */
#pragma once

#include <stdbool.h>

#include "image/window.h"

struct gunzip;

/* NULL: no memory. */
struct gunzip *gunzip_new(void);
void gunzip_free(struct gunzip *gunzip);
/* Goes as far as both sides of the window allow. 0, or -EBADMSG: damaged. */
int gunzip_step(struct gunzip *gunzip, struct window *window);
/* May the input end here? Members may follow one another (the lazily pulled formats have one a file). */
bool gunzip_is_complete(const struct gunzip *gunzip);
