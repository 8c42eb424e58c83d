#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "container/creation/creation.h"
#include "container/explain/denial_keeper.h"
#include "container/ending.h"
#include "container/foreground.h"
#include "container/record_target.h"
#include "parent/host.h"
#include "parent/namespace_holder.h"
#include "plan/plan_id_map.h"
#include "sandbox/sandbox_config.h"
#include "sandbox/sandbox_fault.h"
#include "sandbox/sandbox_files.h"
#include "sandbox/sandbox_findings.h"
#include "sandbox/sandbox_folder.h"
#include "sandbox/sandbox_group.h"
#include "sandbox/sandbox_id.h"
#include "sandbox/sandbox_network.h"
#include "sandbox/sandbox_proxy.h"
#include "sandbox/sandbox_root.h"
#include "sandbox/sandbox_stream.h"
#include "sandbox/sandbox_verdict.h"
#include "sandbox/sandbox_watch.h"
#include "sandbox/sandbox_words.h"

#define ARENA_MAX ((size_t)64 * 1024 * 1024)
#define NS_PER_S UINT64_C(1000000000)
/* The most that making its root file system may take, an image of 4 GiB on a slow disk included. */
#define PREPARE_MOST (UINT64_C(300) * NS_PER_S)
/* ... and filling it: as long as the program may take, but not less than that, and not more. */
#define EQUIP_LEAST (UINT64_C(2) * NS_PER_S)
#define EQUIP_MOST (UINT64_C(10) * NS_PER_S)

/* One sandbox from its request to its end. */
struct life {
	struct brig brig;
	struct record_session session; /* the brig's */
	const struct sandbox_request *request;
	struct sandbox_result *result;
	bool rootless;
	struct sandbox_folder folder;
	struct sandbox_root root;
	struct sandbox_config document; /* what config was written from; without a request: not yet */
	struct buffer config;
	int *file_fds; /* of what is copied in */
	int stdin_fd;
	int child_fds[3];		 /* the program's ends */
	int init_fds[2];		 /* ours, init's */
	struct namespace_holder *holder; /* until create() */
	struct brig_attendant attendant;
	struct brig_create create;
	struct creation creation;
	bool is_created;
	struct foreground foreground;
	bool is_foreground;
	struct pace pace;     /* may_go_on(): asked by what takes long before the program runs */
	uint64_t prepared_by; /* as clock_ns() */
	int stopped_by;	      /* a signal before anything ran, or 0 */
	struct sandbox_network network;
	struct sandbox_proxy proxy;
	struct sandbox_group group;
	struct sandbox_watch watch;
	struct audit_usage usage; /* of all of it, after the end */
};

/* ---- before ---- */

/* Signals don't end us any more, so that nothing is left behind: what takes long asks here. */
static int may_go_on(void *context, struct error *err)
{
	struct life *life = context;

	if (!life->stopped_by)
		life->stopped_by = sandbox_watch_stop_signal(life->foreground.signal_fd);
	if (life->stopped_by)
		return error_set(err, ERROR_SYSTEM, EINTR, "stopped by SIG%s before the program's start",
				 sigabbrev_np(life->stopped_by));
	if (clock_ns() >= life->prepared_by)
		return error_set(
			err, ERROR_TIMEOUT, ETIMEDOUT,
			"the sandbox was not ready in time (%llu seconds for its root file system, %llu or --timeout "
			"for files and network): use a smaller image, or smaller files",
			(unsigned long long)(PREPARE_MOST / NS_PER_S), (unsigned long long)(EQUIP_MOST / NS_PER_S));
	return 0;
}

/* What comes out is a config.json like any other, which is read, planned and held against the policy as one: a sandbox has no
 * way around a rule that holds for containers. */
static int write_config(struct life *life, struct error *err)
{
	struct sandbox_config document = { .request = life->request,
					   .root = life->root.path,
					   .parts = life->root.parts,
					   .n_parts = life->root.n_parts,
					   .rootless = life->rootless,
					   .cgroup_path = life->group.path,
					   .lacks_cpu = !life->group.has_cpu,
					   .has_cgroup = !life->brig.cgroup_disabled,
					   .uid = geteuid(),
					   .gid = getegid(),
					   .oom_score = host_oom_score_adj() };
	int rc = sandbox_config_choose(&document, &life->root.image, life->result->arena, err);

	if (rc >= 0)
		rc = sandbox_network_write_resolv_conf(life->request, &life->folder, life->result->arena,
						       &document.resolv_conf, err);
	if (rc < 0)
		return rc;
	life->document = document;
	sandbox_config_write(&life->document, &life->config);
	return life->config.failed ? error_memory(err) : 0;
}

