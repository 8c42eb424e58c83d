#include "container/learn/learn_calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "parent/seccomp/seccomp_arch.h"
#include "parent/seccomp/seccomp_calls.h"

/* Bounds on a program that tries every number with every argument: what goes beyond is counted, and the profile's writer warns. */
#define CALLS_MAX 1024u
#define KINDS_MAX 4096u
#define ARGUMENTS_MAX 3
#define NAMES_MAX ((size_t)64 * 1024)
#define INT UINT64_C(0xffffffff) /* what is an int to the kernel is compared in 32 bits */
#define CLONE_NEW_ALL UINT64_C(0x7e020000)
#define FILE_TYPE UINT64_C(0xf000)
#define SOCKET_TYPE UINT64_C(0xf)
#define FAMILY_UNIX 1

/* Calls that are many in one, and those by whose arguments a program could get at more than it did: their decisive bits are part of
 * the rule. All other arguments may be anything. */
struct interest {
	const char *name;
	size_t n;
	struct {
		uint32_t index;
		uint64_t mask;
	} arguments[ARGUMENTS_MAX];
};

static const struct interest interests[] = {
	{ "bpf", 1, { { 0, INT } } },		{ "clone", 1, { { 0, CLONE_NEW_ALL } } },
	{ "ioctl", 1, { { 1, INT } } },		{ "ipc", 1, { { 0, INT } } },
	{ "keyctl", 1, { { 0, INT } } },	{ "mknod", 1, { { 1, FILE_TYPE } } },
	{ "mknodat", 1, { { 2, FILE_TYPE } } }, { "personality", 1, { { 0, INT } } },
	{ "prctl", 1, { { 0, INT } } },		{ "ptrace", 1, { { 0, INT } } },
	{ "setns", 1, { { 1, INT } } },		{ "socket", 3, { { 0, INT }, { 1, SOCKET_TYPE }, { 2, INT } } },
	{ "socketcall", 1, { { 0, INT } } },	{ "socketpair", 1, { { 0, INT } } },
	{ "unshare", 1, { { 0, INT } } },
};

/* The kernel makes the first by itself; the others end a program, or bring it back from a signal, which a run need not have had. And
 * without ENOSYS for clone3 the C library does not go back to clone. */
static const char *const always[] = { "restart_syscall", "rt_sigreturn", "exit", "exit_group" };

struct call {
	uint32_t architecture, number;
	const char *name; /* NULL: it has none */
	const struct interest *interest;
};

struct kind {
	size_t call; /* index */
	uint64_t values[ARGUMENTS_MAX];
	uint32_t answer;
};

struct learn_calls {
	struct arena *names;
	struct call calls[CALLS_MAX];
	size_t n_calls;
	struct kind kinds[KINDS_MAX];
	size_t n_kinds;
	uint64_t total, untold;
};

struct learn_calls *learn_calls_new(void)
{
	AUTO(learn_calls_free) struct learn_calls *calls = calloc(1, sizeof(*calls));

	if (!calls)
		return NULL;
	calls->names = arena_new(NAMES_MAX);
	return calls->names ? steal_ptr(&calls) : NULL;
}

void learn_calls_free(struct learn_calls *calls)
{
	if (!calls)
		return;
	arena_free(calls->names);
	free(calls);
}

/* Once for each call's first time; find_call() remembers it. */
static const struct interest *interest_in(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(interests); i++)
		if (strcmp(interests[i].name, name) == 0)
			return &interests[i];
	return NULL;
}

/* Returns CALLS_MAX where there is no room. In the order of their first time: the calls that a program makes most are found
 * early. */
static size_t find_call(struct learn_calls *calls, uint32_t architecture, uint32_t number)
{
	char name[SECCOMP_CALLS_NAME_MAX];
	struct call *call;

	for (size_t i = 0; i < calls->n_calls; i++)
		if (calls->calls[i].number == number && calls->calls[i].architecture == architecture)
			return i;
	if (calls->n_calls == CALLS_MAX)
		return CALLS_MAX;
	call = &calls->calls[calls->n_calls];
	*call = (struct call){ .architecture = architecture, .number = number };
	seccomp_calls_name(architecture, number, name);
	/* A number is what one without a name is called. */
	if (name[0] >= 'a' && name[0] <= 'z' && number < SECCOMP_ARCH_X32_BIT) {
		call->name = arena_strdup(calls->names, name);
		call->interest = interest_in(name);
	}
	return calls->n_calls++;
}

static struct kind kind_of(const struct learn_calls *calls, size_t call, const uint64_t *arguments, uint32_t answer)
{
	const struct interest *interest = calls->calls[call].interest;
	struct kind kind = { .call = call, .answer = answer };

	for (size_t i = 0; interest && i < interest->n; i++)
		kind.values[i] = arguments[interest->arguments[i].index] & interest->arguments[i].mask;
	/* Its types and protocols are all alike. */
	if (interest && interest->n == ARGUMENTS_MAX && kind.values[0] == FAMILY_UNIX)
		memset(&kind.values[1], 0, sizeof(kind.values) - sizeof(kind.values[0]));
	return kind;
}

static bool is_same_kind(const struct kind *a, const struct kind *b)
{
	return a->call == b->call && a->answer == b->answer && memcmp(a->values, b->values, sizeof(a->values)) == 0;
}

