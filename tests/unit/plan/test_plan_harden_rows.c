/* The lists of the floor's rules, each entry by itself: one that is lost in brig fails here. */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "plan_fixture.h"
#include "policy/policy.h"

#define TEXT_MAX 512

/* strict with every rule of the floor off but this one. */
static struct policy only(enum policy_rule rule, enum policy_level level)
{
	struct policy policy = { 0 };

	cr_assert_eq(policy_load("strict", &policy, NULL), 0);
	for (size_t i = POLICY_FLOOR_FIRST; i < POLICY_N_RULES; i++)
		policy.levels[i] = POLICY_OFF;
	policy.levels[rule] = level;
	return policy;
}

/* ---- annotations ---- */

static const char *const misused[] = {
	"run.oci.handler",
	"run.oci.hooks.stdout",
	"run.oci.hooks.stderr",
	"run.oci.seccomp.plugins",
	"run.oci.seccomp.receiver",
	"run.oci.seccomp_bpf_data",
	"run.oci.pidfd_receiver",
	"run.oci.systemd.force_cgroup_v1",
	"run.oci.delegate-cgroup",
	"module.wasm.image/variant",
	"krun.cpus",
	"io.katacontainers.config.hypervisor.path",
	"dev.gvisor.flag.debug-log",
	"org.criu.config",
	"org.systemd.property.ExecStartPre",
	"org.systemd.property.DeviceAllow",
	"org.systemd.property.MemoryMax",
	"org.systemd.property.AfterAll",
	"org.systemd.property.",
};

static const char *const harmless[] = {
	"org.systemd.property.After",
	"org.systemd.property.Before",
	"org.systemd.property.CollectMode",
	"org.systemd.property.DefaultDependencies",
	"org.systemd.property.Delegate",
	"org.systemd.property.Description",
	"org.systemd.property.KillMode",
	"org.systemd.property.KillSignal",
	"org.systemd.property.SendSIGKILL",
	"org.systemd.property.SendSIGHUP",
	"org.systemd.property.TimeoutStopSec",
	"org.systemd.property.TimeoutStopUSec",
	"org.systemd.property.RuntimeMaxSec",
	"org.systemd.property.RuntimeMaxUSec",
	"run.oci.handlers",
	"io.kubernetes.cri.sandbox-name",
	"org.opencontainers.image.ref.name",
};

/* With systemd's properties a driver would look at values; without one they are texts. */
static bool stays(const char *name)
{
	AUTO(policy_done) struct policy policy = only(POLICY_ANNOTATION, POLICY_ADJUST);
	PLAN_FIXTURE(fixture);
	char top[TEXT_MAX];

	snprintf(top, sizeof(top), ",'annotations':{'%s':'1'}", name);
	fixture.request.policy = &policy;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){ .top = top });
	for (size_t i = 0; i < fixture.plan->n_annotations; i++) {
		if (strcmp(fixture.plan->annotations[i].name, name) == 0)
			return true;
	}
	cr_expect(plan_fixture_has_line(&fixture, "annotation"), "%s goes without a word", name);
	return false;
}

Test(plan_harden_rows, annotations)
{
	for (size_t i = 0; i < ARRAY_SIZE(misused); i++)
		cr_expect_not(stays(misused[i]), "%s", misused[i]);
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		cr_expect(stays(harmless[i]), "%s", harmless[i]);
}

/* ---- the kernel's file systems as sources ---- */

static const uint32_t file_systems[] = {
	PROC_SUPER_MAGIC,
	SYSFS_MAGIC,
	CGROUP_SUPER_MAGIC,
	CGROUP2_SUPER_MAGIC,
	DEBUGFS_MAGIC,
	TRACEFS_MAGIC,
	SECURITYFS_MAGIC,
	BPF_FS_MAGIC,
	0x62656570 /* configfs */,
	EFIVARFS_MAGIC,
	NSFS_MAGIC,
	SELINUX_MAGIC,
	AAFS_MAGIC,
	PSTOREFS_MAGIC,
	BINFMTFS_MAGIC,
	DEVPTS_SUPER_MAGIC,
	0x65735543 /* fusectl */,
	0x19800202 /* mqueue */,
};

Test(plan_harden_rows, file_systems)
{
	for (size_t i = 0; i < ARRAY_SIZE(file_systems); i++) {
		AUTO(policy_done) struct policy policy = only(POLICY_MOUNT_SOURCE, POLICY_ENFORCE);
		PLAN_FIXTURE(fixture);
		struct host_source source = { .known = true,
					      .device = 7,
					      .inode = 42,
					      .mode = S_IFDIR | 0755,
					      .file_system = file_systems[i],
					      .real = "/srv/harmless" };

		fixture.request.policy = &policy;
		fixture.request.sources = &source;
		plan_fixture_build(&fixture,
				   &(struct plan_fixture_json){
					   .mounts = "{'destination':'/a','source':'/x','options':['bind','ro']}" });
		cr_expect_eq(fixture.rc, -EPERM, "0x%x", file_systems[i]);
	}
}

/* ---- paths ---- */

static const char *const masked[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/devices/virtual/powercap",
	"/sys/firmware",
};

