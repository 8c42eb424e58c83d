#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#define LOCK_PAUSE_MS 2

/* The cap is on what this call reads. One byte more is read to tell "as long as allowed" from "longer". */
int fd_read_all(int fd, size_t max, struct buffer *buffer, const char *what, struct error *err)
{
	size_t got = 0;
	ssize_t n;

	for (;;) {
		/* Room for a byte, to see that there is none. */
		if (buffer->capacity - buffer->length < 2 && buffer_reserve(buffer, 16 * 1024) < 0)
			return error_system(err, -buffer->failed, "read %s", what);
		n = read(fd, buffer->data + buffer->length, buffer->capacity - buffer->length - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_system(err, errno, "read %s", what);
		if (n == 0)
			return 0;
		got += (size_t)n;
		buffer->length += (size_t)n;
		buffer->data[buffer->length] = '\0';
		if (got > max)
			return error_set(err, ERROR_INVALID, EFBIG,
					 "read %s: larger than the %zu bytes that are allowed", what, max);
	}
}

int fd_write_all(int fd, const void *data, size_t length)
{
	const char *next = data;
	ssize_t n;

	while (length > 0) {
		n = write(fd, next, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		next += n;
		length -= (size_t)n;
	}
	return 0;
}

DIR *fd_open_directory_stream(int take_fd)
{
	DIR *directory = take_fd < 0 ? NULL : fdopendir(take_fd);
	int code = errno;

	if (!directory && take_fd >= 0) {
		close(take_fd);
		errno = code;
	}
	return directory;
}

/* A file of the kernel's takes one write(2) as one value: the rest after a short write would be another one, so there is no
 * second try. */
int fd_write_file_at(int dir_fd, const char *path, const char *text)
{
	AUTO_CLOSE int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

ssize_t fd_read_file_at(int dir_fd, const char *path, char *text, size_t size)
{
	AUTO_CLOSE int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t length = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (length < size - 1) {
		n = read(fd, text + length, size - 1 - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	if (length > 0 && text[length - 1] == '\n')
		length--;
	text[length] = '\0';
	return (ssize_t)length;
}

int fd_lock(int fd, int kind, int timeout_ms)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000 * 1000 };

	/* EINTR: flock(2) names it, though with LOCK_NB there is no wait that a signal could end. */
	while (flock(fd, kind | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (timeout_ms <= 0)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
		timeout_ms -= LOCK_PAUSE_MS;
	}
	return 0;
}

int fd_send_list(int socket_fd, const void *data, size_t length, const int *passed_fds, size_t n)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FD_PASSED_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec part = { .iov_base = (void *)data, .iov_len = length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t sent;

	if (n > FD_PASSED_MAX)
		return -EINVAL;
	if (n > 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(&control.header), passed_fds, n * sizeof(int));
	}
	do
		sent = sendmsg(socket_fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return (size_t)sent == length ? 0 : -EMSGSIZE;
}

int fd_send(int socket_fd, const void *data, size_t length, int passed_fd)
{
	return fd_send_list(socket_fd, data, length, &passed_fd, passed_fd >= 0);
}

/* Keeps the first n descriptors of the message in ret_fds and closes the rest. Descriptors that nobody asked for are ours all
 * the same once the message is read, and would stay open for good. */
static void take_passed_fds(struct msghdr *message, int *ret_fds, size_t n)
{
	struct cmsghdr *header;
	size_t n_passed, taken = 0;
	int fd;

	for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		n_passed = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n_passed; i++) {
			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
			if (taken < n)
				ret_fds[taken++] = fd;
			else
				close(fd);
		}
	}
}

ssize_t fd_receive_list(int socket_fd, void *data, size_t size, int *ret_fds, size_t n)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FD_PASSED_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec part = { .iov_base = data, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)
	};
	ssize_t received;

	for (size_t i = 0; i < n; i++)
		ret_fds[i] = -EBADF;
	do
		received = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
	while (received < 0 && errno == EINTR);
	if (received < 0)
		return -errno;
	take_passed_fds(&message, ret_fds, n);
	return received;
}

ssize_t fd_receive(int socket_fd, void *data, size_t size, int *ret_fd)
{
	return fd_receive_list(socket_fd, data, size, ret_fd, ret_fd != NULL);
}

int fd_connect(const char *path, int timeout_ms)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), target = -EBADF;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval timeout = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 };

	/* Bounds connect(2) as well, which waits while the listener's queue is full (socket(7)). */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	if (strlen(path) < sizeof(address.sun_path)) {
		strcpy(address.sun_path, path);
	} else {
		/* A descriptor of the socket file itself is a short name for a long path. */
		target = open(path, O_PATH | O_CLOEXEC);
		if (target < 0)
			return -errno;
		snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", target);
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return steal_fd(&fd);
}
