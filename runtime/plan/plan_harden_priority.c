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

/* What is brig's own is adjusted at the level enforce too: nobody asked for it, so config.json has nothing to leave out. */
static int find(struct plan_builder *builder, struct report_line *line, bool is_own, bool *ret_adjust, struct error *err)
{
	if (!is_own || plan_harden_level(builder, POLICY_CAPABILITY) != POLICY_ENFORCE)
		return plan_harden_find(builder, POLICY_CAPABILITY, line, ret_adjust, err);
	*ret_adjust = true;
	line->rule = policy_rule_name(POLICY_CAPABILITY);
	line->level = REPORT_ADJUSTED;
	return report_add(builder->report, line, err);
}

static bool is_realtime(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_DEADLINE;
}

struct priority {
	int policy, nice;
	bool policy_is_own, nice_is_own;
};

static struct priority priority_of(const struct plan_builder *builder)
{
	const struct plan_scheduler *asked = &builder->plan->process.scheduler;
	struct priority ret = { .policy_is_own = !asked->set || asked->flags & KEEP_POLICY,
				.nice_is_own = !asked->set || asked->flags & KEEP_PARAMETERS };

	ret.policy = ret.policy_is_own ? builder->host->scheduler : asked->policy;
	ret.nice = ret.nice_is_own ? builder->host->nice : asked->nice;
	return ret;
}

static int check_scheduler(struct plan_builder *builder, struct error *err)
{
	const struct priority had = priority_of(builder);
	bool realtime = is_realtime(had.policy), raised = had.nice < 0, adjust;
	/* Where one of the two is asked for, that is what is said. */
	bool of_policy = realtime && (!had.policy_is_own || had.nice_is_own || !raised);
	bool is_own = of_policy ? had.policy_is_own : had.nice_is_own;
	const char *whose = is_own ? ", brig's own" : "";
	struct report_line line = { .where = "process.scheduler",
				    .applied = "the usual priority",
				    .why = of_policy ? before_all : before_others };
	int rc;

	if (!realtime && !raised)
		return 0;
	line.asked =
		of_policy ? plan_builder_text(builder, err, "%s%s",
					      names_text(&names_scheduler_policies, (uint64_t)had.policy) ?: "realtime",
					      whose)
			  : plan_builder_text(builder, err, "nice %d%s", had.nice, whose);
	if (!line.asked)
		return -ENOMEM;
	rc = find(builder, &line, is_own, &adjust, err);
	if (rc >= 0 && adjust)
		builder->plan->process.scheduler =
			(struct plan_scheduler){ .set = true, .policy = realtime ? SCHED_OTHER : had.policy };
	return rc;
}

static int check_io_priority(struct plan_builder *builder, struct error *err)
{
	struct plan_process *process = &builder->plan->process;
	bool is_own = !process->set_io_priority, adjust;
	int priority = is_own ? builder->host->io_priority : process->io_priority;
	struct report_line line = { .where = "process.ioPriority",
				    .asked = is_own ? "IOPRIO_CLASS_RT, brig's own" : "IOPRIO_CLASS_RT",
				    .applied = "the usual one",
				    .why = "it goes before all other programs at the host's disks; CAP_SYS_NICE, which that "
					   "takes, is not the container's" };
	int rc;

	if (IOPRIO_PRIO_CLASS(priority) != IOPRIO_CLASS_RT)
		return 0;
	rc = find(builder, &line, is_own, &adjust, err);
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
