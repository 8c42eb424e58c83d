#include "parent/net_devices.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/namespace.h"
#include "parent/netlink.h"

#define LIST_ATTEMPTS 10  /* others change addresses while we read */
#define ADDRESSES_MAX 256 /* of one interface: more is refused, as losing some would be a surprise */
#define TEMPLATE "%d"
#define TEMPLATE_MAX 1000 /* interfaces of one name that are counted through */

struct address {
	struct ifaddrmsg fixed;
	unsigned char local[16], peer[16], broadcast[16];
	bool has_local, has_peer, has_broadcast;
	uint32_t flags; /* IFA_F_*, those that somebody has set */
};

/* What has to be known to bring it back: the kernel takes the addresses with the move and sets the interface down. */
struct moved {
	char host_name[IFNAMSIZ], name[IFNAMSIZ]; /* on the host, in the container */
	unsigned index;				  /* on the host */
	bool was_up;
	struct address *addresses;
	size_t n_addresses;
};

/* One side: a network namespace and a socket in it, which keeps it there. */
struct side {
	int namespace_fd;
	struct netlink netlink;
};

struct net_devices {
	struct side host, container;
	bool is_own; /* the container's namespace was made for it: nobody else is in there */
	struct moved *list;
	size_t n;      /* of the list: those that were looked up */
	size_t n_left; /* of these: that have left the host, or tried to */
};

static void side_done(struct side *side)
{
	close_and_reset(&side->namespace_fd);
	netlink_done(&side->netlink);
}

void net_devices_free(struct net_devices *devices)
{
	if (!devices)
		return;
	for (size_t i = 0; i < devices->n; i++)
		free(devices->list[i].addresses);
	free(devices->list);
	side_done(&devices->host);
	side_done(&devices->container);
	free(devices);
}
DEFINE_CLEANUP(struct net_devices *, net_devices_free);

/* Also by one of its other names (ip link property). */
static unsigned index_of(const struct side *side, const char *name)
{
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	return ioctl(side->netlink.fd, SIOCGIFINDEX, &request) < 0 ? 0 : (unsigned)request.ifr_ifindex;
}

static bool is_called(const struct side *side, unsigned index, const char *name)
{
	struct ifreq request = { .ifr_ifindex = (int)index };

	return ioctl(side->netlink.fd, SIOCGIFNAME, &request) >= 0 && strcmp(request.ifr_name, name) == 0;
}

static bool is_up(const struct side *side, const char *name)
{
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	return ioctl(side->netlink.fd, SIOCGIFFLAGS, &request) >= 0 && request.ifr_flags & IFF_UP;
}

/* ---- addresses ---- */

static void take_attribute(struct address *address, const struct rtattr *attribute)
{
	const unsigned char *data = RTA_DATA(attribute);
	size_t size = RTA_PAYLOAD(attribute);

	switch (attribute->rta_type) {
	case IFA_LOCAL:
		address->has_local = size <= sizeof(address->local);
		memcpy(address->local, data, address->has_local ? size : 0);
		break;
	case IFA_ADDRESS:
		address->has_peer = size <= sizeof(address->peer);
		memcpy(address->peer, data, address->has_peer ? size : 0);
		break;
	case IFA_BROADCAST:
		address->has_broadcast = size <= sizeof(address->broadcast);
		memcpy(address->broadcast, data, address->has_broadcast ? size : 0);
		break;
	case IFA_FLAGS:
		memcpy(&address->flags, data, size == sizeof(address->flags) ? size : 0);
		break;
	default:
		break;
	}
}

/* Lasting ones of global scope: what the specification wants kept. The others come and go with the link. */
static int take_address(void *context, const struct nlmsghdr *answer)
{
	struct moved *moved = context;
	const struct ifaddrmsg *fixed = NLMSG_DATA(answer);
	const struct rtattr *attribute = IFA_RTA(fixed);
	size_t left = IFA_PAYLOAD(answer);
	struct address address = { .fixed = *fixed, .flags = fixed->ifa_flags };

	if (answer->nlmsg_type != RTM_NEWADDR || fixed->ifa_index != moved->index)
		return 0;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		take_attribute(&address, attribute);
	if (fixed->ifa_scope != RT_SCOPE_UNIVERSE || !(address.flags & IFA_F_PERMANENT))
		return 0;
	if (moved->n_addresses == ADDRESSES_MAX)
		return -EOVERFLOW;
	address.flags &= IFA_F_NODAD | IFA_F_NOPREFIXROUTE | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR;
	moved->addresses[moved->n_addresses++] = address;
	return 0;
}

/* A dump that others change while it is read comes with NLM_F_DUMP_INTR (netlink(7)), and is read again from its beginning. */
static int read_addresses(struct side *side, struct moved *moved)
{
	struct netlink_message message;
	int rc = -EAGAIN;

	moved->addresses = calloc(ADDRESSES_MAX, sizeof(*moved->addresses));
	if (!moved->addresses)
		return -ENOMEM;
	for (unsigned i = 0; rc == -EAGAIN && i < LIST_ATTEMPTS; i++) {
		moved->n_addresses = 0;
		netlink_begin(&message, RTM_GETADDR, 0, sizeof(struct ifaddrmsg));
		rc = netlink_list(&side->netlink, &message, take_address, moved);
	}
	return rc;
}

