#include "cmd/systemd/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define TIMEOUT_MAX_MS 600000

/* The next line without its newline; NULL at the end, and for one that is not ended. */
static char *next_line(char **rest)
{
	char *line = *rest, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return line;
}

/* What follows "KEY " in the next line; NULL where it is another line. */
static char *take(char **rest, const char *key)
{
	size_t length = strlen(key);
	char *line = *rest;

	if (strncmp(line, key, length) != 0 || line[length] != ' ')
		return NULL;
	line = next_line(rest);
	return line ? line + length + 1 : NULL;
}

static int parse_verb(char **rest, struct request *request, struct error *err)
{
	static const char *const verbs[] = { [REQUEST_START] = "start", [REQUEST_SET] = "set", [REQUEST_STOP] = "stop" };
	const char *line = next_line(rest);

	for (size_t i = 0; line && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(line, verbs[i]) == 0) {
			request->verb = (enum request_verb)i;
			return 0;
		}
	}
	return error_invalid(err, "the request begins with \"%.32s\", which is not start, set or stop", line ?: "");
}

static int parse_head(char **rest, struct request *request, struct error *err)
{
	const char *bus = take(rest, "bus"), *timeout = bus ? take(rest, "timeout") : NULL;
	unsigned long ms = timeout ? strtoul(timeout, NULL, 10) : 0;

	if (!bus || (strcmp(bus, "system") != 0 && strcmp(bus, "user") != 0))
		return error_invalid(err, "the request lacks the line: bus system or user");
	if (ms == 0 || ms > TIMEOUT_MAX_MS)
		return error_invalid(err, "the request lacks the line: timeout, of 1 to %d milliseconds", TIMEOUT_MAX_MS);
	request->user = strcmp(bus, "user") == 0;
	request->timeout_us = ms * 1000;
	request->unit = take(rest, "unit");
	if (!request->unit || strlen(request->unit) > UNIT_REQUEST_NAME_MAX)
		return error_invalid(err, "the request lacks the line: unit");
	if (request->verb != REQUEST_START)
		return 0;
	request->slice = take(rest, "slice");
	request->description = request->slice ? take(rest, "description") : NULL;
	return request->description ? 0 : error_invalid(err, "the request lacks the lines: slice, description");
}

static int parse_property(char *line, struct request_property *ret, struct error *err)
{
	const char *signature = strsep(&line, " "), *name = strsep(&line, " ");

	if (!name || !line)
		return error_invalid(err, "a property is not of the form: property SIGNATURE NAME VALUE");
	*ret = (struct request_property){ .signature = signature, .name = name, .value = line };
	return 0;
}

int request_parse(char *text, struct request *ret, struct error *err)
{
	struct request request = { 0 };
	char *rest = text, *line;
	int rc = parse_verb(&rest, &request, err);

	if (rc == 0)
		rc = parse_head(&rest, &request, err);
	while (rc == 0 && (line = take(&rest, "property"))) {
		if (request.n_properties == UNIT_REQUEST_LINES_MAX)
			return error_invalid(err, "the request has more than %d properties", UNIT_REQUEST_LINES_MAX);
		rc = parse_property(line, &request.properties[request.n_properties++], err);
	}
	if (rc == 0 && *rest)
		rc = error_invalid(err, "the request has a line that is no property: \"%.64s\"", rest);
	if (rc < 0)
		return rc;
	*ret = request;
	return 0;
}
