/* The cache of filters: what it gives back, and what it doesn't trust. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <linux/seccomp.h>
#include <sha2.h>

#include "parent/seccomp/seccomp.h"
#include "parent/seccomp/seccomp_compile.h"
#include "parent/seccomp/seccomp_floor.h"
#include "plan/plan_digest.h"

static const char *const names[] = { "getppid" };

struct place {
	struct plan_seccomp_rule rule;
	struct plan_seccomp plan;
	char directory[64], file[128];
	int dir_fd;
};

static void place_init(struct place *place)
{
	*place = (struct place){ .directory = "/tmp/test-seccomp-XXXXXX" };
	place->rule = (struct plan_seccomp_rule){ names, 1, SECCOMP_RET_ERRNO | 7, NULL, 0 };
	place->plan = (struct plan_seccomp){
		.enabled = true, .default_action = SECCOMP_RET_ALLOW, .rules = &place->rule, .n_rules = 1
	};
	plan_digest_seccomp(&place->plan, place->plan.digest);
	cr_assert_not_null(mkdtemp(place->directory));
	place->dir_fd = open(place->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < 32; i++)
		snprintf(place->file + 2 * i, 3, "%02x", place->plan.digest[i]);
	sprintf(place->file + strlen(place->file), "-%u", SECCOMP_COMPILE_VERSION);
}

static void place_done(struct place *place)
{
	char command[128];

	close(place->dir_fd);
	snprintf(command, sizeof(command), "rm -rf %s", place->directory);
	cr_expect_eq(system(command), 0);
}

/* true: out of the cache. Either way it has to be the right filter. */
static bool get(struct place *place)
{
	struct seccomp_program program = { 0 }, fresh = { 0 };
	struct error err = { 0 };
	bool cached;

	cr_assert_eq(seccomp_program_get(&place->plan, place->dir_fd, &program, &err), 0, "%s", err.message);
	cr_assert_eq(seccomp_program_get(&place->plan, -EBADF, &fresh, &err), 0, "%s", err.message);
	cr_assert_eq(program.n, fresh.n);
	cr_assert_eq(program.flags, fresh.flags);
	cr_assert_eq(memcmp(program.instructions, fresh.instructions, fresh.n * sizeof(*fresh.instructions)), 0);
	cr_assert_eq(program.n_floor, fresh.n_floor);
	cr_assert_eq(program.floor_flags, fresh.floor_flags);
	cr_assert(fresh.n_floor == 0 || memcmp(program.floor, fresh.floor, fresh.n_floor * sizeof(*fresh.floor)) == 0);
	cr_assert_not(fresh.cached);
	cached = program.cached;
	seccomp_program_done(&program);
	seccomp_program_done(&fresh);
	return cached;
}

/* After a change of the plan. */
static void rename_file(struct place *place)
{
	plan_digest_seccomp(&place->plan, place->plan.digest);
	for (size_t i = 0; i < 32; i++)
		snprintf(place->file + 2 * i, 3, "%02x", place->plan.digest[i]);
	sprintf(place->file + strlen(place->file), "-%u", SECCOMP_COMPILE_VERSION);
}

static off_t size_of(struct place *place)
{
	struct stat status = { 0 };

	cr_assert_eq(fstatat(place->dir_fd, place->file, &status, AT_SYMLINK_NOFOLLOW), 0);
	return status.st_size;
}

Test(seccomp_cache, second_time_is_a_hit)
{
	struct place place;
	struct stat status;

	place_init(&place);
	cr_expect_not(get(&place));
	cr_expect(get(&place));
	cr_expect_eq(fstatat(place.dir_fd, place.file, &status, 0), 0);
	cr_expect_eq(status.st_mode & 07777, 0600);
	place_done(&place);
}

Test(seccomp_cache, any_changed_byte_is_noticed)
{
	struct place place;

	place_init(&place);
	cr_expect_not(get(&place));
	for (off_t i = 0; i < size_of(&place); i++) {
		int fd = openat(place.dir_fd, place.file, O_RDWR | O_CLOEXEC);
		unsigned char byte;

		cr_assert_eq(pread(fd, &byte, 1, i), 1);
		byte ^= 0x10;
		cr_assert_eq(pwrite(fd, &byte, 1, i), 1);
		close(fd);
		cr_expect_not(get(&place), "byte %ld", (long)i);
		cr_expect(get(&place), "written anew after byte %ld", (long)i);
	}
	place_done(&place);
}

