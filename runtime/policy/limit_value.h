/* The values of the limits that a supervisor holds, as annotations and the policy file have them. Pure. */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* "2h30m", "1.5s", or "90": seconds. In nanoseconds, from 1 to INT64_MAX. where: what has the value, for errors:
 * annotations["brig.dev/timeout"]. -EINVAL with err set. */
int limit_value_timeout(const char *where, const char *text, uint64_t *ret_ns, struct error *err);
/* "4096", "64k", "10m", "1g". In bytes, from 1 to INT64_MAX. Errors as above. */
int limit_value_bytes(const char *where, const char *text, uint64_t *ret_bytes, struct error *err);
