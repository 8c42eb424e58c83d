#include "container/creation/creation.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "child/hooks.h"
#include "container/creation/creation_attendant.h"
#include "container/creation/creation_birth.h"
#include "container/creation/creation_root.h"
#include "container/foreground.h"
#include "container/learn/learn.h"
#include "container/record.h"
#include "container/landlock_state.h"
#include "container/rootfs_mark.h"
#include "container/state.h"
#include "container/stored_plan.h"
#include "parent/cgroup/cgroup.h"
#include "parent/cgroup/egress.h"
#include "parent/idmap.h"
#include "parent/namespace_holder.h"

#define UNDO_TIMEOUT_MS 10000

/* Without --debug the user sees warnings alone: what was adjusted is in `brig explain`, in the trail and in `brig plan`, and
 * would be noise at each start. */
static void log_lines(const struct report *report, bool has_warnings)
{
	for (size_t i = 0; i < report->n_lines; i++) {
		const struct report_line *line = &report->lines[i];
		const char *where = line->where ?: "";

		if (line->level == REPORT_WARNING && !has_warnings)
			continue;
		if (line->level == REPORT_WARNING)
			log_warning("%s%s%s: asked for %s, applied %s: %s", line->rule, *where ? ": " : "", where,
				    line->asked ?: "nothing", line->applied ?: "nothing", line->why);
		else
			log_debug("plan: %s: %s: %s", line->rule, where, line->why);
	}
}

void creation_log_report(const struct report *report)
{
	log_lines(report, /* has_warnings= */ true);
}

/* By way of /proc/self/fd: sun_path has 108 bytes (unix(7)), and a state directory's path may have more. Listening, and named
 * "new", it is there before the process that will wait on it; offer_start() gives it its name at the end. */
static int bind_start_socket(int dir_fd, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" STORE_NEW_SOCKET, dir_fd);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4) < 0)
		return error_system(err, errno, "make the socket on which the container waits for start");
	return steal_fd(&fd);
}

/* What later invocations have to know, copied out of the plan. The strings stay the plan's: both live as long as the creation. */
static int fill_state(struct creation *creation, struct error *err)
{
	struct container *container = &creation->container;
	const struct plan *plan = creation->plan;
	char created[TIMESTAMP_MAX], owner[16];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(owner, sizeof(owner), "%u", getuid());
	container->state = (struct state){
		.oci_version = plan->oci_version,
		.id = plan->id,
		.bundle = plan->bundle,
		.rootfs = plan->rootfs.path,
		.created = arena_strdup(container->arena, timestamp_format(&now, created)),
		.owner = getuid() == 0 ? "root" : arena_strdup(container->arena, owner),
		.cgroup_path = plan->cgroup.path,
		.cgroup_manager = plan->cgroup.manager,
		.split_cgroup = creation->request->supervisor,
		.user_namespace = plan->namespaces.create & CLONE_NEWUSER,
		.pid_namespace = plan->namespaces.create & CLONE_NEWPID,
		.listener_held = plan->seccomp.listener_held,
		.ids_first = creation->decision.ids.ids.first,
		.ids_size = creation->decision.ids.ids.size,
		.added_namespaces = plan->namespaces.added,
		.policy = creation->decision.policy.text,
		.policy_name = creation->decision.policy.name,
		.annotations = (const struct json_pair *)plan->annotations,
		.n_annotations = plan->n_annotations,
	};
	container->state.late_work = plan->hooks[PLAN_HOOK_POSTSTART].n || plan->hooks[PLAN_HOOK_POSTSTOP].n ||
				     plan->seccomp.listener_path;
	for (size_t i = 0; i < plan->namespaces.n_join; i++)
		container->state.user_namespace |= plan->namespaces.join[i].flag == CLONE_NEWUSER;
	if (!container->state.created || !container->state.owner)
		return error_memory(err);
	if (stored_plan_hooks_left_out(&creation->decision.report, &container->state, container->arena, err) < 0)
		return -ENOMEM;
	return landlock_state_of(&plan->landlock, container->arena, &container->state.landlock, err);
}

