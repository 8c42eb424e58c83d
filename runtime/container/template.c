/* The config.json of `brig spec`: safe as it stands, and a place to start from. */
#include <sched.h>
#include <stddef.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json_write.h"
#include "container/brig.h"

struct template_mount {
	const char *destination, *type, *source;
	const char *options[8];
};

/* The mounts of config-linux.md "Default Filesystems", and a /tmp, since the root file system is read-only. The sizes keep what
 * is written there bounded: it counts as the container's memory. */
static const struct template_mount mounts[] = {
	{ "/proc", "proc", "proc", { "nosuid", "noexec", "nodev" } },
	{ "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
	{ "/dev/pts", "devpts", "devpts", { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620" } },
	{ "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
	{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "relatime", "ro" } },
	{ "/tmp", "tmpfs", "tmpfs", { "nosuid", "nodev", "mode=1777", "size=65536k" } },
};

static const char *const environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"TERM=xterm",
	NULL,
};

/* What tells about the host or its other tenants and is in no namespace: /proc/kcore is the kernel's memory, /proc/keys lists
 * keys (proc_keys(5)), and powercap's energy counters tell what others compute (CVE-2020-8694). */
static const char *const masked_paths[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/scsi",
	"/proc/sched_debug",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/firmware",
	"/sys/devices/virtual/powercap",
	NULL,
};

/* Files below these change the host, not the container, when they are written (sysrq-trigger reboots it). */
static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

/* Calls that reach for the host's kernel rather than for work: refused as if the caller were not privileged. */
static const char *const refused_calls[] = {
	"acct",
	"add_key",
	"bpf",
	"chroot",
	"clock_settime",
	"delete_module",
	"finit_module",
	"fsconfig",
	"fsmount",
	"fsopen",
	"fspick",
	"init_module",
	"io_uring_enter",
	"io_uring_register",
	"io_uring_setup",
	"ioperm",
	"iopl",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"lookup_dcookie",
	"mount",
	"mount_setattr",
	"move_mount",
	"nfsservctl",
	"open_by_handle_at",
	"open_tree",
	"perf_event_open",
	"pivot_root",
	"process_vm_readv",
	"process_vm_writev",
	"ptrace",
	"quotactl",
	"quotactl_fd",
	"reboot",
	"request_key",
	"setdomainname",
	"sethostname",
	"setns",
	"settimeofday",
	"swapoff",
	"swapon",
	"syslog",
	"umount",
	"umount2",
	"unshare",
	"userfaultfd",
	"vhangup",
	NULL,
};

static void write_process(struct json_writer *writer)
{
	static const char *const sets[] = { "bounding", "effective", "permitted", "inheritable", "ambient" };
	static const char *const arguments[] = { "sh", NULL }, *const none[] = { NULL };

	json_write_key(writer, "process");
	json_write_object_begin(writer);
	json_write_member_bool(writer, "terminal", true);
	json_write_key(writer, "user");
	json_write_object_begin(writer);
	json_write_member_int(writer, "uid", 0);
	json_write_member_int(writer, "gid", 0);
	json_write_object_end(writer);
	json_write_member_terminated(writer, "args", arguments);
	json_write_member_terminated(writer, "env", environment);
	json_write_member(writer, "cwd", "/");
	json_write_key(writer, "capabilities");
	json_write_object_begin(writer);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		json_write_member_terminated(writer, sets[i], none);
	json_write_object_end(writer);
	json_write_key(writer, "rlimits");
	json_write_array_begin(writer);
	json_write_object_begin(writer);
	json_write_member(writer, "type", "RLIMIT_NOFILE");
	json_write_member_int(writer, "hard", 1024);
	json_write_member_int(writer, "soft", 1024);
	json_write_object_end(writer);
	json_write_array_end(writer);
	json_write_member_bool(writer, "noNewPrivileges", true);
	json_write_object_end(writer);
}

static void write_mounts(struct json_writer *writer, bool rootless)
{
	json_write_key(writer, "mounts");
	json_write_array_begin(writer);
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		const struct template_mount *mount = &mounts[i];

		/* An ordinary user has no cgroup to show. */
		if (rootless && mount->destination[1] == 's' && mount->type[0] == 'c')
			continue;
		json_write_object_begin(writer);
		json_write_member(writer, "destination", mount->destination);
		json_write_member(writer, "type", mount->type);
		json_write_member(writer, "source", mount->source);
		json_write_member_terminated(writer, "options", mount->options);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

static void write_mapping(struct json_writer *writer, const char *key, uint32_t host_id)
{
	json_write_key(writer, key);
	json_write_array_begin(writer);
	json_write_object_begin(writer);
	json_write_member_int(writer, "containerID", 0);
	json_write_member_uint(writer, "hostID", host_id);
	json_write_member_int(writer, "size", 1);
	json_write_object_end(writer);
	json_write_array_end(writer);
}

static void write_namespaces(struct json_writer *writer, bool rootless)
{
	static const char *const kinds[] = { "pid", "network", "ipc", "uts", "mount", "cgroup", "user" };

	json_write_key(writer, "namespaces");
	json_write_array_begin(writer);
	for (size_t i = 0; i < ARRAY_SIZE(kinds) - (rootless ? 0 : 1); i++) {
		json_write_object_begin(writer);
		json_write_member(writer, "type", kinds[i]);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
	if (rootless) {
		write_mapping(writer, "uidMappings", geteuid());
		write_mapping(writer, "gidMappings", getegid());
	}
}

static void write_rule_begin(struct json_writer *writer, const char *const *names, const char *action)
{
	json_write_object_begin(writer);
	json_write_member_terminated(writer, "names", names);
	json_write_member(writer, "action", action);
}

/* clone(2) with a flag that makes a namespace; without one it makes threads and processes, and has to work. The flags are its
 * first argument on every architecture that is listed here (s390 has them second). */
static void write_clone_rule(struct json_writer *writer, uint64_t flag)
{
	static const char *const names[] = { "clone", NULL };

	write_rule_begin(writer, names, "SCMP_ACT_ERRNO");
	json_write_key(writer, "args");
	json_write_array_begin(writer);
	json_write_object_begin(writer);
	json_write_member_int(writer, "index", 0);
	json_write_member_uint(writer, "value", flag);
	json_write_member_uint(writer, "valueTwo", flag);
	json_write_member(writer, "op", "SCMP_CMP_MASKED_EQ");
	json_write_object_end(writer);
	json_write_array_end(writer);
	json_write_object_end(writer);
}

static void write_seccomp(struct json_writer *writer)
{
	static const char *const architectures[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", NULL };
	static const char *const arm[] = { "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", NULL };
	static const char *const clone3[] = { "clone3", NULL };
	static const uint64_t flags[] = { CLONE_NEWNS,	CLONE_NEWUSER, CLONE_NEWPID,   CLONE_NEWNET,
					  CLONE_NEWIPC, CLONE_NEWUTS,  CLONE_NEWCGROUP };

	json_write_key(writer, "seccomp");
	json_write_object_begin(writer);
	json_write_member(writer, "defaultAction", "SCMP_ACT_ALLOW");
#ifdef __aarch64__
	(void)architectures;
	json_write_member_terminated(writer, "architectures", arm);
#else
	(void)arm;
	json_write_member_terminated(writer, "architectures", architectures);
#endif
	json_write_key(writer, "syscalls");
	json_write_array_begin(writer);
	write_rule_begin(writer, refused_calls, "SCMP_ACT_ERRNO");
	json_write_object_end(writer);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		write_clone_rule(writer, flags[i]);
	/* Its flags lie in memory, where no filter can look; with ENOSYS C libraries go back to clone. */
	write_rule_begin(writer, clone3, "SCMP_ACT_ERRNO");
	json_write_member_int(writer, "errnoRet", 38);
	json_write_object_end(writer);
	json_write_array_end(writer);
	json_write_object_end(writer);
}

int brig_spec(bool rootless, struct buffer *json, struct error *err)
{
	struct json_writer writer = json_writer_on(json, /* indent= */ 2);

	json_write_object_begin(&writer);
	json_write_member(&writer, "ociVersion", "1.3.0");
	write_process(&writer);
	json_write_key(&writer, "root");
	json_write_object_begin(&writer);
	json_write_member(&writer, "path", "rootfs");
	json_write_member_bool(&writer, "readonly", true);
	json_write_object_end(&writer);
	json_write_member(&writer, "hostname", "brig");
	write_mounts(&writer, rootless);
	json_write_key(&writer, "linux");
	json_write_object_begin(&writer);
	write_namespaces(&writer, rootless);
	json_write_member_terminated(&writer, "maskedPaths", masked_paths);
	json_write_member_terminated(&writer, "readonlyPaths", readonly_paths);
	write_seccomp(&writer);
	json_write_object_end(&writer);
	json_write_object_end(&writer);
	buffer_append_text(json, "\n");
	return json->failed ? error_memory(err) : 0;
}
