#include "tests/bench/floor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/bench/stopwatch.h"

#define PATH_SIZE 512
#define FILTER_MAX 1024
#define CAPABILITY_LAST 40
#define KERNEL_MOUNT (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	_exit(125);
}

static void must(long result, const char *what)
{
	if (result < 0)
		fail(what);
}

static void write_text(const char *path, const char *text)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	must(fd, path);
	must(write(fd, text, strlen(text)), path);
}

/* ---- in the container ---- */

static void mount_file_systems(bool keeps_netns)
{
	must(mount("proc", "proc", "proc", KERNEL_MOUNT, NULL), "mount proc");
	must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"), "mount dev");
	must(mkdir("dev/pts", 0755) | mkdir("dev/shm", 0755) | mkdir("dev/mqueue", 0755), "mkdir in dev");
	must(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"),
	     "mount dev/pts");
	must(mount("shm", "dev/shm", "tmpfs", KERNEL_MOUNT, "mode=1777,size=65536k"), "mount dev/shm");
	must(mount("mqueue", "dev/mqueue", "mqueue", KERNEL_MOUNT, NULL), "mount dev/mqueue");
	/* sysfs belongs to the network namespace: there is a new one only for a new network namespace. */
	if (!keeps_netns)
		must(mount("sysfs", "sys", "sysfs", KERNEL_MOUNT | MS_RDONLY, NULL), "mount sys");
}

static void make_device(const char *path, dev_t device, bool has_userns)
{
	char host[PATH_SIZE];

	if (!has_userns) {
		must(mknod(path, S_IFCHR | 0666, device), path);
		return;
	}
	snprintf(host, sizeof(host), "/%s", path);
	must(mknod(path, S_IFREG | 0666, 0), path);
	must(mount(host, path, NULL, MS_BIND, NULL), path);
}

static void fill_dev(bool has_userns)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} devices[] = {
		{ "dev/null", 1, 3 },	{ "dev/zero", 1, 5 },	 { "dev/full", 1, 7 },
		{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
	};
	static const struct {
		const char *path, *target;
	} links[] = {
		{ "dev/fd", "/proc/self/fd" },	     { "dev/stdin", "/proc/self/fd/0" },
		{ "dev/stdout", "/proc/self/fd/1" }, { "dev/stderr", "/proc/self/fd/2" },
		{ "dev/ptmx", "pts/ptmx" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		make_device(devices[i].path, makedev(devices[i].major, devices[i].minor), has_userns);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		must(symlink(links[i].target, links[i].path), links[i].path);
}

static void enter_root(const char *rootfs)
{
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make the mounts private");
	must(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), "bind the root");
	must(chdir(rootfs), "chdir");
}

static void leave_host(void)
{
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "umount the old root");
	must(chdir("/"), "chdir /");
}

