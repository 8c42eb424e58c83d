/* The floor's rules, each at each level: what is below the floor is refused, made so, named, or let be. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "rule_cases.h"

static const char *const hook_directories[] = { "/usr/libexec/hooks", "/usr/bin/one-hook" };

/* strict with every rule of the floor off but the one that the test is about. */
static struct policy with_level(enum policy_rule rule, enum policy_level level)
{
	struct policy policy = { 0 };

	cr_assert_eq(policy_load("strict", &policy, NULL), 0);
	for (size_t i = POLICY_FLOOR_FIRST; i < POLICY_N_RULES; i++)
		policy.levels[i] = POLICY_OFF;
	policy.levels[rule] = level;
	policy.hook_directories = (struct policy_strings){ hook_directories, ARRAY_SIZE(hook_directories) };
	return policy;
}

static void build(struct plan_fixture *fixture, const struct rule_case *x, const struct policy *policy, bool exec)
{
	fixture->request.policy = policy;
	if (x->prepare)
		x->prepare(fixture);
	if (!exec) {
		plan_fixture_build(fixture, &x->json);
		return;
	}
	plan_fixture_parse(fixture, &x->json);
	fixture->rc = plan_build_exec(&fixture->request, fixture->spec->process, &fixture->plan, &fixture->report,
				      &fixture->err);
}

#define FOR_EACH_CASE(x)                                                                 \
	for (const struct rule_case *x = rule_cases; x < rule_cases + n_rule_cases; x++) \
		for (int exec = 0; exec <= x->for_exec; exec++)

Test(plan_harden, adjust_makes_it_so_and_reports)
{
	FOR_EACH_CASE(x)
	{
		struct policy policy = with_level(x->rule, POLICY_ADJUST);
		const struct report_line *line;
		PLAN_FIXTURE(fixture);

		build(&fixture, x, &policy, exec);
		cr_assert_eq(fixture.rc, 0, "%s: %s", x->words, fixture.err.message);
		cr_expect(x->holds(fixture.plan), "%s", x->words);
		line = plan_fixture_line(&fixture, policy_rule_name(x->rule));
		cr_expect_eq(line->level, REPORT_ADJUSTED, "%s", x->words);
		cr_expect(line->where && line->asked && line->applied && line->why, "%s", x->words);
		cr_expect_str_neq(line->asked, line->applied);
	}
}

Test(plan_harden, warn_does_as_asked_and_warns)
{
	FOR_EACH_CASE(x)
	{
		struct policy policy = with_level(x->rule, POLICY_WARN);
		PLAN_FIXTURE(fixture);

		build(&fixture, x, &policy, exec);
		cr_assert_eq(fixture.rc, 0, "%s: %s", x->words, fixture.err.message);
		cr_expect_not(x->holds(fixture.plan), "%s", x->words);
		cr_expect_eq(plan_fixture_line(&fixture, policy_rule_name(x->rule))->level, REPORT_WARNING, "%s",
			     x->words);
	}
}

Test(plan_harden, off_does_as_asked_without_a_word)
{
	FOR_EACH_CASE(x)
	{
		struct policy policy = with_level(x->rule, POLICY_OFF);
		PLAN_FIXTURE(fixture);

		build(&fixture, x, &policy, exec);
		cr_assert_eq(fixture.rc, 0, "%s: %s", x->words, fixture.err.message);
		cr_expect_not(x->holds(fixture.plan), "%s", x->words);
		cr_expect_not(plan_fixture_has_line(&fixture, policy_rule_name(x->rule)), "%s", x->words);
	}
}

Test(plan_harden, enforce_refuses_and_says_what_to_do)
{
	FOR_EACH_CASE(x)
	{
		struct policy policy = with_level(x->rule, POLICY_ENFORCE);
		PLAN_FIXTURE(fixture);

		if (x->is_own)
			continue;
		build(&fixture, x, &policy, exec);
		cr_expect_eq(fixture.rc, -EPERM, "%s", x->words);
		cr_expect_eq(fixture.err.kind, ERROR_REFUSED);
		cr_expect_null(fixture.plan);
		cr_expect_eq(strncmp(fixture.err.message, x->words, strlen(x->words)), 0, "expected \"%s\" in: %s",
			     x->words, fixture.err.message);
		cr_expect_not_null(strstr(fixture.err.message, policy_rule_name(x->rule)));
		cr_expect_not_null(strstr(fixture.err.message, policy_rule_remedy(x->rule)), "%s", fixture.err.message);
	}
}

/* An engine with a priority of its own would get no container, and nobody could leave out of config.json what is not in it. */
Test(plan_harden, enforce_adjusts_what_is_brigs_own)
{
	FOR_EACH_CASE(x)
	{
		struct policy policy = with_level(x->rule, POLICY_ENFORCE);
		const struct report_line *line;
		PLAN_FIXTURE(fixture);

		if (!x->is_own)
			continue;
		build(&fixture, x, &policy, exec);
		cr_assert_eq(fixture.rc, 0, "%s: %s", x->words, fixture.err.message);
		cr_expect(x->holds(fixture.plan), "%s", x->words);
		line = plan_fixture_line(&fixture, policy_rule_name(x->rule));
		cr_expect_eq(line->level, REPORT_ADJUSTED, "%s", x->words);
		cr_expect_not_null(strstr(line->asked, "brig's own"), "%s", line->asked);
	}
}

