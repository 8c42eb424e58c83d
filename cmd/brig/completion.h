/* The completion for bash, from the tables of the commands. Pure. */
#pragma once

#include "base/buffer.h"

/* Appends the whole script, as `brig completion bash` prints it: for each command that is shown, its options and the values
 * that they take. An error is sticky in text (text->failed). */
void completion_append(struct buffer *text);
