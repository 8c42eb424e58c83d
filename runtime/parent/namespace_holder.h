/* A new user namespace, and those that it owns, in the hands of a process that does nothing else. A network namespace takes the kernel longer than all the others
 * together: the holder can make it, on a processor of its own where one is free, while brig goes on with what needs none of them (docs/adr/0017). */
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* The kinds that it may make. The user namespace always is among them, and owns the others. */
#define NAMESPACE_HOLDER_KINDS ((uint64_t)(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS))

struct namespace_holder;

/* Begins to make namespaces: a user namespace, whose maps are the caller's to write (idmap_write), and of NAMESPACE_HOLDER_KINDS what kinds (CLONE_NEW*) names
 * besides, a network namespace with its loopback interface up. at_once: they are there on return, but for that interface. Nothing is left of the process where brig
 * ends. */
int namespace_holder_begin(uint64_t kinds, bool at_once, struct namespace_holder **ret, struct error *err);
/* Of NAMESPACE_HOLDER_KINDS, those that it makes. */
uint64_t namespace_holder_kinds(const struct namespace_holder *holder);
pid_t namespace_holder_pid(const struct namespace_holder *holder);
/* Waits until its namespaces can be entered. */
int namespace_holder_await_namespaces(struct namespace_holder *holder, struct error *err);
/* Waits until all is done. Both can be called again, and return the same without a wait. */
int namespace_holder_await_end(struct namespace_holder *holder, struct error *err);
/* Kills it, and does not wait for that: a namespace stays as long as somebody is in it or has it open. */
void namespace_holder_kill(struct namespace_holder *holder);
/* Kills it and waits for its end. holder: or NULL. */
void namespace_holder_end(struct namespace_holder *holder);
/* ... and lets go of its memory. */
void namespace_holder_free(struct namespace_holder *holder);
