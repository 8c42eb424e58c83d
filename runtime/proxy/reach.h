/* From a name that is allowed to a connected socket: the resolver is asked, each address is looked at before it is connected to, and that
 * very address is connected to. Nothing here waits. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "proxy/allow_list.h"
#include "proxy/dns_message.h"
#include "proxy/outcome.h"

#define REACH_RESOLVERS_MAX 3 /* resolv.conf(5) */
/* Of answers by TCP; what is longer is not waited for. */
#define REACH_STREAM_MAX ((size_t)8 * 1024)

/* What all requests have in common. */
struct reach_settings {
	const struct allow_list *list;
	bool has_site; /* the policy says where anybody may go: */
	const struct endpoint *site;
	size_t n_site;
	struct sockaddr_storage resolvers[REACH_RESOLVERS_MAX];
	size_t n_resolvers;
};

struct reach {
	const struct reach_settings *settings;
	const struct allowed_name *entry;
	const char *name;
	uint16_t port;
	int fd; /* of the question, then of the connection */
	bool is_asking, has_tried;
	bool is_cut, is_stream, is_sent; /* an answer was; it is asked for by TCP; the questions are out */
	size_t n_stream;
	uint8_t stream[REACH_STREAM_MAX];
	uint16_t ids[2];
	bool is_answered[2], has_failed;
	unsigned n_tries;
	struct sockaddr_storage addresses[2 * DNS_ADDRESSES_MAX];
	size_t n_addresses, next;
	uint64_t deadline;    /* milliseconds, as `now` */
	enum outcome outcome; /* why not */
};

/* The resolvers of a resolv.conf(5); without any its own default, this host. */
void reach_take_resolvers(const char *resolv_conf, struct reach_settings *settings);
/* The caller has set settings, entry, name, port; the rest is 0. Returns as reach_go_on(). */
int reach_begin(struct reach *reach, uint64_t now);
/* Something has come, or the deadline has. Returns 1: reach->fd is connected; 0: not yet; -1: reach->outcome says why it never will be. */
int reach_go_on(struct reach *reach, uint64_t now);
static inline short reach_events(const struct reach *reach)
{
	return reach->is_asking && (!reach->is_stream || reach->is_sent) ? POLLIN : POLLOUT;
}
