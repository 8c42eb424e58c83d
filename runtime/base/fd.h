/* Whole reads and writes on descriptors, directories read by them, and descriptors passed over sockets. */
#pragma once

#include <dirent.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"

/* Appends all of fd to buffer. max: bytes; one more is an error (EFBIG) that names `what`. */
int fd_read_all(int fd, size_t max, struct buffer *buffer, const char *what, struct error *err);
/* Writes all of data; retries on EINTR and short writes. Returns 0 or a negative errno. */
int fd_write_all(int fd, const void *data, size_t length);
/* Opens dir_fd/path for writing and writes text with a single write(2), as kernel files want it. Returns 0 or a negative errno. */
int fd_write_file_at(int dir_fd, const char *path, const char *text);
/* Reads a small kernel file whole into text (NUL-terminated, the last newline cut). Returns its length or a negative errno. */
ssize_t fd_read_file_at(int dir_fd, const char *path, char *text, size_t size);

/* fdopendir(3), but the descriptor is taken in any case: where the stream can't be had it is closed. With a negative one there is no
 * stream either, and errno stays what it was. NULL with errno. */
DIR *fd_open_directory_stream(int take_fd);
DEFINE_CLEANUP(DIR *, closedir);

/* flock(2) with kind LOCK_SH or LOCK_EX, waited for timeout_ms at most: flock(2) by itself waits for ever. The lock is the open file's,
 * so that the kernel lets go of it when its holder is killed. Returns 0, -ETIMEDOUT, or another negative errno. */
int fd_lock(int fd, int kind, int timeout_ms);

/* Sends length bytes and, where passed_fd >= 0, that descriptor, in one message (unix(7), SCM_RIGHTS). Returns 0 or a negative errno. */
int fd_send(int socket_fd, const void *data, size_t length, int passed_fd);
/* Receives one message of at most size bytes; *ret_fd (may be NULL) is the descriptor that came along or -EBADF; more than
 * one, or one that is not wanted, is closed. Returns the number of bytes (0: the peer is gone) or a negative errno. */
ssize_t fd_receive(int socket_fd, void *data, size_t size, int *ret_fd);
#define FD_PASSED_MAX 4
/* The same with n of them, at most FD_PASSED_MAX. */
int fd_send_list(int socket_fd, const void *data, size_t length, const int *passed_fds, size_t n);
/* As fd_receive, with the first n (at most FD_PASSED_MAX); -EBADF for those that did not come. */
ssize_t fd_receive_list(int socket_fd, void *data, size_t size, int *ret_fds, size_t n);
#define FD_CONNECT_TIMEOUT_MS 10000
/* Connects to the stream socket at path (also longer than sun_path, by way of its directory). Waits timeout_ms at most for a listener
 * whose queue is full to accept; the same bound holds for each message sent later. A descriptor or a negative errno: -ETIMEDOUT. */
int fd_connect(const char *path, int timeout_ms);
