#include "parent/seccomp/seccomp_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <seccomp.h>
#include <sha2.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "parent/seccomp/seccomp_code.h"
#include "parent/seccomp/seccomp_compile.h"
#include "parent/seccomp/seccomp_floor.h"

#define MAGIC "brigbpf"
#define DIGEST_SIZE 32
#define NAME_SIZE (2 * DIGEST_SIZE + sizeof("-4294967295"))
/* More profiles than a node sees. Beyond that the cache is emptied: a caller can't fill the disk with profiles. */
#define FILES_MAX 256

/* What has to be the very same for a file to hold the filter of a plan. */
struct identity {
	char magic[8];
	uint32_t version;    /* SECCOMP_COMPILE_VERSION */
	uint32_t libseccomp; /* the version of the tables */
	uint32_t audit_arch; /* of the program that wrote it, and with it the byte order */
	char floor[44];	     /* the version of brig's own filters, empty where none is below */
	uint8_t plan[DIGEST_SIZE];
};

/* Without padding: all of it is digested. */
struct header {
	struct identity identity;
	uint64_t flags, floor_flags;
	uint32_t n, n_floor;	     /* instructions that follow: those of the filter, those of a floor by itself */
	uint8_t digest[DIGEST_SIZE]; /* SHA-256 of all the rest: header and instructions */
};

/* The tables that are linked in, known without a call into them. */
#define TABLES (SCMP_VER_MAJOR << 16 | SCMP_VER_MINOR << 8 | SCMP_VER_MICRO)
#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#define OWN_ARCH AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define OWN_ARCH AUDIT_ARCH_S390X
#elif defined(__powerpc64__)
#define OWN_ARCH AUDIT_ARCH_PPC64LE
#elif defined(__i386__)
#define OWN_ARCH AUDIT_ARCH_I386
#elif defined(__arm__)
#define OWN_ARCH AUDIT_ARCH_ARM
#else
#define OWN_ARCH 0
#endif

/* In the file as well as in its name: a name is only where to look. */
static void identify(const struct plan_seccomp *plan, struct identity *ret)
{
	*ret = (struct identity){
		.magic = MAGIC,
		.version = SECCOMP_COMPILE_VERSION,
		.libseccomp = TABLES,
		.audit_arch = OWN_ARCH,
	};
	if (plan->floor != PLAN_FLOOR_NONE)
		snprintf(ret->floor, sizeof(ret->floor), "%s", seccomp_floor_version());
	memcpy(ret->plan, plan->digest, sizeof(ret->plan));
}

static void describe(const struct plan_seccomp *plan, const struct seccomp_program *program, struct header *ret)
{
	*ret = (struct header){
		.flags = program->flags,
		.floor_flags = program->floor_flags,
		.n = (uint32_t)program->n,
		.n_floor = (uint32_t)program->n_floor,
	};
	identify(plan, &ret->identity);
}

static void digest_file(const struct header *header, const struct seccomp_program *program,
			uint8_t digest[static DIGEST_SIZE])
{
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)header, offsetof(struct header, digest));
	SHA256Update(&context, (const uint8_t *)program->instructions, program->n * sizeof(*program->instructions));
	SHA256Update(&context, (const uint8_t *)program->floor, program->n_floor * sizeof(*program->floor));
	SHA256Final(digest, &context);
}

static void name_file(const struct plan_seccomp *plan, char name[static NAME_SIZE])
{
	for (size_t i = 0; i < DIGEST_SIZE; i++)
		snprintf(name + 2 * i, 3, "%02x", plan->digest[i]);
	snprintf(name + 2 * (size_t)DIGEST_SIZE, NAME_SIZE - 2 * DIGEST_SIZE, "-%u", SECCOMP_COMPILE_VERSION);
}

