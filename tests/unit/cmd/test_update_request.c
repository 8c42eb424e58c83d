#include <criterion/criterion.h>
#include <string.h>

#include "base/arena.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/options.h"
#include "cmd/brig/update_request.h"

static void expect_json(const char *const *args, size_t wanted_n, const char *wanted)
{
	struct arena *arena = arena_new(1 << 16);
	struct update_request request;
	struct buffer json = { 0 };
	struct error err = { 0 };

	cr_assert_eq(options_parse(&cmd_update, args, arena, &request, &err), 0, "%s", err.message);
	cr_expect_eq(update_request_format(&request, &json), wanted_n);
	cr_expect_str_eq(json.data, wanted);
	buffer_done(&json);
	arena_free(arena);
}

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

Test(update, without_options_changes_nothing)
{
	expect_json(ARGS("c1"), 0, "{}");
}

Test(update, says_only_what_was_given)
{
	expect_json(ARGS("--memory", "512m", "c1"), 1, "{\"memory\":{\"limit\":536870912}}");
	expect_json(ARGS("--pids-limit=0", "c1"), 1, "{\"pids\":{\"limit\":0}}");
	expect_json(ARGS("--cpu-idle", "0", "c1"), 1, "{\"cpu\":{\"idle\":0}}");
	expect_json(ARGS("--memory-swap", "-1", "--cpuset-cpus", "0-1,\"x", "c1"), 2,
		    "{\"memory\":{\"swap\":-1},\"cpu\":{\"cpus\":\"0-1,\\\"x\"}}");
}

Test(update, knows_every_limit)
{
	expect_json(ARGS("--memory=1", "--memory-reservation=2", "--memory-swap=3", "--cpu-share=4", "--cpu-quota=5",
			 "--cpu-burst=6", "--cpu-period=7", "--cpu-rt-runtime=8", "--cpu-rt-period=9", "--cpuset-cpus=a",
			 "--cpuset-mems=b", "--cpu-idle=1", "--pids-limit=10", "--blkio-weight=11", "c1"),
		    14,
		    "{\"memory\":{\"limit\":1,\"reservation\":2,\"swap\":3},\"cpu\":{\"shares\":4,\"quota\":5,\"burst\":6,"
		    "\"period\":7,\"realtimeRuntime\":8,\"realtimePeriod\":9,\"cpus\":\"a\",\"mems\":\"b\",\"idle\":1},"
		    "\"pids\":{\"limit\":10},\"blockIO\":{\"weight\":11}}");
}

Test(update, kernel_memory_is_accepted_and_has_no_effect)
{
	expect_json(ARGS("--kernel-memory=5", "--kernel-memory-tcp", "5", "c1"), 0, "{}");
}
