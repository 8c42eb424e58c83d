/* --help of brig and of its commands, from their tables. Pure. */
#pragma once

#include "base/buffer.h"
#include "cmd/brig/command.h"

/* command: commands_brig for brig's own */
void help_append(const struct command *command, struct buffer *text);
/* "brig create [OPTION...] ID" */
void help_append_synopsis(const struct command *command, struct buffer *text);
/* The heading that a group of commands has in help and manual. */
const char *help_group_title(enum command_group group);
