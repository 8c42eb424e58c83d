/* The floor's rule about priorities: what takes CAP_SYS_NICE is not had without it, though brig, which has it, could set it, or hand on its own. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/names.h"
#include "plan/plan_harden.h"

#define NICE_FREE 20 /* RLIMIT_NICE is 20 less the value that it allows (getrlimit(2)): more than this is below 0 */

/* Of sched_setattr(2), and not in <sched.h>. */
#define KEEP_POLICY 0x08u
#define KEEP_PARAMETERS 0x10u

static const char before_all[] =
	"it goes before all other programs of the host, and no limit of processor time holds it (sched(7)); "
	"CAP_SYS_NICE, which that takes, is not the container's";
static const char before_others[] =
	"it goes before the host's own programs; CAP_SYS_NICE, which that takes, is not the container's";

static const struct limit {
	int resource;
	uint64_t free; /* so much anybody may have */
	const char *where, *asked, *why;
} limits[] = {
	{ RLIMIT_RTPRIO, 0, "process.rlimits (RLIMIT_RTPRIO)", "realtime priorities", before_all },
	{ RLIMIT_NICE, NICE_FREE, "process.rlimits (RLIMIT_NICE)", "nice values below 0", before_others },
};

/* Without one in config.json brig's own is inherited, and sched_setscheduler(2) and setpriority(2) want nothing more. */
static int close_inherited(struct plan_builder *builder, const struct limit *limit, size_t at, struct error *err)
{
	enum policy_level level = plan_harden_level(builder, POLICY_CAPABILITY);

	if (builder->host->rlimit_hard[limit->resource] <= limit->free ||
	    (level != POLICY_ADJUST && level != POLICY_ENFORCE))
		return 0;
	return plan_harden_set_limit_to_0(builder, limit->resource, at, err);
}

static int check_limit(struct plan_builder *builder, const struct limit *limit, struct error *err)
{
	const struct plan_process *process = &builder->plan->process;
	struct report_line line = { .where = limit->where, .asked = limit->asked, .applied = "none", .why = limit->why };
	size_t at = plan_harden_find_limit(process, limit->resource);
	bool adjust;
	int rc;

	if (at == process->n_rlimits)
		return close_inherited(builder, limit, at, err);
	if (process->rlimits[at].hard <= limit->free && process->rlimits[at].soft <= limit->free)
		return 0;
	rc = plan_harden_find(builder, POLICY_CAPABILITY, &line, &adjust, err);
	return rc >= 0 && adjust ? plan_harden_set_limit_to_0(builder, limit->resource, at, err) : rc;
}

static bool is_realtime(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_DEADLINE;
}

static int check_scheduler(struct plan_builder *builder, struct error *err)
{
	struct plan_scheduler *asked = &builder->plan->process.scheduler;
	bool policy_is_ours = !asked->set || asked->flags & KEEP_POLICY;
	bool nice_is_ours = !asked->set || asked->flags & KEEP_PARAMETERS;
	int policy = policy_is_ours ? builder->host->scheduler : asked->policy;
	int nice = nice_is_ours ? builder->host->nice : asked->nice;
	struct report_line line = { .where = "process.scheduler", .applied = "the usual priority" };
	bool adjust;
	int rc;

	if (is_realtime(policy)) {
		line.why = before_all;
		line.asked = plan_builder_text(builder, err, "%s%s",
					       names_text(&names_scheduler_policies, (uint64_t)policy) ?: "realtime",
					       policy_is_ours ? ", brig's own" : "");
	} else if (nice < 0) {
		line.why = before_others;
		line.asked = plan_builder_text(builder, err, "nice %d%s", nice, nice_is_ours ? ", brig's own" : "");
	} else {
		return 0;
	}
	if (!line.asked)
		return -ENOMEM;
	rc = plan_harden_find(builder, POLICY_CAPABILITY, &line, &adjust, err);
	if (rc >= 0 && adjust)
		*asked = (struct plan_scheduler){ .set = true, .policy = is_realtime(policy) ? SCHED_OTHER : policy };
	return rc;
}

static int check_io_priority(struct plan_builder *builder, struct error *err)
{
	struct plan_process *process = &builder->plan->process;
	int priority = process->set_io_priority ? process->io_priority : builder->host->io_priority;
	struct report_line line = { .where = "process.ioPriority",
				    .asked = process->set_io_priority ? "IOPRIO_CLASS_RT" : "IOPRIO_CLASS_RT, brig's own",
				    .applied = "the usual one",
				    .why = "it goes before all other programs at the host's disks; CAP_SYS_NICE, which that "
					   "takes, is not the container's" };
	bool adjust;
	int rc;

	if (IOPRIO_PRIO_CLASS(priority) != IOPRIO_CLASS_RT)
		return 0;
	rc = plan_harden_find(builder, POLICY_CAPABILITY, &line, &adjust, err);
	if (rc >= 0 && adjust) {
		process->set_io_priority = true;
		process->io_priority = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_NONE, 0);
	}
	return rc;
}

int plan_harden_priority(struct plan_builder *builder, struct error *err)
{
	uint64_t ceiling = policy_capabilities(builder->request->policy, plan_harden_has_user_namespace(builder));
	int rc = 0;

	if (!builder->process || ceiling >> CAP_SYS_NICE & 1)
		return 0;
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(limits); i++)
		rc = check_limit(builder, &limits[i], err);
	if (rc >= 0)
		rc = check_scheduler(builder, err);
	return rc < 0 ? rc : check_io_priority(builder, err);
}
