#include "tests/support/seccomp_reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <seccomp.h>

#include "base/cleanup.h"

#define X32_BIT 0x40000000u

static uint32_t token_of(const struct seccomp_data *data)
{
	if (data->arch == SCMP_ARCH_X86_64 && data->nr != -1 && (uint32_t)data->nr >= X32_BIT)
		return SCMP_ARCH_X32;
	/* libseccomp's name for it is none that the kernel would show. */
	return data->arch == SCMP_ARCH_X32 ? 0 : data->arch;
}

bool seccomp_reading_is_listed(const struct plan_seccomp *plan, uint32_t token)
{
	for (size_t i = 0; i < plan->n_architectures; i++)
		if (plan->architectures[i] == token)
			return true;
	return token == SCMP_ARCH_X86_64;
}

static bool condition_holds(const struct plan_seccomp_arg *arg, uint32_t token, const struct seccomp_data *data)
{
	uint64_t limit = token == SCMP_ARCH_X86_64 ? UINT64_MAX : UINT32_MAX;
	uint64_t argument = data->args[arg->index] & limit, value = arg->value & limit;
	const char *op = arg->op + strlen("SCMP_CMP_");

	if (strcmp(op, "MASKED_EQ") == 0)
		return (argument & value) == (arg->value_two & value);
	if (strcmp(op, "EQ") == 0)
		return argument == value;
	if (strcmp(op, "NE") == 0)
		return argument != value;
	if (strcmp(op, "LT") == 0)
		return argument < value;
	if (strcmp(op, "LE") == 0)
		return argument <= value;
	return strcmp(op, "GT") == 0 ? argument > value : argument >= value;
}

/* Those of the profiles here that libseccomp does not know. */
static const struct {
	const char *name;
	int number;
} new_calls[] = {
	{ "statmount", 457 }, { "listmount", 458 }, { "mseal", 462 }, { "getxattrat", 464 }, { "listxattrat", 465 },
};

/* How data makes the call `name`: not at all, directly, or through socketcall or ipc. */
enum way { NOT, DIRECT, MULTIPLEXED };

/* called: the call of data's number, or NULL. Numbers are looked up for the multiplexers alone: that takes libseccomp longest. */
static enum way way_of(const char *name, const char *called, uint32_t token, const struct seccomp_data *data)
{
	bool is_socketcall = called && strcmp(called, "socketcall") == 0, is_ipc = called && strcmp(called, "ipc") == 0;
	int number;

	for (size_t i = 0; i < ARRAY_SIZE(new_calls); i++)
		if (strcmp(name, new_calls[i].name) == 0)
			return data->nr == new_calls[i].number + (token == SCMP_ARCH_X32 ? (int)X32_BIT : 0) ? DIRECT
													     : NOT;
	if (called && strcmp(called, name) == 0)
		return DIRECT;
	if (!is_socketcall && !is_ipc)
		return NOT;
	number = seccomp_syscall_resolve_name_arch(token, name);
	if (is_socketcall && number <= -101 && number >= -120 && (uint32_t)data->args[0] == (uint32_t)-number % 100)
		return MULTIPLEXED;
	if (is_ipc && number <= -201 && number >= -224 && (uint32_t)data->args[0] == (uint32_t)-number % 200)
		return MULTIPLEXED;
	return NOT;
}

bool seccomp_reading_is_named(const char *name, const struct seccomp_data *data)
{
	AUTO_FREE char *called = seccomp_syscall_resolve_num_arch(token_of(data), data->nr);

	return way_of(name, called, token_of(data), data) != NOT;
}

bool seccomp_reading_repeats_argument(const struct plan_seccomp_rule *rule)
{
	for (size_t i = 0; i < rule->n_args; i++)
		for (size_t k = 0; k < i; k++)
			if (rule->args[i].index == rule->args[k].index)
				return true;
	return false;
}

static bool is_empty_mask(const struct plan_seccomp_arg *arg, uint32_t token)
{
	uint64_t mask = token == SCMP_ARCH_X86_64 ? arg->value : (uint32_t)arg->value;

	return strcmp(arg->op, "SCMP_CMP_MASKED_EQ") == 0 && mask == 0;
}

