#include "plan/plan_places.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"

struct tree {
	const char *path, *what;
	bool has_roots; /* engines keep containers' root file systems in there */
};

/* Nobody's but the host's, with all that is below. "/", /var and /var/lib are refused as what contains these. */
static const struct tree trees[] = {
	{ "/boot", "the host's kernel", false },
	{ "/dev", "the host's devices", false },
	{ "/etc", "the host's configuration", false },
	{ "/proc", "the host's processes", false },
	{ "/sys", "the host's kernel settings", false },
	{ "/run", "the host's sockets and runtime state", true },
	{ "/var/run", "the host's sockets and runtime state", true },
	{ "/var/lib/kubelet", "the kubelet's state", false },
	{ "/var/lib/k0s", "the cluster's state", true },
	{ "/var/lib/rancher", "the cluster's state", true },
	{ "/var/snap/microk8s", "the cluster's state", true },
	{ "/var/lib/etcd", "the cluster's database", false },
	{ "/var/lib/cni", "the network plugins' state", false },
	{ "/var/lib/containerd", "containerd's state", true },
	{ "/var/lib/nerdctl", "nerdctl's state", true },
	{ "/var/lib/containers", "podman's and CRI-O's state", true },
	{ "/var/lib/crio", "CRI-O's state", true },
	{ "/var/lib/docker", "docker's state", true },
	{ "/var/log/pods", "the logs of all pods", false },
	{ "/var/log/containers", "the logs of all containers", false },
	{ "/var/lib/systemd", "the host's state", false },
	{ "/var/lib/cloud", "the host's first configuration, with its secrets", false },
	{ "/var/lib/dpkg", "the host's packages, with programs that its root runs", false },
	{ "/var/lib/rpm", "the host's packages, with programs that its root runs", false },
	{ "/var/spool/cron", "what the host's root runs at set times", false },
	{ "/var/spool/at", "what the host's root runs at set times", false },
	{ "/var/spool/anacron", "what the host's root runs at set times", false },
	{ "/var/backups", "copies of the host's configuration", false },
	{ "/sysroot", "the host's root file system by another name", true },
	{ "/ostree", "the host's root file system by another name", true },
};

/* Whoever has one of these has what lies in it of others; a directory below may be anybody's. */
static const struct tree commons[] = {
	{ "/home", "the home of every user", true },
	{ "/root", "the home of the host's root", true },
	{ "/tmp", "the temporary files of all", true },
	{ "/var/tmp", "the temporary files of all", true },
};

/* A container's own within the trees above: "*" is any name, "$" the pod's UID, "%" the container's or its sandbox's id. */
static const char *const owned[] = {
	"/var/lib/kubelet/pods/$/volumes/*",
	"/var/lib/kubelet/pods/$/volume-subpaths/*",
	"/var/lib/kubelet/pods/$/etc-hosts",
	"/var/lib/kubelet/pods/$/containers/*",
	"/var/lib/k0s/kubelet/pods/$/volumes/*",
	"/var/lib/k0s/kubelet/pods/$/volume-subpaths/*",
	"/var/lib/k0s/kubelet/pods/$/etc-hosts",
	"/var/lib/k0s/kubelet/pods/$/containers/*",
	"/var/snap/microk8s/common/var/lib/kubelet/pods/$/volumes/*",
	"/var/snap/microk8s/common/var/lib/kubelet/pods/$/volume-subpaths/*",
	"/var/snap/microk8s/common/var/lib/kubelet/pods/$/etc-hosts",
	"/var/snap/microk8s/common/var/lib/kubelet/pods/$/containers/*",
	/* containerd's CRI: files of the sandbox, VOLUMEs of images, images as volumes */
	"/var/lib/containerd/*/sandboxes/%/*",
	"/var/lib/containerd/*/containers/%/volumes/*",
	"/run/containerd/*/sandboxes/%/shm",
	"/run/containerd/*/image-volumes/%/*",
	"/var/lib/rancher/*/agent/containerd/*/sandboxes/%/*",
	"/var/lib/rancher/*/agent/containerd/*/containers/%/volumes/*",
	"/run/k3s/containerd/*/sandboxes/%/shm",
	"/run/k3s/containerd/*/image-volumes/%/*",
	"/var/lib/k0s/containerd/*/sandboxes/%/*",
	"/var/lib/k0s/containerd/*/containers/%/volumes/*",
	"/run/k0s/containerd/*/sandboxes/%/shm",
	"/var/snap/microk8s/common/var/lib/containerd/*/sandboxes/%/*",
	"/var/snap/microk8s/common/var/lib/containerd/*/containers/%/volumes/*",
	"/var/snap/microk8s/common/run/containerd/*/sandboxes/%/shm",
	/* nerdctl: address hash, namespace */
	"/var/lib/nerdctl/*/containers/*/%/*",
	"/var/lib/nerdctl/*/etchosts/*/%/hosts",
	"/var/lib/nerdctl/*/volumes/*/*/_data",
	/* podman and CRI-O; "*-containers" is named after the storage driver */
	"/run/containers/storage/*/%/userdata/*",
	"/var/lib/containers/storage/*/%/userdata/*",
	"/var/lib/containers/storage/volumes/*/_data",
	"/run/crio/image-volumes/*",
	"/run/user/*/containers/*/%/userdata/*",
	/* `--network container:NAME`: no secrets in these */
	"/run/containers/storage/*/*/userdata/resolv.conf",
	"/run/containers/storage/*/*/userdata/hosts",
	"/run/containers/storage/*/*/userdata/hostname",
	"/run/user/*/containers/*/*/userdata/resolv.conf",
	"/run/user/*/containers/*/*/userdata/hosts",
	"/run/user/*/containers/*/*/userdata/hostname",
	"/var/lib/docker/containers/*/resolv.conf",
	"/var/lib/docker/containers/*/hostname",
	"/var/lib/docker/containers/*/hosts",
	/* docker; with userns-remap a directory for each range */
	"/var/lib/docker/containers/%/mounts/*",
	"/var/lib/docker/*/containers/%/resolv.conf",
	"/var/lib/docker/*/containers/%/hostname",
	"/var/lib/docker/*/containers/%/hosts",
	"/var/lib/docker/*/containers/%/mounts/*",
	"/var/lib/docker/volumes/*/_data",
	"/var/lib/docker/*/volumes/*/_data",
};

