/* The floor's rule about devices, of network interfaces: with one the container is on a network of the host's, beneath whatever filters
 * the host has for it. */
#include <errno.h>

#include "base/cleanup.h"
#include "plan/plan_harden.h"

static int check(struct plan_builder *builder, const struct plan_net_device *device, bool *ret_keep, struct error *err)
{
	struct policy_strings site = policy_net_devices(builder->request->policy);
	struct report_line line = {
		.applied = "left out",
		.why = "the container would be on a network of the host's, and the policy's \"net_devices\" does "
		       "not list it"
	};
	bool adjust;
	int rc;

	*ret_keep = true;
	if (plan_harden_lists(&site, device->host_name))
		return 0;
	line.where = plan_builder_text(builder, err, "linux.netDevices[\"%s\"]", device->host_name);
	line.asked = plan_builder_text(builder, err, "the interface, as %s", device->name);
	if (!line.where || !line.asked)
		return -ENOMEM;
	rc = plan_harden_find(builder, POLICY_DEVICE, &line, &adjust, err);
	*ret_keep = !adjust;
	return rc;
}

int plan_harden_net_device(struct plan_builder *builder, struct error *err)
{
	struct plan *plan = builder->plan;
	struct plan_net_device *kept;
	size_t n = 0;
	bool keep;
	int rc = 0;

	if (plan->n_net_devices == 0)
		return 0;
	kept = arena_array_of(builder->arena, plan->n_net_devices, struct plan_net_device);
	if (!kept)
		return error_memory(err);
	for (size_t i = 0; rc >= 0 && i < plan->n_net_devices; i++) {
		rc = check(builder, &plan->net_devices[i], &keep, err);
		if (rc >= 0 && keep)
			kept[n++] = plan->net_devices[i];
	}
	plan->net_devices = kept;
	plan->n_net_devices = n;
	return rc;
}
