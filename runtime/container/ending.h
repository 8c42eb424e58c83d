/* The end of a container that a brig has stayed with (run, sandbox). */
#pragma once

#include "container/creation/creation.h"

struct audit_usage;
struct denial_listener;

struct ending_note {
	int status;			       /* as a shell has it */
	const char *ended_by;		       /* "timeout", "max-output", ...; or NULL */
	const struct denial_listener *denials; /* who has counted; or NULL */
	const struct audit_usage *usage; /* of a container of which nothing is left to use more; or NULL: it is read */
};
/* In the audit trail, and for `brig explain --last`. */
void ending_record(const struct creation *creation, const struct ending_note *note);
/* Before creation_done, the container unlocked: what it leaves goes away, unless somebody has deleted it already. A failure is a warning. Its
 * control groups are looked up again: an update may have made more. */
void ending_clean_up(struct creation *creation);
/* The same with what the creation has open and knows: nothing is looked up again. usage: as in the note. */
void ending_take_away(struct creation *creation, const struct audit_usage *usage);
