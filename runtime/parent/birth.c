#include "parent/birth.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/syscalls.h"
#include "child/handshake.h"
#include "child/hooks.h"
#include "child/mount_make.h"
#include "parent/allowances.h"
#include "parent/await.h"
#include "parent/birth_wait.h"
#include "parent/cgroup/cgroup.h"
#include "parent/idmap.h"
#include "parent/join.h"
#include "parent/listener.h"
#include "parent/namespace_holder.h"
#include "parent/net_devices.h"
#include "parent/network.h"
#include "parent/prepare.h"
#include "parent/seccomp/seccomp.h"
#include "parent/stdio.h"

/* What is needed only until the child goes its own way. */
struct preparation {
	struct join join;
	struct prepared mounts;
	struct seccomp_program filter;
	int channel_fds[2]; /* ours, the child's */
	int proc_fd;	    /* exec: of the child's private_proc.c, or -EBADF */
	struct cgroup_view tasks[CGROUP_VIEWS_MAX];
	size_t n_tasks;
};

static void preparation_done(struct preparation *preparation)
{
	join_done(&preparation->join);
	prepare_done(&preparation->mounts);
	seccomp_program_done(&preparation->filter);
	close_and_reset(&preparation->channel_fds[0]);
	close_and_reset(&preparation->channel_fds[1]);
	close_and_reset(&preparation->proc_fd);
	for (size_t i = 0; i < preparation->n_tasks; i++)
		close_and_reset(&preparation->tasks[i].fd);
}

static int open_tasks(struct cgroup *cgroup, struct preparation *preparation, struct error *err)
{
	int n = cgroup ? cgroup_open_tasks(cgroup, preparation->tasks, err) : 0;

	preparation->n_tasks = n > 0 ? (size_t)n : 0;
	return n;
}

/* In the mount namespace of a container whose procfs is masked the kernel would refuse one to the child. */
static int make_proc_for_label(const struct plan_process *process, struct preparation *preparation, struct error *err)
{
	const struct plan_mount_option tasks_only = { "subset", "pid" };

	if (process->apparmor_profile || process->selinux_label)
		preparation->proc_fd = mount_make_filesystem("proc", &tasks_only, 1, 0, err);
	return preparation->proc_fd < 0 && preparation->proc_fd != -EBADF ? preparation->proc_fd : 0;
}

/* pid: a process in the user namespace. */
static int give_streams(const struct birth_request *request, pid_t pid, struct error *err)
{
	static const int own_streams[] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };

	return stdio_give(request->plan, pid, request->attendant ? request->attendant->stdio : own_streams, err);
}

static int prepare(const struct birth_request *request, struct preparation *preparation, struct error *err)
{
	const struct plan *plan = request->plan;
	struct prepare_means means = { .privileged = request->privileged,
				       .cgroup = request->cgroup,
				       .root_mount_fd = request->root_mount_fd };
	int rc;

	rc = join_open(&plan->namespaces, request->privileged, &preparation->join, err);
	if (rc < 0)
		return rc;
	if (plan_has_filter(&plan->seccomp))
		rc = seccomp_program_get(&plan->seccomp, request->filter_cache_fd, &preparation->filter, err);
	if (rc < 0)
		return error_prefix(err, "linux.seccomp");
	log_debug("parent: filter ready");
	if (request->role == CHILD_EXEC)
		join_container(&preparation->join, request->container_fd, plan->namespaces.enter, request->privileged);
	rc = open_tasks(request->cgroup, preparation, err);
	if (rc >= 0 && request->role != CHILD_EXEC && plan->rootfs.locked)
		rc = join_owned(&preparation->join, request->holder, err);
	if (rc < 0)
		return rc;
	rc = request->role == CHILD_EXEC ? make_proc_for_label(&plan->process, preparation, err)
					 : join_enter(&preparation->join, &plan->namespaces, err);
	if (rc >= 0 && request->role != CHILD_EXEC)
		rc = network_set_up(plan, preparation->join.sets_up_network, err);
	if (rc >= 0)
		rc = prepare_mounts(plan, &means, &preparation->mounts, err);
	if (rc >= 0 && request->role != CHILD_EXEC && preparation->join.userns_fd >= 0)
		rc = prepare_map_ids(plan, &preparation->mounts, request->root_is_mapped, preparation->join.userns_fd,
				     err);
	if (rc < 0)
		return rc;
	log_debug("parent: mounts prepared");
	/* Those of an exec are known beforehand: its process need not wait for that. */
	if (request->role == CHILD_EXEC)
		rc = give_streams(request, request->container_pid, err);
	if (rc < 0)
		return rc;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, preparation->channel_fds) < 0)
		return error_system(err, errno, "socketpair");
	return 0;
}

