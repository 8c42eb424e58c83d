#include "shim/service/task_json.h"

#include <errno.h>
#include <string.h>

/* Neither parsed nor copied: how large it is and what it calls itself is all that is looked at here. */
int task_json_find(const Wire__Any *any, const struct task_json_kind *kind, struct message_bytes *ret, struct error *err)
{
	const char *type;

	if (!any)
		return error_invalid(err, "%s: none was given", kind->field);
	/* Whoever sends it may put any host, or none, before the name. */
	type = strrchr(any->type_url, '/');
	type = type ? type + 1 : any->type_url;
	if (strcmp(type, kind->type) != 0)
		return error_invalid(err,
				     "%s: of type \"%.200s\"; give types.containerd.io/opencontainers/runtime-spec/1/%s",
				     kind->field, any->type_url, kind->type);
	if (any->value.len == 0)
		return error_invalid(err, "%s: the document is empty; give a JSON object", kind->field);
	if (any->value.len > kind->max)
		return error_set(err, ERROR_INVALID, EMSGSIZE, "%s: %zu bytes, %zu are the most", kind->field,
				 any->value.len, kind->max);
	*ret = (struct message_bytes){ .data = any->value.data, .length = any->value.len };
	return 0;
}
