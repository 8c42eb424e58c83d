/* Answers for the floor: the calls that it refuses one container come here, are refused (never let through), and counted.
 * One counter serves all of a container's listeners: that of its first process, one for each exec.
 *
 * A listener that is closed makes the kernel answer ENOSYS by itself: nobody hangs when its owner dies. */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/json_write.h"

struct denials_count;
struct denials_limits;
struct denial_listener;

/* limits: of audit/denials.h, or NULL for its defaults. NULL: no memory. */
struct denial_listener *denial_listener_new(const struct denials_limits *limits);
void denial_listener_free(struct denial_listener *listener); /* closes nothing: descriptors are the caller's */
DEFINE_CLEANUP(struct denial_listener *, denial_listener_free);

/* Answers a batch of what waits at listener_fd, without waiting itself; for when poll(2) reports anything there. Nobody
 * else may receive from listener_fd.
 * Returns 1: go on. 0: to be closed now, since no process is left behind it, or since the bound on the rate was reached
 * (then the others of the container are to be closed as well: each says so when it is served next). Negative errno: it
 * is broken, to be closed too. Source: seccomp_unotify(2). */
int denial_listener_serve(struct denial_listener *listener, int listener_fd);
/* The container is gone. */
void denial_listener_end(struct denial_listener *listener);

/* How many calls were refused. */
uint64_t denial_listener_total(const struct denial_listener *listener);
/* denials_counts() of it. */
size_t denial_listener_counts(const struct denial_listener *listener, struct denials_count *ret, size_t max);
/* The document that audit/denials.h describes. */
void denial_listener_write_json(const struct denial_listener *listener, struct json_writer *writer);
