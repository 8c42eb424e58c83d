/* Programs of the host's that a request names beside config.json: binary loggers. */
#pragma once

#include "container/brig.h"

/* The rule hook, of a program that the shim is asked to run as itself: argv[0], its path, has to be one of the policy's loggers, and the
 * arguments, which are the request's as well, what that one may have. Ends with NULL. No annotation counts, since the request may come before config.json is read. Returns 0; or a negative errno with err set: -EPERM (ERROR_REFUSED) at the
 * levels enforce and adjust, what policy_load says, -ENOMEM. */
int host_program_check(const struct brig *brig, char *const *argv, struct error *err);