static const char *const of_root[] = {
	"/proc/allocinfo",    "/proc/dynamic_debug", "/proc/kpagecgroup", "/proc/kpagecount",  "/proc/kpageflags",
	"/proc/pagetypeinfo", "/proc/slabinfo",	     "/proc/tty/driver",  "/proc/vmallocinfo",
};

static const char *const read_only[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger" };

static bool lists(const char *const *list, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], path) == 0)
			return true;
	}
	return false;
}

static void check_paths(const struct plan_fixture_json *json, bool is_hosts_root)
{
	AUTO(policy_done) struct policy policy = only(POLICY_MASKED_PATH, POLICY_ADJUST);
	PLAN_FIXTURE(fixture);
	const struct plan_rootfs *rootfs;

	fixture.request.policy = &policy;
	plan_fixture_good(&fixture, json);
	rootfs = &fixture.plan->rootfs;
	for (size_t i = 0; i < ARRAY_SIZE(masked); i++)
		cr_expect(lists(rootfs->masked, rootfs->n_masked, masked[i]), "%s", masked[i]);
	for (size_t i = 0; i < ARRAY_SIZE(of_root); i++)
		cr_expect_eq(lists(rootfs->masked, rootfs->n_masked, of_root[i]), is_hosts_root, "%s", of_root[i]);
	for (size_t i = 0; i < ARRAY_SIZE(read_only); i++)
		cr_expect(lists(rootfs->readonly_paths, rootfs->n_readonly_paths, read_only[i]), "%s", read_only[i]);
}

Test(plan_harden_rows, paths)
{
	check_paths(&(struct plan_fixture_json){ 0 }, true);
	check_paths(&(struct plan_fixture_json){ .namespaces = PLAN_FIXTURE_USER, .linux_ = PLAN_FIXTURE_MAPS }, false);
}

/* ---- settings ---- */

enum kind { NETWORK, IPC, UTS };

static const char *const kinds[] = { "network", "ipc", "uts" };

static const struct {
	const char *name;
	enum kind kind;
	bool safe; /* also in a namespace that others share */
} settings[] = {
	{ "net.ipv4.ip_local_port_range", NETWORK, true },
	{ "net.ipv4.ip_local_reserved_ports", NETWORK, true },
	{ "net.ipv4.ip_unprivileged_port_start", NETWORK, true },
	{ "net.ipv4.ping_group_range", NETWORK, true },
	{ "net.ipv4.tcp_fin_timeout", NETWORK, true },
	{ "net.ipv4.tcp_keepalive_intvl", NETWORK, true },
	{ "net.ipv4.tcp_keepalive_probes", NETWORK, true },
	{ "net.ipv4.tcp_keepalive_time", NETWORK, true },
	{ "net.ipv4.tcp_rmem", NETWORK, true },
	{ "net.ipv4.tcp_syncookies", NETWORK, true },
	{ "net.ipv4.tcp_wmem", NETWORK, true },
	{ "net.core.somaxconn", NETWORK, false },
	{ "net.ipv4.conf.all.forwarding", NETWORK, false },
	{ "fs.mqueue.msg_max", IPC, false },
	{ "kernel.shm_rmid_forced", IPC, true },
	{ "kernel.shmmax", IPC, false },
	{ "kernel.shmall", IPC, false },
	{ "kernel.shmmni", IPC, false },
	{ "kernel.shm_next_id", IPC, false },
	{ "kernel.msgmax", IPC, false },
	{ "kernel.msgmnb", IPC, false },
	{ "kernel.msgmni", IPC, false },
	{ "kernel.msg_next_id", IPC, false },
	{ "kernel.auto_msgmni", IPC, false },
	{ "kernel.sem", IPC, false },
	{ "kernel.sem_next_id", IPC, false },
	{ "kernel.hostname", UTS, false },
	{ "kernel.domainname", UTS, false },
};

static int plan_setting(const char *name, const char *namespace)
{
	AUTO(policy_done) struct policy policy = only(POLICY_SYSCTL, POLICY_ENFORCE);
	PLAN_FIXTURE(fixture);
	char linux_[TEXT_MAX];

	snprintf(linux_, sizeof(linux_), ",'sysctl':{'%s':'1'}", name);
	fixture.request.policy = &policy;
	plan_fixture_build(&fixture, &(struct plan_fixture_json){ .linux_ = linux_, .namespaces = namespace });
	return fixture.rc;
}

Test(plan_harden_rows, settings)
{
	char own[TEXT_MAX], joined[TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		snprintf(own, sizeof(own), ",{'type':'%s'}", kinds[settings[i].kind]);
		snprintf(joined, sizeof(joined), ",{'type':'%s','path':'/proc/5/ns/any'}", kinds[settings[i].kind]);
		cr_expect_eq(plan_setting(settings[i].name, own), 0, "%s", settings[i].name);
		cr_expect_eq(plan_setting(settings[i].name, joined), settings[i].safe ? 0 : -EPERM, "%s",
			     settings[i].name);
		cr_expect_eq(plan_setting(settings[i].name, ""), -EPERM, "%s of the host", settings[i].name);
	}
	cr_expect_eq(plan_setting("kernel.core_pattern", ",{'type':'ipc'},{'type':'network'},{'type':'uts'}"), -EPERM);
	cr_expect_eq(plan_setting("vm.overcommit_memory", ",{'type':'ipc'},{'type':'network'},{'type':'uts'}"), -EPERM);
}
