/* The completion for bash, from the tables of the commands. Pure. */
#pragma once

#include "base/buffer.h"

void completion_append(struct buffer *text);
