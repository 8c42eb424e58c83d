/* OCI objects that travel as JSON in a protobuf Any. Pure. Internal to the service. */
#pragma once

#include "base/error.h"
#include "shim/proto/common.pb-c.h"
#include "shim/ttrpc/message.h"

#define TASK_JSON_PROCESS_MAX \
	((size_t)2 * 1024 * 1024) /* the kernel takes no more of arguments and environment by default */
#define TASK_JSON_RESOURCES_MAX ((size_t)256 * 1024)

struct task_json_kind {
	const char *field; /* of the request, for messages: "spec" */
	const char *type;  /* after the URL's last '/': "Process" */
	size_t max;	   /* bytes */
};

/* ret points into any. -EINVAL where there is none, or one of another type; -EMSGSIZE above max. */
int task_json_find(const Wire__Any *any, const struct task_json_kind *kind, struct message_bytes *ret, struct error *err);
