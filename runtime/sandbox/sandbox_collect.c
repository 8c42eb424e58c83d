/* What the program has left in its work directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/syscalls.h"
#include "sandbox/sandbox_files.h"
#include "sandbox/sandbox_watch.h"

#define DEPTH_MAX 16
#define RESOLVE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)

struct collection {
	struct sandbox_emptying *emptying;
	struct sandbox_result *result;
	size_t capacity, n_directories;
	uint64_t room; /* bytes */
};

/* NULL: no more, which the last entry says. */
static struct sandbox_collected *add(struct collection *collection, const char *name)
{
	struct sandbox_result *result = collection->result;
	struct sandbox_collected *entry;

	if (result->n_files == collection->capacity)
		return NULL;
	entry = &result->files[result->n_files++];
	*entry = (struct sandbox_collected){ .name = arena_strdup(result->arena, name) };
	if (!entry->name)
		entry->name = "";
	if (result->n_files == collection->capacity)
		entry->error = "there are more files than are collected";
	return entry->error ? NULL : entry;
}

static void fail(const struct collection *collection, struct sandbox_collected *entry, int code)
{
	entry->error = code == EFBIG ? "it is larger than what is left of the 16 MiB that are collected"
				     : arena_strdup(collection->result->arena, strerrordesc_np(code) ?: "unknown error");
	if (!entry->error)
		entry->error = "no memory";
	buffer_done(&entry->data);
}

/* False: a signal asks us to stop. */
static bool wait_for_reader(struct sandbox_emptying *emptying, int fd)
{
	struct pollfd polled[] = { { .fd = fd, .events = POLLOUT }, { .fd = emptying->signal_fd, .events = POLLIN } };

	if (poll(polled, ARRAY_SIZE(polled), /* timeout= */ -1) > 0 && polled[1].revents)
		emptying->stopped_by = sandbox_watch_stop_signal(emptying->signal_fd);
	return emptying->stopped_by == 0;
}

static int write_patiently(struct sandbox_emptying *emptying, int fd, const struct buffer *data)
{
	size_t done = 0;

	while (done < data->length) {
		ssize_t n = write(fd, data->data + done, data->length - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN && !wait_for_reader(emptying, fd))
			return -ECANCELED;
		else if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return 0;
}

/* A FIFO or device is written to as it is (file_replace()), but never waited for without an eye on signals: nothing else would end us. */
static int write_in_place(const struct collection *collection, const struct buffer *data, const char *path,
			  struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : write_patiently(collection->emptying, fd, data);

	if (rc == -ENXIO)
		return error_set(err, ERROR_SYSTEM, ENXIO, "nobody reads %s: begin to read it before", path);
	if (rc == -ECANCELED)
		return error_set(err, ERROR_SYSTEM, EINTR, "stopped by SIG%s while nobody read %s",
				 sigabbrev_np(collection->emptying->stopped_by), path);
	return rc < 0 ? error_system(err, -rc, "write %s", path) : 0;
}

/* On the host, by its owner's name for it; whatever is there is replaced as a whole. */
static void store(const struct collection *collection, struct sandbox_collected *entry, const char *path)
{
	struct error err = { 0 };
	struct stat status;
	int rc;

	if (stat(path, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)))
		rc = write_in_place(collection, &entry->data, path, &err);
	else
		rc = file_replace(path, &entry->data, 0644, &err);
	if (rc < 0)
		entry->error = arena_strdup(collection->result->arena, err.message) ?: "no memory";
	else
		entry->path = arena_strdup(collection->result->arena, path);
	buffer_done(&entry->data);
}

static void take_file(struct collection *collection, int fd, struct sandbox_collected *entry, const char *path)
{
	struct error err = { 0 };

	/* fd_read_all has the bound; a buffer asks for more at a time than a small rest of it. */
	entry->data.limit = collection->room + BUFFER_LIMIT_DEFAULT;
	if (fd_read_all(fd, collection->room, &entry->data, entry->name, &err) < 0) {
		fail(collection, entry, err.code);
		return;
	}
	entry->bytes = entry->data.length;
	collection->room -= entry->bytes;
	if (path)
		store(collection, entry, path);
}

/* Something in the work directory. */
struct place {
	int dir_fd;
	const char *base; /* in dir_fd */
	const char *name; /* from the work directory on */
	const char *path; /* on the host, or NULL */
	unsigned depth;
};

static void take(struct collection *collection, const struct place *place);

