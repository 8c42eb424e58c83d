#include "shim/service/sandbox_config.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"

#define HOSTNAME_MAX 64 /* bytes; the kernel's */

/* CRI's NamespaceMode, by number. */
enum mode { MODE_POD, MODE_CONTAINER, MODE_NODE, MODE_TARGET, N_MODES };

/* PodSandboxConfig, as far as it is needed: field numbers are facts of the protocol. */
struct pod {
	struct wire_bytes hostname, resolver, linux_part;
};
static const struct wire_field pod_fields[] = {
	{ 2, WIRE_BYTES, offsetof(struct pod, hostname) },
	{ 4, WIRE_BYTES, offsetof(struct pod, resolver) },
	{ 8, WIRE_BYTES, offsetof(struct pod, linux_part) },
	{ 0 },
};

/* LinuxPodSandboxConfig. */
struct linux_part {
	struct wire_bytes cgroup, security; /* and 3: sysctls, repeated */
};
static const struct wire_field linux_fields[] = {
	{ 1, WIRE_BYTES, offsetof(struct linux_part, cgroup) },
	{ 2, WIRE_BYTES, offsetof(struct linux_part, security) },
	{ 0 },
};
#define LINUX_SYSCTL 3u

#define RESOLVER_MAX ((size_t)64 * 1024) /* bytes of resolv.conf */

/* One of DNSConfig's three lists. */
struct resolver_part {
	uint32_t number; /* of DNSConfig */
	const char *keyword;
	bool shares_line;
};

/* LinuxSandboxSecurityContext. */
struct security {
	struct wire_bytes namespaces;
};
static const struct wire_field security_fields[] = {
	{ 1, WIRE_BYTES, offsetof(struct security, namespaces) },
	{ 0 },
};

/* NamespaceOption. 4, the target of an ephemeral container, is no pod's. */
struct namespaces {
	uint64_t network, pid, ipc;
	struct wire_bytes user;
};
static const struct wire_field namespaces_fields[] = {
	{ 1, WIRE_NUMBER, offsetof(struct namespaces, network) },
	{ 2, WIRE_NUMBER, offsetof(struct namespaces, pid) },
	{ 3, WIRE_NUMBER, offsetof(struct namespaces, ipc) },
	{ 5, WIRE_BYTES, offsetof(struct namespaces, user) },
	{ 0 },
};

/* UserNamespace; its mappings are containerd's to carry out, in config.json of each container. */
struct user {
	uint64_t mode;
};
static const struct wire_field user_fields[] = {
	{ 1, WIRE_NUMBER, offsetof(struct user, mode) },
	{ 0 },
};

struct pair {
	struct wire_bytes name, value;
};
static const struct wire_field pair_fields[] = {
	{ 1, WIRE_BYTES, offsetof(struct pair, name) },
	{ 2, WIRE_BYTES, offsetof(struct pair, value) },
	{ 0 },
};

static int malformed(struct error *err)
{
	return error_invalid(err, "options: malformed " SANDBOX_CONFIG_TYPE);
}

static int choose_user(const struct namespaces *asked, struct sandbox_config *config, struct error *err)
{
	struct user user = { 0 };

	/* A message that is there and empty says POD; none says the host's. */
	if (!asked->user.data)
		return 0;
	if (wire_decode(asked->user, user_fields, &user) < 0)
		return malformed(err);
	if (user.mode != MODE_POD && user.mode != MODE_NODE)
		return error_invalid(err, "options: userns_options: mode %llu is neither POD nor NODE",
				     (unsigned long long)user.mode);
	config->has_user_namespace = user.mode == MODE_POD;
	if (config->has_user_namespace && !config->network_path)
		return error_set(err, ERROR_UNSUPPORTED, ENOSYS,
				 "options: userns_options: a user namespace for the pod needs a network namespace that "
				 "belongs to it, and none was given");
	return 0;
}

static int choose_namespaces(const struct namespaces *asked, const char *network_path, struct sandbox_config *config,
			     struct error *err)
{
	if (asked->network >= N_MODES || asked->pid >= N_MODES || asked->ipc >= N_MODES)
		return error_invalid(err, "options: namespace_options: a mode that brig does not know");
	/* The host's network comes with the host's name, as CRI has it. */
	if (asked->network != MODE_NODE)
		config->namespaces |= CLONE_NEWUTS;
	if (asked->network != MODE_NODE && *network_path)
		config->network_path = network_path;
	else if (asked->network != MODE_NODE)
		config->namespaces |= CLONE_NEWNET;
	if (asked->ipc != MODE_NODE)
		config->namespaces |= CLONE_NEWIPC;
	config->of_the_host = (asked->network == MODE_NODE ? CLONE_NEWNET : 0u) |
			      (asked->pid == MODE_NODE ? CLONE_NEWPID : 0u) |
			      (asked->ipc == MODE_NODE ? CLONE_NEWIPC : 0u);
	/* Else each container makes its own, or has the host's. */
	if (asked->pid == MODE_POD)
		config->namespaces |= CLONE_NEWPID;
	return choose_user(asked, config, err);
}

