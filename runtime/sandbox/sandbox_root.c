#include "sandbox/sandbox_root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/path.h"
#include "sandbox/sandbox_folder.h"

/* No sandbox's name begins with a dot. */
#define SHARED ".root-"
#define OWN "root"
#define TRIES 8
#define PARTS_MAX 64
#define LINKS_MAX 4096
#define FILE_MAX ((size_t)16 * 1024 * 1024)
/* To be raised with each change of what is in a tree. */
#define VERSION 2

/* In each tree, and never those of what is bound. */
static const char *const always[] = { "proc", "dev", "sys", "tmp", "run", "work" };
/* Beside the host's /usr. */
static const char *const directories[] = { "etc", "usr", "var", "var/tmp", "home", "mnt", "opt", "srv" };

static const struct {
	const char *name, *text;
} own_files[] = {
	{ "etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\n"
			"sandbox:x:1000:1000:sandbox:" SANDBOX_WORK ":/bin/sh\n"
			"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n" },
	{ "etc/group", "root:x:0:\nsandbox:x:1000:\nnogroup:x:65534:\n" },
	{ "etc/hosts", "127.0.0.1\tlocalhost sandbox\n::1\tlocalhost\n" },
	{ "etc/hostname", "sandbox\n" },
	{ "etc/resolv.conf", "" },
	{ "etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n" },
};

/* What the dynamic linker, clocks and who speaks TLS look up: copied, since the rest of /etc is the host's alone. */
static const char *const copied[] = {
	"etc/ld.so.cache",
	"etc/ld.so.conf",
	"etc/localtime",
	"etc/ssl/openssl.cnf",
	"etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, Arch */
	"etc/pki/tls/certs/ca-bundle.crt",   /* Fedora and its kin */
	"etc/pki/tls/cert.pem",
};

/* Links into /usr on most systems, directories on some. */
static const char *const beside_usr[] = { "bin", "sbin", "lib", "lib32", "lib64", "libx32" };

struct tree {
	struct arena *arena;
	int fd; /* where it is made */
	struct sandbox_bind parts[PARTS_MAX];
	size_t n_parts;
};

static bool is_shared(const char *name)
{
	return strncmp(name, SHARED, strlen(SHARED)) == 0;
}

/* ---- pieces ---- */

static int make_directory(const struct tree *tree, const char *name, struct error *err)
{
	/* Whatever the caller's umask is. Nothing that is there already is touched: it may be a link that leads out. */
	if (mkdirat(tree->fd, name, 0755) < 0 || fchmodat(tree->fd, name, 0755, 0) < 0)
		return error_system(err, errno, "make %s for the root file system", name);
	return 0;
}

static int make_file(const struct tree *tree, const char *name, const void *data, size_t length, struct error *err)
{
	AUTO_CLOSE int fd = openat(tree->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	int rc = fd < 0 ? -errno : fd_write_all(fd, data, length);

	if (rc >= 0 && fchmod(fd, 0644) < 0)
		rc = -errno;
	return rc < 0 ? error_system(err, -rc, "make %s for the root file system", name) : 0;
}

static int copy_link(const struct tree *tree, int from_fd, const char *name, const char *to, struct error *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_fd, name, target, sizeof(target) - 1);

	if (n < 0)
		return error_system(err, errno, "read the link %s", name);
	target[n] = '\0';
	if (symlinkat(target, tree->fd, to) < 0)
		return error_system(err, errno, "make the link %s for the root file system", to);
	return 0;
}

static int add_part(struct tree *tree, const char *source, const char *name, struct error *err)
{
	struct sandbox_bind *part = &tree->parts[tree->n_parts];

	if (tree->n_parts == PARTS_MAX)
		return error_set(err, ERROR_INVALID, E2BIG,
				 "the root file system has more than %d directories at its top", PARTS_MAX);
	part->source = arena_strdup(tree->arena, source);
	part->destination = arena_printf(tree->arena, "/%s", name);
	if (!part->source || !part->destination)
		return error_memory(err);
	tree->n_parts++;
	return 0;
}

static int make_directories(const struct tree *tree, const char *const *names, size_t n, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = make_directory(tree, names[i], err);
	return rc;
}

static int make_own_files(const struct tree *tree, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(own_files); i++)
		rc = make_file(tree, own_files[i].name, own_files[i].text, strlen(own_files[i].text), err);
	return rc;
}

/* ---- the host's ---- */

