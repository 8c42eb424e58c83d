/* Network interfaces of the host's that become the container's (OCI config-linux.md, "Network Devices"). */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "plan/plan.h"

struct net_devices; /* what was moved, and how it was before */

/* Moves those of the plan to the network namespace of process pid, which stands still meanwhile: each keeps its lasting addresses of
 * global scope and is up. Takes CAP_NET_ADMIN over both namespaces and CAP_SYS_ADMIN. ret: NULL where the plan has none. On failure those
 * that were moved are back, as net_devices_return has it. Errors: ENODEV, EEXIST (there is one of that name), EPERM, whatever the kernel says. */
int net_devices_move(const struct plan *plan, pid_t pid, struct net_devices **ret, struct error *err);
/* Of a container that has come to nothing: back to the host, with their lasting addresses, and up where they were up. Routes are not
 * brought back, nor is anything from a namespace that the container was to join. What can't be done is a line in the log. */
void net_devices_return(struct net_devices *devices);
void net_devices_free(struct net_devices *devices);
