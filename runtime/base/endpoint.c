#include "base/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/quantity.h"

#define FORM                                                                                                     \
	"give ADDRESS[/BITS][:PORT][/tcp|/udp], as 192.0.2.0/24:443/tcp or [2001:db8::]/64:443, or dns=ADDRESS " \
	"for a resolver"

static int refuse(const char *text, const char *why, struct error *err)
{
	return error_invalid(err, "\"%.100s\": %s; " FORM, text, why);
}

static unsigned bits_of(const struct endpoint *endpoint)
{
	return endpoint->family == AF_INET ? 32 : 128;
}

static size_t bytes_of(const struct endpoint *endpoint)
{
	return endpoint->family == AF_INET ? 4 : 16;
}

/* "2001:db8::/64" goes without brackets: more than one colon before its end. */
static size_t address_length(const char *text, bool bracketed)
{
	size_t length = strcspn(text, bracketed ? "]" : "/");
	const char *colon = memchr(text, ':', length);

	if (bracketed || !colon || memchr(colon + 1, ':', length - (size_t)(colon + 1 - text)))
		return length;
	return (size_t)(colon - text);
}

/* Reads the address at *text, which then points behind it. */
static int parse_address(const char *whole, const char **text, struct endpoint *endpoint, struct error *err)
{
	bool bracketed = **text == '[';
	char address[INET6_ADDRSTRLEN];
	size_t length;

	*text += bracketed;
	length = address_length(*text, bracketed);
	if (length == 0 || length >= sizeof(address))
		return refuse(whole, "there is no address", err);
	memcpy(address, *text, length);
	address[length] = '\0';
	*text += length;
	if (bracketed && *(*text)++ != ']')
		return refuse(whole, "the bracket is not closed", err);
	endpoint->family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if ((bracketed && endpoint->family == AF_INET) || inet_pton(endpoint->family, address, endpoint->address) != 1)
		return refuse(whole, bracketed ? "there is no IPv6 address in the brackets" : "this is no address", err);
	endpoint->bits = (uint8_t)bits_of(endpoint);
	return 0;
}

/* Decimal digits as one writes them; no "+1", no "007". */
static bool parse_number(const char **text, uint64_t most, uint64_t *ret)
{
	bool is_padded = **text == '0' && (*text)[1] >= '0' && (*text)[1] <= '9';

	return !is_padded && quantity_digits(text, ret) >= 0 && *ret <= most;
}

static int parse_bits(const char *whole, const char **text, struct endpoint *endpoint, struct error *err)
{
	uint64_t bits;

	if (**text != '/' || (*text)[1] < '0' || (*text)[1] > '9')
		return 0;
	(*text)++;
	if (!parse_number(text, bits_of(endpoint), &bits))
		return refuse(whole, endpoint->family == AF_INET ? "BITS is 0 to 32" : "BITS is 0 to 128", err);
	endpoint->bits = (uint8_t)bits;
	return 0;
}

static int parse_port(const char *whole, const char **text, struct endpoint *endpoint, struct error *err)
{
	uint64_t port;

	if (**text != ':')
		return 0;
	if (endpoint->family == AF_INET6 && whole[0] != '[')
		return refuse(whole, "an IPv6 address with a port stands in brackets", err);
	(*text)++;
	if (!parse_number(text, UINT16_MAX, &port) || port == 0)
		return refuse(whole, "PORT is 1 to 65535", err);
	if (port == ENDPOINT_DNS_PORT)
		return refuse(whole, "port 53 is for resolvers: write dns=ADDRESS", err);
	endpoint->port = (uint16_t)port;
	return 0;
}

static int parse_protocol(const char *whole, const char *text, struct endpoint *endpoint, struct error *err)
{
	if (strcmp(text, "/tcp") == 0)
		endpoint->protocol = IPPROTO_TCP;
	else if (strcmp(text, "/udp") == 0)
		endpoint->protocol = IPPROTO_UDP;
	else if (*text)
		return refuse(whole, "there is something behind it that is neither BITS, PORT, /tcp nor /udp", err);
	return 0;
}

static void mask(uint8_t *address, size_t n_bytes, unsigned bits)
{
	for (size_t i = 0; i < n_bytes; i++) {
		unsigned kept = bits > 8 * i ? bits - 8 * (unsigned)i : 0;

		if (kept < 8)
			address[i] &= (uint8_t)(0xff00U >> kept);
	}
}

