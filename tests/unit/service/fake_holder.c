#include "tests/unit/service/fake_holder.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "shim/service/sandbox_files.h"

struct fake_holder fake_holder;

int holder_start(const struct holder_options *options, struct holder **ret, struct error *err)
{
	if (fake_holder.failure.kind != ERROR_NONE) {
		*err = fake_holder.failure;
		return -err->code;
	}
	cr_assert_not(fake_holder.is_there);
	fake_holder.is_there = true;
	fake_holder.n_started++;
	fake_holder.namespaces = options->namespaces;
	fake_holder.with_network_owner = options->with_network_owner;
	snprintf(fake_holder.network_path, sizeof(fake_holder.network_path), "%s", options->network_path ?: "-");
	snprintf(fake_holder.hostname, sizeof(fake_holder.hostname), "%s", options->hostname ?: "-");
	for (size_t i = 0; i < options->n_sysctls; i++) {
		size_t length = strlen(fake_holder.sysctls);

		snprintf(fake_holder.sysctls + length, sizeof(fake_holder.sysctls) - length, "%s=%s ",
			 options->sysctls[i].name, options->sysctls[i].value);
	}
	fake_holder.ended = options->ended;
	fake_holder.context = options->context;
	*ret = (struct holder *)&fake_holder;
	return 0;
}

pid_t holder_pid(const struct holder *holder)
{
	(void)holder;
	return 4242;
}

void holder_free(struct holder *holder)
{
	if (!holder)
		return;
	cr_assert(fake_holder.is_there);
	fake_holder.is_there = false;
}

int sandbox_files_make(const char *bundle, const struct sandbox_config *config, struct arena *arena,
		       struct sandbox_files *ret, struct error *err)
{
	(void)config;
	if (fake_holder.files_failure.kind != ERROR_NONE) {
		*err = fake_holder.files_failure;
		return -err->code;
	}
	fake_holder.has_files = true;
	ret->binds[0] = (struct brig_bind){ arena_printf(arena, "%s/hosts", bundle), "/etc/hosts", true };
	ret->n = 1;
	return 0;
}

void sandbox_files_remove(struct sandbox_files *files)
{
	fake_holder.has_files = false;
	files->n = 0;
}
