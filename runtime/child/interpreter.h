/* Why execve(2) says ENOENT of a file that is there: what it needs to be run is not. */
#pragma once

#include <stddef.h>

#define INTERPRETER_TEXT_MAX 480

/* Fills text with what is missing, for a message, and returns it. NULL: the file itself is not there. Reads no more than the kernel does of a
 * first line; what can't be read or shown goes without a name. */
const char *interpreter_missing(const char *program, char text[static INTERPRETER_TEXT_MAX]);
