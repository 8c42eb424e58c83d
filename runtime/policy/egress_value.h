/* A whole egress list: what an annotation says, and the elements of the policy's. Pure. */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/endpoint.h"
#include "base/error.h"

#define EGRESS_VALUE_BYTES_MAX ((size_t)8 * 1024)
#define EGRESS_VALUE_ENTRIES_MAX 128 /* each is code in five programs */

struct egress_value {
	const struct endpoint *list;
	size_t n; /* 0: none, nothing goes out */
};

/* "none", or entries as base/endpoint.h has them with commas between. where: what has the value, for errors. *ret in the arena. -EINVAL
 * or -ENOMEM with err set. */
int egress_value_parse(const char *where, const char *text, struct arena *arena, struct egress_value *ret,
		       struct error *err);
/* And back. NULL: no memory. */
const char *egress_value_format(const struct egress_value *value, struct arena *arena);
/* The first of list's entries that no entry of `site` covers by itself; NULL: there is none. */
const struct endpoint *egress_value_beyond(const struct egress_value *site, const struct egress_value *list);
/* What both let through. -ENOMEM with err set; -E2BIG: more than EGRESS_VALUE_ENTRIES_MAX entries. */
int egress_value_meet(const struct egress_value *site, const struct egress_value *list, struct arena *arena,
		      struct egress_value *ret, struct error *err);
