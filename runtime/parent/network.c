#include "parent/network.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/syscalls.h"

#define NET_PREFIX "net/" /* of the names of all of plan->parent_sysctls */

/* A user namespace of the container's own gives no rights over a network namespace that was there before: what CAP_NET_BIND_SERVICE
 * and CAP_NET_RAW would have given is given to everybody in it, who are the containers of one pod (ip(7), icmp(7)). */
static void allow_low_ports(void)
{
	static const struct {
		const char *path, *initial, *value;
	} settings[] = {
		{ "/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024", "0" },
		{ "/proc/sys/net/ipv4/ping_group_range", "1\t0", "0 2147483647" },
	};
	char text[32];

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		int rc = (int)fd_read_file_at(AT_FDCWD, settings[i].path, text, sizeof(text));

		/* The pod's own sysctls, written with its first container, are to stay with the others. */
		if (rc >= 0 && strcmp(text, settings[i].initial) != 0)
			continue;
		if (rc >= 0)
			rc = fd_write_file_at(AT_FDCWD, settings[i].path, settings[i].value);

		/* A kernel without IPv4, a /proc/sys that is read-only: a program that needs it will say so. */
		if (rc < 0)
			log_debug("parent: %s was not set: error %d", settings[i].path, -rc);
	}
}

/* The name is config.json's: nothing but what is in net/ is ever opened. */
static int write_one(int net_fd, const struct plan_pair *sysctl, struct error *err)
{
	const char *name = sysctl->name + strlen(NET_PREFIX);
	AUTO_CLOSE int fd = sys_openat2(net_fd, name, O_WRONLY | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

	if (fd < 0 || write(fd, sysctl->value, strlen(sysctl->value)) < 0)
		return error_system(err, errno, "linux.sysctl[\"%.200s\"]: write \"%.100s\"", sysctl->name,
				    sysctl->value);
	return 0;
}

int network_set_up(const struct plan *plan, bool low_ports, struct error *err)
{
	AUTO_CLOSE int net_fd = -EBADF;
	int rc = 0;

	if (low_ports)
		allow_low_ports();
	if (plan->n_parent_sysctls == 0)
		return 0;
	net_fd = open("/proc/sys/" NET_PREFIX, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (net_fd < 0)
		return error_system(err, errno, "open /proc/sys/" NET_PREFIX);
	for (size_t i = 0; rc >= 0 && i < plan->n_parent_sysctls; i++)
		rc = write_one(net_fd, &plan->parent_sysctls[i], err);
	return rc;
}
