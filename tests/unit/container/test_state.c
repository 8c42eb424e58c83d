#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "container/state.h"
#include "tests/support/scratch.h"

#define ARENA(name) AUTO(arena_free) struct arena *name = arena_new((size_t)32 << 20)

Test(state, comes_back_as_it_was_written)
{
	static const struct state_audit audit = { .path = "/log/a\nb",
						  .max_bytes = UINT64_MAX,
						  .keep = 7,
						  .syslog = true,
						  .journald = true,
						  .required = true,
						  .policy = "strict",
						  .policy_digest = "ab",
						  .plan_digest = "cd" };
	static const struct json_pair annotations[] = { { "", "empty" }, { "a\"b", "line\nbreak \xe2\x82\xac" } };
	static const char *const places[] = { "/", "/dev/shm" }, *const hooks[] = { "hooks.poststop[0]" };
	static const struct state_landlock landlock = { .places = places, .n_places = 2 };
	const struct state written = { .oci_version = "1.3.0",
				       .id = "box",
				       .bundle = "/b\\undle",
				       .rootfs = "/r",
				       .created = "2030-01-01T00:00:00.000000001Z",
				       .owner = "root",
				       .pid = 2147483647,
				       .pid_start_time = UINT64_MAX,
				       .cgroup_path = "a/b",
				       .cgroup_manager = 2,
				       .split_cgroup = true,
				       .user_namespace = true,
				       .late_work = true,
				       .listener_held = true,
				       .annotations = annotations,
				       .n_annotations = 2,
				       .ids_first = 100000,
				       .ids_size = 65536,
				       .added_namespaces = UINT64_C(0x10000000),
				       .policy = "{}",
				       .policy_name = "ours",
				       .hooks_left_out = hooks,
				       .n_hooks_left_out = 1,
				       .landlock = &landlock,
				       .audit = &audit };
	SCRATCH(scratch);
	ARENA(arena);
	struct error err = { 0 };
	struct state state;

	cr_assert_eq(state_write(scratch.fd, &written, &err), 0, "%s", err.message);
	cr_assert_eq(scratch_mode(&scratch, "state.json"), S_IFREG | 0600);
	cr_assert_eq(scratch_count(&scratch), 1);
	cr_assert_eq(state_read(scratch.fd, arena, &state, &err), 0, "%s", err.message);
	cr_expect_str_eq(state.oci_version, written.oci_version);
	cr_expect_str_eq(state.id, written.id);
	cr_expect_str_eq(state.bundle, written.bundle);
	cr_expect_str_eq(state.rootfs, written.rootfs);
	cr_expect_str_eq(state.created, written.created);
	cr_expect_str_eq(state.owner, written.owner);
	cr_expect_eq(state.pid, written.pid);
	cr_expect_eq(state.pid_start_time, written.pid_start_time);
	cr_expect_str_eq(state.cgroup_path, written.cgroup_path);
	cr_expect_eq(state.cgroup_manager, 2);
	cr_expect(state.split_cgroup && state.user_namespace && !state.pid_namespace && state.late_work);
	cr_expect(state.listener_held);
	cr_assert_not_null(state.audit);
	cr_expect_str_eq(state.audit->path, audit.path);
	cr_expect_eq(state.audit->max_bytes, UINT64_MAX);
	cr_expect_eq(state.audit->keep, 7);
	cr_expect(state.audit->syslog && state.audit->journald && state.audit->required && !state.audit->redact_args);
	cr_expect_str_eq(state.audit->policy, "strict");
	cr_expect_str_eq(state.audit->policy_digest, "ab");
	cr_expect_str_eq(state.audit->plan_digest, "cd");
	cr_assert_eq(state.n_annotations, 2);
	cr_expect_str_eq(state.annotations[0].name, "");
	cr_expect_str_eq(state.annotations[1].name, annotations[1].name);
	cr_expect_str_eq(state.annotations[1].value, annotations[1].value);
	cr_expect(state.ids_first == 100000 && state.ids_size == 65536 && state.added_namespaces == 0x10000000);
	cr_expect_str_eq(state.policy, "{}");
	cr_expect_str_eq(state.policy_name, "ours");
	cr_assert_eq(state.n_hooks_left_out, 1);
	cr_expect_str_eq(state.hooks_left_out[0], hooks[0]);
	cr_assert(state.landlock && state.landlock->n_places == 2);
	cr_expect_str_eq(state.landlock->places[1], places[1]);
}

#define FIELDS(pid, start, manager)                                                                                \
	"\"ociVersion\":\"1.3.0\",\"id\":\"x\",\"bundle\":\"/\",\"rootfs\":\"/\",\"created\":\"\",\"owner\":\"\"," \
	"\"pid\":" pid ",\"pidStartTime\":" start ",\"cgroupPath\":\"c\",\"cgroupManager\":" manager ","           \
	"\"userNamespace\":false,\"pidNamespace\":false,\"lateWork\":false"

Test(state, unknown_fields_of_a_later_version_are_passed_over)
{
	SCRATCH(scratch);
	ARENA(arena);
	struct error err = { 0 };
	struct state state;

	scratch_file(&scratch, "state.json", "{" FIELDS("1", "2", "0") ",\"new\":{\"a\":[1,null]}}", 0600);
	cr_assert_eq(state_read(scratch.fd, arena, &state, &err), 0, "%s", err.message);
	cr_expect_eq(state.pid, 1);
}

