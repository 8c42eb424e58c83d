#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "shim/events/queue.h"
#include "shim/events/queue_format.h"
#include "tests/support/scratch.h"

#define MAX ((size_t)1024 * 1024)

static void append(struct queue *queue, const char *text)
{
	const struct buffer event = { .data = (char *)text, .length = strlen(text) };
	struct error err;

	cr_assert_eq(queue_append(queue, &event, MAX, &err), 0, "%s", err.message);
}

static void expect_next(struct queue *queue, const char *text)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer event = { 0 };
	struct error err = { 0 };

	cr_assert_eq(queue_peek(queue, &event, &err), 0, "%s", err.message);
	cr_expect_str_eq(event.data, text);
	queue_drop(queue);
}

static struct queue take_over(const struct scratch *scratch)
{
	struct queue queue;
	struct error err = { 0 };

	cr_assert_eq(queue_init(&queue, scratch->fd, &err), 0, "%s", err.message);
	return queue;
}

Test(queue, first_in_first_out)
{
	SCRATCH(scratch);
	struct queue queue = take_over(&scratch);

	cr_expect(queue_is_empty(&queue));
	append(&queue, "one");
	append(&queue, "two");
	expect_next(&queue, "one");
	append(&queue, "three");
	queue_done(&queue);
	queue = take_over(&scratch);
	cr_expect_not(queue_is_empty(&queue));
	expect_next(&queue, "two");
	expect_next(&queue, "three");
	cr_expect(queue_is_empty(&queue));
	cr_expect_eq(scratch_count(&scratch), 0);
	queue_done(&queue);
}

