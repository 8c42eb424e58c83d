/* The document of a sandbox: valid, strict as it stands, and nothing of the request lost or taken for something else. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "sandbox/sandbox_config.h"
#include "sandbox/sandbox_words.h"
#include "spec/spec.h"

#define NS_PER_S UINT64_C(1000000000)

static const char *const argv[] = { "sh", "-c", "echo \"\\ \x01\"", NULL };
static const char *const env[] = { "PATH=/x", "EMPTY=", "QUOTE=\"", NULL };
static const struct sandbox_bind part = { "/usr", "/usr", false };
static const struct sandbox_bind binds[] = { { "/srv/in", "/in", false }, { "/srv/out", "/out", true } };

static struct sandbox_request request(void)
{
	return (struct sandbox_request){
		.binds = binds,
		.n_binds = 2,
		.limits = { .timeout = 30 * NS_PER_S,
			    .memory = UINT64_C(512) * 1024 * 1024,
			    .cpus = 1000,
			    .pids = 256,
			    .max_output = UINT64_C(1024) * 1024 },
	};
}

static struct spec *parse(const struct sandbox_config *config)
{
	struct buffer text __attribute__((cleanup(buffer_done_cleanup))) = { 0 };
	struct spec *spec = NULL;
	struct error err = { 0 };

	sandbox_config_write(config, &text);
	cr_assert_eq(text.failed, 0);
	cr_assert_eq(spec_parse(text.data, text.length, &spec, &err), 0, "%s in %s", err.message, text.data);
	return spec;
}

static struct sandbox_config config_of(const struct sandbox_request *wanted)
{
	return (struct sandbox_config){ .request = wanted,
					.argv = argv,
					.env = env,
					.cwd = "/work",
					.root = "/run/root",
					.parts = &part,
					.n_parts = 1,
					.has_cgroup = true };
}

/* Each mount of the document by its number, against the one that the document has there. */
Test(sandbox_config, places_have_the_words_of_options)
{
	struct sandbox_request wanted = request();
	struct sandbox_config config = config_of(&wanted);
	struct sandbox_place place = { 0 };
	struct spec *spec;
	char name[64];

	config.resolv_conf = "/run/resolv";
	spec = parse(&config);
	for (size_t i = 0; i < spec->n_mounts; i++) {
		size_t length = (size_t)snprintf(name, sizeof(name), "mounts[%zu].options[2]", i);

		cr_assert(sandbox_config_place(&config, name, &place), "%s", name);
		cr_expect_eq(place.length, length, "%s: %zu", name, place.length);
		cr_expect_not_null(strstr(place.text, spec->mounts[i].destination), "%s: %s", name, place.text);
		cr_expect_eq(place.is_asked, i + 2 >= spec->n_mounts, "%s", name);
	}
	cr_expect_str_eq(place.text, "option --bind-rw /srv/out:/out");
	snprintf(name, sizeof(name), "mounts[%zu]", spec->n_mounts);
	cr_expect_not(sandbox_config_place(&config, name, &place), "%s", name);
	spec_free(spec);
}

Test(sandbox_config, places_that_are_none_are_left)
{
	static const char *const none[] = { "mounts[",
					    "mounts[]",
					    "mounts[x]",
					    "mounts[1",
					    "mounts[99999999999999999999]",
					    "linux.resources.devices",
					    "process",
					    "",
					    "mount" };
	struct sandbox_request wanted = request();
	struct sandbox_config config = config_of(&wanted);
	struct sandbox_place place = { .length = 42 };

	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		cr_expect_not(sandbox_config_place(&config, none[i], &place), "%s", none[i]);
	cr_expect_eq(place.length, 42);
}

Test(sandbox_config, words_of_messages)
{
	static const struct {
		const char *message, *wanted;
		enum error_kind kind;
		int code;
		enum error_kind wanted_kind;
	} messages[] = {
		{ "mount: mounts[8] (/out): open: Read-only file system",
		  "mount: option --bind-rw /srv/out:/out: open: Read-only file system", ERROR_SYSTEM, EROFS,
		  ERROR_INVALID },
		{ "mounts[7].source: asked for it", "option --bind-ro /srv/in:/in: asked for it", ERROR_REFUSED, EPERM,
		  ERROR_REFUSED },
		{ "mounts[0] (/usr): attach: Too many open files", "the host's /usr: attach: Too many open files",
		  ERROR_SYSTEM, EMFILE, ERROR_SYSTEM },
		{ "mounts[0] (/usr): attach: Permission denied", "the host's /usr: attach: Permission denied",
		  ERROR_SYSTEM, EACCES, ERROR_SYSTEM },
		{ "enter: process.cwd: chdir to /x: No such file or directory",
		  "enter: option --cwd: chdir to /x: No such file or directory", ERROR_SYSTEM, ENOENT, ERROR_NOT_FOUND },
		{ "annotations[\"brig.dev/egress\"]: no", "option --egress: no", ERROR_UNSUPPORTED, ENOTSUP,
		  ERROR_UNSUPPORTED },
		{ "open /mounts[7]: mounts[7]", "open /mounts[7]: option --bind-ro /srv/in:/in", ERROR_SYSTEM, EIO,
		  ERROR_SYSTEM },
		{ "nothing of it", "nothing of it", ERROR_SYSTEM, ENOENT, ERROR_SYSTEM },
	};
	struct sandbox_request wanted = request();
	struct sandbox_config config = config_of(&wanted), none = { 0 };
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		error_set(&err, messages[i].kind, messages[i].code, "%s", messages[i].message);
		sandbox_words_mend(&config, &err);
		cr_expect_str_eq(err.message, messages[i].wanted);
		cr_expect_eq(err.kind, messages[i].wanted_kind, "%s: %d", err.message, (int)err.kind);
	}
	error_set(&err, ERROR_SYSTEM, ENOENT, "process.cwd: x");
	sandbox_words_mend(&none, &err);
	cr_expect_str_eq(err.message, "process.cwd: x", "before there is a document nothing is put in its place");
}

