#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "tests/support/scratch.h"

#define BUFFER(name) __attribute__((cleanup(buffer_done_cleanup))) struct buffer name = { 0 }

struct pair {
	int ours, theirs;
};

static struct pair pair_new(int type)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
	return (struct pair){ fds[0], fds[1] };
}

static int file_with(const struct scratch *scratch, size_t length)
{
	int fd = openat(scratch->fd, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	for (size_t i = 0; i < length; i++)
		cr_assert_eq(write(fd, "x", 1), 1);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

Test(fd, read_all_takes_exactly_the_limit)
{
	SCRATCH(scratch);
	BUFFER(buffer);
	struct error err = { 0 };
	AUTO_CLOSE int fd = file_with(&scratch, 100);

	cr_assert_eq(fd_read_all(fd, 100, &buffer, "f", &err), 0);
	cr_assert_eq(buffer.length, 100);
	cr_assert_eq(strlen(buffer.data), 100);
}

Test(fd, read_all_refuses_one_byte_more)
{
	SCRATCH(scratch);
	BUFFER(buffer);
	struct error err = { 0 };
	AUTO_CLOSE int fd = file_with(&scratch, 101);

	cr_assert_eq(fd_read_all(fd, 100, &buffer, "the list", &err), -EFBIG);
	cr_assert_eq(err.kind, ERROR_INVALID);
	cr_assert_not_null(strstr(err.message, "the list"));
	cr_assert_not_null(strstr(err.message, "100"));
}

/* Whoever writes without end must not make us read without end. */
Test(fd, read_all_stops_early_on_an_endless_file)
{
	BUFFER(buffer);
	AUTO_CLOSE int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	cr_assert_eq(fd_read_all(fd, 1000, &buffer, "zero", NULL), -EFBIG);
	cr_assert_lt(buffer.length, 64 * 1024);
}

Test(fd, read_all_appends_and_names_what_failed)
{
	BUFFER(buffer);
	struct error err = { 0 };

	buffer_append_text(&buffer, "before ");
	cr_assert_eq(fd_read_all(-1, 10, &buffer, "the thing", &err), -EBADF);
	cr_assert_str_eq(err.message, "read the thing: Bad file descriptor");
	cr_assert_eq(buffer.length, 7);
}

Test(fd, write_all_survives_short_writes)
{
	static char data[1 << 20];
	struct pair pair = pair_new(SOCK_STREAM);
	size_t got = 0;
	char text[4096];
	ssize_t n;
	pid_t pid = fork();

	if (pid == 0) {
		close(pair.theirs);
		_exit(fd_write_all(pair.ours, data, sizeof(data)) == 0 ? 0 : 1);
	}
	close(pair.ours);
	while ((n = read(pair.theirs, text, sizeof(text))) > 0)
		got += (size_t)n;
	cr_assert_eq(got, sizeof(data));
	waitpid(pid, NULL, 0);
	close(pair.theirs);
}

Test(fd, write_all_tells_of_a_full_device)
{
	AUTO_CLOSE int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	cr_assert_eq(fd_write_all(fd, "x", 1), -ENOSPC);
	cr_assert_eq(fd_write_all(-1, "x", 1), -EBADF);
	cr_assert_eq(fd_write_all(-1, "x", 0), 0);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

Test(fd, directory_stream_takes_the_descriptor)
{
	SCRATCH(scratch);
	int fd = openat(scratch.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;

	scratch_file(&scratch, "a", "", 0600);
	{
		AUTO(closedir) DIR *directory = fd_open_directory_stream(fd);

		cr_assert_not_null(directory);
		while (readdir(directory))
			n++;
		cr_expect_eq(n, 3, "two dots and a file");
	}
	cr_expect_not(is_open(fd));
}

Test(fd, directory_stream_that_fails_closes_the_descriptor)
{
	SCRATCH(scratch);
	int fd = file_with(&scratch, 0);

	errno = 0;
	cr_assert_null(fd_open_directory_stream(fd));
	cr_expect_eq(errno, ENOTDIR);
	cr_expect_not(is_open(fd));
	errno = EMFILE;
	cr_assert_null(fd_open_directory_stream(-1));
	cr_expect_eq(errno, EMFILE, "what kept the caller from a descriptor");
}

Test(fd, small_files)
{
	SCRATCH(scratch);
	char text[8];

	scratch_file(&scratch, "a", "12345\n", 0600);
	cr_assert_eq(fd_read_file_at(scratch.fd, "a", text, sizeof(text)), 5);
	cr_assert_str_eq(text, "12345");
	cr_assert_eq(fd_write_file_at(scratch.fd, "a", "67"), 0);
	cr_assert_eq(fd_read_file_at(scratch.fd, "a", text, sizeof(text)), 5, "no truncation, as kernel files want it");
	cr_assert_str_eq(text, "67345");
	scratch_file(&scratch, "long", "1234567890", 0600);
	cr_assert_eq(fd_read_file_at(scratch.fd, "long", text, sizeof(text)), 7);
	cr_assert_str_eq(text, "1234567");
	scratch_file(&scratch, "empty", "", 0600);
	cr_assert_eq(fd_read_file_at(scratch.fd, "empty", text, sizeof(text)), 0);
	cr_assert_str_eq(text, "");
	cr_assert_eq(fd_read_file_at(scratch.fd, "none", text, sizeof(text)), -ENOENT);
	cr_assert_eq(fd_write_file_at(scratch.fd, "none", "x"), -ENOENT);
	cr_assert_not(scratch_has(&scratch, "none"), "a kernel file is never made");
}

Test(fd, message_with_a_descriptor)
{
	struct pair pair = pair_new(SOCK_SEQPACKET);
	AUTO_CLOSE int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char text[16];
	int fd = -2;

	cr_assert_eq(fd_send(pair.ours, "abc", 3, null_fd), 0);
	cr_assert_eq(fd_receive(pair.theirs, text, sizeof(text), &fd), 3);
	cr_assert_eq(memcmp(text, "abc", 3), 0);
	cr_assert_geq(fd, 0);
	cr_assert_neq(fd, null_fd);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC, "it must not leak into a program");
	close(fd);
	cr_assert_eq(fd_send(pair.ours, "de", 2, -EBADF), 0);
	cr_assert_eq(fd_receive(pair.theirs, text, sizeof(text), &fd), 2);
	cr_assert_eq(fd, -EBADF);
}

Test(fd, message_with_several_descriptors)
{
	struct pair pair = pair_new(SOCK_SEQPACKET);
	int sent[FD_PASSED_MAX + 1] = { 0, 1, 2 }, got[FD_PASSED_MAX];
	size_t before = scratch_count_fds();
	char text[4];

	cr_assert_eq(fd_send_list(pair.ours, "abc", 3, sent, 3), 0);
	cr_assert_eq(fd_receive_list(pair.theirs, text, sizeof(text), got, FD_PASSED_MAX), 3);
	cr_expect(got[0] >= 0 && got[1] >= 0 && got[2] >= 0);
	cr_expect_eq(got[3], -EBADF);
	for (size_t i = 0; i < 3; i++)
		close(got[i]);
	cr_assert_eq(fd_send_list(pair.ours, "abc", 3, sent, 3), 0);
	cr_assert_eq(fd_receive_list(pair.theirs, text, sizeof(text), got, 1), 3);
	close(got[0]);
	cr_expect_eq(scratch_count_fds(), before, "those that do not fit are closed");
	cr_expect_eq(fd_send_list(pair.ours, "abc", 3, sent, FD_PASSED_MAX + 1), -EINVAL);
}

Test(fd, descriptor_that_nobody_wants_is_closed)
{
	struct pair pair = pair_new(SOCK_SEQPACKET);
	size_t before = scratch_count_fds();
	char text[16];

	cr_assert_eq(fd_send(pair.ours, "abc", 3, 0), 0);
	cr_assert_eq(fd_receive(pair.theirs, text, sizeof(text), NULL), 3);
	cr_assert_eq(scratch_count_fds(), before);
}

static void send_many(int socket_fd, size_t n)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(64 * sizeof(int))];
	} control = { 0 };
	struct iovec part = { .iov_base = "x", .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = CMSG_SPACE(n * sizeof(int)) };

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(n * sizeof(int));
	memset(CMSG_DATA(&control.header), 0, n * sizeof(int));
	cr_assert_eq(sendmsg(socket_fd, &message, 0), 1, "%s", strerror(errno));
}

