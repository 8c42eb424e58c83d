#include "parent/listener.h"

#include <errno.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "child/state_json.h"

static int format_state(const struct plan *plan, pid_t pid, struct buffer *json)
{
	struct json_writer writer = json_writer_on(json, /* indent= */ 0);

	json_write_object_begin(&writer);
	json_write_member(&writer, "ociVersion", plan->oci_version);
	json_write_key(&writer, "fds");
	json_write_array_begin(&writer);
	json_write_string(&writer, "seccompFd");
	json_write_array_end(&writer);
	json_write_member_int(&writer, "pid", pid);
	if (plan->seccomp.listener_metadata)
		json_write_member(&writer, "metadata", plan->seccomp.listener_metadata);
	json_write_key(&writer, "state");
	state_json_write(&writer, plan, pid, "creating");
	json_write_object_end(&writer);
	return json->failed;
}

int listener_hand_over(const struct plan *plan, pid_t pid, int listener_fd, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer state = { 0 };
	const char *path = plan->seccomp.listener_path;
	AUTO_CLOSE int fd = -EBADF;
	int rc;

	if (!path || listener_fd < 0)
		return error_set(err, ERROR_INTERNAL, EPROTO, "the container sent no listener where one was due");
	if (format_state(plan, pid, &state) < 0)
		return error_memory(err);
	fd = fd_connect(path, FD_CONNECT_TIMEOUT_MS);
	if (fd < 0)
		return error_system(err, -fd, "linux.seccomp.listenerPath: connect to %s", path);
	rc = fd_send(fd, state.data, state.length, listener_fd);
	return rc < 0 ? error_system(err, -rc, "linux.seccomp.listenerPath: send the listener to %s", path) : 0;
}
