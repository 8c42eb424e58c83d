/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#pragma once

#include <stddef.h>

/* How many bytes at the beginning of text are valid: length where all of it is. */
size_t utf8_valid_length(const char *text, size_t length);
/* The length (1 to 4) of the character at the beginning of text, or 0 where there is none. length: at least 1. */
size_t utf8_character(const char *text, size_t length);
/* The number of the character at the beginning of text if it changes the order in which a terminal or an editor shows what is around it, or is
 * taken for the end of a line (UAX #9: marks, embeddings, overrides and isolates; U+2028, U+2029): somebody else's text could then read
 * as other than it is (CVE-2021-42574). Else 0. size: the character's length. */
unsigned utf8_misleading(const char *text, size_t size);
