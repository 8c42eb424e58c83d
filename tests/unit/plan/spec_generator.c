#include "spec_generator.h"

#include <linux/ioprio.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define BTRFS 0x9123683Eu
#define NFS 0x6969u
#define EXT4 0xEF53u

struct source {
	const char *path;
	uint32_t mode, file_system;
	bool mappable, forbidden;
	uint64_t special;
};

static const struct source sources[] = {
	{ "/srv/data", S_IFDIR | 0755, EXT4, true, false, 0 },
	{ "/srv/file", S_IFREG | 0644, BTRFS, true, false, 0 },
	{ "/srv/share", S_IFDIR | 0755, NFS, false, false, 0 },
	{ "/srv/socket", S_IFSOCK | 0600, EXT4, true, true, 0 },
	{ "/run/containerd/containerd.sock", S_IFSOCK | 0600, TMPFS_MAGIC, true, true, 0 },
	{ "/run", S_IFDIR | 0755, TMPFS_MAGIC, true, true, 0 },
	{ "/", S_IFDIR | 0755, EXT4, true, true, 0 },
	{ "/etc", S_IFDIR | 0755, EXT4, true, true, 0 },
	{ "/proc", S_IFDIR | 0555, PROC_SUPER_MAGIC, false, true, 0 },
	{ "/sys", S_IFDIR | 0555, SYSFS_MAGIC, false, true, 0 },
	{ "/boot", S_IFDIR | 0755, EXT4, true, true, 0 },
	{ "/var/lib/kubelet", S_IFDIR | 0755, EXT4, true, true, 0 },
	{ "/var/lib/containerd", S_IFDIR | 0711, EXT4, true, true, 0 },
	{ "/dev/sda", S_IFBLK | 0660, TMPFS_MAGIC, true, true, 0x800 },
};

static const char *const namespaces[] = { "pid", "network", "ipc", "uts", "cgroup" };
static const char *const capabilities[] = { "CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_NET_RAW", "CAP_SETUID", "CAP_SYS_PTRACE" };
static const char *const capability_sets[] = { "bounding", "permitted", "effective", "inheritable", "ambient" };
static const char *const mount_options[] = { "nosuid", "nodev", "ro", "rshared", "shared", "rslave", "suid", "dev" };
static const char *const sysctls[] = { "net.ipv4.ip_unprivileged_port_start", "kernel.msgmax", "net.core.somaxconn",
				       "kernel.shm_rmid_forced" };
static const char *const masked_paths[] = { "/proc/acpi",	 "/proc/asound",       "/proc/interrupts",
					    "/proc/kcore",	 "/proc/keys",	       "/proc/latency_stats",
					    "/proc/sched_debug", "/proc/scsi",	       "/proc/timer_list",
					    "/proc/timer_stats", "/sys/firmware",      "/sys/devices/virtual/powercap",
					    "/proc/allocinfo",	 "/proc/kpagecgroup",  "/proc/kpagecount",
					    "/proc/kpageflags",	 "/proc/pagetypeinfo", "/proc/slabinfo",
					    "/proc/tty/driver",	 "/proc/vmallocinfo",  "/proc/dynamic_debug" };
