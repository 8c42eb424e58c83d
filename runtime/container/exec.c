#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "container/brig.h"
#include "container/creation/creation.h"
#include "container/creation/creation_ids.h"
#include "container/exec_process.h"
#include "container/explain/denial_keeper.h"
#include "container/landlock_state.h"
#include "container/foreground.h"
#include "container/policy_facts.h"
#include "container/record.h"
#include "container/state.h"
#include "container/status.h"
#include "container/store.h"
#include "container/stored_plan.h"
#include "container/stored_policy.h"
#include "parent/birth.h"
#include "parent/cgroup/cgroup.h"
#include "parent/host.h"
#include "plan/plan_build.h"
#include "policy/policy.h"

/* Everything that one exec holds. */
struct execution {
	const struct brig *brig;
	const struct brig_exec *request;
	struct container container;
	struct host host;
	struct policy policy;
	struct plan *plan;
	struct report report; /* in the plan's memory */
	bool is_recorded;
	struct cgroup *cgroup;
	struct console_ends console;
	char exec_group[NAME_MAX + 32]; /* made for this exec, or "" */
	int container_fd, filter_cache_fd;
	struct birth birth;
};

static void execution_done(struct execution *execution)
{
	birth_done(&execution->birth);
	close_and_reset(&execution->container_fd);
	close_and_reset(&execution->filter_cache_fd);
	close_and_reset(&execution->console.console_fd);
	close_and_reset(&execution->console.master_socket_fd);
	cgroup_free(steal_ptr(&execution->cgroup));
	plan_free(steal_ptr(&execution->plan));
	policy_done(&execution->policy);
	store_done(&execution->container);
}

static int not_running(const struct execution *execution, struct error *err)
{
	return error_set(err, ERROR_NOT_RUNNING, ESRCH, "cannot exec in a stopped container: container not running: %s",
			 execution->container.state.id);
}

/* A created container takes an exec as well, before its program runs, as with runc: its namespaces are made. */
static int check_status(struct execution *execution, struct error *err)
{
	const char *id = execution->container.state.id;

	switch (status_and_group(&execution->container, &execution->container_fd, &execution->cgroup)) {
	case BRIG_RUNNING:
	case BRIG_CREATED:
		return 0;
	case BRIG_PAUSED:
		if (execution->request->ignore_paused)
			return 0;
		return error_set(err, ERROR_STATE, EBUSY,
				 "cannot exec in container %s: it is paused (--ignore-paused does it)", id);
	case BRIG_CREATING:
		return error_set(err, ERROR_STATE, EBUSY, "cannot exec in container %s: it is being created", id);
	case BRIG_STOPPED:
		break;
	}
	return not_running(execution, err);
}

/* Its process says the rest to the supervisor. An agent's listener is brought there by us. */
static bool is_handed_over(const struct execution *execution)
{
	return execution->request->supervisor && !execution->plan->seccomp.listener_path;
}

/* Who stays with it serves the listener of what is refused: it has one of its own, whatever the container has. */
static bool counts_denials(const struct brig_exec *request)
{
	return request->supervisor ? request->supervisor->counts_denials : !request->detach;
}

/* The plan of an exec is made anew, from the config.json that was kept at create. Its policy is that of the create, or stricter
 * where the site's file is by now (stored_policy.h). What the host can do is looked at now. */
