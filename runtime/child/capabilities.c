/* The five sets of capabilities(7): the bound before the user changes, the others after it. */
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child/steps.h"

/* Before the user changes, since it takes CAP_SETPCAP (capabilities(7)); what is not in the bound can't come back by execve(2). */
int capabilities_bound(struct child *child, struct error *err)
{
	uint64_t bounding = child->plan->process.capabilities.bounding;

	for (unsigned long capability = 0; capability < 64; capability++) {
		if (bounding >> capability & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL) /* past the last one that this kernel has */
			return 0;
		return error_system(err, errno, "process.capabilities.bounding: drop capability %lu", capability);
	}
	return 0;
}

/* After capset(2): only what is permitted and inheritable can be raised. */
static int set_ambient(uint64_t ambient, struct error *err)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return error_system(err, errno, "clear the ambient capabilities");
	for (unsigned long capability = 0; ambient >> capability; capability++) {
		if (!(ambient >> capability & 1))
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0)
			return error_system(err, errno, "process.capabilities.ambient: raise capability %lu", capability);
		if (capability == 63)
			break;
	}
	return 0;
}

int capabilities_apply(struct child *child, struct error *err)
{
	const struct plan_capabilities *capabilities = &child->plan->process.capabilities;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int half = 0; half < 2; half++) {
		data[half].effective = (uint32_t)(capabilities->effective >> 32 * half);
		data[half].permitted = (uint32_t)(capabilities->permitted >> 32 * half);
		data[half].inheritable = (uint32_t)(capabilities->inheritable >> 32 * half);
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return error_system(err, errno, "process.capabilities: set them");
	return set_ambient(capabilities->ambient, err);
}
