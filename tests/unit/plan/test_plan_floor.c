/* The property that the floor is made for: whatever config.json says, no plan under strict is weaker than the floor. Tried with
 * random documents; and each rule switched off has to let one of them through, or the property would not look at that rule. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/resource.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "spec_generator.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define BRIG_SANITIZED
#endif
#endif

/* The sanitizers take ten times as long, and look for something else: fewer documents, and some of the rules. */
#if defined(__SANITIZE_ADDRESS__) || defined(BRIG_SANITIZED)
#define DOCUMENTS 1500
#define RULES_STEP 6
#else
#define DOCUMENTS 12000
#define RULES_STEP 1
#endif
/* Until a switched-off rule has let one through: one in a thousand would do. */
#define DOCUMENTS_OFF 12000

typedef bool violation(const struct plan_fixture *fixture);

static bool has_user_namespace(const struct plan *plan)
{
	uint64_t flags = plan->namespaces.create;

	for (size_t i = 0; i < plan->namespaces.n_join; i++)
		flags |= plan->namespaces.join[i].flag;
	return flags & CLONE_NEWUSER;
}

static uint64_t own_namespaces(const struct plan *plan)
{
	uint64_t flags = plan->namespaces.create;

	for (size_t i = 0; i < plan->namespaces.n_join; i++)
		flags |= plan->namespaces.join[i].flag;
	return flags;
}

static bool raises_privileges(const struct plan_fixture *fixture)
{
	return !fixture->plan->process.no_new_privileges;
}

static bool keeps_ambient(const struct plan_fixture *fixture)
{
	const struct plan_capabilities *has = &fixture->plan->process.capabilities;

	return has->ambient | has->inheritable;
}

/* As CAP_SYS_NICE lets. */
static bool is_ahead(const struct plan_process *process)
{
	for (size_t i = 0; i < process->n_rlimits; i++) {
		bool is_priority = process->rlimits[i].resource == RLIMIT_RTPRIO ||
				   process->rlimits[i].resource == RLIMIT_NICE;

		if (is_priority && process->rlimits[i].hard)
			return true;
	}
	return process->scheduler.set && (process->scheduler.policy == SCHED_FIFO ||
					  process->scheduler.policy == SCHED_RR || process->scheduler.nice < 0);
}

static bool has_capabilities(const struct plan_fixture *fixture)
{
	const struct plan_capabilities *has = &fixture->plan->process.capabilities;
	uint64_t ceiling = policy_capabilities(fixture->request.policy, has_user_namespace(fixture->plan));

	return is_ahead(&fixture->plan->process) ||
	       (has->bounding | has->permitted | has->effective | has->inheritable | has->ambient) & ~ceiling;
}

static bool dumps_core(const struct plan_fixture *fixture)
{
	const struct plan_process *process = &fixture->plan->process;

	for (size_t i = 0; i < process->n_rlimits; i++) {
		if (process->rlimits[i].resource == RLIMIT_CORE)
			return process->rlimits[i].soft || process->rlimits[i].hard;
	}
	return true;
}

static bool is_killed_last(const struct plan_fixture *fixture)
{
	const struct plan *plan = fixture->plan;
	int least = 0;

	for (size_t i = 0; i < plan->n_annotations; i++) {
		if (strcmp(plan->annotations[i].name, "io.kubernetes.cri.container-type") == 0)
			least = -998;
	}
	return plan->process.set_oom_score_adj && plan->process.oom_score_adj < least;
}

static bool shares_keyring(const struct plan_fixture *fixture)
{
	return !fixture->plan->process.new_keyring;
}

static bool is_unfiltered(const struct plan_fixture *fixture)
{
	return fixture->plan->seccomp.floor != PLAN_FLOOR_STRICT;
}

static bool is_unconfined(const struct plan_fixture *fixture)
{
	return fixture->host.apparmor_default && !fixture->plan->process.apparmor_profile;
}

/* What it has of its own that config.json does not name is told. */
static bool is_in_host_namespace(const struct plan_fixture *fixture)
{
	if (fixture->plan->namespaces.added & CLONE_NEWTIME &&
	    !plan_fixture_has_line(fixture, policy_rule_name(POLICY_HOST_NAMESPACE)))
		return true;
	return ~own_namespaces(fixture->plan) &
	       (CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWTIME);
}

