/* The program's first instructions, before libc's. create, run, exec and sandbox execute brig once more from a read-only mount
 * (docs/adr/0005); done here, the first of the two executions does not pay for the start of a C library, whose look at the
 * processor (CPUID) alone costs a virtual machine some hundred microseconds.
 *
 * Nothing of libc works yet: no calls, no errno, no stack protector. Whatever fails here is left to
 * brig_protect_executable(), which those commands call from main(), does the same and says what went wrong. */
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include "base/raw_call.h"

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

#define EARLY __attribute__((no_stack_protector, no_sanitize("address", "undefined"), used))

void entry_protect(long *stack);

#if defined(__x86_64__)
/* The stack pointer, and rdx for atexit, are what the kernel promises to _start (System V ABI, "Process Initialization"). */
__asm__(".text\n.globl brig_entry\n.type brig_entry, @function\nbrig_entry:\n"
	"	xorl %ebp, %ebp\n	movq %rsp, %rbx\n	movq %rdx, %r12\n	movq %rsp, %rdi\n"
	"	andq $-16, %rsp\n	call entry_protect\n"
	"	movq %rbx, %rsp\n	movq %r12, %rdx\n	jmp _start\n");
#elif defined(__aarch64__)
__asm__(".text\n.globl brig_entry\n.type brig_entry, %function\nbrig_entry:\n"
	"	mov x29, #0\n	mov x19, sp\n	mov x20, x0\n	mov x0, sp\n	bl entry_protect\n"
	"	mov sp, x19\n	mov x0, x20\n	b _start\n");
#else
#error "brig_entry is written for x86_64 and aarch64; build with --disable-static-programs elsewhere"
#endif

EARLY static bool is_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* The word may also be an option's value or a container's name: then one execution too many is made, never one too few, and main() closes
 * what it was made by. */
EARLY static bool names_a_birth(char *const *argv)
{
	for (; *argv; argv++) {
		if (is_same(*argv, "create") || is_same(*argv, "run") || is_same(*argv, "exec") ||
		    is_same(*argv, "sandbox"))
			return true;
	}
	return false;
}

EARLY void entry_protect(long *stack)
{
	char *const *argv = (char *const *)(stack + 1), *const *envp = argv + *stack + 1;
	struct statfs status;
	struct mount_attr attr;
	long exe_fd, mount_fd;

	if (!names_a_birth(argv))
		return;
	exe_fd = raw_call(SYS_openat, AT_FDCWD, (long)"/proc/self/exe", O_PATH | O_CLOEXEC, 0, 0);
	if (exe_fd < 0)
		return;
	if (raw_call(SYS_fstatfs, exe_fd, (long)&status, 0, 0, 0) == 0 && !(status.f_flags & ST_RDONLY)) {
		/* Stays open, unless it would take a standard stream's place: to close the last descriptor of such a mount is a wait
		 * for all processors, for which brig_release_executable() has the time. */
		mount_fd = raw_call(SYS_open_tree, exe_fd, (long)"", AT_EMPTY_PATH | OPEN_TREE_CLONE, 0, 0);
		if (mount_fd >= 0 && mount_fd < 3)
			raw_call(SYS_fcntl, mount_fd, F_SETFD, FD_CLOEXEC, 0, 0);
		attr.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV;
		attr.attr_clr = attr.propagation = attr.userns_fd = 0;
		if (mount_fd >= 0 &&
		    raw_call(SYS_mount_setattr, mount_fd, (long)"", AT_EMPTY_PATH, (long)&attr, sizeof(attr)) == 0)
			raw_call(SYS_execveat, mount_fd, (long)"", (long)argv, (long)envp, AT_EMPTY_PATH);
		if (mount_fd >= 0)
			raw_call(SYS_close, mount_fd, 0, 0, 0, 0);
	}
	raw_call(SYS_close, exe_fd, 0, 0, 0, 0);
}
