/* From ranges to code: a binary tree over the numbers for each architecture, with the conditions as its leaves. */
#pragma once

#include "parent/seccomp/seccomp_code.h"
#include "parent/seccomp/seccomp_ranges.h"

/* Writes the whole program to code (its overflow flag tells whether it fits). sections: the one that is asked for first
 * comes first, our own. A call of any other architecture kills the thread, as with libseccomp. Errors: ENOMEM. */
int seccomp_tree_write(struct seccomp_code *code, const struct seccomp_section *sections, size_t n, struct arena *arena,
		       struct error *err);
