#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "child/hooks.h"
#include "tests/support/scratch.h"

static const struct plan_pair annotation = { "key", "va\"lue" };
static const char *const no_environment[] = { NULL };

/* One or two hooks, each a script that a shell runs with $1 for the scratch directory. */
struct set {
	const char *argv[2][6];
	struct plan_hook hooks[2];
	struct plan plan;
	struct error err;
};

static void set_init(struct set *set, const struct scratch *scratch, const char *first, const char *second)
{
	const char *const scripts[] = { first, second };

	*set = (struct set){ .plan = { .id = "box",
				       .bundle = "/bundle",
				       .oci_version = "1.3.0",
				       .annotations = &annotation,
				       .n_annotations = 1 } };
	for (size_t i = 0; i < 2; i++) {
		const char *argv[] = { "hook", "-c", scripts[i], "hook", scratch->path, NULL };

		memcpy(set->argv[i], argv, sizeof(argv));
		set->hooks[i] = (struct plan_hook){
			.path = "/bin/sh", .argv = set->argv[i], .envp = no_environment, .where = "hooks.poststart[0]"
		};
	}
	set->hooks[1].where = "hooks.poststart[1]";
	set->plan.hooks[PLAN_HOOK_POSTSTART] = (struct plan_hooks){ set->hooks, second ? 2 : 1 };
}

static int run(struct set *set)
{
	return hooks_run(&set->plan, PLAN_HOOK_POSTSTART, 42, "running", &set->err);
}

static void expect_file(const struct scratch *scratch, const char *name, const char *wanted)
{
	char text[4096];

	cr_expect_str_eq(scratch_text(scratch, name, text, sizeof(text)), wanted);
}

Test(hooks, none_is_nothing_to_do)
{
	struct plan plan = { 0 };

	cr_assert_eq(hooks_run(&plan, PLAN_HOOK_PRESTART, 1, "creating", NULL), 0);
}

Test(hooks, run_in_order_with_their_arguments)
{
	SCRATCH(scratch);
	struct set set;

	set_init(&set, &scratch, "echo first $0 >> $1/out", "echo second >> $1/out");
	cr_assert_eq(run(&set), 0, "%s", set.err.message);
	expect_file(&scratch, "out", "first hook\nsecond\n");
}

Test(hooks, environment_is_the_hooks_own_and_nothing_else)
{
	static const char *const environment[] = { "ONE=1", "TWO=two words", NULL };
	SCRATCH(scratch);
	struct set set;

	setenv("SECRET_OF_OURS", "leaks", 1);
	/* A shell adds PWD and the like: what the kernel was given stands in /proc. */
	set_init(&set, &scratch, "/usr/bin/tr '\\0' '\\n' < /proc/$$/environ > $1/out", NULL);
	set.hooks[0].envp = environment;
	cr_assert_eq(run(&set), 0, "%s", set.err.message);
	expect_file(&scratch, "out", "ONE=1\nTWO=two words\n");
	set.hooks[0].envp = no_environment;
	cr_assert_eq(run(&set), 0, "%s", set.err.message);
	expect_file(&scratch, "out", "");
}

struct hook_state {
	const char *version, *id, *status, *bundle;
	int pid;
	const struct json_pair *annotations;
	size_t n_annotations;
};

static const struct json_field state_fields[] = {
	{ "ociVersion", &json_string, offsetof(struct hook_state, version), JSON_REQUIRED },
	{ "id", &json_string, offsetof(struct hook_state, id), JSON_REQUIRED },
	{ "status", &json_string, offsetof(struct hook_state, status), JSON_REQUIRED },
	{ "bundle", &json_string, offsetof(struct hook_state, bundle), JSON_REQUIRED },
	{ "pid", &json_int, offsetof(struct hook_state, pid), JSON_REQUIRED },
	{ "annotations", &json_pairs, JSON_COUNTED(struct hook_state, annotations), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type state_type = JSON_OBJECT_OF(struct hook_state, state_fields);

Test(hooks, each_gets_the_state_on_stdin)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 16);
	struct hook_state state = { 0 };
	SCRATCH(scratch);
	struct set set;
	char text[1024], again[1024];
	struct json_input input;

	set_init(&set, &scratch, "cat > $1/first", "cat > $1/second");
	cr_assert_eq(run(&set), 0, "%s", set.err.message);
	scratch_text(&scratch, "first", text, sizeof(text));
	cr_expect_str_eq(scratch_text(&scratch, "second", again, sizeof(again)), text,
			 "the second reads it from its start");
	input = (struct json_input){ .text = text, .length = strlen(text) };
	cr_assert_eq(json_decode(&input, &state_type, &state, arena, &set.err), 0, "%s", set.err.message);
	cr_expect_str_eq(state.version, "1.3.0");
	cr_expect_str_eq(state.id, "box");
	cr_expect_str_eq(state.status, "running");
	cr_expect_str_eq(state.bundle, "/bundle");
	cr_expect_eq(state.pid, 42);
	cr_assert_eq(state.n_annotations, 1);
	cr_expect_str_eq(state.annotations[0].value, "va\"lue");
}

Test(hooks, inherit_no_descriptor_and_no_blocked_signal)
{
	SCRATCH(scratch);
	struct set set;
	char text[4096];
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	cr_assert_geq(fcntl(open("/etc/passwd", O_RDONLY), F_DUPFD, 50), 50); /* without close-on-exec */
	set_init(&set, &scratch, "ls /proc/$$/fd > $1/fds; grep SigBlk /proc/self/status > $1/blocked", NULL);
	cr_assert_eq(run(&set), 0, "%s", set.err.message);
	scratch_text(&scratch, "fds", text, sizeof(text));
	cr_expect_null(strstr(text, "50"), "%s", text);
	expect_file(&scratch, "blocked", "SigBlk:\t0000000000000000\n");
}

