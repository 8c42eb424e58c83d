#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "child/interpreter.h"
#include "child/steps.h"
#include "tests/support/scratch.h"

struct search {
	const char *argv[2], *envp[3];
	char path[512];
	struct plan plan;
	struct child child;
	struct error err;
	int rc;
};

/* Looks for name with that PATH; NULL: none in the environment. */
static void look(struct search *search, const char *name, const char *path)
{
	*search = (struct search){ .argv = { name }, .plan = { .has_process = true } };
	if (path) {
		snprintf(search->path, sizeof(search->path), "PATH=%s", path);
		search->envp[0] = "PATHX=/nonexistent";
		search->envp[1] = search->path;
	}
	search->plan.process.argv = search->argv;
	search->plan.process.envp = search->envp;
	search->child.plan = &search->plan;
	search->rc = program_find(&search->child, &search->err);
}

static void expect_found(const char *name, const char *path, const char *wanted)
{
	struct search search;

	look(&search, name, path);
	cr_assert_eq(search.rc, 0, "%s in %s: %s", name, path ?: "(none)", search.err.message);
	cr_expect_str_eq(search.child.program, wanted);
	free(search.child.program);
}

static void expect_refused(const char *name, const char *path, int code, const char *words)
{
	struct search search;

	look(&search, name, path);
	cr_expect_eq(search.rc, -code, "%s in %s: %d", name, path ?: "(none)", search.rc);
	cr_expect_eq(search.err.kind, ERROR_PROGRAM);
	cr_expect_not_null(strstr(search.err.message, words), "%s", search.err.message);
	cr_expect_null(search.child.program);
}

/* one/, two/: directories of the search path. */
static void fill(const struct scratch *scratch)
{
	umask(0);
	scratch_directory(scratch, "one");
	scratch_directory(scratch, "two");
	scratch_file(scratch, "one/prog", "", 0755);
	scratch_file(scratch, "two/prog", "", 0755);
	scratch_file(scratch, "two/only", "", 0711);
	scratch_file(scratch, "one/text", "", 0644);
	scratch_file(scratch, "two/text", "", 0755);
	scratch_file(scratch, "one/unusable", "", 0644);
	scratch_directory(scratch, "one/directory");
	cr_assert_eq(fchdir(scratch->fd), 0);
}

Test(program, found_in_the_path)
{
	SCRATCH(scratch);
	char path[512], wanted[512];

	fill(&scratch);
	snprintf(path, sizeof(path), "%s/one:%s/two", scratch.path, scratch.path);
	snprintf(wanted, sizeof(wanted), "%s/one/prog", scratch.path);
	expect_found("prog", path, wanted);
	snprintf(wanted, sizeof(wanted), "%s/two/only", scratch.path);
	expect_found("only", path, wanted);
	snprintf(wanted, sizeof(wanted), "%s/two/text", scratch.path);
	expect_found("text", path, wanted);
}

Test(program, not_found_in_the_path)
{
	SCRATCH(scratch);
	char path[512];

	fill(&scratch);
	snprintf(path, sizeof(path), "/nonexistent:%s/one:%s/one/prog", scratch.path, scratch.path);
	expect_refused("nosuch", path, ENOENT, "exec: \"nosuch\": executable file not found in $PATH");
	expect_refused("unusable", path, EACCES, "permission denied");
	expect_refused("directory", path, EACCES, "permission denied");
	expect_refused("", path, ENOENT, "executable file not found in $PATH");
	expect_refused("prog", "", ENOENT, "executable file not found in $PATH");
	expect_refused("prog", ":::", ENOENT, "executable file not found in $PATH");
}

/* The search happens before the change to the working directory: what lies here is not what lies there. */
Test(program, relative_elements_of_the_path_are_passed_over)
{
	SCRATCH(scratch);
	char path[512], wanted[512];

	fill(&scratch);
	expect_refused("prog", "one:two:.:", ENOENT, "not found");
	snprintf(path, sizeof(path), "one:%s/two", scratch.path);
	snprintf(wanted, sizeof(wanted), "%s/two/prog", scratch.path);
	expect_found("prog", path, wanted);
}

Test(program, default_path)
{
	expect_refused("brig-has-no-such-program", NULL, ENOENT, "not found");
	if (access("/bin/sh", X_OK) == 0)
		expect_found("sh", NULL, access("/usr/bin/sh", X_OK) == 0 ? "/usr/bin/sh" : "/bin/sh");
}

Test(program, by_path)
{
	SCRATCH(scratch);
	char path[512];

	fill(&scratch);
	snprintf(path, sizeof(path), "%s/one/prog", scratch.path);
	expect_found(path, NULL, path);
	snprintf(path, sizeof(path), "%s/one/text", scratch.path);
	expect_refused(path, NULL, EACCES, "permission denied");
	snprintf(path, sizeof(path), "%s/one/prog/x", scratch.path);
	expect_refused(path, NULL, ENOTDIR, "not a directory");
	snprintf(path, sizeof(path), "%s/one", scratch.path);
	expect_refused(path, NULL, EISDIR, "is a directory: permission denied");
	expect_refused("/nonexistent", NULL, ENOENT, "no such file or directory");
	expect_found("relative/to/the/working/directory", NULL, "relative/to/the/working/directory");
}

