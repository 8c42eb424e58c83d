/* brig-systemd: asks systemd for one thing, as a packet on stdin says (base/unit_request.h), and answers there. After a scope was
 * started it stays in it until brig closes the socket: a scope without a process would go at once. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/systemd/bus.h"
#include "cmd/systemd/place.h"

/* The place is read in our own /proc/self/cgroup, where systemd has put us: so it is what is, and not what was asked for. */
static int serve(char *text, char place[static PLACE_MAX], struct error *err)
{
	struct request request;
	int rc = request_parse(text, &request, err);

	place[0] = '\0';
	if (rc == 0)
		rc = bus_carry_out(&request, err);
	return rc == 0 && request.verb == REQUEST_START ? place_read(place, err) : rc;
}

int main(void)
{
	static char text[UNIT_REQUEST_MAX + 1];
	char answer[UNIT_REQUEST_ANSWER_MAX], place[PLACE_MAX];
	struct error err = { 0 };
	ssize_t n = recv(STDIN_FILENO, text, sizeof(text) - 1, 0);
	int length;

	if (n <= 0) {
		fprintf(stderr, "brig-systemd: brig executes this, with a socket as its stdin: %s\n",
			n < 0 ? strerrordesc_np(errno) : "nothing was sent");
		return 1;
	}
	text[n] = '\0';
	if (serve(text, place, &err) < 0)
		length = snprintf(answer, sizeof(answer), "error %d %s", err.code, err.message);
	else
		length = snprintf(answer, sizeof(answer), "ok %s", place);
	if (send(STDIN_FILENO, answer, (size_t)length, MSG_NOSIGNAL) < 0)
		return 1;
	/* Until the other end is closed. */
	while ((n = recv(STDIN_FILENO, text, sizeof(text), 0)) != 0) {
		if (n < 0 && errno != EINTR)
			return 1;
	}
	return 0;
}
