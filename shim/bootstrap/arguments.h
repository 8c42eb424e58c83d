/* The shim's command line, in the way of Go's flag package, since containerd calls every shim alike: `-name value`,
 * `-name=value`, one dash or two, flags first, then the action. Pure. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

enum arguments_action {
	ARGUMENTS_SERVE, /* no action: our own `start` calls it so */
	ARGUMENTS_START,
	ARGUMENTS_DELETE,
	ARGUMENTS_INFO,	    /* -info */
	ARGUMENTS_VERSION,  /* -v, -version */
	ARGUMENTS_FEATURES, /* CRI-O asks each runtime so */
};

struct arguments { /* strings of argv, or "" */
	enum arguments_action action;
	const char *namespace, *id;
	const char *address; /* of containerd's gRPC socket */
	const char *publish_binary, *bundle, *socket;
	bool debug;
};

#define ARGUMENTS_NAME_MAX 250u /* directories and control groups are named after it, with something before it */

/* argv: NULL-terminated, with the program's name. start, delete and serve need -id and -namespace, both of a form that is
 * safe in a path. Returns 0, or -EINVAL with err set (ERROR_USAGE); ret is untouched then. */
int arguments_parse(char *const *argv, struct arguments *ret, struct error *err);
/* Letters, digits, '.', '_' and '-', with a letter or digit first, at most ARGUMENTS_NAME_MAX bytes: what containerd allows
 * and a little more; never "..", never a '/'. */
bool arguments_is_name(const char *text);