Test(seccomp_cache, any_other_length_is_noticed)
{
	struct place place;
	off_t size;
	int fd;

	place_init(&place);
	cr_expect_not(get(&place));
	size = size_of(&place);
	for (off_t length = 0; length < size + 24; length += length == size - 1 ? 2 : 1) {
		fd = openat(place.dir_fd, place.file, O_RDWR | O_CLOEXEC);
		cr_assert_eq(ftruncate(fd, length), 0);
		close(fd);
		cr_expect_not(get(&place), "length %ld", (long)length);
	}
	fd = openat(place.dir_fd, place.file, O_RDWR | O_CLOEXEC);
	cr_assert_eq(ftruncate(fd, (off_t)1 << 30), 0);
	close(fd);
	cr_expect_not(get(&place));
	cr_expect(get(&place));
	place_done(&place);
}

/* A filter of another plan under this one's name. */
Test(seccomp_cache, a_foreign_filter_is_noticed)
{
	struct place place;
	char old[sizeof(place.file)];

	place_init(&place);
	cr_expect_not(get(&place));
	strcpy(old, place.file);
	place.rule.action = SECCOMP_RET_ERRNO | 8;
	rename_file(&place);
	cr_assert_eq(renameat(place.dir_fd, old, place.dir_fd, place.file), 0);
	cr_expect_not(get(&place));
	cr_expect(get(&place));
	place_done(&place);
}

Test(seccomp_cache, symlinks_fifos_and_hard_links_are_not_followed)
{
	struct place place;

	place_init(&place);
	cr_expect_not(get(&place));
	cr_assert_eq(renameat(place.dir_fd, place.file, place.dir_fd, "elsewhere"), 0);
	cr_assert_eq(symlinkat("elsewhere", place.dir_fd, place.file), 0);
	cr_expect_not(get(&place));
	cr_expect(get(&place), "the link was replaced");

	cr_assert_eq(unlinkat(place.dir_fd, place.file, 0), 0);
	cr_assert_eq(mkfifoat(place.dir_fd, place.file, 0600), 0);
	cr_expect_not(get(&place));
	cr_expect(get(&place), "the FIFO was replaced");

	cr_assert_eq(linkat(place.dir_fd, place.file, place.dir_fd, "other-name", 0), 0);
	cr_expect_not(get(&place));
	cr_expect(get(&place));
	place_done(&place);
}

Test(seccomp_cache, others_must_not_be_able_to_write)
{
	struct place place;

	place_init(&place);
	cr_expect_not(get(&place));
	cr_assert_eq(fchmodat(place.dir_fd, place.file, 0620, 0), 0);
	cr_expect_not(get(&place));
	cr_expect(get(&place));
	cr_assert_eq(fchmod(place.dir_fd, 0770), 0);
	cr_expect_not(get(&place), "a directory of others");
	cr_assert_eq(fchmod(place.dir_fd, 0700), 0);
	cr_expect(get(&place));
	if (geteuid() == 0) {
		cr_assert_eq(fchownat(place.dir_fd, place.file, 1234, 1234, 0), 0);
		cr_expect_not(get(&place));
		cr_expect(get(&place));
		cr_assert_eq(fchown(place.dir_fd, 1234, 1234), 0);
		cr_expect_not(get(&place));
	}
	place_done(&place);
}

Test(seccomp_cache, stays_small)
{
	struct place place;
	struct stat status;
	size_t n = 0;
	char name[80];

	place_init(&place);
	for (unsigned i = 0; i < 300; i++) {
		struct seccomp_program program = { 0 };

		place.rule.action = SECCOMP_RET_ERRNO | (1 + i);
		plan_digest_seccomp(&place.plan, place.plan.digest);
		cr_assert_eq(seccomp_program_get(&place.plan, place.dir_fd, &program, NULL), 0);
		seccomp_program_done(&program);
	}
	for (unsigned i = 0; i < 300; i++) {
		place.rule.action = SECCOMP_RET_ERRNO | (1 + i);
		plan_digest_seccomp(&place.plan, place.plan.digest);
		for (size_t k = 0; k < 32; k++)
			snprintf(name + 2 * k, 3, "%02x", place.plan.digest[k]);
		sprintf(name + strlen(name), "-%u", SECCOMP_COMPILE_VERSION);
		n += fstatat(place.dir_fd, name, &status, 0) == 0;
	}
	cr_expect_lt(n, 260);
	cr_expect(get(&place), "the last one is there");
	place_done(&place);
}

Test(seccomp_cache, a_directory_that_is_not_there_does_no_harm)
{
	struct place place;
	int dir_fd;

	place_init(&place);
	dir_fd = place.dir_fd;
	place.dir_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_expect_not(get(&place));
	close(place.dir_fd);
	place.dir_fd = dir_fd;
	place_done(&place);
}

/* ---- with a floor beneath ---- */

