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
					  .denials = note->denials };

	record_exit(creation->brig, &creation->container.state, &exit);
	expectation_keep_last(&creation->container, note->status, note->denials);
}

void ending_clean_up(const struct brig *brig, const char *id)
{
	struct container container;
	struct error err = { 0 };

	if (store_open(brig, id, STORE_LOCKED, &container, &err) < 0) {
		if (err.kind != ERROR_NOT_FOUND)
			log_warning("%s", err.message);
		return;
	}
	if (delete_locked(brig, &container, &err) < 0)
		log_warning("%s", err.message);
	store_done(&container);
}

void ending_take_away(struct creation *creation)
{
	struct error err = { 0 };
	int rc = store_lock_again(&creation->container, &err);

	if (rc >= 0)
		rc = delete_opened(creation->brig, &creation->container, creation->cgroup, &err);
	if (rc < 0 && err.kind != ERROR_NOT_FOUND)
		log_warning("%s", err.message);
}
