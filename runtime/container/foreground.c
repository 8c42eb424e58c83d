#include "container/foreground.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/syscalls.h"
#include "container/explain/denial_keeper.h"
#include "container/learn/learn.h"

#define COPY_SIZE 4096
#define NS_PER_MS UINT64_C(1000000)

/* All of them are read from a descriptor, in the same poll(2) as everything else: no handler, and no race between a look and a
 * wait. The child unblocks them again before it executes (child/). */
int foreground_begin(struct foreground *ret, struct error *err)
{
	struct foreground foreground = { .master_fd = -EBADF, .learn_fd = -EBADF };
	sigset_t all;

	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return error_system(err, errno, "block signals");
	foreground.signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (foreground.signal_fd < 0)
		return error_system(err, errno, "signalfd");
	*ret = foreground;
	return 0;
}

static void copy_size(const struct foreground *foreground)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(foreground->master_fd, TIOCSWINSZ, &size);
}

/* Before the program runs, which may ask for the size at once. */
void foreground_size_terminal(struct plan_process *process)
{
	struct winsize size;

	if (process->rows || process->columns || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	process->rows = size.ws_row;
	process->columns = size.ws_col;
}

int foreground_take_terminal(struct foreground *foreground, int master_socket_fd, struct error *err)
{
	struct termios raw;
	char name[64];
	ssize_t n = fd_receive(master_socket_fd, name, sizeof(name), &foreground->master_fd);

	if (n <= 0 || foreground->master_fd < 0)
		return error_system(err, n < 0 ? (int)-n : EPROTO, "receive the container's terminal");
	/* Who has it open with us is nobody: the runtime's child has closed it. */
	if (fcntl(foreground->master_fd, F_SETFL, O_NONBLOCK) < 0)
		return error_system(err, errno, "set O_NONBLOCK on the container's terminal");
	if (tcgetattr(STDIN_FILENO, &foreground->saved) < 0)
		return 0; /* not a terminal: bytes are relayed all the same */
	raw = foreground->saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return error_system(err, errno, "put the terminal into raw mode");
	foreground->raw = true;
	copy_size(foreground);
	return 0;
}

/* One direction of the terminal. What was read is written once there is room: a program that takes no input, or a reader who takes no
 * output, must not keep us from the container's end, from signals and from its time limit. */
struct relay {
	int from_fd, to_fd; /* from_fd: -1 once it is over */
	bool drops; /* what can't be written, and reads on: a program whose terminal nobody reads any more would stand still */
	bool failed; /* a write has */
	size_t length, written;
	char bytes[COPY_SIZE]; /* PIPE_BUF: a pipe that has room takes all of it */
};

static struct pollfd relay_poll(const struct relay *relay)
{
	if (relay->written < relay->length)
		return (struct pollfd){ .fd = relay->to_fd, .events = POLLOUT };
	return (struct pollfd){ .fd = relay->from_fd, .events = POLLIN };
}

/* Where poll(2) had something to tell. EIO is how a pty says that nobody holds its other end. */
static void relay_move(struct relay *relay)
{
	bool writes = relay->written < relay->length;
	ssize_t n = writes ? write(relay->to_fd, relay->bytes + relay->written, relay->length - relay->written)
			   : read(relay->from_fd, relay->bytes, sizeof(relay->bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0 && writes) {
		relay->written += (size_t)n;
		return;
	}
	relay->failed |= writes;
	relay->length = n > 0 ? (size_t)n : 0;
	relay->written = 0;
	if (n <= 0 && !(writes && relay->drops))
		relay->from_fd = -1;
}

/* By pidfd: a number may be another process's by now (pidfd_send_signal(2)). */
static void forward_signals(const struct foreground *foreground, int pidfd)
{
	struct signalfd_siginfo info;

	while (read(foreground->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH && foreground->master_fd >= 0)
			copy_size(foreground);
		/* SIGCHLD is ours; a pipe that broke on our side says nothing about the container's. */
		else if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGPIPE && info.ssi_signo != SIGURG)
			sys_pidfd_send_signal(pidfd, (int)info.ssi_signo);
	}
}

static bool is_told_to_end(const struct foreground *foreground)
{
	struct signalfd_siginfo info;

	while (read(foreground->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT || info.ssi_signo == SIGHUP ||
		    info.ssi_signo == SIGQUIT)
			return true;
	}
	return false;
}

/* What the program wrote before its end is still in the terminal. A reader who takes it slowly is waited for, until a signal. */
static void drain(const struct foreground *foreground, struct relay *relay)
{
	while (relay->from_fd >= 0 && !relay->failed) {
		bool writes = relay->written < relay->length;
		struct pollfd polled[] = { relay_poll(relay), { .fd = foreground->signal_fd, .events = POLLIN } };

		if (poll(polled, ARRAY_SIZE(polled), writes ? -1 : 0) < 0 && errno != EINTR)
			return;
		if (!polled[0].revents && polled[1].revents && is_told_to_end(foreground))
			return;
		if (!writes && !(polled[0].revents & POLLIN))
			return;
		if (polled[0].revents)
			relay_move(relay);
	}
}

/* At the deadline, and once, the process is killed. */
static void keep_deadline(struct foreground *foreground, int pidfd)
{
	if (foreground->deadline == 0 || foreground->timed_out || clock_ns() < foreground->deadline)
		return;
	foreground->timed_out = true;
	sys_pidfd_send_signal(pidfd, SIGKILL);
}

static void keep_denials(struct foreground *foreground, bool is_ready)
{
	uint64_t due;

	if (is_ready && !denial_keeper_serve(foreground->keeper))
		denial_keeper_close(foreground->keeper);
	due = denial_keeper_due(foreground->keeper);
	if (due > 0 && clock_ns() >= due)
		denial_keeper_save(foreground->keeper);
}

static void record_calls(struct foreground *foreground, bool is_ready)
{
	int r = is_ready ? learn_attend(foreground->learn, foreground->learn_fd) : 1;

	if (r < 0)
		log_warning("what the container calls from now on is not recorded, and fails: %s", strerrordesc_np(-r));
	if (r <= 0)
		close_and_reset(&foreground->learn_fd);
}

/* Milliseconds for poll(2), rounded up. */
static int time_left(const struct foreground *foreground)
{
	uint64_t due = denial_keeper_due(foreground->keeper), now, left;

	if (foreground->deadline > 0 && !foreground->timed_out && (due == 0 || foreground->deadline < due))
		due = foreground->deadline;
	if (due == 0)
		return -1;
	now = clock_ns();
	if (now >= due)
		return 0;
	left = (due - now - 1) / NS_PER_MS + 1;
	return left > INT_MAX ? INT_MAX : (int)left;
}

int foreground_wait(struct foreground *foreground, const struct birth *birth, int *ret_exit_status, struct error *err)
{
	struct relay out = { .from_fd = foreground->master_fd, .to_fd = STDOUT_FILENO, .drops = true };
	struct relay in = { .from_fd = foreground->master_fd >= 0 ? STDIN_FILENO : -1, .to_fd = foreground->master_fd };
	struct pollfd polled[] = {
		{ .fd = birth->pidfd, .events = POLLIN },
		{ .fd = foreground->signal_fd, .events = POLLIN },
		relay_poll(&out),
		relay_poll(&in),
		{ .fd = denial_keeper_fd(foreground->keeper), .events = POLLIN },
		{ .fd = foreground->learn_fd, .events = POLLIN },
	};
	siginfo_t info = { 0 };

	while (!polled[0].revents) {
		if (poll(polled, ARRAY_SIZE(polled), time_left(foreground)) < 0 && errno != EINTR)
			return error_system(err, errno, "wait for the container's end");
		keep_deadline(foreground, birth->pidfd);
		if (polled[1].revents)
			forward_signals(foreground, birth->pidfd);
		if (polled[2].revents)
			relay_move(&out);
		polled[2] = relay_poll(&out);
		if (polled[3].revents)
			relay_move(&in);
		polled[3] = relay_poll(&in);
		keep_denials(foreground, polled[4].revents);
		polled[4].fd = denial_keeper_fd(foreground->keeper);
		record_calls(foreground, polled[5].revents);
		polled[5].fd = foreground->learn_fd;
	}
	drain(foreground, &out);
	if (waitid(P_PIDFD, (id_t)birth->pidfd, &info, WEXITED) < 0)
		return error_system(err, errno, "wait for the container's process");
	*ret_exit_status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 0;
}

void foreground_end(struct foreground *foreground)
{
	sigset_t none;

	if (foreground->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &foreground->saved);
	foreground->raw = false;
	close_and_reset(&foreground->master_fd);
	close_and_reset(&foreground->signal_fd);
	close_and_reset(&foreground->learn_fd);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