Test(seccomp_cache, a_floor_is_part_of_the_program)
{
	struct place place;
	off_t without;

	place_init(&place);
	cr_expect_not(get(&place));
	without = size_of(&place);
	place.plan.floor = PLAN_FLOOR_STRICT;
	rename_file(&place);
	cr_expect_not(get(&place));
	cr_expect(get(&place));
	cr_expect_gt(size_of(&place), without + 8 * 200);
	place.plan.floor_capabilities = UINT64_MAX;
	rename_file(&place);
	cr_expect_not(get(&place), "another floor with other capabilities");
	place.plan.floor_notifies = true;
	rename_file(&place);
	cr_expect_not(get(&place));
	cr_expect(get(&place), "flags come out as well");
	place_done(&place);
}

/* Where things are in a file: the version of the floor's texts, and the digest that is over all the rest. */
#define VERSION_AT 20
#define DIGEST_AT 120
#define HEADER_SIZE 152

static void digest(const uint8_t *file, size_t size, uint8_t result[32])
{
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, file, DIGEST_AT);
	SHA256Update(&context, file + HEADER_SIZE, size - HEADER_SIZE);
	SHA256Final(result, &context);
}

/* Faultless, but of another version of the floor's texts. */
Test(seccomp_cache, another_floor_is_not_taken)
{
	uint8_t file[65536], expected[32];
	struct place place;
	ssize_t size;
	int fd;

	place_init(&place);
	place.plan.floor = PLAN_FLOOR_BASELINE;
	rename_file(&place);
	cr_expect_not(get(&place));
	fd = openat(place.dir_fd, place.file, O_RDWR | O_CLOEXEC);
	size = read(fd, file, sizeof(file));
	cr_assert_gt(size, HEADER_SIZE);
	cr_assert_str_eq((const char *)file + VERSION_AT, seccomp_floor_version());
	digest(file, (size_t)size, expected);
	cr_assert_eq(memcmp(file + DIGEST_AT, expected, sizeof(expected)), 0);
	file[VERSION_AT]++;
	digest(file, (size_t)size, file + DIGEST_AT);
	cr_assert_eq(pwrite(fd, file, (size_t)size, 0), size);
	close(fd);
	cr_expect_not(get(&place));
	cr_expect(get(&place), "made anew");
	place_done(&place);
}

Test(seccomp_cache, a_floor_alone_is_built_in)
{
	struct seccomp_program program = { 0 };
	struct stat status;
	struct place place;

	place_init(&place);
	place.plan = (struct plan_seccomp){ .floor = PLAN_FLOOR_STRICT };
	rename_file(&place);
	cr_assert_eq(seccomp_program_get(&place.plan, place.dir_fd, &program, NULL), 0);
	cr_expect_gt(program.n, 200);
	cr_expect_eq(program.n_floor, 0);
	cr_expect_lt(fstatat(place.dir_fd, place.file, &status, 0), 0);
	seccomp_program_done(&program);
	place.plan.floor = PLAN_FLOOR_NONE;
	cr_expect_eq(seccomp_program_get(&place.plan, place.dir_fd, &program, NULL), -EINVAL, "nothing is asked for");
	place_done(&place);
}

#define MANY 1000

/* As many rules as it takes until the floor is installed by itself. */
Test(seccomp_cache, two_programs)
{
	static struct plan_seccomp_arg args[MANY];
	static struct plan_seccomp_rule rules[MANY];
	struct seccomp_program program = { 0 };
	struct place place;

	place_init(&place);
	place.plan.floor = PLAN_FLOOR_STRICT;
	place.plan.floor_notifies = true;
	place.plan.rules = rules;
	for (size_t i = 0; i < MANY; i++) {
		args[i] = (struct plan_seccomp_arg){ 1, 0x100000000 + i, 0, "SCMP_CMP_EQ" };
		rules[i] = (struct plan_seccomp_rule){ names, 1, SECCOMP_RET_ERRNO | (uint32_t)i, &args[i], 1 };
	}
	for (place.plan.n_rules = 600; program.n_floor == 0 && place.plan.n_rules < MANY; place.plan.n_rules += 10) {
		seccomp_program_done(&program);
		cr_assert_eq(seccomp_program_get(&place.plan, -EBADF, &program, NULL), 0);
	}
	cr_assert_gt(program.n_floor, 200);
	cr_expect_eq(program.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER, 0);
	cr_expect_eq(program.floor_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	place.plan.n_rules -= 10;
	rename_file(&place);
	cr_expect_not(get(&place));
	cr_expect(get(&place));
	seccomp_program_done(&program);
	place_done(&place);
}
