/* What the site allows: the rules that planning applies on top of config.json, and how strictly each of them holds. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Read where --policy is not given; where there is none, the built-in set holds. */
#define POLICY_FILE "/etc/brig/policy.json"
#define POLICY_BYTES_MAX ((size_t)64 * 1024)

enum policy_set {
	POLICY_CONFORMANT, /* do what config.json says: for trusted workloads and conformance suites */
};

/* All of them are about what config.json asks for and this host, the caller, or the site withholds. */
enum policy_rule {
	POLICY_CAPABILITY_UNKNOWN,
	POLICY_CAPABILITY_WITHHELD,
	POLICY_CGROUP_DISABLED,
	POLICY_LIMIT_RAISE,
	POLICY_LIMIT_UNSUPERVISED,
	POLICY_OOM_SCORE_LOWER,
	POLICY_RLIMIT_RAISE,
	POLICY_SELINUX_MISSING,
	POLICY_N_RULES,
};

enum policy_level {
	POLICY_LEVEL_OF_SET, /* in a file: not named there */
	POLICY_OFF,	     /* go on, and say nothing */
	POLICY_ADJUST,	     /* go on with what can be done; in the report, and in the log at debug */
	POLICY_WARN,	     /* the same, and a warning in the log */
	POLICY_ENFORCE,	     /* refuse */
};

/* The site's maximum of what a supervisor holds, which is also the limit where a container asks for none; 0: there is none. */
struct policy_limits {
	uint64_t timeout;    /* nanoseconds from the start */
	uint64_t max_output; /* bytes of stdout, and of stderr */
};

struct policy {
	enum policy_set set;
	enum policy_level levels[POLICY_N_RULES];
	struct policy_limits limits;
	char name[192]; /* "conformant", "conformant (/etc/brig/policy.json)" */
};

/* name_or_file: what --policy got: the name of a set, or the path of a file, which has a slash in it. NULL: POLICY_FILE, or the
 * built-in set where that does not exist. A file has to be a regular one that belongs to root and that nobody else can write
 * to: it decides for others. Returns 0, or a negative errno with err set: ERROR_NOT_FOUND (with what is available),
 * ERROR_INVALID (path in the file, what was found, what is allowed), ERROR_REFUSED (its owner or mode), ERROR_SYSTEM. ret is
 * untouched on failure. */
int policy_load(const char *name_or_file, struct policy *ret, struct error *err);
/* The text of a file; docs/policy.md. Errors as above, without the file's name. */
int policy_parse(const char *text, size_t length, struct policy *ret, struct error *err);
/* As `brig plan` prints it; policy: NULL is the built-in one. */
const char *policy_name(const struct policy *policy);
/* policy: NULL is the built-in one. Never POLICY_LEVEL_OF_SET. */
enum policy_level policy_level(const struct policy *policy, enum policy_rule rule);
/* policy: NULL is the built-in one, which has none. */
struct policy_limits policy_limits(const struct policy *policy);
/* "enforce", "adjust", "warn", "off" */
const char *policy_level_name(enum policy_level level);
/* "rlimit-raise" */
const char *policy_rule_name(enum policy_rule rule);
/* What the one who is refused can do: "ask for no more than ..." */
const char *policy_rule_remedy(enum policy_rule rule);
