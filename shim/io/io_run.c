/* The part of io.h that begins once the process is there: its output on the way, and its end. */
#include <fcntl.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "shim/io/io_core.h"
#include "shim/io/streams.h"

#define NS_PER_MS UINT64_C(1000000)
#define SETTLE_FIRST NS_PER_MS
#define SETTLE_LONGEST (100 * NS_PER_MS)
/* More than the kernel holds between a terminal's two ends (N_TTY_BUF_SIZE, and a flip buffer of at most 64 KiB). */
#define TERMINAL_HOLDS (128 * 1024)

/* All that the process wrote has left us, or time is up. */
static void complete(struct io *io);

/* The last of the two ends the whole; one that nothing was to be copied of never began. */
static void output_ended(void *context)
{
	struct output *output = context;
	struct io *io = output->io;

	if (io->finished && !io->outputs[0].copy.is_active && !io->outputs[1].copy.is_active)
		complete(io);
}

/* Both outputs count each for itself, and the first that is over ends the process: once is enough. */
static void output_overflowed(void *context)
{
	struct output *output = context;
	struct io *io = output->io;

	if (io->has_overflowed)
		return;
	io->has_overflowed = true;
	if (io->overflowed)
		io->overflowed(io->context);
}

static void dropping_ended(void *context)
{
	(void)context;
}

/* A process that goes on writing where nobody reads is neither killed nor blocked. Without memory for it, it is blocked. */
static void drop(struct output *output, int from_fd)
{
	struct copy_options options = { .loop = output->io->loop, .from_fd = from_fd, .ended = dropping_ended };

	options.to_fd = options.drop_fd = output->io->null_fd;
	if (from_fd >= 0 && options.drop_fd >= 0 && !output->drop.is_active)
		copy_begin(&output->drop, &options, NULL);
}

/* Its container goes on: a logger is the host's program, and its death no fault of the container's. */
static void logger_ended(void *context, uint32_t events)
{
	struct io *io = context;

	(void)events;
	loop_unwatch(io->loop, &io->logger_watch);
	log_warning("logger %s ended before its container: what the container writes is dropped", io->logger.path);
	if (io->null_fd < 0)
		io->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(io->outputs); i++)
		drop(&io->outputs[i], io->outputs[i].to.read_fd);
}

static int begin_output(struct output *output, int from_fd, struct error *err)
{
	struct copy_options options = {
		.loop = output->io->loop,
		.from_fd = from_fd,
		.to_fd = output->to.write_fd >= 0 ? output->to.write_fd : output->io->null_fd,
		.drop_fd = output->io->null_fd,
		.merges = output->io->is_terminal,
		.limit = output->io->limit,
		.ended = output_ended,
		.overflowed = output_overflowed,
		.context = output,
	};

	return copy_begin(&output->copy, &options, err);
}

static void input_ended(void *context)
{
	struct io *io = context;

	endpoint_done(&io->in);
	terminal_end_input(&io->terminal, io->loop);
}

/* From now on the shim holds the master: the runtime's copy went with the worker. */
static int begin_terminal(struct io *io, struct error *err)
{
	struct copy_options options = {
		.loop = io->loop, .from_fd = io->in.read_fd, .limit = COPY_UNLIMITED, .ended = input_ended, .context = io
	};
	int rc = terminal_take(&io->terminal, err);

	if (rc == 0)
		rc = begin_output(&io->outputs[0], io->terminal.master_fd, err);
	if (rc < 0 || io->in.read_fd < 0)
		return rc;
	options.to_fd = io->terminal.input_fd;
	options.drop_fd = io->null_fd;
	return copy_begin(&io->in_copy, &options, err);
}

/* What the process has by now as its own is closed here, or a reader would wait for us after its end. */
int io_begin(struct io *io, struct error *err)
{
	int rc = 0;

	io->has_begun = true;
	close_and_reset(&io->logger.ready_fd);
	io->logger_watch = (struct loop_watch){ .ready = logger_ended, .context = io };
	if (io->logger.pidfd >= 0)
		rc = loop_watch(io->loop, &io->logger_watch, io->logger.pidfd, EPOLLIN, err);
	if (rc == 0 && io->is_terminal)
		return begin_terminal(io, err);
	close_and_reset(&io->in.read_fd);
	for (size_t i = 0; i < ARRAY_SIZE(io->outputs) && rc == 0; i++) {
		close_and_reset(&io->outputs[i].bounded.write_fd);
		if (io->outputs[i].bounded.read_fd >= 0)
			rc = begin_output(&io->outputs[i], io->outputs[i].bounded.read_fd, err);
	}
	return rc;
}

