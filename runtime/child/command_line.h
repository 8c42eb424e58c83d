/* Our command line, which names files of the host's and what a caller put there, is for every process to read that sees ours
 * (proc_pid_cmdline(5)), whatever else is closed to it. */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

struct command_line {
	char *begin, *saved; /* NULL: there is nothing to give back */
	size_t length;
};

/* Puts name in its place, so that a process that is cloned now never had another one. -ENOMEM. */
int command_line_hide(const char *name, struct command_line *ret, struct error *err);
/* Gives it back, for those who look for us on the host, and for what we still read there ourselves. */
void command_line_show(struct command_line *hidden);

static inline void command_line_show_cleanup(struct command_line *hidden)
{
	command_line_show(hidden);
}
