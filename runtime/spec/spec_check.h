/* Small checks on strings and lists that the validators share; each error gives the path in the document. Internal to spec.
 * Where a path is made of parts, `where` is the part in front: "linux.", or "" for a document of its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

/* The path of a value, composed once an error is certain: printf-like arguments would be evaluated on each success too. */
struct spec_place {
	const char *where; /* "linux.", "hooks.", "" */
	const char *list;  /* "maskedPaths" */
	size_t index;
	const char *member; /* ".path", or "" */
};

/* Room for any place as text. */
#define SPEC_PLACE_MAX 256

/* The path as a reader of config.json knows it: "linux.maskedPaths[3]". Cut off where it does not fit. Returns text. */
const char *spec_check_place(const struct spec_place *place, char text[SPEC_PLACE_MAX]);

/* path begins with "/". */
int spec_check_absolute(const char *path, const struct spec_place *place, struct error *err);
/* "NAME=VALUE" entries as execve(2) and its readers take them. where: "process." */
int spec_check_env(const char *const *env, size_t n_env, const char *where, struct error *err);
/* NULL, or a list of numbers and ranges such as "0-3,7". name: its path. */
int spec_check_cpu_list(const char *list, const char *where, const char *name, struct error *err);
/* text has no control characters (and no newline, which files of the kernel take for an end); NULL is fine. */
int spec_check_plain(const char *text, const char *where, const char *name, struct error *err);
/* Is text non-empty, and of letters, digits and the characters of more? */
bool spec_check_charset(const char *text, const char *more);
/* At most so much of a hostile string is shown: for "%.*s". */
#define SPEC_SHOWN 64
