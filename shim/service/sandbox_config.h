/* What CRI's PodSandboxConfig says of a pod's namespaces. Pure. Source: k8s.io/cri-api, runtime/v1/api.proto */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "shim/bootstrap/wire.h"
#include "shim/process/holder.h"

#define SANDBOX_CONFIG_TYPE "PodSandboxConfig" /* runtime.v1.PodSandboxConfig */
#define SANDBOX_CONFIG_SYSCTLS_MAX 256u

struct sandbox_config { /* strings in the arena */
	const char *hostname;
	const char *resolver;	  /* what /etc/resolv.conf says; NULL: what the host's does */
	const char *cgroup_path;  /* the pod's, of the kubelet's making, or NULL */
	const char *network_path; /* NULL: the host's, or a new one */
	unsigned namespaces;	  /* CLONE_NEW*: those that are made for the pod */
	unsigned of_the_host;	  /* CLONE_NEW*: those of the host's that were asked for */
	bool has_user_namespace;
	struct holder_sysctl *sysctls;
	size_t n_sysctls;
};

/* What a pod is asked to be, from the kubelet's own message, of which containerd hands on all: fields that brig does not need are passed
 * over, since CRI grows with each release. message: empty for none; network_path: "" for none. Returns 0, or a negative errno with err
 * set: ERROR_INVALID, ERROR_REFUSED for a sysctl of the host's, ERROR_UNSUPPORTED. */
int sandbox_config_decode(struct wire_bytes message, const char *network_path, struct arena *arena,
			  struct sandbox_config *ret, struct error *err);
