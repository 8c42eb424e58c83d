/* linux.sysctl: settings that a namespace keeps apart, and who has the right to write them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/names.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "plan/plan_builder.h"

#define PING_GROUPS "net/ipv4/ping_group_range"

/* What belongs to a namespace, by the slash form. Those of ipc are named one by one: their neighbours are the host's. */
static const struct {
	const char *name;
	bool is_prefix;
	uint64_t flag;
} namespaced[] = {
	{ "net/", true, CLONE_NEWNET },
	{ "fs/mqueue/", true, CLONE_NEWIPC },
	{ "kernel/shmmax", false, CLONE_NEWIPC },
	{ "kernel/shmall", false, CLONE_NEWIPC },
	{ "kernel/shmmni", false, CLONE_NEWIPC },
	{ "kernel/shm_rmid_forced", false, CLONE_NEWIPC },
	{ "kernel/shm_next_id", false, CLONE_NEWIPC },
	{ "kernel/msgmax", false, CLONE_NEWIPC },
	{ "kernel/msgmnb", false, CLONE_NEWIPC },
	{ "kernel/msgmni", false, CLONE_NEWIPC },
	{ "kernel/msg_next_id", false, CLONE_NEWIPC },
	{ "kernel/auto_msgmni", false, CLONE_NEWIPC },
	{ "kernel/sem", false, CLONE_NEWIPC },
	{ "kernel/sem_next_id", false, CLONE_NEWIPC },
	{ "kernel/hostname", false, CLONE_NEWUTS },
	{ "kernel/domainname", false, CLONE_NEWUTS },
};

static uint64_t find_namespace(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(namespaced); i++) {
		if (namespaced[i].is_prefix ? strncmp(name, namespaced[i].name, strlen(namespaced[i].name)) == 0
					    : strcmp(name, namespaced[i].name) == 0)
			return namespaced[i].flag;
	}
	return 0;
}

static int check(const struct plan_builder *builder, const struct json_pair *asked, const char *name, struct error *err)
{
	uint64_t flag;

	/* CVE-2022-0811: a `+` in a value was taken for the separator of the next setting. None of these settings has one. */
	if (strchr(asked->value, '+'))
		return error_set(err, ERROR_REFUSED, EPERM,
				 "linux.sysctl[\"%s\"]: a '+' in the value is refused (CVE-2022-0811)", asked->name);
	flag = find_namespace(name);
	if (flag == 0)
		return error_set(
			err, ERROR_REFUSED, EPERM,
			"linux.sysctl[\"%s\"]: is a setting of the whole host, no namespace keeps it apart; set it on the host",
			asked->name);
	if (plan_builder_namespace(builder, flag) == PLAN_NAMESPACE_HOST)
		return error_set(
			err, ERROR_REFUSED, EPERM,
			"linux.sysctl[\"%s\"]: would change the host; add { \"type\": \"%s\" } to linux.namespaces",
			asked->name, names_text(&names_namespaces, flag) ?: "?");
	return 0;
}

/* Of a network namespace that was there before the floor's user namespace, whose root has no say in it. */
static bool is_for_parent(const struct plan_builder *builder, const char *name)
{
	return builder->floor_userns && strncmp(name, "net/", 4) == 0 &&
	       plan_builder_namespace(builder, CLONE_NEWNET) == PLAN_NAMESPACE_JOINED;
}

static void split(struct plan_builder *builder, struct plan_pair *list, size_t n)
{
	struct plan *plan = builder->plan;
	size_t n_child = 0;

	/* Stable, and the list is short. */
	for (size_t i = 0; i < n; i++) {
		struct plan_pair pair = list[i];

		if (is_for_parent(builder, pair.name))
			continue;
		memmove(&list[n_child + 1], &list[n_child], (i - n_child) * sizeof(*list));
		list[n_child++] = pair;
	}
	plan->sysctls = list;
	plan->n_sysctls = n_child;
	plan->parent_sysctls = list + n_child;
	plan->n_parent_sysctls = n - n_child;
}