static bool sees_host_cgroups(const struct plan_fixture *fixture)
{
	return ~own_namespaces(fixture->plan) & CLONE_NEWCGROUP;
}

static bool root_is_mapped(const struct plan_fixture *fixture)
{
	return fixture->request.root_source.mappable;
}

/* What stays without one has said why. */
static bool is_host_root(const struct plan_fixture *fixture)
{
	return !has_user_namespace(fixture->plan) && root_is_mapped(fixture);
}

/* It goes without a user namespace whatever the rule says; under the floor it does not do so in silence. */
static bool is_host_root_untold(const struct plan_fixture *fixture)
{
	return !has_user_namespace(fixture->plan) && !root_is_mapped(fixture) &&
	       !plan_fixture_has_line(fixture, policy_rule_name(POLICY_ROOTFS_UNMAPPED));
}

/* A kernel that has no Landlock which programs survive (2, Linux 5.19) is told of; so is the lock. */
static bool has_one_lock(const struct plan_fixture *fixture)
{
	const struct plan *plan = fixture->plan;

	if (!plan->rootfs.readonly)
		return false;
	return (fixture->host.landlock >= 2 && !plan->landlock.enabled) ||
	       !plan_fixture_has_line(fixture, policy_rule_name(POLICY_LANDLOCK));
}

static bool lists(const char *const *paths, size_t n, const char *wanted)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(paths[i], wanted) == 0)
			return true;
	}
	return false;
}

static bool shows_kernel_paths(const struct plan_fixture *fixture)
{
	static const char *const masked[] = { "/proc/kcore", "/proc/keys", "/sys/firmware",
					      "/sys/devices/virtual/powercap" };
	static const char *const readonly[] = { "/proc/sys", "/proc/bus", "/proc/sysrq-trigger" };
	const struct plan_rootfs *rootfs = &fixture->plan->rootfs;

	for (size_t i = 0; i < ARRAY_SIZE(masked); i++) {
		if (!lists(rootfs->masked, rootfs->n_masked, masked[i]))
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(readonly); i++) {
		if (!lists(rootfs->readonly_paths, rootfs->n_readonly_paths, readonly[i]))
			return true;
	}
	return false;
}

/* Of the volumes: the generator's are below /volume. */
static bool any_volume(const struct plan_fixture *fixture, bool (*has)(const struct plan_mount *mount))
{
	const struct plan_rootfs *rootfs = &fixture->plan->rootfs;

	for (size_t i = 0; i < rootfs->n_mounts; i++) {
		if (rootfs->mounts[i].kind == PLAN_MOUNT_BIND && has(&rootfs->mounts[i]))
			return true;
	}
	return false;
}

static bool lets_set_user_id(const struct plan_mount *mount)
{
	uint64_t wanted = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	uint64_t set = mount->attr_set | mount->rattr_set, cleared = mount->attr_clear | mount->rattr_clear;

	/* What lies below a recursive one needs them too. */
	if (mount->recursive)
		set = mount->rattr_set;
	return (set & wanted) != wanted || (cleared & wanted & ~set);
}

static bool is_forbidden(const struct plan_mount *mount)
{
	return spec_generator_forbids(mount->source);
}

static bool goes_back(const struct plan_mount *mount)
{
	return mount->propagation & MS_SHARED;
}

static bool volumes_have_devices(const struct plan_fixture *fixture)
{
	return any_volume(fixture, lets_set_user_id);
}

static bool has_forbidden_volume(const struct plan_fixture *fixture)
{
	return any_volume(fixture, is_forbidden);
}

static bool propagates(const struct plan_fixture *fixture)
{
	return any_volume(fixture, goes_back) || fixture->plan->rootfs.propagation & MS_SHARED;
}

static bool is_unmapped(const struct plan_mount *mount)
{
	return strcmp(mount->source, "/srv/share") == 0;
}

/* Who asks for a user namespace has seen to the owners of its files. */
static bool asks_for_user_namespace(const struct plan_fixture *fixture)
{
	const struct spec_linux *linux_ = &fixture->spec->linux_;

	for (size_t i = 0; i < linux_->n_namespaces; i++) {
		if (linux_->namespaces[i].type == CLONE_NEWUSER)
			return true;
	}
	return false;
}