static int open_stdin(struct life *life, struct error *err)
{
	life->stdin_fd = sandbox_files_open_stdin(life->request->stdin_path, err);
	if (life->stdin_fd < 0)
		return life->stdin_fd;
	life->watch.in = (struct sandbox_stream){ .fd = -EBADF, .peer_fd = life->stdin_fd, .is_input = true };
	return sandbox_stream_open(&life->watch.in, &life->child_fds[0], err);
}

/* Pipes of ours and not the caller's own descriptors: what comes out is counted and cut off at its limit, and a terminal or
 * socket of the caller never gets into the sandbox. Standard input is empty unless one was asked for. */
static int open_streams(struct life *life, struct error *err)
{
	int rc;

	if (life->request->stdin_path) {
		rc = open_stdin(life, err);
	} else {
		life->child_fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		rc = life->child_fds[0] < 0 ? error_system(err, errno, "open /dev/null") : 0;
	}
	for (int i = 0; rc >= 0 && i < 2; i++) {
		struct sandbox_stream *stream = &life->watch.out[i];

		stream->peer_fd = life->request->keeps_output ? -EBADF : STDOUT_FILENO + i;
		rc = sandbox_stream_open(stream, &life->child_fds[1 + i], err);
	}
	if (rc >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, life->init_fds) < 0)
		rc = error_system(err, errno, "socketpair");
	return rc;
}

/* The network namespace is the longest single part of a start, and every sandbox will want these: they are made from the first moment on. Where that can't be, it
 * is found out, and told of, by who wants them. */
static void begin_namespaces(struct life *life)
{
	struct error ignored;

	if (!life->rootless)
		(void)namespace_holder_begin(NAMESPACE_HOLDER_KINDS, /* at_once= */ false, &life->holder, &ignored);
}

/* By what limits are held is told of a sandbox that never came to be as well, one with an id that can be none included. */
static int choose_group(struct life *life, struct error *err)
{
	int rc = sandbox_group_choose(&life->brig, life->result->id, life->result->arena, &life->group, err);

	life->result->by_cgroup = !life->brig.cgroup_disabled;
	return rc;
}

static int choose_id(struct life *life, struct error *err)
{
	int rc = sandbox_id_choose(life->request, life->result->id, err);

	if (rc < 0) {
		(void)choose_group(life, NULL);
		return rc;
	}
	begin_namespaces(life);
	return choose_group(life, err);
}

/* What can be wrong with the request is found first, while nothing stands that would have to be taken away again. */
static int prepare(struct life *life, struct error *err)
{
	const struct sandbox_request *request = life->request;
	int rc = choose_id(life, err);

	if (rc >= 0 && request->egress_proxy)
		rc = sandbox_proxy_check(request, err);
	if (rc >= 0)
		rc = sandbox_files_check_binds(request, err);
	if (rc >= 0)
		rc = sandbox_files_open(request->files, request->n_files, life->result->arena, &life->file_fds, err);
	if (rc >= 0)
		rc = open_streams(life, err);
	if (rc >= 0)
		rc = foreground_begin(&life->foreground, err);
	if (rc < 0)
		return rc;
	life->is_foreground = true;
	life->pace = (struct pace){ .may_go_on = may_go_on, .context = life };
	life->prepared_by = clock_ns() + PREPARE_MOST;
	rc = may_go_on(life, err);
	if (rc >= 0)
		rc = sandbox_folder_open(&life->brig, life->result->id, &life->pace, &life->folder, err);
	if (rc >= 0)
		rc = sandbox_root_make(&life->folder, request, life->result->arena, &life->root, err);
	return rc < 0 ? rc : write_config(life, err);
}

/* ---- birth ---- */

/* Also of one that comes to nothing from here on. */
static void hear_decision(void *context, const struct creation *creation)
{
	struct life *life = context;

	sandbox_findings_of_plan(creation, &life->document, life->result);
}

/* The program's ends of the pipes are closed here whatever came of it: ours show an end of file only once nobody else holds the
 * other end (pipe(7)). */
static int create(struct life *life, struct error *err)
{
	bool has_proxy = life->request->egress_proxy != NULL;
	bool hands_over = life->request->n_files + life->request->n_collects > 0 || life->request->egress || has_proxy;
	int rc;

	life->attendant =
		(struct brig_attendant){ .config = life->config.data,
					 .config_length = life->config.length,
					 .stdio = { life->child_fds[0], life->child_fds[1], life->child_fds[2] },
					 .init_fd = life->init_fds[1],
					 .handed_over = hands_over ? SANDBOX_WORK : NULL,
					 .listen_port = has_proxy ? SANDBOX_PROXY_PORT : 0,
					 .listen_path = has_proxy ? SANDBOX_PROXY_PATH : NULL,
					 .accounts = life->request->limits.cpu_time > 0,
					 .decided = hear_decision,
					 .context = life };
	life->create = (struct brig_create){ .id = life->result->id,
					     .bundle = life->folder.path,
					     .attendant = &life->attendant,
					     .holder = steal_ptr(&life->holder),
					     .learn = life->request->learn };
	rc = creation_run(&life->brig, &life->create, CHILD_INIT_RUNS, &life->creation, err);
	for (int i = 0; i < 3; i++)
		close_and_reset(&life->child_fds[i]);
	close_and_reset(&life->init_fds[1]);
	if (rc < 0)
		return rc;
	life->is_created = true;
	brig_release_executable();
	record_target_rest(&life->session);
	store_unlock(&life->creation.container);
	return 0;
}

