/* The floor's rule about kernel settings. Those of the whole host, and values with control characters or a
 * separator (CVE-2022-0811), are refused before, by plan_sysctl.c and spec/. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan/plan_harden.h"

/* Those that the kubelet calls safe: they reach nobody outside the namespace, also where a pod's containers share it. */
static const char *const safe[] = {
	"kernel/shm_rmid_forced",	    "net/ipv4/ip_local_port_range",
	"net/ipv4/ip_local_reserved_ports", "net/ipv4/ip_unprivileged_port_start",
	"net/ipv4/ping_group_range",	    "net/ipv4/tcp_fin_timeout",
	"net/ipv4/tcp_keepalive_intvl",	    "net/ipv4/tcp_keepalive_probes",
	"net/ipv4/tcp_keepalive_time",	    "net/ipv4/tcp_rmem",
	"net/ipv4/tcp_syncookies",	    "net/ipv4/tcp_wmem",
};

static uint64_t namespace_of(const char *name)
{
	if (strncmp(name, "net/", 4) == 0)
		return CLONE_NEWNET;
	return strcmp(name, "kernel/hostname") == 0 || strcmp(name, "kernel/domainname") == 0 ? CLONE_NEWUTS
											      : CLONE_NEWIPC;
}

static bool is_allowed(const struct plan_builder *builder, const char *name)
{
	struct policy_strings site = policy_sysctls(builder->request->policy);

	/* A namespace that is made for this very container has nobody else in it. */
	if (plan_builder_namespace(builder, namespace_of(name)) == PLAN_NAMESPACE_NEW)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(safe); i++) {
		if (strcmp(safe[i], name) == 0)
			return true;
	}
	return plan_harden_lists(&site, name);
}

static int check(struct plan_builder *builder, const struct plan_pair *sysctl, bool *ret_keep, struct error *err)
{
	struct report_line line = { .applied = "left out",
				    .why = "it is not on the list of those that can't harm others in a shared namespace" };
	bool adjust;
	int rc;

	*ret_keep = true;
	if (is_allowed(builder, sysctl->name))
		return 0;
	line.where = plan_builder_text(builder, err, "linux.sysctl[\"%.200s\"]", sysctl->name);
	line.asked = plan_builder_text(builder, err, "\"%.64s\"", sysctl->value);
	if (!line.where || !line.asked)
		return -ENOMEM;
	rc = plan_harden_find(builder, POLICY_SYSCTL, &line, &adjust, err);
	*ret_keep = !adjust;
	return rc;
}

int plan_harden_sysctl(struct plan_builder *builder, struct error *err)
{
	struct plan *plan = builder->plan;
	int rc = plan_harden_keep(builder, &plan->sysctls, &plan->n_sysctls, check, err);

	/* Those that are set for the container in a network namespace of the caller's. */
	return rc < 0 ? rc : plan_harden_keep(builder, &plan->parent_sysctls, &plan->n_parent_sysctls, check, err);
}