static int plan_process(struct execution *execution, struct error *err)
{
	AUTO(spec_free) struct spec *spec = NULL;
	struct spec_process process;
	struct plan_request request = { .policy = &execution->policy,
					.host = &execution->host,
					.id = execution->container.state.id,
					.bundle = execution->container.state.bundle,
					.preserve_fds = execution->request->preserve_fds,
					.holds = counts_denials(execution->request) ? PLAN_HOLDS_DENIALS : 0,
					.cgroup_manager = execution->container.state.cgroup_manager };
	int rc = stored_policy_load(execution->brig, &execution->container.state, &execution->policy, err);

	if (rc >= 0)
		rc = stored_plan_spec(&execution->container, &spec, err);
	if (rc >= 0)
		rc = exec_process_build(execution->request, spec, &process, err);
	if (rc >= 0)
		rc = host_probe(&execution->host, err);
	if (rc >= 0 && (execution->container.state.landlock || plan_tcp_is_asked(spec)))
		host_probe_landlock(&execution->host);
	if (rc >= 0)
		rc = landlock_state_plan(execution->container.state.landlock, execution->container.arena,
					 &request.landlock, err);
	if (rc < 0)
		return rc;
	request.spec = spec;
	creation_ids_recall(&execution->container.state, &request);
	policy_facts_host(&request, &process, &execution->host);
	rc = plan_build_exec(&request, &process, &execution->plan, &execution->report, err);
	if (rc < 0)
		return rc;
	creation_log_report(&execution->report);
	return creation_check_fds(execution->plan->process.preserve_fds, err);
}

/* What the container sees as the root of its tree is the group that PATH of --cgroup counts from. */
static int open_below(struct execution *execution, struct cgroup *parent, struct error *err)
{
	const char *path = execution->request->cgroup;
	char below[PATH_MAX];

	if (!execution->container.state.split_cgroup)
		return cgroup_open_below(parent, path, &execution->cgroup, err);
	if (execution->request->supervisor)
		return error_set(err, ERROR_USAGE, EINVAL, "--cgroup: a supervised exec has a group of its own");
	path += path[0] == '/';
	snprintf(below, sizeof(below), "%s%s%s", CGROUP_ENTRY_CONTAINER, path[0] ? "/" : "", path);
	return cgroup_open_below(parent, below, &execution->cgroup, err);
}

/* A group of its own for each: the shim can then kill what one exec has left behind (cgroup.kill) and nothing else. See
 * docs/adr/0008. */
static int make_exec_group(struct execution *execution, struct cgroup *parent, struct error *err)
{
	int rc;

	snprintf(execution->exec_group, sizeof(execution->exec_group), "%s%s", CGROUP_ENTRY_EXECS,
		 execution->request->supervisor->exec_id);
	rc = cgroup_make_entry(parent, execution->exec_group, err);
	if (rc < 0)
		execution->exec_group[0] = '\0';
	return rc;
}

/* parent is the handle that check_status() has opened for its question, where it did; opening it again would be the same system
 * calls. */
static int open_cgroup(struct execution *execution, struct error *err)
{
	const struct state *state = &execution->container.state;
	const struct brig_exec *request = execution->request;
	AUTO(cgroup_free) struct cgroup *parent = steal_ptr(&execution->cgroup);
	int rc = parent ? 0 : cgroup_open(state->cgroup_manager, state->cgroup_path, &parent, err);

	if (rc < 0)
		return rc;
	if (request->cgroup)
		return open_below(execution, parent, err);
	if (state->split_cgroup && request->supervisor)
		rc = make_exec_group(execution, parent, err);
	else if (state->split_cgroup)
		rc = cgroup_open_entry(parent, CGROUP_ENTRY_CONTAINER, err);
	if (rc < 0)
		return rc;
	execution->cgroup = steal_ptr(&parent);
	return 0;
}

static struct record_exec record_of(const struct execution *execution)
{
	return (struct record_exec){
		.brig = execution->brig,
		.state = &execution->container.state,
		.policy = &execution->policy,
		.plan = execution->plan,
		.report = &execution->report,
		.exec_id = execution->request->supervisor ? execution->request->supervisor->exec_id : NULL,
		.pid = execution->birth.pid,
		.in_user_namespace = execution->host.in_user_namespace,
	};
}

static void record_failure(const struct execution *execution, const struct error *failure)
{
	const struct record_exec record = record_of(execution);

	if (execution->is_recorded)
		record_exit(record.brig, record.state,
			    &(struct record_exit){
				    .pid = record.pid, .exec_id = record.exec_id, .error = failure->message });
	else
		record_exec_failure(&record, failure);
}

