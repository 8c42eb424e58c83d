#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "parent/cgroup/cgroup_oom_log.h"

#define KILL(group) \
	"6,77,8899,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a.slice," group

Test(cgroup_oom_log, names_the_group_that_a_process_was_killed_in)
{
	static const struct {
		const char *record, *path;
		bool named;
	} cases[] = {
		{ KILL("task_memcg=/a.slice/x.scope,task=dd,pid=7,uid=0"), "a.slice/x.scope", true },
		{ KILL("task_memcg=/a.slice/x.scope/container,task=dd,pid=7,uid=0"), "a.slice/x.scope", true },
		{ KILL("task_memcg=/a.slice/x.scope-2,task=dd,pid=7,uid=0"), "a.slice/x.scope", false },
		{ KILL("task_memcg=/b/a.slice/x.scope,task=dd,pid=7,uid=0"), "a.slice/x.scope", false },
		{ KILL("task_memcg=/a.slice,task=dd,pid=7,uid=0"), "a.slice/x.scope", false },
		/* A kernel that has the rest of the line in a record of its own: somebody else wrote meanwhile. */
		{ "6,78,8899,c;,oom_memcg=/,task_memcg=/x.scope,task=dd,pid=7,uid=0", "x.scope", true },
		/* As /dev/kmsg escapes it. */
		{ KILL("task_memcg=/x\\x5cx2dy.scope,task=dd,pid=7,uid=0"), "x\\x2dy.scope", true },
		{ KILL("task_memcg=/x\\x2dy.scope,task=dd,pid=7,uid=0"), "x\\x2dy.scope", false },
		/* Written by a process, and from the name of a group. */
		{ "14,77,8899,-;oom-kill:oom_memcg=/,task_memcg=/x.scope,task=dd,pid=7,uid=0", "x.scope", false },
		{ KILL("task_memcg=/x.scope,task=,task_memcg=/e,task=dd,pid=7,uid=0"), "x.scope", false },
		{ KILL("task_memcg=/e,task_memcg=/x.scope,task=,pid=7,uid=0"), "e", false },
		/* From the name of a file, in what is refused and told by the kernel: without auditd it has all of that. */
		{ "5,77,8899,-;audit: type=1400 audit(1.2:3): apparmor=\"DENIED\" name=\"/x,task_memcg=/x.scope,task=\" pid=7",
		  "x.scope", false },
		{ "6,77,8899,-;oom-kill:[7]: name=/x,task_memcg=/x.scope,task=", "x.scope", false },
		{ "6,77,8899,-;,oom_memcg=/,task_memcg=/x.scope,task=dd,pid=7,uid=0", "x.scope", false },
		{ "6,77,8899,c;/e,task_memcg=/x.scope,task=dd,pid=7,uid=0", "x.scope", false },
		{ "6;,oom_memcg=/", "x.scope", false },
		{ "6,77,8899,c,caller=T7;,task_memcg=/x.scope,task=dd,pid=7,uid=0", "x.scope", true },
		/* A program that has given itself a name which looks like a group, of 15 bytes at the most. */
		{ KILL("task_memcg=/x.scope,task=,task_memcg=/yz,pid=7,uid=0"), "x.scope", true },
		{ KILL("task_memcg=/x.scope,task=,task_memcg=/y/,pid=7,uid=0"), "y", false },
		{ KILL("task_memcg=/x.scope,task=\\xff\\x5c,task_memcg=/,pid=7,uid=0"), "x.scope", true },
		{ KILL("task_memcg=/x.scope,task=,pid=1,pid=2,,pid=7,uid=0"), "x.scope", true },
		{ "6,77,8899,c;,global_oom,task=,task_memcg=/y/,pid=7,uid=0", "y", false },
		{ "6,77,8899,-;Memory cgroup out of memory: Killed process 7 (dd)", "x.scope", false },
		{ "", "x.scope", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(cgroup_oom_log_names(cases[i].record, cases[i].path), cases[i].named, "%s", cases[i].record);
}

/* A socket of packets gives a record at a time, as the log does. */
Test(cgroup_oom_log, counts_what_was_not_told_before)
{
	AUTO_CLOSE int fd = -EBADF, log = -EBADF;
	static const char record[] = KILL("task_memcg=/x.scope,task=dd,pid=7,uid=0\n");
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	fd = ends[0];
	log = ends[1];
	cr_assert_eq(write(fd, record, strlen(record)), (ssize_t)strlen(record));
	cr_assert_eq(write(fd, "6,1,2,-;else\n", 13), 13);
	cr_assert_eq(write(fd, record, strlen(record)), (ssize_t)strlen(record));
	cr_expect_eq(cgroup_oom_log_count(log, "x.scope"), 2);
	cr_expect_eq(cgroup_oom_log_count(log, "x.scope"), 0);
	cr_assert_eq(write(fd, record, strlen(record)), (ssize_t)strlen(record));
	cr_expect_eq(cgroup_oom_log_count(log, "x.scope"), 1);
	cr_expect_eq(cgroup_oom_log_count(log, "y.scope"), 0);
}
