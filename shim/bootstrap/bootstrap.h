/* What containerd says on stdin of `start`: BootstrapParams from 2.3 on, before that the handler's options as an Any, or
 * nothing. The two can't be told apart by their form alone (the fields of an Any are the first ones of BootstrapParams), so
 * the command line decides. Pure. Source: shim contract, "Bootstrap". */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "shim/bootstrap/arguments.h"
#include "shim/bootstrap/wire.h"

#define BOOTSTRAP_STDIN_MAX ((size_t)10 * 1024 * 1024) /* bytes */
#define BOOTSTRAP_EXTENSIONS_MAX 64u
#define BOOTSTRAP_VERSION_LEGACY 2u
#define BOOTSTRAP_VERSION 3u

enum bootstrap_form {
	BOOTSTRAP_LEGACY, /* containerd up to 2.2, CRI-O, and anything that makes no sense */
	BOOTSTRAP_PARAMS,
};

struct bootstrap_any {
	struct wire_bytes type_url, value; /* of the bytes that were decoded; without type_url: there is none */
};

struct bootstrap {
	enum bootstrap_form form;
	/* The options: the Any of a legacy caller, or the extension that carries them, for options_from_any. Of another type:
	 * none here; Create brings them again, and can refuse them. */
	struct bootstrap_any options;
	/* The rest for BOOTSTRAP_PARAMS only; "" where the caller left it out. */
	int log_level; /* -8 trace, -4 debug, 0 info, 4 warning, 8 error, more: fatal */
	const char *containerd_version, *ttrpc_address, *grpc_address, *containerd_binary, *socket_dir;
	struct bootstrap_any *extensions; /* the first BOOTSTRAP_EXTENSIONS_MAX */
	size_t n_extensions;
};

/* Decodes stdin, which has to outlive ret, for the call with these arguments. What does not parse, is over BOOTSTRAP_STDIN_MAX
 * or names another instance is a legacy caller without options: never an error, since a shim that fails here can't be talked
 * to at all. Returns 0, or -ENOMEM with err set. */
int bootstrap_decode(struct wire_bytes input, const struct arguments *arguments, struct arena *arena,
		     struct bootstrap *ret, struct error *err);
/* The Any on stdin of -info and of a legacy start. Without type_url where it is none. */
struct bootstrap_any bootstrap_any_decode(struct wire_bytes input);
/* The name of its type: what follows the last '/' of the URL, since Go may put a host before it. */
struct wire_bytes bootstrap_any_type(const struct bootstrap_any *any);
/* The version of the task service that the caller gets: 3 in the new form, else what the handler's options say (0 where
 * they say nothing), else 2, which every caller understands. */
unsigned bootstrap_version(const struct bootstrap *bootstrap, unsigned options_version);
