#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "child/steps.h"
#include "parent/host.h"

Test(host, facts_are_those_of_this_process)
{
	struct error err = { 0 };
	struct host host;

	cr_assert_eq(host_probe(&host, &err), 0, "%s", err.message);
	cr_expect_eq(host.euid, geteuid());
	cr_expect_eq(host.egid, getegid());
	cr_expect_geq(host.last_capability, CAP_AUDIT_READ);
	cr_expect_lt(host.last_capability, 64);
	cr_expect_geq(prctl(PR_CAPBSET_READ, host.last_capability, 0, 0, 0), 0);
	cr_expect_lt(prctl(PR_CAPBSET_READ, host.last_capability + 1, 0, 0, 0), 0);
	cr_expect_eq(host.capabilities & ~host.capability_bounding, 0, "effective ones are permitted ones");
	cr_expect_eq(host.capabilities >> (host.last_capability + 1), 0);
	cr_expect_geq(host.oom_score_adj, -1000);
	cr_expect_leq(host.oom_score_adj, 1000);
}

/* What a process without those capabilities finds out; its exit status tells which part was wrong. */
static int probe_without_capabilities(void)
{
	struct plan plan = { .has_process = true };
	struct child child = { .plan = &plan };
	struct rlimit limit = { .rlim_cur = 100, .rlim_max = 200 };
	struct error err = { 0 };
	struct host host;

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || capabilities_apply(&child, &err) < 0)
		return 1;
	if (host_probe(&host, &err) < 0)
		return 2;
	if (host.capabilities || host.capability_bounding)
		return 3;
	return host.rlimit_hard[RLIMIT_NOFILE] == 200 ? 0 : 4;
}

Test(host, limits_count_where_they_cannot_be_raised)
{
	int status = -1;
	pid_t pid;

	if (geteuid() != 0)
		cr_skip_test("needs capabilities to lose");
	pid = fork();
	if (pid == 0)
		_exit(probe_without_capabilities());
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0, "part %d", WEXITSTATUS(status));
}

Test(host, limits_don_t_count_for_who_can_raise_them)
{
	struct error err = { 0 };
	struct host host;

	cr_assert_eq(host_probe(&host, &err), 0, "%s", err.message);
	if (!(host.capabilities >> CAP_SYS_RESOURCE & 1))
		cr_skip_test("needs CAP_SYS_RESOURCE");
	for (size_t i = 0; i < 16; i++)
		cr_expect_eq(host.rlimit_hard[i], UINT64_MAX);
}
