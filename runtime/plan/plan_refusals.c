#include <errno.h>
#include <string.h>

#include "plan/plan_builder.h"

static int refuse(const char *where, struct error *err)
{
	return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP, "%s: not supported by this version; leave it out", where);
}

/* What config.json may ask for and this version can't do: nothing is silently ignored. Listed in docs/. */
int plan_refusals_check(struct plan_builder *builder, struct error *err)
{
	const struct spec_linux *linux_ = &builder->spec->linux_;

	if (builder->exec)
		return 0;
	if (linux_->intel_rdt)
		return refuse("linux.intelRdt", err);
	return 0;
}
