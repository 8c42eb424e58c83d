/* What the process of an exec says for itself, by a channel on which the test plays it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child/handshake.h"
#include "container/starter.h"

static struct starter *starter;
static int peer_fd;
static struct error err;
static int denials_fd;

/* container_pid: as starter_new_exec has it. */
static void make(pid_t container_pid)
{
	struct brig_process made = { .pid = getpid() };
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	made.newborn_fd = ends[0];
	peer_fd = ends[1];
	cr_assert_eq(starter_new_exec("c", container_pid, &made, &starter), 0);
	cr_assert_eq(starter_fd(starter), ends[0]);
}

static void begin(void)
{
	make(getpid());
}

static void end(void)
{
	starter_free(starter);
	close(peer_fd);
}

static enum starter_answer answer(void)
{
	err = (struct error){ 0 };
	return starter_answer(starter, &denials_fd, &err);
}

static void say(enum handshake_type type)
{
	cr_assert_eq(handshake_send(peer_fd, type, /* error= */ NULL, /* passed_fd= */ -EBADF), 0);
}

static void say_failure(int code)
{
	struct error failure = { 0 };

	error_set(&failure, ERROR_PROGRAM, code, "no luck");
	cr_assert_eq(handshake_send(peer_fd, HANDSHAKE_FAILED, &failure, -EBADF), 0);
}

TestSuite(starter, .init = begin, .fini = end);

Test(starter, silence_is_waited_for)
{
	cr_expect_eq(answer(), STARTER_WAITS);
	cr_expect_eq(denials_fd, -EBADF);
}

Test(starter, ready_and_the_end_is_a_program_that_runs)
{
	say(HANDSHAKE_READY);
	close(peer_fd);
	cr_expect_eq(answer(), STARTER_RUNS, "%s", err.message);
}

Test(starter, ready_alone_is_not)
{
	say(HANDSHAKE_READY);
	cr_expect_eq(answer(), STARTER_WAITS);
	cr_expect_eq(answer(), STARTER_WAITS);
	close(peer_fd);
	cr_expect_eq(answer(), STARTER_RUNS, "%s", err.message);
}

Test(starter, the_end_before_that_is_a_failure)
{
	close(peer_fd);
	cr_expect_eq(answer(), STARTER_FAILED);
	cr_expect(strstr(err.message, "was killed while it was set up"), "%s", err.message);
}

Test(starter, what_fails_after_ready_says_why)
{
	say(HANDSHAKE_READY);
	say_failure(ENOENT);
	cr_expect_eq(answer(), STARTER_FAILED);
	cr_expect_eq(err.kind, ERROR_PROGRAM);
	cr_expect_str_eq(err.message, "no luck");
}

Test(starter, a_listener_after_ready_is_handed_on)
{
	say(HANDSHAKE_READY);
	cr_assert_eq(handshake_send(peer_fd, HANDSHAKE_LISTENER, NULL, peer_fd), 0);
	cr_expect_eq(answer(), STARTER_WAITS);
	cr_expect_geq(fcntl(denials_fd, F_GETFD), 0);
	close(denials_fd);
	close(peer_fd);
	cr_expect_eq(answer(), STARTER_RUNS, "%s", err.message);
}

Test(starter, a_listener_without_one_goes_astray)
{
	say(HANDSHAKE_LISTENER);
	cr_expect_eq(answer(), STARTER_ASTRAY);
}

Test(starter, ready_twice_goes_astray)
{
	say(HANDSHAKE_READY);
	say(HANDSHAKE_READY);
	cr_expect_eq(answer(), STARTER_ASTRAY);
	cr_expect(strstr(err.message, "unexpected message"), "%s", err.message);
}

/* ECONNRESET: a peer that left with something unread. */
Test(starter, the_last_words_of_a_connection_that_was_reset_are_heard)
{
	say(HANDSHAKE_READY);
	say_failure(ENOENT);
	cr_assert_eq(write(starter_fd(starter), "?", 1), 1);
	close(peer_fd);
	cr_expect_eq(answer(), STARTER_FAILED);
	cr_expect_str_eq(err.message, "no luck");
}

Test(starter, what_is_no_message_goes_astray)
{
	cr_assert_eq(write(peer_fd, "?", 1), 1);
	cr_expect_eq(answer(), STARTER_ASTRAY);
	cr_expect(strstr(err.message, "malformed"), "%s", err.message);
}

Test(starter, no_such_process_is_one_where_the_container_lives)
{
	say_failure(ESRCH);
	cr_expect_eq(answer(), STARTER_FAILED);
	cr_expect_eq(err.kind, ERROR_PROGRAM, "%s", err.message);
}

Test(starter, no_such_process_is_no_container_where_that_has_ended)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	cr_assert_eq(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	end();
	make(pid);
	say_failure(ESRCH);
	cr_expect_eq(answer(), STARTER_FAILED);
	cr_expect_eq(err.kind, ERROR_NOT_RUNNING, "%s", err.message);
	waitpid(pid, NULL, 0);
}

static void stop_child(void)
{
	raise(SIGSTOP);
	_exit(0);
}

Test(starter, what_is_stopped_is_seen_the_second_time)
{
	struct brig_process made = { .pid = fork() };

	if (made.pid == 0)
		stop_child();
	cr_assert_eq(waitpid(made.pid, NULL, WUNTRACED), made.pid);
	made.newborn_fd = dup(starter_fd(starter));
	starter_free(starter);
	cr_assert_eq(starter_new_exec("c", getpid(), &made, &starter), 0);
	cr_expect_eq(starter_look(starter, &err), 0);
	cr_expect_eq(starter_look(starter, &err), -ECANCELED);
	cr_expect(strstr(err.message, "was stopped by a signal while it was set up"), "%s", err.message);
	kill(made.pid, SIGKILL);
	waitpid(made.pid, NULL, 0);
}

/* Its end of the channel stays open: the test has a copy. */
Test(starter, what_runs_without_a_word_is_seen)
{
	int gate[2];
	struct brig_process made;

	cr_assert_eq(pipe2(gate, O_CLOEXEC), 0);
	made = (struct brig_process){ .pid = fork() };
	if (made.pid == 0) {
		char byte;

		close(gate[1]);
		if (read(gate[0], &byte, 1) == 0)
			execlp("sleep", "sleep", "60", NULL);
		_exit(1);
	}
	made.newborn_fd = dup(starter_fd(starter));
	starter_free(starter);
	cr_assert_eq(starter_new_exec("c", getpid(), &made, &starter), 0);
	cr_expect_not(starter_has_executed(starter));
	close(gate[1]);
	for (int i = 0; i < 2000 && !starter_has_executed(starter); i++)
		usleep(10000);
	cr_expect(starter_has_executed(starter));
	cr_expect_eq(answer(), STARTER_WAITS);
	kill(made.pid, SIGKILL);
	waitpid(made.pid, NULL, 0);
	cr_expect_not(starter_has_executed(starter));
}