/* Whoever can write there could hand a container a filter that lets everything through. */
static bool is_only_ours(const struct stat *status)
{
	return (status->st_uid == geteuid() || status->st_uid == 0) && (status->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool is_safe_directory(int dir_fd)
{
	struct stat status;

	if (fstat(dir_fd, &status) == 0 && S_ISDIR(status.st_mode) && is_only_ours(&status))
		return true;
	log_debug("seccomp: the cache directory can be written by others: not used");
	return false;
}

/* false: the file can't be one of ours. */
static bool check_file(int fd, off_t *ret_size)
{
	struct stat status;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || !is_only_ours(&status) || status.st_nlink != 1)
		return false;
	*ret_size = status.st_size;
	return true;
}

/* Sizes before memory: n comes from a file, and is held against the kernel's own limit and the file's length first. */
static bool read_header(int fd, const struct plan_seccomp *plan, struct header *header)
{
	struct identity expected;
	off_t size;

	if (!check_file(fd, &size) || pread(fd, header, sizeof(*header), 0) != (ssize_t)sizeof(*header))
		return false;
	identify(plan, &expected);
	return memcmp(&header->identity, &expected, sizeof(expected)) == 0 && header->n > 0 &&
	       header->n <= SECCOMP_CODE_MAX && header->n_floor <= SECCOMP_CODE_MAX &&
	       size == (off_t)(sizeof(*header) + ((size_t)header->n + header->n_floor) * sizeof(struct sock_filter));
}

static bool read_instructions(int fd, off_t offset, size_t n, struct sock_filter **ret)
{
	size_t length = n * sizeof(**ret);

	if (n == 0)
		return true;
	*ret = calloc(n, sizeof(**ret));
	return *ret && pread(fd, *ret, length, offset) == (ssize_t)length;
}

/* The digest is no secret: it finds damage and half-written files. Against somebody who writes on purpose stands the
 * directory's owner. */
static bool load(const struct plan_seccomp *plan, int fd, struct seccomp_program *ret)
{
	__attribute__((cleanup(seccomp_program_done_cleanup))) struct seccomp_program program = { .cached = true };
	uint8_t digest[DIGEST_SIZE];
	struct header header;

	if (!read_header(fd, plan, &header))
		return false;
	program.n = header.n;
	program.flags = header.flags;
	program.n_floor = header.n_floor;
	program.floor_flags = header.floor_flags;
	if (!read_instructions(fd, sizeof(header), program.n, &program.instructions) ||
	    !read_instructions(fd, (off_t)(sizeof(header) + program.n * sizeof(struct sock_filter)), program.n_floor,
			       &program.floor))
		return false;
	digest_file(&header, &program, digest);
	if (memcmp(header.digest, digest, sizeof(digest)) != 0)
		return false;
	*ret = program;
	program = (struct seccomp_program){ .n = 0 };
	return true;
}

bool seccomp_cache_load(const struct plan_seccomp *plan, int dir_fd, struct seccomp_program *ret)
{
	AUTO_CLOSE int fd = -EBADF;
	char name[NAME_SIZE];

	if (!is_safe_directory(dir_fd))
		return false;
	name_file(plan, name);
	/* O_NONBLOCK: a FIFO in its place must not hang us. */
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	if (load(plan, fd, ret))
		return true;
	log_debug("seccomp: %s in the cache is not a filter of ours: made anew", name);
	return false;
}

static void empty_when_full(int dir_fd)
{
	/* A descriptor of its own: the position in the directory is shared among duplicates. */
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedir) DIR *dir = fd_open_directory_stream(fd);
	const struct dirent *entry;
	size_t n = 0;

	if (!dir)
		return;
	while (readdir(dir))
		n++;
	rewinddir(dir);
	while (n > FILES_MAX && (entry = readdir(dir)))
		unlinkat(dir_fd, entry->d_name, 0);
}

void seccomp_cache_store(const struct plan_seccomp *plan, int dir_fd, const struct seccomp_program *program)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer file = { 0 };
	char name[NAME_SIZE];
	struct header header;
	struct error err;

	if (!is_safe_directory(dir_fd))
		return;
	name_file(plan, name);
	describe(plan, program, &header);
	digest_file(&header, program, header.digest);
	buffer_append(&file, &header, sizeof(header));
	buffer_append(&file, program->instructions, program->n * sizeof(*program->instructions));
	if (program->n_floor > 0)
		buffer_append(&file, program->floor, program->n_floor * sizeof(*program->floor));
	if (file.failed)
		return;
	empty_when_full(dir_fd);
	if (file_replace_at(dir_fd, name, &file, 0600, &err) < 0)
		log_debug("seccomp: not put into the cache: %s", err.message);
}
