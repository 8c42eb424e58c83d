/* What is set in a network namespace that the caller made and a container joins. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "plan/plan.h"

/* In the network namespace that we have entered for the container, never in the host's. low_ports: what plan->namespaces.low_ports
 * says, where that namespace is not the host's. */
int network_set_up(const struct plan *plan, bool low_ports, struct error *err);