/* Only of a namespace that the pod has to itself: the host's are not the pod's to set (CVE-2022-0811). */
static int add_sysctl(struct wire_bytes message, struct arena *arena, struct sandbox_config *config, struct error *err)
{
	unsigned own = config->namespaces | (config->network_path ? CLONE_NEWNET : 0);
	struct holder_sysctl *sysctl = &config->sysctls[config->n_sysctls];
	struct pair pair = { 0 };
	int r;

	if (config->n_sysctls == SANDBOX_CONFIG_SYSCTLS_MAX)
		return error_invalid(err, "options: more than %u sysctls", SANDBOX_CONFIG_SYSCTLS_MAX);
	if (wire_decode(message, pair_fields, &pair) < 0)
		return malformed(err);
	sysctl->name = wire_text(pair.name, arena);
	sysctl->value = wire_text(pair.value, arena);
	if (!sysctl->name || !sysctl->value)
		return error_invalid(err, "options: a sysctl that is no UTF-8 text");
	r = holder_check_sysctl(sysctl->name, own, err);
	if (r < 0)
		return error_prefix(err, "options");
	config->n_sysctls++;
	return 0;
}

static int add_sysctls(struct wire_bytes linux_part, struct arena *arena, struct sandbox_config *config, struct error *err)
{
	struct wire_value value;

	config->sysctls = arena_array_of(arena, SANDBOX_CONFIG_SYSCTLS_MAX, struct holder_sysctl);
	if (!config->sysctls)
		return error_memory(err);
	while (wire_next(&linux_part, &value) > 0) {
		int r = 0;

		if (value.number == LINUX_SYSCTL && value.kind == WIRE_BYTES)
			r = add_sysctl(value.bytes, arena, config, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_hostname(struct wire_bytes bytes, struct arena *arena, struct sandbox_config *config, struct error *err)
{
	config->hostname = wire_text(bytes, arena);
	if (!config->hostname || bytes.length > HOSTNAME_MAX)
		return error_invalid(err, "options: hostname: no text of at most %d bytes", HOSTNAME_MAX);
	/* Without a namespace for it the name is the host's, which keeps its own. */
	if (!(config->namespaces & CLONE_NEWUTS))
		config->hostname = "";
	return 0;
}

/* All of one kind are a line, or a line each: resolv.conf(5). A newline in one would be a line of its own. */
static int add_resolver_part(struct wire_bytes message, const struct resolver_part *part, struct buffer *text,
			     struct error *err)
{
	struct wire_value value;
	bool is_first = true;

	while (wire_next(&message, &value) > 0) {
		if (value.number != part->number || value.kind != WIRE_BYTES)
			continue;
		for (size_t i = 0; i < value.bytes.length; i++) {
			if (value.bytes.data[i] <= ' ' || value.bytes.data[i] > '~')
				return error_invalid(err, "options: dns_config: a %s with other than printable letters",
						     part->keyword);
		}
		if (is_first || !part->shares_line)
			buffer_printf(text, "%s%s", text->length ? "\n" : "", part->keyword);
		buffer_append(text, " ", 1);
		buffer_append(text, value.bytes.data, value.bytes.length);
		is_first = false;
	}
	return 0;
}

static int take_resolver(struct wire_bytes message, struct arena *arena, struct sandbox_config *config, struct error *err)
{
	static const struct resolver_part parts[] = { { 2, "search", true },
						      { 1, "nameserver", false },
						      { 3, "options", true } };
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { .limit = RESOLVER_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int r = add_resolver_part(message, &parts[i], &text, err);

		if (r < 0)
			return r;
	}
	if (text.failed)
		return error_set(err, ERROR_INVALID, EMSGSIZE, "options: dns_config: more than %zu bytes", RESOLVER_MAX);
	if (text.length == 0)
		return 0;
	config->resolver = arena_printf(arena, "%s\n", text.data);
	return config->resolver ? 0 : error_memory(err);
}

/* Only read, for SandboxMetrics: the kubelet makes it. */
static int take_cgroup(struct wire_bytes bytes, struct arena *arena, struct sandbox_config *config, struct error *err)
{
	const char *path = wire_text(bytes, arena);

	if (!path || bytes.length >= PATH_MAX)
		return error_invalid(err, "options: cgroup_parent: no path");
	config->cgroup_path = *path ? path : NULL;
	return 0;
}

int sandbox_config_decode(struct wire_bytes message, const char *network_path, struct arena *arena,
			  struct sandbox_config *ret, struct error *err)
{
	/* Nothing said: as with kubelet's defaults. */
	struct namespaces namespaces = { .pid = message.length ? MODE_POD : MODE_CONTAINER };
	struct sandbox_config config = { 0 };
	struct linux_part linux_part = { 0 };
	struct security security = { 0 };
	struct pod pod = { 0 };
	int r;

	if (wire_decode(message, pod_fields, &pod) < 0 || wire_decode(pod.linux_part, linux_fields, &linux_part) < 0 ||
	    wire_decode(linux_part.security, security_fields, &security) < 0 ||
	    wire_decode(security.namespaces, namespaces_fields, &namespaces) < 0)
		return malformed(err);
	network_path = arena_strdup(arena, network_path);
	if (!network_path)
		return error_memory(err);
	if (*network_path && (*network_path != '/' || strlen(network_path) >= PATH_MAX))
		return error_invalid(err, "netns_path: \"%.200s\" is no absolute path", network_path);
	r = choose_namespaces(&namespaces, network_path, &config, err)
		    ?: take_resolver(pod.resolver, arena, &config, err);
	if (r == 0)
		r = take_cgroup(linux_part.cgroup, arena, &config, err);
	if (r == 0)
		r = take_hostname(pod.hostname, arena, &config, err) ?: add_sysctls(pod.linux_part, arena, &config, err);
	if (r < 0)
		return r;
	*ret = config;
	return 0;
}