Test(hooks, failure_stops_and_tells_status_and_output)
{
	SCRATCH(scratch);
	struct set set;

	set_init(&set, &scratch, "echo to stdout; echo to stderr >&2; exit 7", "touch $1/ran");
	cr_assert_lt(run(&set), 0);
	cr_expect_not_null(strstr(set.err.message, "hooks.poststart[0]"), "%s", set.err.message);
	cr_expect_not_null(strstr(set.err.message, "/bin/sh"), "%s", set.err.message);
	cr_expect_not_null(strstr(set.err.message, "status 7"), "%s", set.err.message);
	cr_expect_not_null(strstr(set.err.message, "to stdout\nto stderr"), "%s", set.err.message);
	cr_expect_not(scratch_has(&scratch, "ran"), "the next one must not run");
}

Test(hooks, second_one_is_named_when_it_fails)
{
	SCRATCH(scratch);
	struct set set;

	set_init(&set, &scratch, "exit 0", "exit 1");
	cr_assert_lt(run(&set), 0);
	cr_expect_not_null(strstr(set.err.message, "hooks.poststart[1]"), "%s", set.err.message);
}

Test(hooks, killed_by_a_signal)
{
	SCRATCH(scratch);
	struct set set;

	set_init(&set, &scratch, "kill -TERM $$", NULL);
	cr_assert_lt(run(&set), 0);
	cr_expect_not_null(strstr(set.err.message, "signal 15"), "%s", set.err.message);
}

Test(hooks, that_cannot_be_executed)
{
	SCRATCH(scratch);
	struct set set;

	set_init(&set, &scratch, "", NULL);
	set.hooks[0].path = "/nonexistent/hook";
	cr_assert_lt(run(&set), 0);
	cr_expect_not_null(strstr(set.err.message, "/nonexistent/hook"), "%s", set.err.message);
	cr_expect_not_null(strstr(set.err.message, "No such file"), "%s", set.err.message);
}

Test(hooks, keeps_the_end_of_much_output)
{
	SCRATCH(scratch);
	struct set set;

	set_init(&set, &scratch, "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo THE END; exit 1",
		 NULL);
	cr_assert_lt(run(&set), 0);
	cr_expect_not_null(strstr(set.err.message, "line 19999\nTHE END"), "%s", set.err.message);
	cr_expect_null(strstr(set.err.message, "line 0\n"));
}

static double seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + 1e-9 * (double)(now.tv_nsec - then->tv_nsec);
}

static bool is_gone(const struct scratch *scratch, const char *pid_file)
{
	char text[32];
	pid_t pid = atoi(scratch_text(scratch, pid_file, text, sizeof(text)));

	for (unsigned i = 0; i < 1000 && kill(pid, 0) == 0; i++)
		usleep(20000);
	return kill(pid, 0) < 0;
}

Test(hooks, time_out_kills_it_with_what_it_started)
{
	SCRATCH(scratch);
	struct timespec then;
	struct set set;

	set_init(&set, &scratch, "sleep 1000 & echo $! > $1/pid; wait", "touch $1/ran");
	set.hooks[0].timeout = 1;
	clock_gettime(CLOCK_MONOTONIC, &then);
	cr_assert_eq(run(&set), -ETIMEDOUT);
	cr_expect_eq(set.err.kind, ERROR_TIMEOUT);
	cr_expect_not_null(strstr(set.err.message, "1 seconds"), "%s", set.err.message);
	cr_expect_geq(seconds_since(&then), 0.9);
	cr_expect_lt(seconds_since(&then), 100);
	cr_expect(is_gone(&scratch, "pid"), "what it started runs on");
	cr_expect_not(scratch_has(&scratch, "ran"));
}

Test(hooks, time_out_holds_for_one_that_writes_all_the_time)
{
	SCRATCH(scratch);
	struct set set;

	set_init(&set, &scratch, "while :; do echo x; done", NULL);
	set.hooks[0].timeout = 1;
	cr_assert_eq(run(&set), -ETIMEDOUT);
}

Test(hooks, longest_time_out_is_no_time_out)
{
	SCRATCH(scratch);
	struct set set;

	set_init(&set, &scratch, "sleep 0.1", NULL);
	set.hooks[0].timeout = 2147483647;
	cr_assert_eq(run(&set), 0, "%s", set.err.message);
}

/* Daemons that a hook starts often keep its output open. */
Test(hooks, what_it_leaves_behind_is_not_waited_for)
{
	SCRATCH(scratch);
	struct timespec then;
	struct set set;

	set_init(&set, &scratch, "sleep 100 & echo $! > $1/pid; exit 0", "kill $(cat $1/pid)");
	clock_gettime(CLOCK_MONOTONIC, &then);
	cr_assert_eq(run(&set), 0, "%s", set.err.message);
	cr_expect_lt(seconds_since(&then), 90);
}

Test(hooks, what_it_leaves_behind_may_write_forever)
{
	SCRATCH(scratch);
	struct set set;

	/* It ends by SIGPIPE once nobody reads. */
	set_init(&set, &scratch, "(trap - PIPE; while :; do echo x; done) & exit 0", NULL);
	cr_assert_eq(run(&set), 0, "%s", set.err.message);
}

Test(hooks, leave_no_process_and_no_descriptor)
{
	SCRATCH(scratch);
	struct set set;
	size_t before = scratch_count_fds();

	set_init(&set, &scratch, "exit 0", "exit 1");
	cr_assert_lt(run(&set), 0);
	set.hooks[0].path = "/nonexistent/hook";
	cr_assert_lt(run(&set), 0);
	cr_expect_eq(scratch_count_fds(), before);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_expect_eq(errno, ECHILD);
}
