/* When an exit may be told: never before the start of the same process was, and the init's after those of all its execs.
 * containerd takes the init's exit for the end of the container. Pure; the caller owns every entry. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "shim/process/state.h"

struct exit_entry {
	enum process_kind kind;
	bool announced, exited;
	int status; /* as a shell has it: 128 + signal */
	struct timespec at;
	uint64_t sequence;
	struct exit_entry *next;
};

struct exit_order { /* one a container; zeroed is empty */
	struct exit_entry *first;
	uint64_t exits;
};

/* A process that is about to be started: before the clone, since its exit may be seen before its start returns. */
void exit_order_add(struct exit_order *order, struct exit_entry *entry, enum process_kind kind);
/* Its start failed, or it is given up (a process that no signal ends must not hold back the init's exit). */
void exit_order_remove(struct exit_order *order, struct exit_entry *entry);
/* Its start event is on its way. */
void exit_order_announce(struct exit_entry *entry);
/* The reaper's report; a second one changes nothing. status as above; at: CLOCK_REALTIME. */
void exit_order_exit(struct exit_order *order, struct exit_entry *entry, int status, struct timespec at);
/* The next exit that may be told, taken off the order, or NULL. Execs in the order in which they ended. */
struct exit_entry *exit_order_take(struct exit_order *order);