/* A kill at any byte: the events before are there, the torn one is not, and new ones can be added. */
Test(queue, a_torn_end_costs_no_more_than_the_last_event)
{
	SCRATCH(scratch);
	struct queue queue = take_over(&scratch);
	char whole[256];
	struct stat status;
	size_t size;
	int fd;

	append(&queue, "first");
	append(&queue, "second");
	queue_done(&queue);
	fd = openat(scratch.fd, QUEUE_FILE, O_RDONLY | O_CLOEXEC);
	size = (size_t)read(fd, whole, sizeof(whole));
	close(fd);
	for (size_t cut = QUEUE_FORMAT_HEADER; cut < size; cut++) {
		size_t first_end = QUEUE_FORMAT_HEADER + QUEUE_FORMAT_RECORD + strlen("first");

		fd = openat(scratch.fd, QUEUE_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		cr_assert_eq(write(fd, whole, cut), (ssize_t)cut);
		close(fd);
		queue = take_over(&scratch);
		append(&queue, "new");
		if (cut >= first_end)
			expect_next(&queue, "first");
		expect_next(&queue, "new");
		cr_expect(queue_is_empty(&queue), "cut at %zu", cut);
		cr_expect_neq(fstatat(scratch.fd, QUEUE_FILE, &status, 0), 0);
		queue_done(&queue);
	}
}

Test(queue, a_flipped_bit_ends_it)
{
	SCRATCH(scratch);
	struct queue queue = take_over(&scratch);
	off_t place = QUEUE_FORMAT_HEADER + 2 * QUEUE_FORMAT_RECORD + (off_t)strlen("first") + 1;
	int fd;

	append(&queue, "first");
	append(&queue, "second");
	append(&queue, "third");
	queue_done(&queue);
	fd = openat(scratch.fd, QUEUE_FILE, O_WRONLY | O_CLOEXEC);
	cr_assert_eq(pwrite(fd, "X", 1, place), 1);
	close(fd);
	queue = take_over(&scratch);
	expect_next(&queue, "first");
	cr_expect(queue_is_empty(&queue));
	queue_done(&queue);
}

static void expect_refused(const struct scratch *scratch, const char *what)
{
	struct error err = { 0 };
	struct queue queue;

	cr_expect_lt(queue_init(&queue, scratch->fd, &err), 0, "%s", what);
	cr_expect_not_null(strstr(err.message, QUEUE_FILE ".bad"), "%s: %s", what, err.message);
	cr_expect(queue_is_empty(&queue));
	append(&queue, "goes on");
	expect_next(&queue, "goes on");
	cr_expect(scratch_has(scratch, QUEUE_FILE ".bad"), "%s", what);
	queue_done(&queue);
}

Test(queue, puts_aside_what_it_does_not_know)
{
	SCRATCH(scratch);
	uint8_t header[QUEUE_FORMAT_HEADER + 1] = { 0 };
	int fd;

	scratch_file(&scratch, QUEUE_FILE, "{}", 0600);
	expect_refused(&scratch, "a short file");
	scratch_file(&scratch, QUEUE_FILE, "something quite different", 0600);
	expect_refused(&scratch, "another file");
	scratch_file(&scratch, "secret", "untouched", 0600);
	scratch_link(&scratch, QUEUE_FILE, "secret");
	expect_refused(&scratch, "a link");
	cr_assert_eq(mkfifoat(scratch.fd, QUEUE_FILE, 0600), 0);
	expect_refused(&scratch, "a fifo");
	/* Far behind the end: nothing may be read from there, or the file made that large. */
	queue_format_put_header(UINT64_C(1) << 60, header);
	fd = openat(scratch.fd, QUEUE_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_eq(write(fd, header, QUEUE_FORMAT_HEADER), QUEUE_FORMAT_HEADER);
	close(fd);
	expect_refused(&scratch, "a place that is not there");
}

Test(queue, holds_no_more_than_it_may)
{
	SCRATCH(scratch);
	struct queue queue = take_over(&scratch);
	const struct buffer event = { .data = "12345678", .length = 8 }, none = { 0 };
	struct error err;

	for (int i = 0; i < 4; i++)
		cr_assert_eq(queue_append(&queue, &event, QUEUE_FORMAT_HEADER + 4 * 16, &err), 0);
	cr_expect_eq(queue_append(&queue, &event, QUEUE_FORMAT_HEADER + 4 * 16, &err), -ENOSPC);
	cr_expect_eq(queue_append(&queue, &none, MAX, &err), -EMSGSIZE);
	for (int i = 0; i < 4; i++)
		expect_next(&queue, "12345678");
	cr_expect(queue_is_empty(&queue));
	queue_done(&queue);
}

/* Always one waits: the file never goes, and what was sent does not count, also for the next shim. */
Test(queue, what_was_sent_is_given_back)
{
	static char text[100 * 1000 + 1];
	SCRATCH(scratch);
	struct queue queue = take_over(&scratch);
	const struct buffer event = { .data = text, .length = sizeof(text) - 1 };
	struct stat status;
	struct error err = { 0 };

	memset(text, 'x', sizeof(text) - 1);
	append(&queue, text);
	for (int i = 0; i < 100; i++) {
		cr_assert_eq(queue_append(&queue, &event, 2 * MAX, &err), 0, "after %d: %s", i, err.message);
		expect_next(&queue, text);
		if (i % 10 == 0) {
			queue_done(&queue);
			queue = take_over(&scratch);
		}
	}
	cr_assert_eq(fstatat(scratch.fd, QUEUE_FILE, &status, 0), 0);
	cr_expect_lt((size_t)status.st_blocks * 512, 2 * MAX);
	expect_next(&queue, text);
	cr_expect(queue_is_empty(&queue));
	queue_done(&queue);
}

Test(queue_format, refuses_lengths_that_no_event_has)
{
	struct queue_format_record record = { .length = 1 };
	uint8_t bytes[QUEUE_FORMAT_RECORD];

	queue_format_put_record("event", 5, bytes);
	cr_assert_eq(queue_format_get_record(bytes, &record), 0);
	cr_expect_eq(record.length, 5);
	cr_expect(queue_format_is_whole(&record, "event"));
	cr_expect_not(queue_format_is_whole(&record, "evenT"));
	memset(bytes, 0, 4);
	cr_expect_eq(queue_format_get_record(bytes, &record), -EBADMSG);
	memset(bytes, 0xff, 4);
	cr_expect_eq(queue_format_get_record(bytes, &record), -EBADMSG);
	cr_expect_eq(record.length, 5, "a failed decode must not touch its output");
}
