/* What brig_start does where there is nothing to read, to record or to run: a supervisor does it itself, without a process for it and
 * without ever waiting. See docs/adr/0007; the conversation is that of docs/adr/0004. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "container/brig.h"

#define STARTER_LOOK_MS 1000

struct starter;

enum starter_answer {
	STARTER_WAITS,	/* for more */
	STARTER_RUNS,	/* the program does; or it has ended */
	STARTER_FAILED, /* the container, or the exec, ends itself; err says why */
	STARTER_ASTRAY, /* what it does is not known, and it has to be ended; err says why */
};

/* Tells a created container, of which struct brig_process said starts_simply, to go on. pid: of its first process. Returns 0, or a
 * negative errno where it was not told, and where it can't be without waiting (the container's lock is held by another brig, say):
 * brig_start_supervised does it then, or finds out why not. */
int starter_new(const struct brig *brig, const char *id, pid_t pid, struct starter **ret);
/* The same conversation with the process of an exec. made: as brig_exec_supervised gave it; its newborn_fd becomes the starter's with success.
 * container_pid: of the container's first process. id is borrowed. Returns 0 or a negative errno. */
int starter_new_exec(const char *id, pid_t container_pid, const struct brig_process *made, struct starter **ret);
/* Readable once there is an answer, and at its end (EPOLLHUP). It stays the starter's. */
int starter_fd(const struct starter *starter);
/* Reads one message, if there is one. *ret_denials_fd: as brig_start_supervised has it, with STARTER_WAITS; or -EBADF. */
enum starter_answer starter_answer(struct starter *starter, int *ret_denials_fd, struct error *err);
/* To be asked every STARTER_LOOK_MS as long as there is no other word: returns 0; or -ECANCELED with err set where the process is stopped by a
 * signal, and has to be ended. */
int starter_look(struct starter *starter, struct error *err);
/* For who has waited for long enough: the process runs a program by now, and somebody else has a copy of the end that execve(2) closes, or
 * it would have been heard. Of a container with an init of ours the answer is always false: that one runs none. */
bool starter_has_executed(const struct starter *starter);
/* Unlocks the container. */
void starter_free(struct starter *starter);
DEFINE_CLEANUP(struct starter *, starter_free);