/* Whatever fails in here is a warning: failure is what the caller is to hear about. */
static void undo(struct execution *execution, const struct error *failure)
{
	struct error ignored;

	record_failure(execution, failure);
	if (execution->birth.pidfd >= 0)
		birth_abort(&execution->birth);
	/* The process that may have been in it is reaped by now, or stays there: the container's own group is not for it. Who deletes the
	 * container finds it in that one's groups as well. */
	if (!execution->birth.stays && execution->exec_group[0] && execution->cgroup &&
	    cgroup_release_entry(execution->cgroup, execution->exec_group, CGROUP_ENTRY_CONTAINER, &ignored) < 0)
		log_warning("undo: %s", ignored.message);
	execution->exec_group[0] = '\0';
}

/* The record goes between birth_begin() and birth_go(): until then the child is there, so that its pid can be written down, and
 * waits, so that nothing of the container's runs that the trail does not have. */
static int give_birth(struct execution *execution, struct error *err)
{
	const struct brig_exec *request = execution->request;
	struct console_wish wish = { .terminal = execution->plan->process.terminal,
				     .foreground = !request->detach,
				     .path = request->console_socket,
				     .supervisor = request->supervisor };
	struct birth_request birth_request;
	struct record_exec record;
	int rc;

	rc = console_ends_open(&wish, &execution->console, err);
	if (rc < 0)
		return rc;
	if (execution->console.master_socket_fd >= 0)
		foreground_size_terminal(&execution->plan->process);
	if (execution->plan->seccomp.enabled)
		execution->filter_cache_fd = store_open_filter_cache(execution->container.root_fd);
	birth_request = (struct birth_request){
		.plan = execution->plan,
		.role = CHILD_EXEC,
		.privileged = execution->host.capabilities >> CAP_SYS_ADMIN & 1 && !execution->host.in_user_namespace,
		.cgroup = execution->cgroup,
		.filter_cache_fd = execution->filter_cache_fd,
		.root_mount_fd = -EBADF,
		.start_fd = -EBADF,
		.console_fd = execution->console.console_fd,
		.container_fd = execution->container_fd,
		.container_pid = execution->container.state.pid,
		.container_has_userns = execution->container.state.user_namespace,
		.is_awaited = execution->container.state.audit,
		.has_own_group = execution->exec_group[0],
		/* A worker of the shim: see shim/process/worker.h. */
		.has_default_signals = request->supervisor != NULL,
	};
	rc = birth_begin(&birth_request, &execution->birth, err);
	if (rc < 0)
		return rc;
	close_and_reset(&execution->console.console_fd);
	record = record_of(execution);
	rc = record_exec(&record, err);
	if (rc < 0)
		return rc;
	execution->is_recorded = true;
	rc = birth_go(&execution->birth, err);
	if (rc >= 0 && !is_handed_over(execution))
		rc = birth_finish(&birth_request, &execution->birth, err);
	return rc < 0 ? rc : creation_announce(request->pid_file, request->pidfd_socket, &execution->birth, err);
}

