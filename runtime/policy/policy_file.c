/* The policy file: who may have written it, and what it says. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "policy/limit_value.h"
#include "policy/policy_internal.h"

#define ARENA_MAX ((size_t)256 * 1024)
#define INITIAL_USER_NAMESPACE 0xEFFFFFFDu /* its inode: PROC_USER_INIT_INO in the kernel's proc_ns.h */
#define OVERFLOW_UID 65534u		   /* user_namespaces(7), "Unmapped user and group IDs" */

struct document {
	unsigned set;
	unsigned levels[POLICY_N_RULES];
	const char *timeout, *max_output;
};

static const struct json_type set_type = JSON_ENUM_OF(unsigned, &policy_names_sets);
static const struct json_type level_type = JSON_ENUM_OF(unsigned, &policy_names_levels);

#define RULE(name, rule) \
	[rule] = { name, &level_type, offsetof(struct document, levels) + (rule) * sizeof(unsigned), /* flags= */ 0 }

static const struct json_field rule_fields[POLICY_N_RULES + 1] = {
	RULE("capability-unknown", POLICY_CAPABILITY_UNKNOWN),
	RULE("capability-withheld", POLICY_CAPABILITY_WITHHELD),
	RULE("cgroup-disabled", POLICY_CGROUP_DISABLED),
	RULE("limit-raise", POLICY_LIMIT_RAISE),
	RULE("limit-unsupervised", POLICY_LIMIT_UNSUPERVISED),
	RULE("oom-score-lower", POLICY_OOM_SCORE_LOWER),
	RULE("rlimit-raise", POLICY_RLIMIT_RAISE),
	RULE("selinux-missing", POLICY_SELINUX_MISSING),
	RULE("ambient-capability", POLICY_AMBIENT_CAPABILITY),
	RULE("annotation", POLICY_ANNOTATION),
	RULE("apparmor", POLICY_APPARMOR),
	RULE("capability", POLICY_CAPABILITY),
	RULE("cgroup-namespace", POLICY_CGROUP_NAMESPACE),
	RULE("core-dump", POLICY_CORE_DUMP),
	RULE("device", POLICY_DEVICE),
	RULE("hook", POLICY_HOOK),
	RULE("host-namespace", POLICY_HOST_NAMESPACE),
	RULE("landlock", POLICY_LANDLOCK),
	RULE("masked-path", POLICY_MASKED_PATH),
	RULE("mount-flags", POLICY_MOUNT_FLAGS),
	RULE("mount-propagation", POLICY_MOUNT_PROPAGATION),
	RULE("mount-source", POLICY_MOUNT_SOURCE),
	RULE("new-privileges", POLICY_NEW_PRIVILEGES),
	RULE("oom-score", POLICY_OOM_SCORE),
	RULE("resource-maximum", POLICY_RESOURCE_MAXIMUM),
	RULE("resource-missing", POLICY_RESOURCE_MISSING),
	RULE("rootfs-unmapped", POLICY_ROOTFS_UNMAPPED),
	RULE("seccomp", POLICY_SECCOMP),
	RULE("session-keyring", POLICY_SESSION_KEYRING),
	RULE("sysctl", POLICY_SYSCTL),
	RULE("user-namespace", POLICY_USER_NAMESPACE),
	RULE("volume-unmapped", POLICY_VOLUME_UNMAPPED),
};

/* The levels lie in the document itself: the object has no struct of its own. */
static const struct json_type rules_type = JSON_OBJECT_OF(struct document, rule_fields);

static const struct json_field limit_fields[] = {
	{ "timeout", &json_string, offsetof(struct document, timeout), 0 },
	{ "max_output", &json_string, offsetof(struct document, max_output), 0 },
	{ 0 },
};
static const struct json_type limits_type = JSON_OBJECT_OF(struct document, limit_fields);