static void mix(uint64_t *key, uint64_t value)
{
	/* FNV-1a, a byte at a time: the folder is ours alone, so that nobody looks for collisions. */
	for (int i = 0; i < 8; i++)
		*key = (*key ^ (value >> 8 * i & 0xff)) * UINT64_C(1099511628211);
}

/* flags: of fstatat(2) */
static void mix_status(uint64_t *key, const char *path, int flags)
{
	struct stat status = { 0 };

	if (fstatat(AT_FDCWD, path, &status, flags) < 0)
		status = (struct stat){ 0 };
	mix(key, status.st_dev);
	mix(key, status.st_ino);
	mix(key, status.st_mode);
	mix(key, (uint64_t)status.st_size);
	mix(key, (uint64_t)status.st_mtim.tv_sec * UINT64_C(1000000000) + (uint64_t)status.st_mtim.tv_nsec);
}

/* Of all that a tree is made of. */
static uint64_t key_of_host(void)
{
	uint64_t key = UINT64_C(14695981039346656037);
	char path[64];

	mix(&key, VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++) {
		snprintf(path, sizeof(path), "/%s", copied[i]);
		mix_status(&key, path, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(beside_usr); i++) {
		snprintf(path, sizeof(path), "/%s", beside_usr[i]);
		mix_status(&key, path, AT_SYMLINK_NOFOLLOW);
	}
	mix_status(&key, "/etc/alternatives", AT_SYMLINK_NOFOLLOW);
	return key;
}

/* Of a file in folders of /etc that are there for it alone. */
static int make_parents(const struct tree *tree, const char *name, struct error *err)
{
	char path[64];
	int rc = 0;

	for (const char *slash = strchr(name + strlen("etc/"), '/'); rc >= 0 && slash; slash = strchr(slash + 1, '/')) {
		snprintf(path, sizeof(path), "%.*s", (int)(slash - name), name);
		if (faccessat(tree->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			rc = make_directory(tree, path, err);
	}
	return rc;
}

static int copy_file(const struct tree *tree, int root_fd, const char *name, struct error *err)
{
	AUTO_CLOSE int fd = openat(root_fd, name, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct buffer text __attribute__((cleanup(buffer_done_cleanup))) = { 0 };
	struct stat status;
	int rc;

	/* What the host lacks, the sandbox lacks. */
	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return 0;
	rc = fd_read_all(fd, FILE_MAX, &text, name, err);
	if (rc >= 0)
		rc = make_parents(tree, name, err);
	return rc < 0 ? rc : make_file(tree, name, text.data ?: "", text.length, err);
}

static int copy_alternatives(const struct tree *tree, int root_fd, struct error *err)
{
	int fd = openat(root_fd, "etc/alternatives", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedir) DIR *dir = fd_open_directory_stream(fd);
	struct dirent *entry;
	int rc = dir ? make_directory(tree, "etc/alternatives", err) : 0;
	size_t n = 0;

	while (dir && rc >= 0 && n < LINKS_MAX && (entry = readdir(dir))) {
		AUTO_FREE char *to = NULL;

		if (entry->d_type != DT_LNK)
			continue;
		if (asprintf(&to, "etc/alternatives/%s", entry->d_name) < 0)
			to = NULL;
		rc = to ? copy_link(tree, fd, entry->d_name, to, err) : error_memory(err);
		n++;
	}
	return rc;
}

/* The links; directories are parts, which each sandbox has for itself. */
static int fill_from_host(const struct tree *tree, struct error *err)
{
	AUTO_CLOSE int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat status;
	int rc;

	if (root_fd < 0)
		return error_system(err, errno, "open /");
	rc = make_directories(tree, always, ARRAY_SIZE(always), err);
	if (rc >= 0)
		rc = make_directories(tree, directories, ARRAY_SIZE(directories), err);
	if (rc >= 0)
		rc = make_own_files(tree, err);
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(copied); i++)
		rc = copy_file(tree, root_fd, copied[i], err);
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(beside_usr); i++) {
		if (fstatat(root_fd, beside_usr[i], &status, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		rc = S_ISLNK(status.st_mode) ? copy_link(tree, root_fd, beside_usr[i], beside_usr[i], err)
					     : make_directory(tree, beside_usr[i], err);
	}
	return rc < 0 ? rc : copy_alternatives(tree, root_fd, err);
}

static int open_new(const struct sandbox_folder *folder, const char *name, struct tree *tree, struct error *err)
{
	if (mkdirat(folder->own_fd, name, 0755) < 0)
		return error_system(err, errno, "make the root file system");
	tree->fd = openat(folder->own_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree->fd < 0 || fchmod(tree->fd, 0755) < 0)
		return error_system(err, errno, "open the root file system");
	return 0;
}

/* Made aside and put in place whole, so that nobody sees a part of it. */
static int make_shared(const struct sandbox_folder *folder, const char *name, struct tree *tree, struct error *err)
{
	int rc = open_new(folder, name, tree, err);

	if (rc >= 0)
		rc = fill_from_host(tree, err);
	close_and_reset(&tree->fd);
	/* Another brig was quicker: its is the same, and ours goes with the folder. */
	if (rc >= 0 && renameat(folder->own_fd, name, folder->folder_fd, name) < 0 && errno != EEXIST &&
	    errno != ENOTEMPTY)
		rc = error_system(err, errno, "put the root file system in place");
	return rc;
}

/* Those of earlier states of the host that no sandbox uses. */
static void remove_outdated(const struct sandbox_folder *folder, const char *current)
{
	AUTO(closedir) DIR *dir = fd_open_directory_stream(fcntl(folder->folder_fd, F_DUPFD_CLOEXEC, 3));
	struct dirent *entry;

	if (!dir)
		return;
	rewinddir(dir);
	while ((entry = readdir(dir))) {
		AUTO_CLOSE int fd = -EBADF;

		if (!is_shared(entry->d_name) || strcmp(entry->d_name, current) == 0)
			continue;
		fd = openat(folder->folder_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			(void)sandbox_folder_remove(folder->folder_fd, entry->d_name);
	}
}

/* A lock on it; -ENOENT without err where there is none. */
static int open_shared(const struct sandbox_folder *folder, const char *name, struct error *err)
{
	AUTO_CLOSE int fd = openat(folder->folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat found, named;
	int rc;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : error_system(err, errno, "open the root file system");
	rc = sandbox_folder_lock(fd, &folder->pace, err);
	if (rc < 0)
		return rc;
	if (fstat(fd, &found) < 0)
		return error_system(err, errno, "look at the root file system");
	/* While we waited for the lock a sandbox that saw another state of the host may have taken it away. */
	if (fstatat(folder->folder_fd, name, &named, AT_SYMLINK_NOFOLLOW) < 0 || found.st_ino != named.st_ino)
		return -ENOENT;
	return steal_fd(&fd);
}

static int add_host_parts(struct tree *tree, struct error *err)
{
	int rc = add_part(tree, "/usr", "usr", err);
	char source[16];
	struct stat status;

	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(beside_usr); i++) {
		snprintf(source, sizeof(source), "/%s", beside_usr[i]);
		if (lstat(source, &status) == 0 && S_ISDIR(status.st_mode))
			rc = add_part(tree, source, beside_usr[i], err);
	}
	return rc;
}

static int give(const struct tree *tree, const char *path, struct sandbox_root *ret, struct error *err)
{
	struct sandbox_bind *parts = arena_array_of(tree->arena, tree->n_parts, struct sandbox_bind);

	if (!path || !parts)
		return error_memory(err);
	memcpy(parts, tree->parts, tree->n_parts * sizeof(*parts));
	ret->path = path;
	ret->parts = parts;
	ret->n_parts = tree->n_parts;
	return 0;
}

/* Made once, kept for the sandboxes to come, and made anew where the host's /etc has changed. */
static int of_host(const struct sandbox_folder *folder, struct arena *arena, struct sandbox_root *ret, struct error *err)
{
	struct tree tree = { .arena = arena, .fd = -EBADF };
	char name[32];
	int rc = 0;

	snprintf(name, sizeof(name), SHARED "%016llx", (unsigned long long)key_of_host());
	ret->lock_fd = open_shared(folder, name, err);
	/* A brig that sees another state of the host takes ours for outdated, until it is locked. */
	for (int i = 0; i < TRIES && ret->lock_fd == -ENOENT; i++) {
		rc = make_shared(folder, name, &tree, err);
		if (rc < 0)
			return rc;
		remove_outdated(folder, name);
		ret->lock_fd = open_shared(folder, name, err);
	}
	if (ret->lock_fd == -ENOENT)
		return error_system(err, ENOENT, "open the root file system");
	if (ret->lock_fd < 0)
		return ret->lock_fd;
	rc = add_host_parts(&tree, err);
	return rc < 0 ? rc : give(&tree, arena_printf(arena, "%s/%s", folder->path, name), ret, err);
}

/* The same for one sandbox alone, in its own folder: mounts are to be made where it has nothing. */
static int of_host_alone(const struct sandbox_folder *folder, struct arena *arena, struct sandbox_root *ret,
			 struct error *err)
{
	struct tree tree = { .arena = arena, .fd = -EBADF };
	int rc = open_new(folder, OWN, &tree, err);

	if (rc >= 0)
		rc = fill_from_host(&tree, err);
	if (rc >= 0)
		rc = add_host_parts(&tree, err);
	close_and_reset(&tree.fd);
	if (rc < 0)
		return rc;
	return give(&tree, arena_printf(arena, "%s/%s/" OWN, folder->path, folder->id), ret, err);
}

/* ---- a directory's ---- */

/* What is there is ours, whatever the directory has. */
static bool is_ours(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
		if (strcmp(name, always[i]) == 0)
			return true;
	}
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int take_entry(struct tree *tree, int from_fd, const char *rootfs, const char *name, struct error *err)
{
	AUTO_FREE char *source = NULL;
	struct stat status;
	int rc;

	if (is_ours(name))
		return 0;
	if (fstatat(from_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return error_system(err, errno, "look at %s/%s", rootfs, name);
	if (S_ISLNK(status.st_mode))
		return copy_link(tree, from_fd, name, name, err);
	if (!S_ISDIR(status.st_mode))
		return 0;
	if (asprintf(&source, "%s/%s", strcmp(rootfs, "/") == 0 ? "" : rootfs, name) < 0) {
		source = NULL;
		return error_memory(err);
	}
	rc = make_directory(tree, name, err);
	return rc < 0 ? rc : add_part(tree, source, name, err);
}

static int take_directory(struct tree *tree, const char *rootfs, struct error *err)
{
	DIR *dir = opendir(rootfs);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return error_named(err, errno, "option --rootfs: open %s", rootfs);
	while (rc >= 0 && (entry = readdir(dir)))
		rc = take_entry(tree, dirfd(dir), rootfs, entry->d_name, err);
	closedir(dir);
	return rc;
}

static int of_directory(const struct sandbox_folder *folder, const char *rootfs, struct arena *arena,
			struct sandbox_root *ret, struct error *err)
{
	struct tree tree = { .arena = arena, .fd = -EBADF };
	char real[PATH_MAX];
	int rc;

	if (!realpath(rootfs, real))
		return error_named(err, errno, "option --rootfs: %s", rootfs);
	rc = open_new(folder, OWN, &tree, err);
	if (rc >= 0)
		rc = take_directory(&tree, real, err);
	if (rc >= 0)
		rc = make_directories(&tree, always, ARRAY_SIZE(always), err);
	close_and_reset(&tree.fd);
	if (rc < 0)
		return rc;
	return give(&tree, arena_printf(arena, "%s/%s/" OWN, folder->path, folder->id), ret, err);
}

/* ---- an image's ---- */

static int of_image(const struct sandbox_folder *folder, const struct sandbox_request *request, struct arena *arena,
		    struct sandbox_root *ret, struct error *err)
{
	const struct image_request image = { .layout = request->oci, .tag = request->oci_tag, .pace = folder->pace };
	struct tree tree = { .arena = arena, .fd = -EBADF };
	int rc = open_new(folder, OWN, &tree, err);

	if (rc >= 0)
		rc = image_unpack(&image, tree.fd, arena, &ret->image, err);
	close_and_reset(&tree.fd);
	/* A format that brig does not know is the image's, and so the request's. */
	if (rc < 0 && err->kind == ERROR_UNSUPPORTED)
		err->kind = ERROR_INVALID;
	if (rc < 0)
		return error_prefix(err, "option --oci");
	return give(&tree, arena_printf(arena, "%s/%s/" OWN, folder->path, folder->id), ret, err);
}

/* ---- which ---- */

/* Where the child would make a directory in the root file system, that must not be the one of all sandboxes. */
static bool needs_root_alone(const struct sandbox_request *request)
{
	return request->n_binds > 0 || (request->cwd && !path_is_below(request->cwd, SANDBOX_WORK) &&
					!path_is_below(request->cwd, "/tmp") && strcmp(request->cwd, "/") != 0);
}

int sandbox_root_make(const struct sandbox_folder *folder, const struct sandbox_request *request, struct arena *arena,
		      struct sandbox_root *ret, struct error *err)
{
	if (request->oci)
		return of_image(folder, request, arena, ret, err);
	if (request->rootfs)
		return of_directory(folder, request->rootfs, arena, ret, err);
	return needs_root_alone(request) ? of_host_alone(folder, arena, ret, err) : of_host(folder, arena, ret, err);
}