/* always: no argument could make it not match. */
static bool rule_matches(const struct plan_seccomp_rule *rule, enum way way, const struct seccomp_data *data, bool *always)
{
	bool any = seccomp_reading_repeats_argument(rule);
	size_t n_empty = 0, n_holding = 0;

	for (size_t i = 0; i < rule->n_args; i++) {
		bool ignored = way == MULTIPLEXED && rule->args[i].index == 0;

		n_holding += ignored || condition_holds(&rule->args[i], token_of(data), data);
		n_empty += is_empty_mask(&rule->args[i], token_of(data));
	}
	*always = way == DIRECT && (any ? n_empty > 0 : n_empty == rule->n_args);
	return any ? n_holding > 0 : n_holding == rule->n_args;
}

struct answer {
	bool found, always, clash;
	uint32_t action;
};

static void weigh(struct answer *answer, uint32_t action, bool always)
{
	if (answer->always)
		return;
	if (answer->found && answer->action != action)
		answer->clash = true;
	if (always || !answer->found ||
	    (int32_t)(action & SECCOMP_RET_ACTION_FULL) < (int32_t)(answer->action & SECCOMP_RET_ACTION_FULL))
		answer->action = action;
	answer->found = true;
	answer->always = always;
}

uint32_t seccomp_reading_verdict(const struct plan_seccomp *plan, const struct seccomp_data *data, bool *ret_clash)
{
	AUTO_FREE char *called = seccomp_syscall_resolve_num_arch(token_of(data), data->nr);
	struct answer answer = { .action = plan->default_action };

	*ret_clash = false;
	if (!seccomp_reading_is_listed(plan, token_of(data)))
		return SECCOMP_RET_KILL_THREAD;
	for (size_t i = 0; i < plan->n_rules; i++) {
		const struct plan_seccomp_rule *rule = &plan->rules[i];

		for (size_t k = 0; k < rule->n_names && rule->action != plan->default_action; k++) {
			enum way way = way_of(rule->names[k], called, token_of(data), data);
			bool always;

			if (way != NOT && rule_matches(rule, way, data, &always))
				weigh(&answer, rule->action, always);
		}
	}
	*ret_clash = answer.clash && !answer.always;
	return answer.action;
}

/* ---- the end of the profile, and what is beyond ---- */

static int number_of_multiplexer(const char *name, uint32_t token)
{
	int number = seccomp_syscall_resolve_name_arch(token, name);

	if (number <= -101 && number >= -120)
		return seccomp_syscall_resolve_name_arch(token, "socketcall");
	if (number <= -201 && number >= -224)
		return seccomp_syscall_resolve_name_arch(token, "ipc");
	return -1;
}

static bool is_direct(const char *name, uint32_t token, const struct seccomp_data *data)
{
	AUTO_FREE char *called = seccomp_syscall_resolve_num_arch(token, data->nr);

	return way_of(name, called, token, data) == DIRECT;
}

static int64_t highest(const struct plan_seccomp *plan, uint32_t token)
{
	struct seccomp_data data = { .arch = token == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : token };
	int64_t most = -1;

	for (size_t i = 0; i < plan->n_rules; i++) {
		for (size_t k = 0; k < plan->rules[i].n_names; k++) {
			const char *name = plan->rules[i].names[k];
			int base = token == SCMP_ARCH_X32 ? (int)X32_BIT : 0;

			if (number_of_multiplexer(name, token) > most)
				most = number_of_multiplexer(name, token);
			for (data.nr = base + 600; data.nr >= base && data.nr > most; data.nr--)
				if (is_direct(name, token, &data))
					most = data.nr;
		}
	}
	return most;
}

static int token_index(uint32_t token)
{
	return token == SCMP_ARCH_X86_64 ? 0 : token == SCMP_ARCH_X86 ? 1 : 2;
}

void seccomp_reading_limits(const struct plan_seccomp *plan, struct seccomp_reading_limits *ret)
{
	static const uint32_t tokens[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32 };

	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++)
		ret->highest[token_index(tokens[i])] = highest(plan, tokens[i]);
}

bool seccomp_reading_is_beyond(const struct plan_seccomp *plan, const struct seccomp_reading_limits *limits,
			       const struct seccomp_data *data)
{
	uint32_t action = plan->default_action & SECCOMP_RET_ACTION_FULL;
	int64_t most;

	if (action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG || action == SECCOMP_RET_TRACE)
		return false;
	if (data->nr == -1 || !seccomp_reading_is_listed(plan, token_of(data)))
		return false;
	most = limits->highest[token_index(token_of(data))];
	return most >= 0 && (int64_t)(uint32_t)data->nr > most;
}
