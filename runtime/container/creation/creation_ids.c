#include "container/creation/creation_ids.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/namespace.h"
#include "base/reap.h"
#include "container/creation/id_ranges.h"

#define STACK_SIZE ((size_t)64 * 1024)
#define MAP_TEXT_MAX 256

/* ---- whose is a namespace that is joined? ---- */

struct reader {
	int userns_fd;
	char text[MAP_TEXT_MAX];
	ssize_t length; /* or a negative errno */
};

/* From inside, where the kernel shows a map as it looks from the namespace above. */
static int reader_process(void *data)
{
	struct reader *reader = data;

	if (setns(reader->userns_fd, CLONE_NEWUSER) < 0)
		reader->length = -errno;
	else
		reader->length = fd_read_file_at(AT_FDCWD, "/proc/self/uid_map", reader->text, sizeof(reader->text));
	return 0;
}

/* One line, from 0 on: as we make them. False where it is anything else, or can't be read. */
static bool read_map(int userns_fd, uint32_t *ret_first, uint32_t *ret_size)
{
	struct reader reader = { .userns_fd = userns_fd, .length = -ECHILD };
	AUTO_FREE char *stack = aligned_alloc(16, STACK_SIZE);
	unsigned inside, end = 0;
	pid_t pid;

	/* Shares our memory, and we wait for it, as with vfork. Nobody may look into that from within (CVE-2016-9962): who only plans has
	 * not seen to it yet. */
	if (geteuid() == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return false;
	pid = stack ? clone(reader_process, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, &reader) : -1;
	if (pid < 0)
		return false;
	reap_child(pid);
	return reader.length > 0 && sscanf(reader.text, "%u %u %u %u", &inside, ret_first, ret_size, &end) == 3 &&
	       inside == 0;
}

static bool is_ours(const struct policy_ids *ids, uint32_t first, uint32_t size)
{
	return first >= ids->first && size > 0 && size <= ids->count && first - ids->first <= ids->count - size;
}

/* What can't be opened is join.c's to complain about. */
static int find_owner(const char *path)
{
	AUTO_CLOSE int fd = namespace_open(path);

	return fd < 0 ? fd : ioctl(fd, NS_GET_USERNS);
}

static const char *path_of(const struct spec *spec, uint64_t flag)
{
	for (size_t i = 0; i < spec->linux_.n_namespaces; i++) {
		if (spec->linux_.namespaces[i].type == flag)
			return spec->linux_.namespaces[i].path;
	}
	return NULL;
}

/* A pid namespace is the host's user namespace's (plan_rootfs.locked): of one that is named by a process, that process is asked. */
static int open_of_process(const char *path)
{
	static const char tail[] = "/ns/pid";
	size_t length = strlen(path);
	char user[PATH_MAX];

	if (length <= strlen(tail) || length >= sizeof(user) || strcmp(path + length - strlen(tail), tail) != 0)
		return -ENOENT;
	snprintf(user, sizeof(user), "%.*s/ns/user", (int)(length - strlen(tail)), path);
	return namespace_open(user);
}

static int open_owner(const char *path, uint64_t kind)
{
	AUTO_CLOSE int fd = kind == CLONE_NEWPID ? open_of_process(path) : find_owner(path);

	if (fd < 0 || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWUSER || namespace_is_own(fd, CLONE_NEWUSER))
		return -ENOENT;
	return steal_fd(&fd);
}

/* The first user namespace with a range of ours that is behind one of the namespaces to be joined. */
static void find_pod(const struct spec *spec, const struct policy_ids *range, struct creation_ids *found)
{
	static const uint64_t kinds[] = { CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWPID, CLONE_NEWNET };

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && found->userns_fd < 0; i++) {
		const char *path = path_of(spec, kinds[i]);
		AUTO_CLOSE int fd = path ? open_owner(path, kinds[i]) : -EBADF;

		if (fd >= 0 && read_map(fd, &found->ids.first, &found->ids.size) &&
		    is_ours(range, found->ids.first, found->ids.size))
			found->userns_fd = steal_fd(&fd);
	}
	if (found->userns_fd < 0)
		return;
	/* The descriptor keeps it; for join.c, which opens paths. */
	snprintf(found->join, sizeof(found->join), "/proc/self/fd/%d", found->userns_fd);
	found->ids.join = found->join;
}

/* ---- granting and giving back ---- */

static int state_directory(const struct brig *brig, const char *id, char path[static PATH_MAX], struct error *err)
{
	if (snprintf(path, PATH_MAX, "%s/%s", brig->root, id) >= PATH_MAX)
		return error_system(err, ENAMETOOLONG, "the state directory of %s", id);
	return 0;
}

static int take(const struct brig *brig, const struct plan_request *planned, bool takes, struct host_ids *ids,
		struct error *err)
{
	struct id_ranges ranges = { .directory = ID_RANGES_DIRECTORY,
				    .ids = policy_ids(planned->policy),
				    .given_away = subordinate_ids_files };
	char holder[PATH_MAX];
	int rc = state_directory(brig, planned->id, holder, err);

	if (rc < 0)
		return rc;
	if (ids->join) {
		ranges.ids.size = ids->size;
		return takes ? id_ranges_share(&ranges, ids->first, holder, err) : 0;
	}
	ids->size = ranges.ids.size;
	if (takes)
		return id_ranges_take(&ranges, holder, &ids->first, err);
	ids->first = id_ranges_guess(&ranges, holder);
	return 0;
}

int creation_ids_grant(const struct brig *brig, const struct plan_request *planned, bool takes,
		       struct creation_ids *ret, struct error *err)
{
	const struct policy_ids range = policy_ids(planned->policy);
	bool wanted = false;
	int rc;

	*ret = (struct creation_ids){ .userns_fd = -EBADF };
	rc = plan_userns_is_wanted(planned, &wanted, err);
	if (rc < 0 || !wanted)
		return rc;
	find_pod(planned->spec, &range, ret);
	rc = take(brig, planned, takes, &ret->ids, err);
	ret->ids.granted = rc >= 0;
	return rc < 0 ? error_prefix(err, "a user namespace for %s", planned->id) : 0;
}

void creation_ids_done(struct creation_ids *ids)
{
	close_and_reset(&ids->userns_fd);
}

void creation_ids_recall(const struct state *state, struct plan_request *planned)
{
	planned->ids =
		(struct host_ids){ .granted = state->ids_size > 0, .first = state->ids_first, .size = state->ids_size };
	planned->added_namespaces = state->added_namespaces;
}

int creation_ids_release(const struct brig *brig, const struct state *state, struct error *err)
{
	const struct id_ranges ranges = { .directory = ID_RANGES_DIRECTORY, .ids.size = state->ids_size };
	char holder[PATH_MAX];
	/* Without a time of creation there was no state.json. */
	bool is_unknown = !state->created && geteuid() == 0;
	int rc;

	if (!is_unknown && state->ids_size == 0)
		return 0;
	rc = state_directory(brig, state->id, holder, err);
	if (rc < 0)
		return rc;
	return is_unknown ? id_ranges_release_all(ranges.directory, holder, err)
			  : id_ranges_release(&ranges, state->ids_first, holder, err);
}
