#include "shim/io/terminal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#define END_KEYS 2    /* the first may only be the end of a line without one */
#define NAME_SIZE 256 /* of what comes with the descriptor; of no interest */

int terminal_open(struct terminal *ret, struct error *err)
{
	struct terminal terminal = TERMINAL_NONE;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, terminal.console_fds) < 0)
		return error_system(err, errno, "make the console socket");
	*ret = terminal;
	/* Of this end alone: the runtime's is a description of its own. */
	if (fcntl(ret->console_fds[0], F_SETFL, O_NONBLOCK) < 0)
		return error_system(err, errno, "set O_NONBLOCK on the console socket");
	return 0;
}

static int use_master(struct terminal *terminal, struct error *err)
{
	unsigned number;

	if (ioctl(terminal->master_fd, TIOCGPTN, &number) < 0)
		return error_system(err, errno, "what the runtime sent is no terminal's master");
	if (fcntl(terminal->master_fd, F_SETFL, O_NONBLOCK) < 0)
		return error_system(err, errno, "set O_NONBLOCK on the terminal");
	terminal->input_fd = fcntl(terminal->master_fd, F_DUPFD_CLOEXEC, 0);
	if (terminal->input_fd < 0)
		return error_system(err, errno, "duplicate the terminal");
	/* By ioctl, never by a path. Without it the output ends when nobody inside has the terminal open. */
	terminal->slave_fd = ioctl(terminal->master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return 0;
}

int terminal_take(struct terminal *terminal, struct error *err)
{
	char name[NAME_SIZE];
	ssize_t n = fd_receive(terminal->console_fds[0], name, sizeof(name), &terminal->master_fd);

	if (n < 0)
		return error_system(err, (int)-n, "receive the terminal");
	if (terminal->master_fd < 0)
		return error_set(err, ERROR_INTERNAL, EPROTO, "receive the terminal: no descriptor came");
	close_and_reset(&terminal->console_fds[0]);
	close_and_reset(&terminal->console_fds[1]);
	return use_master(terminal, err);
}

int terminal_resize(const struct terminal *terminal, uint32_t width, uint32_t height, struct error *err)
{
	struct winsize size = { .ws_col = (unsigned short)width, .ws_row = (unsigned short)height };

	if (terminal->master_fd < 0)
		return error_set(err, ERROR_STATE, ENOTTY, "there is no terminal to resize");
	if (width > UINT16_MAX || height > UINT16_MAX)
		return error_invalid(err, "a terminal of %ux%u: at most %d each", width, height, UINT16_MAX);
	if (ioctl(terminal->master_fd, TIOCSWINSZ, &size) < 0)
		return error_system(err, errno, "resize the terminal to %ux%u", width, height);
	return 0;
}

/* False: there is no room for all of it yet. */
static bool type_end(struct terminal *terminal)
{
	struct termios mode;
	char keys[END_KEYS];
	ssize_t n;

	if (tcgetattr(terminal->input_fd, &mode) < 0)
		return true;
	/* Shells in which lines can be edited take every key, and leave OPOST as it is. */
	if (!(mode.c_lflag & ICANON || mode.c_oflag & OPOST) || mode.c_cc[VEOF] == _POSIX_VDISABLE)
		return true;
	memset(keys, mode.c_cc[VEOF], sizeof(keys));
	n = write(terminal->input_fd, keys, terminal->n_end_keys);
	if (n < 0)
		return errno != EAGAIN && errno != EINTR;
	terminal->n_end_keys -= (size_t)n;
	return terminal->n_end_keys == 0;
}

static void handle_room(void *context, uint32_t events)
{
	struct terminal *terminal = context;

	(void)events;
	if (type_end(terminal))
		loop_unwatch(terminal->loop, &terminal->end_watch);
}

void terminal_end_input(struct terminal *terminal, struct loop *loop)
{
	struct error err = { 0 };

	terminal->n_end_keys = END_KEYS;
	if (terminal->input_fd < 0 || type_end(terminal))
		return;
	terminal->loop = loop;
	terminal->end_watch = (struct loop_watch){ .ready = handle_room, .context = terminal };
	if (loop_watch(loop, &terminal->end_watch, terminal->input_fd, EPOLLOUT, &err) < 0)
		log_warning("the end of a terminal's input is not told: %s", err.message);
}

void terminal_done(struct terminal *terminal)
{
	if (terminal->loop)
		loop_unwatch(terminal->loop, &terminal->end_watch);
	close_and_reset(&terminal->console_fds[0]);
	close_and_reset(&terminal->console_fds[1]);
	close_and_reset(&terminal->master_fd);
	close_and_reset(&terminal->input_fd);
	close_and_reset(&terminal->slave_fd);
}
