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
#include "base/file.h"
#include "base/log.h"
#include "parent/seccomp/seccomp_code.h"
#include "parent/seccomp/seccomp_compile.h"

#define MAGIC "brigbpf"
#define DIGEST_SIZE 32
#define NAME_SIZE (2 * DIGEST_SIZE + sizeof("-4294967295"))
/* More profiles than a node sees. Beyond that the cache is emptied: a caller can't fill the disk with profiles. */
#define FILES_MAX 256

struct header {
	char magic[8];
	uint32_t version;    /* SECCOMP_COMPILE_VERSION */
	uint32_t libseccomp; /* the version of the tables */
	uint32_t audit_arch; /* of the program that wrote it, and with it the byte order */
	uint32_t n;	     /* instructions that follow */
	uint8_t plan[DIGEST_SIZE];
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

static void describe(const struct plan_seccomp *plan, const struct seccomp_program *program, struct header *ret)
{
	*ret = (struct header){
		.magic = MAGIC,
		.version = SECCOMP_COMPILE_VERSION,
		.libseccomp = TABLES,
		.audit_arch = OWN_ARCH,
		.n = (uint32_t)program->n,
	};
	memcpy(ret->plan, plan->digest, sizeof(ret->plan));
}

static void digest_file(const struct header *header, const struct sock_filter *instructions,
			uint8_t digest[static DIGEST_SIZE])
{
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)header, offsetof(struct header, digest));
	SHA256Update(&context, (const uint8_t *)instructions, header->n * sizeof(*instructions));
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

/* Returns the number of instructions, or 0 where the file can't be one of ours. */
static size_t check_file(int fd)
{
	struct stat status;
	size_t length;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || !is_only_ours(&status) || status.st_nlink != 1)
		return 0;
	if (status.st_size <= (off_t)sizeof(struct header) ||
	    status.st_size > (off_t)(sizeof(struct header) + SECCOMP_CODE_MAX * sizeof(struct sock_filter)))
		return 0;
	length = (size_t)status.st_size - sizeof(struct header);
	return length % sizeof(struct sock_filter) == 0 ? length / sizeof(struct sock_filter) : 0;
}

static bool read_file(int fd, const struct plan_seccomp *plan, struct seccomp_program *program)
{
	size_t length = program->n * sizeof(*program->instructions);
	uint8_t digest[DIGEST_SIZE];
	struct header header, expected;

	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    pread(fd, program->instructions, length, sizeof(header)) != (ssize_t)length)
		return false;
	describe(plan, program, &expected);
	if (memcmp(&header, &expected, offsetof(struct header, digest)) != 0)
		return false;
	digest_file(&header, program->instructions, digest);
	return memcmp(header.digest, digest, sizeof(digest)) == 0;
}

static bool load(const struct plan_seccomp *plan, int fd, struct seccomp_program *ret)
{
	__attribute__((cleanup(seccomp_program_done_cleanup))) struct seccomp_program program = {
		.n = check_file(fd),
		.cached = true,
	};

	if (program.n == 0)
		return false;
	program.instructions = calloc(program.n, sizeof(*program.instructions));
	if (!program.instructions || !read_file(fd, plan, &program))
		return false;
	if (seccomp_compile_flags(plan, &program.flags, /* err= */ NULL) < 0)
		return false;
	*ret = program;
	program.instructions = NULL;
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
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	size_t n = 0;

	if (!dir) {
		close_and_reset(&fd);
		return;
	}
	while (readdir(dir))
		n++;
	rewinddir(dir);
	while (n > FILES_MAX && (entry = readdir(dir)))
		unlinkat(dir_fd, entry->d_name, 0);
	closedir(dir);
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
	digest_file(&header, program->instructions, header.digest);
	buffer_append(&file, &header, sizeof(header));
	buffer_append(&file, program->instructions, program->n * sizeof(*program->instructions));
	if (file.failed)
		return;
	empty_when_full(dir_fd);
	if (file_replace_at(dir_fd, name, &file, 0600, &err) < 0)
		log_debug("seccomp: not put into the cache: %s", err.message);
}
