#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/shim/bundle.h"
#include "cmd/shim/cmd.h"
#include "cmd/shim/pod_socket.h"
#include "cmd/shim/stream.h"
#include "shim/bootstrap/answer.h"
#include "shim/bootstrap/bundle_root.h"
#include "shim/service/service.h"

#define MEMORY_MAX ((size_t)1024 * 1024)
#define MOUNTS_MAX 1024 /* on top of each other */

/* What its steps share. */
struct delete
{
	const struct cmd *cmd;
	struct arena *arena;
	int bundle_fd; /* -EBADF: it is gone */
	pid_t pid;
};

/* The handler's own root is in the bundle: containerd gives `delete` no options. */
static int find_root(const struct delete *delete, const char **ret, struct error *err)
{
	const char *root = NULL;
	int r = delete->bundle_fd < 0 ? 0 : bundle_root_read(delete->bundle_fd, delete->arena, &root, err);

	if (r < 0)
		return r;
	if (!root)
		root = arena_printf(delete->arena, SERVICE_ROOT_DEFAULT "/%s", delete->cmd->arguments.namespace);
	if (!root)
		return error_memory(err);
	*ret = root;
	return 0;
}

/* Whatever state it is in, and also where it never was: containerd calls us after any failure. */
static int delete_container(struct delete *delete, struct error *err)
{
	const char *id = delete->cmd->arguments.id;
	struct brig brig = { 0 };
	struct brig_info info;
	struct error ignored = { 0 };
	int r = find_root(delete, &brig.root, err);

	if (r < 0)
		return r;
	/* The number is for containerd's event; that there is no container, or one without a process, is no obstacle. */
	if (brig_state(&brig, id, delete->arena, &info, &ignored) == 0)
		delete->pid = info.pid;
	return brig_delete(&brig, id, /* force= */ true, err);
}

/* Detached, a mount takes all that is below it along; there may be several on top of each other. */
static int unmount(const struct delete *delete, const char *name, struct error *err)
{
	if (delete->bundle_fd < 0)
		return 0;
	if (fchdir(delete->bundle_fd) < 0)
		return error_system(err, errno, "enter the bundle");
	for (unsigned n = 0; n < MOUNTS_MAX; n++) {
		if (umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
			continue;
		if (errno == EINVAL || errno == ENOENT || errno == ENOTDIR)
			return 0;
		return error_system(err, errno, "unmount %s of the bundle", name);
	}
	return error_set(err, ERROR_SYSTEM, EBUSY, "%s of the bundle: more than %u mounts on top of each other", name,
			 MOUNTS_MAX);
}

static int unmount_rootfs(const struct delete *delete, struct error *err)
{
	return unmount(delete, "rootfs", err);
}

/* A pod's without a pause container. */
static int unmount_shared_memory(const struct delete *delete, struct error *err)
{
	return unmount(delete, "shm", err);
}

/* Of the pod's shim, where that is dead; another container of the pod may have one that lives. */
static int remove_socket(const struct delete *delete, struct error *err)
{
	const char *path = NULL;
	int r = delete->bundle_fd < 0 ? 0 : bundle_read_socket_path(delete->bundle_fd, delete->arena, &path, err);

	return r < 0 || !path ? r : pod_socket_remove_stale(path, err);
}

/* containerd makes the exit event of it that the dead shim could not send: 137, whatever the container ended with. */
static int print_answer(const struct delete *delete, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer answer = { 0 };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	answer_delete((uint32_t) delete->pid, 128 + SIGKILL, now, &answer);
	return stream_write_answer(&answer, err);
}

/* Each step is done whether or not those before it could be; the first failure is what is reported. */
static int run(struct delete *delete, struct error *err)
{
	static int (*const steps[])(const struct delete *, struct error *) = { unmount_rootfs, unmount_shared_memory,
									       remove_socket };
	int result = delete_container(delete, err);

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct error later = { 0 };
		int r = steps[i](delete, &later);

		if (r < 0 && result < 0)
			log_warning("delete %s: %s", delete->cmd->arguments.id, later.message);
		if (r < 0 && result == 0) {
			result = r;
			*err = later;
		}
	}
	return result < 0 ? result : print_answer(delete, err);
}

int cmd_delete(const struct cmd *cmd, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY_MAX);
	AUTO_CLOSE int bundle_fd = bundle_open(cmd->arguments.bundle, err);
	struct delete delete = { .cmd = cmd, .arena = arena, .bundle_fd = bundle_fd };

	if (!arena)
		return error_memory(err);
	if (bundle_fd < 0 && bundle_fd != -ENOENT)
		return bundle_fd;
	return run(&delete, err);
}
