/* linux.netDevices: interfaces that the container takes from the host. */
#include <errno.h>
#include <linux/capability.h>

#include "base/syscalls.h"
#include "plan/plan_builder.h"

/* Whose network it is that a path names is looked at when it is opened (parent/net_devices.c). */
static int check_place(const struct plan_builder *builder, struct error *err)
{
	if (plan_builder_namespace(builder, CLONE_NEWNET) == PLAN_NAMESPACE_HOST)
		return error_invalid(err,
				     "linux.netDevices: the container has the host's network, where they are already; add "
				     "{ \"type\": \"network\" } to linux.namespaces, or leave them out");
	if (!plan_builder_can_on_host(builder, CAP_NET_ADMIN) || !plan_builder_can_on_host(builder, CAP_SYS_ADMIN))
		return error_set(
			err, ERROR_UNSUPPORTED, EPERM,
			"linux.netDevices: to take an interface from the host needs CAP_NET_ADMIN and CAP_SYS_ADMIN on "
			"it, which brig lacks; leave them out, or start brig as root");
	return 0;
}

int plan_net_devices_build(struct plan_builder *builder, struct error *err)
{
	const struct spec_linux *linux_ = &builder->spec->linux_;
	struct plan_net_device *list;
	int rc = 0;

	if (linux_->n_net_devices == 0)
		return 0;
	rc = check_place(builder, err);
	if (rc < 0)
		return rc;
	list = arena_array_of(builder->arena, linux_->n_net_devices, struct plan_net_device);
	if (!list)
		return error_memory(err);
	for (size_t i = 0; rc >= 0 && i < linux_->n_net_devices; i++) {
		const struct spec_net_device *asked = &linux_->net_devices[i];

		rc = plan_builder_copy(builder, asked->host_name, &list[i].host_name, err);
		if (rc >= 0)
			rc = plan_builder_copy(builder, asked->name ?: asked->host_name, &list[i].name, err);
	}
	builder->plan->net_devices = list;
	builder->plan->n_net_devices = linux_->n_net_devices;
	return rc;
}
