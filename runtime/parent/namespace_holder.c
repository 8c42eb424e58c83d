#include "parent/namespace_holder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/raw_call.h"
#include "base/reap.h"
#include "child/loopback.h"

#define STACK_SIZE ((size_t)16 * 1024)

struct namespace_holder {
	pid_t parent, pid; /* pid: 0 once it is reaped */
	int early, late;   /* kinds: those of its clone, those that it makes by itself */
	int own_fd;	   /* the process's end of a pipe */
	int word_fd;	   /* ours, or -EBADF once its word was read */
	int word;	   /* 0 or a negative errno */
	cpu_set_t cpus;	   /* ours, which are kept from it while pushed */
	bool pushed;
	char stack[STACK_SIZE] __attribute__((aligned(16)));
};

/* It shares our memory, as a copy of it would be the most of its price, and so writes to nothing of it but its own stack: errno is ours, too. The user namespace
 * comes with its clone, since who shares memory can't make one later (unshare(2)). An end without a word is one: the pipe's. */
__attribute__((no_sanitize("address", "undefined"))) static int hold(void *data)
{
	const struct namespace_holder *holder = data;
	int word = 0;

	/* Nothing of us is left behind where brig is killed meanwhile, or was before we asked for that. */
	raw_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (raw_call(SYS_getppid, 0, 0, 0, 0, 0) != holder->parent)
		raw_call(SYS_exit_group, 0, 0, 0, 0, 0);
	if (holder->late)
		word = (int)raw_call(SYS_unshare, holder->late, 0, 0, 0, 0);
	if (word == 0 && (holder->early | holder->late) & CLONE_NEWNET)
		word = loopback_raise();
	raw_call(SYS_write, holder->own_fd, (long)&word, sizeof(word), 0, 0);
	/* All signals are blocked. */
	raw_call(SYS_ppoll, 0, 0, 0, 0, 0);
	return 0;
}

/* On another processor than ours, if there is one. By itself the kernel leaves a new process where its parent runs when the others sleep as those of virtual machines do,
 * whose waking is dear: the two would take turns. */
static void push_away(struct namespace_holder *holder)
{
	cpu_set_t others;
	int cpu = sched_getcpu();

	if (cpu < 0 || sched_getaffinity(0, sizeof(holder->cpus), &holder->cpus) < 0)
		return;
	others = holder->cpus;
	CPU_CLR(cpu, &others);
	holder->pushed = CPU_COUNT(&others) > 0 && sched_setaffinity(holder->pid, sizeof(others), &others) == 0;
}

/* We are about to wait for it: any processor will do, ours first. */
static void let_back(struct namespace_holder *holder)
{
	if (holder->pushed)
		(void)sched_setaffinity(holder->pid, sizeof(holder->cpus), &holder->cpus);
	holder->pushed = false;
}

static int clone_process(struct namespace_holder *holder, struct error *err)
{
	sigset_t all, own;
	pid_t pid;

	/* For it alone: what somebody sends to our process group is ours to hear. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &own);
	pid = clone(hold, holder->stack + sizeof(holder->stack), CLONE_VM | CLONE_NEWUSER | holder->early | SIGCHLD,
		    holder);
	sigprocmask(SIG_SETMASK, &own, NULL);
	if (pid < 0)
		return error_system(err, errno,
				    "make a user namespace (user_namespaces(7): is user.max_user_namespaces 0?)");
	holder->pid = pid;
	if (holder->late)
		push_away(holder);
	return 0;
}

int namespace_holder_begin(uint64_t kinds, bool at_once, struct namespace_holder **ret, struct error *err)
{
	struct namespace_holder *holder = aligned_alloc(16, sizeof(*holder));
	int fds[2], rc;

	if (!holder)
		return error_memory(err);
	if (pipe2(fds, O_CLOEXEC) < 0) {
		free(holder);
		return error_system(err, errno, "make a pipe");
	}
	kinds &= NAMESPACE_HOLDER_KINDS & ~(uint64_t)CLONE_NEWUSER;
	holder->parent = getpid();
	holder->pid = 0;
	holder->pushed = false;
	holder->early = at_once ? (int)kinds : 0;
	holder->late = at_once ? 0 : (int)kinds;
	holder->word_fd = fds[0];
	holder->own_fd = fds[1];
	rc = clone_process(holder, err);
	/* The process has a copy, and looks up its number. */
	close(fds[1]);
	if (rc < 0)
		namespace_holder_free(holder);
	else
		*ret = holder;
	return rc;
}

uint64_t namespace_holder_kinds(const struct namespace_holder *holder)
{
	return CLONE_NEWUSER | (uint64_t)holder->early | (uint64_t)holder->late;
}

pid_t namespace_holder_pid(const struct namespace_holder *holder)
{
	return holder->pid;
}

int namespace_holder_await_end(struct namespace_holder *holder, struct error *err)
{
	ssize_t n;

	if (holder->word_fd >= 0) {
		let_back(holder);
		do
			n = read(holder->word_fd, &holder->word, sizeof(holder->word));
		while (n < 0 && errno == EINTR);
		if (n != sizeof(holder->word))
			holder->word = n < 0 ? -errno : -ECHILD;
		close_and_reset(&holder->word_fd);
	}
	return holder->word < 0 ? error_system(err, -holder->word,
					       "make namespaces and bring the loopback interface up (namespaces(7): are "
					       "user.max_net_namespaces, user.max_ipc_namespaces and "
					       "user.max_uts_namespaces high enough?)")
				: 0;
}

int namespace_holder_await_namespaces(struct namespace_holder *holder, struct error *err)
{
	return holder->late ? namespace_holder_await_end(holder, err) : 0;
}

void namespace_holder_kill(struct namespace_holder *holder)
{
	if (holder->pid > 0)
		kill(holder->pid, SIGKILL);
}

void namespace_holder_end(struct namespace_holder *holder)
{
	if (!holder || holder->pid <= 0)
		return;
	namespace_holder_kill(holder);
	reap_child(holder->pid);
	holder->pid = 0;
}

void namespace_holder_free(struct namespace_holder *holder)
{
	if (!holder)
		return;
	namespace_holder_end(holder);
	close_and_reset(&holder->word_fd);
	free(holder);
}
