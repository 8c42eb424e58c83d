#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "container/exec_process.h"
#include "tests/support/scratch.h"

static const char config[] =
	"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},\"process\":{\"terminal\":true,"
	"\"user\":{\"uid\":7,\"gid\":8,\"additionalGids\":[9]},\"args\":[\"own\"],\"env\":[\"A=1\"],\"cwd\":\"/own\","
	"\"noNewPrivileges\":true,\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"],"
	"\"permitted\":[\"CAP_KILL\"],\"inheritable\":[],\"ambient\":[]}}}";

static const char *const arguments[] = { "ls", "-l", NULL };

struct build {
	struct brig_exec request;
	struct spec *spec;
	struct spec_process process;
	struct error err;
	int rc;
};

static struct build build_new(void)
{
	struct build build = { .request = { .id = "box", .argv = arguments } };

	cr_assert_eq(spec_parse(config, sizeof(config) - 1, &build.spec, &build.err), 0, "%s", build.err.message);
	return build;
}

static void build_done_cleanup(struct build *build)
{
	spec_free(build->spec);
}
#define BUILD(name) __attribute__((cleanup(build_done_cleanup))) struct build name = build_new()

static void run(struct build *build)
{
	build->rc = exec_process_build(&build->request, build->spec, &build->process, &build->err);
}

static void good(struct build *build)
{
	run(build);
	cr_assert_eq(build->rc, 0, "%s", build->err.message);
}

Test(exec_process, is_the_containers_with_other_arguments)
{
	BUILD(build);

	good(&build);
	cr_assert_eq(build.process.n_args, 2);
	cr_expect_str_eq(build.process.args[0], "ls");
	cr_expect_str_eq(build.process.args[1], "-l");
	cr_expect_str_eq(build.process.cwd, "/own");
	cr_expect_eq(build.process.user.uid, 7);
	cr_expect_eq(build.process.user.gid, 8);
	cr_assert_eq(build.process.n_env, 1);
	cr_expect_str_eq(build.process.env[0], "A=1");
	cr_expect(build.process.terminal);
	cr_expect(build.process.no_new_privileges);
}

Test(exec_process, options_change_it_and_not_the_containers)
{
	static const char *const env[] = { "B=2", "A=3", NULL }, *const capabilities[] = { "CAP_CHOWN", NULL };
	static const uint32_t gids[] = { 20, 21 };
	BUILD(build);

	build.request.env = env;
	build.request.capabilities = capabilities;
	build.request.cwd = "/there";
	build.request.user = "1000:1001";
	build.request.additional_gids = gids;
	build.request.n_additional_gids = 2;
	build.request.set_tty = true;
	build.request.set_no_new_privileges = true;
	good(&build);
	cr_assert_eq(build.process.n_env, 3);
	cr_expect_str_eq(build.process.env[0], "A=1");
	cr_expect_str_eq(build.process.env[2], "A=3");
	cr_expect_str_eq(build.process.cwd, "/there");
	cr_expect_eq(build.process.user.uid, 1000);
	cr_expect_eq(build.process.user.gid, 1001);
	cr_expect_eq(build.process.user.n_additional_gids, 2);
	cr_expect_not(build.process.terminal);
	cr_expect_not(build.process.no_new_privileges);
	cr_expect_eq(build.spec->process->n_env, 1);
	cr_expect_eq(build.spec->process->user.uid, 7);
	cr_expect_eq(build.spec->process->capabilities->n_bounding, 1);
}

/* CVE-2022-29162: what --cap gives must not be inheritable, nor ambient. */
Test(exec_process, added_capabilities_are_not_inheritable)
{
	static const char *const capabilities[] = { "CAP_CHOWN", "CAP_FOWNER", NULL };
	const struct spec_capabilities *sets;
	BUILD(build);

	build.request.capabilities = capabilities;
	good(&build);
	sets = build.process.capabilities;
	cr_expect_eq(sets->n_bounding, 3);
	cr_expect_eq(sets->n_effective, 3);
	cr_expect_eq(sets->n_permitted, 3);
	cr_expect_str_eq(sets->permitted[2], "CAP_FOWNER");
	cr_expect_eq(sets->n_inheritable, 0);
	cr_expect_eq(sets->n_ambient, 0);
}

struct user {
	const char *text;
	uint32_t uid, gid;
};