/* What the holder has made: a clone has not to make them any more. */
static uint64_t owned(const struct plan_namespaces *namespaces)
{
	return namespaces->create & CLONE_NEWUSER ? NAMESPACE_HOLDER_KINDS : 0;
}

/* The flags that clone3 takes; the rest is for the child, after the parent has done its part. */
static uint64_t split_flags(const struct birth_request *request, int cgroup_fd, uint64_t *ret_late)
{
	const struct plan_namespaces *namespaces = &request->plan->namespaces;
	uint64_t late = 0;

	if (request->role == CHILD_EXEC) {
		*ret_late = 0;
		return 0;
	}
	if (namespaces->n_time_offsets)
		late |= namespaces->create & CLONE_NEWTIME;
	if (cgroup_fd < 0 || request->hybrid)
		late |= namespaces->create & CLONE_NEWCGROUP;
	*ret_late = late;
	return namespaces->create & ~late & ~(request->plan->rootfs.locked ? owned(namespaces) : 0);
}

static void hand_over_tasks(const struct preparation *preparation, struct child *child)
{
	_Static_assert(CHILD_CGROUPS_MAX >= CGROUP_VIEWS_MAX, "one for each v1 tree");
	for (size_t i = 0; i < preparation->n_tasks; i++)
		child->cgroups[i] = (struct child_cgroup){ preparation->tasks[i].name, preparation->tasks[i].fd };
	child->n_cgroups = preparation->n_tasks;
}

static int clone_child(const struct birth_request *request, struct preparation *preparation, struct birth *birth,
		       struct error *err)
{
	const struct plan_namespaces *namespaces = &request->plan->namespaces;
	int cgroup_fd = request->cgroup ? cgroup_clone_fd(request->cgroup) : -EBADF;
	bool has_userns = request->role == CHILD_EXEC
				  ? request->container_has_userns
				  : namespaces->create & CLONE_NEWUSER || preparation->join.userns_fd >= 0;
	int join_fds[JOIN_MAX];
	struct child child = {
		.role = request->role,
		.plan = request->plan,
		.filter = plan_has_filter(&request->plan->seccomp) ? &preparation->filter : NULL,
		.channel_fd = preparation->channel_fds[1],
		.start_fd = request->start_fd,
		.console_fd = request->console_fd,
		.root_fd = preparation->mounts.root_fd,
		.mount_fds = preparation->mounts.mount_fds,
		.views = preparation->mounts.views,
		.n_views = preparation->mounts.n_views,
		.join_fds = join_fds,
		.container_fd = request->role == CHILD_EXEC ? request->container_fd : -EBADF,
		.attendant = request->attendant,
		.log_fd = log_enabled(LOG_LEVEL_DEBUG) ? log_fd() : -EBADF,
		.waits = birth->waits,
		.has_loopback = request->holder,
		.has_default_signals = request->has_default_signals,
		.in_user_namespace = has_userns,
		.joins_user_namespace = has_userns && !(preparation->join.enter & CLONE_NEWUSER),
		.proc_fd = preparation->proc_fd,
		.cgroup_fd = -EBADF,
		.label_fd = -EBADF,
		.key_fd = -EBADF,
		.landlock_fd = -EBADF,
		.userns_fd = preparation->join.late ? preparation->join.userns_fd : -EBADF,
		.pts_fd = -EBADF,
	};
	struct clone_args args = { .flags = split_flags(request, cgroup_fd, &child.late_namespaces) | CLONE_PIDFD,
				   .pidfd = (uint64_t)(uintptr_t)&birth->pidfd,
				   .exit_signal = SIGCHLD };

	hand_over_tasks(preparation, &child);
	for (size_t i = 0; i < preparation->join.n; i++) {
		bool done = !preparation->join.by_child[i] || preparation->join.fds[i] == preparation->join.userns_fd;

		join_fds[i] = done ? -EBADF : preparation->join.fds[i];
	}
	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	if ((preparation->join.userns_fd >= 0 && !preparation->join.late) || preparation->join.enter)
		child.cgroup_fd = cgroup_fd;
	birth->pid = join_clone(&preparation->join, &args, &child, err);
	return birth->pid < 0 ? birth->pid : 0;
}

/* The user namespace of the clone, for detached mounts that the child has as well: no process has to be made that holds the maps. */
static int map_mounts(const struct birth_request *request, const struct preparation *preparation, pid_t pid,
		      struct error *err)
{
	AUTO_CLOSE int userns_fd = -EBADF;

	if (request->role == CHILD_EXEC || preparation->join.userns_fd >= 0 || !prepare_maps_ids(request->plan))
		return 0;
	userns_fd = idmap_open_namespace_of(pid, err);
	return userns_fd < 0
		       ? userns_fd
		       : prepare_map_ids(request->plan, &preparation->mounts, request->root_is_mapped, userns_fd, err);
}

