/* Runs in the build: the policies as C for the programs, or as OCI JSON for other runtimes.
 *
 * generate FOLDER VERSION code          FOLDER: where the *.policy files are
 * generate FOLDER VERSION json PROFILE */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/audit.h>
#include <sha2.h>

#include "base/cleanup.h"
#include "parent/seccomp/seccomp_floor_compile.h"
#include "seccomp-profiles/profile.h"

#define MEMORY_MAX ((size_t)256 * 1024 * 1024)
#define TEXT_MAX (256 * 1024)

static const char *const floors[PLAN_N_FLOORS] = { [PLAN_FLOOR_STRICT] = "strict", [PLAN_FLOOR_BASELINE] = "baseline" };

struct machine {
	const char *name;
	uint32_t audit;
};

static const struct machine machines[] = { { "x86_64", AUDIT_ARCH_X86_64 }, { "aarch64", AUDIT_ARCH_AARCH64 } };

struct generator {
	const char *folder;
	struct arena *arena;
	SHA2_CTX digest; /* of all texts that were read, and of the version */
};

/* A profile_open. */
static const char *open_policy(void *context, const char *name)
{
	struct generator *generator = context;
	AUTO_FREE char *path = NULL;
	char *text = arena_alloc(generator->arena, TEXT_MAX + 1);
	FILE *file;
	size_t n;

	if (!text || asprintf(&path, "%s/%s.policy", generator->folder, name) < 0)
		return NULL;
	file = fopen(path, "re");
	if (!file)
		return NULL;
	n = fread(text, 1, TEXT_MAX, file);
	fclose(file);
	SHA256Update(&generator->digest, (const uint8_t *)text, n);
	return text;
}

static int read_profile(struct generator *generator, const char *name, struct profile *ret, struct error *err)
{
	struct profile_source source = { .open = open_policy, .context = generator };
	struct error incomplete = { 0 };
	int r;

	source.file = arena_printf(generator->arena, "%s.policy", name);
	source.text = open_policy(generator, name);
	if (!source.file || !source.text)
		return error_system(err, errno, "read %s.policy in %s", name, generator->folder);
	r = profile_parse(&source, generator->arena, ret, err);
	if (r == 0)
		r = profile_calls_check(ret, err);
	/* No reason not to build: with a libseccomp newer than the policy they get ENOSYS. The unit tests insist. */
	if (r == 0 && profile_calls_complete(ret, generator->arena, &incomplete) < 0)
		fprintf(stderr, "warning: %s.policy: %s\n", name, incomplete.message);
	return r;
}

static int write_table(struct generator *generator, enum plan_floor floor, const struct machine *machine,
		       struct buffer *code, struct error *err)
{
	struct seccomp_program program = { 0 };
	struct seccomp_floor_table table;
	struct profile profile;
	char name[64];
	int r = read_profile(generator, floors[floor], &profile, err);

	if (r == 0)
		r = profile_table(&profile, machine->audit, generator->arena, &table, err);
	if (r == 0)
		r = seccomp_floor_compile(&table, /* capabilities= */ 0, &program, err);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "%s_%s", floors[floor], machine->name);
	profile_code(&table, &program, name, code);
	free(program.instructions);
	return 0;
}

static void write_version(struct generator *generator, const char *version, struct buffer *code)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256Update(&generator->digest, (const uint8_t *)version, strlen(version));
	SHA256Final(digest, &generator->digest);
	buffer_printf(code, "const char seccomp_floor_data_version[] = \"%s-", version);
	for (size_t i = 0; i < 6; i++)
		buffer_printf(code, "%02x", digest[i]);
	buffer_append_text(code, "\";\n");
}

static int write_code(struct generator *generator, const char *version, struct buffer *code, struct error *err)
{
	buffer_append_text(code, "/* Generated from seccomp-profiles/ by its generate. */\n"
				 "#include \"parent/seccomp/seccomp_floor_data.h\"\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		for (enum plan_floor floor = PLAN_FLOOR_STRICT; floor < PLAN_N_FLOORS; floor++) {
			int r = write_table(generator, floor, &machines[i], code, err);

			if (r < 0)
				return r;
		}
		buffer_printf(code, "const struct seccomp_floor_machine seccomp_floor_%s = { {\n", machines[i].name);
		for (enum plan_floor floor = PLAN_FLOOR_STRICT; floor < PLAN_N_FLOORS; floor++)
			buffer_printf(code, "\t[%d] = %s_%s,\n", (int)floor, floors[floor], machines[i].name);
		buffer_append_text(code, "} };\n\n");
	}
	write_version(generator, version, code);
	return 0;
}

static int write_json(struct generator *generator, const char *name, struct buffer *json, struct error *err)
{
	struct profile profile;
	int r = read_profile(generator, name, &profile, err);

	return r < 0 ? r : profile_json(&profile, generator->arena, json, err);
}

static int generate(char **arguments, struct buffer *out, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY_MAX);
	struct generator generator = { .folder = arguments[0], .arena = arena };

	if (!arena)
		return error_memory(err);
	SHA256Init(&generator.digest);
	if (strcmp(arguments[2], "code") == 0 && !arguments[3])
		return write_code(&generator, arguments[1], out, err);
	if (strcmp(arguments[2], "json") == 0 && arguments[3] && !arguments[4])
		return write_json(&generator, arguments[3], out, err);
	return error_set(err, ERROR_USAGE, EINVAL, "usage: generate FOLDER VERSION code|json [PROFILE]");
}

int main(int argc, char **argv)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer out = { 0 };
	struct error err = { 0 };
	int r = argc < 4 ? error_set(&err, ERROR_USAGE, EINVAL, "usage: generate FOLDER VERSION code|json [PROFILE]")
			 : generate(argv + 1, &out, &err);

	if (r == 0 && out.failed)
		r = error_memory(&err);
	if (r == 0 && (fwrite(out.data, 1, out.length, stdout) != out.length || fflush(stdout) != 0))
		r = error_system(&err, errno, "write");
	if (r == 0)
		return 0;
	fprintf(stderr, "generate: %s\n", err.message);
	return 1;
}
