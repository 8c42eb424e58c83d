#include "parent/stdio.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parent/idmap.h"

int stdio_give(const struct plan *plan, struct error *err)
{
	uid_t uid = idmap_to_host(&plan->namespaces.uids, plan->process.uid);
	struct stat status;

	/* Root opens them anyway, and an ordinary user can't give away what it has. */
	if (uid == 0 || plan->process.terminal || geteuid() != 0)
		return 0;
	for (int fd = 0; fd < 3; fd++) {
		if (fstat(fd, &status) < 0 || !(S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)) ||
		    status.st_uid == uid)
			continue;
		if (fchown(fd, uid, (gid_t)-1) < 0 && errno != EROFS && errno != EPERM && errno != EINVAL)
			return error_system(err, errno, "give descriptor %d to user %u", fd, uid);
	}
	return 0;
}
