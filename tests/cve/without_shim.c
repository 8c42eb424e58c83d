/* The same for what the shim alone has. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "container/brig.h"
#include "shim/io/io.h"
#include "tests/cve/without.h"

/* The process that serves gets variables of its own; here the one that says what is off as well. */
int __wrap_brig_execute_protected(char *const *argv, char *const *envp, struct error *err)
{
	char *extended[8] = { 0 }, off[256];
	size_t n = 0;

	while (envp[n] && n < ARRAY_SIZE(extended) - 2) {
		extended[n] = envp[n];
		n++;
	}
	snprintf(off, sizeof(off), "BRIG_WITHOUT=%s", getenv("BRIG_WITHOUT") ?: "");
	extended[n] = off;
	return __real_brig_execute_protected(argv, extended, err);
}

/* "credentials": whoever gets at the socket is root. */
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
	int rc = __real_getsockopt(fd, level, name, value, length);

	if (rc == 0 && name == SO_PEERCRED && without("credentials"))
		((struct ucred *)value)->uid = 0;
	return rc;
}

/* "output": no limit of it. */
int __wrap_io_open(const struct io_options *options, struct io **ret, struct error *err)
{
	struct io_options changed = *options;

	if (without("output"))
		changed.max_output = 0;
	/* "loggers": any program of the host's. */
	if (without("loggers"))
		changed.check_logger = NULL;
	return __real_io_open(&changed, ret, err);
}

int __wrap_io_limit(struct io *io, uint64_t max_output, const int fds[static 2], struct error *err)
{
	return __real_io_limit(io, without("output") ? UINT64_MAX / 2 : max_output, fds, err);
}
