#include "proxy/outcome.h"

#include <ctype.h>
#include <string.h>

#define RESPONSE(status, text)                                                                                         \
	"HTTP/1.1 " status "\r\nContent-Type: text/plain\r\nConnection: close\r\nProxy-Agent: brig\r\n\r\nbrig: " text \
	"\n"

struct text {
	const char *name, *response;
};

static const struct text texts[OUTCOME_N] = {
	[OUTCOME_DONE] = { "done", NULL },
	[OUTCOME_ENDED] = { "ended", NULL },
	[OUTCOME_IDLE] = { "idle", NULL },
	[OUTCOME_MALFORMED] = { "malformed", RESPONSE("400 Bad Request", "this is no request of a proxy's client") },
	[OUTCOME_TOO_LARGE] = { "too-large",
				RESPONSE("431 Request Header Fields Too Large", "the request's head is too long") },
	[OUTCOME_NO_LENGTH] = { "no-length", RESPONSE("411 Length Required", "a body takes a Content-Length") },
	[OUTCOME_SLOW] = { "slow", RESPONSE("408 Request Timeout", "the request did not come in time") },
	[OUTCOME_NOT_LISTED] = { "not-listed",
				 RESPONSE("403 Forbidden", "this name and port are not in the egress list") },
	[OUTCOME_NOT_PUBLIC] = { "not-public",
				 RESPONSE("403 Forbidden", "the name leads to an address that is not everybody's") },
	[OUTCOME_SITE] = { "site", RESPONSE("403 Forbidden", "the site's egress list has not the name's address") },
	[OUTCOME_NO_ADDRESS] = { "no-address", RESPONSE("502 Bad Gateway", "the name has no address") },
	[OUTCOME_UNREACHABLE] = { "unreachable", RESPONSE("502 Bad Gateway", "the server can't be reached") },
	[OUTCOME_SERVER_NAME] = { "server-name", NULL },
	[OUTCOME_GONE] = { "gone", NULL },
	[OUTCOME_TOO_MANY] = { "too-many", NULL },
};

const char *outcome_name(enum outcome outcome)
{
	return outcome < OUTCOME_N ? texts[outcome].name : "unknown";
}

const char *outcome_response(enum outcome outcome)
{
	return outcome < OUTCOME_N ? texts[outcome].response : NULL;
}

bool outcome_report_is_good(const struct outcome_report *report)
{
	char name[ALLOW_LIST_NAME_MAX + 1];
	size_t length = strnlen(report->host, sizeof(report->host));

	if (report->outcome >= OUTCOME_N || report->is_connect > 1 || report->was_allowed > 1 ||
	    length == sizeof(report->host))
		return false;
	return length == 0 || (allow_list_normalise(report->host, length, name) == 0 && strcmp(name, report->host) == 0);
}
