/* The floor's rules about what a process may have. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "plan/plan_harden.h"

#define OOM_SCORE_LEAST 0
/* A CRI gives the pods of the class Guaranteed -997 and their pause container -998: with more they would be killed first. */
#define OOM_SCORE_LEAST_OF_CRI (-998)

int plan_harden_new_privileges(struct plan_builder *builder, struct error *err)
{
	struct plan_process *process = &builder->plan->process;
	struct report_line line = { .where = "process.noNewPrivileges",
				    .asked = "false",
				    .applied = "true",
				    .why = "set-user-ID programs could raise the process's privileges" };
	bool adjust;
	int rc;

	if (!builder->process || process->no_new_privileges)
		return 0;
	rc = plan_harden_find(builder, POLICY_NEW_PRIVILEGES, &line, &adjust, err);
	if (rc >= 0 && adjust)
		process->no_new_privileges = true;
	return rc;
}

int plan_harden_session_keyring(struct plan_builder *builder, struct error *err)
{
	struct plan_process *process = &builder->plan->process;
	struct report_line line = { .where = "--no-new-keyring",
				    .asked = "brig's own session keyring",
				    .applied = "a new one",
				    .why = "whoever possesses a keyring can read and add keys in it (keyrings(7))" };
	bool adjust;
	int rc;

	if (process->new_keyring)
		return 0;
	rc = plan_harden_find(builder, POLICY_SESSION_KEYRING, &line, &adjust, err);
	if (rc >= 0 && adjust)
		process->new_keyring = true;
	return rc;
}

int plan_harden_set_limit_to_0(struct plan_builder *builder, int resource, size_t at, struct error *err)
{
	struct plan_process *process = &builder->plan->process;
	struct plan_rlimit *limits = arena_array_of(builder->arena, process->n_rlimits + 1, struct plan_rlimit);

	if (!limits)
		return error_memory(err);
	if (process->n_rlimits)
		memcpy(limits, process->rlimits, process->n_rlimits * sizeof(*limits));
	limits[at] = (struct plan_rlimit){ .resource = resource };
	process->n_rlimits += at == process->n_rlimits;
	process->rlimits = limits;
	return 0;
}

size_t plan_harden_find_limit(const struct plan_process *process, int resource)
{
	size_t at = 0;

	while (at < process->n_rlimits && process->rlimits[at].resource != resource)
		at++;
	return at;
}

/* A dump has the memory of the program, with what it was told in confidence, and core_pattern says where in the host's or the
 * container's files it goes. */
int plan_harden_core_dump(struct plan_builder *builder, struct error *err)
{
	const struct plan_process *process = &builder->plan->process;
	struct report_line line = {
		.where = "process.rlimits (RLIMIT_CORE)",
		.asked = "dumps",
		.applied = "none",
		.why = "a core dump has the program's memory, and the host's core_pattern says where it goes"
	};
	size_t at = plan_harden_find_limit(process, RLIMIT_CORE);
	bool adjust;
	int rc;

	if (!builder->process)
		return 0;
	if (at < process->n_rlimits && process->rlimits[at].hard == 0 && process->rlimits[at].soft == 0)
		return 0;
	if (at == process->n_rlimits && builder->host->rlimit_hard[RLIMIT_CORE] == 0)
		return 0;
	if (at == process->n_rlimits)
		line.asked = "brig's own limit";
	rc = plan_harden_find(builder, POLICY_CORE_DUMP, &line, &adjust, err);
	return rc >= 0 && adjust ? plan_harden_set_limit_to_0(builder, RLIMIT_CORE, at, err) : rc;
}

/* Whoever writes config.json writes these: they are as good as its other fields. */
static bool comes_from_cri(const struct plan_builder *builder)
{
	static const char containerd[] = "io.kubernetes.cri.container-type", crio[] = "io.kubernetes.cri-o.ContainerType";

	for (size_t i = 0; i < builder->spec->n_annotations; i++) {
		const char *name = builder->spec->annotations[i].name;

		if (strcmp(name, containerd) == 0 || strcmp(name, crio) == 0)
			return true;
	}
	return false;
}

int plan_harden_oom_score(struct plan_builder *builder, struct error *err)
{
	struct plan_process *process = &builder->plan->process;
	int least = OOM_SCORE_LEAST,
	    score = process->set_oom_score_adj ? process->oom_score_adj : builder->host->oom_score_adj;
	struct report_line line = { .where = "process.oomScoreAdj",
				    .why = "the kernel would end the host's own processes first when memory runs out" };
	bool adjust;
	int rc;

	if (!builder->process || score >= least)
		return 0;
	if (comes_from_cri(builder))
		least = OOM_SCORE_LEAST_OF_CRI;
	if (score >= least)
		return 0;
	line.asked =
		plan_builder_text(builder, err, "%d%s", score, process->set_oom_score_adj ? "" : ", brig's own value");
	line.applied = plan_builder_text(builder, err, "%d", least);
	if (!line.asked || !line.applied)
		return -ENOMEM;
	rc = plan_harden_find(builder, POLICY_OOM_SCORE, &line, &adjust, err);
	if (rc >= 0 && adjust) {
		process->set_oom_score_adj = true;
		process->oom_score_adj = least;
	}
	return rc;
}
