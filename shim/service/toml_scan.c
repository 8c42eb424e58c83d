#include "shim/service/toml_scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A text of the document may be in it, of any length: the error is cut, and never the line's number. */
int toml_scan_error(struct toml_scan *scan, const char *format, ...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return error_invalid(scan->err, "line %u: %s", scan->line, message);
}

char toml_scan_peek(const struct toml_scan *scan)
{
	return scan->at < scan->end ? *scan->at : '\0';
}

bool toml_scan_take(struct toml_scan *scan, char letter)
{
	if (toml_scan_peek(scan) != letter || scan->at == scan->end)
		return false;
	scan->at++;
	return true;
}

void toml_scan_blanks(struct toml_scan *scan)
{
	while (toml_scan_peek(scan) == ' ' || toml_scan_peek(scan) == '\t')
		scan->at++;
}

bool toml_scan_is_control(char letter)
{
	return ((unsigned char)letter < 0x20 && letter != '\t') || letter == 0x7f;
}

/* A carriage return alone ends no line in TOML, and is a control character anywhere else. */
static bool at_line_end(const struct toml_scan *scan)
{
	return toml_scan_peek(scan) == '\n' ||
	       (toml_scan_peek(scan) == '\r' && scan->end - scan->at > 1 && scan->at[1] == '\n');
}

static int skip_comment(struct toml_scan *scan)
{
	toml_scan_blanks(scan);
	if (!toml_scan_take(scan, '#'))
		return 0;
	for (; scan->at < scan->end && !at_line_end(scan); scan->at++) {
		if (toml_scan_is_control(*scan->at))
			return toml_scan_error(scan, "a control character in a comment; remove it");
	}
	return 0;
}

static bool take_line_end(struct toml_scan *scan)
{
	if (!at_line_end(scan))
		return false;
	scan->at += *scan->at == '\r' ? 2 : 1;
	scan->line++;
	return true;
}

int toml_scan_lines(struct toml_scan *scan)
{
	do {
		int r = skip_comment(scan);

		if (r < 0)
			return r;
	} while (take_line_end(scan));
	return 0;
}

int toml_scan_end_of_line(struct toml_scan *scan)
{
	int r = skip_comment(scan);

	if (r < 0)
		return r;
	if (scan->at < scan->end && !take_line_end(scan))
		return toml_scan_error(scan, "expected the end of the line, found '%c'; one key = value a line",
				       toml_scan_is_control(*scan->at) ? '?' : *scan->at);
	return 0;
}

/* strchr(3) finds the NUL that ends its list: a NUL of the document, which was refused before, would pass for a letter. */
static size_t bare_key_length(const struct toml_scan *scan)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t n = 0;

	while (scan->at + n < scan->end && scan->at[n] && strchr(letters, scan->at[n]))
		n++;
	return n;
}

/* A quoted key may have any character: one that a table could not name is an unknown key anyway, but a dot in it must not
 * pass for the one between two parts. */
static int scan_key_part(struct toml_scan *scan, const char **ret, size_t *ret_length)
{
	if (toml_scan_peek(scan) == '"' || toml_scan_peek(scan) == '\'') {
		int r = toml_scan_string(scan, ret);

		if (r < 0)
			return r;
		*ret_length = strlen(*ret);
		if (*ret_length == 0 || strchr(*ret, '.'))
			return toml_scan_error(scan, "unknown key \"%.100s\": quoted, and empty or with a dot", *ret);
		return 0;
	}
	*ret = scan->at;
	*ret_length = bare_key_length(scan);
	scan->at += *ret_length;
	return *ret_length ? 0 : toml_scan_error(scan, "expected a key of letters, digits, '_' and '-'");
}

/* Of what a table's header gave: the bound is one for both together. */
static unsigned count_parts(const char *key)
{
	unsigned parts = *key ? 1 : 0;

	for (; *key; key++)
		parts += *key == '.';
	return parts;
}

int toml_scan_key(struct toml_scan *scan, char *key)
{
	size_t used = strlen(key);
	unsigned parts = count_parts(key);

	do {
		const char *part;
		size_t length;
		int r;

		toml_scan_blanks(scan);
		r = scan_key_part(scan, &part, &length);
		if (r < 0)
			return r;
		if (++parts > TOML_DEPTH_MAX)
			return toml_scan_error(scan, "a key of more than %u parts", TOML_DEPTH_MAX);
		if (used + (used ? 1 : 0) + length > TOML_KEY_MAX)
			return toml_scan_error(scan, "a key of more than %u bytes", TOML_KEY_MAX);
		if (used)
			key[used++] = '.';
		memcpy(key + used, part, length);
		used += length;
		key[used] = '\0';
		toml_scan_blanks(scan);
	} while (toml_scan_take(scan, '.'));
	return 0;
}
