/* Stands in for container/brig.h and container/brig_group.h, fake_io.c for shim/io/io.h: containers are plain processes, made in the worker as
 * the runtime makes them, and what is to go wrong is set before. In memory that workers share with the test. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "container/brig.h"

#define FAKE_PROCESSES_MAX 64

enum fake_behaviour {
	FAKE_WORKS,
	FAKE_FAILS,	    /* with ERROR_REFUSED, nothing left behind */
	FAKE_CRASHES,	    /* before it did anything */
	FAKE_CRASHES_LATE,  /* after the process was made, or the start done */
	FAKE_HANGS,	    /* until release is set */
	FAKE_EXITS_AT_ONCE, /* works; the process ends before the answer comes */
};

struct fake_process {
	char exec_id[64];
	pid_t pid;
};

struct fake {
	enum fake_behaviour create, start, exec, delete, pause, resume, update, checkpoint, words, record;
	struct brig_limits limits; /* of the next container */
	bool audits;		   /* every process */
	char recorded[FAKE_PROCESSES_MAX][96];
	volatile pid_t recorded_pid;  /* of the last one */
	volatile unsigned n_recorded; /* in workers */
	volatile bool release;
	/* Begun, in workers, of which there may be several at a time. */
	_Atomic unsigned n_creates, n_starts, n_execs, n_deletes, n_pauses, n_resumes, n_thaws, n_updates, n_last_words;
	struct fake_process processes[FAKE_PROCESSES_MAX];
	volatile unsigned n_processes;
	pid_t test_pid;
	int exit_code; /* of what SIGTERM ends */
	bool no_groups, group_open_fails, kill_does_nothing;
	bool group_is_empty; /* its processes have ended */
	bool has_unread;     /* every stream */
	bool is_being_read;
	pid_t unkillable; /* as in uninterruptible sleep: no signal of the shim's has an effect */
	/* in the test's process: */
	unsigned n_group_kills, n_group_kills_all, n_group_releases, n_group_signals, n_stuck_asked;
	uint64_t oom_count;
	int oom_fd;
	bool io_open_fails, io_begin_fails, io_limit_fails, hold_drain;
	struct io *last_io; /* opened */
	unsigned n_io, n_begun, n_closed_in;
	struct fake_drain {
		void (*finished)(void *context);
		void *context;
	} drains[FAKE_PROCESSES_MAX];
	unsigned n_drains;
	bool starts_simply;		    /* the next container; see fake_starter_says */
	bool hands_over, may_pass_listener; /* execs, whose process says the rest; see the same */
	bool starter_is_refused, starter_is_stopped, starter_has_executed, is_frozen;
	int starter_peer_fd, listener_fd;
	volatile int newborn_fd; /* of the process of the last exec that was handed over: in that process */
	unsigned n_starters, n_starters_open;
	char last_update[64], last_words[160], last_images[64];
	char seen_mount[64];
};

extern struct fake *fake;

void fake_init(void);
/* Ends every process that was made. */
void fake_done(void);
pid_t fake_pid(const char *exec_id);
void fake_report_oom(uint64_t count);
void fake_drain_all(void);
/* What a first process that was told to start without a worker, or the process of an exec that was handed over, does next. */
enum fake_word { FAKE_RUNS, FAKE_HAS_FAILED, FAKE_TALKS_NONSENSE, FAKE_WARNS, FAKE_GIVES_LISTENER };
void fake_starter_says(enum fake_word word);
/* In the worker, before it makes the process, which has a copy of its end. Returns the shim's, or -EBADF. */
int fake_make_newborn(const char *exec_id);
/* The process of that exec, of which fake_starter_says holds from now on, however it ends. */
void fake_take_newborn(const char *exec_id);
/* Of the streams that were opened last; returns what their limit is. */
uint64_t fake_overflow(void);
