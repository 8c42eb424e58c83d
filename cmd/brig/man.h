/* Manual pages as scdoc(5) text, from the tables of the commands. Pure. */
#pragma once

#include "base/buffer.h"
#include "cmd/brig/command.h"

/* brig-COMMAND(1), or brig(1) for commands_brig. */
void man_append(const struct command *command, struct buffer *text);
