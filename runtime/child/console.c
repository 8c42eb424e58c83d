/* A terminal of the container's own devpts: made inside, its other end sent out over the console socket. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "child/mount_make.h"
#include "child/steps.h"
#include "plan/plan_id_map.h"

/* The container's own devpts: the one that we mounted, else what lies at /dev/pts, if it is one. */
static int open_ptmx(struct child *child, struct error *err)
{
	AUTO_CLOSE int root_fd = -EBADF;
	struct statfs status;
	int fd;

	if (child->pts_fd >= 0) {
		fd = openat(child->pts_fd, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	} else {
		root_fd = child->root_fd >= 0 ? fcntl(child->root_fd, F_DUPFD_CLOEXEC, 3) : open("/", O_PATH | O_CLOEXEC);
		fd = path_open_in_root(root_fd, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
		errno = fd < 0 ? -fd : 0;
	}
	if (fd < 0)
		return error_system(err, errno,
				    "process.terminal: open ptmx of the container's devpts (is one mounted at /dev/pts?)");
	if (fstatfs(fd, &status) < 0 || status.f_type != DEVPTS_SUPER_MAGIC) {
		close(fd);
		return error_set(err, ERROR_REFUSED, ENODEV,
				 "process.terminal: /dev/pts in the container is no devpts; mount one there");
	}
	return fd;
}

/* 0x0 is what nobody has said: the terminal's own default stays. */
static int set_size(int fd, const struct plan_process *process, struct error *err)
{
	struct winsize size = { .ws_row = process->rows, .ws_col = process->columns };

	if ((size.ws_row || size.ws_col) && ioctl(fd, TIOCSWINSZ, &size) < 0)
		return error_system(err, errno, "process.consoleSize: set %ux%u", process->columns, process->rows);
	return 0;
}

/* Shows the terminal at /dev/console as well: by its name beneath the devpts that it came from, where no link can lie. */
static int bind_console(struct child *child, int master_fd, struct error *err)
{
	AUTO_CLOSE int clone_fd = -EBADF, target_fd = -EBADF;
	unsigned number;
	char name[16];
	int rc;

	if (child->pts_fd < 0)
		return 0;
	if (ioctl(master_fd, TIOCGPTN, &number) < 0)
		return error_system(err, errno, "ask for the terminal's number");
	snprintf(name, sizeof(name), "%u", number);
	clone_fd = open_tree(child->pts_fd, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (clone_fd < 0)
		return error_system(err, errno, "clone the terminal's node");
	target_fd = path_make_in_root(child->root_fd, "/dev/console", /* is_file= */ true, 0755);
	if (target_fd < 0)
		return error_system(err, -target_fd, "make /dev/console");
	rc = mount_make_attach(clone_fd, target_fd);
	return rc < 0 ? error_system(err, -rc, "mount the terminal at /dev/console") : 0;
}

static int use_terminal(struct child *child, int slave_fd, struct error *err)
{
	const struct plan_process *process = &child->plan->process;
	/* Are we still outside of the container's user namespace? */
	uid_t uid = child->userns_fd >= 0 ? plan_id_map_outside(&child->plan->namespaces.uids, process->uid)
					  : process->uid;

	/* The user of the program owns its terminal, as login(1) would have it; the group stays devpts' own. */
	if (process->uid != 0 && fchown(slave_fd, uid, (gid_t)-1) < 0 && errno != EROFS)
		return error_system(err, errno, "give the terminal to user %u", process->uid);
	for (int fd = 0; fd < 3; fd++) {
		if (dup2(slave_fd, fd) < 0)
			return error_system(err, errno, "make the terminal descriptor %d", fd);
	}
	if (ioctl(0, TIOCSCTTY, 0) < 0)
		return error_system(err, errno, "make it the controlling terminal");
	return 0;
}

/* The slave comes from the master by ioctl, never by a path in the container (CVE-2025-52565). */
int console_make(struct child *child, struct error *err)
{
	AUTO_CLOSE int master_fd = -EBADF, slave_fd = -EBADF;
	int unlock = 0, rc;

	if (!child->plan->process.terminal)
		return 0;
	master_fd = open_ptmx(child, err);
	if (master_fd < 0)
		return master_fd;
	if (ioctl(master_fd, TIOCSPTLCK, &unlock) < 0)
		return error_system(err, errno, "unlock the terminal");
	slave_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave_fd < 0)
		return error_system(err, errno, "open the terminal's other end");
	rc = set_size(master_fd, &child->plan->process, err);
	if (rc >= 0 && child->role != CHILD_EXEC)
		rc = bind_console(child, master_fd, err);
	if (rc < 0)
		return rc;
	rc = fd_send(child->console_fd, "/dev/ptmx", sizeof("/dev/ptmx"), master_fd);
	if (rc < 0)
		return error_system(err, -rc, "send the terminal to the console socket");
	close_and_reset(&child->console_fd);
	return use_terminal(child, slave_fd, err);
}
