#include "shim/io/terminal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

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

void terminal_end_input(const struct terminal *terminal)
{
	struct termios mode;
	char keys[2];

	if (terminal->input_fd < 0 || tcgetattr(terminal->input_fd, &mode) < 0)
		return;
	/* Shells in which lines can be edited take every key, and leave OPOST as it is. */
	if (!(mode.c_lflag & ICANON || mode.c_oflag & OPOST) || mode.c_cc[VEOF] == _POSIX_VDISABLE)
		return;
	/* The first may only be the end of a line without one. */
	memset(keys, mode.c_cc[VEOF], sizeof(keys));
	if (write(terminal->input_fd, keys, sizeof(keys)) < 0)
		log_debug("end a terminal's input: errno %d", errno);
}

void terminal_done(struct terminal *terminal)
{
	close_and_reset(&terminal->console_fds[0]);
	close_and_reset(&terminal->console_fds[1]);
	close_and_reset(&terminal->master_fd);
	close_and_reset(&terminal->input_fd);
	close_and_reset(&terminal->slave_fd);
}
