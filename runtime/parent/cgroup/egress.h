/* Where a container may connect to, held by programs of the kernel's on its group in the v2 tree: plan_egress becomes code. Nothing is
 * pinned: programs and maps go with the group. docs/egress.md, docs/adr/0011-egress.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "parent/cgroup/cgroup.h"
#include "plan/plan.h"

/* Before a process is in the group. ERROR_UNSUPPORTED where this kernel or this host can't hold it. Nothing is attached then. */
int egress_install(struct cgroup *cgroup, const struct plan_egress *egress, struct error *err);
/* Detaches what an earlier container left on a group that is taken over. */
void egress_remove(int cgroup_fd);

/* Who said no. */
enum egress_hook {
	EGRESS_HOOK_CONNECT = 1,
	EGRESS_HOOK_SEND,   /* sendto(2) and sendmsg(2) with an address */
	EGRESS_HOOK_PACKET, /* on its way out */
	EGRESS_HOOK_SOCKET, /* socket(2): no address */
};

struct egress_denial {
	enum egress_hook hook;
	uint8_t family;	   /* AF_INET, AF_INET6 */
	uint32_t protocol; /* IPPROTO_* */
	uint16_t port;	   /* of a socket: SOCK_* */
	uint8_t address[16];
	uint64_t count;
	int64_t first_ns, last_ns; /* CLOCK_REALTIME */
};

struct egress_entry_count {
	uint64_t connections; /* TCP: attempts that left */
	uint64_t datagrams;   /* all else */
};

struct egress_report {
	struct egress_entry_count *entries; /* in the order of the list */
	size_t n_entries;
	uint64_t denied, others; /* all denials; those of them that are not in the list below */
	struct egress_denial *denials;
	size_t n_denials;
};

/* -ENOENT (ERROR_NOT_FOUND): no programs of ours are attached to the group. Memory: arena. */
int egress_read(struct cgroup *cgroup, struct arena *arena, struct egress_report *ret, struct error *err);
/* "connect tcp 192.0.2.1:443". Returns text. */
#define EGRESS_DENIAL_TEXT_MAX 96
const char *egress_denial_format(const struct egress_denial *denial, char text[static EGRESS_DENIAL_TEXT_MAX]);
