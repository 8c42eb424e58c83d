#include "sandbox/sandbox_network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/namespace.h"
#include "base/reap.h"
#include "base/syscalls.h"
#include "policy/egress_value.h"

#define INTERFACE "tap0"
#define RESOLV_CONF "resolv.conf"
#define TUN_PATH "/dev/net/tun"
#define READY_TIMEOUT_MS 10000
#define READY_STEP_MS 2
#define EXIT_NOT_STARTED 125
/* The network namespace is its standard input: the one descriptor that such programs don't close before they look. */
#define NETNS_PATH "/proc/self/fd/0"

/* Addresses are the same whichever program it is. */
static const char *const pasta_argv[] = { "pasta",
					  "--foreground",
					  "--quiet",
					  "--config-net",
					  "--no-map-gw",
					  "--tcp-ports",
					  "none",
					  "--udp-ports",
					  "none",
					  "--tcp-ns",
					  "none",
					  "--udp-ns",
					  "none",
					  "--address",
					  "10.0.2.100",
					  "--netmask",
					  "24",
					  "--gateway",
					  "10.0.2.2",
					  "--dns-forward",
					  SANDBOX_NETWORK_RESOLVER,
					  "--ns-ifname",
					  INTERFACE,
					  "--netns-only",
					  "--netns",
					  NETNS_PATH,
					  NULL };
static const char *const slirp_argv[] = {
	"slirp4netns", "--configure",	     "--disable-host-loopback", "--enable-sandbox", "--enable-seccomp",
	"--mtu=65520", "--cidr=10.0.2.0/24", "--netns-type=path",	NETNS_PATH,	    INTERFACE,
	NULL
};

struct program {
	const char *path;
	const char *const *argv;
};

/* Never by $PATH: we are root. */
static const struct program programs[] = {
	{ "/usr/bin/pasta", pasta_argv },
	{ "/usr/local/bin/pasta", pasta_argv },
	{ "/usr/bin/slirp4netns", slirp_argv },
	{ "/usr/local/bin/slirp4netns", slirp_argv },
};

/* Root's alone to change, as the directories are. */
static bool is_trusted(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == 0 && !(status.st_mode & 022) &&
	       status.st_mode & 0111;
}

/* pasta first: it carries IPv6 as well. */
static const struct program *find_program(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		if (is_trusted(programs[i].path))
			return &programs[i];
	}
	return NULL;
}

/* ---- in the child ---- */

struct starting {
	const struct program *program;
	const struct pace *pace;
	int netns_fd, userns_fd, log_fd;
	pid_t parent_pid;
};

