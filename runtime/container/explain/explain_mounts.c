/* The mounts of a container that runs, held against the plan: what is masked, read-only, nosuid, nodev. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "container/explain/explain.h"

#define MOUNTINFO_MAX ((size_t)4 * 1024 * 1024)

static void find_masks(const char *mountinfo, const struct expectation *expected, struct explain_findings *findings)
{
	const char *missing = NULL;
	size_t n = 0, n_missing = 0;

	for (size_t i = 0; i < expected->n_masked; i++) {
		const char *path = expected->masked[i];
		enum explain_mask mask = explain_mask_of(mountinfo, path);

		n += mask == EXPLAIN_MASKED;
		/* The kernel is the same one: what it has here, it has there. */
		if (mask != EXPLAIN_NOT_MASKED || access(path, F_OK) < 0)
			continue;
		missing = path;
		n_missing++;
	}
	explain_find(findings, "masked-paths", n_missing == 0, "%zu of %zu are masked%s%s", n, expected->n_masked,
		     missing ? ", the others are not there; not masked: " : ", the others are not there", missing ?: "");
}

static bool is_masked(const struct expectation *expected, const char *path)
{
	for (size_t i = 0; i < expected->n_masked; i++) {
		size_t length = strlen(expected->masked[i]);

		if (strncmp(path, expected->masked[i], length) == 0 && (path[length] == '\0' || path[length] == '/'))
			return true;
	}
	return false;
}

/* The mask lies above it. */
static void find_readonly(const char *mountinfo, const struct expectation *expected, struct explain_findings *findings)
{
	const char *writable = NULL;

	for (size_t i = 0; i < expected->n_readonly; i++) {
		const char *path = expected->readonly[i];

		if (!is_masked(expected, path) && explain_is_writable(mountinfo, path) && access(path, F_OK) == 0)
			writable = path;
	}
	explain_find(findings, "readonly-paths", !writable, "%zu in the plan%s%s", expected->n_readonly,
		     writable ? "; not read-only: " : ", none of which can be written to", writable ?: "");
}

static void find_readonly_root(const char *mountinfo, struct explain_findings *findings)
{
	uint64_t attributes = 0;
	bool is_readonly = explain_mount_attributes(mountinfo, "/", &attributes) && attributes & MOUNT_ATTR_RDONLY;

	explain_find(findings, "readonly-root", is_readonly, "%s, read-only in the plan",
		     is_readonly ? "read-only" : "can be written to");
}

/* One may be elsewhere, where its destination has a link of the image's in it. */
static void find_volumes(const char *mountinfo, const struct expectation *expected, struct explain_findings *findings)
{
	const struct expected_mount *wrong = NULL;
	uint64_t lacks = 0;
	size_t n = 0;

	for (size_t i = 0; i < expected->n_mounts; i++) {
		const struct expected_mount *mount = &expected->mounts[i];
		uint64_t found;

		if (!explain_mount_attributes(mountinfo, mount->destination, &found))
			continue;
		n++;
		if (!(mount->attributes & ~found))
			continue;
		wrong = mount;
		lacks = mount->attributes & ~found;
	}
	explain_find(findings, "mount-flags", !wrong, "%zu of %zu mounts were found%s%s%s%s%s", n, expected->n_mounts,
		     wrong ? "; not as in the plan: " : ", nosuid, nodev and read-only as in the plan",
		     wrong ? wrong->destination : "", lacks & MOUNT_ATTR_NOSUID ? ", not nosuid" : "",
		     lacks & MOUNT_ATTR_NODEV ? ", not nodev" : "", lacks & MOUNT_ATTR_RDONLY ? ", not read-only" : "");
}

void explain_mounts(int proc_fd, const struct expectation *expected, struct explain_findings *findings)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	AUTO_CLOSE int fd = openat(proc_fd, "mountinfo", O_RDONLY | O_CLOEXEC);

	if (expected->n_masked + expected->n_readonly + expected->n_mounts + expected->readonly_root == 0)
		return;
	if (fd < 0 || fd_read_all(fd, MOUNTINFO_MAX, &text, "mountinfo", NULL) < 0 || !text.data) {
		explain_find(findings, "masked-paths", false, "the container's mounts can't be looked at");
		return;
	}
	if (expected->n_masked > 0)
		find_masks(text.data, expected, findings);
	if (expected->n_readonly > 0)
		find_readonly(text.data, expected, findings);
	if (expected->readonly_root)
		find_readonly_root(text.data, findings);
	if (expected->n_mounts > 0)
		find_volumes(text.data, expected, findings);
}
