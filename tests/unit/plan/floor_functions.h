/* The functions of the floor, each of which a test can take out: the linker has those of floor_functions.c called in place of brig's
 * (tests/unit/local.mk), so that brig itself has nothing for it. */
#pragma once

#include <stddef.h>

/* Those of the table in plan_harden.c, in its order, then what runs before it: plan_harden_NAME. */
#define FLOOR_FUNCTIONS(X)    \
	X(new_privileges)     \
	X(session_keyring)    \
	X(core_dump)          \
	X(oom_score)          \
	X(ambient_capability) \
	X(capability)         \
	X(priority)           \
	X(seccomp)            \
	X(listener)           \
	X(apparmor)           \
	X(sysctl)             \
	X(hook)               \
	X(annotation)         \
	X(device)             \
	X(net_device)         \
	X(resource_missing)   \
	X(resource_maximum)   \
	X(unified)            \
	X(mount_flags)        \
	X(mount_propagation)  \
	X(mount_source)       \
	X(masked_path)        \
	X(landlock)           \
	X(namespaces)

#define FLOOR_FUNCTIONS_BEFORE ((size_t)1) /* so many at the end are not in the table */

extern const char *const floor_functions[];
extern const size_t n_floor_functions;

/* From now on that function does nothing. NULL: all of them do what they do. */
void floor_functions_take_out(const char *name);
