/* What a sandbox is called. */
#pragma once

#include "base/error.h"
#include "sandbox/sandbox.h"

/* --name, or a random one. ret: room for SANDBOX_ID_MAX + 1. ERROR_USAGE: the name is too long; ERROR_INVALID: it can be no container's. */
int sandbox_id_choose(const struct sandbox_request *request, char *ret, struct error *err);