/* A kind is a call with its decisive bits and the answer: ten thousand open() calls are one. */
void learn_calls_add(struct learn_calls *calls, const struct seccomp_data *call, uint32_t answer)
{
	size_t at = find_call(calls, call->arch, (uint32_t)call->nr);
	uint64_t arguments[LEARN_ARGS_MAX];
	struct kind kind;

	calls->total++;
	if (at == CALLS_MAX) {
		calls->untold++;
		return;
	}
	memcpy(arguments, call->args, sizeof(arguments));
	kind = kind_of(calls, at, arguments, answer);
	for (size_t i = 0; i < calls->n_kinds; i++)
		if (is_same_kind(&calls->kinds[i], &kind))
			return;
	if (calls->n_kinds < KINDS_MAX)
		calls->kinds[calls->n_kinds++] = kind;
	else
		calls->untold++;
}

uint64_t learn_calls_total(const struct learn_calls *calls)
{
	return calls->total;
}

uint64_t learn_calls_untold(const struct learn_calls *calls)
{
	return calls->untold;
}

static bool is_refusal(uint32_t answer)
{
	return answer == (SECCOMP_RET_ERRNO | EPERM);
}

static bool is_allowed(uint32_t answer)
{
	uint32_t action = answer & SECCOMP_RET_ACTION_FULL;

	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t learn_calls_refused(const struct learn_calls *calls, struct buffer *out)
{
	const char *names[CALLS_MAX];
	size_t n = 0, n_different = 0;

	for (size_t i = 0; i < calls->n_kinds && n < CALLS_MAX; i++)
		if (is_refusal(calls->kinds[i].answer) && calls->calls[calls->kinds[i].call].name)
			names[n++] = calls->calls[calls->kinds[i].call].name;
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
			continue;
		if (n_different++ > 0)
			buffer_append_text(out, " ");
		buffer_append_text(out, names[i]);
	}
	return n_different;
}

/* ---- rules ---- */

static bool is_allowed_whole(const struct learn_profile *profile, size_t n_rules, const char *name)
{
	for (size_t i = 0; i < n_rules; i++)
		if (profile->rules[i].action == SECCOMP_RET_ALLOW && profile->rules[i].n_args == 0 &&
		    strcmp(profile->rules[i].name, name) == 0)
			return true;
	return false;
}

static size_t n_arguments(const struct interest *interest, const struct kind *kind)
{
	if (!interest)
		return 0;
	return interest->n == ARGUMENTS_MAX && kind->values[0] == FAMILY_UNIX ? 1 : interest->n;
}

/* SCMP_CMP_MASKED_EQ compares (argument & value) with valueTwo (seccomp_rule_add(3)), so that one rule stands for all other
 * bits. */
static int add_rule(const struct learn_calls *calls, const struct kind *kind, uint32_t action,
		    struct learn_profile *profile, struct error *err)
{
	const struct call *call = &calls->calls[kind->call];
	struct learn_rule rule = { .action = action, .n_args = n_arguments(call->interest, kind) };

	rule.name = arena_strdup(profile->arena, call->name);
	if (!rule.name)
		return error_memory(err);
	for (size_t i = 0; i < rule.n_args; i++)
		rule.args[i] = (struct spec_seccomp_arg){ .index = call->interest->arguments[i].index,
							  .value = call->interest->arguments[i].mask,
							  .value_two = kind->values[i],
							  .op = SECCOMP_OPERATOR_MASKED_EQ };
	return learn_profile_add(profile, &rule, err);
}

static int add_kinds(const struct learn_calls *calls, bool beyond_floor, struct learn_profile *profile, struct error *err)
{
	size_t n_before = profile->n_rules;
	int r = 0;

	for (size_t i = 0; i < calls->n_kinds && r >= 0; i++) {
		const struct kind *kind = &calls->kinds[i];
		const struct call *call = &calls->calls[kind->call];

		if (!call->name)
			continue;
		if (is_allowed(kind->answer) || (beyond_floor && is_refusal(kind->answer)))
			r = add_rule(calls, kind, SECCOMP_RET_ALLOW, profile, err);
		else if (!is_refusal(kind->answer) && !is_allowed_whole(profile, n_before, call->name))
			r = add_rule(calls, kind, kind->answer, profile, err);
		if (r >= 0)
			r = learn_profile_add_architecture(profile, call->architecture, err);
	}
	return r;
}

int learn_calls_add_rules(const struct learn_calls *calls, bool beyond_floor, struct learn_profile *profile,
			  struct error *err)
{
	size_t n_before = profile->n_rules;
	int r = learn_profile_add_architecture(profile, seccomp_arch_own()->token, err);

	if (r >= 0)
		r = add_kinds(calls, beyond_floor, profile, err);
	for (size_t i = 0; i < ARRAY_SIZE(always) && r >= 0; i++) {
		const struct learn_rule rule = { .name = always[i], .action = SECCOMP_RET_ALLOW };

		r = learn_profile_add(profile, &rule, err);
	}
	if (r >= 0 && !is_allowed_whole(profile, n_before, "clone3")) {
		const struct learn_rule rule = { .name = "clone3", .action = SECCOMP_RET_ERRNO | ENOSYS };

		r = learn_profile_add(profile, &rule, err);
	}
	return r;
}
