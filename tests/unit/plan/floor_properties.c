#include "floor_properties.h"

#include <linux/ioprio.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "floor_limits.h"
#include "spec_generator.h"

const char floor_properties_policy[] =
	"{\"set\":\"strict\",\"egress\":[\"10.0.0.0/8\"],\"mount_sources\":[\"/run/listener\"],"
	"\"hook_directories\":[\"/usr/libexec/hooks\"],\"net_devices\":[\"mlx*\"],"
	"\"resources\":{\"pids\":{\"missing\":500,\"most\":1000},\"memory\":{\"missing\":\"256m\",\"most\":\"1g\"},"
	"\"cpu\":{\"missing\":\"0.5\",\"most\":\"2\"}}}";

/* ---- the process ---- */

static uint64_t own_namespaces(const struct plan *plan)
{
	uint64_t flags = plan->namespaces.create;

	for (size_t i = 0; i < plan->namespaces.n_join; i++)
		flags |= plan->namespaces.join[i].flag;
	return flags;
}

static bool has_user_namespace(const struct plan *plan)
{
	return own_namespaces(plan) & CLONE_NEWUSER;
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

static bool has_capabilities(const struct plan_fixture *fixture)
{
	const struct plan_capabilities *has = &fixture->plan->process.capabilities;
	uint64_t ceiling = policy_capabilities(fixture->request.policy, has_user_namespace(fixture->plan));

	return (has->bounding | has->permitted | has->effective | has->inheritable | has->ambient) & ~ceiling;
}

static uint64_t hard_limit(const struct plan_fixture *fixture, int resource)
{
	const struct plan_process *process = &fixture->plan->process;

	for (size_t i = 0; i < process->n_rlimits; i++) {
		if (process->rlimits[i].resource == resource)
			return process->rlimits[i].hard;
	}
	return fixture->host.rlimit_hard[resource];
}

static bool is_realtime(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_DEADLINE;
}

/* As CAP_SYS_NICE lets. What config.json leaves open is brig's own. */
static bool is_ahead(const struct plan_fixture *fixture)
{
	const struct plan_process *process = &fixture->plan->process;
	const struct plan_scheduler *scheduler = &process->scheduler;
	int io = process->set_io_priority ? process->io_priority : fixture->host.io_priority;

	if (hard_limit(fixture, RLIMIT_RTPRIO) > 0 || hard_limit(fixture, RLIMIT_NICE) > 20)
		return true;
	return is_realtime(scheduler->set ? scheduler->policy : fixture->host.scheduler) ||
	       (scheduler->set ? scheduler->nice : fixture->host.nice) < 0 || IOPRIO_PRIO_CLASS(io) == IOPRIO_CLASS_RT;
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
	const struct plan *plan = fixture->plan;

	return plan->seccomp.floor != PLAN_FLOOR_STRICT ||
	       plan->seccomp.floor_capabilities & ~plan->process.capabilities.bounding;
}

static bool lets_speculate(const struct plan_fixture *fixture)
{
	return fixture->plan->seccomp.flags & SECCOMP_FILTER_FLAG_SPEC_ALLOW;
}

static bool is_listed_place(const char *path, const struct policy_strings *listed)
{
	for (size_t i = 0; i < listed->n; i++) {
		if (path_is_below(path, listed->list[i]) && !strstr(path, "/../"))
			return true;
	}
	return false;
}

/* Whoever has the listener decides about calls, and reads the container's memory. */
static bool has_listener(const struct plan_fixture *fixture)
{
	const struct plan_seccomp *seccomp = &fixture->plan->seccomp;

	return seccomp->listener_path &&
	       (!is_listed_place(seccomp->listener_path, &fixture->request.policy->mount_sources) ||
		!seccomp->listener_held);
}

static bool is_unconfined(const struct plan_fixture *fixture)
{
	const char *profile = fixture->plan->process.apparmor_profile;

	if (!fixture->host.apparmor_default)
		return false;
	if (!profile || strstr(profile, "unconfined"))
		return true;
	return fixture->host.apparmor_stacked && strcmp(profile, PLAN_APPARMOR_DEFAULT) != 0 &&
	       !strstr(profile, PLAN_APPARMOR_STACKED);
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

/* A path says nothing of what it leads to: whoever opens it has to look. */
static bool may_join_the_hosts(const struct plan_fixture *fixture)
{
	const struct plan_namespaces *namespaces = &fixture->plan->namespaces;

	for (size_t i = 0; i < namespaces->n_join; i++) {
		if (namespaces->join[i].flag != CLONE_NEWUSER && !namespaces->join[i].not_the_hosts)
			return true;
	}
	return false;
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
		if (path_is_below(wanted, paths[i]))
			return true;
	}
	return false;
}

static bool lacks(const char *const *paths, size_t n, const char *const *wanted, size_t n_wanted)
{
	for (size_t i = 0; i < n_wanted; i++) {
		if (!lists(paths, n, wanted[i]))
			return true;
	}
	return false;
}

static bool shows_kernel_paths(const struct plan_fixture *fixture)
{
	static const char *const masked[] = {
		"/proc/acpi",	    "/proc/asound",	   "/proc/interrupts",	"/proc/kcore",
		"/proc/keys",	    "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
		"/proc/timer_list", "/proc/timer_stats",   "/sys/firmware",	"/sys/devices/virtual/powercap",
	};
	/* Of the host's root alone. */
	static const char *const of_root[] = { "/proc/allocinfo",  "/proc/dynamic_debug", "/proc/kpagecgroup",
					       "/proc/kpagecount", "/proc/kpageflags",	  "/proc/pagetypeinfo",
					       "/proc/slabinfo",   "/proc/tty/driver",	  "/proc/vmallocinfo" };
	const struct plan_rootfs *rootfs = &fixture->plan->rootfs;

	return lacks(rootfs->masked, rootfs->n_masked, masked, ARRAY_SIZE(masked)) ||
	       (!has_user_namespace(fixture->plan) &&
		lacks(rootfs->masked, rootfs->n_masked, of_root, ARRAY_SIZE(of_root)));
}

static bool changes_kernel_paths(const struct plan_fixture *fixture)
{
	static const char *const read_only[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
						 "/proc/sysrq-trigger" };
	const struct plan_rootfs *rootfs = &fixture->plan->rootfs;

	for (size_t i = 0; i < ARRAY_SIZE(read_only); i++) {
		if (!lists(rootfs->readonly_paths, rootfs->n_readonly_paths, read_only[i]) &&
		    !lists(rootfs->masked, rootfs->n_masked, read_only[i]))
			return true;
	}
	return false;
}

/* A sysfs, or without a user namespace a cgroup, whose owner is the host's root. */
static bool changes_kernel_files(const struct plan_fixture *fixture)
{
	const struct plan_rootfs *rootfs = &fixture->plan->rootfs;

	for (size_t i = 0; i < rootfs->n_mounts; i++) {
		const struct plan_mount *mount = &rootfs->mounts[i];
		bool is_cgroup = mount->kind == PLAN_MOUNT_CGROUP && !has_user_namespace(fixture->plan);
		bool is_sysfs = mount->kind == PLAN_MOUNT_FILESYSTEM && strcmp(mount->type, "sysfs") == 0;

		if ((is_cgroup || is_sysfs) && !(mount->attr_set & ~mount->attr_clear & MOUNT_ATTR_RDONLY))
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

static bool is_disk(const struct plan_mount *mount)
{
	return strcmp(mount->source, "/dev/sda") == 0;
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
	return any_volume(fixture, is_disk);
}

static bool has_net_devices(const struct plan_fixture *fixture)
{
	const struct plan *plan = fixture->plan;

	for (size_t i = 0; i < plan->n_net_devices; i++) {
		if (strncmp(plan->net_devices[i].host_name, "mlx", 3) != 0)
			return true;
	}
	return false;
}

static bool any_hook(const struct plan_fixture *fixture,
		     bool (*has)(const struct plan_hook *hook, const struct policy_strings *directories))
{
	for (size_t kind = 0; kind < PLAN_N_HOOK_KINDS; kind++) {
		for (size_t i = 0; i < fixture->plan->hooks[kind].n; i++) {
			if (has(&fixture->plan->hooks[kind].list[i], &fixture->request.policy->hook_directories))
				return true;
		}
	}
	return false;
}

static bool is_foreign(const struct plan_hook *hook, const struct policy_strings *directories)
{
	return !is_listed_place(hook->path, directories);
}

static bool has_variables(const struct plan_hook *hook, const struct policy_strings *directories)
{
	(void)directories;
	for (size_t i = 0; hook->envp[i]; i++) {
		if (strncmp(hook->envp[i], "LD_", 3) == 0 || strstr(hook->envp[i], "/tmp"))
			return true;
	}
	return false;
}

static bool has_hooks(const struct plan_fixture *fixture)
{
	return any_hook(fixture, is_foreign);
}

static bool has_hook_variables(const struct plan_fixture *fixture)
{
	return any_hook(fixture, has_variables);
}

static bool has_sysctls(const struct plan_fixture *fixture)
{
	const struct plan *plan = fixture->plan;

	/* In a namespace that others share. */
	for (size_t i = 0; i < plan->n_sysctls; i++) {
		if (strcmp(plan->sysctls[i].name, "kernel/msgmax") == 0 && !(plan->namespaces.create & CLONE_NEWIPC))
			return true;
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
		if (spec_generator_misuses(fixture->plan->annotations[i].name))
			return true;
	}
	return false;
}

static bool connects_anywhere(const struct plan_fixture *fixture)
{
	const struct plan_egress *egress = &fixture->plan->egress;
	const struct egress_value list = { egress->list, egress->n }, *site = policy_egress(fixture->request.policy);

	return !egress->enforced || (site && egress_value_beyond(site, &list));
}

#define PROPERTY(rule, function, violated)                   \
	{                                                    \
		POLICY_##rule, function, violated, #violated \
	}

const struct floor_property floor_properties[] = {
	PROPERTY(AMBIENT_CAPABILITY, "ambient_capability", keeps_ambient),
	PROPERTY(ANNOTATION, "annotation", has_annotations),
	PROPERTY(APPARMOR, "apparmor", is_unconfined),
	PROPERTY(CAPABILITY, "capability", has_capabilities),
	PROPERTY(CAPABILITY, "priority", is_ahead),
	PROPERTY(CGROUP_NAMESPACE, "namespaces", sees_host_cgroups),
	PROPERTY(CORE_DUMP, "core_dump", dumps_core),
	PROPERTY(DEVICE, "device", has_devices),
	PROPERTY(DEVICE, "net_device", has_net_devices),
	PROPERTY(EGRESS_MAXIMUM, NULL, connects_anywhere),
	PROPERTY(HOOK, "hook", has_hooks),
	PROPERTY(HOOK, "hook", has_hook_variables),
	PROPERTY(HOST_NAMESPACE, "namespaces", is_in_host_namespace),
	PROPERTY(HOST_NAMESPACE, NULL, may_join_the_hosts),
	PROPERTY(LANDLOCK, "landlock", has_one_lock),
	PROPERTY(MASKED_PATH, "masked_path", shows_kernel_paths),
	PROPERTY(MASKED_PATH, "masked_path", changes_kernel_paths),
	PROPERTY(MASKED_PATH, "masked_path", changes_kernel_files),
	PROPERTY(MOUNT_FLAGS, "mount_flags", volumes_have_devices),
	PROPERTY(MOUNT_PROPAGATION, "mount_propagation", propagates),
	PROPERTY(MOUNT_SOURCE, "mount_source", has_forbidden_volume),
	PROPERTY(MOUNT_SOURCE, "listener", has_listener),
	PROPERTY(NEW_PRIVILEGES, "new_privileges", raises_privileges),
	PROPERTY(OOM_SCORE, "oom_score", is_killed_last),
	PROPERTY(RESOURCE_MAXIMUM, "resource_maximum", floor_limits_pids_above),
	PROPERTY(RESOURCE_MAXIMUM, "resource_maximum", floor_limits_memory_above),
	PROPERTY(RESOURCE_MAXIMUM, "resource_maximum", floor_limits_cpu_above),
	PROPERTY(RESOURCE_MAXIMUM, "unified", floor_limits_greedy),
	PROPERTY(RESOURCE_MISSING, "resource_missing", floor_limits_pids_missing),
	PROPERTY(RESOURCE_MISSING, "resource_missing", floor_limits_memory_missing),
	PROPERTY(RESOURCE_MISSING, "resource_missing", floor_limits_cpu_missing),
	PROPERTY(ROOTFS_UNMAPPED, NULL, is_host_root_untold),
	PROPERTY(SECCOMP, "seccomp", is_unfiltered),
	PROPERTY(SECCOMP, "seccomp", lets_speculate),
	PROPERTY(SESSION_KEYRING, "session_keyring", shares_keyring),
	PROPERTY(SYSCTL, "sysctl", has_sysctls),
	PROPERTY(USER_NAMESPACE, NULL, is_host_root),
	PROPERTY(VOLUME_UNMAPPED, NULL, has_unmapped_volume),
};
const size_t n_floor_properties = ARRAY_SIZE(floor_properties);
