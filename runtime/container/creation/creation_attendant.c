#include "container/creation/creation_attendant.h"

#include "parent/cgroup/cgroup.h"

const struct child_attendant *creation_attendant_of(struct creation *creation)
{
	const struct brig_attendant *attendant = creation->request->attendant;

	if (!attendant)
		return NULL;
	creation->attendant =
		(struct child_attendant){ .stdio = { attendant->stdio[0], attendant->stdio[1], attendant->stdio[2] },
					  .init_fd = attendant->init_fd,
					  .handed_over = attendant->handed_over,
					  .listen_port = attendant->listen_port,
					  .listen_path = attendant->listen_path };
	return &creation->attendant;
}

bool creation_attendant_counts(const struct creation *creation)
{
	const struct brig_attendant *attendant = creation->request->attendant;

	/* Every v2 group counts by itself. */
	return attendant && attendant->accounts && cgroup_clone_fd(creation->cgroup) < 0;
}
