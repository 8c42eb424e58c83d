#include "container/checkpoint/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "container/checkpoint/criu.h"
#include "container/status.h"
#include "container/stored_plan.h"
#include "container/stored_policy.h"
#include "parent/cgroup/cgroup.h"
#include "plan/plan_checkpoint.h"

#define ARENA_MAX ((size_t)64 * 1024 * 1024)
#define MOUNTINFO_MAX ((size_t)4 * 1024 * 1024)
#define FDINFO_MAX 4096

/* What is brought back has what config.json and the images say. A floor that the policy put beneath the container (its filter,
 * its lock on the file system) would be lost, and silently. */
static int check_policy(const struct brig *brig, const struct state *state, const struct plan *plan, struct error *err)
{
	AUTO(policy_done) struct policy policy = { 0 };
	char reason[PLAN_LOST_MAX];
	int rc = stored_policy_load(brig, state, &policy, err);

	if (rc < 0)
		return rc;
	if (plan_checkpoint_loses(&policy, plan, reason))
		return error_set(err, ERROR_REFUSED, EPERM, "the container can't be saved and brought back: %s", reason);
	return 0;
}

static int running_process(const struct container *container, int *ret_pidfd, struct error *err)
{
	enum brig_status status = status_of(container, ret_pidfd);

	if (status == BRIG_RUNNING || status == BRIG_PAUSED)
		return 0;
	return error_set(err, status == BRIG_STOPPED ? ERROR_NOT_RUNNING : ERROR_STATE, EINVAL,
			 "the container is %s; it has to be running or paused", brig_status_name(status));
}

/* In a mount that the container does not see? */
static bool is_from_outside(const char *mounts, uint64_t mount_id)
{
	char own[32];

	snprintf(own, sizeof(own), "%" PRIu64 " ", mount_id);
	if (strncmp(mounts, own, strlen(own)) == 0)
		return false;
	snprintf(own, sizeof(own), "\n%" PRIu64 " ", mount_id);
	return !strstr(mounts, own);
}

/* Of a descriptor that the container has from us, as CRIU calls it; "" where it is the container's own, or closed. */
static const char *stream_name(int process_fd, unsigned number, const char *mounts, struct arena *arena)
{
	char path[32], text[FDINFO_MAX];
	const char *found;
	struct stat status;
	uint64_t mount_id;
	ssize_t n;

	snprintf(path, sizeof(path), "fd/%u", number);
	n = readlinkat(process_fd, path, text, sizeof(text) - 1);
	if (n <= 0 || fstatat(process_fd, path, &status, 0) < 0)
		return "";
	text[n] = '\0';
	if (strncmp(text, "pipe:[", strlen("pipe:[")) == 0)
		return arena_strdup(arena, text);
	snprintf(path, sizeof(path), "fdinfo/%u", number);
	if (S_ISSOCK(status.st_mode) || fd_read_file_at(process_fd, path, text, sizeof(text)) < 0)
		return "";
	found = strstr(text, "mnt_id:");
	if (!found || sscanf(found, "mnt_id: %" SCNu64, &mount_id) != 1 || !is_from_outside(mounts, mount_id))
		return "";
	return arena_printf(arena, "file[%" PRIx64 ":%" PRIx64 "]", mount_id, (uint64_t)status.st_ino);
}

static int name_streams(int process_fd, struct arena *arena, const char *ret[static CRIU_STREAMS], struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer mounts = { .limit = MOUNTINFO_MAX };
	AUTO_CLOSE int fd = openat(process_fd, "mountinfo", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_system(err, errno, "open the container's mountinfo");
	if (fd_read_all(fd, MOUNTINFO_MAX, &mounts, "the container's mountinfo", err) < 0)
		return -EIO;
	for (unsigned i = 0; i < CRIU_STREAMS; i++) {
		ret[i] = stream_name(process_fd, i, mounts.data ?: "", arena);
		if (!ret[i])
			return error_memory(err);
	}
	return 0;
}

/* The folder of the container's group in the v2 tree: by it CRIU stops all at once, also those that are stopped already. */
static int freezer_folder(const struct container *container, struct arena *arena, const char **ret, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	char link[64], path[PATH_MAX];
	ssize_t n = -1;
	int rc = cgroup_open(container->state.cgroup_manager, container->state.cgroup_path, &cgroup, err);

	if (rc < 0)
		return rc;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", cgroup_clone_fd(cgroup));
	if (cgroup_clone_fd(cgroup) >= 0)
		n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return 0;
	path[n] = '\0';
	*ret = arena_strdup(arena, path);
	return *ret ? 0 : error_memory(err);
}

/* By the process's directory in /proc, opened once: while the descriptor is open, the number is not another process's there. */
static int find_out(const struct container *container, struct criu_job *job, struct arena *arena, struct error *err)
{
	char path[32];
	AUTO_CLOSE int process_fd = -EBADF;
	struct stat status;
	int rc;

	snprintf(path, sizeof(path), "/proc/%d", job->pid);
	process_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (process_fd < 0)
		return error_system(err, errno, "open %s", path);
	rc = name_streams(process_fd, arena, job->streams, err);
	if (rc >= 0)
		rc = freezer_folder(container, arena, &job->freezer, err);
	if (rc >= 0 && job->plan->namespaces.n_join > 0) {
		if (fstatat(process_fd, "ns/net", &status, 0) < 0)
			return error_system(err, errno, "look at the container's network namespace");
		job->network_inode = status.st_ino;
	}
	return rc;
}

static int save(const struct container *container, const struct brig_images *asked, const struct plan *plan,
		struct arena *arena, struct error *err)
{
	struct brig_images images = { 0 };
	struct criu_job job = { .images = &images, .plan = plan, .pid = container->state.pid };
	AUTO_CLOSE int criu_fd = -EBADF;
	bool can_skip_lock = false;
	int rc = criu_open(&criu_fd, &can_skip_lock, err);

	if (rc >= 0)
		rc = checkpoint_folders(asked, /* make= */ true, arena, &images, err);
	if (rc >= 0)
		rc = find_out(container, &job, arena, err);
	/* Nobody answers for what is not kept: only connections that go on need the network to be still. */
	job.locks_network = !can_skip_lock || images.tcp_established;
	if (rc >= 0 && !images.pre_dump)
		rc = checkpoint_streams_save(images.path, job.streams, err);
	log_debug("checkpoint: images go to %s", rc >= 0 ? images.path : "nowhere");
	return rc < 0 ? rc : criu_dump(criu_fd, &job, arena, err);
}

static int checkpoint(const struct brig *brig, const struct container *container, const struct brig_images *images,
		      struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	AUTO(plan_free) struct plan *plan = NULL;
	AUTO_CLOSE int pidfd = -EBADF;
	int rc = arena ? running_process(container, &pidfd, err) : error_memory(err);

	if (rc >= 0)
		rc = stored_plan_load(brig, container, &plan, err);
	if (rc >= 0)
		rc = check_policy(brig, &container->state, plan, err);
	return rc < 0 ? rc : save(container, images, plan, arena, err);
}

int brig_checkpoint(const struct brig *brig, const char *id, const struct brig_images *images, struct error *err)
{
	struct container container;
	int rc;

	if (geteuid() != 0)
		return error_set(err, ERROR_UNSUPPORTED, EPERM, "checkpoint %s: CRIU has to run as root", id);
	rc = store_open(brig, id, STORE_LOCKED, &container, err);
	if (rc < 0)
		return rc;
	rc = checkpoint(brig, &container, images, err);
	store_done(&container);
	return rc < 0 ? error_prefix(err, "checkpoint %s", id) : 0;
}