/* Where the host's node is for root alone, the program gets one of its own, in a mount namespace that nobody else sees. */
static int provide_tun(void)
{
	struct stat status;
	AUTO_CLOSE int fs_fd = -EBADF;
	AUTO_CLOSE int mount_fd = -EBADF;
	AUTO_CLOSE int node_fd = -EBADF;

	if (stat(TUN_PATH, &status) == 0 && (status.st_mode & 0006) == 0006)
		return 0;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	fs_fd = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs_fd < 0 || fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount_fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (mount_fd < 0 || mknodat(mount_fd, "tun", S_IFCHR | 0600, makedev(10, 200)) < 0 ||
	    fchmodat(mount_fd, "tun", 0666, 0) < 0)
		return -errno;
	node_fd = open_tree(mount_fd, "tun", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (node_fd < 0 || move_mount(node_fd, "", AT_FDCWD, TUN_PATH, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* From here on it is root of the sandbox, and nobody else anywhere. */
static int become_sandbox_root(const struct starting *starting)
{
	if (setns(starting->userns_fd, CLONE_NEWUSER) < 0 || setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 ||
	    setresuid(0, 0, 0) < 0)
		return -errno;
	/* After the change of user, which takes it back. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return getppid() == starting->parent_pid ? 0 : -ESRCH;
}

static int set_descriptors(const struct starting *starting)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd < 0 || dup2(starting->netns_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(starting->log_fd, 2) < 0 ||
	    sys_close_range(3, ~0U, 0) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

static _Noreturn void execute(const struct starting *starting)
{
	static const char *const environment[] = { "PATH=/usr/bin:/bin", NULL };
	const struct program *program = starting->program;
	const char *doing = "give it a tun device";
	sigset_t none;
	int rc = provide_tun();

	if (rc == 0) {
		doing = "enter the sandbox's user namespace";
		rc = become_sandbox_root(starting);
	}
	if (rc == 0) {
		doing = "set up its descriptors";
		rc = set_descriptors(starting);
	}
	/* Signals as a new program expects them: pasta takes an ignored SIGPIPE for a failure. */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (rc == 0) {
		doing = "execute it";
		execve(program->path, (char *const *)program->argv, (char *const *)environment);
		rc = -errno;
	}
	dprintf(doing[0] == 'e' && doing[1] == 'x' ? STDERR_FILENO : starting->log_fd, "%s: %s", doing, strerror(-rc));
	_exit(EXIT_NOT_STARTED);
}

/* ---- on our side ---- */

static int open_namespace(pid_t pid, const char *kind, struct error *err)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? error_system(err, errno, "open %s", path) : fd;
}

/* Without a user namespace of the sandbox's own the program would have the host's capabilities. Opened by us, while we are
 * outside; the program enters by descriptor and needs no way to the host's /proc. */
static int open_namespaces(pid_t pid, struct starting *starting, struct error *err)
{
	starting->netns_fd = open_namespace(pid, "net", err);
	if (starting->netns_fd < 0)
		return starting->netns_fd;
	starting->userns_fd = open_namespace(pid, "user", err);
	if (starting->userns_fd < 0)
		return starting->userns_fd;
	if (namespace_is_own(starting->userns_fd, CLONE_NEWUSER) || namespace_is_own(starting->netns_fd, CLONE_NEWNET))
		return error_set(err, ERROR_UNSUPPORTED, EPERM,
				 "the policy gives the sandbox no user namespace of its own, which it takes: have its rule "
				 "user-namespace at enforce or adjust, or leave --egress out");
	return 0;
}

/* What the program said last, on one line; "" where it said nothing. */
static void read_log(int log_fd, char text[static 512])
{
	ssize_t n = read(log_fd, text, 511);
	char *last;

	text[n > 0 ? n : 0] = '\0';
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	last = strrchr(text, '\n');
	if (last)
		memmove(text, last + 1, strlen(last));
}

/* The namespace's routes have one to everywhere over the interface (proc_net(5)). */
static bool has_route(pid_t pid)
{
	char path[64], text[4096];

	snprintf(path, sizeof(path), "/proc/%d/net/route", (int)pid);
	return fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) > 0 && strstr(text, "\n" INTERFACE "\t00000000\t");
}

/* By what can be seen of both, a route to everywhere: each has another way of saying that it is ready. */
static int wait_until_ready(pid_t pid, const struct starting *starting, struct sandbox_network *network, struct error *err)
{
	struct pollfd polled = { .fd = network->pidfd, .events = POLLIN };
	const char *name = starting->program->path;
	char text[512];
	int rc = 0;

	for (int waited = 0; waited < READY_TIMEOUT_MS; waited += READY_STEP_MS) {
		if (has_route(pid))
			return 0;
		rc = pace_check(starting->pace, err);
		if (rc < 0)
			return error_prefix(err, "wait for %s", name);
		if (poll(&polled, 1, READY_STEP_MS) > 0) {
			read_log(network->log_fd, text);
			return error_set(err, ERROR_SYSTEM, EIO, "%s ended at once: %.400s", name, text);
		}
	}
	return error_set(err, ERROR_TIMEOUT, ETIMEDOUT, "%s has not set the network up after %d s", name,
			 READY_TIMEOUT_MS / 1000);
}

static int start(struct starting *starting, struct sandbox_network *network, struct error *err)
{
	int ends[2];

	/* Whatever it says beyond what the pipe holds is lost: it is never to wait for us. */
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_system(err, errno, "pipe2");
	network->log_fd = ends[0];
	starting->log_fd = ends[1];
	starting->parent_pid = getpid();
	network->pid = fork();
	if (network->pid == 0)
		execute(starting);
	close(ends[1]);
	if (network->pid < 0)
		return error_system(err, errno, "fork");
	network->pidfd = sys_pidfd_open(network->pid, 0);
	return network->pidfd < 0 ? error_system(err, errno, "pidfd_open") : 0;
}

static int start_and_wait(pid_t pid, struct starting *starting, struct sandbox_network *network, struct error *err)
{
	int rc = open_namespaces(pid, starting, err);

	if (rc == 0)
		rc = start(starting, network, err);
	close_and_reset(&starting->netns_fd);
	close_and_reset(&starting->userns_fd);
	return rc < 0 ? rc : wait_until_ready(pid, starting, network, err);
}

int sandbox_network_start(pid_t pid, const struct pace *pace, struct sandbox_network *ret, struct error *err)
{
	struct sandbox_network network = sandbox_network_none();
	struct starting starting = { .program = find_program(), .pace = pace, .netns_fd = -EBADF, .userns_fd = -EBADF };
	int rc;

	if (geteuid() != 0)
		return error_set(err, ERROR_UNSUPPORTED, EPERM,
				 "a way out of the sandbox takes root, which alone can hold an egress list");
	if (!starting.program)
		return error_set(
			err, ERROR_UNSUPPORTED, ENOENT,
			"a way out of the sandbox takes pasta or slirp4netns: install the package passt or slirp4netns "
			"(looked for in /usr/bin and /usr/local/bin)");
	rc = start_and_wait(pid, &starting, &network, err);
	if (rc < 0) {
		sandbox_network_stop(&network);
		return error_prefix(err, "make a way out of the sandbox");
	}
	*ret = network;
	return 0;
}

void sandbox_network_stop(struct sandbox_network *network)
{
	if (network->pidfd >= 0)
		sys_pidfd_send_signal(network->pidfd, SIGKILL);
	else if (network->pid > 0)
		kill(network->pid, SIGKILL);
	if (network->pid > 0)
		reap_child(network->pid);
	close_and_reset(&network->pidfd);
	close_and_reset(&network->log_fd);
	network->pid = -1;
}

int sandbox_network_resolv_conf(const char *egress, struct arena *arena, const char **ret, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct egress_value value = { 0 };
	char address[INET6_ADDRSTRLEN];
	int rc = egress_value_parse("option --egress", egress, arena, &value, err);

	if (rc < 0 && err && err->kind == ERROR_INVALID)
		err->kind = ERROR_USAGE;
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < value.n; i++) {
		const struct endpoint *endpoint = &value.list[i];

		if (endpoint->is_resolver && inet_ntop(endpoint->family, endpoint->address, address, sizeof(address)))
			buffer_printf(&text, "nameserver %s\n", address);
	}
	*ret = text.data ? arena_strdup(arena, text.data) : NULL;
	return text.failed || (text.data && !*ret) ? error_memory(err) : 0;
}

int sandbox_network_write_resolv_conf(const struct sandbox_request *request, const struct sandbox_folder *folder,
				      struct arena *arena, const char **ret, struct error *err)
{
	const char *text = NULL, *rootfs = request->rootfs;
	struct buffer content;
	int rc = 0;

	if (request->egress)
		rc = sandbox_network_resolv_conf(request->egress, arena, &text, err);
	if (rc < 0 || !text)
		return rc;
	if (rootfs &&
	    faccessat(AT_FDCWD, arena_printf(arena, "%s/etc/resolv.conf", rootfs), F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set(
			err, ERROR_USAGE, ENOENT,
			"option --egress: the resolvers that it names would be in /etc/resolv.conf, and %s has none: make an "
			"empty file of that name, or leave dns= out",
			rootfs);
	content = (struct buffer){ .data = (char *)text, .length = strlen(text) };
	rc = file_create_at(folder->own_fd, RESOLV_CONF, &content, 0644, err);
	if (rc < 0)
		return rc;
	*ret = arena_printf(arena, "%s/%s/" RESOLV_CONF, folder->path, folder->id);
	return *ret ? 0 : error_memory(err);
}