static bool has_unmapped_volume(const struct plan_fixture *fixture)
{
	return any_volume(fixture, is_unmapped) && root_is_mapped(fixture) && !asks_for_user_namespace(fixture);
}

static bool has_devices(const struct plan_fixture *fixture)
{
	const struct plan *plan = fixture->plan;

	for (size_t i = 0; i < plan->rootfs.n_devices; i++) {
		if (plan->rootfs.devices[i].type == S_IFBLK)
			return true;
	}
	for (size_t i = 0; i < plan->cgroup.resources.n_devices; i++) {
		const struct plan_device_rule *rule = &plan->cgroup.resources.devices[i];

		if (rule->allow && rule->type == 'a')
			return true;
	}
	return plan->n_net_devices > 0;
}

static bool has_hooks(const struct plan_fixture *fixture)
{
	return fixture->plan->hooks[PLAN_HOOK_CREATE_RUNTIME].n;
}

static bool has_sysctls(const struct plan_fixture *fixture)
{
	const struct plan *plan = fixture->plan;

	/* In a namespace that others share. */
	for (size_t i = 0; i < plan->n_sysctls; i++) {
		if (strcmp(plan->sysctls[i].name, "kernel/msgmax") == 0)
			return !(plan->namespaces.create & CLONE_NEWIPC);
	}
	for (size_t i = 0; i < plan->n_parent_sysctls; i++) {
		if (strcmp(plan->parent_sysctls[i].name, "net/core/somaxconn") == 0)
			return true;
	}
	return false;
}

static bool has_annotations(const struct plan_fixture *fixture)
{
	for (size_t i = 0; i < fixture->plan->n_annotations; i++) {
		if (strcmp(fixture->plan->annotations[i].name, "run.oci.handler") == 0)
			return true;
	}
	return false;
}

static bool has_no_limit(const struct plan_fixture *fixture)
{
	const struct plan_resources *resources = &fixture->plan->cgroup.resources;

	return !(resources->set & PLAN_PIDS) || resources->pids <= 0;
}

static bool has_more_than_most(const struct plan_fixture *fixture)
{
	return fixture->plan->cgroup.resources.pids > 1000;
}

static bool connects_anywhere(const struct plan_fixture *fixture)
{
	const struct plan_egress *egress = &fixture->plan->egress;
	const struct egress_value list = { egress->list, egress->n }, *site = policy_egress(fixture->request.policy);

	return !egress->enforced || (site && egress_value_beyond(site, &list));
}

static const struct {
	enum policy_rule rule;
	violation *violated;
} properties[] = {
	{ POLICY_AMBIENT_CAPABILITY, keeps_ambient },
	{ POLICY_ANNOTATION, has_annotations },
	{ POLICY_APPARMOR, is_unconfined },
	{ POLICY_CAPABILITY, has_capabilities },
	{ POLICY_CGROUP_NAMESPACE, sees_host_cgroups },
	{ POLICY_CORE_DUMP, dumps_core },
	{ POLICY_DEVICE, has_devices },
	{ POLICY_EGRESS_MAXIMUM, connects_anywhere },
	{ POLICY_HOOK, has_hooks },
	{ POLICY_HOST_NAMESPACE, is_in_host_namespace },
	{ POLICY_LANDLOCK, has_one_lock },
	{ POLICY_MASKED_PATH, shows_kernel_paths },
	{ POLICY_MOUNT_FLAGS, volumes_have_devices },
	{ POLICY_MOUNT_PROPAGATION, propagates },
	{ POLICY_MOUNT_SOURCE, has_forbidden_volume },
	{ POLICY_NEW_PRIVILEGES, raises_privileges },
	{ POLICY_OOM_SCORE, is_killed_last },
	{ POLICY_RESOURCE_MAXIMUM, has_more_than_most },
	{ POLICY_RESOURCE_MISSING, has_no_limit },
	{ POLICY_ROOTFS_UNMAPPED, is_host_root_untold },
	{ POLICY_SECCOMP, is_unfiltered },
	{ POLICY_SESSION_KEYRING, shares_keyring },
	{ POLICY_SYSCTL, has_sysctls },
	{ POLICY_USER_NAMESPACE, is_host_root },
	{ POLICY_VOLUME_UNMAPPED, has_unmapped_volume },
};

