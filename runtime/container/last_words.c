/* The file that the kubelet reads as a container's last words (terminationMessagePath), written by us. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "container/brig.h"
#include "container/store.h"
#include "container/stored_plan.h"

#define PATH_ANNOTATION "io.kubernetes.container.terminationMessagePath"
#define PATH_DEFAULT "/dev/termination-log"
#define BYTES_MAX 4096 /* of which the kubelet reads this many */

static const char *path_of(const struct spec *spec)
{
	for (size_t i = 0; i < spec->n_annotations; i++) {
		if (strcmp(spec->annotations[i].name, PATH_ANNOTATION) == 0)
			return spec->annotations[i].value;
	}
	return PATH_DEFAULT;
}

/* The last one is the one that is seen. */
static const struct spec_mount *find_mount(const struct spec *spec, const char *path)
{
	for (size_t i = spec->n_mounts; i > 0; i--) {
		if (strcmp(spec->mounts[i - 1].destination, path) == 0)
			return &spec->mounts[i - 1];
	}
	return NULL;
}

static bool has_option(const struct spec_mount *mount, const char *option)
{
	for (size_t i = 0; i < mount->n_options; i++) {
		if (strcmp(mount->options[i], option) == 0)
			return true;
	}
	return false;
}

/* The file on the host. The container may write to it, but can't put another one into its place: it is a mount there. */
static int open_file(const struct spec *spec, struct error *err)
{
	const char *path = path_of(spec);
	const struct spec_mount *mount = find_mount(spec, path);
	AUTO_CLOSE int fd = -EBADF;
	struct stat status;

	if (!mount || !mount->source || mount->source[0] != '/' ||
	    (!has_option(mount, "bind") && !has_option(mount, "rbind")))
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "no file is mounted at %.200s", path);
	if (has_option(mount, "ro") || has_option(mount, "rro"))
		return error_set(err, ERROR_REFUSED, EROFS, "the mount at %.200s is read-only", path);
	/* O_NONBLOCK: a fifo in its place must not hang us before fstat tells. */
	fd = open(mount->source, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return error_system(err, errno, "open %.300s", mount->source);
	if (fstat(fd, &status) < 0)
		return error_system(err, errno, "stat %.300s", mount->source);
	if (!S_ISREG(status.st_mode))
		return error_set(err, ERROR_REFUSED, EINVAL, "%.300s is not a regular file", mount->source);
	return steal_fd(&fd);
}

int brig_write_last_words(const struct brig *brig, const char *id, const char *text, struct error *err)
{
	AUTO(spec_free) struct spec *spec = NULL;
	AUTO_CLOSE int fd = -EBADF;
	struct container container;
	int rc = store_open(brig, id, STORE_UNLOCKED, &container, err);

	if (rc < 0)
		return rc;
	rc = stored_plan_spec(&container, &spec, err);
	store_done(&container);
	if (rc < 0)
		return rc;
	fd = open_file(spec, err);
	if (fd < 0)
		return fd;
	rc = fd_write_all(fd, text, strnlen(text, BYTES_MAX));
	return rc < 0 ? error_system(err, -rc, "write the last words") : 0;
}
