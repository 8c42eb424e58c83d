#include "sandbox/sandbox_config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "sandbox/sandbox_proxy.h"

#define CPU_PERIOD_US 100000
#define NS_PER_S UINT64_C(1000000000)
#define DISK_LEAST ((uint64_t)1024 * 1024)
#define DISK_FILES "nr_inodes=32k"
#define OPEN_FILES 4096
#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
/* Where the host itself runs out of memory, what nobody vouches for goes first, as if it had half of all memory beside its own. Written
 * with CAP_SYS_RESOURCE it is for good; without it the program may go back to its caller's. */
#define OOM_SCORE 500

static const char *const environment[] = {
	"PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
	("HOME=" SANDBOX_WORK),
	"LANG=C.UTF-8",
	"USER=sandbox",
};

/* Of a sandbox with an egress proxy. Programs look for either spelling. */
static const char *const proxy_environment[] = {
	("http_proxy=" SANDBOX_PROXY_URL),  ("https_proxy=" SANDBOX_PROXY_URL), ("HTTP_PROXY=" SANDBOX_PROXY_URL),
	("HTTPS_PROXY=" SANDBOX_PROXY_URL), "no_proxy=localhost,127.0.0.1,::1", "NO_PROXY=localhost,127.0.0.1,::1",
};

struct new_mount {
	const char *destination, *type;
	const char *options[8];
	bool is_sized;
};

static const struct new_mount new_mounts[] = {
	{ "/proc", "proc", { "nosuid", "noexec", "nodev" }, false },
	{ "/dev", "tmpfs", { "nosuid", "noexec", "mode=755", "size=64k" }, false },
	/* All containers of a host have 3072 terminals together (kernel.pty.max). */
	{ "/dev/pts", "devpts", { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "max=64" }, false },
	{ "/dev/shm", "tmpfs", { "nosuid", "noexec", "nodev", "mode=1777", DISK_FILES }, true },
	{ "/tmp", "tmpfs", { "nosuid", "nodev", "mode=1777", DISK_FILES }, true },
	{ SANDBOX_WORK, "tmpfs", { "nosuid", "nodev", "mode=1777", DISK_FILES }, true },
};

uint64_t sandbox_config_disk(const struct sandbox_limits *limits)
{
	uint64_t fourth = limits->memory / 4 / 4096 * 4096;

	return fourth > DISK_LEAST ? fourth : DISK_LEAST;
}

static bool names_same(const char *entry, const char *other)
{
	size_t length = strcspn(entry, "=");

	return strncmp(entry, other, length) == 0 && other[length] == '=';
}

static bool is_given(const char *const *env, const char *entry)
{
	for (; env && *env; env++) {
		if (names_same(entry, *env))
			return true;
	}
	return false;
}

static void write_variables(struct json_writer *writer, const char *const *list, size_t n, const char *const *env)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_given(env, list[i]))
			json_write_string(writer, list[i]);
	}
}

static void write_environment(struct json_writer *writer, const struct sandbox_config *config)
{
	const char *const *env = config->env;

	json_write_key(writer, "env");
	json_write_array_begin(writer);
	write_variables(writer, environment, ARRAY_SIZE(environment), env);
	if (config->request->egress_proxy)
		write_variables(writer, proxy_environment, ARRAY_SIZE(proxy_environment), env);
	for (; env && *env; env++)
		json_write_string(writer, *env);
	json_write_array_end(writer);
}

static void write_rlimit(struct json_writer *writer, const char *type, uint64_t soft, uint64_t hard)
{
	json_write_object_begin(writer);
	json_write_member(writer, "type", type);
	json_write_member_uint(writer, "soft", soft);
	json_write_member_uint(writer, "hard", hard);
	json_write_object_end(writer);
}

/* Without a cgroup these are all there is. RLIMIT_DATA counts what a process can write to; RLIMIT_AS would count addresses as well,
 * of which runtimes such as node, Go and Java reserve many times what they use. RLIMIT_NPROC counts within the new user namespace
 * alone (since Linux 5.14). */
