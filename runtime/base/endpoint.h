/* Who may be talked to, as one entry of an egress list (docs/egress.md): a range of addresses, a port, a protocol. Pure.
 *
 *   entry   = "dns=" ADDRESS | ADDRESS ["/" BITS] [":" PORT] ["/tcp" | "/udp"]
 *
 * An IPv6 address with a port stands in brackets, BITS behind them: [2001:db8::]/64:443/tcp. No names, no spaces. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define ENDPOINT_DNS_PORT 53

struct endpoint {
	uint8_t family;	     /* AF_INET, AF_INET6 */
	uint8_t bits;	     /* of the address that count */
	uint8_t protocol;    /* IPPROTO_TCP, IPPROTO_UDP; 0: both, and without a port ICMP as well */
	bool is_resolver;    /* dns=: the only way to port 53 */
	uint16_t port;	     /* 0: each but 53 */
	uint8_t address[16]; /* the bits beyond `bits` are 0; an IPv4 address takes four bytes */
};

/* -EINVAL with err set, *ret untouched: what was found, and how to write it. */
int endpoint_parse(const char *text, struct endpoint *ret, struct error *err);
/* As endpoint_parse takes it. Returns text. */
#define ENDPOINT_TEXT_MAX 80
const char *endpoint_format(const struct endpoint *endpoint, char text[static ENDPOINT_TEXT_MAX]);
/* Does outer let everything through that inner lets through? */
bool endpoint_covers(const struct endpoint *outer, const struct endpoint *inner);
/* What both let through. false, and *ret untouched: nothing. */
bool endpoint_meet(const struct endpoint *a, const struct endpoint *b, struct endpoint *ret);