/* What only the parent can do for a child that is there and waits. */
static int equip(const struct birth_request *request, const struct birth *birth, const struct preparation *preparation,
		 struct error *err)
{
	const struct plan *plan = request->plan;
	bool joins_itself = preparation->n_tasks > 0;
	int rc = 0;

	/* v1 groups the child joins by itself; without them and without a v2 group it is said that there are none. */
	if (request->cgroup && !joins_itself)
		rc = cgroup_join(request->cgroup, birth->pid, cgroup_clone_fd(request->cgroup) >= 0, err);
	/* Made just now for who is born: nobody has asked for one that is not there. */
	if (rc < 0 && request->role != CHILD_EXEC)
		err->kind = ERROR_SYSTEM;
	if (rc >= 0 && request->role != CHILD_EXEC && plan->namespaces.create & CLONE_NEWUSER && !plan->rootfs.locked)
		rc = idmap_write(birth->pid, &plan->namespaces, err);
	if (rc >= 0)
		rc = map_mounts(request, preparation, birth->pid, err);
	if (rc >= 0)
		rc = allowances_give(&plan->process, birth->pid, err);
	if (rc < 0 || request->role == CHILD_EXEC)
		return rc;
	return give_streams(request, birth->pid, err);
}

/* Its work is done by now, as a rule. It ends, and birth_finish waits for that. */
static int let_holder_go(const struct birth *birth, struct error *err)
{
	int rc = birth->holder ? namespace_holder_await_end(birth->holder, err) : 0;

	if (birth->holder)
		namespace_holder_kill(birth->holder);
	return rc;
}

int birth_go(const struct birth *birth, struct error *err)
{
	int rc = let_holder_go(birth, err);

	if (rc < 0)
		return rc;
	rc = birth->waits ? handshake_send_go(birth->channel_fd, birth->pid) : 0;
	/* It has failed by itself, and said why: birth_finish reads that. */
	if (rc == -EPIPE)
		return 0;
	return rc < 0 ? error_system(err, -rc, "tell the container's first process to go on") : 0;
}

/* Who waits for start has his filter then. */
static int connect_agent_first(const struct birth_request *request, int *ret_agent_fd, struct error *err)
{
	if (request->role == CHILD_INIT_WAITS || (request->role == CHILD_INIT_RUNS && hooks_precede_agent(request->plan)))
		return 0;
	return listener_connect(request->plan, ret_agent_fd, err);
}

int birth_begin(const struct birth_request *request, struct birth *ret, struct error *err)
{
	struct preparation preparation = { .channel_fds = { -EBADF, -EBADF }, .mounts.root_fd = -EBADF, .proc_fd = -EBADF };
	struct birth birth = BIRTH_NONE;
	int rc;

	birth.waits = birth_wait_where(request);
	birth.holder = request->holder;
	rc = connect_agent_first(request, &birth.agent_fd, err);
	if (rc >= 0)
		rc = prepare(request, &preparation, err);
	if (rc >= 0)
		rc = clone_child(request, &preparation, &birth, err);
	if (rc >= 0) {
		log_debug("parent: cloned process %d", birth.pid);
		birth.channel_fd = steal_fd(&preparation.channel_fds[0]);
		rc = join_leave(&preparation.join, err);
	}
	if (rc >= 0)
		rc = equip(request, &birth, &preparation, err);
	if (rc >= 0)
		rc = net_devices_move(request->plan, birth.pid, &birth.net_devices, err);
	preparation_done(&preparation);
	if (rc < 0) {
		birth_abort(&birth);
		ret->stays = birth.stays;
		return rc;
	}
	*ret = birth;
	return 0;
}

struct conversation {
	int channel_fd;
	const struct plan *plan;
	pid_t pid;
	bool ready;					/* the child has said so */
	int *agent_fd;					/* see struct birth */
	int *listener_fd;				/* where the floor's goes */
	int (*on_call)(void *context, int listener_fd); /* see birth_request */
	void *on_call_context;
};

static int let_go_on(const struct conversation *conversation, struct error *err)
{
	int rc = handshake_send(conversation->channel_fd, HANDSHAKE_CONTINUE, NULL, -EBADF);

	return rc < 0 ? error_system(err, -rc, "tell the container to go on after its hooks") : 0;
}

static int run_runtime_hooks(const struct conversation *conversation, struct error *err)
{
	int rc = hooks_run(conversation->plan, PLAN_HOOK_PRESTART, conversation->pid, "creating", err);

	if (rc >= 0)
		rc = hooks_run(conversation->plan, PLAN_HOOK_CREATE_RUNTIME, conversation->pid, "creating", err);
	return rc < 0 ? rc : let_go_on(conversation, err);
}

static int connect_agent(const struct conversation *conversation, struct error *err)
{
	int rc = listener_connect(conversation->plan, conversation->agent_fd, err);

	return rc < 0 ? rc : let_go_on(conversation, err);
}

