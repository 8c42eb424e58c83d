#include "spec_generator.h"

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
};

static const char *const namespaces[] = { "pid", "network", "ipc", "uts", "cgroup" };
static const char *const capabilities[] = { "CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_NET_RAW", "CAP_SETUID", "CAP_SYS_PTRACE" };
static const char *const capability_sets[] = { "bounding", "permitted", "effective", "inheritable", "ambient" };
static const char *const mount_options[] = { "nosuid", "nodev", "ro", "rshared", "shared", "rslave", "suid", "dev" };
static const char *const sysctls[] = { "net.ipv4.ip_unprivileged_port_start", "kernel.msgmax", "net.core.somaxconn",
				       "kernel.shm_rmid_forced" };
static const char *const kernel_paths[] = { "/proc/kcore", "/proc/keys", "/sys/firmware", "/proc/sys", "/proc/bus" };
static const char *const annotations[] = { "run.oci.handler", "run.oci.hooks.stdout", "org.systemd.property.ExecStart",
					   "io.kubernetes.cri.container-type", "example.org/name" };

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
	if (apparmor && maybe(generator, 10))
		buffer_append_text(text, ",\"apparmorProfile\":\"some-profile\"");
	buffer_append_text(text, "}");
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

static void write_resources(struct spec_generator *generator, struct buffer *text)
{
	buffer_append_text(text, ",\"resources\":{\"x\":0");
	if (maybe(generator, 50))
		buffer_printf(text, ",\"pids\":{\"limit\":%u}", below(generator, 100000));
	if (maybe(generator, 50))
		buffer_printf(text, ",\"memory\":{\"limit\":%u}", 1000000 + below(generator, 2000000000));
	if (maybe(generator, 20))
		buffer_append_text(text, ",\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]");
	buffer_append_text(text, "}");
}

static void write_linux(struct spec_generator *generator, struct buffer *text)
{
	buffer_append_text(text, ",\"linux\":{");
	write_namespaces(generator, text);
	write_resources(generator, text);
	buffer_append_text(text, ",\"maskedPaths\":[");
	some(generator, text, kernel_paths, 3, 50);
	buffer_append_text(text, "],\"readonlyPaths\":[");
	some(generator, text, kernel_paths + 3, ARRAY_SIZE(kernel_paths) - 3, 50);
	buffer_append_text(text, "]");
	if (maybe(generator, 8))
		buffer_append_text(text, ",\"devices\":[{\"path\":\"/dev/sda\",\"type\":\"b\",\"major\":8,\"minor\":0}]");
	if (strstr(text->data, "\"network\"") && maybe(generator, 8))
		buffer_append_text(text, ",\"netDevices\":{\"eth1\":{}}");
	if (maybe(generator, 15))
		buffer_printf(text, ",\"sysctl\":{\"%s\":\"1\"}", PICK(generator, sysctls));
	if (maybe(generator, 50))
		buffer_append_text(text, ",\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");
	if (maybe(generator, 20))
		buffer_printf(text, ",\"rootfsPropagation\":\"%s\"", maybe(generator, 50) ? "shared" : "slave");
	buffer_append_text(text, "}");
}

void spec_generator_next(struct spec_generator *generator, struct plan_fixture *fixture, struct buffer *text)
{
	fixture->host.apparmor = fixture->host.apparmor_default = maybe(generator, 50);
	fixture->host.landlock = (int)below(generator, 6);
	buffer_printf(text, "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"%s},",
		      maybe(generator, 40) ? ",\"readonly\":true" : "");
	write_process(generator, fixture->host.apparmor, text);
	write_mounts(generator, text);
	write_linux(generator, text);
	if (maybe(generator, 10))
		buffer_append_text(text, ",\"hooks\":{\"createRuntime\":[{\"path\":\"/tmp/hook\"}]}");
	if (maybe(generator, 25))
		buffer_printf(text, ",\"annotations\":{\"%s\":\"container\"}", PICK(generator, annotations));
	else if (maybe(generator, 20))
		buffer_printf(text, ",\"annotations\":{\"brig.dev/egress\":\"%s\"}", PICK(generator, egress_lists));
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
