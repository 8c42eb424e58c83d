/* The sets of a process, changed in a process of its own and read back from the kernel. */
#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "child/steps.h"

#define BIT(capability) (UINT64_C(1) << (capability))

struct sets {
	unsigned long long inheritable, permitted, effective, bounding, ambient;
};

static bool has(int capability)
{
	return prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1;
}

static void setup(void)
{
	if (geteuid() != 0 || !has(CAP_SETPCAP) || !has(CAP_CHOWN) || !has(CAP_KILL) || !has(CAP_AUDIT_READ))
		cr_skip_test("needs root with CAP_SETPCAP, CAP_CHOWN, CAP_KILL and CAP_AUDIT_READ");
}

TestSuite(capabilities, .init = setup);

static void read_sets(struct sets *ret)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "CapInh: %llx", &ret->inheritable);
		sscanf(line, "CapPrm: %llx", &ret->permitted);
		sscanf(line, "CapEff: %llx", &ret->effective);
		sscanf(line, "CapBnd: %llx", &ret->bounding);
		sscanf(line, "CapAmb: %llx", &ret->ambient);
	}
	if (file)
		fclose(file);
}

struct outcome {
	int rc;
	struct error err;
	struct sets sets;
};

static struct outcome apply(const struct plan_capabilities *wanted)
{
	struct plan plan = { .has_process = true, .process = { .capabilities = *wanted } };
	struct child child = { .plan = &plan };
	struct outcome outcome = { 0 };
	int fds[2], status;
	pid_t pid;

	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		outcome.rc = capabilities_bound(&child, &outcome.err);
		if (outcome.rc == 0)
			outcome.rc = capabilities_apply(&child, &outcome.err);
		read_sets(&outcome.sets);
		_exit(write(fds[1], &outcome, sizeof(outcome)) != (ssize_t)sizeof(outcome));
	}
	close(fds[1]);
	cr_assert_eq(read(fds[0], &outcome, sizeof(outcome)), (ssize_t)sizeof(outcome));
	close(fds[0]);
	waitpid(pid, &status, 0);
	return outcome;
}

Test(capabilities, five_sets_as_the_plan_has_them)
{
	const struct plan_capabilities wanted = { .bounding = BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(CAP_AUDIT_READ),
						  .permitted = BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(CAP_AUDIT_READ),
						  .effective = BIT(CAP_KILL) | BIT(CAP_AUDIT_READ),
						  .inheritable = BIT(CAP_CHOWN) | BIT(CAP_AUDIT_READ),
						  .ambient = BIT(CAP_AUDIT_READ) };
	struct outcome outcome = apply(&wanted);

	cr_assert_eq(outcome.rc, 0, "%s", outcome.err.message);
	cr_expect_eq(outcome.sets.bounding, wanted.bounding);
	cr_expect_eq(outcome.sets.permitted, wanted.permitted);
	cr_expect_eq(outcome.sets.effective, wanted.effective);
	cr_expect_eq(outcome.sets.inheritable, wanted.inheritable);
	cr_expect_eq(outcome.sets.ambient, wanted.ambient);
}

Test(capabilities, none_at_all)
{
	struct outcome outcome = apply(&(struct plan_capabilities){ 0 });

	cr_assert_eq(outcome.rc, 0, "%s", outcome.err.message);
	cr_expect_eq(outcome.sets.bounding, 0, "%llx", outcome.sets.bounding);
	cr_expect_eq(outcome.sets.permitted | outcome.sets.effective | outcome.sets.inheritable | outcome.sets.ambient,
		     0);
}

Test(capabilities, each_by_itself)
{
	for (int capability = 0; capability <= CAP_AUDIT_READ; capability++) {
		const uint64_t one = BIT(capability);
		struct outcome outcome;

		if (!has(capability))
			continue;
		outcome = apply(&(struct plan_capabilities){
			.bounding = one, .permitted = one, .effective = one, .inheritable = one, .ambient = one });

		cr_assert_eq(outcome.rc, 0, "%d: %s", capability, outcome.err.message);
		cr_expect_eq(outcome.sets.bounding, one, "%d", capability);
		cr_expect_eq(outcome.sets.permitted, one, "%d", capability);
		cr_expect_eq(outcome.sets.ambient, one, "%d", capability);
	}
}

Test(capabilities, what_the_kernel_refuses_is_told)
{
	struct outcome outcome = apply(&(struct plan_capabilities){
		.bounding = BIT(CAP_KILL), .permitted = BIT(CAP_KILL), .ambient = BIT(CAP_KILL) });

	cr_expect_eq(outcome.rc, -EPERM, "ambient needs inheritable");
	cr_expect_not_null(strstr(outcome.err.message, "process.capabilities.ambient"), "%s", outcome.err.message);
	outcome = apply(&(struct plan_capabilities){ .effective = BIT(CAP_KILL) });
	cr_expect_eq(outcome.rc, -EPERM, "effective needs permitted");
	cr_expect_not_null(strstr(outcome.err.message, "process.capabilities"), "%s", outcome.err.message);
}
