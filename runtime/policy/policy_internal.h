/* What the files of this folder share. */
#pragma once

#include "base/json.h"
#include "base/names.h"
#include "policy/policy.h"

extern const struct name_table policy_names_sets, policy_names_levels;

/* The levels of a set, without a file. */
void policy_init(struct policy *policy, enum policy_set set);
/* Replaces ret, which is untouched on failure. */
int policy_read_file(const char *path, struct policy *ret, struct error *err);
/* Where policy_read_file() found no file (-ENOENT): ERROR_REFUSED where others than root may have taken it away. */
int policy_check_absent(const char *path, struct error *err);

/* "audit" as the file has it. */
struct policy_audit_document {
	struct opt_bool enabled, syslog, journald, kernel_log, required, redact_args;
	struct opt_u32 keep;
	const char *path, *max_size;
};
extern const struct json_type policy_audit_type; /* const struct policy_audit_document *: NULL where the file says nothing */
/* What a set says of the audit trail where a file says nothing. */
struct policy_audit policy_audit_of_set(enum policy_set set);
/* Changes what the document names. ERROR_INVALID. */
int policy_audit_take(const struct policy_audit_document *document, struct policy_audit *ret, struct error *err);
/* SHA-256 of a policy's text. */
void policy_digest(const void *text, size_t length, uint8_t digest[static 32]);
/* Of a built-in set: of its name and brig's version. */
void policy_digest_of_set(enum policy_set set, uint8_t digest[static 32]);
