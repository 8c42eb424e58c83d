#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/options.h"
#include "cmd/brig/sandbox_options.h"

static struct arena *arena;

static void setup(void)
{
	arena = arena_new((size_t)1024 * 1024);
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(sandbox_options, .init = setup, .fini = teardown);

static int parse(const char *const *words, struct sandbox_request *ret, struct error *err)
{
	static struct sandbox_options options;
	int rc = options_parse(&cmd_sandbox, words, arena, &options, err);

	return rc < 0 ? rc : sandbox_options_request(&options, arena, ret, err);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

Test(sandbox_options, has_defaults)
{
	struct sandbox_request request = { 0 };
	struct error err = { 0 };

	cr_assert_eq(parse(WORDS("--", "true", "--json"), &request, &err), 0, "%s", err.message);
	cr_expect_str_eq(request.argv[0], "true");
	cr_expect_str_eq(request.argv[1], "--json", "what follows belongs to the program");
	cr_expect_not(request.keeps_output);
	cr_expect_eq(request.limits.timeout, UINT64_C(30000000000));
	cr_expect_eq(request.limits.cpu_time, 0);
	cr_expect_eq(request.limits.memory, UINT64_C(512) * 1024 * 1024);
	cr_expect_eq(request.limits.cpus, 1000);
	cr_expect_eq(request.limits.pids, 256);
	cr_expect_eq(request.limits.max_output, UINT64_C(1024) * 1024);
}

Test(sandbox_options, takes_limits)
{
	struct sandbox_request request = { 0 };
	struct error err = { 0 };

	cr_assert_eq(parse(WORDS("--timeout", "2s", "--memory", "64m", "--cpus", "0.5", "--pids", "7", "--max-output",
				 "3k", "--cpu-time", "1500ms", "true"),
			   &request, &err),
		     0, "%s", err.message);
	cr_expect_eq(request.limits.timeout, UINT64_C(2000000000));
	cr_expect_eq(request.limits.cpu_time, UINT64_C(1500000000));
	cr_expect_eq(request.limits.memory, UINT64_C(64) * 1024 * 1024);
	cr_expect_eq(request.limits.cpus, 500);
	cr_expect_eq(request.limits.pids, 7);
	cr_expect_eq(request.limits.max_output, 3072);
}

/* To the nanosecond: what is cut off could be all of it, and none is no limit. */
Test(sandbox_options, takes_times_as_they_are)
{
	struct sandbox_request request = { 0 };
	struct error err = { 0 };

	cr_assert_eq(parse(WORDS("--timeout", "1ms", "--cpu-time", "1.0000015s", "true"), &request, &err), 0, "%s",
		     err.message);
	cr_expect_eq(request.limits.timeout, UINT64_C(1000000));
	cr_expect_eq(request.limits.cpu_time, UINT64_C(1000001500));
	cr_assert_eq(parse(WORDS("--timeout", "168h", "true"), &request, &err), 0, "%s", err.message);
	cr_expect_eq(request.limits.timeout, UINT64_C(168) * 3600 * 1000000000);
}

Test(sandbox_options, takes_places)
{
	struct sandbox_request request = { 0 };
	struct error err = { 0 };

	cr_assert_eq(parse(WORDS("--bind-ro", "/a:/b/../c", "--bind-rw", "/d", "--file", "x/y=/z", "--collect", "o=/p",
				 "--oci", "/images/a:b:tag", "true"),
			   &request, &err),
		     0, "%s", err.message);
	cr_assert_eq(request.n_binds, 2);
	cr_expect_str_eq(request.binds[0].destination, "/d");
	cr_expect(request.binds[0].writable);
	cr_expect_str_eq(request.binds[1].source, "/a");
	cr_expect_str_eq(request.binds[1].destination, "/c");
	cr_expect_not(request.binds[1].writable);
	cr_expect_str_eq(request.files[0].name, "x/y");
	cr_expect_str_eq(request.files[0].path, "/z");
	cr_expect_str_eq(request.collects[0].path, "/p");
	cr_expect_str_eq(request.oci, "/images/a:b");
	cr_expect_str_eq(request.oci_tag, "tag");
}

Test(sandbox_options, mounts_binds_in_binds_after_these)
{
	static const char *const wanted[] = { "/out", "/in", "/in/out", "/out/in", "/in/out/x" };
	struct sandbox_request request = { 0 };
	struct error err = { 0 };

	cr_assert_eq(parse(WORDS("--bind-ro", "/a:/out/in", "--bind-ro", "/b:/in", "--bind-rw", "/c:/in//out/x",
				 "--bind-rw", "/d:/out", "--bind-rw", "/e:/in/out/", "true"),
			   &request, &err),
		     0, "%s", err.message);
	cr_assert_eq(request.n_binds, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		cr_expect_str_eq(request.binds[i].destination, wanted[i]);
}

Test(sandbox_options, refuses_two_binds_of_one_place)
{
	struct sandbox_request request = { 0 };
	struct error err = { 0 };

	cr_assert_eq(parse(WORDS("--bind-ro", "/a:/x/y", "--bind-rw", "/b:/x/./y/", "true"), &request, &err), -EINVAL);
	cr_expect_eq(err.kind, ERROR_USAGE);
	cr_expect_str_eq(err.message, "options --bind-rw /b:/x/y and --bind-ro /a:/x/y: one of them would hide the other; "
				      "give each a DST of its own");
	cr_expect_eq(parse(WORDS("--bind-ro", "/a:/x", "--bind-ro", "/a:/x", "true"), &request, &err), -EINVAL);
}

Test(sandbox_options, takes_names_as_the_program_sees_them)
{
	struct sandbox_request request = { 0 };
	struct error err = { 0 };

	cr_assert_eq(parse(WORDS("--file", "./a=/z", "--file", "/work/b/c=./z", "--collect", "./d=e", "true"), &request,
			   &err),
		     0, "%s", err.message);
	cr_expect_str_eq(request.files[0].name, "a");
	cr_expect_str_eq(request.files[1].name, "b/c");
	cr_expect_str_eq(request.files[1].path, "./z");
	cr_expect_str_eq(request.collects[0].name, "d");
}

Test(sandbox_options, takes_a_policy)
{
	struct sandbox_options options;
	struct error err = { 0 };

	cr_assert_eq(options_parse(&cmd_sandbox, WORDS("true"), arena, &options, &err), 0, "%s", err.message);
	cr_expect_null(options.policy, "the global option's holds");
	cr_assert_eq(options_parse(&cmd_sandbox, WORDS("--policy", "/a.json", "true"), arena, &options, &err), 0, "%s",
		     err.message);
	cr_expect_str_eq(options.policy, "/a.json");
}

/* Each is named in its message. */
Test(sandbox_options, refuses_what_makes_no_sense)
{
	static const struct {
		const char *option, *value;
	} bad[] = {
		{ "--timeout", "0" },
		{ "--timeout", "soon" },
		{ "--timeout", "-1s" },
		{ "--timeout", "9999h" },
		{ "--memory", "1" },
		{ "--memory", "-1" },
		{ "--memory", "lots" },
		{ "--memory", "9999999t" },
		{ "--cpus", "0" },
		{ "--cpus", "0.001" },
		{ "--cpus", "1.2345" },
		{ "--cpus", "1." },
		{ "--cpus", "-1" },
		{ "--cpus", "one" },
		{ "--cpus", "99999" },
		{ "--cpus", "8192.001" },
		{ "--cpus", "." },
		{ "--cpus", ".0050" },
		{ "--cpus", "..5" },
		{ "--pids", "0" },
		{ "--pids", "-1" },
		{ "--pids", "5000000" },
		{ "--max-output", "0" },
		{ "--max-output", "-1" },
		{ "--max-output", "2g" },
		{ "--timeout", "999us" },
		{ "--timeout", "168h1ns" },
		{ "--timeout", "99999999999h" },
		{ "--cpu-time", "x" },
		{ "--cpu-time", "0" },
		{ "--cpu-time", "0s" },
		{ "--cpu-time", "999999ns" },
		{ "--cpu-time", "169h" },
		{ "--bind-ro", "a:/b" },
		{ "--bind-ro", "/a:b" },
		{ "--bind-rw", "/a:/" },
		{ "--bind-rw", "/a:/b:c" },
		{ "--file", "x" },
		{ "--bind-ro", "/a:/work" },
		{ "--bind-rw", "/a:/x/../work/" },
		{ "--bind-rw", "/a:/work/b" },
		{ "--bind-rw", "/work" },
		{ "--file", "x=" },
		{ "--file", "../x=/y" },
		{ "--file", "/x=/y" },
		{ "--file", "./../x=/y" },
		{ "--file", "/work/../x=/y" },
		{ "--file", "/works/x=/y" },
		{ "--file", "/work/=/y" },
		{ "--file", "=/y" },
		{ "--collect", "x" },
		{ "--collect", "../x=/y" },
		{ "--env", "" },
		{ "--env", "=x" },
		{ "--cwd", "relative" },
		{ "--rootfs", "" },
		{ "--stdin", "" },
		{ "--policy", "" },
		{ "--oci", ":tag" },
		{ "--oci", "layout:" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sandbox_request request = { .name = "untouched" };
		struct error err = { 0 };

		cr_expect_eq(parse(WORDS(bad[i].option, bad[i].value, "true"), &request, &err), -EINVAL,
			     "%s %s is taken", bad[i].option, bad[i].value);
		cr_expect_eq(err.kind, ERROR_USAGE, "%s", err.message);
		cr_expect_not_null(strstr(err.message, bad[i].option), "%s: %s", bad[i].option, err.message);
		cr_expect_str_eq(request.name, "untouched");
	}
}

Test(sandbox_options, wants_a_program)
{
	struct sandbox_request request = { 0 };
	struct error err = { 0 };

	cr_expect_eq(parse(WORDS("--json"), &request, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "PROGRAM is missing"), "%s", err.message);
	cr_expect_eq(parse(WORDS("--", ""), &request, &err), -EINVAL);
	cr_expect_eq(parse(WORDS("--oci", "a", "--rootfs", "/b", "true"), &request, &err), -EINVAL);
	cr_expect_eq(parse(WORDS("--oci", "a"), &request, &err), 0, "the image has one: %s", err.message);
}

Test(sandbox_options, looks_at_cwd_without_a_program_as_well)
{
	static const char *const bad[] = { "relative", "" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sandbox_request request = { 0 };
		struct error err = { 0 };

		cr_expect_eq(parse(WORDS("--oci", "a", "--cwd", bad[i]), &request, &err), -EINVAL, "\"%s\"", bad[i]);
		cr_expect_not_null(strstr(err.message, "option --cwd: "), "%s", err.message);
	}
}

Test(sandbox_options, cpus_as_docker_takes_them_and_the_bounds_named)
{
	static const struct {
		const char *text;
		uint64_t thousandths;
	} good[] = { { ".5", 500 }, { ".125", 125 }, { "8192", 8192000 }, { "8192.000", 8192000 }, { "0.01", 10 } };
	static const char *const bad[] = { "8193", "1.2345" };
	struct sandbox_request request = { 0 };
	struct error err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cr_expect_eq(parse(WORDS("--cpus", good[i].text, "true"), &request, &err), 0, "%s", err.message);
		cr_expect_eq(request.limits.cpus, good[i].thousandths, "%s", good[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_expect_eq(parse(WORDS("--cpus", bad[i], "true"), &request, &err), -EINVAL, "%s", bad[i]);
		cr_expect_not_null(strstr(err.message, "from 0.01 to 8192, with three decimals at most"), "%s",
				   err.message);
	}
}

Test(sandbox_options, collects_into_the_result_with_json)
{
	struct sandbox_request request = { 0 };
	struct error err = { 0 };

	cr_assert_eq(parse(WORDS("--json", "--collect", "out", "true"), &request, &err), 0, "%s", err.message);
	cr_expect(request.keeps_output);
	cr_expect_null(request.collects[0].path);
}
