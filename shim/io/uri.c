#include "shim/io/uri.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

static const struct {
	const char *prefix;
	enum uri_scheme scheme;
} schemes[] = {
	{ "fifo://", URI_FIFO },
	{ "file://", URI_FILE },
	{ "binary://", URI_BINARY },
	{ "ttrpc+unix://", URI_STREAM },
};

static int digit_value(char digit)
{
	return isdigit((unsigned char)digit) ? digit - '0' : tolower((unsigned char)digit) - 'a' + 10;
}

/* In place. A NUL would end the text early, and mean another file than the one that was checked. */
static bool decode(char *text, bool plus_is_space)
{
	char *to = text;

	for (const char *from = text; *from; from++, to++) {
		*to = plus_is_space && *from == '+' ? ' ' : *from;
		if (*from != '%')
			continue;
		if (!isxdigit((unsigned char)from[1]) || !isxdigit((unsigned char)from[2]))
			return false;
		*to = (char)(digit_value(from[1]) * 16 + digit_value(from[2]));
		if (*to == '\0')
			return false;
		from += 2;
	}
	*to = '\0';
	return true;
}

static int find_scheme(const char *text, const char *what, struct uri *uri, struct error *err)
{
	if (text[0] == '/') {
		uri->scheme = URI_FIFO;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		if (strncmp(text, schemes[i].prefix, strlen(schemes[i].prefix)) == 0) {
			uri->scheme = schemes[i].scheme;
			return (int)strlen(schemes[i].prefix);
		}
	}
	if (strstr(text, "://"))
		return error_invalid(err, "%s is %.200s: a scheme other than fifo, file, binary and ttrpc+unix", what,
				     text);
	return error_invalid(err, "%s is %.200s: the path has to be absolute", what, text);
}

int uri_parse(const char *text, const char *what, struct uri *ret, struct error *err)
{
	AUTO(uri_done) struct uri uri = { .scheme = URI_NONE };
	int skip;

	if (text[0] == '\0') {
		*ret = uri;
		return 0;
	}
	if (strlen(text) > URI_LENGTH_MAX)
		return error_invalid(err, "%s has a name of %zu bytes: at most %d are allowed", what, strlen(text),
				     URI_LENGTH_MAX);
	skip = find_scheme(text, what, &uri, err);
	if (skip < 0)
		return skip;
	uri.path = strdup(text + skip);
	if (!uri.path)
		return error_memory(err);
	if (skip > 0) {
		uri.query = strchr(uri.path, '?');
		if (uri.query)
			*uri.query++ = '\0';
		if (!decode(uri.path, /* plus_is_space= */ false))
			return error_invalid(err, "%s is %.200s: a malformed percent sign", what, text);
	}
	if (uri.path[0] != '/')
		return error_invalid(err, "%s is %.200s: the path has to be absolute, as in file:///PATH", what, text);
	if (strlen(uri.path) >= PATH_MAX)
		return error_invalid(err, "%s has a path of %zu bytes: at most %d are allowed", what, strlen(uri.path),
				     PATH_MAX - 1);
	*ret = uri;
	uri.path = NULL;
	return 0;
}

void uri_done(struct uri *uri)
{
	free(uri->path);
	*uri = (struct uri){ .scheme = URI_NONE };
}

bool uri_next_pair(char **query, char **ret_key, char **ret_value)
{
	char *pair, *value;

	do {
		pair = strsep(query, "&");
	} while (pair && *pair == '\0');
	if (!pair)
		return false;
	value = strchr(pair, '=');
	if (value)
		*value++ = '\0';
	else
		value = pair + strlen(pair);
	if (!decode(pair, /* plus_is_space= */ true) || !decode(value, /* plus_is_space= */ true)) {
		*query = pair;
		return false;
	}
	*ret_key = pair;
	*ret_value = value;
	return true;
}
