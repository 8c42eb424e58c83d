/* The ends of processes for the audit trail: one worker at a time writes all that wait, and an end is told once it is written. */
#pragma once

#include <stdbool.h>

struct process;
struct tasks;

struct task_audit {	/* a member of its process */
	bool is_wanted; /* the runtime has said so */
	bool is_waiting, is_under_way;
	struct process *next; /* in the tasks' list, as long as is_waiting or is_under_way */
};

/* The exit of process can't be told yet: task_exit_drained is called once it can. */
bool task_audit_hold_exit(struct process *process);
/* The process goes; what is under way is written all the same. */
void task_audit_forget(struct process *process);
/* The tasks are freed: what is not written by then is not. */
void task_audit_close(struct tasks *tasks);