static void take_entry(struct collection *collection, const struct place *directory, int fd, const char *base)
{
	AUTO_FREE char *name = NULL, *path = NULL;
	struct place place = { .dir_fd = fd, .base = base, .depth = directory->depth + 1 };

	if (asprintf(&name, "%s/%s", directory->name, base) < 0)
		name = NULL;
	if (directory->path && asprintf(&path, "%s/%s", directory->path, base) < 0)
		path = NULL;
	place.name = name;
	place.path = path;
	if (name && (path || !directory->path))
		take(collection, &place);
}

/* An error number, or 0. */
static int take_directory(struct collection *collection, const struct place *place, int fd)
{
	AUTO(closedir) DIR *dir = NULL;
	struct dirent *entry;

	if (place->depth == DEPTH_MAX)
		return ELOOP;
	/* Empty ones would cost the program nothing, and the host a directory each. */
	if (collection->n_directories++ >= SANDBOX_COLLECT_FILES)
		return EMFILE;
	if (place->path && mkdir(place->path, 0755) < 0) {
		struct stat status;

		if (errno != EEXIST || stat(place->path, &status) < 0)
			return errno;
		if (!S_ISDIR(status.st_mode))
			return EEXIST;
	}
	dir = fd_open_directory_stream(fcntl(fd, F_DUPFD_CLOEXEC, 3));
	if (!dir)
		return errno;
	while (collection->result->n_files < collection->capacity && collection->emptying->stopped_by == 0 &&
	       (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			take_entry(collection, place, fd, entry->d_name);
	return 0;
}

/* The kernel has a word on links of others in a directory like /tmp before it comes to the flags above (fs.protected_symlinks, proc(5)):
 * EACCES. */
static bool has_link(const struct place *place)
{
	AUTO_FREE char *part = strdup(place->base);
	struct stat status;
	char *slash = part;

	while (slash) {
		AUTO_CLOSE int fd = -EBADF;

		slash = strchr(slash, '/');
		if (slash)
			*slash = '\0';
		fd = sys_openat2(place->dir_fd, part, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, RESOLVE);
		if (fd < 0 || fstat(fd, &status) < 0)
			return false;
		if (S_ISLNK(status.st_mode))
			return true;
		if (slash)
			*slash++ = '/';
	}
	return false;
}

/* The kernel resolves: no link, no other mount, nothing above. A pipe is opened without waiting, and not read. */
static void take(struct collection *collection, const struct place *place)
{
	AUTO_CLOSE int fd =
		sys_openat2(place->dir_fd, place->base, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0, RESOLVE);
	int code = fd < 0 ? errno : 0;
	struct sandbox_collected *entry;
	struct stat status = { 0 };

	if (fd >= 0 && fstat(fd, &status) < 0)
		code = errno;
	if (code == 0 && S_ISDIR(status.st_mode)) {
		code = take_directory(collection, place, fd);
		if (code == 0)
			return;
	}
	entry = add(collection, place->name);
	if (!entry)
		return;
	if (code == ELOOP || (code == EACCES && has_link(place)))
		entry->error = "a symbolic link is in the way, or it lies too deep";
	else if (code == ENXIO || (code == 0 && !S_ISREG(status.st_mode))) /* ENXIO: a socket */
		entry->error = "it is not a regular file";
	else if (code == EMFILE)
		entry->error = "there are more directories than are collected";
	else if (code == EEXIST)
		entry->error = "it is a directory, and where it is to go is none";
	else if (code != 0)
		fail(collection, entry, code);
	else
		take_file(collection, fd, entry, place->path);
}

int sandbox_files_collect(struct sandbox_emptying *emptying, const struct sandbox_request *request,
			  struct sandbox_result *ret, struct error *err)
{
	/* One more entry, to say that there are more. */
	struct collection collection = {
		.emptying = emptying, .result = ret, .capacity = SANDBOX_COLLECT_FILES + 1, .room = SANDBOX_COLLECT_BYTES
	};

	ret->files = arena_array_of(ret->arena, collection.capacity, struct sandbox_collected);
	if (!ret->files)
		return error_memory(err);
	for (size_t i = 0; i < request->n_collects && emptying->stopped_by == 0; i++) {
		const struct sandbox_copy *copy = &request->collects[i];
		const struct place place = {
			.dir_fd = emptying->work_fd, .base = copy->name, .name = copy->name, .path = copy->path
		};

		take(&collection, &place);
	}
	if (emptying->stopped_by == 0)
		return 0;
	return error_set(err, ERROR_SYSTEM, EINTR, "option --collect: %s", ret->files[ret->n_files - 1].error);
}
