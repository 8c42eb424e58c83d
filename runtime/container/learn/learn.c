#include "container/learn/learn.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <linux/seccomp.h>

#include "base/arena.h"
#include "base/log.h"
#include "container/learn/learn_internal.h"
#include "container/learn/learn_profile.h"
#include "container/notification.h"
#include "parent/seccomp/seccomp.h"
#include "parent/seccomp/seccomp_evaluate.h"
#include "plan/plan_digest.h"

/* Then the caller's other descriptors have their turn. */
#define BATCH 32

struct learn {
	struct learn_calls *calls;
	struct seccomp_program original; /* what the answers are taken from */
	bool has_begun, is_tuned;
};

struct learn *learn_new(void)
{
	AUTO(learn_free) struct learn *learn = calloc(1, sizeof(*learn));

	if (!learn)
		return NULL;
	learn->calls = learn_calls_new();
	return learn->calls ? steal_ptr(&learn) : NULL;
}

void learn_free(struct learn *learn)
{
	if (!learn)
		return;
	learn_calls_free(learn->calls);
	seccomp_program_done(&learn->original);
	free(learn);
}

struct learn_calls *learn_calls_of(struct learn *learn)
{
	return learn->calls;
}

int learn_begin(struct learn *learn, struct plan *plan, struct error *err)
{
	struct plan_seccomp *seccomp = &plan->seccomp;
	struct seccomp_program original;
	int r;

	if (seccomp->listener_path || seccomp->floor_notifies)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "its calls can't be recorded: its filter has a listener of its own, and the kernel takes one "
				 "for a process (linux.seccomp.listenerPath)");
	seccomp->records = false;
	if (plan_has_filter(seccomp)) {
		r = seccomp_program_get(seccomp, /* cache_dir_fd= */ -EBADF, &original, err);
		if (r < 0)
			return error_prefix(err, "linux.seccomp");
		seccomp_program_done(&learn->original);
		learn->original = original;
	}
	seccomp->records = true;
	learn->has_begun = true;
	return 0;
}

/* The filter is evaluated here, by the rules that the kernel has: with the recording filter in its place the kernel only asks. */
static uint32_t answer_to(const struct learn *learn, const struct seccomp_data *call)
{
	return learn->original.n > 0 ? seccomp_evaluate(&learn->original, call) : SECCOMP_RET_ALLOW;
}

static int answer(int listener_fd, uint64_t id, uint32_t decision)
{
	switch (decision & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		return notification_let_pass(listener_fd, id);
	case SECCOMP_RET_ERRNO:
		return notification_fail(listener_fd, id, (int)(decision & SECCOMP_RET_DATA));
	}
	/* Nobody asks about these: the kernel kills by itself. */
	return notification_fail(listener_fd, id, EPERM);
}

/* The kernel then wakes us on the processor where the caller sleeps: half the time for each call. */
static void tune(struct learn *learn, int listener_fd)
{
	if (!learn->is_tuned)
		(void)notification_control(listener_fd, NOTIFICATION_SET_FLAGS, (void *)NOTIFICATION_SYNC_WAKE_UP);
	learn->is_tuned = true;
}

/* An answer can come too late: the caller is dead, or a signal has ended its wait (ENOENT, which notification.h passes over). */
static int attend_one(struct learn *learn, int listener_fd)
{
	union notification notification;
	uint32_t decision;
	int r = notification_receive(listener_fd, &notification);

	if (r <= 0)
		return r;
	decision = answer_to(learn, &notification.call.data);
	learn_calls_add(learn->calls, &notification.call.data, decision);
	r = answer(listener_fd, notification.call.id, decision);
	return r < 0 ? r : 1;
}

int learn_attend(void *context, int listener_fd)
{
	struct learn *learn = context;
	int r = 1;

	tune(learn, listener_fd);
	for (int i = 0; i < BATCH && r > 0; i++)
		r = attend_one(learn, listener_fd);
	if (r == -EPIPE)
		return 0;
	return r < 0 ? r : 1;
}

uint64_t learn_total(const struct learn *learn)
{
	return learn_calls_total(learn->calls);
}

size_t learn_refused(const struct learn *learn, struct buffer *out)
{
	return learn_calls_refused(learn->calls, out);
}

int learn_write_profile(const struct learn *learn, const struct learn_how *how, struct buffer *out, struct error *err)
{
	__attribute__((cleanup(learn_profile_done_cleanup))) struct learn_profile profile = { 0 };
	int r = learn_profile_init(&profile, err);

	if (r >= 0 && how->merge)
		r = learn_profile_read(&profile, how->merge, err);
	if (r >= 0)
		r = learn_calls_add_rules(learn->calls, how->beyond_floor, &profile, err);
	if (r < 0)
		return r;
	if (learn_calls_untold(learn->calls) > 0)
		log_warning("%llu calls were of more kinds than there is room for: the profile may lack some",
			    (unsigned long long)learn_calls_untold(learn->calls));
	learn_profile_tidy(&profile);
	learn_profile_write(&profile, out);
	return out->failed ? error_memory(err) : 0;
}

/* Both are parsed and tidied in the same way, so that the order and the grouping of rules make no difference. */
int learn_diff(const char *old_path, const struct buffer *profile, struct buffer *out, bool *ret_differs,
	       struct error *err)
{
	__attribute__((cleanup(learn_profile_done_cleanup))) struct learn_profile before = { 0 }, after = { 0 };
	int r = learn_profile_init(&before, err);

	if (r >= 0)
		r = learn_profile_read(&before, old_path, err);
	if (r >= 0)
		r = learn_profile_init(&after, err);
	if (r >= 0)
		r = learn_profile_parse(&after, profile, "of what was learned", err);
	if (r < 0)
		return r;
	learn_profile_tidy(&before);
	learn_profile_tidy(&after);
	return learn_profile_compare(&before, &after, out, ret_differs, err);
}
