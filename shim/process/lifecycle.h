/* What the requests of job.h's table change in the shim: before the worker, after its success, after its failure. */
#pragma once

#include <stdbool.h>

#include "shim/process/task.h"

/* finish and fail of Create: the process is there and waits for its start. */
int lifecycle_created(struct process *init, struct worker_outcome *outcome, struct error *err);
void lifecycle_create_failed(struct process *init, bool outcome_is_known);

/* ... of Start: its program runs, and its time with it. */
int lifecycle_started(struct process *init, struct worker_outcome *outcome, struct error *err);
void lifecycle_start_failed(struct process *init, bool outcome_is_known);

/* prepare, finish, fail and failed of an exec's Start. finish comes twice where the process says the rest itself (JOB_WAITS). */
int lifecycle_prepare_exec(struct process *exec, struct error *err);
int lifecycle_exec_started(struct process *exec, struct worker_outcome *outcome, struct error *err);
void lifecycle_exec_failed(struct process *exec, bool outcome_is_known);
void lifecycle_exec_over(struct process *exec);

/* Ends what was created and never started; waits for the end to be told. */
int lifecycle_prepare_delete(struct process *process, struct error *err);
int lifecycle_deleted(struct process *init, struct worker_outcome *outcome, struct error *err);

int lifecycle_paused(struct process *init, struct worker_outcome *outcome, struct error *err);
int lifecycle_resumed(struct process *init, struct worker_outcome *outcome, struct error *err);
int lifecycle_updated(struct process *init, struct worker_outcome *outcome, struct error *err);
int lifecycle_checkpointed(struct process *init, struct worker_outcome *outcome, struct error *err);
