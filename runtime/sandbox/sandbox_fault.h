/* Whose fault it is that a sandbox failed: the request's, or brig's and its host's. A service that runs what others send has to tell the two
 * apart. */
#pragma once

#include "base/error.h"
#include "container/brig.h"

/* The kinds that are the request's (sandbox_verdict_fail) are given to what is wrong with the site's own policy and with the state directory
 * as well: such an error becomes ERROR_SYSTEM. Looks at both again; only for what has failed. */
void sandbox_fault_judge(const struct brig *brig, struct error *err);