/* Of another container whose ipc namespace is shared. */
static const char *const shared_memory[] = {
	"/var/lib/containers/storage/*/*/userdata/shm",
	"/run/containers/storage/*/*/userdata/shm",
	"/run/user/*/containers/*/*/userdata/shm",
	"/var/lib/docker/containers/*/mounts/shm",
};

/* Harmless and often asked for, as long as nobody writes to it. */
static const char *const readable[] = {
	"/etc/localtime",	"/etc/timezone",      "/etc/ssl/certs",
	"/etc/ca-certificates", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted",
};

/* The host's own programs: a file that is put there is run by the host's root. */
static const char *const programs[] = { "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix", "/opt" };

/* Of root: .ssh, .bashrc, .kube. */
static const struct tree hidden = { "/root/.*", "settings and keys of the host's root", true };

static bool name_matches(const struct plan_places *places, const char *pattern, const char *name, size_t length)
{
	switch (*pattern) {
	case '*':
		return length > 0;
	case '$':
		return places->pod && strlen(places->pod) == length && memcmp(places->pod, name, length) == 0;
	case '%':
		for (size_t i = 0; i < places->n_ids; i++)
			if (strlen(places->ids[i]) == length && memcmp(places->ids[i], name, length) == 0)
				return true;
		return false;
	}
	return strcspn(pattern, "/") == length && memcmp(pattern, name, length) == 0;
}

/* Is path what the pattern describes, or below it? */
static bool matches(const struct plan_places *places, const char *pattern, const char *path)
{
	while (*pattern == '/') {
		size_t length;

		if (*path++ != '/')
			return false;
		pattern++;
		length = strcspn(path, "/");
		if (!name_matches(places, pattern, path, length))
			return false;
		pattern += strcspn(pattern, "/");
		path += length;
	}
	return true;
}

static bool matches_one(const struct plan_places *places, const char *const *patterns, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++) {
		if (matches(places, patterns[i], path))
			return true;
	}
	return false;
}

static bool is_below_one(const char *const *list, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++) {
		if (path_is_below(path, list[i]))
			return true;
	}
	return false;
}

static bool lies_in_bundle(const struct plan_places *places, const char *path)
{
	return places->bundle && path_is_below(path, places->bundle);
}

static bool is_own(const struct plan_places *places, const char *path)
{
	return lies_in_bundle(places, path) || matches_one(places, owned, ARRAY_SIZE(owned), path) ||
	       (places->shares_ipc && matches_one(places, shared_memory, ARRAY_SIZE(shared_memory), path));
}

/* Of the trees and brig's own state: whatever is reached through path. */
static int judge_contents(const struct plan_builder *builder, const struct plan_places *places, const char *path,
			  const char **ret, struct error *err)
{
	const char *found = NULL, *what = "brig's own state";

	for (size_t i = 0; !found && i < ARRAY_SIZE(trees); i++) {
		if (path_is_below(trees[i].path, path)) {
			found = trees[i].path;
			what = trees[i].what;
		}
	}
	for (size_t i = 0; !found && i < ARRAY_SIZE(commons); i++) {
		if (strcmp(commons[i].path, path) == 0) {
			found = path;
			what = commons[i].what;
		}
	}
	if (!found && places->state_root && path_is_below(places->state_root, path))
		found = places->state_root;
	if (!found)
		return 0;
	*ret = plan_builder_text(builder, err, "it %s %s, %s", strcmp(found, path) == 0 ? "is" : "contains", found, what);
	return *ret ? 0 : -ENOMEM;
}

static const struct tree *tree_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		if (path_is_below(path, trees[i].path))
			return &trees[i];
	}
	return strncmp(path, "/root/.", 7) == 0 ? &hidden : NULL;
}

