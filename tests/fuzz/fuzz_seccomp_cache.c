/* libFuzzer: changes to a filter's file in the cache. What is taken out of it is the filter that was put in, or nothing.
 * Input: pairs of bytes after a 16-bit offset each overwrite what is there; a first byte above 127 is the file by itself. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include "base/cleanup.h"
#include "parent/seccomp/seccomp_cache.h"
#include "parent/seccomp/seccomp_compile.h"
#include "plan/plan_digest.h"
#include "tests/fuzz/fuzz_directory.h"

#define FILE_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "getppid", "mount" };
static const struct plan_seccomp_rule rule = { names, 2, SECCOMP_RET_ERRNO | 7, NULL, 0 };

struct cache {
	struct plan_seccomp plan;
	struct seccomp_program program;
	char name[80];
	uint8_t file[FILE_MAX];
	size_t size;
};

static struct cache *make_cache(void)
{
	struct cache *cache = calloc(1, sizeof(*cache));
	struct error err;
	int dir_fd = fuzz_directory_with("x", NULL, 0), fd;

	cache->plan = (struct plan_seccomp){
		.enabled = true, .default_action = SECCOMP_RET_ALLOW, .rules = &rule, .n_rules = 1
	};
	plan_digest_seccomp(&cache->plan, cache->plan.digest);
	if (seccomp_program_get(&cache->plan, dir_fd, &cache->program, &err) < 0)
		abort();
	for (size_t i = 0; i < sizeof(cache->plan.digest); i++)
		snprintf(cache->name + 2 * i, 3, "%02x", cache->plan.digest[i]);
	sprintf(cache->name + strlen(cache->name), "-%u", SECCOMP_COMPILE_VERSION);
	fd = openat(dir_fd, cache->name, O_RDONLY | O_CLOEXEC);
	cache->size = fd < 0 ? 0 : (size_t)read(fd, cache->file, sizeof(cache->file));
	if (cache->size == 0)
		abort();
	close(fd);
	return cache;
}

static bool is_taken(struct cache *cache, const uint8_t *file, size_t size)
{
	__attribute__((cleanup(seccomp_program_done_cleanup))) struct seccomp_program program = { 0 };
	int dir_fd = fuzz_directory_with(cache->name, file, size);

	if (!seccomp_cache_load(&cache->plan, dir_fd, &program))
		return false;
	if (program.n != cache->program.n || program.flags != cache->program.flags ||
	    memcmp(program.instructions, cache->program.instructions, program.n * sizeof(*program.instructions)) != 0)
		abort();
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cache *cache;
	AUTO_FREE uint8_t *file = NULL;

	if (!cache)
		cache = make_cache();
	if (size > 0 && data[0] > 127) {
		is_taken(cache, data, size);
		return 0;
	}
	file = malloc(cache->size);
	memcpy(file, cache->file, cache->size);
	for (size_t i = 0; i + 3 <= size; i += 3)
		file[(data[i] | (size_t)data[i + 1] << 8) % cache->size] = data[i + 2];
	/* Whether it is taken and whether it is the file that was written are the same question. */
	if (is_taken(cache, file, cache->size) != (memcmp(file, cache->file, cache->size) == 0))
		abort();
	return 0;
}