/* From here on a killed brig leaves a directory that `delete --force` finds and can act on. Before the decision: ids are taken in its
 * name. */
static int reserve(struct creation *creation, struct error *err)
{
	int rc = store_reserve(creation->brig, creation->request->id, &creation->container, err);

	if (rc < 0)
		return rc;
	creation->reserved = creation->decision.takes_ids = true;
	creation->container.state.id = creation->request->id;
	return 0;
}

/* Who attends has named no group: that one is in use, or gone, is nothing that another request would mend. */
static int judge_group(const struct creation *creation, int rc, struct error *err)
{
	if (rc < 0 && creation->request->attendant && (err->kind == ERROR_EXISTS || err->kind == ERROR_NOT_FOUND))
		err->kind = ERROR_SYSTEM;
	return rc;
}

static int mark(struct creation *creation, struct error *err)
{
	int rc = fill_state(creation, err);

	/* First: whoever deletes what a killed brig leaves here ends all that runs in the group. */
	if (rc >= 0)
		rc = judge_group(creation, cgroup_check_unused(&creation->plan->cgroup, err), err);
	return rc < 0 ? rc : store_mark_cgroup(&creation->container, err);
}

static bool shows_cgroup(const struct plan *plan)
{
	for (size_t i = 0; i < plan->rootfs.n_mounts; i++) {
		if (plan->rootfs.mounts[i].kind == PLAN_MOUNT_CGROUP)
			return true;
	}
	return false;
}

static bool copies_up(const struct plan *plan)
{
	for (size_t i = 0; i < plan->rootfs.n_mounts; i++) {
		if (plan->rootfs.mounts[i].copy_up)
			return true;
	}
	return false;
}

/* What was begun before anything was known is right as a rule. */
static int begin_namespaces(struct creation *creation, struct error *err)
{
	const struct plan *plan = creation->plan;
	const struct plan_namespaces *namespaces = &plan->namespaces;
	bool wanted = plan->rootfs.locked && namespaces->create & CLONE_NEWUSER && !creation->request->images;
	uint64_t kinds = wanted ? namespaces->create & NAMESPACE_HOLDER_KINDS : 0;
	int rc = 0;

	if (creation->holder && namespace_holder_kinds(creation->holder) != kinds)
		namespace_holder_free(steal_ptr(&creation->holder));
	if (wanted && !creation->holder)
		rc = namespace_holder_begin(kinds, /* at_once= */ true, &creation->holder, err);
	return rc < 0 || !wanted ? rc : idmap_write(namespace_holder_pid(creation->holder), namespaces, err);
}

/* May the limits be set while the first process mounts, which then waits for them? Not where that runs somebody else's program (a hook),
 * or fills memory with somebody else's files; nor where it is to be scheduled as its group has to allow first. */
static bool limit_late(const struct creation *creation)
{
	const struct plan *plan = creation->plan;

	return creation->role == CHILD_INIT_RUNS && !creation->request->images && !creation->request->supervisor &&
	       plan->cgroup.manager == PLAN_CGROUP_FS && !plan_has_hooks(plan) && !copies_up(plan) &&
	       !(plan->cgroup.resources.set & (PLAN_CPU_RT_RUNTIME | PLAN_CPU_RT_PERIOD));
}

/* The order matters: programs that hold egress before anybody is in the group; the account before the entry, since v1's trees
 * hold processes in the group itself; delegation last, when all files that it gives away are there and say what config.json wants. Limits
 * that wait, and delegation then, are creation_birth_give()'s. */
