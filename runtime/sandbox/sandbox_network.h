/* The way out of a sandbox that has an egress list: a program that is no part of brig (pasta or slirp4netns) carries packets between a tap
 * device in the sandbox's network namespace and sockets of its own in the host's. It has no privilege on the host: its user is the
 * sandbox's root, which is nobody outside, and its capabilities are those of the sandbox's user namespace. Nothing comes in: no port
 * is forwarded, and the host's loopback can't be reached. Where the packets may go is the egress list's to say (docs/egress.md). */
#pragma once

#include <errno.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_folder.h"
#include "image/pace.h"

/* Answers as the host's own resolver does; dns=10.0.2.3 in the list lets it through. */
#define SANDBOX_NETWORK_RESOLVER "10.0.2.3"

struct sandbox_network {
	pid_t pid; /* of the program, a child of ours; -1: there is none */
	int pidfd, log_fd;
};

static inline struct sandbox_network sandbox_network_none(void)
{
	return (struct sandbox_network){ .pid = -1, .pidfd = -EBADF, .log_fd = -EBADF };
}

/* Starts it for the namespaces of the process pid, which does not run its program yet, and waits (10 s at most, and as long as pace lets
 * it) until packets go through. It ends when we do. ERROR_UNSUPPORTED: no such program is installed, or we aren't root: the message says what to do. */
int sandbox_network_start(pid_t pid, const struct pace *pace, struct sandbox_network *ret, struct error *err);
/* Ends it. As often as one likes. */
void sandbox_network_stop(struct sandbox_network *network);
/* What /etc/resolv.conf has to say for an egress list: the resolvers that it names (dns=). *ret, in arena, is NULL where it names none:
 * there is no way to one then. -EINVAL: no egress list. */
int sandbox_network_resolv_conf(const char *egress, struct arena *arena, const char **ret, struct error *err);
/* That as a file of the sandbox's own folder: its path, in arena; NULL where there is nothing to say. ERROR_USAGE: --rootfs has no place for it. */
int sandbox_network_write_resolv_conf(const struct sandbox_request *request, const struct sandbox_folder *folder,
				      struct arena *arena, const char **ret, struct error *err);
