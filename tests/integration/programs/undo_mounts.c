/* What root of a container might try against its mounts. Arguments: the read-only mounts, the masks and what else must stay. Prints a
 * line for each attempt that the kernel let through, and at the end how many were made. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int attempts;

static void expect_failure(const char *what, const char *path, long result)
{
	attempts++;
	if (result >= 0)
		printf("%s: %s got through\n", path, what);
}

/* The whole of a tree without its flags: what is cloned by itself must not come without them either. */
static void clone_and_clear(const char *path)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };
	long fd = syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (fd < 0) {
		attempts++;
		return;
	}
	expect_failure("clearing the flags of a clone", path,
		       syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)));
	close((int)fd);
}

/* Shows what is beneath the mounts: a bind without what is mounted on top. */
static void look_beneath(const char *path)
{
	char parent[4096], *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	slash[slash == parent] = '\0';
	mkdir("/tmp/beneath", 0700);
	expect_failure("binding what is beneath", path, mount(parent, "/tmp/beneath", NULL, MS_BIND, NULL));
}

static void attack(const char *path)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };

	expect_failure("umount", path, umount2(path, 0));
	expect_failure("detaching", path, umount2(path, MNT_DETACH));
	expect_failure("remounting", path, mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL));
	expect_failure("remounting the file system", path, mount(NULL, path, NULL, MS_REMOUNT, NULL));
	expect_failure("clearing the flags", path,
		       syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attr, sizeof(attr)));
	clone_and_clear(path);
	look_beneath(path);
	mkdir("/tmp/elsewhere", 0700);
	close(open("/tmp/elsewhere-file", O_CREAT | O_CLOEXEC, 0600));
	expect_failure("moving to a directory", path, mount(path, "/tmp/elsewhere", NULL, MS_MOVE, NULL));
	expect_failure("moving to a file", path, mount(path, "/tmp/elsewhere-file", NULL, MS_MOVE, NULL));
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "--unshare") == 0) {
		if (unshare(CLONE_NEWNS) < 0)
			printf("unshare: %s\n", strerror(errno));
		argv++;
		argc--;
	}
	for (int i = 1; i < argc; i++)
		attack(argv[i]);
	printf("%d attempts\n", attempts);
	return 0;
}
