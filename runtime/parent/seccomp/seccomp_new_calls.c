#include "parent/seccomp/seccomp_new_calls.h"

#include <string.h>

#include <linux/audit.h>

#include "base/cleanup.h"

struct new_call {
	const char *name;
	uint16_t number; /* counted from the architecture's first call */
	bool only_x86_64;
};

/* libseccomp 2.5.4 as Debian 12 has it ends with futex_requeue (456). */
static const struct new_call new_calls[] = {
	{ "statmount", 457, false },	     { "listmount", 458, false },
	{ "lsm_get_self_attr", 459, false }, { "lsm_set_self_attr", 460, false },
	{ "lsm_list_modules", 461, false },  { "mseal", 462, false },
	{ "setxattrat", 463, false },	     { "getxattrat", 464, false },
	{ "listxattrat", 465, false },	     { "removexattrat", 466, false },
	{ "open_tree_attr", 467, false },    { "file_getattr", 468, false },
	{ "file_setattr", 469, false },	     { "listns", 470, false },
	{ "uretprobe", 335, true },	     { "uprobe", 336, true },
};

bool seccomp_new_calls_find(const struct seccomp_arch *arch, const char *name, uint32_t *ret_number)
{
	for (size_t i = 0; i < ARRAY_SIZE(new_calls); i++) {
		if (strcmp(new_calls[i].name, name) != 0)
			continue;
		if (new_calls[i].only_x86_64 && arch->token != AUDIT_ARCH_X86_64)
			*ret_number = SECCOMP_NEW_CALLS_ELSEWHERE;
		else
			*ret_number = arch->base + new_calls[i].number;
		return true;
	}
	return false;
}

const char *seccomp_new_calls_name(const struct seccomp_arch *arch, uint32_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(new_calls); i++)
		if (arch->base + new_calls[i].number == number &&
		    (!new_calls[i].only_x86_64 || arch->token == AUDIT_ARCH_X86_64))
			return new_calls[i].name;
	return NULL;
}
