#include "parent/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/reap.h"
#include "base/syscalls.h"

void idmap_format(const struct plan_id_map *map, char *text)
{
	int n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < map->n_ranges && i < IDMAP_RANGES_MAX; i++)
		n += snprintf(text + n, (size_t)(IDMAP_TEXT_MAX - n), "%u %u %u\n", map->ranges[i].inside,
			      map->ranges[i].outside, map->ranges[i].count);
}

static int write_map(int proc_fd, const char *file, const struct plan_id_map *map, struct error *err)
{
	char text[IDMAP_TEXT_MAX];
	int rc;

	/* The kernel takes a whole map in one write(2), or none of it. */
	idmap_format(map, text);
	rc = fd_write_file_at(proc_fd, file, text);
	return rc < 0 ? error_system(err, -rc, "write %s", file) : 0;
}

/* An unprivileged process may map its own id alone; more needs the set-uid helpers, which know /etc/subuid. */
static bool needs_helper(const struct plan_id_map *map, uint32_t own)
{
	return geteuid() != 0 && !(map->n_ranges == 1 && map->ranges[0].count == 1 && map->ranges[0].outside == own);
}

/* arguments: room for "newuidmap", the pid, three numbers a range, NULL */
static _Noreturn void helper_process(const char *helper, pid_t pid, const struct plan_id_map *map)
{
	char numbers[3 * IDMAP_RANGES_MAX + 1][12];
	char *argv[3 * IDMAP_RANGES_MAX + 3];
	size_t n = 0;

	argv[n] = (char *)helper;
	snprintf(numbers[n], sizeof(numbers[n]), "%d", pid);
	argv[n + 1] = numbers[n];
	for (size_t i = 0; i < map->n_ranges && i < IDMAP_RANGES_MAX; i++) {
		const uint32_t values[] = { map->ranges[i].inside, map->ranges[i].outside, map->ranges[i].count };

		for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
			n++;
			snprintf(numbers[n], sizeof(numbers[n]), "%u", values[k]);
			argv[n + 1] = numbers[n];
		}
	}
	argv[n + 2] = NULL;
	execv(helper, argv);
	_exit(127);
}

static int run_helper(const char *helper, pid_t pid, const struct plan_id_map *map, struct error *err)
{
	pid_t helper_pid = fork();
	int status;

	if (helper_pid == 0)
		helper_process(helper, pid, map);
	if (helper_pid < 0)
		return error_system(err, errno, "fork for %s", helper);
	status = reap_child(helper_pid);
	if (status == 0)
		return 0;
	return error_set(err, ERROR_SYSTEM, EPERM, "%s failed: install uidmap, and check /etc/subuid and /etc/subgid",
			 helper);
}

int idmap_write(pid_t pid, const struct plan_namespaces *namespaces, struct error *err)
{
	AUTO_CLOSE int proc_fd = -EBADF;
	char path[32];
	int rc = 0;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0)
		return error_system(err, errno, "open %s", path);
	if (needs_helper(&namespaces->uids, geteuid()))
		rc = run_helper("/usr/bin/newuidmap", pid, &namespaces->uids, err);
	else
		rc = write_map(proc_fd, "uid_map", &namespaces->uids, err);
	if (rc < 0)
		return error_prefix(err, "linux.uidMappings");
	if (namespaces->deny_setgroups && !needs_helper(&namespaces->gids, getegid())) {
		rc = fd_write_file_at(proc_fd, "setgroups", "deny");
		if (rc < 0 && rc != -ENOENT)
			return error_system(err, -rc, "write setgroups");
	}
	if (needs_helper(&namespaces->gids, getegid()))
		rc = run_helper("/usr/bin/newgidmap", pid, &namespaces->gids, err);
	else
		rc = write_map(proc_fd, "gid_map", &namespaces->gids, err);
	return rc < 0 ? error_prefix(err, "linux.gidMappings") : 0;
}

/* "0 100000 65536" a line, padded: inside, ours, count */
static int check_map(int proc_fd, const char *file, uint32_t least, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	AUTO_CLOSE int fd = openat(proc_fd, file, O_RDONLY | O_CLOEXEC);
	unsigned inside, ours, count;
	int used, rc;

	if (fd < 0)
		return error_system(err, errno, "open %s", file);
	rc = fd_read_all(fd, IDMAP_TEXT_MAX, &text, file, err);
	if (rc < 0)
		return rc;
	/* It could get any later. */
	if (text.length == 0)
		return error_invalid(err, "that user namespace has no %s yet", file);
	for (const char *line = text.data; sscanf(line, "%u %u %u%n", &inside, &ours, &count, &used) == 3; line += used) {
		if (ours < least)
			return error_set(
				err, ERROR_REFUSED, EPERM,
				"that user namespace has the host's id %u in its %s, one of the host's own users; name "
				"one that maps none below %u, or leave the user namespace out",
				ours, file, least);
	}
	return 0;
}

/* Stopped in the namespace: a map is told as whoever opens it sees it, and so takes somebody in there (user_namespaces(7)). */
static _Noreturn void stop_inside(int userns_fd, pid_t parent)
{
	if (setns(userns_fd, CLONE_NEWUSER) < 0)
		_exit(errno);
	/* After the change of credentials, which takes it back; and not where brig was killed before. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		raise(SIGSTOP);
	_exit(0);
}

static int check_maps_of(pid_t pid, uint32_t least, struct error *err)
{
	AUTO_CLOSE int proc_fd = -EBADF;
	char path[32];
	int rc;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0)
		return error_system(err, errno, "open %s", path);
	rc = check_map(proc_fd, "uid_map", least, err);
	return rc < 0 ? rc : check_map(proc_fd, "gid_map", least, err);
}

int idmap_check_least(int userns_fd, uint32_t least, struct error *err)
{
	pid_t parent = getpid(), pid = fork();
	int status = 0, rc;

	if (pid == 0)
		stop_inside(userns_fd, parent);
	if (pid < 0)
		return error_system(err, errno, "fork");
	while (waitpid(pid, &status, WUNTRACED) < 0 && errno == EINTR)
		;
	/* Reaped: its number may be somebody else's by now. */
	if (!WIFSTOPPED(status))
		return error_system(err, WIFEXITED(status) ? WEXITSTATUS(status) : EPERM, "join the user namespace");
	rc = check_maps_of(pid, least, err);
	kill(pid, SIGKILL);
	reap_child(pid);
	return rc;
}

int idmap_open_namespace_of(pid_t pid, struct error *err)
{
	char path[48];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? error_system(err, errno, "open %s", path) : fd;
}

int idmap_open_namespace(const struct plan_id_map *uids, const struct plan_id_map *gids, struct error *err)
{
	struct plan_namespaces namespaces = { .uids = *uids, .gids = *gids };
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	pid_t parent = getpid(), pid = sys_clone3(&args);
	int rc;

	if (pid == 0) {
		pid_t seen;

		/* Nothing of us is left behind where brig is killed meanwhile, or was before we asked for that. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		seen = getppid();
		/* 0: this is in a pid namespace that brig has joined for its children. */
		if (seen == parent || seen == 0)
			pause();
		_exit(0);
	}
	if (pid < 0)
		return error_system(err, errno, "make a user namespace for an id-mapped mount");
	rc = idmap_write(pid, &namespaces, err);
	if (rc >= 0)
		rc = idmap_open_namespace_of(pid, err);
	kill(pid, SIGKILL);
	reap_child(pid);
	return rc;
}