/* By execve(2) itself, which fails for all of these. */
static void expect_not_executed(const char *path, int code, const char *words)
{
	const char *argv[] = { "./it", NULL }, *envp[] = { NULL };
	struct plan plan = { .has_process = true, .process = { .argv = argv, .envp = envp } };
	struct child child = { .plan = &plan, .program = (char *)path, .environment = envp };
	struct error err = { 0 };

	cr_expect_eq(program_execute(&child, &err), -code, "%s: %s", path, err.message);
	cr_expect_eq(err.kind, ERROR_PROGRAM);
	cr_expect_str_eq(err.message, words, "%s: %s", path, err.message);
}

Test(program, what_a_script_is_run_by_is_named_where_it_is_missing)
{
	static const struct {
		const char *text, *missing;
	} scripts[] = {
		{ "#!/brig-has-none\n", "the interpreter \"/brig-has-none\" that its first line names" },
		{ "#! \t/brig-has-none -x\n", "the interpreter \"/brig-has-none\" that its first line names" },
		{ "#!/brig-has-none", "the interpreter \"/brig-has-none\" that its first line names" },
		{ "#!/brig\33[2J\n", "the interpreter that its first line names" },
		{ "#!/brig\377\n", "the interpreter that its first line names" },
	};
	SCRATCH(scratch);
	char words[256];

	umask(0);
	cr_assert_eq(fchdir(scratch.fd), 0);
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		scratch_file(&scratch, "script", scripts[i].text, 0755);
		snprintf(words, sizeof(words), "exec: \"./it\": %s does not exist: no such file or directory",
			 scripts[i].missing);
		expect_not_executed("script", ENOENT, words);
		cr_assert_eq(unlink("script"), 0);
	}
	scratch_file(&scratch, "dos", "#!/bin/sh\r\necho\r\n", 0755);
	expect_not_executed(
		"dos", ENOENT,
		"exec: \"./it\": the interpreter \"/bin/sh\\r\" that its first line names does not exist (the "
		"line ends in a carriage return: save the file with line feeds alone): no such file or directory");
	scratch_file(&scratch, "first", "#!/brig-has-none\n", 0755);
	snprintf(words, sizeof(words), "#!%s/first\n", scratch.path);
	scratch_file(&scratch, "second", words, 0755);
	snprintf(words, sizeof(words),
		 "exec: \"./it\": what the interpreter \"%s/first\" that its first line names is run by does not exist: no such "
		 "file or directory",
		 scratch.path);
	expect_not_executed("second", ENOENT, words);
}

Test(program, what_is_not_there_or_a_directory_is_said_to_be_that)
{
	SCRATCH(scratch);

	cr_assert_eq(fchdir(scratch.fd), 0);
	scratch_directory(&scratch, "directory");
	expect_not_executed("none", ENOENT,
			    "exec: \"./it\": executable file not found in $PATH: no such file or directory");
	expect_not_executed("directory", EISDIR, "exec: \"./it\": is a directory: permission denied");
}

/* The kernel reads so much, and no more is named. */
Test(program, a_first_line_has_its_bound)
{
	SCRATCH(scratch);
	char script[1024] = "#!/", text[INTERPRETER_TEXT_MAX];

	memset(script + 3, 'x', sizeof(script) - 4);
	scratch_file(&scratch, "script", script, 0755);
	cr_assert_eq(fchdir(scratch.fd), 0);
	cr_assert_not_null(interpreter_missing("script", text));
	cr_expect_lt(strlen(text), 330);
	cr_assert_eq(mkfifo("fifo", 0755), 0);
	cr_expect_str_eq(interpreter_missing("fifo", text), "its interpreter or loader does not exist");
	cr_expect_null(interpreter_missing("none", text));
}

/* Cut to what fits, it would be another program. */
Test(program, name_that_does_not_fit)
{
	static char name[2 * PATH_MAX];

	memset(name, '/', sizeof(name) - 1);
	memcpy(name + PATH_MAX - 8, "bin/sh/", 7);
	expect_refused(name, NULL, ENAMETOOLONG, "File name too long");
	name[0] = 'a';
	expect_refused(name, NULL, ENAMETOOLONG, "File name too long");
	memset(name, 'a', sizeof(name) - 1);
	expect_refused(name, "/bin", ENAMETOOLONG, "File name too long");
}

Test(program, container_without_a_process)
{
	struct plan plan = { 0 };
	struct child child = { .plan = &plan };

	cr_assert_eq(program_find(&child, NULL), 0);
	cr_assert_eq(program_make_environment(&child, NULL), 0);
	cr_assert_null(child.program);
	cr_assert_null(child.environment);
}

static size_t make_environment(struct child *child, const char *const *envp)
{
	static struct plan plan;
	struct error err = { 0 };
	size_t n = 0;

	plan = (struct plan){ .has_process = true, .process = { .envp = envp, .uid = 4242424 } };
	*child = (struct child){ .plan = &plan };
	cr_assert_eq(program_make_environment(child, &err), 0, "%s", err.message);
	while (child->environment[n])
		n++;
	return n;
}

Test(program, environment_gets_a_home)
{
	static const char *const envp[] = { "HOMER=x", "A=HOME=y", NULL };
	struct child child;

	cr_assert_eq(make_environment(&child, envp), 3);
	cr_expect_str_eq(child.environment[0], "HOMER=x");
	cr_expect_str_eq(child.environment[1], "A=HOME=y");
	cr_expect_str_eq(child.environment[2], "HOME=/");
	free((void *)child.environment[2]);
	free(child.environment);
}

Test(program, environment_keeps_its_home)
{
	static const char *const envp[] = { "HOME=/mine", NULL };
	struct child child;

	cr_assert_eq(make_environment(&child, envp), 1);
	cr_expect_str_eq(child.environment[0], "HOME=/mine");
	free(child.environment);
}