static int take_listener(const struct conversation *conversation, int *passed_fd, struct error *err)
{
	const struct plan *plan = conversation->plan;

	if (plan && plan->seccomp.listener_path)
		return listener_hand_over(plan, conversation->pid, *conversation->agent_fd, *passed_fd, err);
	if (*passed_fd < 0 || *conversation->listener_fd >= 0)
		return error_set(err, ERROR_INTERNAL, EPROTO, "the container sent no listener, or more than one");
	*conversation->listener_fd = steal_fd(passed_fd);
	return 0;
}

static int answer(struct conversation *conversation, const struct handshake_message *message, int *passed_fd,
		  struct error *err)
{
	switch (message->type) {
	case HANDSHAKE_MOUNTED:
		return run_runtime_hooks(conversation, err);
	case HANDSHAKE_HOOKED:
		return connect_agent(conversation, err);
	case HANDSHAKE_WARNING:
		log_warning("%s", message->error.message);
		return 0;
	case HANDSHAKE_LISTENER:
		return take_listener(conversation, passed_fd, err);
	case HANDSHAKE_READY:
		conversation->ready = true;
		return 0;
	case HANDSHAKE_FAILED:
		*err = message->error;
		return -err->code;
	case HANDSHAKE_GO:
	case HANDSHAKE_CONTINUE:
	case HANDSHAKE_ENDED:
		break;
	}
	return error_set(err, ERROR_INTERNAL, EPROTO, "unexpected message %d from the container", message->type);
}

/* May execve wait for a listener to be in somebody's hands? Those of a filter that we don't know may. */
static bool needs_listener(const struct birth_request *request)
{
	const struct plan_seccomp *seccomp = &request->plan->seccomp;

	return seccomp->listener_path || request->on_call || (seccomp->floor_notifies && seccomp->enabled);
}

/* A process that nobody has to answer says what it has to say and goes on. Who waits for the end alone (poll(2): that needs no asking for) is
 * woken once, and reads the rest then. */
static int wait_for_end(const struct birth_request *request, const struct birth *birth, struct error *err)
{
	if (request->role == CHILD_INIT_WAITS || needs_listener(request) || plan_has_hooks(request->plan))
		return 0;
	return await_child(&(struct await){ .pid = birth->pid, .channel_fd = birth->channel_fd }, err);
}

/* Until the child's end is closed (execve does that), it fails, or, where that is enough, it is ready. */
static int serve(struct conversation *conversation, bool until_ready, struct error *err)
{
	struct await await = { .pid = conversation->pid,
			       .channel_fd = conversation->channel_fd,
			       .events = POLLIN,
			       .on_call = conversation->on_call,
			       .context = conversation->on_call_context };
	struct handshake_message message;
	int rc;

	for (;;) {
		AUTO_CLOSE int passed_fd = -EBADF;

		await.listener_fd = *conversation->listener_fd;
		rc = await_child(&await, err);
		if (rc >= 0)
			rc = handshake_receive(conversation->channel_fd, &message, &passed_fd, err);
		if (rc <= 0)
			return rc;
		rc = answer(conversation, &message, &passed_fd, err);
		if (rc < 0 || (until_ready && conversation->ready))
			return rc;
	}
}

int birth_finish(const struct birth_request *request, struct birth *birth, struct error *err)
{
	struct conversation conversation = { .channel_fd = birth->channel_fd,
					     .plan = request->plan,
					     .pid = birth->pid,
					     .agent_fd = &birth->agent_fd,
					     .listener_fd = &birth->listener_fd,
					     .on_call = request->on_call,
					     .on_call_context = request->on_call_context };
	int rc;

	rc = wait_for_end(request, birth, err);
	namespace_holder_end(birth->holder);
	if (rc >= 0)
		rc = serve(&conversation, request->role == CHILD_INIT_WAITS, err);
	if (rc < 0 || conversation.ready)
		return rc;
	if (request->cgroup && cgroup_oom_count(request->cgroup) > 0)
		return error_set(err, ERROR_SYSTEM, ENOMEM, "container init was OOM-killed (memory limit too low?)");
	return error_set(err, ERROR_SYSTEM, ECHILD, "the %s was killed while it was set up",
			 request->role == CHILD_EXEC ? "exec's process" : "container's first process");
}

int birth_finish_start(const struct birth_waiting *waiting, int *ret_listener_fd, struct error *err)
{
	int agent_fd = waiting->agent_fd;
	struct conversation conversation = { .channel_fd = waiting->channel_fd,
					     .plan = waiting->plan,
					     .pid = waiting->pid,
					     .agent_fd = &agent_fd,
					     .listener_fd = ret_listener_fd };

	return serve(&conversation, /* until_ready= */ false, err);
}
