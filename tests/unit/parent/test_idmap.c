#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "parent/idmap.h"
#include "tests/support/scratch.h"

static const struct plan_id_range two_ranges[] = { { 0, 100000, 1000 }, { 1000, 5000, 1 } };
static const struct plan_id_map two = { two_ranges, 2 };

Test(idmap, format)
{
	char text[IDMAP_TEXT_MAX];

	idmap_format(&two, text);
	cr_expect_str_eq(text, "0 100000 1000\n1000 5000 1\n");
	idmap_format(&(struct plan_id_map){ 0 }, text);
	cr_expect_str_eq(text, "");
}

/* The widest numbers in the most lines have to fit exactly; what is beyond is left out, never written past the end. */
Test(idmap, format_at_its_limits)
{
	struct plan_id_range *ranges = calloc(2 * IDMAP_RANGES_MAX, sizeof(*ranges));
	struct {
		char text[IDMAP_TEXT_MAX], guard[8];
	} room = { .guard = "guarded" };

	for (size_t i = 0; i < 2 * IDMAP_RANGES_MAX; i++)
		ranges[i] = (struct plan_id_range){ UINT32_MAX, UINT32_MAX, UINT32_MAX };
	idmap_format(&(struct plan_id_map){ ranges, IDMAP_RANGES_MAX }, room.text);
	cr_expect_eq(strlen(room.text), IDMAP_TEXT_MAX - 1);
	cr_expect_eq(room.text[strlen(room.text) - 1], '\n');
	idmap_format(&(struct plan_id_map){ ranges, 2 * IDMAP_RANGES_MAX }, room.text);
	cr_expect_eq(strlen(room.text), IDMAP_TEXT_MAX - 1);
	cr_expect_str_eq(room.guard, "guarded");
	free(ranges);
}

static int open_namespace(const struct plan_id_map *uids, const struct plan_id_map *gids)
{
	struct error err = { 0 };
	int fd = geteuid() == 0 ? idmap_open_namespace(uids, gids, &err) : -EPERM;

	if (fd == -EPERM || fd == -ENOSPC)
		cr_skip_test("no user namespace with these maps here: %s", err.message);
	cr_assert_geq(fd, 0, "%s", err.message);
	return fd;
}

/* The kernel's own word on what was written. */
static void expect_map(int namespace_fd, const char *path, const char *wanted)
{
	char text[256] = "", *out = text;
	unsigned inside, outside, count;
	int fds[2];
	FILE *file;

	cr_assert_eq(pipe(fds), 0);
	if (fork() == 0) {
		file = setns(namespace_fd, CLONE_NEWUSER) == 0 ? fopen(path, "re") : NULL;
		while (file && fscanf(file, "%u %u %u", &inside, &outside, &count) == 3)
			dprintf(fds[1], "%u %u %u\n", inside, outside, count);
		_exit(0);
	}
	close(fds[1]);
	wait(NULL);
	out[read(fds[0], text, sizeof(text) - 1)] = '\0';
	close(fds[0]);
	cr_expect_str_eq(text, wanted, "%s", path);
}

Test(idmap, namespace_that_nobody_is_in)
{
	static const struct plan_id_range one[] = { { 0, 7, 2 } };
	const struct plan_id_map gids = { one, 1 };
	size_t before = scratch_count_fds();
	int fd = open_namespace(&two, &gids);

	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	expect_map(fd, "/proc/self/uid_map", "0 100000 1000\n1000 5000 1\n");
	expect_map(fd, "/proc/self/gid_map", "0 7 2\n");
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "its helper process is left");
	close(fd);
	cr_expect_eq(scratch_count_fds(), before);
}

Test(idmap, refused_map_is_named)
{
	static const struct plan_id_range overlapping[] = { { 0, 1000, 10 }, { 5, 5000, 10 } };
	const struct plan_id_map wrong = { overlapping, 2 };
	struct error err = { 0 };
	size_t before = scratch_count_fds();

	close(open_namespace(&two, &two));
	cr_expect_lt(idmap_open_namespace(&wrong, &two, &err), 0);
	cr_expect_not_null(strstr(err.message, "linux.uidMappings: write uid_map"), "%s", err.message);
	cr_expect_lt(idmap_open_namespace(&two, &wrong, &err), 0);
	cr_expect_not_null(strstr(err.message, "linux.gidMappings: write gid_map"), "%s", err.message);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_expect_eq(scratch_count_fds(), before);
}

Test(idmap, process_that_is_gone)
{
	const struct plan_namespaces namespaces = { .uids = two, .gids = two };
	struct error err = { 0 };

	cr_expect_eq(idmap_write(0x3fffffff, &namespaces, &err), -ENOENT);
	cr_expect_not_null(strstr(err.message, "/proc/"), "%s", err.message);
}
