/* The loopback interface of a new network namespace, which is down there: programs expect to reach themselves at 127.0.0.1, and every
 * runtime sees to it. By whoever made that namespace and is in it. */
#pragma once

/* It takes a tenth of a millisecond. Returns 0 or a negative errno, those of netdevice(7); errno itself is left alone. */
int loopback_raise(void);
