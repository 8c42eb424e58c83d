/* The namespaces that a plan says to join: which are refused, and in which words. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/namespace.h"
#include "parent/join.h"

static int open_own(uint64_t flag, bool not_the_hosts, struct error *err)
{
	const struct plan_namespace_join one = { .flag = flag,
						 .path = namespace_own_file(flag),
						 .not_the_hosts = not_the_hosts };
	const struct plan_namespaces namespaces = { .join = &one, .n_join = 1 };
	struct join join;
	int rc = join_open(&namespaces, /* privileged= */ false, &join, err);

	if (rc >= 0)
		join_done(&join);
	return rc;
}

Test(join, the_host_s_own_is_refused_with_what_asks_for_it)
{
	static const struct {
		uint64_t flag;
		const char *field;
	} kinds[] = { { CLONE_NEWNET, "hostNetwork" }, { CLONE_NEWUTS, "hostNetwork" }, { CLONE_NEWIPC, "hostIPC" },
		      { CLONE_NEWPID, "hostPID" },     { CLONE_NEWUSER, "hostUsers" },	{ CLONE_NEWNS, NULL },
		      { CLONE_NEWCGROUP, NULL } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct error err = { 0 };
		const char *pod;

		cr_expect_eq(open_own(kinds[i].flag, /* not_the_hosts= */ true, &err), -EPERM);
		cr_expect_eq(err.kind, ERROR_REFUSED);
		cr_expect_not_null(strstr(err.message, namespace_own_file(kinds[i].flag)), "got: %s", err.message);
		pod = strstr(err.message, "of a pod: ");
		cr_expect_eq(pod != NULL, kinds[i].field != NULL, "got: %s", err.message);
		if (pod && kinds[i].field)
			cr_expect_not_null(strstr(pod, kinds[i].field), "got: %s", err.message);
	}
}

Test(join, the_host_s_own_is_opened_where_nothing_is_withheld)
{
	struct error err = { 0 };

	cr_expect_eq(open_own(CLONE_NEWUSER, /* not_the_hosts= */ false, &err), 0, "%s", err.message);
	cr_expect_eq(open_own(CLONE_NEWNET, /* not_the_hosts= */ false, &err), 0, "%s", err.message);
}
