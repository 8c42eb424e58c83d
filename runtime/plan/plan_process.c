/* process: the program, its user, environment, labels and scheduling. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan/plan_builder.h"
#include "plan/plan_id_map.h"

#define IO_CLASS_SHIFT 13 /* ioprio_set(2), IOPRIO_PRIO_VALUE */

static int check_mapped(const struct plan_builder *builder, const char *where, uint32_t id,
			const struct plan_id_map *map, struct error *err)
{
	uint32_t outside;

	/* To the kernel that number means "leave as it is": the process would stay root. */
	if (id == UINT32_MAX)
		return error_invalid(err, "%s: %u is no id", where, id);
	/* A joined user namespace may be told of without its maps: the kernel has the last word there. */
	if (map->n_ranges == 0 || plan_id_map_find(map, id, &outside))
		return 0;
	return error_invalid(err, "%s: %u is not mapped by linux.%sMappings; map it, or use one that is", where, id,
			     map == &builder->uids ? "uid" : "gid");
}

static int build_groups(struct plan_builder *builder, struct error *err)
{
	const struct spec_user *user = &builder->process->user;
	struct plan_process *process = &builder->plan->process;
	gid_t *groups;
	int rc = 0;

	if (user->n_additional_gids == 0)
		return 0;
	if (builder->plan->namespaces.deny_setgroups)
		return error_set(
			err, ERROR_UNSUPPORTED, EPERM,
			"process.user.additionalGids: the kernel forbids setgroups in a user namespace that an ordinary "
			"user made with a map of one group; leave them out");
	groups = arena_array_of(builder->arena, user->n_additional_gids, gid_t);
	if (!groups)
		return error_memory(err);
	for (size_t i = 0; rc >= 0 && i < user->n_additional_gids; i++) {
		groups[i] = user->additional_gids[i];
		rc = check_mapped(builder, "process.user.additionalGids", groups[i], &builder->gids, err);
	}
	process->groups = groups;
	process->n_groups = user->n_additional_gids;
	return rc;
}

/* The kernel would refuse an unmapped id as well (EINVAL of setresuid(2)), but only in the child, and without the place in
 * config.json. */
static int build_user(struct plan_builder *builder, struct error *err)
{
	const struct spec_user *user = &builder->process->user;
	struct plan_process *process = &builder->plan->process;
	int rc;

	process->uid = user->uid;
	process->gid = user->gid;
	process->set_umask = user->umask.set;
	process->umask = user->umask.value;
	rc = check_mapped(builder, "process.user.uid", user->uid, &builder->uids, err);
	if (rc >= 0)
		rc = check_mapped(builder, "process.user.gid", user->gid, &builder->gids, err);
	return rc < 0 ? rc : build_groups(builder, err);
}

/* With its "=", so that an entry without a value does not come between others of its name. */
static size_t name_length(const char *entry)
{
	size_t n = strcspn(entry, "=");

	return n + (entry[n] == '=');
}

/* By name, and entries of one name in their order in the list. */
static int compare_variables(const void *first, const void *second)
{
	const char *const *a = *(const char *const *const *)first, *const *b = *(const char *const *const *)second;
	size_t n_a = name_length(*a), n_b = name_length(*b);
	int order = strncmp(*a, *b, n_a < n_b ? n_a : n_b);

	if (order != 0 || n_a != n_b)
		return order != 0 ? order : n_a < n_b ? -1 : 1;
	return a < b ? -1 : 1;
}

/* Of a name that is there twice the last counts, as with other runtimes (exec's --env relies on that): programs differ. Sorted
 * by name, neighbours compared: quadratic time over what an attacker may send as tens of thousands of variables is none here. */
static int keep_last(struct plan_builder *builder, const char **list, struct error *err)
{
	const char ***order;
	size_t n = 0, kept = 0;

	while (list[n])
		n++;
	order = arena_array_of(builder->arena, n + 1, const char **);
	if (!order)
		return error_memory(err);
	for (size_t i = 0; i < n; i++)
		order[i] = &list[i];
	qsort(order, n, sizeof(*order), compare_variables);
	for (size_t i = 0; i + 1 < n; i++) {
		size_t length = strcspn(*order[i], "=") + 1;

		if (strncmp(*order[i], *order[i + 1], length) == 0)
			*order[i] = NULL;
	}
	for (size_t i = 0; i < n; i++) {
		if (list[i])
			list[kept++] = list[i];
	}
	list[kept] = NULL;
	return 0;
}

/* What systemd handed to us it hands to the program: sd_listen_fds(3) wants the receiver's own pid, which is 1. */
static int build_environment(struct plan_builder *builder, struct error *err)
{
	const struct spec_process *process = builder->process;
	unsigned listen_fds = builder->request->listen_fds;
	const char **list = arena_array_of(builder->arena, process->n_env + 3, const char *);
	int rc = list ? 0 : error_memory(err);

	for (size_t i = 0; rc >= 0 && i < process->n_env; i++)
		rc = plan_builder_copy(builder, process->env[i], &list[i], err);
	if (rc >= 0 && listen_fds > 0) {
		list[process->n_env] = plan_builder_text(builder, err, "LISTEN_FDS=%u", listen_fds);
		list[process->n_env + 1] = "LISTEN_PID=1";
		rc = list[process->n_env] ? 0 : -ENOMEM;
	}
	if (rc >= 0)
		rc = keep_last(builder, list, err);
	builder->plan->process.envp = list;
	return rc;
}

