#include "cmd/metrics-http/privileges.h"

#include <errno.h>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

static int become(uid_t id, struct error *err)
{
	/* The order matters: without root's id the groups can't be changed any more (setresuid(2), which drops capabilities too). */
	if (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 || setresuid(id, id, id) < 0)
		return error_system(err, errno, "become user %u", id);
	if (setresuid(0, 0, 0) == 0)
		return error_set(err, ERROR_INTERNAL, EPERM, "become user %u: root could be had back", id);
	return 0;
}

static int limit(int resource, rlim_t most, struct error *err)
{
	const struct rlimit value = { most, most };

	return setrlimit(resource, &value) < 0 ? error_system(err, errno, "setrlimit") : 0;
}

int privileges_drop(uid_t id, rlim_t n_files, struct error *err)
{
	int rc = 0;

	if (geteuid() == 0 || getuid() == 0)
		rc = id == 0 ? error_set(err, ERROR_USAGE, EINVAL, "option --user: 0 is root, whom nothing is served as")
			     : become(id, err);
	if (rc >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		rc = error_system(err, errno, "set no_new_privs");
	if (rc >= 0)
		rc = limit(RLIMIT_NOFILE, n_files, err);
	return rc < 0 ? rc : limit(RLIMIT_CORE, 0, err);
}
