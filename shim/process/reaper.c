#include "shim/process/reaper.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/syscalls.h"

/* Orphans reaped in one go: a workload that makes them by the thousand must not keep the shim from its other work. */
#define BATCH 256
#define NS_PER_S UINT64_C(1000000000)
/* How long a process that has ended may be nobody's child of ours: the worker that made it is about to end, or hangs. */
#define STRAY_TIMEOUT (10 * NS_PER_S)
#define STRAY_PERIOD NS_PER_S
/* The status of a process whose status cannot be known. */
#define STATUS_UNKNOWN 255

/* Forgotten by its owner, not yet reaped. */
struct disowned {
	pid_t pid;
	struct disowned *next;
};

struct reaper {
	struct loop *loop;
	int signal_fd;
	struct loop_watch watch;
	struct loop_timer again; /* more orphans wait than one batch takes */
	struct loop_timer stray; /* some child has ended and is not ours yet */
	struct reaper_child *children;
	struct disowned *disowned;
};

static void sweep(struct reaper *reaper);

static void handle_signal(void *context, uint32_t events)
{
	struct reaper *reaper = context;
	struct signalfd_siginfo info[8];

	(void)events;
	/* Signals of one kind merge: what they say about a process is not used. */
	while (read(reaper->signal_fd, info, sizeof(info)) > 0) {}
	sweep(reaper);
}

static void handle_again(void *context)
{
	sweep(context);
}

/* By address, since the caller's may have been forgotten before: its other members are not to be looked at then. */
static bool is_watched(const struct reaper *reaper, const struct reaper_child *child)
{
	const struct reaper_child *known = reaper->children;

	while (known && known != child)
		known = known->next;
	return known;
}

static void drop(struct reaper *reaper, struct reaper_child *child)
{
	struct reaper_child **place = &reaper->children;

	while (*place != child)
		place = &(*place)->next;
	*place = child->next;
	child->next = NULL;
	loop_unwatch(reaper->loop, &child->watch);
	close_and_reset(&child->pidfd);
	child->pid = 0;
	child->stray_since = 0;
}

/* The moment at which we hear of it, a few microseconds late: the kernel keeps none. Off the list first, since the owner may free it. */
static void tell(struct reaper *reaper, struct reaper_child *child, int status)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	drop(reaper, child);
	child->exited(child->context, status, now);
}

/* As wait(2)'s users have it, and containerd shows it. */
static int shell_status(const siginfo_t *info)
{
	return info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
}

/* It has ended, but its parent is still the worker that made it: SIGCHLD comes once that has ended too, and until then a pidfd
 * that is readable for good would keep the loop busy. */
static void set_aside(struct reaper *reaper, struct reaper_child *child)
{
	uint64_t now = loop_now();

	loop_unwatch(reaper->loop, &child->watch);
	if (!child->stray_since)
		child->stray_since = now;
	loop_set_timer(reaper->loop, &reaper->stray, now + STRAY_PERIOD);
}

/* Returns whether the owner was told: it may have freed the child. */
static bool reap_known(struct reaper *reaper, struct reaper_child *child)
{
	siginfo_t info = { 0 };
	int r;

	do
		r = waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG | __WALL);
	while (r < 0 && errno == EINTR);
	if (r == 0 && info.si_pid != 0) {
		tell(reaper, child, shell_status(&info));
		return true;
	}
	return false; /* ECHILD while it is the worker's child, alive or not */
}

static void handle_child(void *context, uint32_t events)
{
	struct reaper_child *child = context;

	(void)events;
	/* Readable for good: where it can't be reaped yet, SIGCHLD says when. */
	if (!reap_known(child->reaper, child))
		set_aside(child->reaper, child);
}

/* Another chance for one that was set aside; who stays nobody's child for too long has been reaped by somebody else. Returns
 * whether the owner was told. */
static bool retry_stray(struct reaper *reaper, struct reaper_child *child)
{
	if (reap_known(reaper, child))
		return true;
	if (loop_now() - child->stray_since < STRAY_TIMEOUT)
		return false;
	log_warning("process %d has ended, but is no child of the shim: its exit status is not known", (int)child->pid);
	tell(reaper, child, STATUS_UNKNOWN);
	return true;
}

static void retry_strays(struct reaper *reaper)
{
	struct reaper_child *child = reaper->children;

	while (child) {
		bool is_told = child->stray_since && retry_stray(reaper, child);

		/* The callback may have changed the list. */
		child = is_told ? reaper->children : child->next;
	}
}

static void handle_stray(void *context)
{
	struct reaper *reaper = context;

	retry_strays(reaper);
	for (const struct reaper_child *child = reaper->children; child; child = child->next) {
		if (child->stray_since)
			loop_set_timer(reaper->loop, &reaper->stray, loop_now() + STRAY_PERIOD);
	}
}

/* A walk: a pod has a handful of processes that somebody knows. */
static struct reaper_child *find_child(const struct reaper *reaper, pid_t pid)
{
	struct reaper_child *child = reaper->children;

