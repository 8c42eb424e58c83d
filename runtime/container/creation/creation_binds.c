#include "container/creation/creation_binds.h"

#include <stdlib.h>

#include "base/cleanup.h"

int creation_binds_mounts(const struct brig_supervisor *supervisor, const struct spec *spec, struct spec_mount **ret,
			  size_t *ret_n, struct error *err)
{
	/* Nobody has devices, programs or set-user-id ones there. The last one is for those that are read-only. */
	static const char *const options[] = { "rbind", "nosuid", "nodev", "noexec", "ro" };
	size_t n = supervisor ? supervisor->n_binds : 0;
	struct spec_mount *mounts = calloc(n + 1, sizeof(*mounts));

	if (!mounts)
		return error_memory(err);
	for (size_t i = 0; i < n; i++) {
		const struct brig_bind *bind = &supervisor->binds[i];
		bool is_read_only = bind->follows_root && spec->root.readonly;

		mounts[i].destination = bind->destination;
		mounts[i].source = bind->source;
		mounts[i].type = "bind";
		mounts[i].options = options;
		mounts[i].n_options = ARRAY_SIZE(options) - (is_read_only ? 0 : 1);
	}
	*ret = mounts;
	*ret_n = n;
	return 0;
}
