/* The loopback interface of a new network namespace, which is down there: programs expect to reach themselves at 127.0.0.1, and every
 * runtime sees to it. By whoever has the time: the child, or the parent where it was in that namespace. */
#pragma once

#include "base/error.h"

/* A descriptor of the network namespace that the caller is in, for loopback_raise(); the caller's to close. -1, with errno: none. */
int loopback_open(void);
/* fd: loopback_open()'s. It takes a tenth of a millisecond. Errors: those of netdevice(7), as ERROR_SYSTEM. */
int loopback_raise(int fd, struct error *err);
