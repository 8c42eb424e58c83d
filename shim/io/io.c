#include "shim/io/io.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "shim/io/io_core.h"
#include "shim/io/streams.h"
#include "shim/io/uri.h"

#define LOGGER_READY_MS 10000

static const char *const names[] = { "stdout", "stderr" };

/* Where a single stream leads to, unless a program takes both. */
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
		logger.check = options->check_logger;
		logger.context = options->context;
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

/* All are parsed before the first is opened: a wrong one leaves nothing behind. */
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

/* A description of its own for the process: O_NONBLOCK, which we need, is shared by copies (fcntl(2)), and a program that did not ask for it
 * takes EAGAIN for an error. */
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

/* Too late for io_enter: the limit is in config.json, which the worker reads after that. */
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