/* A peer must not be able to fill our table of descriptors: one is kept, the rest closed, also beyond our own room for them. */
Test(fd, flood_of_descriptors)
{
	static const size_t counts[] = { 2, 4, 5, 64 };
	struct pair pair = pair_new(SOCK_SEQPACKET);
	size_t before = scratch_count_fds();
	char text[16];
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		send_many(pair.ours, counts[i]);
		cr_assert_eq(fd_receive(pair.theirs, text, sizeof(text), &fd), 1);
		cr_assert_geq(fd, 0);
		cr_assert_eq(scratch_count_fds(), before + 1, "%zu were sent", counts[i]);
		close(fd);
	}
}

Test(fd, peer_that_is_gone)
{
	struct pair pair = pair_new(SOCK_SEQPACKET);
	char text[16];
	int fd;

	close(pair.theirs);
	cr_assert_eq(fd_send(pair.ours, "abc", 3, -EBADF), -EPIPE, "and no SIGPIPE");
	cr_assert_eq(fd_receive(pair.ours, text, sizeof(text), &fd), 0);
	cr_assert_eq(fd, -EBADF);
	cr_assert_eq(fd_receive(-1, text, sizeof(text), &fd), -EBADF);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 4), 0);
	return fd;
}

Test(fd, connects_to_short_and_long_paths)
{
	SCRATCH(scratch);
	char path[512], name[256];
	AUTO_CLOSE int listening_fd = -EBADF, near_fd = -EBADF, far_fd = -EBADF;

	memset(name, 'd', 150);
	name[150] = '\0';
	scratch_directory(&scratch, name);
	cr_assert_eq(fchdir(scratch.fd), 0);
	listening_fd = listen_at("socket");
	near_fd = fd_connect("socket", FD_CONNECT_TIMEOUT_MS);
	cr_assert_geq(near_fd, 0, "%s", strerror(-near_fd));
	snprintf(path, sizeof(path), "%s/%s", scratch.path, name);
	cr_assert_gt(strlen(path), sizeof(((struct sockaddr_un *)NULL)->sun_path));
	strcat(path, "/socket");
	cr_assert_eq(renameat(scratch.fd, "socket", AT_FDCWD, path), 0);
	far_fd = fd_connect(path, FD_CONNECT_TIMEOUT_MS);
	cr_assert_geq(far_fd, 0, "%s", strerror(-far_fd));
}

