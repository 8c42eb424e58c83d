/* The policy file: who may have written it. What it says: policy_document.c. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "policy/policy_internal.h"

#define INITIAL_USER_NAMESPACE 0xEFFFFFFDu /* its inode: PROC_USER_INIT_INO in the kernel's proc_ns.h */
#define OVERFLOW_UID 65534u		   /* user_namespaces(7), "Unmapped user and group IDs" */

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

/* Whoever may rename in its folder puts another file of root's in its place, or takes it away. In a sticky one that is for its owner alone. */
static int check_folder(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";
	struct stat status;

	if (slash)
		snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	if (stat(folder, &status) < 0)
		return error_system(err, errno, "stat its folder");
	if (!belongs_to_root(&status) && status.st_uid != geteuid())
		return error_set(
			err, ERROR_REFUSED, EPERM,
			"lies in a folder of uid %u, who could put another file in its place: chown root the folder",
			status.st_uid);
	if (status.st_mode & (S_IWGRP | S_IWOTH) && !(status.st_mode & S_ISVTX))
		return error_set(err, ERROR_REFUSED, EPERM,
				 "lies in a folder with mode %04o, where others than root could put another file in its "
				 "place: chmod go-w the folder",
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
		return error_named(err, errno, "open it");
	rc = check_writers(fd, err);
	if (rc >= 0)
		rc = check_folder(path, err);
	/* To the callers that code means that there is no policy. */
	if (rc == -ENOENT)
		return error_set(err, ERROR_SYSTEM, ESTALE, "its folder is gone");
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

int policy_check_absent(const char *path, struct error *err)
{
	int rc = check_folder(path, err);

	return rc < 0 && rc != -ENOENT ? error_prefix(err, "policy file %.300s, which is not there", path) : 0;
}
