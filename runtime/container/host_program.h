/* Programs of the host's that a request names beside config.json: binary loggers. */
#pragma once

#include "container/brig.h"

/* The rule hook, of a program that the shim is asked to run as itself. argv, which ends with NULL, is the request's: argv[0], the path, has to be
 * one of the policy's loggers, and the arguments what that one may have. No annotation counts, since the request may come before config.json
 * is read. Returns 0; or a negative errno with err set: -EPERM (ERROR_REFUSED) at the levels enforce and adjust, what policy_load says,
 * -ENOMEM. */
int host_program_check(const struct brig *brig, char *const *argv, struct error *err);
