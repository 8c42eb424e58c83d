#include "child/loopback.h"

#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/raw_call.h"

/* netdevice(7): the kind of socket does not matter. */
int loopback_raise(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	long fd = raw_call(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0), r;

	if (fd < 0)
		return (int)fd;
	r = raw_call(SYS_ioctl, fd, SIOCSIFFLAGS, (long)&request, 0, 0);
	raw_call(SYS_close, fd, 0, 0, 0, 0);
	return (int)r;
}
