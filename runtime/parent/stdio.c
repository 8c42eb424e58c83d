#include "parent/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "parent/idmap.h"
#include "plan/plan_id_map.h"

static bool is_in_joined_user_namespace(const struct plan *plan)
{
	for (size_t i = 0; i < plan->namespaces.n_join; i++) {
		if (plan->namespaces.join[i].flag == CLONE_NEWUSER)
			return true;
	}
	return plan->namespaces.enter & CLONE_NEWUSER;
}

/* Of a user namespace that is joined the plan has no maps: a process in it is asked for them. Root where it has none. */
static uid_t uid_on_host(const struct plan *plan, pid_t pid)
{
	unsigned inside, outside, count, uid = plan->process.uid;
	char path[32], text[IDMAP_TEXT_MAX];
	int n;

	if (plan->namespaces.uids.n_ranges || !is_in_joined_user_namespace(plan))
		return plan_id_map_outside(&plan->namespaces.uids, uid);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	if (fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	for (const char *next = text; sscanf(next, "%u %u %u%n", &inside, &outside, &count, &n) == 3; next += n) {
		if (uid >= inside && uid - inside < count)
			return outside + (uid - inside);
	}
	return 0;
}

int stdio_give(const struct plan *plan, pid_t pid, const int streams[static 3], struct error *err)
{
	struct stat status;
	uid_t uid;

	if (plan->process.terminal || geteuid() != 0)
		return 0;
	uid = uid_on_host(plan, pid);
	/* Root opens them anyway, and an ordinary user can't give away what it has. */
	if (uid == 0)
		return 0;
	for (int i = 0; i < 3; i++) {
		int fd = streams[i];

		if (fstat(fd, &status) < 0 || !(S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)) ||
		    status.st_uid == uid)
			continue;
		if (fchown(fd, uid, (gid_t)-1) < 0 && errno != EROFS && errno != EPERM && errno != EINVAL)
			return error_system(err, errno, "give descriptor %d to user %u", i, uid);
	}
	return 0;
}