Test(exec_process, users_that_are_fine)
{
	static const struct user users[] = {
		{ "0", 0, 8 },	       { "0:0", 0, 0 },	   { "1000", 1000, 8 },
		{ "1000:1", 1000, 1 }, { "007:08", 7, 8 }, { "4294967294:4294967294", 4294967294U, 4294967294U },
	};

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		BUILD(build);

		build.request.user = users[i].text;
		good(&build);
		cr_expect_eq(build.process.user.uid, users[i].uid, "%s", users[i].text);
		cr_expect_eq(build.process.user.gid, users[i].gid, "%s", users[i].text);
	}
}

/* None of these may become root, or anybody (CVE-2016-3697, CVE-2024-40635). */
Test(exec_process, odd_users_are_refused)
{
	static const char *const users[] = {
		"",
		":",
		":0",
		"0:",
		"1000:",
		"root",
		"-1",
		"-0",
		"+1",
		" 1",
		"1 ",
		"1\n",
		"0x10",
		"1e3",
		"1.0",
		"4294967295",
		"4294967296",
		"18446744073709551616",
		"99999999999999999999999999",
		"1000:-1",
		"1000:x",
		"1000:4294967295",
		"1000:4294967296",
		"1:2:3",
		"1000:18446744073709551616",
		"1,2",
		"1000:root",
	};

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		BUILD(build);

		build.request.user = users[i];
		run(&build);
		cr_expect_eq(build.rc, -EINVAL, "\"%s\" became %u:%u", users[i], build.process.user.uid,
			     build.process.user.gid);
		cr_expect_eq(build.err.kind, ERROR_USAGE);
		cr_expect_not_null(strstr(build.err.message, "--user"), "%s", build.err.message);
	}
}

Test(exec_process, container_without_a_process)
{
	static const char bare[] = "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"}}";
	struct build build = { .request = { .argv = arguments } };

	cr_assert_eq(spec_parse(bare, sizeof(bare) - 1, &build.spec, &build.err), 0, "%s", build.err.message);
	run(&build);
	cr_expect_eq(build.rc, -EINVAL);
	cr_expect_not_null(strstr(build.err.message, "--process"), "%s", build.err.message);
	spec_free(build.spec);
}

/* ---- a file's process ---- */

static void from_file(struct build *build, const struct scratch *scratch, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", scratch->path, name);
	build->request.argv = NULL;
	build->request.process_file = path;
	run(build);
}

#define PROCESS "{\"user\":{\"uid\":1,\"gid\":2},\"args\":[\"filed\"],\"cwd\":\"/\"}"

Test(exec_process, out_of_a_supervisors_text_stands_alone)
{
	BUILD(build);

	build.request.argv = NULL;
	build.request.process_json = PROCESS;
	build.request.process_length = strlen(PROCESS);
	run(&build);
	cr_assert_eq(build.rc, 0, "%s", build.err.message);
	cr_expect_str_eq(build.process.args[0], "filed");
	cr_expect_eq(build.process.n_env, 0, "nothing of the container's own process is mixed in");
	build.request.process_length--;
	run(&build);
	cr_expect_lt(build.rc, 0);
	cr_expect_not_null(strstr(build.err.message, "the process of an exec"), "got: %s", build.err.message);
	build.request.process_length = SPEC_BYTES_MAX + 1;
	run(&build);
	cr_expect_eq(build.rc, -EINVAL);
	cr_expect_not_null(strstr(build.err.message, "are the most"), "not one byte of it is read: %s",
			   build.err.message);
}

Test(exec_process, out_of_a_file_stands_alone)
{
	SCRATCH(scratch);
	BUILD(build);

	scratch_file(&scratch, "p.json", PROCESS, 0600);
	from_file(&build, &scratch, "p.json");
	cr_assert_eq(build.rc, 0, "%s", build.err.message);
	cr_expect_str_eq(build.process.args[0], "filed");
	cr_expect_eq(build.process.user.uid, 1);
	cr_expect_eq(build.process.n_env, 0, "nothing of the container's own process is mixed in");
	cr_expect_not(build.process.no_new_privileges);
	cr_expect_not(build.process.terminal);
	build.request.set_tty = build.request.tty = true;
	from_file(&build, &scratch, "p.json");
	cr_expect(build.process.terminal);
}

