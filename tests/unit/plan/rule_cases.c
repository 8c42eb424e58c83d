#include "rule_cases.h"

#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"

static bool has_new_privileges_off(const struct plan *plan)
{
	return plan->process.no_new_privileges;
}

static void without_keyring(struct plan_fixture *fixture)
{
	fixture->request.no_new_keyring = true;
}

static bool has_keyring(const struct plan *plan)
{
	return plan->process.new_keyring;
}

static bool dumps_nothing(const struct plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->process.n_rlimits; i++) {
		if (plan->process.rlimits[i].resource == RLIMIT_CORE)
			n += plan->process.rlimits[i].soft == 0 && plan->process.rlimits[i].hard == 0;
	}
	return n == 1;
}

static bool has_no_net_device(const struct plan *plan)
{
	return plan->n_net_devices == 0;
}

static bool has_no_capabilities(const struct plan *plan)
{
	const struct plan_capabilities *sets = &plan->process.capabilities;

	return !(sets->bounding | sets->effective | sets->permitted | sets->inheritable | sets->ambient);
}

static bool has_short_list(const struct plan *plan)
{
	const struct plan_capabilities *sets = &plan->process.capabilities;

	return sets->bounding == UINT64_C(1) << CAP_CHOWN && sets->permitted == sets->bounding &&
	       sets->effective == sets->bounding;
}

static void with_realtime(struct plan_fixture *fixture)
{
	fixture->host.scheduler = SCHED_FIFO;
}

static void with_nice(struct plan_fixture *fixture)
{
	fixture->host.nice = -5;
}

static void with_io_priority(struct plan_fixture *fixture)
{
	fixture->host.io_priority = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 4);
}

static bool has_no_priority(const struct plan *plan)
{
	const struct plan_process *process = &plan->process;
	size_t closed = 0;

	for (size_t i = 0; i < process->n_rlimits; i++) {
		if (process->rlimits[i].resource == RLIMIT_RTPRIO || process->rlimits[i].resource == RLIMIT_NICE)
			closed += !process->rlimits[i].soft && !process->rlimits[i].hard;
	}
	return closed == 2 &&
	       (!process->scheduler.set || process->scheduler.policy == SCHED_BATCH ||
		process->scheduler.policy == SCHED_OTHER) &&
	       process->scheduler.nice == 0 && process->scheduler.flags == 0 && process->io_priority == 0;
}

/* brig's own, which only what is set does away with. */
static bool has_no_inherited_scheduler(const struct plan *plan)
{
	return has_no_priority(plan) && plan->process.scheduler.set;
}

static bool has_no_inherited_io_priority(const struct plan *plan)
{
	return has_no_priority(plan) && plan->process.set_io_priority;
}

static bool has_no_ambient(const struct plan *plan)
{
	const struct plan_capabilities *sets = &plan->process.capabilities;

	return !(sets->inheritable | sets->ambient) && sets->permitted;
}

static bool has_score_0(const struct plan *plan)
{
	return plan->process.set_oom_score_adj && plan->process.oom_score_adj == 0;
}

static bool has_score_of_cri(const struct plan *plan)
{
	return plan->process.set_oom_score_adj && plan->process.oom_score_adj == -998;
}

static void low_score(struct plan_fixture *fixture)
{
	fixture->host.oom_score_adj = -999;
}

static bool has_floor(const struct plan *plan)
{
	return plan->seccomp.floor == PLAN_FLOOR_STRICT;
}

static void with_apparmor(struct plan_fixture *fixture)
{
	fixture->host.apparmor = fixture->host.apparmor_default = true;
}

static bool has_default_profile(const struct plan *plan)
{
	return plan->process.apparmor_profile && strcmp(plan->process.apparmor_profile, PLAN_APPARMOR_DEFAULT) == 0;
}

static bool has_path(const char *const *list, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], path) == 0)
			return true;
	}
	return false;
}

static bool masks_all(const struct plan *plan)
{
	const struct plan_rootfs *rootfs = &plan->rootfs;

	return has_path(rootfs->masked, rootfs->n_masked, "/proc/kcore") &&
	       has_path(rootfs->masked, rootfs->n_masked, "/a") &&
	       has_path(rootfs->masked, rootfs->n_masked, "/sys/devices/virtual/powercap") &&
	       has_path(rootfs->readonly_paths, rootfs->n_readonly_paths, "/proc/sysrq-trigger");
}

static bool has_no_sysctl(const struct plan *plan)
{
	return plan->n_sysctls == 1 && strcmp(plan->sysctls[0].name, "net/ipv4/tcp_rmem") == 0;
}

static bool has_no_hook(const struct plan *plan)
{
	return plan->hooks[PLAN_HOOK_POSTSTOP].n == 0;
}

