/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#pragma once

#include <stddef.h>

/* How many bytes at the beginning of text are valid: length where all of it is. */
size_t utf8_valid_length(const char *text, size_t length);
/* The length (1 to 4) of the character at the beginning of text, or 0 where there is none. length: at least 1. */
size_t utf8_character(const char *text, size_t length);
