#include "proxy/reach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proxy/address_class.h"

/* Milliseconds: of one resolver's answer, and of one address's. */
#define ANSWER_MS 2000
#define CONNECT_MS 5000
#define TRIES_EACH 2
#define DNS_PORT 53
#define ANSWERS_AT_ONCE 16
#define LENGTH_SIZE ((size_t)2) /* of a message's, over TCP (RFC 1035, 4.2.2) */

static const enum dns_type types[2] = { DNS_A, DNS_AAAA };

static struct sockaddr_storage make_address(int family, const void *bytes, uint16_t port)
{
	struct sockaddr_storage storage = { 0 };

	if (family == AF_INET) {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

		memcpy(&in.sin_addr, bytes, sizeof(in.sin_addr));
		memcpy(&storage, &in, sizeof(in));
	} else {
		struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

		memcpy(&in6.sin6_addr, bytes, sizeof(in6.sin6_addr));
		memcpy(&storage, &in6, sizeof(in6));
	}
	return storage;
}

static socklen_t length_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static int connect_to(const struct sockaddr_storage *address, int type)
{
	int fd = socket(address->ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	int failure;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, length_of(address)) == 0 || errno == EINPROGRESS)
		return fd;
	failure = errno;
	close(fd);
	return -failure;
}

/* 1: it is; 0: not yet; -1: it has failed. connect(2), EINPROGRESS: writable means that it is over, and SO_ERROR how. */
static int is_connected(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLOUT };
	int failure = 0;
	socklen_t length = sizeof(failure);

	if (poll(&polled, 1, 0) <= 0)
		return 0;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &length) == 0 && failure == 0 ? 1 : -1;
}

/* ---- which addresses ---- */

/* A packet to one of our own addresses comes from that address. A datagram socket tells without sending anything. */
static bool is_own(const struct sockaddr_storage *address)
{
	AUTO_CLOSE int fd = connect_to(address, SOCK_DGRAM);
	struct sockaddr_storage own = { 0 };
	socklen_t length = sizeof(own);
	struct endpoint here, there;

	if (fd < 0 || getsockname(fd, (struct sockaddr *)&own, &length) < 0)
		return false;
	here = address_class_endpoint((const struct sockaddr *)&own);
	there = address_class_endpoint((const struct sockaddr *)address);
	return memcmp(here.address, there.address, sizeof(here.address)) == 0;
}

/* The policy's own list of endpoints, for all sandboxes: narrower than what the command line asked for. */
static bool is_within_site(const struct reach *reach, const struct endpoint *endpoint)
{
	for (size_t i = 0; i < reach->settings->n_site; i++) {
		if (endpoint_covers(&reach->settings->site[i], endpoint))
			return true;
	}
	return false;
}

static bool is_permitted(struct reach *reach, const struct sockaddr_storage *address)
{
	struct endpoint endpoint = address_class_endpoint((const struct sockaddr *)address), alone = endpoint;

	/* The range of an entry says nothing of ports, which the entry itself has done. */
	alone.port = 0;
	alone.protocol = 0;
	reach->outcome = OUTCOME_NOT_PUBLIC;
	if (reach->entry->has_range && !endpoint_covers(&reach->entry->range, &alone))
		return false;
	if (!reach->entry->has_range && (!address_class_is_public((const struct sockaddr *)address) || is_own(address)))
		return false;
	reach->outcome = OUTCOME_SITE;
	return !reach->settings->has_site || is_within_site(reach, &endpoint);
}

/* ---- the connection ---- */

/* Looked at right before it is connected to, and connected to as it was looked at: there is no second lookup that could answer
 * otherwise (DNS rebinding). */
