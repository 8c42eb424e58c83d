/* Questions to a resolver and its answers (RFC 1035, 4): A and AAAA alone. Pure; answers are hostile bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_MESSAGE_MAX 1232 /* what we take without EDNS is 512; servers that send more are read as well */
#define DNS_ADDRESSES_MAX 8

enum dns_type {
	DNS_A = 1,
	DNS_AAAA = 28,
};

struct dns_addresses {
	enum dns_type type;
	bool is_cut; /* there was no room for more: all of it is to be had by TCP */
	size_t n;
	uint8_t bytes[DNS_ADDRESSES_MAX][16]; /* of A: four of them */
};

/* name: as allow_list_normalise() leaves it. Returns the question's length, or -EINVAL. */
int dns_message_ask(uint16_t id, const char *name, enum dns_type type, uint8_t ret[static DNS_MESSAGE_MAX]);
/* Is that the answer to this question? Returns 0 with the addresses (n = 0: the name has none), -EAGAIN: it is none of ours, to be passed over;
 * -EIO: the server has failed. */
int dns_message_read(const uint8_t *data, size_t length, uint16_t id, const char *name, struct dns_addresses *ret);
