#include "shim/events/queue.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "shim/events/queue_format.h"

/* Given back to the file system in pieces of this. */
#define PIECE (UINT64_C(1024) * 1024)

static ssize_t read_at(int fd, void *data, size_t size, uint64_t offset)
{
	ssize_t n;

	do
		n = pread(fd, data, size, (off_t)offset);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* The whole record at offset, its event appended to event. Returns its size in the file, 0 at the end of what is whole, or a negative
 * errno. */
static ssize_t read_record(int fd, uint64_t offset, struct buffer *event)
{
	struct queue_format_record record;
	uint8_t bytes[QUEUE_FORMAT_RECORD];
	ssize_t n = read_at(fd, bytes, sizeof(bytes), offset);

	if (n < 0)
		return n;
	if (n < (ssize_t)sizeof(bytes) || queue_format_get_record(bytes, &record) < 0)
		return 0;
	if (buffer_reserve(event, record.length) < 0)
		return -ENOMEM;
	n = read_at(fd, event->data + event->length, record.length, offset + sizeof(bytes));
	if (n < 0)
		return n;
	if (n < (ssize_t)record.length || !queue_format_is_whole(&record, event->data + event->length))
		return 0;
	event->length += record.length;
	event->data[event->length] = '\0';
	return (ssize_t)(sizeof(bytes) + record.length);
}

/* Where what is whole ends: the rest is what a kill cut short. */
static int find_end(int fd, uint64_t head, uint64_t *ret)
{
	uint64_t end = head;

	for (;;) {
		__attribute__((cleanup(buffer_done_cleanup))) struct buffer event = { 0 };
		ssize_t size = read_record(fd, end, &event);

		if (size < 0)
			return (int)size;
		if (size == 0)
			break;
		end += (uint64_t)size;
	}
	*ret = end;
	return 0;
}

/* head and tail from the file alone: there may be nobody left who knew them. */
static int recover(struct queue *queue, int fd)
{
	uint8_t header[QUEUE_FORMAT_HEADER];
	struct stat status;
	uint64_t head, tail = 0;
	ssize_t n;
	int r;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EBADMSG;
	n = read_at(fd, header, sizeof(header), 0);
	if (n < 0)
		return (int)n;
	if (n < (ssize_t)sizeof(header) || queue_format_get_header(header, &head) < 0 || head > (uint64_t)status.st_size)
		return -EBADMSG;
	r = find_end(fd, head, &tail);
	if (r < 0)
		return r;
	if (ftruncate(fd, (off_t)tail) < 0)
		return -errno;
	queue->head = head;
	queue->tail = tail;
	return 0;
}

static void remove_file(struct queue *queue)
{
	close_and_reset(&queue->fd);
	unlinkat(queue->directory_fd, QUEUE_FILE, 0);
	queue->head = queue->tail = queue->n_given_back = 0;
}

/* The file goes once nothing waits any more, and while containerd is slower than the events that is never: the place of those that
 * were sent, all of it but the header, is no part of the file any more. Where the file system knows no holes it stays. */
static void give_back(struct queue *queue)
{
	uint64_t n_sent = queue->head - QUEUE_FORMAT_HEADER;

	if (n_sent - queue->n_given_back < PIECE)
		return;
	if (fallocate(queue->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, QUEUE_FORMAT_HEADER, (off_t)n_sent) == 0)
		queue->n_given_back = n_sent;
}

int queue_init(struct queue *queue, int directory_fd, struct error *err)
{
	AUTO_CLOSE int fd = openat(directory_fd, QUEUE_FILE, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	int r;

	*queue = (struct queue){ .directory_fd = directory_fd, .fd = -EBADF };
	if (fd < 0 && errno == ENOENT)
		return 0;
	r = fd < 0 ? -errno : recover(queue, fd);
	if (r < 0) {
		if (renameat(directory_fd, QUEUE_FILE, directory_fd, QUEUE_FILE ".bad") < 0)
			return error_system(err, errno, "put aside " QUEUE_FILE ", which has no events that we know");
		return error_system(err, -r, "take over the events in " QUEUE_FILE "; it is now " QUEUE_FILE ".bad");
	}
	queue->fd = steal_fd(&fd);
	if (queue->head == queue->tail)
		remove_file(queue);
	else
		give_back(queue);
	return 0;
}

void queue_done(struct queue *queue)
{
	close_and_reset(&queue->fd);
}

bool queue_is_empty(const struct queue *queue)
{
	return queue->fd < 0;
}

/* O_EXCL: whatever lies there by now is none of ours, and following it could write to any file of the host's. */
static int make_file(struct queue *queue, struct error *err)
{
	AUTO_CLOSE int fd =
		openat(queue->directory_fd, QUEUE_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	uint8_t header[QUEUE_FORMAT_HEADER];

	if (fd < 0)
		return error_system(err, errno, "create " QUEUE_FILE);
	queue_format_put_header(sizeof(header), header);
	if (pwrite(fd, header, sizeof(header), 0) != (ssize_t)sizeof(header)) {
		int code = errno ?: ENOSPC;

		unlinkat(queue->directory_fd, QUEUE_FILE, 0);
		return error_system(err, code, "write " QUEUE_FILE);
	}
	queue->fd = steal_fd(&fd);
	queue->head = queue->tail = sizeof(header);
	queue->n_given_back = 0;
	return 0;
}

/* In one call, so that a full disk leaves a record that is recognised as none. */
static int write_record(const struct queue *queue, const struct buffer *event)
{
	uint8_t bytes[QUEUE_FORMAT_RECORD];
	const struct iovec parts[] = {
		{ .iov_base = bytes, .iov_len = sizeof(bytes) },
		{ .iov_base = event->data, .iov_len = event->length },
	};
	ssize_t n;

	queue_format_put_record(event->data, event->length, bytes);
	n = pwritev(queue->fd, parts, ARRAY_SIZE(parts), (off_t)queue->tail);
	if (n == (ssize_t)(sizeof(bytes) + event->length))
		return 0;
	return n < 0 ? -errno : -ENOSPC;
}

int queue_append(struct queue *queue, const struct buffer *event, size_t max, struct error *err)
{
	size_t size = QUEUE_FORMAT_RECORD + event->length;
	int r;

	if (event->length == 0 || event->length > QUEUE_FORMAT_EVENT_MAX)
		return error_set(err, ERROR_INVALID, EMSGSIZE, "an event of %zu bytes; from 1 to %zu are possible",
				 event->length, QUEUE_FORMAT_EVENT_MAX);
	if (queue->tail - queue->n_given_back + size > max)
		return error_set(err, ERROR_SYSTEM, ENOSPC,
				 QUEUE_FILE ": %zu bytes of events are there, the most that may wait",
				 (size_t)(queue->tail - queue->n_given_back));
	r = queue_is_empty(queue) ? make_file(queue, err) : 0;
	if (r < 0)
		return r;
	r = write_record(queue, event);
	if (r < 0) {
		/* What was written of it is no record, and the next one is written over it. */
		if (queue->head == queue->tail)
			remove_file(queue);
		return error_system(err, -r, "write " QUEUE_FILE);
	}
	queue->tail += size;
	return 0;
}

int queue_peek(const struct queue *queue, struct buffer *event, struct error *err)
{
	ssize_t size = read_record(queue->fd, queue->head, event);

	if (size < 0)
		return error_system(err, (int)-size, "read " QUEUE_FILE);
	return size == 0 ? error_set(err, ERROR_SYSTEM, EBADMSG, QUEUE_FILE ": somebody else changed it") : 0;
}

void queue_drop(struct queue *queue)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer event = { 0 };
	uint8_t header[QUEUE_FORMAT_HEADER];
	ssize_t size = read_record(queue->fd, queue->head, &event);

	queue->head += size > 0 ? (uint64_t)size : 0;
	/* With one that can't be read any more the rest is lost as well: where it would begin is not known. */
	if (size <= 0 || queue->head >= queue->tail) {
		remove_file(queue);
		return;
	}
	/* Not written, it would be sent twice by the next shim: better than not at all. */
	queue_format_put_header(queue->head, header);
	if (pwrite(queue->fd, header, sizeof(header), 0) < 0)
		log_debug(QUEUE_FILE ": can't be written: %m");
	else
		give_back(queue);
}