Test(sandbox_config, words_of_a_rootfs_and_of_long_messages)
{
	struct sandbox_request wanted = request();
	struct sandbox_config config;
	char text[SANDBOX_WORDS_MAX], words[SANDBOX_WORDS_MAX];

	wanted.rootfs = "/srv/root";
	config = config_of(&wanted);
	cr_expect(sandbox_words_put(&config, "mounts[0].source: x", words));
	cr_expect_str_eq(words, "option --rootfs: its /usr: x");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "root.path: ", strlen("root.path: "));
	sandbox_words_put(&config, text, words);
	cr_expect_eq(strlen(words), sizeof(words) - 1);
}

static const struct spec_mount *mount_at(const struct spec *spec, const char *destination)
{
	for (size_t i = 0; i < spec->n_mounts; i++) {
		if (strcmp(spec->mounts[i].destination, destination) == 0)
			return &spec->mounts[i];
	}
	return NULL;
}

static bool has_option(const struct spec_mount *mount, const char *option)
{
	for (size_t i = 0; mount && i < mount->n_options; i++) {
		if (strcmp(mount->options[i], option) == 0)
			return true;
	}
	return false;
}

Test(sandbox_config, has_the_process_as_it_was_asked_for)
{
	struct sandbox_request wanted = request();
	struct sandbox_config config = config_of(&wanted);
	struct spec *spec = parse(&config);

	cr_expect_eq(spec->process->n_args, 3);
	cr_expect_str_eq(spec->process->args[2], argv[2]);
	cr_expect_str_eq(spec->process->cwd, "/work");
	cr_expect_eq(spec->process->user.uid, SANDBOX_UID);
	cr_expect_eq(spec->process->oom_score_adj.value, 500);
	cr_expect(spec->root.readonly);
	spec_free(spec);
}

/* Without CAP_SYS_RESOURCE nobody can have less. */
Test(sandbox_config, never_less_than_its_callers_oom_score)
{
	struct sandbox_request wanted = request();
	struct sandbox_config config = config_of(&wanted);
	struct spec *spec;

	config.oom_score = 800;
	spec = parse(&config);
	cr_expect_eq(spec->process->oom_score_adj.value, 800);
	spec_free(spec);
}

Test(sandbox_config, a_variable_that_is_given_takes_the_place_of_ours)
{
	struct sandbox_request wanted = request();
	struct sandbox_config config = config_of(&wanted);
	struct spec *spec = parse(&config);
	size_t n_paths = 0;

	for (size_t i = 0; i < spec->process->n_env; i++)
		n_paths += strncmp(spec->process->env[i], "PATH=", 5) == 0;
	cr_expect_eq(n_paths, 1);
	spec_free(spec);
}

Test(sandbox_config, binds_are_read_only_unless_asked_otherwise)
{
	struct sandbox_request wanted = request();
	struct sandbox_config config = config_of(&wanted);
	struct spec *spec = parse(&config);

	cr_expect(has_option(mount_at(spec, "/usr"), "ro"));
	cr_expect(has_option(mount_at(spec, "/in"), "ro"));
	cr_expect(has_option(mount_at(spec, "/out"), "rw"));
	cr_expect_not(has_option(mount_at(spec, "/out"), "ro"));
	spec_free(spec);
}

Test(sandbox_config, everything_writable_is_bounded)
{
	struct sandbox_request wanted = request();
	struct sandbox_config config = config_of(&wanted);
	static const char *const writable[] = { "/tmp", "/work", "/dev/shm" };
	struct spec *spec;

	wanted.limits.memory = UINT64_C(64) * 1024 * 1024;
	spec = parse(&config);
	for (size_t i = 0; i < ARRAY_SIZE(writable); i++) {
		cr_expect(has_option(mount_at(spec, writable[i]), "size=16777216"), "%s", writable[i]);
		cr_expect(has_option(mount_at(spec, writable[i]), "nr_inodes=32k"), "%s", writable[i]);
	}
	cr_expect(has_option(mount_at(spec, "/dev"), "size=64k"));
	spec_free(spec);
}