static bool has_no_annotation(const struct plan *plan)
{
	return plan->n_annotations == 1 && strcmp(plan->annotations[0].name, "a") == 0;
}

static bool has_no_disk(const struct plan *plan)
{
	for (size_t i = 0; i < plan->rootfs.n_devices; i++) {
		if (plan->rootfs.devices[i].major == 8)
			return false;
	}
	for (size_t i = 0; i < plan->cgroup.resources.n_devices; i++) {
		if (plan->cgroup.resources.devices[i].allow && plan->cgroup.resources.devices[i].major == 8)
			return false;
	}
	return true;
}

static bool has_pids_2048(const struct plan *plan)
{
	return plan->cgroup.resources.set & PLAN_PIDS && plan->cgroup.resources.pids == 2048;
}

static bool takes_nothing_from_others(const struct plan *plan)
{
	const struct plan_resources *resources = &plan->cgroup.resources;

	for (size_t i = 0; i < resources->n_unified; i++) {
		if (strcmp(resources->unified[i].name, "memory.high") != 0)
			return false;
	}
	return true;
}

#define CAPABILITIES(names)                                                                   \
	",'capabilities':{'bounding':[" names "],'permitted':[" names "],'effective':[" names \
	"],'inheritable':[" names "],'ambient':[" names "]}"

