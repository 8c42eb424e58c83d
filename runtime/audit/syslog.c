#include "audit/syslog.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/datagram.h"
#include "base/timestamp.h"

#define FACILITY_AUTHPRIV 10
#define SEVERITY_WARNING 4
#define SEVERITY_INFO 6

/* "<86>Jan  2 03:04:05 brig[123]: ". In UTC: the zone's file is none of our business, and the line has its own time; readers of
 * the socket put theirs in its place by default. */
static void format_head(enum audit_event event, char *text, size_t size)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int severity = event == AUDIT_REFUSAL || event == AUDIT_POLICY ? SEVERITY_WARNING : SEVERITY_INFO;
	char time[TIMESTAMP_MAX];
	unsigned month, day;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	timestamp_format(&now, time);
	if (sscanf(time, "%*4u-%2u-%2uT", &month, &day) != 2 || month < 1 || month > 12)
		month = day = 1;
	snprintf(text, size, "<%d>%.3s %2u %.8s brig[%d]: ", FACILITY_AUTHPRIV * 8 + severity,
		 months + (size_t)(month - 1) * 3, day, time + 11, (int)getpid());
}

int syslog_send(const char *socket_path, enum audit_event event, const struct buffer *line)
{
	char text[SYSLOG_LINE_MAX];
	int n;

	/* Out of memory there is none, and a length of -1 would be no bound. */
	if (line->length == 0)
		return 0;
	format_head(event, text, sizeof(text));
	/* The newline is the file's. */
	n = (int)strlen(text);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "%.*s", (int)line->length - 1, line->data);
	return datagram_send(socket_path, text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1);
}