/* ---- while it runs ---- */

static uint64_t time_to_equip(uint64_t timeout)
{
	if (timeout < EQUIP_LEAST)
		return EQUIP_LEAST;
	return timeout < EQUIP_MOST ? timeout : EQUIP_MOST;
}

static int start_proxy(struct life *life, struct error *err)
{
	struct sandbox_watch *watch = &life->watch;
	int rc;

	life->proxy = (struct sandbox_proxy){ .proxy = proxy_none(),
					      .brig = &life->brig,
					      .state = &life->creation.container.state,
					      .result = life->result,
					      .list = life->request->egress_proxy,
					      .site = &life->creation.plan->egress };
	rc = sandbox_proxy_start(&life->proxy, watch->listen_fds, watch->n_listeners, err);
	sandbox_watch_close_listeners(watch);
	watch->heard_fd = life->proxy.proxy.control_fd;
	return rc;
}

static void hear(void *context)
{
	struct life *life = context;

	sandbox_proxy_hear(&life->proxy);
	/* The next request may be long in coming. */
	record_target_rest(&life->session);
	life->watch.heard_fd = life->proxy.proxy.control_fd;
}

/* Nobody looks at signals and the time meanwhile but the pace. */
static int equip(void *context, int work_fd, struct error *err)
{
	struct life *life = context;
	uid_t uid = plan_id_map_outside(&life->creation.plan->namespaces.uids, SANDBOX_UID);
	const struct sandbox_filling filling = {
		.work_fd = work_fd, .fds = life->file_fds, .uid = life->rootless ? (uid_t)-1 : uid, .pace = &life->pace
	};
	int rc = 0;

	life->prepared_by = clock_ns() + time_to_equip(life->result->limits.timeout);
	if (life->request->egress)
		rc = sandbox_network_start(life->creation.birth.pid, &life->pace, &life->network, err);
	if (rc >= 0 && life->request->egress_proxy)
		rc = start_proxy(life, err);
	return rc < 0 ? rc : sandbox_files_put(&filling, life->request, err);
}

static int watch(struct life *life, struct error *err)
{
	struct sandbox_watch *watch = &life->watch;
	struct creation *creation = &life->creation;

	sandbox_findings_warn_of_limits(life->result, &life->group);
	watch->learn = life->request->learn;
	if (watch->learn)
		watch->learn_fd = steal_fd(&creation->birth.listener_fd);
	else if (creation->birth.listener_fd >= 0)
		watch->keeper = denial_keeper_new(&life->brig, life->result->id, steal_fd(&creation->birth.listener_fd));
	watch->pidfd = creation->birth.pidfd;
	watch->pid = creation->birth.pid;
	watch->init_fd = life->init_fds[0];
	watch->signal_fd = life->foreground.signal_fd;
	watch->cgroup = life->result->by_cgroup ? creation->cgroup : NULL;
	watch->timeout = life->result->limits.timeout;
	watch->cpu_limit = life->request->limits.cpu_time;
	watch->cpus = life->result->limits.cpus;
	watch->equip = equip;
	watch->hear = hear;
	watch->context = life;
	for (int i = 0; i < 2; i++) {
		watch->out[i].limit = life->result->limits.max_output;
		watch->out[i].output->data.limit = watch->out[i].limit + BUFFER_LIMIT_DEFAULT;
	}
	return sandbox_watch_until_end(watch, err);
}

/* ---- after ---- */

static void fail(struct life *life, struct error *failure)
{
	sandbox_words_mend(&life->document, failure);
	sandbox_fault_judge(&life->brig, failure);
	sandbox_verdict_fail(failure, life->result);
}

