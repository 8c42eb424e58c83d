/* Namespaces that clone3(2) could not give: those that are joined, and those that can only be made from within. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/syscalls.h"
#include "child/loopback.h"
#include "child/steps.h"

/* Only what the parent could not join beforehand is left: a user namespace first, then what needs its privileges. */
int namespaces_enter(struct child *child, struct error *err)
{
	const struct plan_namespaces *namespaces = &child->plan->namespaces;

	for (int user = 1; user >= 0; user--) {
		for (size_t i = 0; i < namespaces->n_join; i++) {
			const struct plan_namespace_join *join = &namespaces->join[i];

			if (child->join_fds[i] < 0 || (join->flag == CLONE_NEWUSER) != (user == 1))
				continue;
			if (setns(child->join_fds[i], (int)join->flag) < 0)
				return error_system(err, errno, "join %s", join->path);
		}
	}
	return 0;
}

static int write_time_offsets(const struct plan_namespaces *namespaces, struct error *err)
{
	char text[64];
	int rc;

	for (size_t i = 0; i < namespaces->n_time_offsets; i++) {
		const struct plan_time_offset *offset = &namespaces->time_offsets[i];

		snprintf(text, sizeof(text), "%d %lld %u", offset->clock, (long long)offset->secs, offset->nanosecs);
		rc = fd_write_file_at(AT_FDCWD, "/proc/self/timens_offsets", text);
		if (rc < 0)
			return error_system(err, -rc, "linux.timeOffsets: write \"%s\" (clock, seconds, nanoseconds)",
					    text);
	}
	return 0;
}

/* A cgroup namespace has its root where the process is when it is made: after the moves into the v1 hierarchies. A time
 * namespace takes offsets as long as nobody is in it: execve enters it (time_namespaces(7)). */
int namespaces_unshare_late(struct child *child, struct error *err)
{
	uint64_t late = child->late_namespaces;

	if (late && unshare((int)late) < 0)
		return error_system(err, errno, "unshare %#llx", (unsigned long long)late);
	return late & CLONE_NEWTIME ? write_time_offsets(&child->plan->namespaces, err) : 0;
}

int namespaces_name_host(struct child *child, struct error *err)
{
	const char *host = child->plan->hostname, *domain = child->plan->domainname;

	if (host && sethostname(host, strlen(host)) < 0)
		return error_system(err, errno, "hostname: set \"%s\"", host);
	if (domain && setdomainname(domain, strlen(domain)) < 0)
		return error_system(err, errno, "domainname: set \"%s\"", domain);
	return 0;
}

int namespaces_raise_loopback(struct child *child, struct error *err)
{
	int r;

	if (!(child->plan->namespaces.create & CLONE_NEWNET) || child->has_loopback)
		return 0;
	r = loopback_raise();
	return r < 0 ? error_system(err, -r, "bring up the loopback interface") : 0;
}

/* What the intermediate process (parent/join.c) left to us: privileges over the host's namespaces count until the user namespace is
 * entered, and that can't be joined twice, so the parent says whether it is ours to do. */
int namespaces_enter_container(struct child *child, struct error *err)
{
	uint64_t flags = child->plan->namespaces.enter & (CLONE_NEWTIME | CLONE_NEWCGROUP);

	if (child->joins_user_namespace)
		flags |= CLONE_NEWUSER;
	if (flags && setns(child->container_fd, (int)flags) < 0)
		return error_system(err, errno, "setns");
	return identity_become_root(child, err);
}