static int make_cgroup(struct creation *creation, struct error *err)
{
	const struct plan_cgroup *cgroup = &creation->plan->cgroup;
	int rc;

	creation->is_unlimited = limit_late(creation);
	rc = creation->is_unlimited ? cgroup_make(cgroup, &creation->cgroup, err)
				    : cgroup_create(cgroup, &creation->cgroup, err);

	if (rc >= 0 && creation->plan->egress.enforced)
		rc = egress_install(creation->cgroup, &creation->plan->egress, err);
	/* Who creates apart from starting is an engine, which asks for statistics. */
	if (rc >= 0 && (creation->role == CHILD_INIT_WAITS || creation_attendant_counts(creation)))
		rc = cgroup_account(creation->cgroup, err);
	if (rc >= 0 && creation->request->supervisor)
		rc = cgroup_make_entry(creation->cgroup, CGROUP_ENTRY_CONTAINER, err);
	if (rc >= 0 && creation->request->supervisor && shows_cgroup(creation->plan))
		rc = cgroup_show_limits(creation->cgroup, cgroup->delegate, err);
	if (rc >= 0 && cgroup->delegate && !creation->is_unlimited)
		rc = cgroup_delegate(creation->cgroup, cgroup->owner_uid, err);
	return judge_group(creation, rc, err);
}

static int undo_cgroup(struct creation *creation, struct error *err)
{
	/* Who was waited for in vain is in there. */
	int rc, timeout_ms = creation->birth.stays ? 0 : UNDO_TIMEOUT_MS;

	if (!creation->cgroup)
		return 0;
	cgroup_kill(creation->cgroup, err);
	rc = cgroup_destroy(creation->cgroup, timeout_ms, err);
	/* As cgroup_create() does where it fails for a limit. Later ones are left: the next container would have them, too. */
	if (creation->is_unlimited)
		cgroup_unmake_parents(creation->cgroup);
	return rc;
}

static int undo_reservation(struct creation *creation, struct error *err)
{
	int rc = rootfs_mark_unmount(&creation->container, err);

	if (rc >= 0)
		rc = creation_ids_release(creation->brig, &creation->container.state, err);
	return rc < 0 ? rc : store_remove(&creation->container, err);
}

/* In the reverse order of the steps, each only if it had begun: the processes first, then what they were using. A failure in
 * here is a warning, and leaves a directory that `delete --force` finds, with what it starts from: nothing gives back the ids of a process
 * or a mount that stays, nor forgets where those are. */
void creation_undo(struct creation *creation, const struct error *failure)
{
	struct error ignored;
	bool was_born = creation->birth.pid > 0, stays;

	record_create_failure(creation, failure);

	if (creation->birth.pidfd >= 0)
		birth_abort(&creation->birth);
	stays = creation->birth.stays;
	if (undo_cgroup(creation, &ignored) < 0) {
		log_warning("undo: %s", ignored.message);
		stays = true;
	}
	/* Other hooks may have run, and have left what these take away (OCI runtime.md "Lifecycle"); delete --force runs them where somebody
	 * may still use that. */
	if (was_born && !stays && hooks_run(creation->plan, PLAN_HOOK_POSTSTOP, /* pid= */ 0, "stopped", &ignored) < 0)
		log_warning("undo: %s", ignored.message);
	if (creation->reserved && stays)
		log_warning("undo: what is left of container %s is for brig delete --force", creation->request->id);
	else if (creation->reserved && undo_reservation(creation, &ignored) < 0)
		log_warning("undo: %s", ignored.message);
	creation->reserved = false;
}

void creation_done(struct creation *creation)
{
	birth_done(&creation->birth);
	namespace_holder_free(steal_ptr(&creation->holder));
	close_and_reset(&creation->start_fd);
	close_and_reset(&creation->console.console_fd);
	close_and_reset(&creation->console.master_socket_fd);
	close_and_reset(&creation->filter_cache_fd);
	close_and_reset(&creation->root_mount_fd);
	cgroup_free(steal_ptr(&creation->cgroup));
	/* The strings of the state are the plan's. */
	store_done(&creation->container);
	creation_decision_done(&creation->decision);
}

