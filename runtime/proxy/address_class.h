/* Which addresses are everybody's: a name of the allow-list leads to these alone, whatever a resolver says (DNS rebinding). Pure. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "base/endpoint.h"

/* False for loopback, private, shared, link-local, multicast, documentation, benchmarking and other special ranges, for IPv6 outside of 2000::/3
 * (so mapped and translated IPv4 too), for 6to4 and Teredo (IANA's special-purpose address registries). */
bool address_class_is_public(const struct sockaddr *address);
/* address with its port, by TCP, as one entry: to be compared by endpoint_covers(). */
struct endpoint address_class_endpoint(const struct sockaddr *address);
