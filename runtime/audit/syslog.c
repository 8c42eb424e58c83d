#include "audit/syslog.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/timestamp.h"

#define ROOM_TIMEOUT_MS 50
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

static int send_message(int fd, const char *text, size_t length)
{
	struct pollfd polled = { .fd = fd, .events = POLLOUT };

	if (send(fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return 0;
	if (errno != EAGAIN || poll(&polled, 1, ROOM_TIMEOUT_MS) <= 0)
		return -errno;
	return send(fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int syslog_send(const char *socket_path, enum audit_event event, const struct buffer *line)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char text[SYSLOG_LINE_MAX];
	int n;

	if (fd < 0)
		return -errno;
	if (strlen(socket_path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, socket_path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	format_head(event, text, sizeof(text));
	/* The newline is the file's. */
	n = (int)strlen(text);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "%.*s", (int)line->length - 1, line->data);
	return send_message(fd, text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1);
}
