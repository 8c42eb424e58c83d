/* The floor's rules about what a process may have. */
#include "plan/plan_harden.h"

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
