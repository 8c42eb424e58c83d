#include "proxy/address_class.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/cleanup.h"

struct range4 {
	uint32_t address;
	unsigned bits;
};

#define IPV4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static const struct range4 special4[] = {
	{ IPV4(0, 0, 0, 0), 8 },
	{ IPV4(10, 0, 0, 0), 8 },
	{ IPV4(100, 64, 0, 0), 10 },
	{ IPV4(127, 0, 0, 0), 8 },
	{ IPV4(169, 254, 0, 0), 16 },
	{ IPV4(172, 16, 0, 0), 12 },
	/* Of no registry: behind this one each machine of a large cloud finds its platform, which hands out that machine's secrets. */
	{ IPV4(168, 63, 129, 16), 32 },
	{ IPV4(192, 0, 0, 0), 24 },
	{ IPV4(192, 0, 2, 0), 24 },
	{ IPV4(192, 88, 99, 0), 24 },
	{ IPV4(192, 168, 0, 0), 16 },
	{ IPV4(198, 18, 0, 0), 15 },
	{ IPV4(198, 51, 100, 0), 24 },
	{ IPV4(203, 0, 113, 0), 24 },
	{ IPV4(224, 0, 0, 0), 4 },
	{ IPV4(240, 0, 0, 0), 4 },
};

static bool is_public4(const struct in_addr *address)
{
	uint32_t number = ntohl(address->s_addr);

	for (size_t i = 0; i < ARRAY_SIZE(special4); i++) {
		if ((number ^ special4[i].address) >> (32 - special4[i].bits) == 0)
			return false;
	}
	return true;
}

static bool is_public6(const struct in6_addr *address)
{
	const uint8_t *byte = address->s6_addr;

	if (byte[0] >> 5 != 1) /* 2000::/3 */
		return false;
	if (byte[0] == 0x20 && byte[1] == 0x01 && byte[2] < 0x02) /* 2001::/23: Teredo, ORCHID and others */
		return false;
	if (byte[0] == 0x20 && byte[1] == 0x01 && byte[2] == 0x0d && byte[3] == 0xb8) /* 2001:db8::/32 */
		return false;
	if (byte[0] == 0x20 && byte[1] == 0x02) /* 2002::/16: an IPv4 address by another way */
		return false;
	return !(byte[0] == 0x3f && byte[1] == 0xff && byte[2] >> 4 == 0); /* 3fff::/20 */
}

bool address_class_is_public(const struct sockaddr *address)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (address->sa_family == AF_INET) {
		memcpy(&in, address, sizeof(in));
		return is_public4(&in.sin_addr);
	}
	if (address->sa_family != AF_INET6)
		return false;
	memcpy(&in6, address, sizeof(in6));
	return is_public6(&in6.sin6_addr);
}

struct endpoint address_class_endpoint(const struct sockaddr *address)
{
	struct endpoint endpoint = { .family = (uint8_t)address->sa_family, .protocol = IPPROTO_TCP };
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (address->sa_family == AF_INET) {
		memcpy(&in, address, sizeof(in));
		endpoint.bits = 32;
		endpoint.port = ntohs(in.sin_port);
		memcpy(endpoint.address, &in.sin_addr, 4);
	} else {
		memcpy(&in6, address, sizeof(in6));
		endpoint.bits = 128;
		endpoint.port = ntohs(in6.sin6_port);
		memcpy(endpoint.address, &in6.sin6_addr, 16);
	}
	return endpoint;
}