static const char strict_file[] = "{\"set\":\"strict\",\"egress\":[\"10.0.0.0/8\"],"
				  "\"resources\":{\"pids\":{\"missing\":500,\"most\":1000}}}";

static struct policy strict(void)
{
	struct policy policy = { 0 };
	struct error err = { 0 };

	cr_assert_eq(policy_parse(strict_file, strlen(strict_file), &policy, &err), 0, "%s", err.message);
	return policy;
}

/* Strict but for one rule. A maximum is also what a container has that asks for nothing. */
static struct policy strict_without(enum policy_rule rule)
{
	struct policy policy = strict();

	policy.levels[rule] = POLICY_OFF;
	if (rule == POLICY_RESOURCE_MISSING)
		policy.resources.pids.most = 0;
	return policy;
}

static uint64_t seed(void)
{
	const char *text = getenv("BRIG_SEED");
	uint64_t value = text ? strtoull(text, NULL, 10) : 0;

	while (value == 0)
		cr_assert_eq(getrandom(&value, sizeof(value), 0), sizeof(value));
	/* tests/support/unit shows such lines also where nothing failed. */
	fprintf(stderr, "BRIG_SEED=%llu\n", (unsigned long long)value);
	return value;
}

/* One document; true: there is a plan. */
static bool try(struct spec_generator *generator, const struct policy *policy, struct plan_fixture *fixture,
		struct buffer *text)
{
	spec_generator_next(generator, fixture, text);
	fixture->request.policy = policy;
	cr_assert_eq(spec_parse(text->data, text->length, &fixture->spec, &fixture->err), 0, "%s: %s", text->data,
		     fixture->err.message);
	fixture->request.spec = fixture->spec;
	fixture->request.host = &fixture->host;
	cr_assert_eq(plan_userns_is_wanted(&fixture->request, &fixture->request.ids.granted, &fixture->err), 0);
	fixture->rc = plan_build(&fixture->request, &fixture->plan, &fixture->report, &fixture->err);
	return fixture->rc >= 0;
}

Test(plan_floor, no_plan_under_strict_is_weaker_than_the_floor)
{
	struct spec_generator generator = { .state = seed() };
	AUTO(policy_done) struct policy policy = strict();
	size_t planned = 0, refused = 0;

	for (size_t n = 0; n < DOCUMENTS; n++) {
		uint64_t state = generator.state;
		__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
		PLAN_FIXTURE(fixture);

		if (!try(&generator, &policy, &fixture, &text)) {
			cr_expect_eq(fixture.err.kind, ERROR_REFUSED, "%s: %s", fixture.err.message, text.data);
			refused++;
			continue;
		}
		planned++;
		for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
			cr_assert_not(properties[i].violated(&fixture), "%s, BRIG_SEED=%llu: %s",
				      policy_rule_name(properties[i].rule), (unsigned long long)state, text.data);
	}
	cr_expect_gt(planned, DOCUMENTS / 20, "the generator has to get past the refusals: %zu of %d", planned,
		     DOCUMENTS);
	cr_expect_gt(refused, DOCUMENTS / 20);
}

Test(plan_floor, each_rule_switched_off_lets_something_through)
{
	uint64_t first = seed();
	struct spec_generator generator = { .state = first };

	for (size_t i = 0; i < ARRAY_SIZE(properties); i += RULES_STEP) {
		AUTO(policy_done) struct policy policy = strict_without(properties[i].rule);
		bool found = false;

		for (size_t n = 0; !found && n < DOCUMENTS_OFF; n++) {
			__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
			PLAN_FIXTURE(fixture);

			found = try(&generator, &policy, &fixture, &text) && properties[i].violated(&fixture);
		}
		cr_expect(found, "%s: nothing got through without it, BRIG_SEED=%llu",
			  policy_rule_name(properties[i].rule), (unsigned long long)first);
	}
}

Test(plan_floor, every_rule_of_the_floor_is_looked_at)
{
	for (int rule = POLICY_FLOOR_FIRST; rule < POLICY_N_RULES; rule++) {
		bool looked_at = false;

		for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
			looked_at |= (int)properties[i].rule == rule;
		cr_expect(looked_at, "%s", policy_rule_name((enum policy_rule)rule));
	}
}
