/* "audit" of the policy file: where the trail is, and what happens when it can't be written. And what a policy is known by there. */
#include <stdio.h>
#include <string.h>

#include <sha2.h>

#include "config.h"

#include "policy/limit_value.h"
#include "policy/policy_internal.h"

/* As audit/audit.h has them; this layer can't see that. */
#define BYTES_MIN (UINT64_C(64) * 1024)
#define KEEP_MAX 100u

#define AT(member) offsetof(struct policy_audit_document, member)

static const struct json_field fields[] = {
	{ "enabled", &json_opt_bool, AT(enabled), 0 },	       { "path", &json_string, AT(path), 0 },
	{ "max_size", &json_string, AT(max_size), 0 },	       { "keep", &json_opt_u32, AT(keep), 0 },
	{ "syslog", &json_opt_bool, AT(syslog), 0 },	       { "journald", &json_opt_bool, AT(journald), 0 },
	{ "required", &json_opt_bool, AT(required), 0 },       { "kernel_log", &json_opt_bool, AT(kernel_log), 0 },
	{ "redact_args", &json_opt_bool, AT(redact_args), 0 }, { 0 },
};
static const struct json_type object_type = JSON_OBJECT_OF(struct policy_audit_document, fields);
const struct json_type policy_audit_type = JSON_POINTER_TO(&object_type);

struct policy_audit policy_audit_of_set(enum policy_set set)
{
	return (struct policy_audit){ .enabled = set != POLICY_CONFORMANT, .required = set == POLICY_STRICT };
}

static int take_path(const char *path, struct policy_audit *audit, struct error *err)
{
	const char *name = strrchr(path, '/');

	if (path[0] != '/' || !name[1] || strlen(path) >= sizeof(audit->path))
		return error_invalid(err, "audit.path: is \"%.64s\": give the absolute path of a file, at most %zu bytes",
				     path, sizeof(audit->path) - 1);
	strcpy(audit->path, path);
	return 0;
}

static int take_size(const char *text, struct policy_audit *audit, struct error *err)
{
	int rc = limit_value_bytes("audit.max_size", text, &audit->max_bytes, err);

	if (rc >= 0 && audit->max_bytes < BYTES_MIN)
		return error_invalid(
			err, "audit.max_size: is \"%.64s\": give at least 64k, which is what one line may have", text);
	return rc;
}

int policy_audit_take(const struct policy_audit_document *document, struct policy_audit *ret, struct error *err)
{
	struct policy_audit audit = *ret;
	int rc = 0;

	if (!document)
		return 0;
	audit.enabled = !document->enabled.set || document->enabled.value;
	if (document->path)
		rc = take_path(document->path, &audit, err);
	if (rc >= 0 && document->max_size)
		rc = take_size(document->max_size, &audit, err);
	if (rc >= 0 && document->keep.set && (document->keep.value < 1 || document->keep.value > KEEP_MAX))
		rc = error_invalid(err, "audit.keep: is %u: give 1 to %u files", document->keep.value, KEEP_MAX);
	if (rc < 0)
		return rc;
	if (document->keep.set)
		audit.keep = document->keep.value;
	if (document->syslog.set)
		audit.syslog = document->syslog.value;
	if (document->journald.set)
		audit.journald = document->journald.value;
	if (document->required.set)
		audit.required = document->required.value;
	if (document->kernel_log.set)
		audit.kernel_log = document->kernel_log.value;
	if (document->redact_args.set)
		audit.redact_args = document->redact_args.value;
	*ret = audit;
	return 0;
}

void policy_digest(const void *text, size_t length, uint8_t digest[static 32])
{
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, text, length);
	SHA256Final(digest, &context);
}

void policy_digest_of_set(enum policy_set set, uint8_t digest[static 32])
{
	char text[128];

	snprintf(text, sizeof(text), "brig " PACKAGE_VERSION " %s", names_text(&policy_names_sets, set));
	policy_digest(text, strlen(text), digest);
}
