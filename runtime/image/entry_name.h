/* Names of a layer's entries as text. Pure. */
#pragma once

#include <limits.h>
#include <stddef.h>

#include "base/error.h"

#define ENTRY_DEPTH_MAX 128 /* folders, one in the other */

struct entry_name {
	char parent[PATH_MAX];	 /* relative, without "." and "..", "." for the root itself */
	char leaf[NAME_MAX + 1]; /* "" for the root itself */
	unsigned depth;		 /* components */
};

/* Cuts name, with "./" and "//" folded. ERROR_REFUSED: absolute, "..", a component over 255 bytes, too deep, too long. */
int entry_name_cut(const char *name, struct entry_name *ret, struct error *err);

enum entry_whiteout {
	ENTRY_PLAIN,
	ENTRY_WHITEOUT, /* ".wh.NAME": NAME of the layers below is gone */
	ENTRY_OPAQUE,	/* ".wh..wh..opq": all of the layers below is gone from this folder */
};

/* What the leaf says (image-spec, layer.md, "Whiteouts"). ERROR_REFUSED: a name that begins like one and is none, also in parent. */
int entry_name_whiteout(const struct entry_name *name, enum entry_whiteout *ret, struct error *err);
/* NAME of ENTRY_WHITEOUT. */
const char *entry_name_hidden(const struct entry_name *name);
