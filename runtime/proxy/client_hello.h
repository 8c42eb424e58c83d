/* The server's name out of the first message of TLS (RFC 8446, 4.1.2; RFC 6066, 3). Pure; of hostile bytes. */
#pragma once

#include <stddef.h>

/* What a client may send before its hello is whole; and the longest name. */
#define CLIENT_HELLO_MAX ((size_t)16 * 1024)
#define CLIENT_HELLO_NAME_MAX 255

/* Returns 1 with the name, as it was sent, in ret; 0: not all of it is there yet; -EINVAL: no hello, or one without exactly one name
 * of a host. */
int client_hello_name(const void *data, size_t length, char ret[static CLIENT_HELLO_NAME_MAX + 1]);
