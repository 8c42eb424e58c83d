#include "sandbox/sandbox_id.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "container/store.h"

/* 48 random bits are enough: an id that is taken is an error of the creation, which makes the container's folder itself
 * (EEXIST), so two sandboxes are never mixed up. */
int sandbox_id_choose(const struct sandbox_request *request, char *ret, struct error *err)
{
	unsigned char bytes[6];
	size_t length = 0;

	if (request->name) {
		if (strlen(request->name) > SANDBOX_ID_MAX)
			return error_set(err, ERROR_USAGE, EINVAL,
					 "option --name: a sandbox's name has at most %d characters", SANDBOX_ID_MAX);
		strcpy(ret, request->name);
		return store_check_id(request->name, err);
	}
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return error_system(err, errno, "getrandom");
	length = (size_t)snprintf(ret, SANDBOX_ID_MAX + 1, "sandbox-");
	for (size_t i = 0; i < sizeof(bytes); i++)
		length += (size_t)snprintf(ret + length, SANDBOX_ID_MAX + 1 - length, "%02x", bytes[i]);
	return 0;
}
