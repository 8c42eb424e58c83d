/* The text that Prometheus reads, and what shims take. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "container/metrics/exposition.h"
#include "container/metrics/shim_memory.h"
#include "tests/support/scratch.h"

#define VALUES(...) ((const char *const[EXPOSITION_LABELS]){ __VA_ARGS__ })

Test(exposition, labels_are_escaped)
{
	static const struct exposition_family family = { "x_total", "counter", { "a", "b" }, "What x does" };
	struct buffer text = { 0 };

	exposition_begin(&text, &family);
	exposition_sample(&text, &family, VALUES("q\"b\\n\n", NULL), UINT64_MAX);
	cr_expect_str_eq(text.data, "# HELP x_total What x does.\n# TYPE x_total counter\n"
				    "x_total{a=\"q\\\"b\\\\n\\n\",b=\"\"} 18446744073709551615\n");
	buffer_done(&text);
}

Test(exposition, no_labels_no_braces)
{
	static const struct exposition_family family = { "x", "gauge", { NULL }, "X" };
	struct buffer text = { 0 };

	exposition_sample(&text, &family, VALUES(NULL), 0);
	cr_expect_str_eq(text.data, "x 0\n");
	buffer_done(&text);
}

Test(exposition, a_histogram_s_buckets_add_up)
{
	static const struct exposition_family family = { "s_seconds", "histogram", { NULL }, "S" };
	static const uint64_t bounds[] = { 2500, 1000000 }, counts[] = { 2, 3, 4 };
	const struct exposition_histogram histogram = { bounds, counts, 2, 12345678 };
	struct buffer text = { 0 };

	exposition_histogram(&text, &family, VALUES(NULL), &histogram);
	cr_expect_str_eq(text.data, "s_seconds_bucket{le=\"0.002500\"} 2\ns_seconds_bucket{le=\"1.000000\"} 5\n"
				    "s_seconds_bucket{le=\"+Inf\"} 9\ns_seconds_sum 12.345678\ns_seconds_count 9\n");
	buffer_done(&text);
}

Test(exposition, a_histogram_s_own_labels_come_before_le)
{
	static const struct exposition_family family = { "s_seconds", "histogram", { "phase" }, "S" };
	static const uint64_t bounds[] = { 2500 }, counts[] = { 2, 3 };
	const struct exposition_histogram histogram = { bounds, counts, 1, 1 };
	struct buffer text = { 0 };

	exposition_histogram(&text, &family, VALUES("start"), &histogram);
	cr_expect_str_eq(text.data, "s_seconds_bucket{phase=\"start\",le=\"0.002500\"} 2\n"
				    "s_seconds_bucket{phase=\"start\",le=\"+Inf\"} 5\n"
				    "s_seconds_sum{phase=\"start\"} 0.000001\ns_seconds_count{phase=\"start\"} 5\n");
	buffer_done(&text);
}

static const char rollup[] = "00400000-7ffc ---p 00000000 00:00 0  [rollup]\nRss:   1300 kB\nPss:    900 kB\n"
			     "Pss_Dirty:   7 kB\nPrivate_Clean: 3 kB\nPrivate_Dirty:   400 kB\nSwapPss: 5 kB\n";

Test(shim_memory, lines_are_told_apart)
{
	struct shim_memory memory = { 0 };

	shim_memory_add(rollup, &memory);
	shim_memory_add(rollup, &memory);
	shim_memory_add("", &memory);
	cr_expect_eq(memory.resident, 2 * 1300 * 1024);
	cr_expect_eq(memory.proportional, 2 * 900 * 1024, "not Pss_Dirty, not SwapPss");
	cr_expect_eq(memory.private_dirty, 2 * 400 * 1024);
}

static void make_process(int fd, const char *pid, const char *program, const char *user_namespace, const char *memory)
{
	AUTO_CLOSE int process_fd = -EBADF, file_fd = -EBADF;

	cr_assert_eq(mkdirat(fd, pid, 0700), 0);
	process_fd = openat(fd, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(mkdirat(process_fd, "ns", 0700), 0);
	cr_assert_eq(symlinkat("pid:[1]", process_fd, "ns/pid"), 0);
	cr_assert_eq(symlinkat(user_namespace, process_fd, "ns/user"), 0);
	cr_assert_eq(symlinkat(program, process_fd, "exe"), 0);
	if (!memory)
		return;
	file_fd = openat(process_fd, "smaps_rollup", O_WRONLY | O_CREAT | O_EXCL, 0600);
	cr_assert_eq(write(file_fd, memory, strlen(memory)), (ssize_t)strlen(memory));
}

/* What it says of itself: name, then another argument. */
static void call_process(int fd, const char *pid, const char *name)
{
	AUTO_CLOSE int process_fd = openat(fd, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int file_fd = openat(process_fd, "cmdline", O_WRONLY | O_CREAT | O_EXCL, 0600);

	cr_assert_eq(write(file_fd, name, strlen(name) + 1), (ssize_t)strlen(name) + 1);
	cr_assert_eq(write(file_fd, "-id", sizeof("-id")), (ssize_t)sizeof("-id"));
}

Test(shim_memory, one_that_executes_a_detached_mount_is_known_by_its_own_word)
{
	SCRATCH(scratch);
	struct shim_memory memory = { 0 };
	struct error err = { 0 };

	make_process(scratch.fd, "self", "/", "user:[1]", NULL);
	make_process(scratch.fd, "10", "/", "user:[1]", rollup);
	call_process(scratch.fd, "10", "/opt/brig/current/containerd-shim-brig-v2");
	make_process(scratch.fd, "11", "/ (deleted)", "user:[1]", rollup); /* an upgrade took the file away */
	call_process(scratch.fd, "11", "containerd-shim-brig-v2");
	make_process(scratch.fd, "12", "/", "user:[2]", rollup);
	call_process(scratch.fd, "12", "/containerd-shim-brig-v2");
	make_process(scratch.fd, "13", "/", "user:[1]", rollup);
	call_process(scratch.fd, "13", "/usr/bin/brig");
	make_process(scratch.fd, "14", "/bin/sh", "user:[1]", rollup); /* any user may say so of a file that has a name */
	call_process(scratch.fd, "14", "/containerd-shim-brig-v2");
	make_process(scratch.fd, "15", "/", "user:[1]", rollup); /* nothing to read: it has just ended */
	cr_assert_eq(shim_memory_read(scratch.fd, &memory, &err), 0, "%s", err.message);
	cr_expect_eq(memory.n, 2);
	cr_expect_eq(memory.resident, 2 * 1300 * 1024);
}

Test(shim_memory, shims_alone_and_only_the_node_s_own)
{
	SCRATCH(scratch);
	struct shim_memory memory = { 0 };
	struct error err = { 0 };

	make_process(scratch.fd, "self", "/usr/bin/brig", "user:[1]", NULL);
	make_process(scratch.fd, "10", "/opt/brig/1/bin/containerd-shim-brig-v2", "user:[1]", rollup);
	make_process(scratch.fd, "11", "/containerd-shim-brig-v2 (deleted)", "user:[1]", rollup);
	make_process(scratch.fd, "12", "/containerd-shim-brig-v2", "user:[2]", rollup); /* a container says so */
	make_process(scratch.fd, "13", "/usr/bin/containerd-shim-runc-v2", "user:[1]", rollup);
	make_process(scratch.fd, "14", "/containerd-shim-brig-v2", "user:[1]", NULL); /* it has just ended */
	cr_assert_eq(shim_memory_read(scratch.fd, &memory, &err), 0, "%s", err.message);
	cr_expect_eq(memory.n, 2);
	cr_expect_eq(memory.n_hidden, 0);
	cr_expect_eq(memory.resident, 2 * 1300 * 1024);
}
