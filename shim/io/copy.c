#include "shim/io/copy.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/fd.h"

#define PIECE 65536   /* of splice: what a pipe holds */
#define BYTES 4096    /* of read and write: PIPE_BUF, so that a pipe that has room takes all of it */
#define ROUNDS_MAX 16 /* then others have their turn */

enum step { STEP_MOVED, STEP_EMPTY, STEP_FULL, STEP_END };

/* A descriptor that can't be polled counts as neither full nor empty. */
static bool is_full(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLOUT };

	return poll(&polled, 1, 0) == 0;
}

static bool has_something(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };

	return poll(&polled, 1, 0) != 0;
}

/* Also where splice(2) can't: files opened for appending, devices. A destination that fails must not stop the writer, nor the
 * other stream: what it does not take is dropped. */
static ssize_t read_and_write(int from_fd, int to_fd, size_t length)
{
	char bytes[BYTES];
	ssize_t n;

	if (is_full(to_fd)) {
		errno = EAGAIN;
		return -1;
	}
	n = read(from_fd, bytes, length < BYTES ? length : BYTES);
	if (n > 0)
		fd_write_all(to_fd, bytes, (size_t)n);
	return n;
}

/* The destination may have got room since splice(2) said that there is none: only an empty source is empty. */
static enum step stopped_by(int from_fd, int to_fd)
{
	if (is_full(to_fd))
		return STEP_FULL;
	return has_something(from_fd) ? STEP_MOVED : STEP_EMPTY;
}

/* What is dropped counts for the drain, and not against the limit. */
static void count(struct copy *copy, uint64_t n, bool dropped)
{
	if (copy->left != COPY_UNLIMITED && !dropped)
		copy->left -= n;
	if (copy->is_draining)
		copy->n_last -= n < copy->n_last ? n : copy->n_last;
	if (dropped && !copy->has_overflowed) {
		copy->has_overflowed = true;
		if (copy->options.overflowed)
			copy->options.overflowed(copy->options.context);
	}
}

static enum step step(struct copy *copy)
{
	bool drops = copy->left == 0;
	int to_fd = drops ? copy->options.drop_fd : copy->options.to_fd;
	size_t length = drops || copy->left > PIECE ? PIECE : (size_t)copy->left;
	ssize_t n = -1;

	errno = EINVAL;
	if (!copy->options.merges)
		n = splice(copy->options.from_fd, NULL, to_fd, NULL, length, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (n < 0 && errno == EINVAL)
		n = read_and_write(copy->options.from_fd, to_fd, length);
	if (n < 0 && errno == EINTR)
		return STEP_MOVED;
	if (n < 0 && errno == EAGAIN)
		return stopped_by(copy->options.from_fd, to_fd);
	if (n <= 0)
		return STEP_END;
	count(copy, (uint64_t)n, drops);
	return copy->is_draining && copy->n_last == 0 ? STEP_END : STEP_MOVED;
}

/* Both are level-triggered, and a hang-up is told whatever is asked for: so only one of the two is watched at a time. */
static enum step wait_for_room(struct copy *copy)
{
	loop_unwatch(copy->options.loop, &copy->from_watch);
	if (copy->to_watch.is_active)
		return STEP_FULL;
	if (loop_watch(copy->options.loop, &copy->to_watch, copy->options.to_fd, EPOLLOUT, NULL) < 0)
		return STEP_END;
	return STEP_FULL;
}

static enum step wait_for_bytes(struct copy *copy)
{
	loop_unwatch(copy->options.loop, &copy->to_watch);
	if (copy->from_watch.is_active)
		return STEP_EMPTY;
	if (loop_watch(copy->options.loop, &copy->from_watch, copy->options.from_fd, EPOLLIN, NULL) < 0)
		return STEP_END;
	return STEP_EMPTY;
}

/* True: it is over. */
static bool move(struct copy *copy)
{
	enum step last = STEP_MOVED;

	/* What is left to be drained has a bound of its own, and is to be known as such at once. */
	for (int i = 0; (i < ROUNDS_MAX || copy->is_draining) && last == STEP_MOVED; i++)
		last = step(copy);
	if (last == STEP_FULL)
		last = wait_for_room(copy);
	else if (last == STEP_MOVED || (last == STEP_EMPTY && !copy->is_draining))
		last = wait_for_bytes(copy);
	if (last != STEP_END && !(last == STEP_EMPTY && copy->is_draining))
		return false;
	copy_end(copy);
	return true;
}

static void move_on(void *context, uint32_t events)
{
	struct copy *copy = context;

	(void)events;
	if (move(copy))
		copy->options.ended(copy->options.context);
}

int copy_begin(struct copy *copy, const struct copy_options *options, struct error *err)
{
	struct loop_watch watch = { .ready = move_on, .context = copy };
	int rc;

	*copy = (struct copy){ .options = *options, .left = options->limit, .from_watch = watch, .to_watch = watch };
	rc = loop_watch(options->loop, &copy->from_watch, options->from_fd, EPOLLIN, err);
	copy->is_active = rc == 0;
	return rc;
}

/* Moves what it can at once: mostly that is all, and the end can be told without another turn of the loop. */
bool copy_drain(struct copy *copy, uint64_t bound)
{
	copy->is_draining = true;
	copy->n_last = bound;
	if (bound == 0)
		copy_end(copy);
	return !copy->is_active || move(copy);
}

void copy_end(struct copy *copy)
{
	if (!copy->is_active)
		return;
	loop_unwatch(copy->options.loop, &copy->from_watch);
	loop_unwatch(copy->options.loop, &copy->to_watch);
	copy->is_active = false;
}
