/* A system call and nothing else: no errno, no cancellation, no library. For code that runs before libc does, or in a process that shares the memory of
 * another one, whose errno is not its to set. */
#pragma once

#include <sys/syscall.h>

#if defined(__x86_64__)
/* number: SYS_*. The result is the kernel's: a negative errno where it failed (syscall(2), "Architecture calling conventions").
 * lint: parameters: what the kernel takes */
static inline long raw_call(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
/* lint: parameters: what the kernel takes */
static inline long raw_call(long number, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
}
#else
#include <errno.h>
#include <unistd.h>

/* Where nobody has written it yet: with libc's errno after all, which another process's call may then find changed. */
/* lint: parameters: what the kernel takes */
static inline long raw_call(long number, long a, long b, long c, long d, long e)
{
	long result = syscall(number, a, b, c, d, e);

	return result < 0 ? -errno : result;
}
#endif