/* "set" has to be there: what a file means must not change with the set that a later version has built in. */
static const struct json_field document_fields[] = {
	{ "set", &set_type, offsetof(struct document, set), JSON_REQUIRED },
	{ "rules", &rules_type, 0 },
	{ "limits", &limits_type, 0 },
	{ 0 },
};
static const struct json_type document_type = JSON_OBJECT_OF(struct document, document_fields);

const char *policy_rule_name(enum policy_rule rule)
{
	return rule_fields[rule].name;
}

static int take_limits(const struct document *document, struct policy_limits *ret, struct error *err)
{
	struct policy_limits limits = { 0 };
	int rc = 0;

	if (document->timeout)
		rc = limit_value_timeout("limits.timeout", document->timeout, &limits.timeout, err);
	if (rc >= 0 && document->max_output)
		rc = limit_value_bytes("limits.max_output", document->max_output, &limits.max_output, err);
	if (rc >= 0)
		*ret = limits;
	return rc;
}

int policy_parse(const char *text, size_t length, struct policy *ret, struct error *err)
{
	static const struct json_limits limits = { .bytes = POLICY_BYTES_MAX, .string = 256, .elements = 256, .depth = 4 };
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	const struct json_input input = { .text = text, .length = length, .limits = &limits, .strict = true };
	struct document document = { 0 };
	struct policy_limits site = { 0 };
	int rc = arena ? json_decode(&input, &document_type, &document, arena, err) : error_memory(err);

	if (rc >= 0)
		rc = take_limits(&document, &site, err);
	if (rc < 0)
		return rc;
	policy_init(ret, (enum policy_set)document.set);
	ret->limits = site;
	for (size_t i = 0; i < POLICY_N_RULES; i++) {
		if (document.levels[i] != POLICY_LEVEL_OF_SET)
			ret->levels[i] = (enum policy_level)document.levels[i];
	}
	return 0;
}

/* To a rootless caller in a user namespace of its own the host's root is the user that nobody maps. */
static bool belongs_to_root(const struct stat *status)
{
	struct stat own;

	if (status->st_uid == 0)
		return true;
	return status->st_uid == OVERFLOW_UID && stat("/proc/self/ns/user", &own) == 0 &&
	       own.st_ino != INITIAL_USER_NAMESPACE;
}

/* On the open descriptor: what is checked is what is read. A writable ACL shows in the group's bits (acl(5)). */
static int check_writers(int fd, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_system(err, errno, "stat it");
	if (!S_ISREG(status.st_mode))
		return error_invalid(err, "is not a regular file");
	if (!belongs_to_root(&status))
		return error_set(err, ERROR_REFUSED, EPERM,
				 "belongs to uid %u, who could change what others are allowed: chown root it",
				 status.st_uid);
	if (status.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(err, ERROR_REFUSED, EPERM,
				 "has mode %04o, others than root could change it: chmod go-w it",
				 status.st_mode & 07777);
	return 0;
}

static int load(const char *path, struct policy *ret, struct error *err)
{
	/* O_NONBLOCK: a FIFO in its place must not hang us before fstat tells. */
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct buffer text __attribute__((cleanup(buffer_done_cleanup))) = { 0 };
	int rc;

	if (fd < 0 && errno == ELOOP)
		return error_set(err, ERROR_INVALID, ELOOP, "is a symbolic link: name the file itself");
	if (fd < 0 && errno == ENOENT)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "does not exist");
	if (fd < 0)
		return error_system(err, errno, "open it");
	rc = check_writers(fd, err);
	if (rc >= 0)
		rc = fd_read_all(fd, POLICY_BYTES_MAX, &text, "the file", err);
	return rc < 0 ? rc : policy_parse(text.data ?: "", text.length, ret, err);
}

int policy_read_file(const char *path, struct policy *ret, struct error *err)
{
	struct policy policy;
	int rc = load(path, &policy, err);

	if (rc < 0)
		return error_prefix(err, "policy file %.300s", path);
	snprintf(policy.name, sizeof(policy.name), "%s (%.150s)", names_text(&policy_names_sets, policy.set), path);
	*ret = policy;
	return 0;
}
