/* libFuzzer: lines of text as the options of a mount. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/cleanup.h"
#include "plan/plan_mount_options.h"

#define ARENA_MAX ((size_t)16 * 1024 * 1024)
#define OPTIONS_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t split(char *text, const char **options)
{
	size_t n = 0;

	for (char *end; text && n < OPTIONS_MAX; text = end) {
		end = strchr(text, '\n');
		if (end)
			*end++ = '\0';
		options[n++] = text;
	}
	return n;
}

static void check(const struct plan_mount *mount, size_t n_asked)
{
	if (mount->n_options > n_asked || (mount->attr_set & mount->attr_clear & ~(uint64_t)MOUNT_ATTR__ATIME) ||
	    (mount->rattr_set & mount->rattr_clear & ~(uint64_t)MOUNT_ATTR__ATIME))
		abort();
	for (size_t i = 0; i < mount->n_options; i++) {
		if (!mount->options[i].key[0] || strchr(mount->options[i].key, '='))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct plan_builder builder = { .arena = arena };
	const char *options[OPTIONS_MAX];
	char *text = arena_strndup(arena, (const char *)data, size);
	struct spec_mount spec = { .options = options };
	const struct plan_mount_asked asked = { .where = "mounts[0]", .spec = &spec };
	struct plan_mount mount = { 0 };
	struct error err = { 0 };
	int rc;

	if (!text)
		return 0;
	spec.n_options = split(text, options);
	rc = plan_mount_options_parse(&builder, &asked, &mount, &err);
	if (rc < 0 && (err.kind == ERROR_NONE || !err.message[0]))
		abort();
	if (rc == 0)
		check(&mount, spec.n_options);
	return 0;
}