static int add_address(struct side *side, unsigned index, const struct address *address)
{
	size_t size = address->fixed.ifa_family == AF_INET ? 4 : 16;
	struct netlink_message message;
	struct ifaddrmsg *fixed =
		netlink_begin(&message, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifaddrmsg));

	*fixed = (struct ifaddrmsg){ .ifa_family = address->fixed.ifa_family,
				     .ifa_prefixlen = address->fixed.ifa_prefixlen,
				     .ifa_scope = address->fixed.ifa_scope,
				     .ifa_index = index };
	if (address->has_local)
		netlink_add(&message, IFA_LOCAL, address->local, size);
	if (address->has_peer)
		netlink_add(&message, IFA_ADDRESS, address->peer, size);
	if (address->has_broadcast)
		netlink_add(&message, IFA_BROADCAST, address->broadcast, size);
	netlink_add(&message, IFA_FLAGS, &address->flags, sizeof(address->flags));
	return netlink_order(&side->netlink, &message);
}

/* ---- one interface, from side to side ---- */

/* In one message, so that it never stands in the container under a name that is another's there. */
static int rename_and_move(struct side *from, unsigned index, int namespace_fd, const char *name)
{
	struct netlink_message message;
	struct ifinfomsg *fixed = netlink_begin(&message, RTM_NEWLINK, 0, sizeof(*fixed));

	fixed->ifi_index = (int)index;
	netlink_add(&message, IFLA_NET_NS_FD, &namespace_fd, sizeof(namespace_fd));
	netlink_add(&message, IFLA_IFNAME, name, strlen(name) + 1);
	return netlink_order(&from->netlink, &message);
}

static int bring_up(struct side *side, unsigned index)
{
	struct netlink_message message;
	struct ifinfomsg *fixed = netlink_begin(&message, RTM_NEWLINK, 0, sizeof(*fixed));

	fixed->ifi_index = (int)index;
	fixed->ifi_flags = fixed->ifi_change = IFF_UP;
	return netlink_order(&side->netlink, &message);
}

/* The kernel takes the addresses away with the move. Up first: an IPv6 address needs a link that is. */
static int settle(struct side *side, const struct moved *moved, const char *name, bool up)
{
	unsigned index = index_of(side, name);
	int rc = index ? 0 : -ENODEV;

	if (rc >= 0 && up)
		rc = bring_up(side, index);
	for (size_t i = 0; rc >= 0 && i < moved->n_addresses; i++)
		rc = add_address(side, index, &moved->addresses[i]);
	return rc;
}

/* Where it has left at all. The child is dead, or stands still: nobody but us changes anything there. */
static int give_back(struct net_devices *devices, const struct moved *moved)
{
	unsigned index = index_of(&devices->container, moved->name);
	int rc = -ENODEV;

	if (is_called(&devices->host, moved->index, moved->host_name))
		return 0;
	/* The kernel moves first and renames then. */
	if (!index)
		index = index_of(&devices->container, moved->host_name);
	if (index)
		rc = rename_and_move(&devices->container, index, devices->host.namespace_fd, moved->host_name);
	return rc < 0 ? rc : settle(&devices->host, moved, moved->host_name, moved->was_up);
}

/* In a namespace that others are in, what goes by its name may be theirs by now: nothing is brought to the host from there. */
static int try_to_give_back(struct net_devices *devices, const struct moved *moved)
{
	if (devices->is_own)
		return give_back(devices, moved);
	return is_called(&devices->host, moved->index, moved->host_name) ? 0 : -EPERM;
}

void net_devices_return(struct net_devices *devices)
{
	for (size_t i = devices ? devices->n_left : 0; i > 0; i--) {
		const struct moved *moved = &devices->list[i - 1];
		int rc = try_to_give_back(devices, moved);

		if (rc == -EPERM && !devices->is_own)
			log_warning("linux.netDevices[\"%s\"]: it stays, as %s, in the network namespace that the container was to "
				    "join, which others are in",
				    moved->host_name, moved->name);
		else if (rc < 0)
			log_warning("linux.netDevices[\"%s\"]: it could not be brought back to the host as it was: %s",
				    moved->host_name, strerrordesc_np(-rc));
	}
}

/* By one that is there, or is to come. */
static bool is_taken(const struct net_devices *devices, const char *name)
{
	for (size_t i = 0; i + 1 < devices->n; i++) {
		if (strcmp(devices->list[i].name, name) == 0)
			return true;
	}
	return index_of(&devices->container, name) != 0;
}

/* "eth%d": the first that is free, as the kernel would count. */
static int choose_name(const struct net_devices *devices, const char *asked, char name[static IFNAMSIZ])
{
	size_t length = strlen(asked);
	bool is_template = length >= strlen(TEMPLATE) && strcmp(asked + length - strlen(TEMPLATE), TEMPLATE) == 0;
	int stem = (int)(length - strlen(TEMPLATE));

	if (!is_template) {
		snprintf(name, IFNAMSIZ, "%s", asked);
		return is_taken(devices, name) ? -EEXIST : 0;
	}
	for (unsigned i = 0; i < TEMPLATE_MAX; i++) {
		if (snprintf(name, IFNAMSIZ, "%.*s%u", stem, asked, i) < IFNAMSIZ && !is_taken(devices, name))
			return 0;
	}
	return -EEXIST;
}