/* Which limits of the plan somebody holds while the container runs: the supervisor all of them, run itself those of time; and who
 * serves a listener. */
static unsigned held_limits(const struct creation *creation)
{
	const struct brig_create *request = creation->request;
	const struct brig_supervisor *supervisor = request->supervisor;
	/* There is one listener: who records each call sees those that are refused. */
	unsigned denials = request->learn ? 0 : PLAN_HOLDS_DENIALS;

	if (supervisor)
		return (supervisor->decided ? PLAN_HOLDS_TIMEOUT | PLAN_HOLDS_MAX_OUTPUT : 0) |
		       (supervisor->counts_denials ? denials : 0);
	if (request->attendant)
		return PLAN_HOLDS_TIMEOUT | PLAN_HOLDS_MAX_OUTPUT | denials;
	return creation->role == CHILD_INIT_RUNS && !request->detach ? PLAN_HOLDS_TIMEOUT | denials : 0;
}

static int tell_supervisor(struct creation *creation, struct error *err)
{
	const struct brig_supervisor *supervisor = creation->request->supervisor;
	const struct plan_limits *limits = &creation->plan->limits;
	const struct brig_limits told = {
		.timeout = limits->timeout.value,
		.max_output = limits->max_output.value,
		.timeout_by_site = limits->timeout.by_site,
		.max_output_by_site = limits->max_output.by_site,
	};

	return supervisor && supervisor->decided ? supervisor->decided(supervisor->context, &told, err) : 0;
}

/* learn_begin() changes the plan (its filter is to record), and so comes before all that looks at it. */
static int decide(struct creation *creation, struct error *err)
{
	const struct brig_attendant *attendant = creation->request->attendant;
	struct decision *decision = &creation->decision;
	int rc = creation_decide(creation->brig, creation->request, held_limits(creation), decision, err);

	if (rc >= 0 && creation->request->learn)
		rc = learn_begin(creation->request->learn, decision->plan, err);
	if (rc < 0)
		return rc;
	creation->plan = decision->plan;
	rc = creation_check_fds(creation->plan->process.preserve_fds, err);
	if (rc < 0)
		return rc;
	/* Who attends tells of warnings himself, in the words of who asked him. */
	log_lines(&decision->report, /* has_warnings= */ !attendant);
	if (attendant)
		attendant->decided(attendant->context, creation);
	if (creation->role == CHILD_INIT_RUNS && !creation->plan->has_process)
		return error_invalid(err, "config.json has no process: there is nothing to run");
	return 0;
}

static int open_console(struct creation *creation, struct error *err)
{
	const struct brig_create *request = creation->request;
	const struct console_wish wish = { .terminal = creation->plan->process.terminal,
					   .path = request->console_socket,
					   .foreground = creation->role == CHILD_INIT_RUNS && !request->detach,
					   .supervisor = request->supervisor };
	int rc = console_ends_open(&wish, &creation->console, err);

	if (creation->console.master_socket_fd >= 0)
		foreground_size_terminal(&creation->decision.plan->process);
	return rc;
}

/* What comes back from images waits as a stopped process does. */
static bool has_start_socket(const struct creation *creation)
{
	return creation->role == CHILD_INIT_WAITS && !creation->request->images;
}

static int open_start_socket(struct creation *creation, struct error *err)
{
	if (!has_start_socket(creation))
		return 0;
	creation->start_fd = bind_start_socket(creation->container.dir_fd, err);
	return creation->start_fd;
}

static int give_birth(struct creation *creation, struct error *err)
{
	int rc = creation->request->images ? creation_birth_restore(creation, err) : creation_birth_give(creation, err);

	if (rc >= 0 && creation->is_unlimited)
		return error_set(err, ERROR_INTERNAL, EPROTO, "the container's limits were not set");
	return rc;
}

