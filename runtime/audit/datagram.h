/* One message to a local daemon that reads datagrams. Internal to audit/. */
#pragma once

#include <stddef.h>

/* Waits 50 ms at most for room in the reader's queue. Returns 0 or a negative errno. */
int datagram_send(const char *socket_path, const void *message, size_t length);
