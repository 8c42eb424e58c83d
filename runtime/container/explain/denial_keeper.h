/* Whoever stays with a container (brig run, the shim) serves the listener of what the floor's filter refuses it, and keeps the count
 * in its state directory for brig explain: at most once a second, so that a flood costs the host no more than that. Waits for
 * nothing; the caller's loop polls the descriptor and watches the time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "container/brig.h"

#define DENIAL_KEEPER_FILE "denials.json" /* in the state directory, 0600: the document of audit/denials.h */
/* The same of an exec that a brig of its own stays with: that brig's number modulo DENIAL_KEEPER_EXECS, so that there are no more of them.
 * The audit trail has each of them. */
#define DENIAL_KEEPER_EXEC_FILE "denials-exec-%u.json"
#define DENIAL_KEEPER_EXECS 16u

struct denial_keeper;
struct denial_listener;

/* listener_fd: taken, also on failure; or -EBADF (denial_keeper_take). brig and id outlive the keeper. NULL: no memory. */
struct denial_keeper *denial_keeper_new(const struct brig *brig, const char *id, int listener_fd);
/* For one exec, where the container has a keeper of its own. */
struct denial_keeper *denial_keeper_new_exec(const struct brig *brig, const char *id, int listener_fd);
void denial_keeper_free(struct denial_keeper *keeper);
DEFINE_CLEANUP(struct denial_keeper *, denial_keeper_free);

/* To be polled for POLLIN; -EBADF once it is closed, and for NULL. */
int denial_keeper_fd(const struct denial_keeper *keeper);
/* When something is there: answers a batch of it. False: the listener is to be closed, by denial_keeper_close. */
bool denial_keeper_serve(struct denial_keeper *keeper);
/* The same of a further listener of that container, which is the caller's: counted with the others. */
bool denial_keeper_serve_other(struct denial_keeper *keeper, int listener_fd);
/* Of a keeper that was made before the container's own listener came. listener_fd is taken. */
void denial_keeper_take(struct denial_keeper *keeper, int listener_fd);
void denial_keeper_close(struct denial_keeper *keeper);
/* When denial_keeper_save is to be called, on CLOCK_MONOTONIC in nanoseconds; 0: there is nothing to write. */
uint64_t denial_keeper_due(const struct denial_keeper *keeper);
/* Writes what was counted. A file that can't be written is a warning. */
void denial_keeper_save(struct denial_keeper *keeper);
/* The container's first process has ended: closes the listener and writes what is not written yet. Nothing happens the second time. */
void denial_keeper_end(struct denial_keeper *keeper);
/* What was counted; NULL for NULL. */
const struct denial_listener *denial_keeper_listener(const struct denial_keeper *keeper);
