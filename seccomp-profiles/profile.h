/* A system call policy: what a *.policy file says, and what the build makes of it. README.md has the form of the text.
 * For the build and its tests; nothing here is in the programs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "parent/seccomp/seccomp.h"
#include "parent/seccomp/seccomp_floor_data.h"

#define PROFILE_VALUES_MAX 16
#define PROFILE_CONDITIONS_MAX 4
#define PROFILE_RULES_MAX 512
#define PROFILE_NAMES_MAX 64
#define PROFILE_DEFINES_MAX 128
#define PROFILE_ARCHITECTURES 4

/* (argument & mask) is one of values. */
struct profile_condition {
	bool is_int; /* the kernel looks at the lower 32 bits only, and so does the filter */
	unsigned argument;
	uint64_t mask;
	uint64_t values[PROFILE_VALUES_MAX];
	size_t n_values;
};

enum profile_kind { PROFILE_ALLOW, PROFILE_REFUSE, PROFILE_ABSENT };

struct profile_rule {
	enum profile_kind kind;
	uint64_t needs; /* capabilities, as a mask: 0 or one bit */
	bool narrow;	/* for 32-bit programs alone */
	const char *names[PROFILE_NAMES_MAX];
	size_t n_names;
	struct profile_condition conditions[PROFILE_CONDITIONS_MAX]; /* all have to hold */
	size_t n_conditions;
	unsigned errnum; /* what a refusal answers */
	const char *reason, *file;
	unsigned line, depth; /* depth: how many files include this one */
};

struct profile_define {
	const char *name;
	uint64_t value;
};

struct profile {
	struct profile_rule *rules;
	size_t n_rules;
	struct profile_define defines[PROFILE_DEFINES_MAX];
	size_t n_defines;
};

/* Where `include NAME` finds a text: NULL where there is none. The length is that of a C string. */
typedef const char *(*profile_open)(void *context, const char *name);

/* profile_parse.c: reads text, which is called file in messages ("strict.policy:12: ..."), and what it includes. All
 * lives in arena. Errors: EINVAL, ENOMEM; ret is untouched then. */
struct profile_source {
	const char *file, *text;
	profile_open open;
	void *context;
};
int profile_parse(const struct profile_source *source, struct arena *arena, struct profile *ret, struct error *err);

/* profile_words.c: one line of text, without its reason. Errors: EINVAL. */
int profile_words_rule(struct arena *arena, const struct profile *profile, char *text, struct profile_rule *rule,
		       struct error *err);
int profile_words_define(struct arena *arena, struct profile *profile, char *text, struct error *err);

/* profile_calls.c: the system calls of the architectures that we have filters for: x86_64, x86, aarch64, arm. */
extern const uint32_t profile_calls_architectures[PROFILE_ARCHITECTURES];
/* Numbers worth a look: from *number on, the next one that has a name, which is given (in arena). NULL: no more. */
const char *profile_calls_next(uint32_t audit, struct arena *arena, uint32_t *number);
/* Each call is known to some architecture; no rule says the same as another or the contrary. Errors: EINVAL. */
int profile_calls_check(const struct profile *profile, struct error *err);
/* Each call that an architecture has is spoken of. Errors: EINVAL, with the first that is not. */
int profile_calls_complete(const struct profile *profile, struct arena *arena, struct error *err);

/* profile_clauses.c: the rules for one call in the order in which they are asked, the last of them without conditions. */
struct profile_clause {
	uint64_t needs;
	uint32_t action;
	size_t n_conditions;
	struct seccomp_condition conditions[PROFILE_CONDITIONS_MAX];
};
struct profile_clauses {
	struct profile_clause *list;
	size_t n;
};
/* wide: arguments have 64 bits, and rules for 32-bit programs alone are left out. Errors: ENOMEM. */
int profile_clauses_of(const struct profile *profile, const char *name, bool wide, struct arena *arena,
		       struct profile_clauses *ret);

/* profile_table.c: the profile for one machine, in the form that the programs have it. Everything is in arena; the
 * program is not made yet. machine: AUDIT_ARCH_X86_64 or AUDIT_ARCH_AARCH64. Errors: ENOMEM. */
int profile_table(const struct profile *profile, uint32_t machine, struct arena *arena, struct seccomp_floor_table *ret,
		  struct error *err);

/* profile_json.c: OCI runtime-spec's linux.seccomp, for the machines above without 32-bit x86. Errors: ENOMEM. */
int profile_json(const struct profile *profile, struct arena *arena, struct buffer *json, struct error *err);

/* profile_code.c: table and its program as C, the object called name. */
void profile_code(const struct seccomp_floor_table *table, const struct seccomp_program *program, const char *name,
		  struct buffer *code);
