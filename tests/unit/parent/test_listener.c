/* Where the listener of a filter is handed to: what the policy lists is named as it is, and no link is followed on the way. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "parent/listener.h"
#include "tests/support/scratch.h"

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_lt(snprintf(address.sun_path, sizeof(address.sun_path), "%s", path), (int)sizeof(address.sun_path));
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 8), 0);
	return fd;
}

Test(listener, no_link_leads_to_one_that_the_policy_lists)
{
	static const struct {
		const char *name;
		bool held;
		int rc;
	} cases[] = {
		{ "agents/one", true, 0 },	  { "link", true, -ELOOP }, { "directory/one", true, -ELOOP },
		{ "agents/none", true, -ENOENT }, { "link", false, 0 },	    { "directory/one", false, 0 },
	};
	AUTO_CLOSE int socket_fd = -EBADF, passed_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char base[PATH_MAX], path[PATH_MAX + 16];
	SCRATCH(scratch);

	cr_assert_not_null(realpath(scratch.path, base));
	scratch_directory(&scratch, "agents");
	scratch_link(&scratch, "link", "agents/one");
	scratch_link(&scratch, "directory", "agents");
	snprintf(path, sizeof(path), "%s/agents/one", base);
	socket_fd = listen_at(path);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct plan plan = { .oci_version = "1.3.0", .id = "box", .bundle = "/b" };
		struct error err = { 0 };
		size_t before = scratch_count_fds();
		int agent_fd = -EBADF;

		snprintf(path, sizeof(path), "%s/%s", base, cases[i].name);
		plan.seccomp.listener_path = path;
		plan.seccomp.listener_held = cases[i].held;
		cr_expect_eq(listener_connect(&plan, &agent_fd, &err), cases[i].rc, "%zu: %s", i, err.message);
		if (cases[i].rc == 0)
			cr_expect_eq(listener_hand_over(&plan, 1, agent_fd, passed_fd, &err), 0, "%zu: %s", i,
				     err.message);
		close_and_reset(&agent_fd);
		cr_expect_eq(scratch_count_fds(), before);
		if (cases[i].rc == -ELOOP)
			cr_expect_not_null(strstr(err.message, "name the socket itself"), "%s", err.message);
	}
}

Test(listener, a_plan_without_an_agent_needs_none)
{
	struct plan plan = { .oci_version = "1.3.0", .id = "box", .bundle = "/b" };
	struct error err = { 0 };
	int agent_fd = -EBADF;

	cr_expect_eq(listener_connect(&plan, &agent_fd, &err), 0);
	cr_expect_eq(agent_fd, -EBADF);
	cr_expect_lt(listener_hand_over(&plan, 1, agent_fd, STDIN_FILENO, &err), 0);
}