static const char *const readonly_paths[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger" };
static const char *const misused_annotations[] = { "run.oci.handler",
						   "run.oci.hooks.stdout",
						   "run.oci.seccomp.receiver",
						   "run.oci.pidfd_receiver",
						   "module.wasm.image/variant",
						   "krun.cpus",
						   "io.katacontainers.config.hypervisor.path",
						   "dev.gvisor.flag.debug-log",
						   "org.criu.config",
						   "org.systemd.property.ExecStart" };
static const char *const annotations[] = { "io.kubernetes.cri.container-type", "example.org/name",
					   "org.systemd.property.After" };
static const char *const profiles[] = { "some-profile", "unconfined", ":brig:unconfined",
					"some-profile//&:brig:brig-default" };
static const char *const hook_kinds[] = { "prestart",	    "createRuntime", "createContainer",
					  "startContainer", "poststart",     "poststop" };
static const char *const hook_paths[] = { "/tmp/hook", "/usr/libexec/hooks/../../bin/sh", "/usr/libexec/hooks-not/a",
					  "/usr/libexec/hooks/net", "/usr/libexec/hooks/net" };
static const char *const hook_variables[] = { "LD_PRELOAD=/x.so", "PATH=/tmp:/usr/bin", "LANG=C", "LD_LIBRARY_PATH=/srv" };
static const char *const io_classes[] = { "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE" };
static const char *const actions[] = { "ALLOW", "ERRNO", "LOG", "TRACE", "KILL_PROCESS", "TRAP" };
static const char *const filter_flags[] = { "LOG", "SPEC_ALLOW", "TSYNC" };
static const char *const listeners[] = { "/run/agent.sock", "/run/listener/../agent.sock", "/run/listener/a.sock" };
static const struct {
	const char *name, *values[3];
} group_files[] = {
	{ "memory.high", { "100000000", "max", "0" } },
	{ "cpuset.cpus.partition", { "isolated", "root", "member" } },
	{ "cpuset.cpus.exclusive", { "0-3", "1", "0" } },
	{ "io.latency", { "8:0 target=1", "8:0 target=9", "8:16 target=1" } },
	{ "io.prio.class", { "promote-to-rt", "none-to-rt", "idle" } },
	{ "pids.max", { "max", "100000", "10" } },
	{ "memory.max", { "max", "100000000000", "1000000" } },
	{ "cpu.max", { "max 100000", "800000 100000", "10000" } },
};

static const char *const priority_limits[] = { "RTPRIO", "NICE" };
static const char *const schedulers[] = { "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH" };
static const char *const egress_lists[] = { "none",	 "10.0.0.0/8",		 "10.1.2.3:443/tcp",
					    "0.0.0.0/0", "10.0.0.0/8,192.0.2.1", "[::]/0:443" };

/* xorshift64* */
static uint32_t below(struct spec_generator *generator, uint32_t n)
{
	generator->state ^= generator->state >> 12;
	generator->state ^= generator->state << 25;
	generator->state ^= generator->state >> 27;
	return (uint32_t)((generator->state * UINT64_C(2685821657736338717)) >> 33) % n;
}

static bool maybe(struct spec_generator *generator, uint32_t percent)
{
	return below(generator, 100) < percent;
}

#define PICK(generator, list) ((list)[below(generator, ARRAY_SIZE(list))])

/* "a","b": each with that probability. */
static void some(struct spec_generator *generator, struct buffer *text, const char *const *list, size_t n,
		 uint32_t percent)
{
	const char *comma = "";

	for (size_t i = 0; i < n; i++) {
		if (!maybe(generator, percent))
			continue;
		buffer_printf(text, "%s\"%s\"", comma, list[i]);
		comma = ",";
	}
}

static void write_capabilities(struct spec_generator *generator, struct buffer *text)
{
	const char *comma = "";

	buffer_append_text(text, ",\"capabilities\":{");
	for (size_t i = 0; i < ARRAY_SIZE(capability_sets); i++) {
		buffer_printf(text, "%s\"%s\":[", comma, capability_sets[i]);
		some(generator, text, capabilities, ARRAY_SIZE(capabilities), 40);
		buffer_append_text(text, "]");
		comma = ",";
	}
	buffer_append_text(text, "}");
}

static void write_process(struct spec_generator *generator, bool apparmor, struct buffer *text)
{
	buffer_printf(text, "\"process\":{\"user\":{\"uid\":%u,\"gid\":%u},\"args\":[\"sh\"],\"cwd\":\"/\"",
		      below(generator, 3) * 500, below(generator, 3) * 500);
	if (maybe(generator, 60))
		buffer_printf(text, ",\"noNewPrivileges\":%s", maybe(generator, 50) ? "true" : "false");
	if (maybe(generator, 60))
		write_capabilities(generator, text);
	if (maybe(generator, 30))
		buffer_printf(text, ",\"rlimits\":[{\"type\":\"RLIMIT_%s\",\"soft\":%u,\"hard\":1000000}]",
			      maybe(generator, 80) ? "CORE" : PICK(generator, priority_limits),
			      below(generator, 1000000));
	if (maybe(generator, 10))
		buffer_printf(text, ",\"scheduler\":{\"policy\":\"%s\",\"priority\":%u,\"nice\":%d}",
			      PICK(generator, schedulers), below(generator, 99), (int)below(generator, 40) - 20);
	if (maybe(generator, 40))
		buffer_printf(text, ",\"oomScoreAdj\":%d", (int)below(generator, 2001) - 1000);
	if (maybe(generator, 10))
		buffer_printf(text, ",\"ioPriority\":{\"class\":\"%s\",\"priority\":%u}", PICK(generator, io_classes),
			      below(generator, 8));
	if (apparmor && maybe(generator, 20))
		buffer_printf(text, ",\"apparmorProfile\":\"%s\"", PICK(generator, profiles));
	buffer_append_text(text, "}");
}

/* Files of the kernel's, which the container may change or not. */
static void write_kernel_mounts(struct spec_generator *generator, struct buffer *text)
{
	static const char *const mounts[] = {
		"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\"",
		"{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\"",
	};

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		if (!maybe(generator, 30))
			continue;
		buffer_printf(text, ",%s%s}", mounts[i], maybe(generator, 50) ? ",\"options\":[\"ro\"]" : "");
		generator->sources[generator->n_mounts++] = (struct host_source){ 0 };
	}
}