static int connect_next(struct reach *reach, uint64_t now)
{
	reach->is_asking = false;
	while (reach->next < reach->n_addresses) {
		const struct sockaddr_storage *address = &reach->addresses[reach->next++];

		close_and_reset(&reach->fd);
		if (!is_permitted(reach, address))
			continue;
		reach->has_tried = true;
		reach->fd = connect_to(address, SOCK_STREAM);
		reach->deadline = now + CONNECT_MS;
		if (reach->fd >= 0)
			return 0;
	}
	close_and_reset(&reach->fd);
	if (reach->n_addresses == 0)
		reach->outcome = OUTCOME_NO_ADDRESS;
	else if (reach->has_tried)
		reach->outcome = OUTCOME_UNREACHABLE;
	return -1;
}

/* The resolver's order, no more than there is room for. */
static void add_addresses(struct reach *reach, const struct dns_addresses *found)
{
	for (size_t i = 0; i < found->n && reach->n_addresses < ARRAY_SIZE(reach->addresses); i++)
		reach->addresses[reach->n_addresses++] =
			make_address(found->type == DNS_A ? AF_INET : AF_INET6, found->bytes[i], reach->port);
}

/* ---- the question ---- */

/* Over TCP with their lengths before them. What does not get out has no answer, and its time passes. */
static void send_questions(struct reach *reach)
{
	uint8_t message[DNS_MESSAGE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		int length = dns_message_ask(reach->ids[i], reach->name, types[i], message);
		const uint8_t head[LENGTH_SIZE] = { (uint8_t)(length >> 8), (uint8_t)length };

		if (length > 0 && reach->is_stream)
			(void)send(reach->fd, head, sizeof(head), MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE);
		if (length > 0)
			(void)send(reach->fd, message, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	reach->is_sent = true;
}

static void expect_answers(struct reach *reach, uint64_t now)
{
	reach->is_asking = true;
	reach->is_answered[0] = reach->is_answered[1] = reach->has_failed = reach->is_cut = reach->is_sent = false;
	reach->n_addresses = reach->n_stream = 0;
	reach->deadline = now + ANSWER_MS;
}

/* The next resolver in turn. A new socket has a new port, which somebody who guesses has to guess as well. */
static int ask(struct reach *reach, uint64_t now)
{
	const struct reach_settings *settings = reach->settings;

	close_and_reset(&reach->fd);
	while (reach->n_tries < TRIES_EACH * settings->n_resolvers) {
		const struct sockaddr_storage *resolver = &settings->resolvers[reach->n_tries++ % settings->n_resolvers];

		if (getrandom(reach->ids, sizeof(reach->ids), 0) != sizeof(reach->ids))
			continue;
		reach->fd = connect_to(resolver, SOCK_DGRAM);
		if (reach->fd < 0)
			continue;
		expect_answers(reach, now);
		reach->is_stream = false;
		send_questions(reach);
		return 0;
	}
	return connect_next(reach, now);
}

static void take_answer(struct reach *reach, const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct dns_addresses found = { 0 };
		int rc = reach->is_answered[i] ? -EAGAIN
					       : dns_message_read(data, length, reach->ids[i], reach->name, &found);

		if (rc == -EAGAIN || (rc == 0 && found.type != types[i]))
			continue;
		reach->is_answered[i] = true;
		reach->has_failed |= rc < 0;
		/* Some of the addresses are as good as all. */
		reach->is_cut |= rc == 0 && found.is_cut && found.n == 0;
		if (rc == 0)
			add_addresses(reach, &found);
		return;
	}
}

/* The same resolver (RFC 7766, 5). */
static int ask_by_stream(struct reach *reach, uint64_t now)
{
	const struct reach_settings *settings = reach->settings;

	close_and_reset(&reach->fd);
	reach->fd = connect_to(&settings->resolvers[(reach->n_tries - 1) % settings->n_resolvers], SOCK_STREAM);
	if (reach->fd < 0)
		return ask(reach, now);
	expect_answers(reach, now);
	reach->is_stream = true;
	return 0;
}

/* All that is whole. False: one is longer than there is room for. */
static bool take_messages(struct reach *reach)
{
	size_t at = 0;

	while (reach->n_stream - at >= LENGTH_SIZE) {
		size_t length = (size_t)reach->stream[at] << 8 | reach->stream[at + 1];

		if (length > REACH_STREAM_MAX - LENGTH_SIZE)
			return false;
		if (length > reach->n_stream - at - LENGTH_SIZE)
			break;
		take_answer(reach, reach->stream + at + LENGTH_SIZE, length);
		at += LENGTH_SIZE + length;
	}
	reach->n_stream -= at;
	memmove(reach->stream, reach->stream + at, reach->n_stream);
	return true;
}

/* 1: there may be more; 0: not now; -1: nothing comes any more. */
static int receive(struct reach *reach)
{
	uint8_t data[DNS_MESSAGE_MAX];
	ssize_t n;

	if (!reach->is_stream) {
		n = recv(reach->fd, data, sizeof(data), MSG_DONTWAIT);
		if (n >= 0)
			take_answer(reach, data, (size_t)n);
	} else if (!reach->is_sent) {
		n = is_connected(reach->fd);
		if (n > 0)
			send_questions(reach);
		return n < 0 ? -1 : 0;
	} else {
		n = recv(reach->fd, reach->stream + reach->n_stream, REACH_STREAM_MAX - reach->n_stream, MSG_DONTWAIT);
		if (n > 0)
			reach->n_stream += (size_t)n;
		if (n == 0 || (n > 0 && !take_messages(reach)))
			return -1;
	}
	if (n >= 0)
		return 1;
	return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

static int take_answers(struct reach *reach, uint64_t now)
{
	int rc = 1;

	/* A resolver that never stops must not keep us from other clients. */
	for (size_t i = 0; rc > 0 && i < ANSWERS_AT_ONCE && !(reach->is_answered[0] && reach->is_answered[1]); i++)
		rc = receive(reach);
	if (reach->is_answered[0] && reach->is_answered[1]) {
		if (reach->is_cut && reach->n_addresses == 0 && !reach->is_stream)
			return ask_by_stream(reach, now);
		return reach->has_failed && reach->n_addresses == 0 ? ask(reach, now) : connect_next(reach, now);
	}
	if (rc >= 0 && now < reach->deadline)
		return 0;
	/* One kind of address is better than another wait. */
	return reach->n_addresses > 0 ? connect_next(reach, now) : ask(reach, now);
}

/* ---- from outside ---- */

int reach_begin(struct reach *reach, uint64_t now)
{
	const struct endpoint *range = &reach->entry->range;

	reach->fd = -EBADF;
	if (!reach->entry->has_range || range->bits != (range->family == AF_INET ? 32 : 128))
		return ask(reach, now);
	reach->addresses[reach->n_addresses++] = make_address(range->family, range->address, reach->port);
	return connect_next(reach, now);
}

int reach_go_on(struct reach *reach, uint64_t now)
{
	int rc;

	if (reach->is_asking)
		return take_answers(reach, now);
	rc = is_connected(reach->fd);
	if (rc > 0)
		return 1;
	return rc == 0 && now < reach->deadline ? 0 : connect_next(reach, now);
}

void reach_take_resolvers(const char *resolv_conf, struct reach_settings *settings)
{
	static const uint8_t loopback[] = { 127, 0, 0, 1 };
	char text[INET6_ADDRSTRLEN + 16];
	uint8_t bytes[16];

	settings->n_resolvers = 0;
	for (const char *line = resolv_conf; line && settings->n_resolvers < REACH_RESOLVERS_MAX;
	     line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "nameserver %61s", text) != 1)
			continue;
		for (int family = AF_INET; family == AF_INET || family == AF_INET6;
		     family = family == AF_INET ? AF_INET6 : AF_UNSPEC) {
			if (inet_pton(family, text, bytes) == 1)
				settings->resolvers[settings->n_resolvers++] = make_address(family, bytes, DNS_PORT);
		}
	}
	if (settings->n_resolvers == 0)
		settings->resolvers[settings->n_resolvers++] = make_address(AF_INET, loopback, DNS_PORT);
}
