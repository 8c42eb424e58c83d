/* For the child: nothing here needs more than libc. */
#include "parent/seccomp/seccomp.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/seccomp.h>

static int install(const struct sock_filter *instructions, size_t n, uint64_t flags, int *ret_listener_fd,
		   struct error *err)
{
	struct sock_fprog filter = { .len = (unsigned short)n, .filter = (struct sock_filter *)instructions };
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, (unsigned)flags, &filter);

	if (r < 0)
		return error_system(err, errno, "install the system call filter (%zu instructions, flags 0x%llx)", n,
				    (unsigned long long)flags);
	if (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)
		*ret_listener_fd = (int)r;
	return 0;
}

int seccomp_install(const struct seccomp_program *program, int *ret_listener_fd, struct error *err)
{
	AUTO_CLOSE int listener_fd = -EBADF;
	int r = 0;

	if (program->n_floor > 0)
		r = install(program->floor, program->n_floor, program->floor_flags, &listener_fd, err);
	/* The kernel takes one listener a thread: they never both ask for one. */
	if (r == 0)
		r = install(program->instructions, program->n, program->flags, &listener_fd, err);
	if (r < 0)
		return r;
	*ret_listener_fd = steal_fd(&listener_fd);
	return 0;
}
