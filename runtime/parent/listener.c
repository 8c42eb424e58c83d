#include "parent/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/syscalls.h"
#include "child/state_json.h"

static int format_state(const struct plan *plan, pid_t pid, struct buffer *json)
{
	static const char *const fds[] = { "seccompFd" };
	struct json_writer writer = json_writer_on(json, /* indent= */ 0);

	json_write_object_begin(&writer);
	json_write_member(&writer, "ociVersion", plan->oci_version);
	json_write_member_strings(&writer, "fds", fds, ARRAY_SIZE(fds));
	json_write_member_int(&writer, "pid", pid);
	if (plan->seccomp.listener_metadata)
		json_write_member(&writer, "metadata", plan->seccomp.listener_metadata);
	json_write_key(&writer, "state");
	state_json_write(&writer, plan, pid, "creating");
	json_write_object_end(&writer);
	return json->failed;
}

/* ELOOP: a symbolic or magic link leads there, which may lead elsewhere by now than what was decided on. */
static int connect_as_named(const char *path)
{
	AUTO_CLOSE int socket_fd = sys_openat2(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS);
	char name[32];

	if (socket_fd < 0)
		return -errno;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", socket_fd);
	return fd_connect(name, FD_CONNECT_TIMEOUT_MS);
}

int listener_connect(const struct plan *plan, int *ret_agent_fd, struct error *err)
{
	const char *path = plan->seccomp.listener_path;
	int fd;

	if (!path)
		return 0;
	fd = plan->seccomp.listener_held ? connect_as_named(path) : fd_connect(path, FD_CONNECT_TIMEOUT_MS);
	if (fd == -ELOOP && plan->seccomp.listener_held)
		return error_set(err, ERROR_REFUSED, ELOOP,
				 "linux.seccomp.listenerPath: %s leads through a symbolic link: name the socket itself",
				 path);
	if (fd < 0)
		return error_system(err, -fd, "linux.seccomp.listenerPath: connect to %s", path);
	*ret_agent_fd = fd;
	return 0;
}

int listener_hand_over(const struct plan *plan, pid_t pid, int agent_fd, int listener_fd, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer state = { 0 };
	int rc;

	if (agent_fd < 0 || listener_fd < 0)
		return error_set(err, ERROR_INTERNAL, EPROTO, "the container sent no listener where one was due");
	if (format_state(plan, pid, &state) < 0)
		return error_memory(err);
	rc = fd_send(agent_fd, state.data, state.length, listener_fd);
	return rc < 0 ? error_system(err, -rc, "linux.seccomp.listenerPath: send the listener to %s",
				     plan->seccomp.listener_path)
		      : 0;
}