Test(sandbox_config, limits_are_the_groups_where_there_is_one)
{
	struct sandbox_request wanted = request();
	struct sandbox_config config = config_of(&wanted);
	struct spec *spec;

	wanted.limits.pids = 10;
	wanted.limits.cpus = 1500;
	spec = parse(&config);
	cr_expect_eq(spec->linux_.resources.memory.limit.value, (int64_t)wanted.limits.memory);
	cr_expect_eq(spec->linux_.resources.pids_limit.value, 11, "one more for init");
	cr_expect_eq(spec->linux_.resources.cpu.quota.value, 150000);
	spec_free(spec);
}

static const struct spec_rlimit *rlimit(const struct spec *spec, int type)
{
	for (size_t i = 0; i < spec->process->n_rlimits; i++) {
		if (spec->process->rlimits[i].type == type)
			return &spec->process->rlimits[i];
	}
	return NULL;
}

Test(sandbox_config, limits_are_each_process_s_where_there_is_no_group)
{
	struct sandbox_request wanted = request();
	struct sandbox_config config = config_of(&wanted);
	struct spec *spec;

	config.has_cgroup = false;
	config.rootless = true;
	config.uid = 54321;
	wanted.limits.cpu_time = UINT64_C(1500000000);
	spec = parse(&config);
	cr_expect_not(spec->linux_.resources.memory.limit.set);
	cr_assert_not_null(rlimit(spec, 2 /* RLIMIT_DATA */));
	cr_expect_eq(rlimit(spec, 2)->hard, wanted.limits.memory);
	cr_assert_not_null(rlimit(spec, 0 /* RLIMIT_CPU */));
	cr_expect_eq(rlimit(spec, 0)->soft, 2, "rounded up");
	cr_assert_eq(spec->linux_.n_uid_mappings, 1);
	cr_expect_eq(spec->linux_.uid_mappings[0].container_id, SANDBOX_UID);
	cr_expect_eq(spec->linux_.uid_mappings[0].host_id, 54321);
	spec_free(spec);
}

/* The document would have other bytes in their place. */
Test(sandbox_config, what_is_not_utf_8_is_refused)
{
	AUTO(arena_free) struct arena *arena = arena_new(65536);
	static const char *const bad[] = { "sh", "\xff", NULL }, *const bad_env[] = { "A=\xc3(", NULL };
	static const struct sandbox_bind bad_bind = { "/srv/\xfe", "/in", false };
	const struct image_config image = { 0 };
	struct sandbox_request wanted = { .argv = argv };
	struct sandbox_config config = { .request = &wanted };
	struct error err = { 0 };

	cr_expect_eq(sandbox_config_choose(&config, &image, arena, &err), 0, "%s", err.message);
	wanted.argv = bad;
	cr_expect_eq(sandbox_config_choose(&config, &image, arena, &err), -EILSEQ);
	cr_expect_eq(err.kind, ERROR_USAGE);
	cr_expect_not_null(strstr(err.message, "an argument of PROGRAM is not UTF-8"), "%s", err.message);
	wanted = (struct sandbox_request){ .argv = argv, .env = bad_env };
	cr_expect_eq(sandbox_config_choose(&config, &image, arena, &err), -EILSEQ);
	wanted = (struct sandbox_request){ .argv = argv, .binds = &bad_bind, .n_binds = 1 };
	cr_expect_eq(sandbox_config_choose(&config, &image, arena, &err), -EILSEQ);
	wanted = (struct sandbox_request){ .argv = argv, .cwd = "/\x80" };
	cr_expect_eq(sandbox_config_choose(&config, &image, arena, &err), -EILSEQ);
}

static bool has_variable(const struct spec *spec, const char *variable)
{
	for (size_t i = 0; i < spec->process->n_env; i++) {
		if (strcmp(spec->process->env[i], variable) == 0)
			return true;
	}
	return false;
}

Test(sandbox_config, names_the_proxy_where_there_is_one)
{
	static const char *const own[] = { "https_proxy=mine", NULL };
	struct sandbox_request wanted = request();
	struct sandbox_config config = config_of(&wanted);
	struct spec *spec = parse(&config);

	cr_expect_not(has_variable(spec, "http_proxy=http://127.0.0.1:3128"));
	spec_free(spec);
	wanted.egress_proxy = "a.test";
	config.env = own;
	spec = parse(&config);
	cr_expect(has_variable(spec, "http_proxy=http://127.0.0.1:3128"));
	cr_expect(has_variable(spec, "HTTPS_PROXY=http://127.0.0.1:3128"));
	cr_expect(has_variable(spec, "https_proxy=mine"), "what is given goes before");
	cr_expect_not(has_variable(spec, "https_proxy=http://127.0.0.1:3128"));
	spec_free(spec);
}

Test(sandbox_config, a_group_that_can_hold_no_processors)
{
	struct sandbox_request wanted = request();
	struct sandbox_config config = config_of(&wanted);
	struct spec *spec;

	config.cgroup_path = "/user/brig-x";
	config.lacks_cpu = true;
	spec = parse(&config);
	cr_expect_str_eq(spec->linux_.cgroups_path, "/user/brig-x");
	cr_expect(spec->linux_.resources.memory.limit.set);
	cr_expect_not(spec->linux_.resources.cpu.quota.set);
	spec_free(spec);
}
