/* The table entries that several commands share: the id of a container, and where a bundle and its sockets are. */
#pragma once

#include "cmd/brig/command.h"

/* For commands whose only argument is the container. */
struct container_argument {
	const char *id;
};

#define CONTAINER_ARGUMENT(type, member)                                                   \
	{                                                                                  \
		POSITIONAL_CONTAINER, offsetof(type, member), "ID", "the container's name" \
	}

/* What create, run and restore have in common, for a type with members of these names. */
#define CONTAINER_OPTIONS(type)                                                                               \
	{ "bundle",                                                                                           \
	  'b',                                                                                                \
	  OPTION_STRING,                                                                                      \
	  0,                                                                                                  \
	  offsetof(type, bundle),                                                                             \
	  "DIR",                                                                                              \
	  NULL,                                                                                               \
	  "the bundle: a directory with config.json in it; default: the current directory" },                 \
		{ "console-socket",                                                                           \
		  0,                                                                                          \
		  OPTION_STRING,                                                                              \
		  0,                                                                                          \
		  offsetof(type, console_socket),                                                             \
		  "SOCKET",                                                                                   \
		  NULL,                                                                                       \
		  "a UNIX socket to send the terminal's descriptor to" },                                     \
		{ "pid-file",                                                                                 \
		  0,                                                                                          \
		  OPTION_STRING,                                                                              \
		  0,                                                                                          \
		  offsetof(type, pid_file),                                                                   \
		  "FILE",                                                                                     \
		  NULL,                                                                                       \
		  "write the process id of the container's program to FILE" },                                \
	{                                                                                                     \
		"no-pivot", 0, OPTION_FLAG, 0, offsetof(type, no_pivot), NULL, NULL,                          \
			"change the root without pivot_root(2), for a host that runs from a RAM disk; weaker" \
	}
