/* One process with its streams, as the shim would have it: what the worker and the container do happens in a forked child. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <criterion/criterion.h>

#include "shim/io/io.h"
#include "shim/loop/loop.h"
#include "tests/support/scratch.h"

#define IO_PATIENCE 30000 /* milliseconds: a bound for what is going to happen anyway */

struct io_fixture {
	struct scratch scratch;
	struct loop *loop;
	struct io *io;
	struct io_options options;
	char in[256], out[256], err[256]; /* what options point to */
	struct error error;
	unsigned n_finished, n_overflowed;
	size_t n_fds; /* open before anything was opened */
};

/* Three fifos in a directory of its own, nothing opened yet. */
void io_fixture_init(struct io_fixture *fixture);
/* Also checks that io_free leaves no descriptor open. */
void io_fixture_done(struct io_fixture *fixture);
static inline void io_fixture_done_cleanup(struct io_fixture *fixture)
{
	io_fixture_done(fixture);
}
#define IO_FIXTURE(name)                                                          \
	__attribute__((cleanup(io_fixture_done_cleanup))) struct io_fixture name; \
	io_fixture_init(&name)

/* io_open as options say; fails the test where that fails. */
void io_fixture_open(struct io_fixture *fixture);
/* Runs program in a child that has the streams, then io_begin. With a terminal, it is the child's controlling one, in raw mode. */
pid_t io_fixture_run(struct io_fixture *fixture, int (*program)(const void *), const void *context);
pid_t io_fixture_shell(struct io_fixture *fixture, const char *script);
/* Steps the loop until the child has ended; its status as waitpid(2) has it. */
int io_fixture_wait(struct io_fixture *fixture, pid_t pid);
/* io_finish with a timeout that no test reaches, until it is finished. */
void io_fixture_finish(struct io_fixture *fixture);

/* The same within timeout nanoseconds. */
void io_fixture_finish_within(struct io_fixture *fixture, uint64_t timeout);

/* A non-blocking end of a fifo, as a client has it. */
int io_fixture_reader(const char *path);
int io_fixture_writer(const char *path);
/* Reads fd while the loop runs: until n bytes are there, or the end; returns how many came. */
size_t io_fixture_read(struct io_fixture *fixture, int fd, void *bytes, size_t n);
/* The same, compared with text. */
void io_fixture_expect(struct io_fixture *fixture, int fd, const char *text);
void io_fixture_expect_end(struct io_fixture *fixture, int fd);
/* The loop has nothing to do: it does not spin. */
void io_fixture_expect_idle(struct io_fixture *fixture);

/* Bytes that differ from place to place, and their check sum as it goes. */
#define IO_PATTERN_SIZE ((size_t)16 * 1024 * 1024)
int io_fixture_write_pattern(const void *unused);
void io_fixture_expect_pattern(struct io_fixture *fixture, int fd);