int io_resize(struct io *io, uint32_t width, uint32_t height, struct error *err)
{
	return terminal_resize(&io->terminal, width, height, err);
}

void io_close_in(struct io *io)
{
	if (io->streams[STDIN_FILENO])
		streams_close_in(io->streams[STDIN_FILENO]);
	else if (!io->is_terminal)
		close_and_reset(&io->in.write_fd);
	else if (io->in.read_fd >= 0 && copy_drain(&io->in_copy, endpoint_unread(io->in.read_fd)))
		input_ended(io);
}

/* In the shim's hands, or in a fifo that somebody has yet to empty. */
static bool has_unread(const struct output *output)
{
	return output->copy.is_active || (output->to.is_fifo && endpoint_unread(output->to.write_fd) > 0);
}

bool io_has_unread(const struct io *io)
{
	return has_unread(&io->outputs[0]) || has_unread(&io->outputs[1]) ||
	       streams_is_unsent(io->streams[STDOUT_FILENO]) || streams_is_unsent(io->streams[STDERR_FILENO]);
}

bool io_is_being_read(struct io *io)
{
	return (has_unread(&io->outputs[0]) && endpoint_has_reader(&io->outputs[0].to)) ||
	       (has_unread(&io->outputs[1]) && endpoint_has_reader(&io->outputs[1].to));
}

/* With our write end closed the reader sees the end; but what it has not read yet would be lost to one that opens the fifo only
 * now: containerd, just restarted or on a busy machine, waits for a writer (fifo(7)), also where nothing was written. So the end waits
 * until somebody has come and read everything. */
static void settle(void *context)
{
	struct io *io = context;
	bool stays_open = false;

	for (size_t i = 0; i < ARRAY_SIZE(io->outputs); i++) {
		struct endpoint *to = &io->outputs[i].to;

		if (to->is_fifo && to->write_fd >= 0 && (endpoint_unread(to->write_fd) > 0 || !endpoint_has_reader(to)))
			stays_open = true;
		else
			close_and_reset(&to->write_fd);
	}
	if (!stays_open)
		return;
	loop_set_timer(io->loop, &io->settle, loop_now() + io->settle_pause);
	if (io->settle_pause < SETTLE_LONGEST)
		io->settle_pause *= 2;
}

static void complete(struct io *io)
{
	void (*finished)(void *context) = io->finished;

	io->finished = NULL;
	loop_clear_timer(io->loop, &io->deadline);
	loop_unwatch(io->loop, &io->logger_watch);
	for (size_t i = 0; i < ARRAY_SIZE(io->outputs); i++) {
		copy_end(&io->outputs[i].copy);
		drop(&io->outputs[i], io->outputs[i].bounded.read_fd);
	}
	terminal_done(&io->terminal);
	settle(io);
	/* It may free io. */
	finished(io->finished_context);
}

/* What is not read by now is lost, and the end is told: who waits for that must not wait for a reader. */
static void deadline_passed(void *context)
{
	complete(context);
}

/* Input goes nowhere any more; of the output what the kernel holds is bounded, so that nobody who writes on keeps the end back. */
void io_finish(struct io *io, uint64_t timeout, void (*finished)(void *context), void *context)
{
	bool is_complete = true;

	io->finished = finished;
	io->finished_context = context;
	io->deadline = (struct loop_timer){ .expired = deadline_passed, .context = io };
	io->settle = (struct loop_timer){ .expired = settle, .context = io };
	io->settle_pause = SETTLE_FIRST;
	copy_end(&io->in_copy);
	endpoint_done(&io->in);
	close_and_reset(&io->terminal.slave_fd);
	for (size_t i = 0; i < ARRAY_SIZE(io->outputs); i++) {
		uint64_t bound = io->is_terminal ? TERMINAL_HOLDS : endpoint_unread(io->outputs[i].bounded.read_fd);

		is_complete &= copy_drain(&io->outputs[i].copy, bound);
	}
	if (is_complete)
		complete(io);
	else
		loop_set_timer(io->loop, &io->deadline, loop_now() + timeout);
}
