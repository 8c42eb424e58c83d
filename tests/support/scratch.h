/* A directory for one test, and what several tests put into one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct scratch {
	char path[128]; /* absolute, without a symbolic link in it */
	int fd;
};

/* Below $TMPDIR or /tmp. Fails the test where it can't be made. */
struct scratch scratch_new(void);
/* Removes it with all that is in it; links are not followed. */
void scratch_done(struct scratch *scratch);
static inline void scratch_done_cleanup(struct scratch *scratch)
{
	scratch_done(scratch);
}
#define SCRATCH(name) __attribute__((cleanup(scratch_done_cleanup))) struct scratch name = scratch_new()

/* Gives it to nobody and goes on as nobody, until scratch_done: for tests of what keeps code inside a directory, so that code
 * which fails them changes nothing on the machine. Nothing to do where we aren't root. */
void scratch_drop_root(const struct scratch *scratch);

/* Each fails the test where the system says no. name: relative to the directory. */
void scratch_file(const struct scratch *scratch, const char *name, const char *text, mode_t mode);
void scratch_directory(const struct scratch *scratch, const char *name);
void scratch_link(const struct scratch *scratch, const char *name, const char *target);
/* Is there anything of that name (a dangling link too)? */
bool scratch_has(const struct scratch *scratch, const char *name);
mode_t scratch_mode(const struct scratch *scratch, const char *name);
/* The whole file, or the link's target, as text of at most size - 1 bytes; returned. */
const char *scratch_text(const struct scratch *scratch, const char *name, char *text, size_t size);
/* How many entries it has. */
size_t scratch_count(const struct scratch *scratch);
/* How many descriptors this process has open. */
size_t scratch_count_fds(void);