static int build_command(struct plan_builder *builder, struct error *err)
{
	const struct spec_process *process = builder->process;
	int rc;

	/* spec/ has seen to this for config.json, but not for a process put together from exec's command line. */
	if (process->n_args == 0)
		return error_invalid(err, "process.args: is empty; its first element is the program to execute");
	if (process->cwd && process->cwd[0] != '/')
		return error_invalid(err, "process.cwd: \"%.200s\" is not absolute", process->cwd);
	rc = plan_builder_copy_list(builder, process->args, process->n_args, &builder->plan->process.argv, err);
	if (rc >= 0)
		rc = build_environment(builder, err);
	return rc < 0 ? rc : plan_builder_copy(builder, process->cwd ?: "/", &builder->plan->process.cwd, err);
}

/* The kernel refuses to go below our own value without CAP_SYS_RESOURCE (proc_pid_oom_score_adj(5)). */
static int build_oom_score(struct plan_builder *builder, struct error *err)
{
	const struct spec_process *process = builder->process;
	struct plan_process *plan = &builder->plan->process;
	int own = builder->host->oom_score_adj;
	struct report_line line = { .where = "process.oomScoreAdj",
				    .why = "going below the runtime's own value takes CAP_SYS_RESOURCE on the host" };

	if (!process->oom_score_adj.set)
		return 0;
	if (process->oom_score_adj.value >= own || plan_builder_can_on_host(builder, CAP_SYS_RESOURCE)) {
		plan->set_oom_score_adj = true;
		plan->oom_score_adj = process->oom_score_adj.value;
		return 0;
	}
	/* The child has our own value already: nothing to write. */
	plan->oom_score_adj = own;
	line.asked = plan_builder_text(builder, err, "%d", process->oom_score_adj.value);
	line.applied = plan_builder_text(builder, err, "%d", own);
	return line.asked && line.applied ? plan_withheld_report(builder, POLICY_OOM_SCORE_LOWER, &line, err) : -ENOMEM;
}

/* Not a matter of the policy's level: who names a profile relies on it, and without AppArmor nothing could take its place. */
static int build_apparmor(struct plan_builder *builder, struct error *err)
{
	const char *profile = builder->process->apparmor_profile;

	if (!profile || !*profile)
		return 0;
	if (builder->host->apparmor)
		return plan_builder_copy(builder, profile, &builder->plan->process.apparmor_profile, err);
	if (strcmp(profile, "unconfined") == 0)
		return 0;
	return error_set(
		err, ERROR_UNSUPPORTED, EOPNOTSUPP,
		"process.apparmorProfile: \"%.200s\" can't be applied, this host has no AppArmor; leave it out or name "
		"\"unconfined\"",
		profile);
}

static int build_selinux(struct plan_builder *builder, struct error *err)
{
	const char *label = builder->process->selinux_label;
	struct report_line line = { .where = "process.selinuxLabel",
				    .applied = "no label",
				    .why = "this host has no SELinux" };

	if (!label || !*label)
		return 0;
	if (builder->host->selinux)
		return plan_builder_copy(builder, label, &builder->plan->process.selinux_label, err);
	if (plan_builder_copy(builder, label, &line.asked, err) < 0)
		return -ENOMEM;
	return plan_withheld_report(builder, POLICY_SELINUX_MISSING, &line, err);
}

static void build_scheduling(struct plan_builder *builder)
{
	const struct spec_scheduler *scheduler = builder->process->scheduler;
	const struct spec_io_priority *io = builder->process->io_priority;
	const struct spec_personality *personality = builder->spec->linux_.personality;
	struct plan_process *plan = &builder->plan->process;

	if (personality) {
		plan->set_personality = true;
		plan->personality = personality->domain;
	}
	if (io) {
		plan->set_io_priority = true;
		plan->io_priority = io->class << IO_CLASS_SHIFT | io->priority;
	}
	if (scheduler)
		plan->scheduler = (struct plan_scheduler){ .set = true,
							   .policy = scheduler->policy,
							   .nice = scheduler->nice,
							   .priority = scheduler->priority,
							   .flags = scheduler->flags,
							   .runtime = scheduler->runtime,
							   .deadline = scheduler->deadline,
							   .period = scheduler->period };
}

static void build_terminal(struct plan_builder *builder)
{
	const struct spec_console_size *size = builder->process->console_size;
	struct plan_process *plan = &builder->plan->process;

	plan->terminal = builder->process->terminal;
	if (plan->terminal && size) {
		plan->rows = size->height;
		plan->columns = size->width;
	}
}

int plan_process_build(struct plan_builder *builder, struct error *err)
{
	struct plan_process *plan = &builder->plan->process;
	int (*const parts[])(struct plan_builder *, struct error *) = {
		build_command, build_user,	     build_oom_score,	      build_apparmor,
		build_selinux, plan_placement_build, plan_capabilities_build, plan_rlimits_build,
	};
	int rc = 0;

	plan->preserve_fds = builder->request->preserve_fds + builder->request->listen_fds;
	plan->new_keyring = !builder->request->no_new_keyring;
	if (!builder->process)
		return 0;
	builder->plan->has_process = true;
	plan->no_new_privileges = builder->process->no_new_privileges;
	build_terminal(builder);
	build_scheduling(builder);
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(parts); i++)
		rc = parts[i](builder, err);
	return rc;
}