static int offer_start(struct creation *creation, struct error *err)
{
	int dir_fd = creation->container.dir_fd;

	if (has_start_socket(creation) && renameat(dir_fd, STORE_NEW_SOCKET, dir_fd, STORE_START_SOCKET) < 0)
		return error_system(err, errno, "offer the socket on which the container waits for start");
	return 0;
}

/* What runs at once has its line before it does. */
static int record_what_waits(struct creation *creation, struct error *err)
{
	return creation->role == CHILD_INIT_WAITS ? record_create(creation, err) : 0;
}

static int announce(struct creation *creation, struct error *err)
{
	const struct brig_create *request = creation->request;

	return creation_announce(request->pid_file, request->pidfd_socket, &creation->birth, err);
}

/* From a bundle to a process, readable as a table of contents. Where one fails, creation_undo takes back what is there. */
static const struct {
	const char *name; /* for the debug log, once it is done */
	int (*run)(struct creation *creation, struct error *err);
} steps[] = {
	{ "reserve the id", reserve },
	{ "decide", decide },
	{ "tell the supervisor of the limits", tell_supervisor },
	{ "open the console", open_console },
	{ "note where the cgroup will be", mark },
	{ "begin the namespaces", begin_namespaces },
	{ "make the cgroup", make_cgroup },
	{ "make the root file system", creation_root_make },
	{ "open the socket for start", open_start_socket },
	{ "give birth", give_birth },
	{ "offer start", offer_start },
	{ "record what waits", record_what_waits },
	{ "announce it", announce },
};

static int make(struct creation *creation, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(steps); i++) {
		rc = steps[i].run(creation, err);
		if (rc >= 0)
			log_debug("parent: %s", steps[i].name);
	}
	return rc;
}

int creation_run(const struct brig *brig, const struct brig_create *request, enum child_role role, struct creation *ret,
		 struct error *err)
{
	struct creation creation = { .brig = brig,
				     .request = request,
				     .role = role,
				     .holder = request->holder,
				     .container = { .root_fd = -EBADF, .dir_fd = -EBADF },
				     .birth = BIRTH_NONE,
				     .filter_cache_fd = -EBADF,
				     .decision.ids.userns_fd = -EBADF,
				     .root_mount_fd = -EBADF,
				     .start_fd = -EBADF,
				     .console = { .console_fd = -EBADF, .master_socket_fd = -EBADF } };
	int rc;

	creation.begun_usec = clock_us();
	rc = store_check_id(request->id, err);
	/* Nobody may look into us, or take our descriptors, once a foreign process is near (CVE-2016-9962). An ordinary user's
	 * child has to be open to us until its maps are written. */
	if (rc >= 0 && geteuid() == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		rc = error_system(err, errno, "make brig undumpable");
	if (rc >= 0)
		rc = make(&creation, err);
	if (rc < 0) {
		creation_undo(&creation, err);
		creation_done(&creation);
		return rc;
	}
	*ret = creation;
	return 0;
}

/* What start.c has to do, or to know, beyond the word GO. */
static bool starts_simply(const struct creation *creation)
{
	return !creation->container.state.late_work && !creation->container.state.audit && !creation->request->images &&
	       creation->plan->hooks[PLAN_HOOK_START_CONTAINER].n == 0;
}

int brig_create(const struct brig *brig, const struct brig_create *request, struct brig_process *ret_process,
		struct error *err)
{
	struct creation creation;
	int rc = creation_run(brig, request, CHILD_INIT_WAITS, &creation, err);

	if (rc < 0)
		return rc;
	if (ret_process)
		rc = creation_hand_over(&creation.container.state, &creation.birth, ret_process, err);
	if (rc >= 0 && ret_process)
		ret_process->starts_simply = starts_simply(&creation);
	if (rc < 0)
		creation_undo(&creation, err);
	creation_done(&creation);
	return rc;
}