static void write_rlimits(struct json_writer *writer, const struct sandbox_config *config)
{
	const struct sandbox_limits *limits = &config->request->limits;
	uint64_t seconds = (limits->cpu_time + NS_PER_S - 1) / NS_PER_S;

	json_write_key(writer, "rlimits");
	json_write_array_begin(writer);
	write_rlimit(writer, "RLIMIT_NOFILE", OPEN_FILES, OPEN_FILES);
	write_rlimit(writer, "RLIMIT_CORE", 0, 0);
	if (!config->has_cgroup) {
		write_rlimit(writer, "RLIMIT_DATA", limits->memory, limits->memory);
		/* One more for init, here and in write_resources(). */
		write_rlimit(writer, "RLIMIT_NPROC", limits->pids + 1, limits->pids + 1);
		/* SIGXCPU, and a second later SIGKILL. */
		if (seconds > 0)
			write_rlimit(writer, "RLIMIT_CPU", seconds, seconds + 1);
	}
	json_write_array_end(writer);
}

static void write_process(struct json_writer *writer, const struct sandbox_config *config)
{
	static const char *const sets[] = { "bounding", "effective", "permitted", "inheritable", "ambient" };

	json_write_key(writer, "process");
	json_write_object_begin(writer);
	json_write_key(writer, "user");
	json_write_object_begin(writer);
	json_write_member_int(writer, "uid", SANDBOX_UID);
	json_write_member_int(writer, "gid", SANDBOX_UID);
	json_write_object_end(writer);
	json_write_member_terminated(writer, "args", config->argv);
	write_environment(writer, config);
	json_write_member(writer, "cwd", config->cwd);
	json_write_key(writer, "capabilities");
	json_write_object_begin(writer);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		json_write_member_terminated(writer, sets[i], NULL);
	json_write_object_end(writer);
	write_rlimits(writer, config);
	json_write_member_int(writer, "oomScoreAdj", config->oom_score > OOM_SCORE ? config->oom_score : OOM_SCORE);
	json_write_member_bool(writer, "noNewPrivileges", true);
	json_write_object_end(writer);
}

static void write_new_mount(struct json_writer *writer, const struct new_mount *mount, uint64_t disk)
{
	char size[32];

	json_write_object_begin(writer);
	json_write_member(writer, "destination", mount->destination);
	json_write_member(writer, "type", mount->type);
	json_write_member(writer, "source", mount->type);
	json_write_key(writer, "options");
	json_write_array_begin(writer);
	for (size_t i = 0; i < ARRAY_SIZE(mount->options) && mount->options[i]; i++)
		json_write_string(writer, mount->options[i]);
	snprintf(size, sizeof(size), "size=%" PRIu64, disk);
	if (mount->is_sized)
		json_write_string(writer, size);
	json_write_array_end(writer);
	json_write_object_end(writer);
}

static void write_bind(struct json_writer *writer, const struct sandbox_bind *bind)
{
	const char *const options[] = { "rbind", bind->writable ? "rw" : "ro", "nosuid", "nodev", "private", NULL };

	json_write_object_begin(writer);
	json_write_member(writer, "destination", bind->destination);
	json_write_member(writer, "type", "bind");
	json_write_member(writer, "source", bind->source);
	json_write_member_terminated(writer, "options", options);
	json_write_object_end(writer);
}

static void write_mounts(struct json_writer *writer, const struct sandbox_config *config)
{
	const struct sandbox_bind resolv_conf = { .source = config->resolv_conf, .destination = "/etc/resolv.conf" };
	uint64_t disk = sandbox_config_disk(&config->request->limits);

	json_write_key(writer, "mounts");
	json_write_array_begin(writer);
	for (size_t i = 0; i < config->n_parts; i++)
		write_bind(writer, &config->parts[i]);
	if (config->resolv_conf)
		write_bind(writer, &resolv_conf);
	for (size_t i = 0; i < ARRAY_SIZE(new_mounts); i++)
		write_new_mount(writer, &new_mounts[i], disk);
	for (size_t i = 0; i < config->request->n_binds; i++)
		write_bind(writer, &config->request->binds[i]);
	json_write_array_end(writer);
}

