/* From the table of one of brig's own filters to the program for a container with certain capabilities. No libseccomp:
 * the tables hold numbers. */
#pragma once

#include "parent/seccomp/seccomp.h"
#include "parent/seccomp/seccomp_floor_data.h"

/* capabilities: those of the container's bounding set, as a mask. ret: to be released with seccomp_program_done();
 * untouched on failure. Errors: ENOMEM; E2BIG, which no table of ours comes near. */
int seccomp_floor_compile(const struct seccomp_floor_table *table, uint64_t capabilities, struct seccomp_program *ret,
			  struct error *err);
