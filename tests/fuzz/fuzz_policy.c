/* libFuzzer: any bytes as a policy file. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "policy/policy.h"

#define UNTOUCHED 77

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each rule of a policy that was taken has a level of its own. */
static bool is_whole(const struct policy *policy)
{
	for (int rule = 0; rule < POLICY_N_RULES; rule++) {
		enum policy_level level = policy_level(policy, (enum policy_rule)rule);

		if (level <= POLICY_LEVEL_OF_SET || level > POLICY_ENFORCE)
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy policy = { .set = UNTOUCHED };
	struct error err = { 0 };
	int r = policy_parse((const char *)data, size, &policy, &err);

	if (r == 0 ? !is_whole(&policy) : policy.set != UNTOUCHED || err.kind == ERROR_NONE || !err.message[0])
		abort();
	if (r == 0)
		policy_done(&policy);
	return 0;
}
