#include "container/apparmor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/reap.h"
#include "container/brig.h"
#include "parent/host.h"
#include "plan/plan.h"

#define MESSAGE_MAX ((size_t)64 * 1024)

static const char *const argv[] = { "apparmor_parser", "--replace", "--skip-cache", NULL };
/* Into the namespace, which it makes. */
static const char *const argv_stacked[] = { "apparmor_parser",	     "--replace", "--skip-cache", "--namespace",
					    PLAN_APPARMOR_NAMESPACE, NULL };
static const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
static const char *const places[] = { "/usr/sbin/apparmor_parser", "/sbin/apparmor_parser" };

/* Whatever root runs belongs to root. */
static int open_parser(struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		AUTO_CLOSE int fd = open(places[i], O_PATH | O_CLOEXEC);
		struct stat status;

		if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == 0 &&
		    !(status.st_mode & (S_IWGRP | S_IWOTH)))
			return steal_fd(&fd);
	}
	return error_set(err, ERROR_UNSUPPORTED, ENOENT,
			 "no apparmor_parser that belongs to root in /usr/sbin or /sbin: install the package apparmor");
}

static int open_text(struct error *err)
{
	AUTO_CLOSE int fd = memfd_create("brig-default", MFD_CLOEXEC);
	size_t length = strlen(apparmor_text);

	if (fd < 0 || fd_write_all(fd, apparmor_text, length) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return error_system(err, errno, "keep the profile in memory");
	return steal_fd(&fd);
}

/* fds: the parser, and the text. */
static _Noreturn void be_parser(const char *const *arguments, const int fds[2], int output_fd, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(fds[1], 0) < 0 || dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0)
		_exit(127);
	execveat(fds[0], "", (char *const *)arguments, (char *const *)environment, AT_EMPTY_PATH);
	_exit(127);
}

/* What it says, up to its end. Returns its exit status, or a negative errno with err set. */
static int run_parser(const char *const *arguments, const int parser_and_text[2], struct buffer *said, struct error *err)
{
	int fds[2] = { -EBADF, -EBADF }, status = 0, rc;
	pid_t parent = getpid(), pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_system(err, errno, "make a pipe for apparmor_parser");
	pid = fork();
	if (pid == 0)
		be_parser(arguments, parser_and_text, fds[1], parent);
	close(fds[1]);
	rc = pid < 0 ? error_system(err, errno, "fork for apparmor_parser")
		     : fd_read_all(fds[0], MESSAGE_MAX, said, "what apparmor_parser says", err);
	close(fds[0]);
	if (pid > 0)
		status = reap_child(pid);
	if (rc < 0)
		return rc;
	if (status < 0)
		return error_system(err, -status, "wait for apparmor_parser");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int brig_apparmor_print(struct buffer *out)
{
	buffer_append_text(out, apparmor_text);
	return out->failed;
}

static int load(const char *const *arguments, const char *where, struct error *err)
{
	AUTO_CLOSE int parser_fd = open_parser(err);
	AUTO_CLOSE int text_fd = -EBADF;
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer said = { 0 };
	int rc;

	if (parser_fd < 0)
		return parser_fd;
	text_fd = open_text(err);
	if (text_fd < 0)
		return text_fd;
	rc = run_parser(arguments, (const int[]){ parser_fd, text_fd }, &said, err);
	if (rc <= 0)
		return rc;
	return error_set(err, ERROR_SYSTEM, EIO,
			 "load the profile " PLAN_APPARMOR_DEFAULT "%s: apparmor_parser ended with %d: %.600s", where,
			 rc, said.data ?: "");
}

int brig_apparmor_load(struct error *err)
{
	int rc;

	if (!host_has_apparmor())
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "load the profile " PLAN_APPARMOR_DEFAULT
				 ": AppArmor is off on this host; boot with apparmor=1 security=apparmor");
	rc = load(argv, "", err);
	/* Kernels before 4.13 have nothing to stack. */
	if (rc < 0 || access("/sys/kernel/security/apparmor/features/domain/stack", F_OK) < 0)
		return rc;
	return load(argv_stacked, " into the namespace " PLAN_APPARMOR_NAMESPACE, err);
}
