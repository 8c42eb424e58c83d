/* Makes a filter shorter where parts of it can only come to one answer. */
#pragma once

#include <stddef.h>
#include <linux/filter.h>

/* Where every way on from an instruction ends in the same answer, the instruction becomes a return of it; what can't be
 * reached then goes. program: n instructions (up to SECCOMP_CODE_MAX) of those kinds that seccomp_compose() takes, folded
 * in place. Returns its new length (at most n, at least 1), or -ENOMEM with the program as it was. */
int seccomp_fold(struct sock_filter *program, size_t n);