/* The paths that engines and `runc spec` mask and make read-only, as far as this kernel has them. */
static void guard_paths(void)
{
	static const char *const masked_files[] = { "/proc/kcore", "/proc/keys", "/proc/timer_list",
						    "/proc/latency_stats", "/proc/sched_debug" };
	static const char *const masked_folders[] = { "/proc/acpi", "/proc/asound", "/proc/scsi", "/sys/firmware" };
	static const char *const read_only[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
						 "/proc/sysrq-trigger" };

	for (size_t i = 0; i < ARRAY_SIZE(masked_files); i++)
		if (mount("/dev/null", masked_files[i], NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
			fail(masked_files[i]);
	for (size_t i = 0; i < ARRAY_SIZE(masked_folders); i++)
		if (mount("tmpfs", masked_folders[i], "tmpfs", MS_RDONLY, "nr_blocks=1,nr_inodes=1") < 0 &&
		    errno != ENOENT)
			fail(masked_folders[i]);
	for (size_t i = 0; i < ARRAY_SIZE(read_only); i++) {
		if (mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) < 0 && errno == ENOENT)
			continue;
		must(mount(NULL, read_only[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | KERNEL_MOUNT, NULL),
		     read_only[i]);
	}
}

struct filter {
	struct sock_filter code[FILTER_MAX];
	unsigned short length;
};

/* The tree that decides between count boundaries, each two system calls above the one before. Both jumps of a decision are
 * near: the left half comes first, and a return takes the place of a jump to a common one. */
static void emit_tree(struct filter *filter, unsigned first, unsigned count)
{
	unsigned half = count / 2, decision = filter->length;

	if (count == 0) {
		filter->code[filter->length++] = (struct sock_filter)BPF_STMT(
			BPF_RET | BPF_K, first % 64 == 63 ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_ALLOW);
		return;
	}
	filter->length++;
	emit_tree(filter, first, half);
	filter->code[decision] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (first + half) * 2,
							      (unsigned char)(filter->length - decision - 1), 0);
	emit_tree(filter, first + half + 1, count - half - 1);
}

static void install_filter(unsigned n_ranges)
{
	struct filter filter = { .length = 0 };
	struct sock_fprog program = { .filter = filter.code };

	if (n_ranges == 0)
		return;
	filter.code[filter.length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4);
	filter.code[filter.length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	filter.code[filter.length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	filter.code[filter.length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	emit_tree(&filter, 0, n_ranges);
	program.len = filter.length;
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "install the filter");
}

static void drop_privileges(void)
{
	for (unsigned long capability = 0; capability <= CAPABILITY_LAST; capability++)
		must(prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "drop a capability");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
}

static _Noreturn void live(const struct floor_request *request, int go_fd)
{
	char *argv[] = { (char[]){ "/bin/true" }, NULL }, *envp[] = { (char[]){ "PATH=/bin" }, NULL };
	char byte;

	must(read(go_fd, &byte, 1), "wait for the parent");
	if (request->has_userns)
		must(setresgid(0, 0, 0) | setresuid(0, 0, 0), "become root");
	must(sethostname("bench", 5), "sethostname");
	enter_root(request->rootfs);
	mount_file_systems(request->keeps_netns);
	fill_dev(request->has_userns);
	leave_host();
	guard_paths();
	drop_privileges();
	install_filter(request->n_filter_ranges);
	execve(argv[0], argv, envp);
	fail("execve /bin/true");
}

/* ---- outside ---- */

static pid_t clone_into(const struct floor_request *request, int cgroup_fd)
{
	struct clone_args args = {
		.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP | CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)cgroup_fd,
	};

	if (!request->keeps_netns)
		args.flags |= CLONE_NEWNET;
	if (request->has_userns)
		args.flags |= CLONE_NEWUSER;
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static void map_ids(pid_t pid)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	write_text(path, "0 0 65536");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	write_text(path, "0 0 65536");
}

static void start_and_reap(const struct floor_request *request, int cgroup_fd)
{
	int go_fds[2], status;
	pid_t pid;

	must(pipe2(go_fds, O_CLOEXEC), "pipe2");
	pid = clone_into(request, cgroup_fd);
	must(pid, "clone3");
	if (pid == 0)
		live(request, go_fds[0]);
	if (request->has_userns)
		map_ids(pid);
	must(write(go_fds[1], "", 1), "tell the container to go on");
	must(waitpid(pid, &status, 0), "waitpid");
	close(go_fds[0]);
	close(go_fds[1]);
	if (status != 0) {
		fprintf(stderr, "floor: the container ended with wait status %#x\n", status);
		_exit(125);
	}
}

uint64_t floor_measure(const struct floor_request *request)
{
	uint64_t begin = stopwatch_now();
	char group[PATH_SIZE];
	int cgroup_fd;

	snprintf(group, sizeof(group), "%s/floor-%d", request->cgroup_parent, getpid());
	must(mkdir(group, 0755), group);
	cgroup_fd = open(group, O_DIRECTORY | O_CLOEXEC);
	must(cgroup_fd, group);
	start_and_reap(request, cgroup_fd);
	close(cgroup_fd);
	must(rmdir(group), group);
	return stopwatch_now() - begin;
}
