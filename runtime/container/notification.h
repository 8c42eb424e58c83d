/* A system call that a filter asks its listener about: taken without waiting, and answered. Source: seccomp_unotify(2). */
#pragma once

#include <stdint.h>
#include <sys/ioctl.h>
#include <linux/seccomp.h>

/* Linux 6.6; newer than the headers that we are built with may be. */
#define NOTIFICATION_SET_FLAGS _IOW('!', 4, uint64_t)
#define NOTIFICATION_SYNC_WAKE_UP UINT64_C(1)

/* A kernel whose structure is longer than ours has room to write it. */
union notification {
	struct seccomp_notif call;
	char room[256];
};

/* ioctl(2), again after a signal. Returns its result or a negative errno. */
int notification_control(int listener_fd, unsigned long request, void *argument);
/* Returns 1: *ret is there; 0: nothing waits (or who waited was killed); -EPIPE: nobody is left who could make a call; another
 * negative errno: the listener is broken. */
int notification_receive(int listener_fd, union notification *ret);
/* Returns 0, also where who asked was killed, or got a signal and will ask again; or a negative errno. */
int notification_fail(int listener_fd, uint64_t id, int errnum);
/* The kernel does the call as if there were no filter. */
int notification_let_pass(int listener_fd, uint64_t id);