const struct rule_case rule_cases[] = {
	{ POLICY_NEW_PRIVILEGES, { 0 }, NULL, has_new_privileges_off, "process.noNewPrivileges: asked for false, but ", true },
	{ POLICY_SESSION_KEYRING, { 0 }, without_keyring, has_keyring, "--no-new-keyring: asked for brig's own", false },
	{ POLICY_CORE_DUMP, { 0 }, NULL, dumps_nothing, "process.rlimits (RLIMIT_CORE): asked for brig's own limit", true },
	{ POLICY_CORE_DUMP,
	  { .process = ",'rlimits':[{'type':'RLIMIT_NOFILE','soft':5,'hard':5},{'type':'RLIMIT_CORE','soft':0,'hard':5}]" },
	  NULL,
	  dumps_nothing,
	  "process.rlimits (RLIMIT_CORE): asked for dumps",
	  true },
	{ POLICY_CAPABILITY,
	  { .process = CAPABILITIES("'CAP_CHOWN','CAP_SYS_ADMIN'") },
	  NULL,
	  has_no_capabilities,
	  "process.capabilities: asked for CAP_CHOWN, CAP_SYS_ADMIN, but without a user namespace",
	  true },
	{ POLICY_CAPABILITY,
	  { .process = CAPABILITIES("'CAP_CHOWN','CAP_SYS_ADMIN'"),
	    .namespaces = PLAN_FIXTURE_USER,
	    .linux_ = PLAN_FIXTURE_MAPS },
	  NULL,
	  has_short_list,
	  "process.capabilities: asked for CAP_SYS_ADMIN, but it opens much of the kernel",
	  true },
	{ POLICY_CAPABILITY,
	  { .process = CAPABILITIES("'CAP_CHOWN','CAP_NET_RAW'"), .namespaces = ",{'type':'user','path':'/run/pod'}" },
	  NULL,
	  has_short_list,
	  "process.capabilities: asked for CAP_NET_RAW",
	  true },
	{ POLICY_CAPABILITY,
	  { .process = ",'rlimits':[{'type':'RLIMIT_RTPRIO','soft':0,'hard':99}]" },
	  NULL,
	  has_no_priority,
	  "process.rlimits (RLIMIT_RTPRIO): asked for realtime priorities, but it goes before all other programs",
	  true },
	{ POLICY_CAPABILITY,
	  { .process = ",'scheduler':{'policy':'SCHED_FIFO','priority':1}" },
	  NULL,
	  has_no_priority,
	  "process.scheduler: asked for SCHED_FIFO, but",
	  true },
	{ POLICY_CAPABILITY,
	  { .process = ",'scheduler':{'policy':'SCHED_DEADLINE','runtime':10,'deadline':20,'period':30}",
	    .namespaces = PLAN_FIXTURE_USER,
	    .linux_ = PLAN_FIXTURE_MAPS },
	  NULL,
	  has_no_priority,
	  "process.scheduler: asked for SCHED_DEADLINE, but",
	  true },
	{ POLICY_CAPABILITY,
	  { .process = ",'ioPriority':{'class':'IOPRIO_CLASS_RT','priority':0}" },
	  NULL,
	  has_no_priority,
	  "process.ioPriority: asked for IOPRIO_CLASS_RT, but",
	  true },
	{ POLICY_CAPABILITY,
	  { .process = ",'rlimits':[{'type':'RLIMIT_NICE','soft':20,'hard':21}]" },
	  NULL,
	  has_no_priority,
	  "process.rlimits (RLIMIT_NICE): asked for nice values below 0, but",
	  true },
	{ POLICY_CAPABILITY,
	  { .process = ",'scheduler':{'policy':'SCHED_BATCH','nice':-1}" },
	  NULL,
	  has_no_priority,
	  "process.scheduler: asked for nice -1, but",
	  true },
	{ POLICY_CAPABILITY,
	  { 0 },
	  with_realtime,
	  has_no_inherited_scheduler,
	  "process.scheduler: asked for SCHED_FIFO, brig's own, but",
	  true,
	  .is_own = true },
	{ POLICY_CAPABILITY,
	  { 0 },
	  with_nice,
	  has_no_inherited_scheduler,
	  "process.scheduler: asked for nice -5, brig's own, but",
	  true,
	  .is_own = true },
	{ POLICY_CAPABILITY,
	  { .process = ",'scheduler':{'policy':'SCHED_OTHER','nice':5,'flags':['SCHED_FLAG_KEEP_POLICY']}" },
	  with_realtime,
	  has_no_inherited_scheduler,
	  "process.scheduler: asked for SCHED_FIFO, brig's own, but",
	  true,
	  .is_own = true },
	{ POLICY_CAPABILITY,
	  { .process = ",'scheduler':{'policy':'SCHED_OTHER','nice':5,'flags':['SCHED_FLAG_KEEP_PARAMS']}" },
	  with_nice,
	  has_no_inherited_scheduler,
	  "process.scheduler: asked for nice -5, brig's own, but",
	  true,
	  .is_own = true },
	{ POLICY_CAPABILITY,
	  { 0 },
	  with_io_priority,
	  has_no_inherited_io_priority,
	  "process.ioPriority: asked for IOPRIO_CLASS_RT, brig's own, but",
	  true,
	  .is_own = true },
	{ POLICY_AMBIENT_CAPABILITY,
	  { .process = CAPABILITIES("'CAP_CHOWN'") },
	  NULL,
	  has_no_ambient,
	  "process.capabilities.inheritable, .ambient: asked for CAP_CHOWN",
	  true },
	{ POLICY_OOM_SCORE,
	  { .process = ",'oomScoreAdj':-1" },
	  NULL,
	  has_score_0,
	  "process.oomScoreAdj: asked for -1, but",
	  true },
	{ POLICY_OOM_SCORE, { 0 }, low_score, has_score_0, "process.oomScoreAdj: asked for -999, brig's own value", true },
	{ POLICY_OOM_SCORE,
	  { .process = ",'oomScoreAdj':-999", .top = ",'annotations':{'io.kubernetes.cri.container-type':'container'}" },
	  NULL,
	  has_score_of_cri,
	  "process.oomScoreAdj: asked for -999",
	  true },
	{ POLICY_SECCOMP, { 0 }, NULL, has_floor, "linux.seccomp: asked for no filter", true },
	{ POLICY_SECCOMP,
	  { .linux_ = ",'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['read'],'action':'SCMP_ACT_ALLOW'}]}" },
	  NULL,
	  has_floor,
	  "linux.seccomp: asked for a filter that denies nothing",
	  true },
	{ POLICY_APPARMOR, { 0 }, with_apparmor, has_default_profile, "process.apparmorProfile: asked for no profile", true },
	{ POLICY_APPARMOR,
	  { .process = ",'apparmorProfile':'unconfined'" },
	  with_apparmor,
	  has_default_profile,
	  "process.apparmorProfile: asked for unconfined",
	  true },
	{ POLICY_MASKED_PATH,
	  { .linux_ = ",'maskedPaths':['/a','/proc/acpi'],'readonlyPaths':['/proc/sys']" },
	  NULL,
	  masks_all,
	  "linux.maskedPaths: asked for /proc/asound, /proc/interrupts, /proc/kcore",
	  false },
	{ POLICY_SYSCTL,
	  { .linux_ = ",'sysctl':{'net.core.somaxconn':'9','net.ipv4.tcp_rmem':'1 2 3'}",
	    .namespaces = ",{'type':'network','path':'/run/netns/a'}" },
	  NULL,
	  has_no_sysctl,
	  "linux.sysctl[\"net/core/somaxconn\"]: asked for \"9\", but it is not on the list",
	  false },
	{ POLICY_DEVICE,
	  { .linux_ = ",'netDevices':{'eth1':{}}", .namespaces = ",{'type':'network'}" },
	  NULL,
	  has_no_net_device,
	  "linux.netDevices[\"eth1\"]: asked for the interface, as eth1, but the container would be on a network of the host's",
	  false },
	{ POLICY_HOOK,
	  { .top = ",'hooks':{'poststop':[{'path':'/usr/libexec/hooks/../../bin/sh'}]}" },
	  NULL,
	  has_no_hook,
	  "hooks.poststop[0]: asked for /usr/libexec/hooks/../../bin/sh, but it would run on the host",
	  false },
	{ POLICY_HOOK,
	  { .top = ",'hooks':{'poststop':[{'path':'/usr/libexec/hooks-not/a'}]}" },
	  NULL,
	  has_no_hook,
	  "hooks.poststop[0]: asked for /usr/libexec/hooks-not/a",
	  false },
	{ POLICY_RESOURCE_MAXIMUM,
	  { .linux_ = ",'resources':{'unified':{'memory.high':'1','cpuset.cpus.partition':'isolated'}}" },
	  NULL,
	  takes_nothing_from_others,
	  "linux.resources.unified[\"cpuset.cpus.partition\"]: asked for isolated, but it would take processors",
	  false },
	{ POLICY_RESOURCE_MAXIMUM,
	  { .linux_ = ",'resources':{'unified':{'memory.high':'1','cpuset.cpus.exclusive':'0-3'}}" },
	  NULL,
	  takes_nothing_from_others,
	  "linux.resources.unified[\"cpuset.cpus.exclusive\"]: asked for 0-3, but it would take processors",
	  false },
	{ POLICY_RESOURCE_MAXIMUM,
	  { .linux_ = ",'resources':{'unified':{'memory.high':'1','io.latency':'8:0 target=1'}}" },
	  NULL,
	  takes_nothing_from_others,
	  "linux.resources.unified[\"io.latency\"]: asked for 8:0 target=1, but the kernel would slow down",
	  false },
	{ POLICY_RESOURCE_MAXIMUM,
	  { .linux_ = ",'resources':{'unified':{'memory.high':'1','io.prio.class':'promote-to-rt'}}" },
	  NULL,
	  takes_nothing_from_others,
	  "linux.resources.unified[\"io.prio.class\"]: asked for promote-to-rt, but its requests would go before",
	  false },
	{ POLICY_RESOURCE_MAXIMUM,
	  { .linux_ = ",'resources':{'unified':{'memory.high':'1','io.prio.class':'none-to-rt'}}" },
	  NULL,
	  takes_nothing_from_others,
	  "linux.resources.unified[\"io.prio.class\"]: asked for none-to-rt, but its requests would go before",
	  false },
	{ POLICY_ANNOTATION,
	  { .top = ",'annotations':{'a':'b','run.oci.hooks.stdout':'/etc/cron.d/x'}" },
	  NULL,
	  has_no_annotation,
	  "annotations[\"run.oci.hooks.stdout\"]: asked for \"/etc/cron.d/x\", but a file of the host is written",
	  false },
	{ POLICY_ANNOTATION,
	  { .top = ",'annotations':{'org.systemd.property.ExecStop':'x','a':'b'}" },
	  NULL,
	  has_no_annotation,
	  "annotations[\"org.systemd.property.ExecStop\"]: ",
	  false },
	{ POLICY_ANNOTATION,
	  { .top = ",'annotations':{'io.katacontainers.config.hypervisor.path':'/x','a':'b'}" },
	  NULL,
	  has_no_annotation,
	  "annotations[\"io.katacontainers.config.hypervisor.path\"]: ",
	  false },
	{ POLICY_DEVICE,
	  { .linux_ = ",'devices':[{'path':'/dev/sda','type':'b','major':8,'minor':0}]" },
	  NULL,
	  has_no_disk,
	  "linux.devices: asked for /dev/sda, b 8:0, but it is neither one of the default devices",
	  false },
	{ POLICY_DEVICE,
	  { .linux_ = ",'resources':{'devices':[{'allow':false},{'allow':true,'type':'b','major':8,'access':'r'}]}" },
	  NULL,
	  has_no_disk,
	  "linux.resources.devices: asked for b 8:*, but",
	  false },
	{ POLICY_RESOURCE_MISSING, { 0 }, NULL, has_pids_2048, "linux.resources.pids.limit: asked for no limit, but", false },
	{ POLICY_RESOURCE_MISSING,
	  { .linux_ = ",'resources':{'pids':{'limit':-1}}" },
	  NULL,
	  has_pids_2048,
	  "linux.resources.pids.limit: asked for no limit, but",
	  false },
	{ POLICY_RESOURCE_MISSING,
	  { .linux_ = ",'resources':{'unified':{'pids.max':'max'}}" },
	  NULL,
	  has_pids_2048,
	  "linux.resources.pids.limit: asked for no limit, but",
	  false },
};
const size_t n_rule_cases = ARRAY_SIZE(rule_cases);
