/* The process, for `brig plan`. */
#include <stdio.h>

#include "base/names.h"
#include "plan/plan_printer.h"

static void print_capability_set(struct plan_printer *printer, const char *key, uint64_t set)
{
	if (!printer->json && set == 0)
		return;
	plan_printer_list(printer, key);
	for (unsigned i = 0; i < 64; i++) {
		if (set >> i & 1)
			plan_printer_string(printer, NULL, names_text(&names_capabilities, i));
	}
	plan_printer_list_end(printer);
}

static void print_capabilities(struct plan_printer *printer, const struct plan_capabilities *capabilities)
{
	plan_printer_object(printer, "capabilities");
	print_capability_set(printer, "bounding", capabilities->bounding);
	print_capability_set(printer, "effective", capabilities->effective);
	print_capability_set(printer, "permitted", capabilities->permitted);
	print_capability_set(printer, "inheritable", capabilities->inheritable);
	print_capability_set(printer, "ambient", capabilities->ambient);
	plan_printer_object_end(printer);
}

static void print_user(struct plan_printer *printer, const struct plan_process *process)
{
	char umask[8];

	plan_printer_uint(printer, "uid", process->uid);
	plan_printer_uint(printer, "gid", process->gid);
	if (process->n_groups > 0) {
		plan_printer_list(printer, "groups");
		for (size_t i = 0; i < process->n_groups; i++)
			plan_printer_uint(printer, NULL, process->groups[i]);
		plan_printer_list_end(printer);
	}
	snprintf(umask, sizeof(umask), "%04o", process->umask & 0777u);
	if (process->set_umask)
		plan_printer_string(printer, "umask", umask);
}

static void print_rlimits(struct plan_printer *printer, const struct plan_process *process)
{
	if (process->n_rlimits == 0)
		return;
	plan_printer_list(printer, "rlimits");
	for (size_t i = 0; i < process->n_rlimits; i++) {
		const struct plan_rlimit *limit = &process->rlimits[i];

		plan_printer_object(printer, NULL);
		plan_printer_string(printer, "resource", names_text(&names_rlimits, (uint64_t)limit->resource));
		plan_printer_limit(printer, "soft", limit->soft);
		plan_printer_limit(printer, "hard", limit->hard);
		plan_printer_bool(printer, "byParent", limit->by_parent);
		plan_printer_object_end(printer);
	}
	plan_printer_list_end(printer);
}

static void print_memory_policy(struct plan_printer *printer, const struct plan_memory_policy *policy)
{
	if (!policy->set)
		return;
	plan_printer_object(printer, "memoryPolicy");
	plan_printer_string(printer, "mode", names_text(&names_memory_modes, (uint64_t)policy->mode));
	plan_printer_string(printer, "nodes", policy->nodes.text);
	plan_printer_list(printer, "flags");
	for (size_t i = 0; i < names_memory_flags.n; i++) {
		if (policy->flags & names_memory_flags.list[i].value)
			plan_printer_string(printer, NULL, names_memory_flags.list[i].text);
	}
	plan_printer_list_end(printer);
	plan_printer_object_end(printer);
}

static void print_scheduling(struct plan_printer *printer, const struct plan_process *process)
{
	const struct plan_scheduler *scheduler = &process->scheduler;

	if (process->set_oom_score_adj)
		plan_printer_int(printer, "oomScoreAdj", process->oom_score_adj);
	if (process->set_io_priority)
		plan_printer_int(printer, "ioPriority", process->io_priority);
	if (process->set_personality)
		plan_printer_string(printer, "personality", names_text(&names_personalities, process->personality));
	plan_printer_string(printer, "initialCPUs", process->first_cpus.text);
	plan_printer_string(printer, "finalCPUs", process->final_cpus.text);
	print_memory_policy(printer, &process->memory_policy);
	if (!scheduler->set)
		return;
	plan_printer_object(printer, "scheduler");
	plan_printer_string(printer, "policy", names_text(&names_scheduler_policies, (uint64_t)scheduler->policy));
	plan_printer_int(printer, "nice", scheduler->nice);
	plan_printer_int(printer, "priority", scheduler->priority);
	plan_printer_uint(printer, "runtime", scheduler->runtime);
	plan_printer_uint(printer, "deadline", scheduler->deadline);
	plan_printer_uint(printer, "period", scheduler->period);
	plan_printer_object_end(printer);
}

void plan_print_process(struct plan_printer *printer, const struct plan_process *process)
{
	plan_printer_object(printer, "process");
	plan_printer_arguments(printer, process->argv);
	plan_printer_terminated(printer, "environment", process->envp, PLAN_PRINTER_NAMES);
	plan_printer_string(printer, "cwd", process->cwd);
	print_user(printer, process);
	plan_printer_bool(printer, "terminal", process->terminal);
	plan_printer_bool(printer, "noNewPrivileges", process->no_new_privileges);
	plan_printer_bool(printer, "newKeyring", process->new_keyring);
	if (process->preserve_fds)
		plan_printer_uint(printer, "preserveFds", process->preserve_fds);
	plan_printer_string(printer, "apparmorProfile", process->apparmor_profile);
	plan_printer_string(printer, "selinuxLabel", process->selinux_label);
	print_capabilities(printer, &process->capabilities);
	print_rlimits(printer, process);
	print_scheduling(printer, process);
	plan_printer_object_end(printer);
}
