/* What a caller hands to create and exec and gets back from them: descriptors, and the new process. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "container/creation/creation.h"

int creation_check_fds(unsigned preserve_fds, struct error *err)
{
	for (unsigned n = 0; n < preserve_fds; n++) {
		int fd = (int)n + 3, flags = fcntl(fd, F_GETFD);

		/* Ours are close-on-exec; what a caller handed down is not. */
		if (flags < 0 || flags & FD_CLOEXEC)
			return error_set(err, ERROR_USAGE, EBADF,
					 "--preserve-fds %u: descriptor %d is not open; open it, or give a smaller number",
					 preserve_fds, fd);
	}
	return 0;
}

int creation_announce(const char *pid_file, const char *pidfd_socket, const struct birth *birth, struct error *err)
{
	AUTO_CLOSE int socket_fd = -EBADF;
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	int rc = 0;

	if (pidfd_socket) {
		socket_fd = fd_connect(pidfd_socket, FD_CONNECT_TIMEOUT_MS);
		rc = socket_fd < 0 ? socket_fd : fd_send(socket_fd, "pidfd", sizeof("pidfd"), birth->pidfd);
		if (rc < 0)
			return error_system(err, -rc, "--pidfd-socket: send to %s", pidfd_socket);
	}
	if (pid_file) {
		buffer_printf(&text, "%d", birth->pid);
		rc = text.failed ? error_memory(err) : file_replace(pid_file, &text, 0644, err);
		if (rc < 0)
			return error_prefix(err, "--pid-file");
	}
	return 0;
}

int creation_hand_over(const struct state *state, struct birth *birth, struct brig_process *ret, struct error *err)
{
	const char *path = state->cgroup_path ?: "";

	if (strlen(path) >= sizeof(ret->cgroup_path))
		return error_invalid(err, "linux.cgroupsPath: has %zu bytes, %zu are the most under a supervisor",
				     strlen(path), sizeof(ret->cgroup_path) - 1);
	ret->pid = birth->pid;
	ret->pidfd = steal_fd(&birth->pidfd);
	ret->denials_fd = steal_fd(&birth->listener_fd);
	ret->newborn_fd = -EBADF;
	ret->is_audited = state->audit;
	ret->cgroup_manager = state->cgroup_manager;
	strcpy(ret->cgroup_path, path);
	return 0;
}
