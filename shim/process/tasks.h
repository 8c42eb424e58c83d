/* The containers of a pod and their processes: what the task services ask, done. Requests that need the runtime run in a worker
 * and are answered later; those about one process are served in the order in which they came, those about several run side by
 * side. Which is allowed when is state.h's table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "container/brig.h"
#include "container/brig_group.h"
#include "shim/loop/loop.h"
#include "shim/process/state.h"

#define TASKS_MAX 1024	     /* containers of one shim */
#define TASKS_EXECS_MAX 4096 /* of one container, at a time */
#define TASKS_WORKERS_MAX 32

struct streams;
struct tasks;

/* exec_id: "" for the container's first process, here and everywhere. Strings live as long as the process. */
struct task_info {
	const char *id, *exec_id, *bundle, *in, *out, *err;
	pid_t pid;		  /* 0 before it is made; kept after its end */
	enum process_state state; /* as reported (state_reported) */
	bool terminal;
	int exit_status; /* as a shell has it */
	struct timespec exited_at;
};

/* An answer that comes later, or at once from within the request. A member of its owner, which outlives it. */
struct task_reply {
	/* err: NULL for success; info: the process that was asked about, good during the call (of Delete: as it was). */
	void (*done)(struct task_reply *reply, const struct task_info *info, const struct error *err);
	struct task_reply *next; /* belongs to tasks */
};

enum task_event {
	TASK_CREATED,
	TASK_STARTED,
	TASK_EXITED,
	TASK_DELETED,
	TASK_OOM,
	TASK_EXEC_ADDED,
	TASK_EXEC_STARTED,
	TASK_PAUSED,
	TASK_RESUMED,
	TASK_CHECKPOINTED,
};

/* What a container is ended by, other than itself and who asks for it. */
enum task_limit {
	TASK_LIMIT_NONE,
	TASK_LIMIT_TIMEOUT,
	TASK_LIMIT_MAX_OUTPUT, /* of an exec: that is ended alone */
};

/* In nanoseconds; 0: as it is by default. */
struct tasks_bounds {
	uint64_t start; /* without a worker, to be heard of: 60 s */
	uint64_t work;	/* a worker's: as job.c has it, 60 s for what makes or starts a process */
	uint64_t kill;	/* SIGKILL has to work: 10 s */
	uint64_t drain; /* of output after the end of a process: 10 s */
	uint64_t execs; /* for execs to end after their container: 10 s */
};

struct tasks_options {
	struct loop *loop;
	struct brig brig;	 /* strings outlive tasks */
	const char *namespace;	 /* containerd's: containers of two namespaces may have the same id */
	struct streams *streams; /* see io.h; outlive tasks */
	bool no_pivot, no_new_keyring;
	/* In order: create, start, exit, delete; the init's exit after those of its execs (exit_order.h). Before the reply to the
	 * request that caused it. TASK_EXITED and TASK_DELETED of an exec have its exec_id in info. */
	void (*event)(void *context, enum task_event event, const struct task_info *info);
	/* Why a process is being killed: before its exit is told. text: for people, without the container's name. May be NULL. */
	void (*ended_by_limit)(void *context, enum task_limit limit, const struct task_info *info, const char *text);
	void *context;
	struct tasks_bounds bounds;
	/* Whoever asks closes the fifos once it hears of an end (CRI-O): the end is told when they are read, within bounds.drain. */
	bool waits_for_readers;
	unsigned max_workers; /* side by side, others wait for their turn; 0: TASKS_WORKERS_MAX */
};

int tasks_new(const struct tasks_options *options, struct tasks **ret, struct error *err);
/* Closes everything; the containers stay as they are, and nobody is called back. Not from within a callback. */
void tasks_free(struct tasks *tasks);
DEFINE_CLEANUP(struct tasks *, tasks_free);
/* Containers, those that are being made among them. */
size_t tasks_count(const struct tasks *tasks);

struct task_streams {
	const char *in, *out, *err; /* see io.h */
	bool terminal;
};
struct task_create {
	const char *id, *bundle; /* bundle: absolute */
	const struct brig_mount *mounts;
	size_t n_mounts;
	const struct brig_bind *binds; /* of the pod; not copied: they outlive the container */
	size_t n_binds;
	struct task_streams streams;
	const char *checkpoint; /* "": none; else the folder of the images that its processes are brought back from */
};
/* Everything in request is copied. Returns 0: the reply comes; else a negative errno with err set, and no reply. So for all that
 * take one. */
int tasks_create(struct tasks *tasks, const struct task_create *request, struct task_reply *reply, struct error *err);

struct task_exec {
	const char *id, *exec_id;
	struct task_streams streams;
	const char *process_json; /* an OCI process object */
	size_t process_length;
};
/* The process is made by tasks_start. */
int tasks_exec(struct tasks *tasks, const struct task_exec *request, struct error *err);

struct task_name {
	const char *id, *exec_id;
};
int tasks_start(struct tasks *tasks, struct task_name name, struct task_reply *reply, struct error *err);
int tasks_delete(struct tasks *tasks, struct task_name name, struct task_reply *reply, struct error *err);
/* The process's end; at once where it has ended. */
int tasks_wait(struct tasks *tasks, struct task_name name, struct task_reply *reply, struct error *err);
/* Whoever asked is gone: the reply is not called any more (of any request). */
void tasks_abandon(struct tasks *tasks, struct task_reply *reply);
/* All of the container, its execs too: they are frozen, and State says so of each. */
int tasks_pause(struct tasks *tasks, const char *id, struct task_reply *reply, struct error *err);
int tasks_resume(struct tasks *tasks, const char *id, struct task_reply *reply, struct error *err);
struct task_update {
	const char *id, *resources_json;
	size_t length;
};
int tasks_update(struct tasks *tasks, const struct task_update *request, struct task_reply *reply, struct error *err);
/* images: where to, and what becomes of the container afterwards; strings are copied. */
int tasks_checkpoint(struct tasks *tasks, const char *id, const struct brig_images *images, struct task_reply *reply,
		     struct error *err);

struct task_kill {
	struct task_name name;
	int signal;
	bool all; /* every process of the container */
};
/* SIGKILL of an exec ends all that it started; of a container, everything in it. */
int tasks_kill(struct tasks *tasks, const struct task_kill *request, struct error *err);
/* As it is now. Returns 0, or a negative errno with err set: ERROR_NOT_FOUND, also before the create is done. So for all below. */
int tasks_state(const struct tasks *tasks, struct task_name name, struct task_info *ret, struct error *err);
/* Has the container's first process written what nobody has read yet? False where there is no such container. */
bool tasks_has_unread(const struct tasks *tasks, const char *id);
struct task_pid {
	pid_t pid;
	const char *exec_id; /* the exec whose first process it is, or "" */
};
/* Never empty: of a container that has ended and was not deleted, its first process as it was. */
int tasks_pids(const struct tasks *tasks, const char *id, struct arena *arena, struct task_pid **ret, size_t *ret_n,
	       struct error *err);
struct task_size {
	uint32_t width, height; /* characters */
};
/* ERROR_STATE without a terminal, and of an exec that has ended; a container's that ended, and an exec's before its start, are left as they are. */
int tasks_resize(struct tasks *tasks, struct task_name name, struct task_size size, struct error *err);
/* The process's input ends after what was written before. Repeated, it is no error. */
int tasks_close_in(struct tasks *tasks, struct task_name name, struct error *err);
/* What the container's control group counts; lists in arena. */
int tasks_metrics(const struct tasks *tasks, const char *id, struct arena *arena, struct brig_metrics *ret,
		  struct error *err);
