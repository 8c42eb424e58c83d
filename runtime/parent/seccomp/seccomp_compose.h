/* Two filters as one program: that of config.json with one of brig's own beneath it. See docs/adr/0009-composed-filters.md. */
#pragma once

#include "parent/seccomp/seccomp.h"

/* Makes the program whose answer to each call is the stricter one of both, in the kernel's order (KILL_PROCESS,
 * KILL_THREAD, TRAP, ERRNO, USER_NOTIF, TRACE, LOG, ALLOW). Of two answers with the same action config's counts, as if it
 * had been installed after floor. A notification of floor's is as strict as an ERRNO, since its listener always refuses.
 * What both answer with a constant ALLOW, the composed program does too: the kernel then need not run it.
 *
 * config, floor: only their instructions and flags are looked at. ret: instructions to be released by the caller, flags
 * those of config and what floor needs for its listener; untouched on failure.
 * Errors: E2BIG (longer than the kernel takes: install one after the other), EINVAL (both notify, or a program that no
 * compiler of ours writes), ENOMEM. Source: seccomp(2). */
int seccomp_compose(const struct seccomp_program *config, const struct seccomp_program *floor,
		    struct seccomp_program *ret, struct error *err);

/* As seccomp_compose(); where one program would be too long, ret is both: config, and floor beside it.
 * take_config, take_floor: empty afterwards on success. Errors: EINVAL, ENOMEM. */
int seccomp_compose_or_stack(struct seccomp_program *take_config, struct seccomp_program *take_floor,
			     struct seccomp_program *ret, struct error *err);
