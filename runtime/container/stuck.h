/* Processes that no signal ends: they wait in the kernel, uninterruptibly. */
#pragma once

#include <sys/types.h>

#include "base/buffer.h"

/* Appends a line where pid, or one of its threads, is in state D: "pid 42 (cp) in state D: io_schedule < ...", with the kernel's
 * stack where it may be read. */
void stuck_describe(pid_t pid, struct buffer *text);
/* The state letter and the name of a /proc/PID/stat; what can't be printed becomes "?". '\0' where it is malformed. */
char stuck_parse_stat(const char *stat, char name[64]);
/* The function names of a /proc/PID/stack ("[<0>] io_schedule+0x46/0x80" a line), "a < b < c". */
void stuck_format_stack(const char *stack, struct buffer *text);
