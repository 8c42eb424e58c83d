/* What the socket serves: the services' names and methods. Internal to the service. */
#pragma once

#include <stddef.h>

#include "shim/ttrpc/server.h"

/* Their context is the struct service. */
const struct server_method *methods_list(size_t *ret_n);