static int judge_surroundings(const struct plan_builder *builder, const struct plan_places *places, const char *path,
			      const char **ret, struct error *err)
{
	static const char pods[] = "/var/lib/kubelet/pods/";
	const struct tree *tree = tree_of(path);

	if (places->state_root && path_is_below(path, places->state_root)) {
		*ret = "it lies in brig's own state";
		return 0;
	}
	if (!tree)
		return 0;
	if (strncmp(path, pods, sizeof(pods) - 1) == 0 &&
	    !name_matches(places, "$", path + sizeof(pods) - 1, strcspn(path + sizeof(pods) - 1, "/")))
		*ret = plan_builder_text(builder, err, "it lies in the kubelet's state of another pod (this one is %s)",
					 places->pod ?: "of no known UID");
	else
		*ret = plan_builder_text(builder, err, "it lies in %s, %s", tree->path, tree->what);
	return *ret ? 0 : -ENOMEM;
}

static const char *judge_programs(const struct plan_places *places, const char *path)
{
	return places->writable && is_below_one(programs, ARRAY_SIZE(programs), path) && !lies_in_bundle(places, path)
		       ? "it holds programs of the host, and the mount is writable"
		       : NULL;
}

int plan_places_judge(const struct plan_builder *builder, const struct plan_places *places, const char *path,
		      const char **ret, struct error *err)
{
	const char *reason = NULL;
	int rc = judge_contents(builder, places, path, &reason, err);

	if (rc >= 0 && !reason && !is_own(places, path) &&
	    (places->writable || !is_below_one(readable, ARRAY_SIZE(readable), path)))
		rc = judge_surroundings(builder, places, path, &reason, err);
	if (rc >= 0 && !reason)
		reason = judge_programs(places, path);
	if (rc >= 0)
		*ret = reason;
	return rc;
}

int plan_places_judge_root(const struct plan_builder *builder, const struct plan_places *places, const char *path,
			   const char **ret, struct error *err)
{
	const char *reason = NULL;
	const struct tree *tree = tree_of(path);
	int rc = judge_contents(builder, places, path, &reason, err);

	if (rc >= 0 && !reason && !(tree && tree->has_roots) && !is_own(places, path))
		rc = judge_surroundings(builder, places, path, &reason, err);
	if (rc >= 0 && !reason)
		reason = judge_programs(places, path);
	if (rc >= 0)
		*ret = reason;
	return rc;
}

bool plan_places_is_kubelet_volume(const struct plan_places *places, const char *path)
{
	static const char *const volumes[] = {
		"/var/lib/kubelet/pods/$/volumes/*",
		"/var/lib/k0s/kubelet/pods/$/volumes/*",
		"/var/snap/microk8s/common/var/lib/kubelet/pods/$/volumes/*",
	};

	return matches_one(places, volumes, ARRAY_SIZE(volumes), path);
}

bool plan_places_is_staged_volume(const char *path)
{
	static const struct plan_places nobody = { 0 };
	static const char *const staged[] = {
		"/var/lib/kubelet/plugins/kubernetes.io/*",
		"/var/lib/k0s/kubelet/plugins/kubernetes.io/*",
		"/var/snap/microk8s/common/var/lib/kubelet/plugins/kubernetes.io/*",
	};

	return matches_one(&nobody, staged, ARRAY_SIZE(staged), path);
}

static const char *annotation(const struct spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->n_annotations; i++) {
		if (strcmp(spec->annotations[i].name, name) == 0 && *spec->annotations[i].value)
			return spec->annotations[i].value;
	}
	return NULL;
}

/* What containerd says and what CRI-O does: the engine's own goes over the pod's annotations, which may say anything, also what only
 * the other engine would. Two that disagree count for none. */
static const char *one_of(const struct spec *spec, const char *containerd, const char *crio)
{
	const char *one = annotation(spec, containerd), *other = annotation(spec, crio);

	return one && other && strcmp(one, other) != 0 ? NULL : one ?: other;
}

static bool shares_ipc(const struct spec *spec)
{
	for (size_t i = 0; i < spec->linux_.n_namespaces; i++) {
		if (spec->linux_.namespaces[i].type == CLONE_NEWIPC)
			return spec->linux_.namespaces[i].path;
	}
	return false;
}

struct plan_places plan_places_of(const struct plan_request *request)
{
	const char *sandbox = one_of(request->spec, "io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID");
	struct plan_places places = { .bundle = request->bundle,
				      .state_root = request->state_root,
				      .pod = one_of(request->spec, "io.kubernetes.cri.sandbox-uid",
						    "io.kubernetes.pod.uid"),
				      .ids = { request->id },
				      .n_ids = 1,
				      .shares_ipc = shares_ipc(request->spec) };

	/* A bundle such as "/" would make everything its own. */
	for (size_t i = 0; places.bundle && i < ARRAY_SIZE(trees); i++) {
		if (path_is_below(trees[i].path, places.bundle))
			places.bundle = NULL;
	}
	if (sandbox)
		places.ids[places.n_ids++] = sandbox;
	return places;
}
