/* Where a container may connect to: its annotation, what the site makes of it, and what would be a way around it. docs/egress.md. */
#include <errno.h>
#include <string.h>

#include "base/syscalls.h"
#include "plan/plan_egress.h"
#include "plan/plan_harden.h"

/* A packet that is made by hand, or by a device of the container's own, belongs to no socket that a program could look at. */
#define WAYS_AROUND (UINT64_C(1) << CAP_NET_RAW | UINT64_C(1) << CAP_NET_ADMIN)

bool plan_egress_knows(const char *annotation)
{
	return strcmp(annotation, PLAN_EGRESS_ANNOTATION) == 0;
}

/* *ret_asked: there is one. */
static int read_annotation(struct plan_builder *builder, struct egress_value *ret, bool *ret_asked, struct error *err)
{
	const struct spec *spec = builder->spec;

	for (size_t i = 0; i < spec->n_annotations; i++) {
		if (!plan_egress_knows(spec->annotations[i].name))
			continue;
		*ret_asked = true;
		return egress_value_parse(PLAN_EGRESS_WHERE, spec->annotations[i].value, builder->arena, ret, err);
	}
	return 0;
}

/* NULL: nothing speaks against it. */
static const char *obstacle(const struct plan_builder *builder, const char **ret_remedy)
{
	const struct host *host = builder->host;

	if (builder->plan->cgroup.manager == PLAN_CGROUP_DISABLED) {
		*ret_remedy = builder->request->cgroup_manager == PLAN_CGROUP_DISABLED && !host->cgroup_closed
				      ? "leave --cgroup-manager=disabled out"
				      : "have the container made by root";
		return "the programs that hold it are attached to the container's cgroup, and there is to be none";
	}
	if (host->cgroup_layout != HOST_CGROUP_V2 && host->cgroup_layout != HOST_CGROUP_HYBRID) {
		*ret_remedy = "mount cgroup2 at /sys/fs/cgroup, or beside version 1 at /sys/fs/cgroup/unified";
		return "the programs that hold it are attached to a cgroup of version 2, and this host has none";
	}
	if (plan_builder_can_on_host(builder, CAP_SYS_ADMIN) ||
	    (plan_builder_can_on_host(builder, CAP_BPF) && plan_builder_can_on_host(builder, CAP_NET_ADMIN)))
		return NULL;
	*ret_remedy = "have the container made by root";
	return "the programs that hold it take CAP_BPF and CAP_NET_ADMIN on the host, which brig lacks here";
}

/* What can't be held does not start. */
static int check_host(struct plan_builder *builder, struct error *err)
{
	const char *remedy = NULL, *why = obstacle(builder, &remedy);
	struct report_line line = {
		.level = REPORT_REFUSED, .rule = "egress", .where = PLAN_EGRESS_WHERE, .applied = remedy, .why = why
	};

	if (!why)
		return 0;
	if (builder->request->collects)
		return report_add(builder->report, &line, err);
	return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP, "%s: can't be held: %s; %s, or leave it out",
			 PLAN_EGRESS_WHERE, why, remedy);
}

static int withhold_capabilities(struct plan_builder *builder, struct error *err)
{
	struct plan_capabilities *sets = &builder->plan->process.capabilities;
	uint64_t has = (sets->bounding | sets->effective | sets->inheritable | sets->permitted | sets->ambient) &
		       WAYS_AROUND;
	bool raw = has >> CAP_NET_RAW & 1, admin = has >> CAP_NET_ADMIN & 1;
	struct report_line line = { .where = "process.capabilities",
				    .asked = raw && admin ? "CAP_NET_ADMIN, CAP_NET_RAW"
					     : raw	  ? "CAP_NET_RAW"
							  : "CAP_NET_ADMIN",
				    .applied = "left out",
				    .why = "it would be a way around " PLAN_EGRESS_WHERE };

	if (!has)
		return 0;
	sets->bounding &= ~WAYS_AROUND;
	sets->effective &= ~WAYS_AROUND;
	sets->inheritable &= ~WAYS_AROUND;
	sets->permitted &= ~WAYS_AROUND;
	sets->ambient &= ~WAYS_AROUND;
	return plan_withheld_report(builder, POLICY_CAPABILITY_WITHHELD, &line, err);
}

/* The kernel asks no program about sockets of other families; each of brig's filters refuses them. */
static int report_families(struct plan_builder *builder, struct error *err)
{
	struct report_line line = { .level = REPORT_WARNING,
				    .rule = "egress-families",
				    .where = PLAN_EGRESS_WHERE,
				    .asked = "no other way out",
				    .applied = "IPv4 and IPv6 are held to it",
				    .why = "brig's filter is off for this container: sockets of other families "
					   "(AF_VSOCK, AF_BLUETOOTH, AF_TIPC) are for linux.seccomp to refuse" };

	if (builder->exec || builder->plan->seccomp.floor != PLAN_FLOOR_NONE)
		return 0;
	return report_add(builder->report, &line, err);
}

/* own_network lets loopback pass. A path says nothing of whose network it is: that is looked at when it is opened. */
static int refuse_the_hosts_network(struct plan_builder *builder, struct error *err)
{
	struct plan_namespaces *namespaces = &builder->plan->namespaces;
	struct plan_namespace_join *join =
		arena_array_of(builder->arena, namespaces->n_join + 1, struct plan_namespace_join);

	if (!join)
		return error_memory(err);
	for (size_t i = 0; i < namespaces->n_join; i++) {
		join[i] = namespaces->join[i];
		join[i].not_the_hosts |= join[i].flag == CLONE_NEWNET;
	}
	namespaces->join = join;
	return 0;
}

static int hold(struct plan_builder *builder, const struct egress_value *value, struct error *err)
{
	int rc = check_host(builder, err);

	builder->plan->egress = (struct plan_egress){
		.enforced = true,
		.own_network = plan_builder_namespace(builder, CLONE_NEWNET) != PLAN_NAMESPACE_HOST,
		.list = value->list,
		.n = value->n,
	};
	if (rc >= 0)
		rc = refuse_the_hosts_network(builder, err);
	if (rc >= 0 && builder->process)
		rc = withhold_capabilities(builder, err);
	return rc < 0 ? rc : report_families(builder, err);
}

int plan_egress_build(struct plan_builder *builder, struct error *err)
{
	struct egress_value value = { 0 };
	bool asked = false, holds;
	int rc;

	if (builder->request->decided)
		return 0;
	rc = read_annotation(builder, &value, &asked, err);
	if (rc < 0)
		return rc;
	holds = asked;
	rc = plan_harden_egress(builder, asked, &value, &holds, err);
	return rc < 0 || !holds ? rc : hold(builder, &value, err);
}
