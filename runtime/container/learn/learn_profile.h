/* A seccomp profile of OCI's form as a list of rules, one call each: made of what was recorded, read from a file, written, compared.
 * Internal to learn. Source: OCI runtime-spec config-linux.md "Seccomp". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "spec/spec.h"

#define LEARN_ARGS_MAX 6

struct learn_rule {
	const char *name; /* in the profile's memory, or constant */
	uint32_t action;  /* SECCOMP_RET_* with its data */
	size_t n_args;
	struct spec_seccomp_arg args[LEARN_ARGS_MAX];
};

#define LEARN_RULES_MAX 65536u
#define LEARN_ARCHITECTURES_MAX 32u

struct learn_profile {
	struct arena *arena;
	uint32_t default_action; /* with its data */
	uint32_t architectures[LEARN_ARCHITECTURES_MAX];
	size_t n_architectures;
	struct opt_u64 flags;
	const char *listener_path, *listener_metadata; /* or NULL */
	struct learn_rule *rules;		       /* owned */
	size_t n_rules, room;
};

/* An empty one whose default is EPERM. */
int learn_profile_init(struct learn_profile *ret, struct error *err);
void learn_profile_done(struct learn_profile *profile);
static inline void learn_profile_done_cleanup(struct learn_profile *profile)
{
	learn_profile_done(profile);
}

/* rule: copied, but for the name. Errors: ENOMEM, E2BIG. */
int learn_profile_add(struct learn_profile *profile, const struct learn_rule *rule, struct error *err);
/* Nothing where it is there already. */
int learn_profile_add_architecture(struct learn_profile *profile, uint32_t architecture, struct error *err);
/* Adds the rules of text: of a profile, or of the one in a config.json. name: for messages. Into one that is empty, all the rest of it
 * as well. Errors: those of the document; ERROR_UNSUPPORTED for docker's own form, whose rules have conditions that OCI's lack. */
int learn_profile_parse(struct learn_profile *profile, const struct buffer *text, const char *name, struct error *err);
/* The same from a file. */
int learn_profile_read(struct learn_profile *profile, const char *path, struct error *err);
/* Sorts, and leaves out what says nothing: rules that are there twice, conditions of a call that is allowed without any, refusals of what
 * is allowed by the very same conditions, and what the default does anyway. */
void learn_profile_tidy(struct learn_profile *profile);
/* Appends the JSON object, of a tidy one. */
void learn_profile_write(const struct learn_profile *profile, struct buffer *out);
/* Appends a line that begins with - for what only the first has, with + for what only the second has; both are tidy. Returns
 * whether there is any. */
int learn_profile_compare(const struct learn_profile *before, const struct learn_profile *after, struct buffer *out,
			  bool *ret_differs, struct error *err);
