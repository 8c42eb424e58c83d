/* How containerd names a stream. Pure. Source: shim contract, "Streams". */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"

#define URI_LENGTH_MAX 8192

enum uri_scheme { URI_NONE, URI_FIFO, URI_FILE, URI_BINARY, URI_STREAM };

struct uri {
	enum uri_scheme scheme;
	char *path;  /* absolute, percent signs decoded (those of a plain path mean themselves); NULL for URI_NONE */
	char *query; /* as it was written, or NULL: within path's memory */
};

/* what: the stream's name for messages. Returns 0, or -EINVAL or -ENOMEM with err set. */
int uri_parse(const char *text, const char *what, struct uri *ret, struct error *err);
void uri_done(struct uri *uri);
static inline void uri_done_cleanup(struct uri *uri)
{
	uri_done(uri);
}

/* Cuts the next key=value pair off *query, decoded in place ('+' is a space); a key alone has the value "". False at the end, and
 * where a percent sign is not followed by two digits other than 00: *query is not NULL then. */
bool uri_next_pair(char **query, char **ret_key, char **ret_value);
