#include "shim/io/io.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "base/log.h"
#include "shim/io/copy.h"
#include "shim/io/endpoint.h"
#include "shim/io/logger.h"
#include "shim/io/streams.h"
#include "shim/io/terminal.h"
#include "shim/io/uri.h"

#define NS_PER_MS UINT64_C(1000000)
#define LOGGER_READY_MS 10000
#define SETTLE_FIRST NS_PER_MS
#define SETTLE_LONGEST (100 * NS_PER_MS)
/* More than the kernel holds between a terminal's two ends (N_TTY_BUF_SIZE, and a flip buffer of at most 64 KiB). */
#define TERMINAL_HOLDS (128 * 1024)

struct output {
	struct io *io;
	struct endpoint to;	 /* containerd's, or the logger's pipe */
	struct endpoint bounded; /* where there is a limit: the pipe that the process writes into */
	struct copy copy;	 /* from the terminal, or `bounded`, to `to` */
	struct copy drop;	 /* of what nobody reads any more */
};

struct io {
	struct loop *loop;
	struct stream *streams[3]; /* by descriptor; NULL: of another scheme */
	struct endpoint in;
	struct copy in_copy; /* to the terminal */
	struct output outputs[2];
	struct logger logger;
	struct loop_watch logger_watch;
	bool is_terminal, has_begun, has_overflowed;
	struct terminal terminal;
	int null_fd;
	uint64_t limit;
	void (*overflowed)(void *context);
	void *context;
	void (*finished)(void *context); /* NULL: not finishing, or finished */
	void *finished_context;
	struct loop_timer deadline, settle;
	uint64_t settle_pause;
};

static const char *const names[] = { "stdout", "stderr" };

static int open_one(struct io *io, const struct io_options *options, const struct uri *uri, int standard_fd,
		    struct error *err)
{
	bool is_in = standard_fd == STDIN_FILENO;
	const char *what = is_in ? "stdin" : names[standard_fd - STDOUT_FILENO];
	struct endpoint *end = is_in ? &io->in : &io->outputs[standard_fd - STDOUT_FILENO].to;
	const struct stream_request request = { .uri = uri, .what = what, .use = is_in ? STREAM_IN : STREAM_OUT };

	if (uri->scheme != URI_STREAM)
		return endpoint_open(uri, what, end, err);
	if (!options->streams)
		return error_invalid(err, "%s: no streams are served here", what);
	return streams_open(options->streams, &request, &io->streams[standard_fd], end, err);
}

/* containerd takes file:// and binary:// from stdout, for both. */
static int open_outputs(struct io *io, const struct io_options *options, struct uri *uris, struct error *err)
{
	struct logger_options logger = { .uri = &uris[0] };
	bool is_both = uris[1].scheme == URI_NONE || strcmp(options->out, options->err) == 0;
	int rc;

	if (uris[0].scheme == URI_BINARY) {
		if (!options->terminal && !is_both)
			return error_invalid(err, "stdout goes to %.200s, so stderr has to go there too, not to %.200s",
					     options->out, options->err);
		logger.container_id = options->container_id;
		logger.namespace = options->namespace;
		rc = logger_start(&logger, &io->logger, err);
		if (rc < 0)
			return rc;
		io->outputs[0].to = io->logger.out;
		io->outputs[1].to = io->logger.err;
		io->logger.out = io->logger.err = ENDPOINT_NONE;
		return 0;
	}
	rc = open_one(io, options, &uris[0], STDOUT_FILENO, err);
	if (rc < 0 || options->terminal)
		return rc;
	if (uris[0].scheme == URI_FILE && uris[1].scheme == URI_NONE)
		return open_one(io, options, &uris[0], STDERR_FILENO, err);
	return open_one(io, options, &uris[1], STDERR_FILENO, err);
}

static int open_streams(struct io *io, const struct io_options *options, struct error *err)
{
	AUTO(uri_done) struct uri in = { .scheme = URI_NONE }, out = in, error = in;
	struct uri outputs[2];
	int rc = uri_parse(options->in, "stdin", &in, err);

	if (rc == 0)
		rc = uri_parse(options->out, names[0], &out, err);
	if (rc == 0 && !options->terminal)
		rc = uri_parse(options->err, names[1], &error, err);
	if (rc < 0)
		return rc;
	if (in.scheme == URI_FILE || in.scheme == URI_BINARY)
		return error_invalid(err, "stdin is %.200s: it can only come from a fifo or a stream", options->in);
	rc = open_one(io, options, &in, STDIN_FILENO, err);
	if (rc < 0)
		return rc;
	outputs[0] = out;
	outputs[1] = error;
	return open_outputs(io, options, outputs, err);
}

