/* The containers of the shim and their processes, as data: what tasks.h's functions work on. For this folder alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/io/io.h"
#include "shim/process/exit_order.h"
#include "shim/process/reaper.h"
#include "shim/process/task_audit.h"
#include "shim/process/task_denials.h"
#include "shim/process/task_limits.h"
#include "shim/process/task_oom.h"
#include "shim/process/task_start.h"
#include "shim/process/tasks.h"
#include "shim/process/worker.h"

struct task_request;

struct process { /* the init of a container, or an exec */
	struct task *task;
	enum process_kind kind;
	enum process_state state;
	char *exec_id, *in, *out, *err; /* as they were asked for */
	bool terminal;
	pid_t pid;
	int exit_status;
	struct timespec exited_at;
	struct io *io;	/* NULL before it is needed */
	bool in_closed; /* before there was io */
	struct reaper_child child;
	struct exit_entry exit;
	struct task_audit audit;
	struct task_denials_exec denials; /* of an exec */
	bool is_told;			  /* its exit */
	bool is_given_up;		  /* its end was waited for in vain */
	bool has_failed;		  /* an exec's last start: nobody waits for it any more */
	bool is_killed;			  /* by SIGKILL: what it started goes with it */
	bool is_overflowed;		  /* an exec that wrote more than it may */
	struct loop_timer kill_timer;
	struct loop_timer read_timer; /* its end is told once its output is read, or at read_deadline */
	uint64_t read_deadline, read_pause;
	struct task_reply *waiters;
	struct task_request *requests; /* the first is the one being served, once is_busy */
	size_t n_requests;
	struct task_start start;
	bool is_busy, is_waiting; /* is_waiting: for is_told */
	struct worker *worker;
	bool is_queued; /* for a worker: in the tasks' list */
	struct process *next_queued;
	char *process_json; /* of an exec that has not been started */
	size_t process_length;
	struct process *next;
};

struct task { /* a container */
	struct tasks *tasks;
	struct arena *arena;		      /* its strings and mounts */
	const char *id, *bundle, *checkpoint; /* checkpoint: "", or where its processes come from */
	struct brig_mount *mounts;
	size_t n_mounts;
	const struct brig_bind *binds;
	size_t n_binds;
	bool is_made; /* by the runtime */
	struct process init;
	struct process *execs;
	size_t n_execs;
	struct brig_group *group; /* NULL before it is made, and without control groups */
	struct exit_order order;
	struct task_oom oom;
	struct task_denials denials;
	struct task_limits limits;
	struct loop_timer end_timer; /* the init has ended, its execs have not */
	struct loop_timer tick;	     /* something waits to be told or served */
	struct task *next;
};

struct tasks {
	struct tasks_options options;
	struct reaper *reaper;
	struct task *first;
	size_t n;
	unsigned n_workers;	       /* of requests */
	struct process *first_queued;  /* waits for one of them to end */
	struct loop_timer turn;	       /* some of those that wait can be served */
	struct process *first_audited; /* ends of processes for the audit trail */
	struct worker *audit_worker;
	bool is_closing; /* nobody is answered any more: who asked may be gone */
};

/* A container that nobody knows yet, with copies of what was asked; without streams. */
int task_new(struct tasks *tasks, const struct task_create *request, struct task **ret, struct error *err);
/* No request finds it any more. Nothing happens the second time. */
void task_unlink(struct task *task);
/* Takes it out of the table, answers whoever waits (ERROR_NOT_FOUND), closes everything; processes stay as they are. */
void task_free(struct task *task);
int task_add_exec(struct task *task, const struct task_exec *request, struct process **ret, struct error *err);
void task_remove_exec(struct process *exec);

struct task *task_find(const struct tasks *tasks, const char *id);
struct process *task_find_exec(const struct task *task, const char *exec_id);
/* A process by name, or ERROR_NOT_FOUND. */
int task_find_process(const struct tasks *tasks, struct task_name name, struct process **ret, struct error *err);
/* The same, of a container that the runtime has made. */
int task_find_made(const struct tasks *tasks, struct task_name name, struct process **ret, struct error *err);

struct task_info task_info(const struct process *process);
void task_event(const struct process *process, enum task_event event);
int task_open_streams(struct process *process, struct error *err);
/* Calls reply, which may be NULL, unless the tasks are closing. err: NULL for success. */
void task_answer(struct task_reply *reply, const struct process *process, const struct error *err);
/* What waits is told and served soon, from the loop: nobody is called back from within a callback that may free what it uses. */
void task_wake(struct task *task);