/* What is asked for besides is refused all the same. */
Test(plan_harden, a_priority_asked_for_is_refused_whatever_brigs_own_is)
{
	static const char *const asked[] = { "{'policy':'SCHED_OTHER','nice':-5,'flags':['SCHED_FLAG_KEEP_POLICY']}",
					     "{'policy':'SCHED_FIFO','priority':1,'flags':['SCHED_FLAG_KEEP_PARAMS']}" };
	static const char *const words[] = { "asked for nice -5, but", "asked for SCHED_FIFO, but" };
	struct policy policy = with_level(POLICY_CAPABILITY, POLICY_ENFORCE);

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		char process[128];
		PLAN_FIXTURE(fixture);

		snprintf(process, sizeof(process), ",'scheduler':%s", asked[i]);
		fixture.host.scheduler = SCHED_RR;
		fixture.host.nice = -9;
		fixture.request.policy = &policy;
		plan_fixture_build(&fixture, &(struct plan_fixture_json){ .process = process });
		cr_expect_eq(fixture.rc, -EPERM, "%s", asked[i]);
		cr_expect_not_null(strstr(fixture.err.message, words[i]), "%s", fixture.err.message);
	}
}

/* What engines write for an ordinary container is not refused by any rule, and is at most adjusted. */
Test(plan_harden, an_ordinary_document_passes_with_every_rule_at_enforce)
{
	static const enum policy_rule rules[] = {
		POLICY_NEW_PRIVILEGES,
		POLICY_SESSION_KEYRING,
		POLICY_CORE_DUMP,
		POLICY_CAPABILITY,
		POLICY_AMBIENT_CAPABILITY,
		POLICY_OOM_SCORE,
		POLICY_SECCOMP,
		POLICY_APPARMOR,
		POLICY_MASKED_PATH,
		POLICY_SYSCTL,
		POLICY_HOOK,
		POLICY_ANNOTATION,
		POLICY_DEVICE,
		POLICY_RESOURCE_MISSING,
		POLICY_RESOURCE_MAXIMUM,
	};
	struct policy policy = with_level(POLICY_HOOK, POLICY_ENFORCE);
	PLAN_FIXTURE(fixture);

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		policy.levels[rules[i]] = POLICY_ENFORCE;
	fixture.request.policy = &policy;
	fixture.host.apparmor = true;
	plan_fixture_good(
		&fixture,
		&(struct plan_fixture_json){
			.process = ",'noNewPrivileges':true,'oomScoreAdj':-997,'apparmorProfile':'docker-default',"
				   "'capabilities':{'bounding':['CAP_CHOWN','CAP_KILL'],'permitted':['CAP_CHOWN'],"
				   "'effective':['CAP_CHOWN']},'rlimits':[{'type':'RLIMIT_CORE','soft':0,'hard':0}]",
			.namespaces = PLAN_FIXTURE_USER ",{'type':'network','path':'/run/netns/a'},{'type':'ipc'}",
			.linux_ = PLAN_FIXTURE_MAPS
			",'sysctl':{'net.ipv4.ip_unprivileged_port_start':'0','kernel.shmmax':'1'},"
			"'maskedPaths':['/proc/asound','/proc/acpi','/proc/kcore','/proc/keys','/proc/latency_stats',"
			"'/proc/timer_list','/proc/timer_stats','/proc/sched_debug','/proc/scsi','/sys/firmware',"
			"'/sys/devices','/proc/interrupts'],"
			"'readonlyPaths':['/proc/bus','/proc/fs','/proc/irq','/proc/sys','/proc/sysrq-trigger'],"
			"'devices':[{'path':'/dev/null','type':'c','major':1,'minor':3},{'path':'/dev/f','type':'p'}],"
			"'resources':{'pids':{'limit':5},'devices':[{'allow':false,'access':'rwm'},"
			"{'allow':true,'type':'c','major':1,'minor':3,'access':'rwm'},{'allow':true,'type':'c','major':5,'minor':1},"
			"{'allow':true,'type':'c','major':10,'minor':200,'access':'rwm'}]},"
			"'seccomp':{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[]}",
			.top = ",'annotations':{'io.kubernetes.cri.container-type':'container','io.podman.annotations.autoremove':'TRUE',"
			       "'org.systemd.property.KillSignal':'15','io.container.manager':'libpod'},"
			       "'hooks':{'createRuntime':[{'path':'/usr/libexec/hooks/a'},{'path':'/usr/bin/one-hook'}]}" });
	for (size_t i = 0; i < fixture.report.n_lines; i++)
		cr_expect_eq(fixture.report.lines[i].level, REPORT_NOTE, "%s", fixture.report.lines[i].why);
	cr_expect_eq(fixture.plan->seccomp.floor, PLAN_FLOOR_STRICT, "beneath config.json's own");
	cr_expect(fixture.plan->seccomp.enabled);
	cr_expect_eq(fixture.plan->hooks[PLAN_HOOK_CREATE_RUNTIME].n, 2);
	for (size_t i = 0; i < fixture.plan->cgroup.resources.n_devices; i++)
		cr_expect_neq(fixture.plan->cgroup.resources.devices[i].major, 10, "left out: there is no node for it");
}
