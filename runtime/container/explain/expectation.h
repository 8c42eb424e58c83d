/* report.json in the state directory: what the policy made of config.json, and what of it can be looked for later in the running
 * container. For brig explain; written at create, where there is a policy to speak of. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "container/explain/expected_limits.h"
#include "container/store.h"

#define EXPECTATION_FILE "report.json"
#define EXPECTATION_LAST ".last.json" /* in the root directory */

struct creation;
struct denial_listener;

struct expected_line { /* struct report_line as text */
	const char *level, *rule, *where, *asked, *applied, *why;
};

struct expected_range {
	uint32_t inside, outside, count;
};

struct expected_mount {
	const char *destination;
	uint64_t attributes; /* MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV */
};

struct expectation {
	const char *policy;
	const struct expected_line *report;
	size_t n_report;
	bool no_new_privileges, landlock, refuses_tcp;
	const char *filter;			 /* "none", "config.json", "strict", "baseline" */
	bool counts;				 /* what the filter refuses goes to a listener of ours */
	uint64_t bounding, inheritable, ambient; /* capabilities, as bits */
	uint64_t namespaces;			 /* CLONE_NEW* that are not the host's */
	const struct expected_range *uids;
	size_t n_uids;
	const struct expected_range *gids;
	size_t n_gids;
	const char *const *masked;
	size_t n_masked;
	/* Of a mount namespace of its own; state of an older brig has none of these. */
	const char *const *readonly;
	size_t n_readonly;
	const struct expected_mount *mounts; /* each destination once: what is on top there */
	size_t n_mounts;
	bool readonly_root;
	uint64_t filters;	    /* at least so many: brig's own and the container's; 0: not known */
	struct opt_bool core_dumps; /* not set: a brig made it that did not look at this */
	struct opt_bool logs; /* what is refused is in the kernel's log; not set: a brig made it that did not say */
	struct opt_int oom_score_adj; /* not set: the same, or the plan has none */
	const char *const *egress;    /* entries of its list, in the order of their counters; NULL: it has none */
	size_t n_egress;
	struct expected_limits limits; /* what it was given last: by the plan, and by each update since */
	bool is_updated;	       /* by the latter */
};

/* Nothing under the set conformant, where config.json was done as it stands. */
int expectation_save(const struct creation *creation, struct error *err);
/* Of an update that has been done: its limits are what is held against the kernel from now on. Nothing where there is no report.json. A
 * file that can't be written is a warning. */
void expectation_update(const struct container *container, const struct plan_resources *resources);
/* ENOENT (ERROR_SYSTEM) where there is none. */
int expectation_read(int dir_fd, struct arena *arena, struct expectation *ret, struct error *err);

/* What brig run leaves behind: its container's state goes with it. */
struct expectation_last {
	const char *id, *ended;
	int status;
	struct expectation *expected;
	struct denial_document *denials; /* or NULL */
};
/* listener: who has counted, or NULL. A file that can't be written is a warning. */
void expectation_keep_last(const struct container *container, int status, const struct denial_listener *listener);
int expectation_read_last(int root_fd, struct arena *arena, struct expectation_last *ret, struct error *err);