static struct spec_process container_process(const struct build *build)
{
	static const struct spec_rlimit rlimit = { .soft = 10, .hard = 20 };
	static const struct spec_scheduler scheduler = { .nice = 5 };
	static const struct spec_io_priority io_priority = { .priority = 3 };
	static const struct spec_exec_cpu_affinity affinity = { .final = "0" };
	struct spec_process process = *build->spec->process;

	process.rlimits = &rlimit;
	process.n_rlimits = 1;
	process.scheduler = &scheduler;
	process.io_priority = &io_priority;
	process.exec_cpu_affinity = &affinity;
	process.apparmor_profile = "own-profile";
	process.selinux_label = "own:label";
	process.oom_score_adj = (struct opt_int){ .set = true, .value = 100 };
	process.user.umask = (struct opt_u32){ .set = true, .value = 077 };
	return process;
}

Test(exec_process, what_holds_the_container_holds_what_a_file_does_not_say_otherwise)
{
	BUILD(build);
	struct spec_process own = container_process(&build);

	build.spec->process = &own;
	build.request.process_json = PROCESS;
	build.request.process_length = strlen(PROCESS);
	good(&build);
	cr_expect_eq(build.process.capabilities, own.capabilities);
	cr_expect_eq(build.process.rlimits, own.rlimits);
	cr_expect_eq(build.process.n_rlimits, 1);
	cr_expect_eq(build.process.scheduler, own.scheduler);
	cr_expect_eq(build.process.io_priority, own.io_priority);
	cr_expect_eq(build.process.exec_cpu_affinity, own.exec_cpu_affinity);
	cr_expect_str_eq(build.process.apparmor_profile, "own-profile");
	cr_expect_str_eq(build.process.selinux_label, "own:label");
	cr_expect_eq(build.process.oom_score_adj.value, 100);
	cr_expect_eq(build.process.user.umask.value, 077);
}

Test(exec_process, what_a_file_says_is_not_the_containers)
{
	static const char text[] =
		"{\"user\":{\"uid\":1,\"gid\":1,\"umask\":18},\"args\":[\"filed\"],\"cwd\":\"/\",\"capabilities\":{},"
		"\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":0}],\"apparmorProfile\":\"p\","
		"\"selinuxLabel\":\"l\",\"oomScoreAdj\":0,\"scheduler\":{\"policy\":\"SCHED_BATCH\"},"
		"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":7},\"execCPUAffinity\":{\"final\":\"1\"}}";
	BUILD(build);
	struct spec_process own = container_process(&build);

	build.spec->process = &own;
	build.request.process_json = text;
	build.request.process_length = strlen(text);
	good(&build);
	cr_assert_not_null(build.process.capabilities);
	cr_expect_eq(build.process.capabilities->n_bounding, 0);
	cr_expect_eq(build.process.rlimits[0].hard, 0);
	cr_expect_eq(build.process.scheduler->nice, 0);
	cr_expect_eq(build.process.io_priority->priority, 7);
	cr_expect_str_eq(build.process.exec_cpu_affinity->final, "1");
	cr_expect_str_eq(build.process.apparmor_profile, "p");
	cr_expect_str_eq(build.process.selinux_label, "l");
	cr_expect_eq(build.process.oom_score_adj.value, 0);
	cr_expect_eq(build.process.user.umask.value, 022);
}

Test(exec_process, files_that_are_refused)
{
	SCRATCH(scratch);
	BUILD(build);

	scratch_file(&scratch, "broken", "{", 0600);
	scratch_file(&scratch, "empty", "", 0600);
	scratch_file(&scratch, "wrong", "{\"user\":{\"uid\":-1,\"gid\":0},\"args\":[\"x\"],\"cwd\":\"/\"}", 0600);
	scratch_directory(&scratch, "directory");
	from_file(&build, &scratch, "broken");
	cr_expect_eq(build.rc, -EINVAL);
	from_file(&build, &scratch, "empty");
	cr_expect_lt(build.rc, 0);
	from_file(&build, &scratch, "wrong");
	cr_expect_eq(build.rc, -EINVAL);
	cr_expect_not_null(strstr(build.err.message, "user.uid"), "%s", build.err.message);
	from_file(&build, &scratch, "directory");
	cr_expect_lt(build.rc, 0);
	from_file(&build, &scratch, "none");
	cr_expect_eq(build.rc, -ENOENT);
	cr_expect_not_null(strstr(build.err.message, "--process"), "%s", build.err.message);
}