static int conclude(struct life *life, struct error *err)
{
	struct sandbox_watch *watch = &life->watch;
	struct sandbox_emptying emptying = { .work_fd = watch->work_fd, .signal_fd = watch->signal_fd };
	struct sandbox_result *result = life->result;
	int rc = 0;

	sandbox_proxy_end(&life->proxy);
	life->stopped_by = life->stopped_by ?: watch->end.stopped_by;
	watch->end.cpu_limit = watch->cpu_limit;
	sandbox_findings_of_group(watch->cgroup, &life->group, &watch->end, &life->usage, result);
	sandbox_findings_of_denials(denial_keeper_listener(watch->keeper), result);
	result->wall_time = watch->wall_time;
	result->cpu_time = watch->end.cpu_time;
	if (watch->failure.kind == ERROR_NONE)
		sandbox_verdict_decide(&watch->end, result);
	else
		fail(life, &watch->failure);
	if (watch->work_fd >= 0 && life->request->n_collects > 0)
		rc = sandbox_files_collect(&emptying, life->request, result, err);
	life->stopped_by = life->stopped_by ?: emptying.stopped_by;
	/* The last thing that holds the tmpfs, and its memory, which is the group's. */
	close_and_reset(&watch->work_fd);
	return rc;
}

static void record_and_take_away(struct life *life)
{
	const struct ending_note note = { .status = life->result->exit_status,
					  .ended_by = sandbox_verdict_ended_by(life->result->verdict),
					  .denials = denial_keeper_listener(life->watch.keeper),
					  .usage = life->usage.is_known ? &life->usage : NULL };

	ending_record(&life->creation, &note);
	ending_take_away(&life->creation, note.usage);
	creation_done(&life->creation);
}

static void close_all(struct life *life)
{
	sandbox_network_stop(&life->network);
	proxy_stop(&life->proxy.proxy);
	sandbox_watch_close_listeners(&life->watch);
	denial_keeper_free(life->watch.keeper);
	if (life->watch.learn)
		close_and_reset(&life->watch.learn_fd);
	sandbox_stream_close(&life->watch.in);
	sandbox_stream_close(&life->watch.out[0]);
	sandbox_stream_close(&life->watch.out[1]);
	close_and_reset(&life->watch.work_fd);
	close_and_reset(&life->stdin_fd);
	for (int i = 0; i < 3; i++)
		close_and_reset(&life->child_fds[i]);
	close_and_reset(&life->init_fds[0]);
	close_and_reset(&life->init_fds[1]);
	for (size_t i = 0; life->file_fds && i < life->request->n_files; i++)
		close_and_reset(&life->file_fds[i]);
	close_and_reset(&life->root.lock_fd);
	sandbox_folder_close(&life->folder);
	record_target_rest(&life->session);
	namespace_holder_free(life->holder);
	buffer_done(&life->config);
	if (life->is_foreground)
		foreground_end(&life->foreground);
}

static uint64_t since(uint64_t *last)
{
	uint64_t now = clock_ns(), passed = now - *last;

	*last = now;
	return passed;
}

static int live(struct life *life, uint64_t *clock, struct error *err)
{
	struct sandbox_phases *phases = &life->result->phases;
	int rc = prepare(life, err);

	phases->prepare = since(clock);
	if (rc < 0)
		return rc;
	rc = create(life, err);
	phases->start = since(clock);
	if (rc < 0)
		return rc;
	rc = watch(life, err);
	phases->run = since(clock);
	if (rc >= 0)
		rc = conclude(life, err);
	return rc;
}

void sandbox_run(const struct brig *brig, const struct sandbox_request *request, struct sandbox_result *ret)
{
	struct life life = { .brig = *brig,
			     .session = RECORD_SESSION_INIT,
			     .request = request,
			     .result = ret,
			     .rootless = geteuid() != 0,
			     .folder = { .folder_fd = -EBADF, .own_fd = -EBADF },
			     .root.lock_fd = -EBADF,
			     .stdin_fd = -EBADF,
			     .child_fds = { -EBADF, -EBADF, -EBADF },
			     .init_fds = { -EBADF, -EBADF },
			     .network = sandbox_network_none(),
			     .proxy.proxy = proxy_none(),
			     .watch = { .work_fd = -EBADF,
					.heard_fd = -EBADF,
					.in = { .fd = -EBADF, .peer_fd = -EBADF },
					.out = { { .fd = -EBADF, .output = &ret->output[0] },
						 { .fd = -EBADF, .output = &ret->output[1] } } } };
	uint64_t clock = clock_ns();
	struct error err = { 0 };
	int rc;

	*ret = (struct sandbox_result){ .arena = arena_new(ARENA_MAX),
					.exit_code = -1,
					.limits = request->limits,
					.work_bytes = sandbox_config_disk(&request->limits) };
	life.brig.session = &life.session;
	rc = ret->arena ? live(&life, &clock, &err) : error_memory(&err);
	if (rc < 0)
		fail(&life, &err);
	/* Before anything ran, whatever failed for it. */
	if (life.stopped_by && ret->verdict == SANDBOX_INTERNAL)
		ret->exit_status = 128 + life.stopped_by;
	if (life.is_created)
		record_and_take_away(&life);
	close_all(&life);
	ret->phases.end = since(&clock);
}
