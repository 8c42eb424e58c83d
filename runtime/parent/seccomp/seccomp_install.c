/* For the child: nothing here needs more than libc. */
#include "parent/seccomp/seccomp.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/seccomp.h>

int seccomp_install(const struct seccomp_program *program, int *ret_listener_fd, struct error *err)
{
	struct sock_fprog filter = { .len = (unsigned short)program->n, .filter = program->instructions };
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, (unsigned)program->flags, &filter);

	if (r < 0)
		return error_system(err, errno, "install the system call filter (%zu instructions, flags 0x%llx)",
				    program->n, (unsigned long long)program->flags);
	*ret_listener_fd = program->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER ? (int)r : -EBADF;
	return 0;
}
