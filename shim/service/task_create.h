/* Create, and what its event needs of the request. Internal to the service. */
#pragma once

#include "shim/proto/task.pb-c.h"
#include "shim/service/call.h"

/* An operation (struct call_operation): the answer comes once the runtime has made the container, or refused to. */
int task_create(struct service_call *call, const void *request, struct error *err);
/* The request that container id is being created for, or NULL: whoever asked may be gone by now. */
const Wire__CreateTaskRequest *task_create_request(const struct service *service, const char *id);