static void write_mounts(struct spec_generator *generator, struct buffer *text)
{
	size_t n = below(generator, 3);

	buffer_append_text(text, ",\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}");
	generator->n_mounts = n + 1;
	generator->sources[0] = (struct host_source){ 0 };
	for (size_t i = 0; i < n; i++) {
		const struct source *source = &PICK(generator, sources);

		buffer_printf(text,
			      ",{\"destination\":\"/volume%zu\",\"type\":\"bind\",\"source\":\"%s\",\"options\":[\"%s\"",
			      i, source->path, maybe(generator, 50) ? "bind" : "rbind");
		if (maybe(generator, 60))
			buffer_printf(text, ",\"%s\"", PICK(generator, mount_options));
		buffer_append_text(text, "]}");
		generator->sources[i + 1] = (struct host_source){ .known = true,
								  .device = 1,
								  .inode = (uint64_t)(source - sources) + 2,
								  .mode = source->mode,
								  .special = source->special,
								  .file_system = source->file_system,
								  .mappable = source->mappable,
								  .real = source->path };
	}
	write_kernel_mounts(generator, text);
	buffer_append_text(text, "]");
}

static void write_namespaces(struct spec_generator *generator, struct buffer *text)
{
	bool user = maybe(generator, 20);

	buffer_append_text(text, "\"namespaces\":[{\"type\":\"mount\"}");
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		if (maybe(generator, 90))
			buffer_printf(text, ",{\"type\":\"%s\"%s}", namespaces[i],
				      maybe(generator, 10) ? ",\"path\":\"/run/pod/namespace\"" : "");
	}
	if (user)
		buffer_append_text(text, ",{\"type\":\"user\"}],"
					 "\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}],"
					 "\"gidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}]");
	else
		buffer_append_text(text, "]");
}

static void write_cpu(struct spec_generator *generator, struct buffer *text)
{
	buffer_printf(text, ",\"cpu\":{\"quota\":%d", maybe(generator, 10) ? -1 : 1000 + (int)below(generator, 1000000));
	if (maybe(generator, 50))
		buffer_printf(text, ",\"period\":%u", 1000 + below(generator, 999000));
	buffer_append_text(text, "}");
}

static void write_group_files(struct spec_generator *generator, struct buffer *text)
{
	const char *comma = "";

	buffer_append_text(text, ",\"unified\":{");
	for (size_t i = 0; i < ARRAY_SIZE(group_files); i++) {
		if (!maybe(generator, 20))
			continue;
		buffer_printf(text, "%s\"%s\":\"%s\"", comma, group_files[i].name,
			      PICK(generator, group_files[i].values));
		comma = ",";
	}
	buffer_append_text(text, "}");
}

static void write_resources(struct spec_generator *generator, struct buffer *text)
{
	buffer_append_text(text, ",\"resources\":{\"x\":0");
	if (maybe(generator, 50))
		buffer_printf(text, ",\"pids\":{\"limit\":%u}", below(generator, 100000));
	if (maybe(generator, 50))
		buffer_printf(text, ",\"memory\":{\"limit\":%lld}",
			      maybe(generator, 10) ? -1LL : 1000000LL + below(generator, 2000000000));
	if (maybe(generator, 50))
		write_cpu(generator, text);
	if (maybe(generator, 30))
		write_group_files(generator, text);
	if (maybe(generator, 20))
		buffer_append_text(text, ",\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]");
	buffer_append_text(text, "}");
}

/* With a listener some rules are for it. */
static void write_filter(struct spec_generator *generator, struct buffer *text)
{
	const char *listener = maybe(generator, 12) ? PICK(generator, listeners) : NULL, *comma = "";
	uint32_t n = below(generator, 4);

	buffer_printf(text, ",\"seccomp\":{\"defaultAction\":\"SCMP_ACT_%s\"",
		      maybe(generator, 60) ? "ALLOW" : PICK(generator, actions));
	if (maybe(generator, 30))
		buffer_printf(text, ",\"flags\":[\"SECCOMP_FILTER_FLAG_%s\"]", PICK(generator, filter_flags));
	if (listener)
		buffer_printf(text, ",\"listenerPath\":\"%s\"", listener);
	buffer_append_text(text, ",\"syscalls\":[");
	for (uint32_t i = 0; i < n; i++) {
		buffer_printf(text, "%s{\"names\":[\"mkdir\",\"mount\"],\"action\":\"SCMP_ACT_%s\"}", comma,
			      listener && maybe(generator, 50) ? "NOTIFY" : PICK(generator, actions));
		comma = ",";
	}
	buffer_append_text(text, "]}");
}