/* What is between the process and where its output goes. */
static int open_between(struct io *io, const struct io_options *options, struct error *err)
{
	int rc = 0;

	if (options->terminal || options->max_output) {
		io->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (io->null_fd < 0)
			return error_system(err, errno, "open /dev/null");
	}
	if (options->terminal)
		return terminal_open(&io->terminal, err);
	for (size_t i = 0; i < ARRAY_SIZE(io->outputs) && options->max_output; i++) {
		if (io->outputs[i].to.write_fd >= 0)
			rc = endpoint_pipe(&io->outputs[i].bounded, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int io_open(const struct io_options *options, struct io **ret, struct error *err)
{
	AUTO(io_free) struct io *io = calloc(1, sizeof(*io));
	int rc;

	if (!io)
		return error_memory(err);
	io->loop = options->loop;
	io->is_terminal = options->terminal;
	io->limit = options->max_output ? options->max_output : COPY_UNLIMITED;
	io->overflowed = options->overflowed;
	io->context = options->context;
	io->in = ENDPOINT_NONE;
	io->logger = LOGGER_NONE;
	io->terminal = TERMINAL_NONE;
	io->null_fd = -EBADF;
	for (size_t i = 0; i < ARRAY_SIZE(io->outputs); i++)
		io->outputs[i] = (struct output){ .io = io, .to = ENDPOINT_NONE, .bounded = ENDPOINT_NONE };
	rc = open_streams(io, options, err);
	if (rc == 0)
		rc = open_between(io, options, err);
	if (rc < 0)
		return rc;
	*ret = steal_ptr(&io);
	return 0;
}

void io_free(struct io *io)
{
	if (!io)
		return;
	loop_clear_timer(io->loop, &io->deadline);
	loop_clear_timer(io->loop, &io->settle);
	loop_unwatch(io->loop, &io->logger_watch);
	copy_end(&io->in_copy);
	endpoint_done(&io->in);
	for (size_t i = 0; i < ARRAY_SIZE(io->outputs); i++) {
		copy_end(&io->outputs[i].copy);
		copy_end(&io->outputs[i].drop);
		endpoint_done(&io->outputs[i].to);
		endpoint_done(&io->outputs[i].bounded);
	}
	for (size_t i = 0; i < ARRAY_SIZE(io->streams); i++)
		streams_release(io->streams[i]);
	terminal_done(&io->terminal);
	/* One that was of use sees the end of its input, and ends by itself. */
	if (!io->has_begun)
		logger_kill(&io->logger);
	logger_done(&io->logger);
	close_and_reset(&io->null_fd);
	free(io);
}

static int reopen(int from_fd, int mode, const char *name, struct error *err)
{
	int fd = endpoint_reopen(from_fd, mode);

	return fd < 0 ? error_system(err, -fd, "open %s for the process", name) : fd;
}

static int process_end(const struct output *output)
{
	return output->bounded.write_fd >= 0 ? output->bounded.write_fd : output->to.write_fd;
}

int io_enter(const struct io *io, struct error *err)
{
	AUTO_CLOSE int in = -EBADF, out = -EBADF, error = -EBADF;
	int rc = io->logger.ready_fd >= 0 ? logger_wait_ready(&io->logger, LOGGER_READY_MS, err) : 0;

	if (rc < 0)
		return rc;
	in = reopen(io->is_terminal ? -EBADF : io->in.read_fd, O_RDONLY, "stdin", err);
	if (in < 0)
		return in;
	out = reopen(io->is_terminal ? -EBADF : process_end(&io->outputs[0]), O_WRONLY, names[0], err);
	if (out < 0)
		return out;
	error = reopen(io->is_terminal ? -EBADF : process_end(&io->outputs[1]), O_WRONLY, names[1], err);
	if (error < 0)
		return error;
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(error, STDERR_FILENO) < 0)
		return error_system(err, errno, "put the standard streams into place");
	return 0;
}

static int replace_by_pipe(int standard_fd, int *ret_fd, struct error *err)
{
	AUTO(endpoint_done) struct endpoint ends = ENDPOINT_NONE;
	AUTO_CLOSE int fd = -EBADF;
	int rc = endpoint_pipe(&ends, err);

	if (rc < 0)
		return rc;
	fd = reopen(ends.write_fd, O_WRONLY, names[standard_fd - STDOUT_FILENO], err);
	if (fd < 0)
		return fd;
	if (dup2(fd, standard_fd) < 0)
		return error_system(err, errno, "put a standard stream into place");
	*ret_fd = steal_fd(&ends.read_fd);
	return 0;
}

int io_bound(const struct io *io, int ret_fds[static 2], struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(io->outputs) && !io->is_terminal && rc == 0; i++) {
		if (process_end(&io->outputs[i]) >= 0)
			rc = replace_by_pipe(STDOUT_FILENO + (int)i, &ret_fds[i], err);
	}
	return rc;
}

/* Who sent it may have been taken over by what it parsed: a file of another kind could block us, or never end. */
static int check_pipe(int fd, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0 || !S_ISFIFO(status.st_mode) || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return error_set(err, ERROR_INTERNAL, EPROTO, "the worker sent something else than a pipe for output");
	return 0;
}

int io_limit(struct io *io, uint64_t max_output, const int fds[static 2], struct error *err)
{
	int rc = 0;

	io->limit = max_output;
	for (size_t i = 0; i < ARRAY_SIZE(io->outputs); i++)
		io->outputs[i].bounded = (struct endpoint){ .read_fd = fds[i], .write_fd = -EBADF };
	if (io->null_fd < 0)
		io->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (io->null_fd < 0)
		return error_system(err, errno, "open /dev/null");
	for (size_t i = 0; i < ARRAY_SIZE(io->outputs) && rc == 0; i++) {
		if (fds[i] >= 0)
			rc = check_pipe(fds[i], err);
	}
	return rc;
}

int io_console_fd(const struct io *io)
{
	return io->terminal.console_fds[1];
}

/* All that the process wrote has left us, or time is up. */
static void complete(struct io *io);

static void output_ended(void *context)
{
	struct output *output = context;
	struct io *io = output->io;

	if (io->finished && !io->outputs[0].copy.is_active && !io->outputs[1].copy.is_active)
		complete(io);
}

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

static void deadline_passed(void *context)
{
	complete(context);
}

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
