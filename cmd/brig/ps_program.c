#include "cmd/brig/ps_program.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/reap.h"

#define ARGUMENTS_MAX 64
#define OUTPUT_MAX ((size_t)64 * 1024 * 1024)

static int build_argv(const char *const *arguments, char *argv[ARGUMENTS_MAX + 2], struct error *err)
{
	static const char *const all_in_full[] = { "-ef", NULL };
	size_t n = 0;

	/* containerd passes one empty argument where its caller gave none. */
	if (!arguments || (!*arguments[0] && !arguments[1]))
		arguments = all_in_full;
	argv[n++] = (char *)"ps";
	for (; *arguments; arguments++) {
		if (n > ARGUMENTS_MAX)
			return error_set(err, ERROR_USAGE, EINVAL, "more than %d arguments for ps", ARGUMENTS_MAX);
		argv[n++] = (char *)*arguments;
	}
	argv[n] = NULL;
	return 0;
}

/* By absolute path and in an environment of ours: brig may be root and called with somebody else's. */
static int spawn(char *const argv[], int output_fd, pid_t *ret_pid, struct error *err)
{
	static const char *const paths[] = { "/usr/bin/ps", "/bin/ps" };
	char *const environment[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"LC_ALL=C",
				      (char *)"COLUMNS=4096", NULL };
	posix_spawn_file_actions_t actions;
	int r;

	r = posix_spawn_file_actions_init(&actions);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
	if (r != 0)
		return error_system(err, r, "prepare the execution of ps");
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		r = posix_spawn(ret_pid, paths[i], &actions, NULL, argv, environment);
		if (r != ENOENT)
			break;
	}
	posix_spawn_file_actions_destroy(&actions);
	return r ? error_system(err, r, "execute %s", paths[0]) : 0;
}

static int reap(pid_t pid, struct error *err)
{
	int status = reap_child(pid);

	if (status < 0)
		return error_system(err, -status, "wait for ps");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status))
		return error_set(err, ERROR_SYSTEM, EIO, "ps ended with status %d; it printed the reason above",
				 WEXITSTATUS(status));
	return error_set(err, ERROR_SYSTEM, EIO, "ps was ended by signal %d", WTERMSIG(status));
}

int ps_program_run(const char *const *arguments, struct buffer *output, struct error *err)
{
	char *argv[ARGUMENTS_MAX + 2];
	AUTO_CLOSE int read_fd = -EBADF;
	AUTO_CLOSE int write_fd = -EBADF;
	int fds[2], r, reaped;
	pid_t pid = 0;

	r = build_argv(arguments, argv, err);
	if (r < 0)
		return r;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_system(err, errno, "make a pipe for ps");
	read_fd = fds[0];
	write_fd = fds[1];
	r = spawn(argv, write_fd, &pid, err);
	if (r < 0)
		return r;
	close_and_reset(&write_fd);
	r = fd_read_all(read_fd, OUTPUT_MAX, output, "the output of ps", err);
	/* A ps that still writes ends by SIGPIPE. */
	close_and_reset(&read_fd);
	reaped = reap(pid, r < 0 ? NULL : err);
	return r < 0 ? r : reaped;
}

/* The n-th word of line, which ends at its newline; NULL where there are fewer. */
static const char *word_at(const char *line, size_t n)
{
	for (;; n--) {
		line += strspn(line, " \t");
		if (!*line || *line == '\n')
			return NULL;
		if (n == 0)
			return line;
		line += strcspn(line, " \t\n");
	}
}

static int find_pid_column(const char *heading, size_t *ret)
{
	const char *word;

	for (size_t i = 0; (word = word_at(heading, i)); i++) {
		if (!strncmp(word, "PID", 3) && strspn(word + 3, " \t\n") > 0) {
			*ret = i;
			return 0;
		}
	}
	return -ENOENT;
}

static bool is_wanted(const char *line, size_t column, const pid_t *pids, size_t n)
{
	const char *word = word_at(line, column);
	long pid = word ? strtol(word, NULL, 10) : 0;

	for (size_t i = 0; i < n; i++)
		if (pid > 0 && pids[i] == pid)
			return true;
	return false;
}

int ps_program_filter(const char *table, const pid_t *pids, size_t n, struct buffer *ret, struct error *err)
{
	const char *line = table, *next;
	size_t column = 0;

	if (find_pid_column(table, &column) < 0)
		return error_invalid(err, "ps printed no column PID: ask for it, as in \"-eo pid,comm\"");
	for (; *line; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (line == table || is_wanted(line, column, pids, n))
			buffer_append(ret, line, (size_t)(next - line));
	}
	return 0;
}