/* Nobody accepts: the kernel takes backlog + 1 of them, then lets callers wait. */
Test(fd, connects_within_a_bound, .timeout = 20)
{
	SCRATCH(scratch);
	AUTO_CLOSE int listening_fd = -EBADF, first_fd = -EBADF, later_fd = -EBADF;

	cr_assert_eq(fchdir(scratch.fd), 0);
	listening_fd = listen_at("socket");
	cr_assert_eq(listen(listening_fd, 0), 0);
	first_fd = fd_connect("socket", /* timeout_ms= */ 100);
	cr_assert_geq(first_fd, 0, "%s", strerror(-first_fd));
	cr_expect_eq(fd_connect("socket", /* timeout_ms= */ 100), -ETIMEDOUT);
	close(accept(listening_fd, NULL, NULL));
	later_fd = fd_connect("socket", /* timeout_ms= */ 100);
	cr_expect_geq(later_fd, 0, "there is room again: %s", strerror(-later_fd));
}

Test(fd, connects_to_sockets_alone)
{
	SCRATCH(scratch);
	char path[256];

	scratch_file(&scratch, "file", "", 0600);
	snprintf(path, sizeof(path), "%s/file", scratch.path);
	cr_assert_eq(fd_connect(path, FD_CONNECT_TIMEOUT_MS), -ECONNREFUSED);
	snprintf(path, sizeof(path), "%s/none", scratch.path);
	cr_assert_eq(fd_connect(path, FD_CONNECT_TIMEOUT_MS), -ENOENT);
}

/* ---- locks ---- */

static int open_again(const struct scratch *scratch)
{
	int fd = openat(scratch->fd, "file", O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	return fd;
}

Test(fd, lock_is_refused_after_its_time)
{
	SCRATCH(scratch);
	AUTO_CLOSE int ours = file_with(&scratch, 0);
	AUTO_CLOSE int theirs = open_again(&scratch);

	cr_assert_eq(fd_lock(ours, LOCK_SH, 0), 0);
	cr_expect_eq(fd_lock(theirs, LOCK_SH, 0), 0, "two readers");
	cr_expect_eq(fd_lock(theirs, LOCK_EX, 0), -ETIMEDOUT, "at once");
	cr_expect_eq(fd_lock(theirs, LOCK_EX, 20), -ETIMEDOUT);
	cr_expect_eq(fd_lock(-1, LOCK_EX, 20), -EBADF);
}

/* It is the open file's: the end of its holder is the end of the lock. */
Test(fd, lock_is_had_once_its_holder_is_gone)
{
	SCRATCH(scratch);
	AUTO_CLOSE int ours = file_with(&scratch, 0);
	struct pair pair = pair_new(SOCK_STREAM);
	char byte = 0;
	pid_t pid = fork();

	if (pid == 0) {
		AUTO_CLOSE int held = open_again(&scratch);

		byte = fd_lock(held, LOCK_EX, 0) == 0 ? 'l' : '?';
		(void)!write(pair.theirs, &byte, 1);
		pause();
		_exit(0);
	}
	cr_assert_eq(read(pair.ours, &byte, 1), 1);
	cr_assert_eq(byte, 'l');
	cr_expect_eq(fd_lock(ours, LOCK_EX, 0), -ETIMEDOUT);
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_expect_eq(fd_lock(ours, LOCK_EX, 10000), 0, "by a signal");
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
	close(pair.ours);
	close(pair.theirs);
}