static void write_mapping(struct json_writer *writer, const char *key, uint32_t host_id)
{
	json_write_key(writer, key);
	json_write_array_begin(writer);
	json_write_object_begin(writer);
	json_write_member_int(writer, "containerID", SANDBOX_UID);
	json_write_member_uint(writer, "hostID", host_id);
	json_write_member_int(writer, "size", 1);
	json_write_object_end(writer);
	json_write_array_end(writer);
}

static void write_namespaces(struct json_writer *writer, const struct sandbox_config *config)
{
	static const char *const kinds[] = { "pid", "network", "ipc", "uts", "mount", "cgroup", "user" };

	json_write_key(writer, "namespaces");
	json_write_array_begin(writer);
	/* As root the floor adds a user namespace, with a range of ids that nobody else has. */
	for (size_t i = 0; i < ARRAY_SIZE(kinds) - !config->rootless; i++) {
		json_write_object_begin(writer);
		json_write_member(writer, "type", kinds[i]);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
	if (config->rootless) {
		write_mapping(writer, "uidMappings", config->uid);
		write_mapping(writer, "gidMappings", config->gid);
	}
}

static void write_cpu(struct json_writer *writer, uint64_t cpus)
{
	json_write_key(writer, "cpu");
	json_write_object_begin(writer);
	json_write_member_uint(writer, "quota", cpus * CPU_PERIOD_US / 1000);
	json_write_member_uint(writer, "period", CPU_PERIOD_US);
	json_write_object_end(writer);
}

static void write_resources(struct json_writer *writer, const struct sandbox_limits *limits, bool has_cpu)
{
	json_write_key(writer, "resources");
	json_write_object_begin(writer);
	json_write_key(writer, "memory");
	json_write_object_begin(writer);
	json_write_member_uint(writer, "limit", limits->memory);
	json_write_member_uint(writer, "swap", limits->memory);
	json_write_object_end(writer);
	json_write_key(writer, "pids");
	json_write_object_begin(writer);
	json_write_member_uint(writer, "limit", limits->pids + 1);
	json_write_object_end(writer);
	if (has_cpu)
		write_cpu(writer, limits->cpus);
	json_write_object_end(writer);
}

static void write_annotations(struct json_writer *writer, const struct sandbox_request *request)
{
	char text[32];

	json_write_key(writer, "annotations");
	json_write_object_begin(writer);
	snprintf(text, sizeof(text), "%" PRIu64 ".%09" PRIu64 "s", request->limits.timeout / NS_PER_S,
		 request->limits.timeout % NS_PER_S);
	json_write_member(writer, "brig.dev/timeout", text);
	snprintf(text, sizeof(text), "%" PRIu64, request->limits.max_output);
	json_write_member(writer, "brig.dev/max-output", text);
	if (request->egress)
		json_write_member(writer, "brig.dev/egress", request->egress);
	if (request->refuses_tcp)
		json_write_member(writer, "brig.dev/tcp", "none");
	json_write_object_end(writer);
}

void sandbox_config_write(const struct sandbox_config *config, struct buffer *out)
{
	struct json_writer writer = json_writer_on(out, /* indent= */ 0);

	json_write_object_begin(&writer);
	json_write_member(&writer, "ociVersion", "1.3.0");
	write_process(&writer, config);
	json_write_key(&writer, "root");
	json_write_object_begin(&writer);
	json_write_member(&writer, "path", config->root);
	json_write_member_bool(&writer, "readonly", true);
	json_write_object_end(&writer);
	json_write_member(&writer, "hostname", "sandbox");
	write_mounts(&writer, config);
	write_annotations(&writer, config->request);
	json_write_key(&writer, "linux");
	json_write_object_begin(&writer);
	write_namespaces(&writer, config);
	if (config->has_cgroup)
		write_resources(&writer, &config->request->limits, !config->lacks_cpu);
	if (config->cgroup_path)
		json_write_member(&writer, "cgroupsPath", config->cgroup_path);
	json_write_object_end(&writer);
	json_write_object_end(&writer);
}

/* ---- and back ---- */

static const struct {
	const char *place, *text;
	bool is_asked, is_whole; /* what lies below is another place */
} places[] = {
	{ "process.cwd", "option --cwd", true, false },
	{ "process.args", "PROGRAM", true, false },
	{ "process.env", "option --env", true, false },
	/* In the order of write_rlimits(). */
	{ "process.rlimits[0]", "the sandbox's open files", false, false },
	{ "process.rlimits[1]", "the sandbox's core dumps", false, false },
	{ "process.rlimits[2]", "option --memory", false, false },
	{ "process.rlimits[3]", "option --pids", false, false },
	{ "process.rlimits[4]", "option --cpu-time", false, false },
	{ "linux.resources.memory", "option --memory", false, false },
	{ "linux.resources.pids", "option --pids", false, false },
	{ "linux.resources.cpu", "option --cpus", false, false },
	{ "linux.resources", "options --memory, --pids and --cpus", false, true },
	{ "linux.cgroupsPath", "the sandbox's cgroup", false, false },
	{ "annotations[\"brig.dev/timeout\"]", "option --timeout", false, false },
	{ "annotations[\"brig.dev/max-output\"]", "option --max-output", false, false },
	{ "annotations[\"brig.dev/egress\"]", "option --egress", false, false },
	{ "annotations[\"brig.dev/tcp\"]", "option --no-tcp", false, false },
	{ "root.path", "the sandbox's root file system", false, false },
};

/* ".source", ".options[2]": as far as it is one place. */
static size_t length_of_rest(const char *text)
{
	size_t length = 0, n;

	for (;;) {
		if (text[length] == '.' && (n = strspn(text + length + 1, LETTERS)) > 0)
			length += 1 + n;
		else if (text[length] == '[' && (n = strspn(text + length + 1, DIGITS)) > 0 && text[length + 1 + n] == ']')
			length += 2 + n;
		else
			return length;
	}
}

/* As write_mounts() has them. NULL: there is none of that number. */
static const char *describe_mount(const struct sandbox_config *config, size_t i, struct sandbox_place *ret)
{
	const char *destination, *whose = "the sandbox's";

	if (i < config->n_parts) {
		destination = config->parts[i].destination;
		ret->is_asked = config->request->rootfs;
		whose = ret->is_asked ? "option --rootfs: its" : "the host's";
	} else if (i -= config->n_parts, config->resolv_conf && i-- == 0) {
		destination = "/etc/resolv.conf";
	} else if (i < ARRAY_SIZE(new_mounts)) {
		destination = new_mounts[i].destination;
	} else if (i -= ARRAY_SIZE(new_mounts), i < config->request->n_binds) {
		const struct sandbox_bind *bind = &config->request->binds[i];

		ret->is_asked = true;
		snprintf(ret->text, sizeof(ret->text), "option --bind-%s %.200s:%.200s", bind->writable ? "rw" : "ro",
			 bind->source, bind->destination);
		return bind->destination;
	} else {
		return NULL;
	}
	snprintf(ret->text, sizeof(ret->text), "%s %.200s", whose, destination);
	return destination;
}

/* "mounts[7]", and " (/x)" behind it, which says the same. */
static bool find_mount(const struct sandbox_config *config, const char *text, struct sandbox_place *ret)
{
	size_t i, length = strlen("mounts["), n_digits = strspn(text + length, DIGITS), n_destination;
	const char *destination;

	if (n_digits == 0 || n_digits > 6 || text[length + n_digits] != ']')
		return false;
	i = strtoul(text + length, NULL, 10);
	destination = describe_mount(config, i, ret);
	if (!destination)
		return false;
	length += n_digits + 1;
	n_destination = strlen(destination);
	if (strncmp(text + length, " (", 2) == 0 && strncmp(text + length + 2, destination, n_destination) == 0 &&
	    text[length + 2 + n_destination] == ')')
		length += n_destination + 3;
	else
		length += length_of_rest(text + length);
	ret->length = length;
	return true;
}

bool sandbox_config_place(const struct sandbox_config *config, const char *text, struct sandbox_place *ret)
{
	struct sandbox_place place = { 0 };

	if (strncmp(text, "mounts[", strlen("mounts[")) == 0) {
		if (!find_mount(config, text, &place))
			return false;
		*ret = place;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		size_t length = strlen(places[i].place);

		if (strncmp(text, places[i].place, length) != 0 || (places[i].is_whole && length_of_rest(text + length)))
			continue;
		ret->length = length + length_of_rest(text + length);
		ret->is_asked = places[i].is_asked;
		snprintf(ret->text, sizeof(ret->text), "%s", places[i].text);
		return true;
	}
	return false;
}

/* ---- what runs ---- */

static size_t count(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* One list after the other. NULL: no memory. */
static const char *const *join(struct arena *arena, const char *const *first, const char *const *second)
{
	size_t n_first = count(first), n_second = count(second);
	const char **list = arena_array_of(arena, n_first + n_second + 1, const char *);

	for (size_t i = 0; list && i < n_first; i++)
		list[i] = first[i];
	for (size_t i = 0; list && i < n_second; i++)
		list[n_first + i] = second[i];
	return list;
}

/* In place of bytes that are no text the document would have others: another program, or argument, than was asked for. */
static int check_text(const char *what, const char *text, struct error *err)
{
	if (utf8_valid_length(text, strlen(text)) == strlen(text))
		return 0;
	return error_set(
		err, ERROR_USAGE, EILSEQ,
		"%s is not UTF-8, which a container's configuration is in: have the program make such bytes itself, or "
		"read them from a file (--file)",
		what);
}

static int check_texts(const struct sandbox_config *config, struct error *err)
{
	const struct sandbox_request *request = config->request;
	int rc = check_text("option --cwd", config->cwd, err);

	for (size_t i = 0; rc >= 0 && config->argv[i]; i++)
		rc = check_text(i == 0 ? "PROGRAM" : "an argument of PROGRAM", config->argv[i], err);
	for (size_t i = 0; rc >= 0 && config->env[i]; i++)
		rc = check_text("option --env", config->env[i], err);
	for (size_t i = 0; rc >= 0 && i < request->n_binds; i++) {
		rc = check_text("option --bind-ro or --bind-rw", request->binds[i].source, err);
		if (rc >= 0)
			rc = check_text("option --bind-ro or --bind-rw", request->binds[i].destination, err);
	}
	/* What --rootfs has at its top. */
	for (size_t i = 0; rc >= 0 && i < config->n_parts; i++)
		rc = check_text("a directory of option --rootfs", config->parts[i].source, err);
	return rc;
}

/* The image's own command runs where the image says; another program where its files are. */
int sandbox_config_choose(struct sandbox_config *config, const struct image_config *image, struct arena *arena,
			  struct error *err)
{
	const struct sandbox_request *request = config->request;
	bool is_given = count(request->argv) > 0;

	config->argv = is_given ? request->argv : join(arena, image->entrypoint, image->cmd);
	config->env = join(arena, image->env, request->env);
	config->cwd = request->cwd ?: SANDBOX_WORK;
	if (!request->cwd && !is_given && image->working_directory && *image->working_directory)
		config->cwd = image->working_directory;
	if (!config->argv || !config->env)
		return error_memory(err);
	if (count(config->argv) == 0)
		return error_set(err, ERROR_USAGE, EINVAL, "PROGRAM is missing, and the image names none");
	return check_texts(config, err);
}
