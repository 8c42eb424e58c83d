/* The text of one option's value into what its type says. Pure. */
#pragma once

#include "base/arena.h"
#include "cmd/brig/command.h"

/* Does the option stand alone, so that a value comes with "=" only? */
bool option_value_is_flag(const struct command_option *option);
/* Stores text at values + option->offset. text NULL: a flag without value. Lists grow in arena.
 * Returns 0 or a negative errno with err set: "option --preserve-fds: ..., found ...". */
int option_value_set(const struct command_option *option, const char *text, struct arena *arena, void *values,
		     struct error *err);

/* "5s", "1m30s", "250ms", "1.5h", "0" as Go's time.ParseDuration, not negative, to milliseconds (rounded down). */
int option_value_duration(const char *text, uint64_t *ret_ms);
/* "-1", "4096", "512m", "1.5" is refused; k m g t (or kb, kib ...) are powers of 1024. Bytes. */
int option_value_size(const char *text, int64_t *ret);
/* The index of text in "a|b|c", or -1. */
int option_value_choice(const char *choices, const char *text);