static void write_hooks(struct spec_generator *generator, struct buffer *text)
{
	const char *comma = "";

	buffer_append_text(text, ",\"hooks\":{");
	for (size_t i = 0; i < ARRAY_SIZE(hook_kinds); i++) {
		if (!maybe(generator, 25))
			continue;
		buffer_printf(text, "%s\"%s\":[{\"path\":\"%s\",\"env\":[\"%s\"]}]", comma, hook_kinds[i],
			      PICK(generator, hook_paths), PICK(generator, hook_variables));
		comma = ",";
	}
	buffer_append_text(text, "}");
}

/* host: a kernel that can't hold it makes no plan, which is another test's. */
static void write_annotations(struct spec_generator *generator, const struct host *host, struct buffer *text)
{
	if (maybe(generator, 15))
		buffer_printf(text, ",\"annotations\":{\"%s\":\"1\"}", PICK(generator, misused_annotations));
	else if (maybe(generator, 15))
		buffer_printf(text, ",\"annotations\":{\"%s\":\"container\"}", PICK(generator, annotations));
	else if (maybe(generator, 20))
		buffer_printf(text, ",\"annotations\":{\"brig.dev/egress\":\"%s\"}", PICK(generator, egress_lists));
	else if (host->landlock >= 4 && maybe(generator, 20))
		buffer_append_text(text, ",\"annotations\":{\"brig.dev/tcp\":\"none\"}");
}

/* Brig's own priorities, and what else it finds. */
static void make_host(struct spec_generator *generator, struct host *host)
{
	host->apparmor = host->apparmor_default = maybe(generator, 50);
	host->apparmor_stacked = host->apparmor && maybe(generator, 50);
	host->landlock = (int)below(generator, 6);
	if (maybe(generator, 20))
		host->nice = (int)below(generator, 40) - 20;
	if (maybe(generator, 10))
		host->scheduler = (int)below(generator, 3);
	if (maybe(generator, 10))
		host->io_priority = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 0);
}

static void write_linux(struct spec_generator *generator, struct buffer *text)
{
	buffer_append_text(text, ",\"linux\":{");
	write_namespaces(generator, text);
	write_resources(generator, text);
	buffer_append_text(text, ",\"maskedPaths\":[");
	some(generator, text, masked_paths, ARRAY_SIZE(masked_paths), 50);
	buffer_append_text(text, "],\"readonlyPaths\":[");
	some(generator, text, readonly_paths, ARRAY_SIZE(readonly_paths), 50);
	buffer_append_text(text, "]");
	if (maybe(generator, 8))
		buffer_append_text(text, ",\"devices\":[{\"path\":\"/dev/sda\",\"type\":\"b\",\"major\":8,\"minor\":0}]");
	if (strstr(text->data, "\"network\"") && maybe(generator, 8))
		buffer_printf(text, ",\"netDevices\":{\"%s\":{}}", maybe(generator, 50) ? "eth1" : "mlx5");
	if (maybe(generator, 15))
		buffer_printf(text, ",\"sysctl\":{\"%s\":\"1\"}", PICK(generator, sysctls));
	if (maybe(generator, 50))
		write_filter(generator, text);
	if (maybe(generator, 20))
		buffer_printf(text, ",\"rootfsPropagation\":\"%s\"", maybe(generator, 50) ? "shared" : "slave");
	buffer_append_text(text, "}");
}

void spec_generator_next(struct spec_generator *generator, struct plan_fixture *fixture, struct buffer *text)
{
	make_host(generator, &fixture->host);
	buffer_printf(text, "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"%s},",
		      maybe(generator, 40) ? ",\"readonly\":true" : "");
	write_process(generator, fixture->host.apparmor, text);
	write_mounts(generator, text);
	write_linux(generator, text);
	if (maybe(generator, 15))
		write_hooks(generator, text);
	write_annotations(generator, &fixture->host, text);
	buffer_append_text(text, "}");

	fixture->request.no_new_keyring = maybe(generator, 20);
	fixture->request.sources = generator->sources;
	fixture->request.root_source = (struct host_source){ .known = true,
							     .device = 1,
							     .inode = 1,
							     .mode = S_IFDIR | 0755,
							     .file_system = EXT4,
							     .mappable = maybe(generator, 90),
							     .real = "/bundle/rootfs" };
	fixture->request.ids = (struct host_ids){ .granted = true, .first = 1879048192, .size = 65536 };
}

bool spec_generator_forbids(const char *source)
{
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		if (strcmp(sources[i].path, source) == 0)
			return sources[i].forbidden;
	}
	return false;
}

bool spec_generator_misuses(const char *annotation)
{
	for (size_t i = 0; i < ARRAY_SIZE(misused_annotations); i++) {
		if (strcmp(misused_annotations[i], annotation) == 0)
			return true;
	}
	return false;
}
