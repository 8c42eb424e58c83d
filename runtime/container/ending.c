#include "container/ending.h"

#include "base/log.h"
#include "container/delete.h"
#include "container/explain/expectation.h"
#include "container/record.h"

void ending_record(const struct creation *creation, const struct ending_note *note)
{
	const struct record_exit exit = { .pid = creation->birth.pid,
					  .has_status = true,
					  .status = note->status,
					  .ended_by = note->ended_by,
					  .cgroup = creation->cgroup,
					  .usage = note->usage,
					  .denials = note->denials };

	record_exit(creation->brig, &creation->container.state, &exit);
	expectation_keep_last(&creation->container, note->status, note->denials);
}

/* Not found: somebody has deleted it already, and may have made another one of that name, which is not ours. */
static void warn(int rc, const struct error *err)
{
	if (rc < 0 && err->kind != ERROR_NOT_FOUND)
		log_warning("%s", err->message);
}

void ending_clean_up(struct creation *creation)
{
	struct error err = { 0 };
	int rc = store_lock_again(&creation->container, &err);

	if (rc >= 0)
		rc = delete_locked(creation->brig, &creation->container, &err);
	warn(rc, &err);
}

void ending_take_away(struct creation *creation, const struct audit_usage *usage)
{
	struct error err = { 0 };
	int rc = store_lock_again(&creation->container, &err);

	if (rc >= 0)
		rc = delete_opened(creation->brig, &creation->container, creation->cgroup, usage, &err);
	warn(rc, &err);
}
