/* Properties of a request as arguments of systemd's methods. */
#pragma once

#include <systemd/sd-bus.h>

#include "cmd/systemd/request.h"

/* The properties and the auxiliary units of StartTransientUnit: the request's, and those that every scope of ours has. 0 or more, or
 * a negative errno: -EINVAL for a value that is not of its signature. */
int message_append_start(sd_bus_message *message, const struct request *request);
/* The properties of SetUnitProperties. */
int message_append_set(sd_bus_message *message, const struct request *request);
