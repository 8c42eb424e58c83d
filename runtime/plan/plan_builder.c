#include "plan/plan_builder.h"

#include "base/syscalls.h"

enum plan_namespace_origin plan_builder_namespace(const struct plan_builder *builder, uint64_t flag)
{
	const struct spec_linux *linux_ = &builder->spec->linux_;

	if (flag == CLONE_NEWUSER && builder->floor_userns)
		return builder->request->ids.join ? PLAN_NAMESPACE_JOINED : PLAN_NAMESPACE_NEW;
	if (flag & builder->added)
		return PLAN_NAMESPACE_NEW;
	for (size_t i = 0; i < linux_->n_namespaces; i++) {
		if (linux_->namespaces[i].type == flag)
			return linux_->namespaces[i].path ? PLAN_NAMESPACE_JOINED : PLAN_NAMESPACE_NEW;
	}
	return PLAN_NAMESPACE_HOST;
}

bool plan_builder_can(const struct plan_builder *builder, int capability)
{
	return builder->host->capabilities >> capability & 1;
}

bool plan_builder_can_on_host(const struct plan_builder *builder, int capability)
{
	return !builder->host->in_user_namespace && plan_builder_can(builder, capability);
}

int plan_builder_copy(const struct plan_builder *builder, const char *text, const char **ret, struct error *err)
{
	char *copy = text ? arena_strdup(builder->arena, text) : NULL;

	if (text && !copy)
		return error_memory(err);
	*ret = copy;
	return 0;
}

int plan_builder_copy_list(const struct plan_builder *builder, const char *const *list, size_t n,
			   const char *const **ret, struct error *err)
{
	const char **copy = arena_array_of(builder->arena, n + 1, const char *);
	int rc = copy ? 0 : error_memory(err);

	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = plan_builder_copy(builder, list[i], &copy[i], err);
	if (rc >= 0)
		*ret = copy;
	return rc;
}
