/* Command lines into plain structures, by a command's table. */
#pragma once

#include "base/arena.h"
#include "cmd/brig/command.h"

#define OPTIONS_HELP 1 /* --help or -h was there: nothing else matters */

/* Parses the NULL-terminated args (without the command's own name) into values, an options structure of the command that
 * this fills with the defaults first. Accepted: `--opt v`, `--opt=v`, `-o v`, `-ov`, `-o=v`, `-abc` for flags, `-opt v`
 * (Go's flag package), `--` before arguments. Strings point into args; lists live in arena.
 * Returns 0, OPTIONS_HELP, or a negative errno with err set (ERROR_USAGE; it names the command's --help). */
int options_parse(const struct command *command, const char *const *args, struct arena *arena, void *values,
		  struct error *err);
/* One warning for each option in values that is accepted without effect. */
void options_warn_ineffective(const struct command *command, const void *values);
