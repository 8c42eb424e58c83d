/* The code for the conditions on a call's arguments. */
#pragma once

#include "parent/seccomp/seccomp_code.h"
#include "parent/seccomp/seccomp_ranges.h"

/* Writes what decides verdict; it begins at the target that comes back. */
struct seccomp_target seccomp_match_write(struct seccomp_code *code, const struct seccomp_verdict *verdict);