	while (child && child->pid != pid)
		child = child->next;
	return child;
}

/* Returns whether it was one. */
static bool take_disowned(struct reaper *reaper, pid_t pid)
{
	struct disowned **place = &reaper->disowned;

	while (*place && (*place)->pid != pid)
		place = &(*place)->next;
	if (*place) {
		struct disowned *found = *place;

		*place = found->next;
		free(found);
		return true;
	}
	return false;
}

/* A worker ends before what it made becomes a child of ours, and sends its message before it ends: what is known has to be heard
 * first, or the exit status of a short-lived process would be lost as that of an orphan nobody asked about. Returns whether
 * somebody was told. */
static bool hear_known(struct reaper *reaper)
{
	for (struct reaper_child *child = reaper->children; child; child = child->next) {
		if (reap_known(reaper, child))
			return true;
	}
	return false;
}

static void reap_unknown(pid_t pid)
{
	siginfo_t info;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | __WALL) < 0 && errno == EINTR) {}
}

/* One zombie, whoever it belongs to. */
static void reap_found(struct reaper *reaper, pid_t pid)
{
	struct reaper_child *child = find_child(reaper, pid);

	if (child && reap_known(reaper, child))
		return;
	/* A number that is known, of a process that is not: ours has been reaped by somebody else. */
	if (child || take_disowned(reaper, pid)) {
		reap_unknown(pid);
		return;
	}
	while (hear_known(reaper)) {}
	if (!find_child(reaper, pid))
		reap_unknown(pid);
}

static void sweep(struct reaper *reaper)
{
	siginfo_t info;

	retry_strays(reaper);
	for (unsigned i = 0; i < BATCH; i++) {
		info = (siginfo_t){ 0 };
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 && errno != EINTR)
			return;
		if (info.si_pid == 0)
			return;
		reap_found(reaper, info.si_pid);
	}
	loop_set_timer(reaper->loop, &reaper->again, loop_now());
}

/* Blocked before it is read, or a child that ends in between would be one that nobody hears of. Workers unblock it. */
static int open_signal_fd(struct error *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_system(err, errno, "block SIGCHLD");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? error_system(err, errno, "signalfd") : fd;
}

int reaper_new(struct loop *loop, struct reaper **ret, struct error *err)
{
	AUTO(reaper_free) struct reaper *reaper = calloc(1, sizeof(*reaper));
	int r;

	if (!reaper)
		return error_memory(err);
	reaper->loop = loop;
	reaper->watch = (struct loop_watch){ .ready = handle_signal, .context = reaper };
	reaper->again = (struct loop_timer){ .expired = handle_again, .context = reaper };
	reaper->stray = (struct loop_timer){ .expired = handle_stray, .context = reaper };
	reaper->signal_fd = r = open_signal_fd(err);
	if (r < 0)
		return r;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return error_system(err, errno, "become a subreaper");
	r = loop_watch(loop, &reaper->watch, reaper->signal_fd, EPOLLIN, err);
	if (r < 0)
		return r;
	*ret = steal_ptr(&reaper);
	return 0;
}

void reaper_free(struct reaper *reaper)
{
	if (!reaper)
		return;
	while (reaper->children)
		drop(reaper, reaper->children);
	while (reaper->disowned)
		take_disowned(reaper, reaper->disowned->pid);
	loop_unwatch(reaper->loop, &reaper->watch);
	loop_clear_timer(reaper->loop, &reaper->again);
	loop_clear_timer(reaper->loop, &reaper->stray);
	close_and_reset(&reaper->signal_fd);
	free(reaper);
}

int reaper_watch(struct reaper *reaper, struct reaper_child *child, pid_t pid, int pidfd, struct error *err)
{
	int r;

	if (pid <= 0 || pidfd < 0)
		return error_set(err, ERROR_INTERNAL, EINVAL, "watch process %d by descriptor %d", (int)pid, pidfd);
	child->watch = (struct loop_watch){ .ready = handle_child, .context = child };
	r = loop_watch(reaper->loop, &child->watch, pidfd, EPOLLIN, err);
	if (r < 0)
		return error_prefix(err, "watch process %d", (int)pid);
	child->reaper = reaper;
	child->pid = pid;
	child->pidfd = pidfd;
	child->stray_since = 0;
	child->next = reaper->children;
	reaper->children = child;
	return 0;
}

void reaper_forget(struct reaper *reaper, struct reaper_child *child)
{
	struct disowned *rest;

	if (!is_watched(reaper, child))
		return;
	rest = malloc(sizeof(*rest));
	/* Without memory it is an orphan like any other. */
	if (rest) {
		*rest = (struct disowned){ .pid = child->pid, .next = reaper->disowned };
		reaper->disowned = rest;
	}
	drop(reaper, child);
}

int reaper_signal(const struct reaper_child *child, int signal)
{
	if (child->pid == 0)
		return -ESRCH;
	return sys_pidfd_send_signal(child->pidfd, signal) < 0 ? -errno : 0;
}
