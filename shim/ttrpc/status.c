#include "shim/ttrpc/status.h"

#include <errno.h>

enum status_code status_from_error(const struct error *err)
{
	/* A message over one of our caps, whoever found it. */
	if (err->code == EMSGSIZE || err->code == ENOMEM || err->code == EFBIG)
		return STATUS_RESOURCE_EXHAUSTED;

	switch (err->kind) {
	case ERROR_NONE:
		return STATUS_OK;
	case ERROR_INTERNAL:
		return STATUS_INTERNAL;
	case ERROR_SYSTEM:
	case ERROR_PROGRAM:
		return STATUS_UNKNOWN;
	case ERROR_USAGE:
	case ERROR_INVALID:
		return STATUS_INVALID_ARGUMENT;
	case ERROR_NOT_FOUND:
	/* Who kills what has ended already wants to hear that it is gone. */
	case ERROR_NOT_RUNNING:
		return STATUS_NOT_FOUND;
	case ERROR_EXISTS:
		return STATUS_ALREADY_EXISTS;
	case ERROR_STATE:
		return STATUS_FAILED_PRECONDITION;
	case ERROR_REFUSED:
		return STATUS_PERMISSION_DENIED;
	case ERROR_UNSUPPORTED:
		return STATUS_UNIMPLEMENTED;
	case ERROR_TIMEOUT:
		return STATUS_DEADLINE_EXCEEDED;
	}
	return STATUS_UNKNOWN;
}
