/* The head of a request to a proxy (RFC 9110, 9112): CONNECT, or another method with an absolute http: URI. Pure; of hostile bytes. What
 * two parsers could read in two ways is refused: bare line feeds, folded lines, spaces before colons, lengths given twice, a Host that
 * is not the URI's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "proxy/allow_list.h"
#include "proxy/outcome.h"

#define HTTP_HEAD_MAX ((size_t)8 * 1024)
#define HTTP_FIELDS_MAX 64
#define HTTP_METHOD_MAX 20
#define HTTP_PORT 80
#define HTTPS_PORT 443

struct http_field {
	uint16_t name, name_length, value, value_length; /* where in the head */
};

struct http_request {
	bool is_connect, is_old;	    /* HTTP/1.0 */
	char host[ALLOW_LIST_NAME_MAX + 1]; /* as allow_list_normalise() leaves it; "" as long as it is not known */
	uint16_t port;
	uint64_t body; /* bytes that follow the head */
	char method[HTTP_METHOD_MAX + 1];
	uint16_t path, path_length;	      /* of the URI, with its query; may be empty */
	uint16_t authority, authority_length; /* as it was written */
	size_t n_fields;
	struct http_field fields[HTTP_FIELDS_MAX];
};

/* Returns the head's length, with the empty line; 0: it is not all there; -EINVAL: refused, with *ret_why (MALFORMED, TOO_LARGE, NO_LENGTH), and
 * as much in *ret as was understood. */
int http_request_parse(const char *data, size_t length, struct http_request *ret, enum outcome *ret_why);
/* Appends the head as the server is to have it: of plain HTTP; without what was for the proxy, and closing the connection. */
void http_request_write(const struct http_request *request, const char *head, struct buffer *out);
