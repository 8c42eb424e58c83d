/* The handler's options as a Create brings them: one shim has one set. Internal to the service. */
#pragma once

#include "base/error.h"
#include "shim/proto/common.pb-c.h"

struct service;

/* any: NULL for none, which agrees with whatever holds. Of the first Create it makes service->tasks; of a later one it has to say the
 * same (ERROR_STATE). Returns 0, or a negative errno with err set, which names the key where one is wrong; nothing has changed then. */
int task_options_take(struct service *service, const Wire__Any *any, struct error *err);