static int execute(struct execution *execution, struct error *err)
{
	int rc = store_open(execution->brig, execution->request->id, STORE_UNLOCKED, &execution->container, err);

	if (rc >= 0)
		rc = check_status(execution, err);
	if (rc >= 0)
		rc = plan_process(execution, err);
	if (rc >= 0)
		rc = open_cgroup(execution, err);
	/* An ordinary user's process would stay open to the container's root, who is the same user to the kernel (CVE-2016-9962). Its
	 * own oom_score_adj alone can't be written then. */
	if (rc >= 0 && (geteuid() == 0 || !execution->plan->process.set_oom_score_adj) &&
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		rc = error_system(err, errno, "make brig undumpable");
	if (rc >= 0)
		rc = give_birth(execution, err);
	/* And not because the exec's own process is gone, say. */
	if (rc == -ESRCH && state_process_is_ending(&execution->container.state))
		rc = not_running(execution, err);
	if (rc < 0)
		undo(execution, err);
	return rc;
}

/* NULL: nothing is counted. */
static struct denial_keeper *keep_denials(struct execution *execution)
{
	struct denial_keeper *keeper;

	if (execution->birth.listener_fd < 0)
		return NULL;
	keeper = denial_keeper_new_exec(execution->brig, execution->request->id, steal_fd(&execution->birth.listener_fd));
	if (!keeper)
		log_warning("what is refused to the exec is not counted: no memory");
	return keeper;
}

static int attend(const struct execution *execution, struct foreground *foreground, int *ret_exit_status,
		  struct error *err)
{
	int rc = 0;

	if (execution->console.master_socket_fd >= 0)
		rc = foreground_take_terminal(foreground, execution->console.master_socket_fd, err);
	return rc < 0 ? rc : foreground_wait(foreground, &execution->birth, ret_exit_status, err);
}

/* foreground_begin() comes first: it blocks all signals, and one that arrives while the process is made is read later instead
 * of ending brig with the process half made. */
static int execute_and_wait(struct execution *execution, int *ret_exit_status, struct error *err)
{
	struct foreground foreground;
	int rc = foreground_begin(&foreground, err);

	if (rc < 0)
		return rc;
	rc = execute(execution, err);
	if (rc >= 0) {
		foreground.keeper = keep_denials(execution);
		rc = attend(execution, &foreground, ret_exit_status, err);
		/* Nobody would take its end, nor its output. */
		if (rc < 0)
			undo(execution, err);
	}
	denial_keeper_end(foreground.keeper);
	if (rc >= 0)
		record_exit(execution->brig, &execution->container.state,
			    &(struct record_exit){ .pid = execution->birth.pid,
						   .has_status = true,
						   .status = *ret_exit_status,
						   .denials = denial_keeper_listener(foreground.keeper) });
	denial_keeper_free(foreground.keeper);
	foreground_end(&foreground);
	return rc;
}

static void execution_init(struct execution *execution, const struct brig *brig, const struct brig_exec *request)
{
	*execution = (struct execution){ .brig = brig,
					 .request = request,
					 .container = { .root_fd = -EBADF, .dir_fd = -EBADF },
					 .container_fd = -EBADF,
					 .filter_cache_fd = -EBADF,
					 .console = { .console_fd = -EBADF, .master_socket_fd = -EBADF },
					 .birth = BIRTH_NONE };
}

int brig_exec(const struct brig *brig, const struct brig_exec *request, int *ret_exit_status, struct error *err)
{
	struct execution execution;
	int rc;

	execution_init(&execution, brig, request);
	if (request->detach) {
		rc = execute(&execution, err);
		if (rc >= 0)
			*ret_exit_status = 0;
	} else {
		rc = execute_and_wait(&execution, ret_exit_status, err);
	}
	execution_done(&execution);
	return rc;
}

int brig_exec_supervised(const struct brig *brig, const struct brig_exec *request, struct brig_process *ret_process,
			 struct error *err)
{
	struct execution execution;
	int rc;

	if (!request->detach || !request->supervisor)
		return error_set(err, ERROR_INTERNAL, EINVAL, "a supervised exec is one with detach and a supervisor");
	rc = store_check_id(request->supervisor->exec_id ?: "", err);
	if (rc < 0)
		return error_prefix(err, "the id of an exec");
	execution_init(&execution, brig, request);
	rc = execute(&execution, err);
	if (rc >= 0) {
		rc = creation_hand_over(&execution.container.state, &execution.birth, ret_process, err);
		if (rc < 0)
			undo(&execution, err);
	}
	if (rc >= 0 && is_handed_over(&execution)) {
		ret_process->newborn_fd = steal_fd(&execution.birth.channel_fd);
		ret_process->may_pass_listener = execution.plan->seccomp.floor_notifies;
		return 0; /* what it holds goes with us, which is sooner done: pages are shared with the newborn */
	}
	execution_done(&execution);
	return rc;
}
