#include <stddef.h>

#include "base/cleanup.h"
#include "child/handshake.h"
#include "child/steps.h"
#include "parent/seccomp/seccomp.h"
#include "parent/seccomp/seccomp_message.h"

static int install(struct child *child, struct error *err)
{
	AUTO_CLOSE int listener_fd = -EBADF;
	const struct handshake_message message = { .type = HANDSHAKE_LISTENER };
	int rc = seccomp_install(child->filter, &listener_fd, err);

	if (rc < 0)
		return error_prefix(err, "linux.seccomp");
	if (listener_fd < 0)
		return 0;
	rc = seccomp_message_send(child->filter, child->channel_fd, &message, offsetof(struct handshake_message, error),
				  listener_fd);
	return rc < 0 ? error_system(err, -rc, "linux.seccomp: hand the listener over") : 0;
}

/* Without no_new_privs the kernel wants CAP_SYS_ADMIN for a filter: it goes in before the capabilities are gone. */
int filter_install_privileged(struct child *child, struct error *err)
{
	return child->filter && !child->plan->process.no_new_privileges ? install(child, err) : 0;
}

int filter_install(struct child *child, struct error *err)
{
	return child->filter && child->plan->process.no_new_privileges ? install(child, err) : 0;
}
