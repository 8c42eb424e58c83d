/* The one message that a child has to send from behind its filter: the listener that the filter came with. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "parent/seccomp/seccomp.h"

/* Lets one sendmsg(2) of our own through a filter that would refuse it or ask about it: the one whose fourth, fifth and sixth
 * arguments, which the call does not have, are numbers drawn for this filter. Nobody else can know them: they are in the memory of the
 * child until it executes its program. All other calls, and sendmsg(2) without them, are answered as before.
 * Errors: E2BIG, ENOMEM, those of getrandom(2). */
int seccomp_message_let_pass(struct seccomp_program *program, struct error *err);
/* As fd_send(), by that call where there is one. */
int seccomp_message_send(const struct seccomp_program *program, int socket_fd, const void *data, size_t length,
			 int passed_fd);