/* One that matches nothing, or more than who wrote it thinks, is a mistake. */
static int check(const char *whole, const struct endpoint *endpoint, struct error *err)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }, nothing[16] = { 0 };
	uint8_t masked[16];

	memcpy(masked, endpoint->address, sizeof(masked));
	mask(masked, bytes_of(endpoint), endpoint->bits);
	if (memcmp(masked, endpoint->address, sizeof(masked)) != 0)
		return refuse(whole, "the address has bits set beyond BITS", err);
	if (endpoint->bits == bits_of(endpoint) && memcmp(endpoint->address, nothing, bytes_of(endpoint)) == 0)
		return refuse(whole, "this is nobody's address; all there are: 0.0.0.0/0, ::/0", err);
	if (endpoint->family == AF_INET6 && endpoint->bits >= 96 && memcmp(endpoint->address, mapped, 12) == 0)
		return refuse(whole, "write the IPv4 address itself, which holds for its mapped form as well", err);
	return 0;
}

int endpoint_parse(const char *text, struct endpoint *ret, struct error *err)
{
	struct endpoint endpoint = { .is_resolver = strncmp(text, "dns=", 4) == 0 };
	const char *rest = text + (endpoint.is_resolver ? 4 : 0);
	int rc = parse_address(text, &rest, &endpoint, err);

	if (rc >= 0 && endpoint.is_resolver && *rest)
		rc = refuse(text, "a resolver is one address, without more", err);
	if (rc >= 0 && endpoint.is_resolver)
		endpoint.port = ENDPOINT_DNS_PORT;
	if (rc >= 0)
		rc = parse_bits(text, &rest, &endpoint, err);
	if (rc >= 0)
		rc = parse_port(text, &rest, &endpoint, err);
	if (rc >= 0)
		rc = parse_protocol(text, rest, &endpoint, err);
	if (rc >= 0)
		rc = check(text, &endpoint, err);
	if (rc < 0)
		return rc;
	*ret = endpoint;
	return 0;
}

const char *endpoint_format(const struct endpoint *endpoint, char text[static ENDPOINT_TEXT_MAX])
{
	char address[INET6_ADDRSTRLEN], bits[8] = "", port[8] = "";
	bool brackets = endpoint->family == AF_INET6 && endpoint->port && !endpoint->is_resolver;

	inet_ntop(endpoint->family, endpoint->address, address, sizeof(address));
	if (endpoint->bits != bits_of(endpoint))
		snprintf(bits, sizeof(bits), "/%u", endpoint->bits);
	if (endpoint->port && !endpoint->is_resolver)
		snprintf(port, sizeof(port), ":%u", endpoint->port);
	snprintf(text, ENDPOINT_TEXT_MAX, "%s%s%s%s%s%s%s", endpoint->is_resolver ? "dns=" : "", brackets ? "[" : "",
		 address, brackets ? "]" : "", bits, port,
		 endpoint->protocol == IPPROTO_TCP   ? "/tcp"
		 : endpoint->protocol == IPPROTO_UDP ? "/udp"
						     : "");
	return text;
}

/* Does each address of inner lie in outer's range? */
static bool is_within(const struct endpoint *outer, const struct endpoint *inner)
{
	uint8_t masked[16];

	memcpy(masked, inner->address, sizeof(masked));
	mask(masked, bytes_of(inner), outer->bits);
	return outer->family == inner->family && outer->bits <= inner->bits &&
	       memcmp(masked, outer->address, bytes_of(outer)) == 0;
}

bool endpoint_covers(const struct endpoint *outer, const struct endpoint *inner)
{
	return outer->is_resolver == inner->is_resolver && (outer->port == 0 || outer->port == inner->port) &&
	       (outer->protocol == 0 || outer->protocol == inner->protocol) && is_within(outer, inner);
}

/* Of two ranges of addresses one lies in the other, or they have nothing in common: a prefix is a node of a tree. */
bool endpoint_meet(const struct endpoint *a, const struct endpoint *b, struct endpoint *ret)
{
	struct endpoint both = is_within(a, b) ? *b : *a;

	if (a->is_resolver != b->is_resolver || (!is_within(a, b) && !is_within(b, a)))
		return false;
	if ((a->port && b->port && a->port != b->port) || (a->protocol && b->protocol && a->protocol != b->protocol))
		return false;
	both.port = a->port ?: b->port;
	both.protocol = a->protocol ?: b->protocol;
	*ret = both;
	return true;
}
