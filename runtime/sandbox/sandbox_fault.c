#include "sandbox/sandbox_fault.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "container/store.h"
#include "policy/policy.h"

/* One that the request did not name. */
static bool is_of_site_policy(const struct brig *brig, const struct error *err)
{
	struct error failure = { 0 };
	struct policy policy;

	if (brig->policy)
		return false;
	if (policy_load(NULL, &policy, &failure) >= 0) {
		policy_done(&policy);
		return false;
	}
	return strstr(err->message, failure.message);
}

static bool is_of_state_directory(const struct brig *brig, const struct error *err)
{
	struct error failure = { 0 };
	int fd = store_open_root(brig, /* make= */ false, &failure);

	if (fd >= 0) {
		close(fd);
		return false;
	}
	return strstr(err->message, failure.message);
}

void sandbox_fault_judge(const struct brig *brig, struct error *err)
{
	switch (err->kind) {
	case ERROR_INVALID:
	case ERROR_NOT_FOUND:
	case ERROR_EXISTS:
	case ERROR_REFUSED:
		if (is_of_site_policy(brig, err) || is_of_state_directory(brig, err))
			err->kind = ERROR_SYSTEM;
		break;
	case ERROR_NONE:
	case ERROR_INTERNAL:
	case ERROR_SYSTEM:
	case ERROR_USAGE:
	case ERROR_NOT_RUNNING:
	case ERROR_STATE:
	case ERROR_UNSUPPORTED:
	case ERROR_TIMEOUT:
	case ERROR_PROGRAM:
		break;
	}
}
