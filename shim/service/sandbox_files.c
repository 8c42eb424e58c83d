#include "shim/service/sandbox_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"

#define FILE_MAX ((size_t)1024 * 1024)
/* As containerd has it for its own pods. */
#define SHARED_MEMORY_OPTIONS "mode=1777,size=65536k"

/* Where the files of one pod are being made. */
struct folder {
	int fd;
	const char *path;
	struct arena *arena;
	struct sandbox_files *files;
};

/* source: an absolute path, or a name in the pod's bundle. follows_root: it becomes the container's user's, as its root file system. */
static int add_bind(struct folder *folder, const char *source, const char *destination, bool follows_root,
		    struct error *err)
{
	struct brig_bind *bind = &folder->files->binds[folder->files->n];

	bind->source = *source == '/' ? source : arena_printf(folder->arena, "%s/%s", folder->path, source);
	bind->destination = destination;
	bind->follows_root = follows_root;
	if (!bind->source)
		return error_memory(err);
	folder->files->n++;
	return 0;
}

/* One that an earlier try left gives way. */
static int add_file(struct folder *folder, const char *name, const char *destination, const struct buffer *content,
		    struct error *err)
{
	int r = content->failed ? error_system(err, -content->failed, "fill %s", destination)
				: file_replace_at(folder->fd, name, content, 0644, err);

	return r < 0 ? r : add_bind(folder, name, destination, /* follows_root= */ true, err);
}

/* The host's; one that is missing is empty in the pod. */
static int add_copy(struct folder *folder, const char *name, const char *path, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer content = { 0 };
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r = 0;

	if (fd < 0 && errno != ENOENT)
		return error_system(err, errno, "open %s", path);
	if (fd >= 0)
		r = fd_read_all(fd, FILE_MAX, &content, path, err);
	return r < 0 ? r : add_file(folder, name, path, &content, err);
}

/* A pod without a name of its own has the host's, in the file as in the namespace. */
static int add_hostname(struct folder *folder, const struct sandbox_config *config, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer content = { 0 };
	char of_host[HOST_NAME_MAX + 1] = "";

	if (!*config->hostname && gethostname(of_host, sizeof(of_host) - 1) < 0)
		return error_system(err, errno, "gethostname");
	buffer_printf(&content, "%s\n", *config->hostname ? config->hostname : of_host);
	return add_file(folder, "hostname", "/etc/hostname", &content, err);
}

/* Without a word of CRI's the host's, as it is now: containerd's own pods have a copy too. */
static int add_resolver(struct folder *folder, const struct sandbox_config *config, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer content = { 0 };

	if (!config->resolver)
		return add_copy(folder, "resolv.conf", "/etc/resolv.conf", err);
	buffer_append_text(&content, config->resolver);
	return add_file(folder, "resolv.conf", "/etc/resolv.conf", &content, err);
}

/* One for the pod, since its containers share the ipc namespace: POSIX shared memory is a file here (shm_overview(7)). */
static int add_shared_memory(struct folder *folder, const struct sandbox_config *config, struct error *err)
{
	int r;

	if (!(config->namespaces & CLONE_NEWIPC))
		return add_bind(folder, "/dev/shm", "/dev/shm", /* follows_root= */ false, err);
	r = add_bind(folder, "shm", "/dev/shm", /* follows_root= */ false, err);
	if (r < 0)
		return r;
	if (mkdirat(folder->fd, "shm", 0700) < 0 && errno != EEXIST)
		return error_system(err, errno, "make the folder shm");
	folder->files->shared_memory = folder->files->binds[folder->files->n - 1].source;
	if (mount("shm", folder->files->shared_memory, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  SHARED_MEMORY_OPTIONS) < 0)
		return error_system(err, errno, "mount a tmpfs at %s", folder->files->shared_memory);
	return 0;
}

int sandbox_files_make(const char *bundle, const struct sandbox_config *config, struct arena *arena,
		       struct sandbox_files *ret, struct error *err)
{
	AUTO_CLOSE int fd = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct sandbox_files files = { 0 };
	struct folder folder = { .fd = fd, .path = bundle, .arena = arena, .files = &files };
	int r;

	if (fd < 0)
		return error_system(err, errno, "open bundle %s", bundle);
	r = add_hostname(&folder, config, err) ?: add_copy(&folder, "hosts", "/etc/hosts", err);
	if (r == 0)
		r = add_resolver(&folder, config, err)
			    ?: add_shared_memory(&folder, config, err); /* the mount is the last act */
	if (r < 0)
		return error_prefix(err, "make the files of the pod's containers");
	*ret = files;
	return 0;
}

void sandbox_files_remove(struct sandbox_files *files)
{
	if (files->shared_memory && umount2(files->shared_memory, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		log_warning("unmount %s: errno %d", files->shared_memory, errno);
	/* What they are called stays: a container may be being made. */
	files->shared_memory = NULL;
	files->n = 0;
}
