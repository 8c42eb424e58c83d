/* The values of a TOML document. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "shim/service/toml_scan.h"

#define CODE_POINT_MAX 0x10ffffu

/* Either case, and no locale's idea of a digit. */
static int hex_digit(char letter)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = letter ? strchr(digits, letter >= 'A' && letter <= 'F' ? letter + ('a' - 'A') : letter)
				   : NULL;

	return found ? (int)(found - digits) : -1;
}

/* The digits after \u and \U; surrogates and NUL are no characters of a C string in UTF-8. */
static int scan_code_point(struct toml_scan *scan, unsigned n_digits, uint32_t *ret)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < n_digits; i++, scan->at++) {
		int digit = hex_digit(toml_scan_peek(scan));

		if (digit < 0)
			return toml_scan_error(scan, "expected %u hexadecimal digits after \\%c", n_digits,
					       n_digits == 4 ? 'u' : 'U');
		value = value << 4 | (uint32_t)digit;
	}
	if (value == 0 || value > CODE_POINT_MAX || (value >= 0xd800 && value <= 0xdfff))
		return toml_scan_error(scan, "\\u%04" PRIX32 " is no character that a string may have", value);
	*ret = value;
	return 0;
}

/* RFC 3629: the point was checked. Returns the bytes that it takes, four at most. */
static size_t put_utf8(uint32_t point, char *out)
{
	static const uint32_t limits[] = { 0x80, 0x800, 0x10000, CODE_POINT_MAX + 1 };
	static const uint8_t marks[] = { 0, 0xc0, 0xe0, 0xf0 };
	size_t extra = 0;

	while (point >= limits[extra])
		extra++;
	for (size_t i = extra; i > 0; i--) {
		out[i] = (char)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	out[0] = (char)(marks[extra] | point);
	return extra + 1;
}

/* After the backslash. Appends to out, which has room for four bytes. */
static int scan_escape(struct toml_scan *scan, char *out, size_t *used)
{
	static const char letters[] = "btnfr\"\\", meanings[] = "\b\t\n\f\r\"\\";
	char letter = toml_scan_peek(scan);
	const char *found = letter ? strchr(letters, letter) : NULL;
	uint32_t point = 0;
	int r;

	if (letter)
		scan->at++;
	if (found) {
		out[(*used)++] = meanings[found - letters];
		return 0;
	}
	if (letter != 'u' && letter != 'U')
		return toml_scan_error(scan, "an escape that TOML does not have; for a backslash itself write \\\\");
	r = scan_code_point(scan, letter == 'u' ? 4 : 8, &point);
	if (r < 0)
		return r;
	*used += put_utf8(point, out + *used);
	return 0;
}

int toml_scan_string(struct toml_scan *scan, const char **ret)
{
	/* One escape more than the bound fits before that is looked at. */
	char text[TOML_STRING_MAX + 4];
	const char quote = *scan->at++;
	size_t used = 0;
	int r;

	if (scan->end - scan->at >= 2 && scan->at[0] == quote && scan->at[1] == quote)
		return toml_scan_error(scan, "a string of several lines is not supported; write \"...\\n...\"");
	while (!toml_scan_take(scan, quote)) {
		char letter = toml_scan_peek(scan);

		if (scan->at == scan->end || toml_scan_is_control(letter))
			return toml_scan_error(scan,
					       "a string that does not end on its line, or a control character in it");
		scan->at++;
		if (letter == '\\' && quote == '"') {
			r = scan_escape(scan, text, &used);
			if (r < 0)
				return r;
		} else {
			text[used++] = letter;
		}
		if (used > TOML_STRING_MAX)
			return toml_scan_error(scan, "a string of more than %u bytes", TOML_STRING_MAX);
	}
	*ret = arena_strndup(scan->arena, text, used);
	return *ret ? 0 : error_memory(scan->err);
}

/* Up to what can follow a value. */
static size_t word_length(const struct toml_scan *scan)
{
	size_t n = 0;

	while (scan->at + n < scan->end && scan->at[n] && !strchr(" \t\r\n,#]}", scan->at[n]))
		n++;
	return n;
}

/* Moves *word behind the prefix. */
static unsigned base_of(const char **word)
{
	unsigned base = 10;

	if ((*word)[0] == '0' && (*word)[1] == 'x')
		base = 16;
	else if ((*word)[0] == '0' && (*word)[1] == 'o')
		base = 8;
	else if ((*word)[0] == '0' && (*word)[1] == 'b')
		base = 2;
	if (base != 10)
		*word += 2;
	return base;
}

/* Digits with single underscores between them; at most INT64_MAX, or one more where is_negative. */
static bool read_digits(const char *word, unsigned base, bool is_negative, uint64_t *ret)
{
	const uint64_t most = (uint64_t)INT64_MAX + (is_negative ? 1 : 0);
	uint64_t value = 0;

	if (base == 10 && word[0] == '0' && word[1])
		return false;
	for (bool after_digit = false;; word++) {
		int digit = hex_digit(*word);

		if (*word == '_' && after_digit) {
			after_digit = false;
			continue;
		}
		if (!*word && after_digit)
			break;
		if (digit < 0 || (unsigned)digit >= base || value > (most - (unsigned)digit) / base)
			return false;
		value = value * base + (unsigned)digit;
		after_digit = true;
	}
	*ret = value;
	return true;
}

/* A sign goes with decimal numbers alone, as in TOML. */
static bool read_integer(const char *word, int64_t *ret)
{
	bool is_negative = *word == '-', is_signed = is_negative || *word == '+';
	uint64_t value;
	unsigned base;

	word += is_signed ? 1 : 0;
	base = base_of(&word);
	if ((base != 10 && is_signed) || !read_digits(word, base, is_negative, &value))
		return false;
	*ret = is_negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

/* true, false or a number: what is none of them was meant to be a string, mostly. */
static int scan_word(struct toml_scan *scan, struct toml_value *ret)
{
	size_t length = word_length(scan);
	/* A longer one stays empty, which is no value either. */
	char word[80] = "";

	if (length == 0)
		return toml_scan_error(scan,
				       "expected a value: \"text\", 'text', a whole number, true, false or [ ... ]");
	if (length < sizeof(word))
		memcpy(word, scan->at, length);
	scan->at += length;
	if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
		*ret = (struct toml_value){ .kind = TOML_VALUE_BOOL, .is_true = word[0] == 't' };
		return 0;
	}
	ret->kind = TOML_VALUE_INTEGER;
	if (!read_integer(word, &ret->integer))
		return toml_scan_error(scan,
				       "\"%s\" is no value that is supported here; write \"text\", 'text', a whole number of "
				       "64 bits, true or false",
				       word);
	return 0;
}

/* Over several lines, with comments, and a comma behind the last one: as TOML has it. */
static int scan_array(struct toml_scan *scan, struct toml_value *ret)
{
	const char **strings = arena_array_of(scan->arena, TOML_ELEMENTS_MAX, const char *);
	size_t n = 0;
	int r;

	if (!strings)
		return error_memory(scan->err);
	scan->at++;
	for (;;) {
		r = toml_scan_lines(scan);
		if (r < 0)
			return r;
		if (toml_scan_take(scan, ']'))
			break;
		if (toml_scan_peek(scan) != '"' && toml_scan_peek(scan) != '\'')
			return toml_scan_error(scan, "expected a string or ']': arrays have strings only");
		if (n == TOML_ELEMENTS_MAX)
			return toml_scan_error(scan, "an array of more than %u strings", TOML_ELEMENTS_MAX);
		r = toml_scan_string(scan, &strings[n++]);
		if (r < 0 || (r = toml_scan_lines(scan)) < 0)
			return r;
		if (!toml_scan_take(scan, ',') && toml_scan_peek(scan) != ']')
			return toml_scan_error(scan, "expected ',' or ']' after a string of an array");
	}
	*ret = (struct toml_value){ .kind = TOML_VALUE_ARRAY, .strings = strings, .n_strings = n };
	return 0;
}

int toml_scan_value(struct toml_scan *scan, struct toml_value *ret)
{
	switch (toml_scan_peek(scan)) {
	case '"':
	case '\'':
		ret->kind = TOML_VALUE_STRING;
		return toml_scan_string(scan, &ret->string);
	case '[':
		return scan_array(scan, ret);
	case '{':
		return toml_scan_error(scan,
				       "an inline table { ... } is not supported; write [table] or table.key = value");
	default:
		return scan_word(scan, ret);
	}
}
