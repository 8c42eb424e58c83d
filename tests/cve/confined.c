/* confined FOLDER COMMAND...: runs a command where of the machine's files only those of FOLDER, the cgroups and /proc but for its settings can be
 * written: in a mount namespace of its own in which everything else is read-only. What a program that is broken on purpose does to files there
 * stays there; devices, signals and the network are as outside. */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define N_WRITABLE 3
#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static int set(const char *path, unsigned flags, const struct mount_attr *attr)
{
	return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, flags, attr, sizeof(*attr));
}

/* The mounts at path as they are now, to be put there again. */
static int take(const char *path)
{
	int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (fd < 0)
		error(1, errno, "open_tree %s", path);
	return fd;
}

static void put(int fd, const char *path)
{
	if (move_mount(fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		error(1, errno, "move_mount to %s", path);
	close(fd);
}

int main(int argc, char **argv)
{
	static const char *const settings[] = { "/proc/sys", "/proc/sysrq-trigger", "/proc/irq" };
	const char *writable[N_WRITABLE] = { "/proc", "/sys/fs/cgroup", argc > 1 ? argv[1] : NULL };
	const struct mount_attr private = { .propagation = MS_PRIVATE };
	const struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	int fds[N_WRITABLE];

	if (argc < 3)
		error(1, 0, "usage: confined FOLDER COMMAND...");
	if (unshare(CLONE_NEWNS) < 0 || set("/", AT_RECURSIVE, &private) < 0)
		error(1, errno, "a mount namespace of its own");
	for (size_t i = 0; i < N_WRITABLE; i++)
		fds[i] = take(writable[i]);
	if (set("/", AT_RECURSIVE, &read_only) < 0)
		error(1, errno, "make all of it read-only");
	for (size_t i = 0; i < N_WRITABLE; i++)
		put(fds[i], writable[i]);
	for (size_t i = 0; i < ARRAY_LENGTH(settings); i++) {
		if (access(settings[i], F_OK) < 0)
			continue;
		put(take(settings[i]), settings[i]);
		if (set(settings[i], 0, &read_only) < 0)
			error(1, errno, "make %s read-only", settings[i]);
	}
	if (mount("tmpfs", "/run", "tmpfs", 0, "mode=755") < 0 || chdir(argv[1]) < 0)
		error(1, errno, "a /run of its own, and %s", argv[1]);
	/* A container with a user namespace gets a procfs only where one is to be seen that nothing covers (mount_too_revealing). */
	if (mkdir("/run/proc", 0700) < 0 || mount("proc", "/run/proc", "proc", 0, NULL) < 0)
		error(1, errno, "a procfs that nothing covers");
	execvp(argv[2], argv + 2);
	error(1, errno, "execute %s", argv[2]);
}
