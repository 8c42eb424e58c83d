/* brig run: create and start in one, and in the foreground the wait for the end and the removal. */
#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/quantity.h"
#include "child/child.h"
#include "container/brig.h"
#include "container/creation/creation.h"
#include "container/explain/denial_keeper.h"
#include "container/ending.h"
#include "container/foreground.h"
#include "container/record_target.h"
#include "container/start.h"
#include "parent/cgroup/cgroup.h"

static int make_running(const struct brig *brig, const struct brig_create *request, struct creation *creation,
			struct error *err)
{
	int rc = creation_run(brig, request, CHILD_INIT_RUNS, creation, err);

	if (rc < 0)
		return rc;
	rc = start_run_hooks(creation->plan, creation->birth.pid, creation->birth.pidfd, err);
	if (rc < 0) {
		creation_undo(creation, err);
		creation_done(creation);
	}
	return rc;
}

/* What it left in a pid namespace that it shared goes with it, also where the container is kept. */
static int end_by_timeout(const struct creation *creation)
{
	const struct plan_limit *timeout = &creation->plan->limits.timeout;
	char text[QUANTITY_TEXT_MAX];
	struct error err = { 0 };

	log_warning("ended after %s (%s)", quantity_format_duration(timeout->value, text),
		    timeout->by_site ? "the site's policy" : "annotation brig.dev/timeout");
	if (creation->cgroup && cgroup_kill(creation->cgroup, &err) < 0)
		log_warning("what it left was not killed: %s", err.message);
	return BRIG_STATUS_TIMEOUT;
}

/* The time limit counts from here: the program runs since birth_go(), a moment ago. */
static int wait_for_end(struct creation *creation, struct foreground *foreground, int *ret_exit_status, struct error *err)
{
	int rc = 0;

	if (creation->console.master_socket_fd >= 0)
		rc = foreground_take_terminal(foreground, creation->console.master_socket_fd, err);
	brig_release_executable();
	record_target_rest(creation->brig->session);
	/* Whoever wants to kill or exec meanwhile needs the lock that creation took. */
	store_unlock(&creation->container);
	if (creation->request->learn) {
		foreground->learn = creation->request->learn;
		foreground->learn_fd = steal_fd(&creation->birth.listener_fd);
	} else if (creation->birth.listener_fd >= 0) {
		foreground->keeper =
			denial_keeper_new(creation->brig, creation->request->id, steal_fd(&creation->birth.listener_fd));
		if (!foreground->keeper)
			log_warning("what is refused to the container is not counted: no memory");
	}
	if (creation->plan->limits.timeout.value > 0)
		foreground->deadline = clock_ns() + creation->plan->limits.timeout.value;
	if (rc >= 0)
		rc = foreground_wait(foreground, &creation->birth, ret_exit_status, err);
	denial_keeper_end(foreground->keeper);
	if (rc >= 0 && foreground->timed_out)
		*ret_exit_status = end_by_timeout(creation);
	return rc;
}

static void record_end(const struct creation *creation, const struct foreground *foreground, int status)
{
	const struct ending_note note = { .status = status,
					  .ended_by = foreground->timed_out ? "timeout" : NULL,
					  .denials = denial_keeper_listener(foreground->keeper) };

	ending_record(creation, &note);
}

static int run_detached(const struct brig *brig, const struct brig_create *request, struct error *err)
{
	struct creation creation;
	int rc = make_running(brig, request, &creation, err);

	if (rc >= 0)
		creation_done(&creation);
	return rc;
}

/* Its lock was let go of meanwhile: what somebody else has deleted since then is not ours to remove. No line of the audit trail there: a
 * failure's is that of a removal, which is whose who removes it. */
static void undo_unlocked(struct creation *creation, const struct error *failure)
{
	struct error err = { 0 };

	if (store_lock_again(&creation->container, &err) >= 0) {
		creation_undo(creation, failure);
		return;
	}
	birth_abort(&creation->birth);
	if (err.kind != ERROR_NOT_FOUND)
		log_warning("undo: %s; its cgroup, ids and root file system are left for brig delete --force %s",
			    err.message, creation->request->id);
}

/* Also where waiting failed brig run leaves nothing behind, kept or not. */
static int run_in_foreground(const struct brig *brig, const struct brig_create *request, int *ret_exit_status,
			     struct error *err)
{
	struct foreground foreground;
	struct creation creation;
	int rc = foreground_begin(&foreground, err);

	if (rc < 0)
		return rc;
	rc = make_running(brig, request, &creation, err);
	if (rc >= 0) {
		rc = wait_for_end(&creation, &foreground, ret_exit_status, err);
		if (rc >= 0)
			record_end(&creation, &foreground, *ret_exit_status);
		else
			undo_unlocked(&creation, err);
		if (rc >= 0 && !request->keep)
			ending_clean_up(&creation);
		creation_done(&creation);
	}
	denial_keeper_free(foreground.keeper);
	foreground_end(&foreground);
	return rc;
}

int brig_run(const struct brig *brig, const struct brig_create *request, int *ret_exit_status, struct error *err)
{
	struct record_session session = RECORD_SESSION_INIT;
	struct brig own = *brig;
	int rc;

	own.session = &session;
	if (request->detach)
		rc = run_detached(&own, request, err);
	else
		rc = run_in_foreground(&own, request, ret_exit_status, err);
	record_target_rest(&session);
	if (rc >= 0 && request->detach)
		*ret_exit_status = 0;
	return rc;
}
