/* Lines to a syslog daemon: here, a socket of our own. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "audit/journal.h"
#include "audit/syslog.h"
#include "base/cleanup.h"
#include "tests/support/scratch.h"

static int listen_at(const struct scratch *scratch, char path[static 100])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(path, 100, "%.80s/log", scratch->path);
	strcpy(address.sun_path, path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static struct buffer line_of(const char *text)
{
	struct buffer line = { 0 };

	buffer_append_text(&line, text);
	return line;
}

Test(audit_syslog, one_message_as_syslog_has_it)
{
	SCRATCH(scratch);
	char path[100], text[1024] = "", wanted[64];
	AUTO_CLOSE int fd = listen_at(&scratch, path);
	struct buffer line = line_of("{\"event\":\"start\"}\n");

	cr_assert_eq(syslog_send(path, AUDIT_START, &line), 0);
	cr_assert_gt(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 0);
	cr_expect_eq(strncmp(text, "<86>", 4), 0, "authpriv.info: %s", text);
	snprintf(wanted, sizeof(wanted), " brig[%d]: {\"event\":\"start\"}", getpid());
	cr_assert_not_null(strstr(text, wanted), "%s", text);
	/* "<86>Mmm dd hh:mm:ss": 19 characters. */
	cr_expect_eq(strstr(text, wanted) - text, 19, "%s", text);
	cr_expect_str_eq(strstr(text, wanted), wanted, "no newline");
	cr_assert_eq(syslog_send(path, AUDIT_REFUSAL, &line), 0);
	cr_assert_gt(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 0);
	cr_expect_eq(strncmp(text, "<84>", 4), 0, "authpriv.warning: %s", text);
	buffer_done(&line);
}

/* As it is where memory ran out. */
Test(audit_syslog, of_an_empty_line_nothing_is_sent)
{
	SCRATCH(scratch);
	char path[100], text[1024] = "";
	AUTO_CLOSE int fd = listen_at(&scratch, path);
	struct buffer empty = { 0 };

	cr_expect_eq(syslog_send(path, AUDIT_START, &empty), 0);
	cr_expect_eq(journal_send(path, AUDIT_START, NULL, &empty), 0);
	cr_expect_eq(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), -1, "%s", text);
}

Test(audit_syslog, a_long_line_is_cut)
{
	SCRATCH(scratch);
	char path[100];
	AUTO_FREE char *text = calloc(1, 3 * SYSLOG_LINE_MAX);
	AUTO_CLOSE int fd = listen_at(&scratch, path);
	struct buffer line = { 0 };

	memset(text, 'x', 2 * SYSLOG_LINE_MAX);
	line = line_of(text);
	cr_assert_eq(syslog_send(path, AUDIT_START, &line), 0);
	cr_expect_eq(recv(fd, text, 3 * SYSLOG_LINE_MAX, MSG_DONTWAIT), SYSLOG_LINE_MAX - 1);
	buffer_done(&line);
}

Test(audit_syslog, a_reader_that_does_not_read_holds_nobody_up, .timeout = 60)
{
	SCRATCH(scratch);
	char path[100];
	AUTO_CLOSE int fd = listen_at(&scratch, path);
	struct buffer line = line_of("{}\n");
	int r = 0;

	cr_assert_geq(fd, 0);
	for (unsigned i = 0; r == 0 && i < 100000; i++)
		r = syslog_send(path, AUDIT_START, &line);
	cr_expect_eq(r, -EAGAIN);
	buffer_done(&line);
}

Test(audit_syslog, without_a_reader_there_is_an_error)
{
	struct buffer line = line_of("{}\n");

	cr_expect_eq(syslog_send("/nowhere/log", AUDIT_START, &line), -ENOENT);
	buffer_done(&line);
}

Test(audit_syslog, one_message_as_journald_has_it)
{
	SCRATCH(scratch);
	char path[100], text[1024] = "";
	AUTO_CLOSE int fd = listen_at(&scratch, path);
	struct buffer line = line_of("{\"event\":\"refusal\"}\n");

	cr_assert_eq(journal_send(path, AUDIT_REFUSAL, "box1", &line), 0);
	cr_assert_gt(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 0);
	cr_expect_str_eq(text, "PRIORITY=4\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=brig\nBRIG_EVENT=refusal\n"
			       "BRIG_CONTAINER=box1\nMESSAGE={\"event\":\"refusal\"}\n");
	memset(text, 0, sizeof(text));
	cr_assert_eq(journal_send(path, AUDIT_START, NULL, &line), 0);
	cr_assert_gt(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 0);
	cr_expect_eq(strncmp(text, "PRIORITY=6\n", 11), 0, "%s", text);
	cr_expect_null(strstr(text, "BRIG_CONTAINER"));
	buffer_done(&line);
}

/* A value with a line break would be a field of its own. */
Test(audit_syslog, no_field_can_be_slipped_into_the_journal)
{
	SCRATCH(scratch);
	char path[100], text[1024] = "";
	AUTO_CLOSE int fd = listen_at(&scratch, path);
	struct buffer line = line_of("a\n_UID=0\nb\n");

	cr_assert_eq(journal_send(path, AUDIT_START, "x\nBRIG_EVENT=y", &line), 0);
	cr_assert_gt(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 0);
	cr_expect_null(strstr(text, "\n_UID"), "%s", text);
	cr_expect_null(strstr(text, "\nBRIG_EVENT=y"), "%s", text);
	buffer_done(&line);
}

Test(audit_syslog, a_whole_line_gets_to_the_journal)
{
	SCRATCH(scratch);
	char path[100];
	AUTO_FREE char *text = calloc(1, 2 * AUDIT_LINE_MAX);
	AUTO_CLOSE int fd = listen_at(&scratch, path);
	struct buffer line = { 0 };

	while (line.length < AUDIT_LINE_MAX - 1)
		buffer_append_text(&line, "x");
	buffer_append_text(&line, "\n");
	cr_assert_eq(journal_send(path, AUDIT_START, NULL, &line), 0);
	cr_expect_gt(recv(fd, text, 2 * AUDIT_LINE_MAX, MSG_DONTWAIT), (ssize_t)AUDIT_LINE_MAX);
	cr_expect_eq(journal_send("/nowhere/socket", AUDIT_START, NULL, &line), -ENOENT);
	buffer_done(&line);
}
