#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static int set(struct error *err, enum error_kind kind, int code,
						     const char *format, va_list args)
{
	if (err) {
		err->kind = kind;
		err->code = code;
		vsnprintf(err->message, sizeof(err->message), format, args);
	}
	return -code;
}

int error_set(struct error *err, enum error_kind kind, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(err, kind, code, format, args);
	va_end(args);
	return -code;
}

__attribute__((format(printf, 4, 0))) static int set_failed(struct error *err, enum error_kind kind, int errnum,
							    const char *format, va_list args)
{
	size_t used;

	set(err, kind, errnum, format, args);
	if (!err)
		return -errnum;
	used = strlen(err->message);
	snprintf(err->message + used, sizeof(err->message) - used, ": %s", strerrordesc_np(errnum) ?: "unknown error");
	return -errnum;
}

int error_system(struct error *err, int errnum, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_failed(err, ERROR_SYSTEM, errnum, format, args);
	va_end(args);
	return -errnum;
}

enum error_kind error_kind_of_name(int errnum)
{
	switch (errnum) {
	case ENOENT:
		return ERROR_NOT_FOUND;
	case EACCES:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case ENODEV:
	case ENOTDIR:
	case ENXIO:
	case EPERM:
	case EROFS:
		return ERROR_INVALID;
	}
	return ERROR_SYSTEM;
}

int error_named(struct error *err, int errnum, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_failed(err, error_kind_of_name(errnum), errnum, format, args);
	va_end(args);
	return -errnum;
}

int error_invalid(struct error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(err, ERROR_INVALID, EINVAL, format, args);
	va_end(args);
	return -EINVAL;
}

int error_memory(struct error *err)
{
	return error_set(err, ERROR_INTERNAL, ENOMEM, "out of memory");
}

int error_prefix(struct error *err, const char *format, ...)
{
	char tail[sizeof(err->message)];
	va_list args;
	size_t used;

	if (!err)
		return -EIO;
	memcpy(tail, err->message, sizeof(tail));
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	used = strlen(err->message);
	/* The innermost cause is what a user needs: where both don't fit, the end of the text is lost. */
	snprintf(err->message + used, sizeof(err->message) - used, ": %.*s", (int)sizeof(tail) - 1, tail);
	return -err->code;
}
