/* The characters of a TOML document: white space, keys and values, with the line for messages. Internal to toml. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "shim/service/toml.h"

struct toml_scan {
	const char *at, *end;
	unsigned line; /* from 1 */
	struct arena *arena;
	struct error *err;
};

enum toml_value_kind { TOML_VALUE_STRING, TOML_VALUE_INTEGER, TOML_VALUE_BOOL, TOML_VALUE_ARRAY };

struct toml_value {
	enum toml_value_kind kind;
	const char *string;
	int64_t integer;
	bool is_true;
	const char **strings;
	size_t n_strings;
};

/* Sets the error with the line before the message; returns -EINVAL. */
int toml_scan_error(struct toml_scan *scan, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A character that TOML allows nowhere but as the end of a line; a tab is none. */
bool toml_scan_is_control(char letter);
/* The next character, or 0 at the end: the text itself has none. */
char toml_scan_peek(const struct toml_scan *scan);
/* Takes letter if it is next. */
bool toml_scan_take(struct toml_scan *scan, char letter);
/* Spaces and tabs. */
void toml_scan_blanks(struct toml_scan *scan);
/* Blanks, comments and ends of lines. */
int toml_scan_lines(struct toml_scan *scan);
/* Nothing but a comment may be left on this line; takes its end. */
int toml_scan_end_of_line(struct toml_scan *scan);
/* Appends one dotted key to key (TOML_KEY_MAX + 1 bytes, terminated), after a '.' where it has something. */
int toml_scan_key(struct toml_scan *scan, char *key);
/* "x" or 'x'; ret points into arena. These two return 0; or -EINVAL, -ENOMEM with scan->err set, the line before the message. */
int toml_scan_string(struct toml_scan *scan, const char **ret);
/* A string, a whole number of 64 bits, true, false, or an array of strings, which may go over several lines; ret points into arena. What
 * TOML has beside these is refused by name: whoever writes a date has to hear that dates are the matter. Source: toml.io/en/v1.0.0 */
int toml_scan_value(struct toml_scan *scan, struct toml_value *ret);