struct hostile {
	const char *text, *words;
};

Test(state, hostile_documents_are_refused)
{
	static const struct hostile list[] = {
		{ "", "state.json" },
		{ "{", "state.json" },
		{ "[]", "object" },
		{ "null", "state.json" },
		{ "{}", "state.json" },
		{ "{" FIELDS("1", "2", "0"), "state.json" },
		{ "{" FIELDS("1", "2", "0") "} x", "state.json" },
		{ "{" FIELDS("1", "2", "0") ",\"pid\":2}", "pid" },
		{ "{" FIELDS("2147483648", "2", "0") "}", "pid" },
		{ "{" FIELDS("\"1\"", "2", "0") "}", "pid" },
		{ "{" FIELDS("1.5", "2", "0") "}", "pid" },
		{ "{" FIELDS("null", "2", "0") "}", "pid" },
		{ "{" FIELDS("1", "-2", "0") "}", "pidStartTime" },
		{ "{" FIELDS("1", "18446744073709551616", "0") "}", "pidStartTime" },
		{ "{" FIELDS("1", "2", "3") "}", "cgroupManager" },
		{ "{" FIELDS("1", "2", "-1") "}", "cgroupManager" },
		{ "{" FIELDS("1", "2", "0") ",\"annotations\":[]}", "annotations" },
		{ "{" FIELDS("1", "2", "0") ",\"annotations\":{\"a\":1}}", "annotations" },
		{ "{\"id\":\"a\\u0000b\"}", "id" },
		{ "{\"id\":\"\xff\"}", "state.json" },
	};
	SCRATCH(scratch);
	ARENA(arena);

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct state state = { .pid = 77 };
		struct error err = { 0 };

		scratch_file(&scratch, "state.json", list[i].text, 0600);
		cr_expect_lt(state_read(scratch.fd, arena, &state, &err), 0, "%s was taken", list[i].text);
		cr_expect_not_null(strstr(err.message, list[i].words), "%s: %s", list[i].text, err.message);
		cr_expect_eq(state.pid, 77, "the output stays as it was");
	}
}

Test(state, what_is_no_file_is_not_read)
{
	SCRATCH(scratch);
	ARENA(arena);
	struct error err = { 0 };
	struct state state;

	cr_expect_eq(state_read(scratch.fd, arena, &state, &err), -ENOENT);
	cr_expect_eq(err.kind, ERROR_SYSTEM);
	cr_assert_eq(mkfifoat(scratch.fd, "state.json", 0600), 0);
	cr_expect_lt(state_read(scratch.fd, arena, &state, &err), 0, "and not waited for");
	cr_assert_eq(unlinkat(scratch.fd, "state.json", 0), 0);
	scratch_file(&scratch, "other", "{" FIELDS("1", "2", "0") "}", 0600);
	scratch_link(&scratch, "state.json", "other");
	cr_expect_eq(state_read(scratch.fd, arena, &state, &err), -ELOOP);
}

Test(state, huge_document_is_refused)
{
	SCRATCH(scratch);
	ARENA(arena);
	struct error err = { 0 };
	struct state state;
	int fd;

	scratch_file(&scratch, "state.json", "{", 0600);
	fd = openat(scratch.fd, "state.json", O_WRONLY | O_CLOEXEC);
	cr_assert_eq(ftruncate(fd, ((off_t)16 << 20) + 1), 0);
	close(fd);
	cr_expect_eq(state_read(scratch.fd, arena, &state, &err), -EFBIG);
}

/* ---- the process that it names ---- */

static pid_t start_sleeper(const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, name);
		for (;;)
			pause();
	}
	usleep(20000);
	return pid;
}

Test(state, process_is_known_by_number_and_start_time)
{
	/* The name is in the middle of what is parsed, and is the program's own choice. */
	static const char *const names[] = { "plain", ") R 1 2 3", "((())) Z", "a b\nc" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct state state = { .pid = start_sleeper(names[i]) };
		int pidfd;

		state.pid_start_time = state_process_start_time(state.pid);
		cr_assert_gt(state.pid_start_time, 0, "%s", names[i]);
		pidfd = state_open_process(&state);
		cr_assert_geq(pidfd, 0);
		cr_expect(fcntl(pidfd, F_GETFD) & FD_CLOEXEC);
		close(pidfd);
		cr_expect_not(state_process_is_ending(&state), "%s", names[i]);
		state.pid_start_time++;
		cr_expect_eq(state_open_process(&state), -ESRCH, "a later process with its number is another one");
		state.pid_start_time--;
		kill(state.pid, SIGKILL);
		waitid(P_PID, (id_t)state.pid, NULL, WEXITED | WNOWAIT);
		cr_expect_eq(state_process_start_time(state.pid), 0, "a zombie is gone");
		cr_expect(state_process_is_ending(&state));
		cr_expect_eq(state_open_process(&state), -ESRCH);
		waitpid(state.pid, NULL, 0);
		cr_expect_eq(state_open_process(&state), -ESRCH);
	}
}

Test(state, numbers_that_are_no_process)
{
	static const int pids[] = { 0, -1, -2147483647 - 1, 2147483647 };

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		const struct state state = { .pid = pids[i] };

		cr_expect_eq(state_open_process(&state), -ESRCH, "%d", pids[i]);
		cr_expect_eq(state_process_start_time(pids[i]), 0);
	}
}
