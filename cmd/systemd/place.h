/* Where systemd has put us: the scope that was started has us as its first process. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/unit_request.h"

#define PLACE_MAX (UNIT_REQUEST_ANSWER_MAX - 8) /* "ok " before it */

/* As /proc/self/cgroup has it for the v2 tree: "0::/a.slice/x.scope" is /a.slice/x.scope. */
int place_read(char place[static PLACE_MAX], struct error *err);
/* Are we in the group of that unit? */
bool place_is_in(const char *unit);