/* Without a change to anything, so that what is wrong with one keeps the others where they are. */
static int look_up(struct net_devices *devices, const struct plan_net_device *device, struct error *err)
{
	struct moved *moved = &devices->list[devices->n++];
	int rc;

	snprintf(moved->host_name, IFNAMSIZ, "%s", device->host_name);
	moved->index = index_of(&devices->host, device->host_name);
	moved->was_up = is_up(&devices->host, device->host_name);
	if (moved->index == 0)
		return error_system(err, ENODEV, "look it up on the host (ip link shows those that are there)");
	/* A policy lists names, and the kernel renames nothing but by the first one. */
	if (!is_called(&devices->host, moved->index, device->host_name))
		return error_invalid(
			err, "it is another name (altname) of an interface: give the one that ip link shows first");
	rc = choose_name(devices, device->name, moved->name);
	if (rc < 0)
		return error_system(err, -rc, "the container's network has one that is called %s; name: choose another",
				    device->name);
	rc = read_addresses(&devices->host, moved);
	return rc < 0 ? error_system(err, -rc, "read its addresses (%d at most)", ADDRESSES_MAX) : 0;
}

static int move_one(struct net_devices *devices, const struct moved *moved, struct error *err)
{
	int rc;

	devices->n_left++;
	rc = rename_and_move(&devices->host, moved->index, devices->container.namespace_fd, moved->name);
	if (rc < 0)
		return error_system(err, -rc, "move it to the container's network namespace, as %s", moved->name);
	rc = settle(&devices->container, moved, moved->name, /* up= */ true);
	return rc < 0 ? error_system(err, -rc, "set up %s in the container's network namespace", moved->name) : 0;
}

static int move_all(struct net_devices *devices, const struct plan *plan, struct error *err)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc >= 0 && i < plan->n_net_devices; i++)
		rc = look_up(devices, &plan->net_devices[i], err);
	if (rc >= 0)
		for (i = 0; rc >= 0 && i < devices->n; i++)
			rc = move_one(devices, &devices->list[i], err);
	return rc < 0 ? error_prefix(err, "linux.netDevices[\"%s\"]", plan->net_devices[i - 1].host_name) : 0;
}

/* ---- the two namespaces ---- */

static int open_host(struct side *side, struct error *err)
{
	int rc;

	side->namespace_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	rc = side->namespace_fd < 0 ? -errno : netlink_open(&side->netlink);
	return rc < 0 ? error_system(err, -rc, "open the host's network namespace") : 0;
}

/* A socket belongs to the namespace in which it is made. */
static int open_container(const struct side *host, pid_t pid, struct side *side, struct error *err)
{
	char path[40];
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	side->namespace_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (side->namespace_fd < 0)
		return error_system(err, errno, "open the container's network namespace");
	if (namespace_is_own(side->namespace_fd, CLONE_NEWNET))
		return error_set(err, ERROR_REFUSED, EPERM, "the container's network namespace is the host's own");
	if (setns(side->namespace_fd, CLONE_NEWNET) < 0)
		return error_system(err, errno, "enter the container's network namespace");
	rc = netlink_open(&side->netlink);
	if (setns(host->namespace_fd, CLONE_NEWNET) < 0)
		return error_system(err, errno, "return to the host's network namespace");
	return rc < 0 ? error_system(err, -rc, "open a socket in the container's network namespace") : 0;
}

/* Both descriptors of both sides begin as none: what was not opened is not closed. */
static struct net_devices *net_devices_new(size_t n)
{
	struct net_devices *devices = calloc(1, sizeof(*devices));
	struct moved *list = calloc(n, sizeof(*list));

	if (!devices || !list) {
		free(devices);
		free(list);
		return NULL;
	}
	devices->list = list;
	devices->host = devices->container = (struct side){ .namespace_fd = -EBADF, .netlink.fd = -EBADF };
	return devices;
}

int net_devices_move(const struct plan *plan, pid_t pid, struct net_devices **ret, struct error *err)
{
	AUTO(net_devices_free) struct net_devices *devices = NULL;
	int rc;

	*ret = NULL;
	if (plan->n_net_devices == 0)
		return 0;
	devices = net_devices_new(plan->n_net_devices);
	if (!devices)
		return error_memory(err);
	devices->is_own = plan->namespaces.create & CLONE_NEWNET;
	rc = open_host(&devices->host, err);
	if (rc >= 0)
		rc = open_container(&devices->host, pid, &devices->container, err);
	if (rc < 0)
		return error_prefix(err, "linux.netDevices");
	rc = move_all(devices, plan, err);
	if (rc < 0) {
		net_devices_return(devices);
		return rc;
	}
	*ret = steal_ptr(&devices);
	return 0;
}
