/* The system call filter of a container: made by the parent (from the plan, or from the cache), installed by the child.
 * See docs/adr/0003-seccomp-compiler.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "plan/plan.h"

struct seccomp_program {
	struct sock_filter *instructions; /* owned */
	size_t n;
	uint64_t flags;	     /* SECCOMP_FILTER_FLAG_*, as seccomp(2) takes them; NEW_LISTENER: a rule notifies */
	bool cached;	     /* came out of the cache: libseccomp was not called */
	bool has_passphrase; /* seccomp_message.h: of the one message that gets through whatever the filter says */
	uint64_t passphrase[3];
	/* brig's own filter, where it is too long for one program with config.json's; else NULL. Installed first, so that of
	 * equally strict answers the kernel takes those of the above. */
	struct sock_filter *floor; /* owned */
	size_t n_floor;
	uint64_t floor_flags;
};

/* Frees both programs. One that was never filled in (all zero) is fine. */
void seccomp_program_done(struct seccomp_program *program);
static inline void seccomp_program_done_cleanup(struct seccomp_program *program)
{
	seccomp_program_done(program);
}

/* The filter that a plan asks for: config.json's with the floor beneath it, from the cache where it holds that, else compiled
 * (and put there); or the floor alone, which is built in: neither the cache nor libseccomp is asked.
 *
 * plan: enabled or with a floor, its digest filled in by plan_digest_seccomp(). cache_dir_fd: a directory that only its
 * owner (we, or root) can write, or -EBADF for no cache; a cache that can't be used is a debug line, never a failure.
 * ret: owned by the caller, to be released with seccomp_program_done(); untouched on failure.
 * Errors: EINVAL (a rule makes no sense; neither a filter nor a floor is asked for; both want to notify), EOPNOTSUPP (a
 * machine for which we have no filters), E2BIG (config.json's alone needs more instructions than the kernel takes), ENOMEM.
 * Source: OCI runtime-spec config-linux.md "Seccomp", seccomp(2). */
int seccomp_program_get(const struct plan_seccomp *plan, int cache_dir_fd, struct seccomp_program *ret,
			struct error *err);

/* Installs the filter (both, where there is a floor by itself: it has to allow seccomp(2)) on the calling thread; for the
 * child, late: what it does afterwards is filtered too. The caller has set no_new_privs or holds CAP_SYS_ADMIN in its
 * user namespace.
 *
 * ret_listener_fd: where program->flags or floor_flags has SECCOMP_FILTER_FLAG_NEW_LISTENER, the listener (close-on-exec,
 * the caller's to close); else -EBADF. Untouched on failure. Errors: those of seccomp(2). */
int seccomp_install(const struct seccomp_program *program, int *ret_listener_fd, struct error *err);
