/* The one error value of brig: set once where a failure is seen, prefixed on the way up, reported once at the edge. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

enum error_kind {
	ERROR_NONE = 0,
	ERROR_INTERNAL,	   /* a bug of ours, or memory ran out */
	ERROR_SYSTEM,	   /* the kernel refused something; code says what */
	ERROR_USAGE,	   /* the command line makes no sense */
	ERROR_INVALID,	   /* a document or argument is malformed */
	ERROR_NOT_FOUND,   /* no such container, process, file that the caller named */
	ERROR_EXISTS,	   /* the id is taken */
	ERROR_NOT_RUNNING, /* the container is there, its process is not */
	ERROR_STATE,	   /* the container is in a state that forbids the request */
	ERROR_REFUSED,	   /* the policy says no */
	ERROR_UNSUPPORTED, /* valid, but this host or this version can't do it */
	ERROR_TIMEOUT,	   /* a deadline passed */
	ERROR_PROGRAM,	   /* the container's own program can't be executed */
};

/* Without pointers and below PIPE_BUF, so that it crosses the child's socket in one piece. */
struct error {
	enum error_kind kind;
	int code; /* a positive errno */
	char message[1016];
};

/* Each setter fills err (NULL is allowed: the caller does not care) and returns the negative errno to hand on, so that
 * `return error_system(err, errno, "open %s", path);` is the whole idiom. */
int error_set(struct error *err, enum error_kind kind, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* A failed system call: kind ERROR_SYSTEM, the message ends in ": " and the text of errnum. */
int error_system(struct error *err, int errnum, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same for a file that the caller has named. Where the name is at fault, the kind says so: ERROR_NOT_FOUND, or ERROR_INVALID for what
 * is there and not to be had (EACCES, ENOTDIR, ELOOP and the like). ERROR_SYSTEM is left for what no other name would mend. */
int error_named(struct error *err, int errnum, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The kind that error_named() gives. */
enum error_kind error_kind_of_name(int errnum);
/* A malformed document or argument: ERROR_INVALID, -EINVAL. */
int error_invalid(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Out of memory: ERROR_INTERNAL, -ENOMEM. */
int error_memory(struct error *err);
/* Puts "what the caller was doing: " before the message. Returns -err->code (or -EIO where err is NULL). */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