/* The kernel takes the groups as the writer knows them, and the parent is outside of the container's user namespace. A range that goes beyond
 * the container's ids ends with them; one of nobody ("1 0") stays. */
static int map_ping_groups(struct plan_builder *builder, struct plan_pair *pair, struct error *err)
{
	const struct plan_id_map *gids = &builder->plan->namespaces.gids;
	unsigned first, last;
	char rest;

	if (sscanf(pair->value, "%u %u %c", &first, &last, &rest) != 2 || first > last)
		return 0;
	for (size_t i = 0; i < gids->n_ranges; i++) {
		const struct plan_id_range *range = &gids->ranges[i];

		if (first < range->inside || first - range->inside >= range->count)
			continue;
		if (last - range->inside >= range->count)
			last = range->inside + range->count - 1;
		pair->value = arena_printf(builder->arena, "%u %u", range->outside + (first - range->inside),
					   range->outside + (last - range->inside));
		return pair->value ? 0 : error_memory(err);
	}
	return error_invalid(
		err, "linux.sysctl[\"net.ipv4.ping_group_range\"]: group %u is none of the container's (%u to %u)",
		first, gids->n_ranges ? gids->ranges[0].inside : 0,
		gids->n_ranges ? gids->ranges[0].inside + gids->ranges[0].count - 1 : 0);
}

static int map_parents(struct plan_builder *builder, struct error *err)
{
	struct plan_pair *list = (struct plan_pair *)builder->plan->parent_sysctls;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < builder->plan->n_parent_sysctls; i++) {
		if (strcmp(list[i].name, PING_GROUPS) == 0)
			rc = map_ping_groups(builder, &list[i], err);
	}
	return rc;
}

/* Where the capabilities for low ports and for ping are not what config.json thinks, the network namespace does without: the caller's,
 * over which a user namespace of the container's own gives no rights, or one in which no capability is left. */
static void allow_low_ports(struct plan_builder *builder, struct plan_pair *list, size_t *n)
{
	static const struct plan_pair added[] = {
		{ "net/ipv4/ip_unprivileged_port_start", "0" },
		{ PING_GROUPS, "0 2147483647" },
	};
	bool ceiling = builder->levels[POLICY_CAPABILITY] == POLICY_ADJUST ||
		       builder->levels[POLICY_CAPABILITY] == POLICY_ENFORCE;
	size_t asked = *n;

	if (!ceiling && !builder->floor_userns)
		return;
	if (plan_builder_namespace(builder, CLONE_NEWNET) == PLAN_NAMESPACE_JOINED)
		builder->plan->namespaces.low_ports = true;
	if (plan_builder_namespace(builder, CLONE_NEWNET) != PLAN_NAMESPACE_NEW ||
	    plan_builder_namespace(builder, CLONE_NEWUSER) != PLAN_NAMESPACE_HOST ||
	    !plan_builder_can_on_host(builder, CAP_SYS_ADMIN))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(added); i++) {
		bool is_asked = false;

		for (size_t k = 0; k < asked; k++)
			is_asked |= strcmp(list[k].name, added[i].name) == 0;
		if (!is_asked)
			list[(*n)++] = added[i];
	}
}

int plan_sysctl_build(struct plan_builder *builder, struct error *err)
{
	const struct spec_linux *linux_ = &builder->spec->linux_;
	struct plan_pair *list = arena_array_of(builder->arena, linux_->n_sysctl + 2, struct plan_pair);
	size_t n = linux_->n_sysctl;
	int rc = list ? 0 : error_memory(err);
	char *name;

	for (size_t i = 0; rc >= 0 && i < linux_->n_sysctl; i++) {
		name = arena_strdup(builder->arena, linux_->sysctl[i].name);
		if (!name)
			return error_memory(err);
		path_of_sysctl(name);
		list[i].name = name;
		rc = check(builder, &linux_->sysctl[i], name, err);
		if (rc >= 0)
			rc = plan_builder_copy(builder, linux_->sysctl[i].value, &list[i].value, err);
	}
	if (rc < 0)
		return rc;
	allow_low_ports(builder, list, &n);
	split(builder, list, n);
	return map_parents(builder, err);
}
