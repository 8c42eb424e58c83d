#include "plan/plan_resources_lists.h"

#include "base/cleanup.h"

/* One of the lists of block devices, and what it limits. */
struct throttles {
	const struct spec_throttle_device *list;
	size_t n;
	int kind;
};

static void add_rates(const struct throttles *asked, struct plan_throttle *list, size_t *n)
{
	for (size_t i = 0; i < asked->n; i++)
		list[(*n)++] = (struct plan_throttle){ .kind = asked->kind,
						       .major = (uint64_t)asked->list[i].major,
						       .minor = (uint64_t)asked->list[i].minor,
						       .value = asked->list[i].rate };
}

/* A weight of 0 is none, as with the group's own. */
static void add_weight(const struct spec_weight_device *asked, bool leaf, struct plan_throttle *list, size_t *n)
{
	const struct opt_u16 *weight = leaf ? &asked->leaf_weight : &asked->weight;

	if (weight->set && weight->value != 0)
		list[(*n)++] = (struct plan_throttle){ .kind = leaf ? PLAN_IO_LEAF_WEIGHT : PLAN_IO_WEIGHT,
						       .major = (uint64_t)asked->major,
						       .minor = (uint64_t)asked->minor,
						       .value = weight->value };
}

static int build_throttles(const struct spec_block_io *asked, struct arena *arena, struct plan_resources *plan,
			   struct error *err)
{
	const struct throttles all[] = {
		{ asked->throttle_read_bps_device, asked->n_throttle_read_bps_device, PLAN_IO_READ_BPS },
		{ asked->throttle_write_bps_device, asked->n_throttle_write_bps_device, PLAN_IO_WRITE_BPS },
		{ asked->throttle_read_iops_device, asked->n_throttle_read_iops_device, PLAN_IO_READ_IOPS },
		{ asked->throttle_write_iops_device, asked->n_throttle_write_iops_device, PLAN_IO_WRITE_IOPS },
	};
	size_t most = 2 * asked->n_weight_device, n = 0;
	struct plan_throttle *list;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		most += all[i].n;
	list = arena_array_of(arena, most, struct plan_throttle);
	if (!list)
		return error_memory(err);
	for (size_t i = 0; i < 2 * asked->n_weight_device; i++)
		add_weight(&asked->weight_device[i / 2], /* leaf= */ i % 2, list, &n);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		add_rates(&all[i], list, &n);
	plan->throttles = list;
	plan->n_throttles = n;
	return 0;
}

static int build_hugepages(const struct spec_resources *asked, struct arena *arena, struct plan_resources *plan,
			   struct error *err)
{
	struct plan_number *list = arena_array_of(arena, asked->n_hugepage_limits, struct plan_number);
	int rc = list ? 0 : error_memory(err);

	for (size_t i = 0; rc >= 0 && i < asked->n_hugepage_limits; i++) {
		/* OCI 1.1: the reservation is limited with the use, where the kernel can. */
		list[i] = (struct plan_number){ .name = arena_strdup(arena, asked->hugepage_limits[i].page_size),
						.value = asked->hugepage_limits[i].limit,
						.reservation = true };
		rc = list[i].name ? 0 : error_memory(err);
	}
	plan->hugepages = list;
	plan->n_hugepages = asked->n_hugepage_limits;
	return rc;
}

static int build_network(const struct spec_network *asked, struct arena *arena, struct plan_resources *plan,
			 struct error *err)
{
	struct plan_number *list = arena_array_of(arena, asked->n_priorities, struct plan_number);

	if (!list)
		return error_memory(err);
	for (size_t i = 0; i < asked->n_priorities; i++) {
		list[i].name = arena_strdup(arena, asked->priorities[i].name);
		list[i].value = asked->priorities[i].priority;
		if (!list[i].name)
			return error_memory(err);
	}
	plan->net_priorities = list;
	plan->n_net_priorities = asked->n_priorities;
	return 0;
}

static int build_rdma(const struct spec_resources *asked, struct arena *arena, struct plan_resources *plan,
		      struct error *err)
{
	struct plan_rdma *list = arena_array_of(arena, asked->n_rdma, struct plan_rdma);

	if (!list)
		return error_memory(err);
	for (size_t i = 0; i < asked->n_rdma; i++) {
		list[i] = (struct plan_rdma){ .device = arena_strdup(arena, asked->rdma[i].device),
					      .set_handles = asked->rdma[i].hca_handles.set,
					      .set_objects = asked->rdma[i].hca_objects.set,
					      .handles = asked->rdma[i].hca_handles.value,
					      .objects = asked->rdma[i].hca_objects.value };
		if (!list[i].device)
			return error_memory(err);
	}
	plan->rdma = list;
	plan->n_rdma = asked->n_rdma;
	return 0;
}

static int build_unified(const struct spec_resources *asked, struct arena *arena, struct plan_resources *plan,
			 struct error *err)
{
	struct plan_pair *list = arena_array_of(arena, asked->n_unified, struct plan_pair);
	int rc = list ? 0 : error_memory(err);

	for (size_t i = 0; rc >= 0 && i < asked->n_unified; i++) {
		list[i].name = arena_strdup(arena, asked->unified[i].name);
		list[i].value = arena_strdup(arena, asked->unified[i].value);
		rc = list[i].name && list[i].value ? 0 : error_memory(err);
	}
	plan->unified = list;
	plan->n_unified = asked->n_unified;
	return rc;
}

int plan_resources_lists_build(const struct spec_resources *resources, struct arena *arena, struct plan_resources *ret,
			       struct error *err)
{
	int rc = build_throttles(&resources->block_io, arena, ret, err);

	if (rc >= 0)
		rc = build_hugepages(resources, arena, ret, err);
	if (rc >= 0)
		rc = build_network(&resources->network, arena, ret, err);
	if (rc >= 0)
		rc = build_rdma(resources, arena, ret, err);
	return rc < 0 ? rc : build_unified(resources, arena, ret, err);
}
