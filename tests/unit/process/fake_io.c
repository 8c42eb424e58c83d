/* Stands in for shim/io/io.h: streams that tests drain and overflow. */
#include "shim/io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_runtime.h"

struct io {
	bool is_finished;
	uint64_t limit;
	void (*overflowed)(void *context);
	void *context;
};

int io_open(const struct io_options *options, struct io **ret, struct error *err)
{
	if (fake->io_open_fails)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "no such fifo");
	*ret = calloc(1, sizeof(**ret));
	**ret = (struct io){ .limit = options->max_output, .overflowed = options->overflowed, .context = options->context };
	fake->last_io = *ret;
	fake->n_io++;
	return 0;
}

void io_free(struct io *io)
{
	if (io)
		fake->n_io--;
	free(io);
}

int io_enter(const struct io *io, struct error *err)
{
	(void)err;
	return io ? 0 : -EINVAL;
}

int io_bound(const struct io *io, int ret_fds[static 2], struct error *err)
{
	int ends[2];

	(void)io;
	(void)err;
	for (int i = 0; i < 2; i++) {
		if (pipe2(ends, O_CLOEXEC) < 0)
			abort();
		ret_fds[i] = ends[0];
	}
	return 0;
}

int io_limit(struct io *io, uint64_t max_output, const int fds[static 2], struct error *err)
{
	bool has_both = fcntl(fds[0], F_GETFD) >= 0 && fcntl(fds[1], F_GETFD) >= 0;

	close(fds[0]);
	close(fds[1]);
	if (!has_both || fake->io_limit_fails)
		return error_set(err, ERROR_INTERNAL, EPROTO, "no pipes came");
	io->limit = max_output;
	return 0;
}

uint64_t fake_overflow(void)
{
	fake->last_io->overflowed(fake->last_io->context);
	return fake->last_io->limit;
}

int io_console_fd(const struct io *io)
{
	(void)io;
	return -EBADF;
}

int io_begin(struct io *io, struct error *err)
{
	if (fake->io_begin_fails)
		return error_set(err, ERROR_SYSTEM, EPIPE, "no terminal came");
	fake->n_begun++;
	return io ? 0 : -EINVAL;
}

int io_resize(struct io *io, uint32_t width, uint32_t height, struct error *err)
{
	(void)io;
	return width == height ? error_set(err, ERROR_STATE, ENOTTY, "no terminal") : 0;
}

bool io_has_unread(const struct io *io)
{
	(void)io;
	return fake->has_unread;
}

bool io_is_being_read(struct io *io)
{
	return io && fake->is_being_read;
}

void io_close_in(struct io *io)
{
	fake->n_closed_in += io != NULL;
}

void io_finish(struct io *io, uint64_t timeout, void (*finished)(void *context), void *context)
{
	if (!io || io->is_finished || timeout == 0)
		abort();
	io->is_finished = true;
	if (!fake->hold_drain)
		finished(context);
	else
		fake->drains[fake->n_drains++] = (struct fake_drain){ .finished = finished, .context = context };
}

void fake_drain_all(void)
{
	while (fake->n_drains > 0) {
		struct fake_drain drain = fake->drains[0];

		fake->n_drains--;
		memmove(fake->drains, fake->drains + 1, fake->n_drains * sizeof(drain));
		drain.finished(drain.context);
	}
}
