/* Who may be asked for by way of the egress proxy (docs/egress.md): names, not addresses. Pure.
 *
 *   list  = entry *("," entry)
 *   entry = ["*."] NAME [":" PORT] ["=" ADDRESS ["/" BITS]]
 *
 * "*." stands for one label or more. Without PORT it is 443 for CONNECT and 80 for plain HTTP. Behind "=" stands where the name has to
 * lead: one address, which is taken without asking a resolver, or a range; without it, any address that is everybody's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/error.h"

#define ALLOW_LIST_BYTES_MAX ((size_t)8 * 1024)
#define ALLOW_LIST_ENTRIES_MAX 128
#define ALLOW_LIST_NAME_MAX 253 /* RFC 1035, as text */

struct allowed_name {
	char name[ALLOW_LIST_NAME_MAX + 1]; /* lower case, without the final dot; of a suffix what follows "*." */
	bool is_suffix, has_range;
	uint16_t port;	       /* 0: the scheme's */
	struct endpoint range; /* an address alone: as many bits as it has */
};

struct allow_list {
	size_t n;
	struct allowed_name entries[ALLOW_LIST_ENTRIES_MAX];
};

/* -EINVAL with err set, which says what was found; *ret is worthless then. */
int allow_list_parse(const char *text, struct allow_list *ret, struct error *err);
/* Takes a name as it was asked for to how it is compared: lower case, without a final dot. -EINVAL: letters, digits, '-' and '_' in labels of
 * 1 to 63 are a name; what ends in a number is an address (RFC 3696, 2). */
int allow_list_normalise(const char *text, size_t length, char ret[static ALLOW_LIST_NAME_MAX + 1]);
/* The first entry that lets `name` (as normalised) be asked for at port, where default_port is the scheme's; or NULL. */
const struct allowed_name *allow_list_find(const struct allow_list *list, const char *name, uint16_t port,
					   uint16_t default_port);
