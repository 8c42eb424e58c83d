/* Questions and orders to the kernel's table of network interfaces, rtnetlink(7): one socket a network namespace, one message at a time. */
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_MESSAGE_MAX 512

/* A message with a fixed part (struct ifinfomsg, struct ifaddrmsg), to which attributes are added. */
struct netlink_message {
	union {
		struct nlmsghdr header;
		unsigned char bytes[NETLINK_MESSAGE_MAX];
	};
};

struct netlink {
	int fd;
	uint32_t sequence; /* of the last message */
};

/* In the network namespace of the caller, where it stays when the caller goes elsewhere. Returns 0 or a negative errno. */
int netlink_open(struct netlink *ret);
void netlink_done(struct netlink *netlink);
/* type: RTM_*; flags: NLM_F_* beyond NLM_F_REQUEST. Returns the fixed part of size bytes, zeroed. */
void *netlink_begin(struct netlink_message *message, uint16_t type, uint16_t flags, size_t size);
/* What has no room in NETLINK_MESSAGE_MAX, which all that this program sends has, makes the message one that is not sent. */
void netlink_add(struct netlink_message *message, uint16_t type, const void *data, size_t size);
/* Sends it and waits for the kernel's word. 0 or a negative errno: what the kernel says of it; -ETIMEDOUT; -EPROTO; -EMSGSIZE: see netlink_add. */
int netlink_order(struct netlink *netlink, struct netlink_message *message);
/* Sends it (NLM_F_DUMP) and gives each answer to take. 0 or a negative errno, take's own too, which ends the walk; -EAGAIN: the table
 * changed meanwhile. */
int netlink_list(struct netlink *netlink, struct netlink_message *message,
		 int (*take)(void *context, const struct nlmsghdr *answer), void *context);
