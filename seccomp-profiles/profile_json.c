/* A policy as OCI runtime-spec's linux.seccomp, for runtimes that go by libseccomp.
 *
 * Rules are made so that no two of them that are about one call can both hold and say different things: in which order
 * libseccomp asks them is its secret. So exceptions from what is allowed become the list of all else. And 32-bit x86 is
 * left out, its calls are killed: there libseccomp takes a rule about socket for one about socketcall too, without the
 * conditions, which would allow every family. */
#include "seccomp-profiles/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/audit.h>
#include <linux/seccomp.h>

#include "base/cleanup.h"
#include "base/json_write.h"
#include "base/names.h"

#define CALLS_MAX 1024
#define EXCEPTIONS_MAX 8

static const uint32_t architectures[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM };

struct call {
	const char *name;
	struct profile_clauses clauses;
};

struct calls {
	struct call *list;
	size_t n;
};

static int compare_calls(const void *a, const void *b)
{
	return strcmp(((const struct call *)a)->name, ((const struct call *)b)->name);
}

static int add_call(struct calls *calls, const struct profile *profile, const char *name, struct arena *arena)
{
	for (size_t i = 0; i < calls->n; i++)
		if (strcmp(calls->list[i].name, name) == 0)
			return 0;
	if (calls->n == CALLS_MAX)
		return -ENOMEM;
	calls->list[calls->n].name = name;
	return profile_clauses_of(profile, name, /* wide= */ true, arena, &calls->list[calls->n++].clauses);
}

/* All calls of the architectures that the document is for. */
static int collect(const struct profile *profile, struct arena *arena, struct calls *calls)
{
	calls->list = arena_array_of(arena, CALLS_MAX, struct call);
	if (!calls->list)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++) {
		uint32_t number = 0;
		const char *name;

		for (; (name = profile_calls_next(architectures[i], arena, &number)); number++)
			if (add_call(calls, profile, name, arena) < 0)
				return -ENOMEM;
	}
	qsort(calls->list, calls->n, sizeof(*calls->list), compare_calls);
	return 0;
}

/* ---- writing ---- */

static void write_action(struct json_writer *writer, uint32_t action)
{
	json_write_member(writer, "action", names_text(&names_seccomp_actions, action & SECCOMP_RET_ACTION_FULL));
	if (action & SECCOMP_RET_DATA)
		json_write_member_uint(writer, "errnoRet", action & SECCOMP_RET_DATA);
}

static void write_arg(struct json_writer *writer, unsigned index, uint64_t mask, uint64_t value)
{
	json_write_object_begin(writer);
	json_write_member_uint(writer, "index", index);
	json_write_member_uint(writer, "value", mask);
	json_write_member_uint(writer, "valueTwo", value);
	json_write_member(writer, "op", "SCMP_CMP_MASKED_EQ");
	json_write_object_end(writer);
}

static void write_names(struct json_writer *writer, const char *name)
{
	json_write_key(writer, "names");
	json_write_array_begin(writer);
	json_write_string(writer, name);
	json_write_array_end(writer);
}

static void write_clause(struct json_writer *writer, const char *name, const struct profile_clause *clause)
{
	json_write_object_begin(writer);
	write_names(writer, name);
	write_action(writer, clause->action);
	json_write_key(writer, "args");
	json_write_array_begin(writer);
	for (size_t i = 0; i < clause->n_conditions; i++)
		write_arg(writer, clause->conditions[i].argument, clause->conditions[i].mask,
			  clause->conditions[i].value);
	json_write_array_end(writer);
	json_write_object_end(writer);
}

/* ---- all values of 32 bits but some ---- */

struct exceptions {
	const char *name;
	unsigned argument;
	uint32_t values[EXCEPTIONS_MAX];
	size_t n;
};

static void write_allowed(struct json_writer *writer, const struct exceptions *exceptions, uint32_t mask, uint32_t value)
{
	struct profile_clause clause = { .action = SECCOMP_RET_ALLOW, .n_conditions = 1 };

	clause.conditions[0] = (struct seccomp_condition){
		.argument = (uint8_t)exceptions->argument, .wide = true, .mask = mask, .value = value
	};
	write_clause(writer, exceptions->name, &clause);
}

/* What of the values with (value & mask) == prefix is no exception; the bits below `bit` are open. */
static void write_branch(struct json_writer *writer, const struct exceptions *exceptions, unsigned bit, uint32_t mask,
			 uint32_t prefix)
{
	bool any = false;

	for (size_t i = 0; i < exceptions->n; i++)
		any = any || (exceptions->values[i] & mask) == prefix;
	if (!any) {
		write_allowed(writer, exceptions, mask, prefix);
	} else if (bit > 0) {
		uint32_t next = 1u << (bit - 1);

		write_branch(writer, exceptions, bit - 1, mask | next, prefix);
		write_branch(writer, exceptions, bit - 1, mask | next, prefix | next);
	}
}

/* Bits that all exceptions share come first: one that differs is enough. */
static void write_all_but(struct json_writer *writer, const struct exceptions *exceptions)
{
	uint32_t all = UINT32_MAX, any = 0, mask = 0;
	unsigned highest = 0;

	for (size_t i = 0; i < exceptions->n; i++) {
		all &= exceptions->values[i];
		any |= exceptions->values[i];
	}
	for (unsigned bit = 0; bit < 32; bit++) {
		if ((all ^ any) & 1u << bit) {
			highest = bit + 1;
			continue;
		}
		write_allowed(writer, exceptions, 1u << bit, ~all & 1u << bit);
	}
	for (unsigned bit = highest; bit < 32; bit++)
		mask |= 1u << bit;
	write_branch(writer, exceptions, highest, mask, all & mask);
}

/* Refusals of single values of one int argument, then everything allowed. */
static bool is_all_but(const struct profile_clauses *clauses, struct exceptions *ret)
{
	struct exceptions exceptions = { .n = 0 };

	for (size_t i = 0; i + 1 < clauses->n; i++) {
		const struct profile_clause *clause = &clauses->list[i];
		const struct seccomp_condition *condition = &clause->conditions[0];

		if (clause->n_conditions != 1 || clause->action != (SECCOMP_RET_ERRNO | EPERM) ||
		    condition->mask != UINT32_MAX || exceptions.n == EXCEPTIONS_MAX ||
		    (i > 0 && condition->argument != exceptions.argument))
			return false;
		exceptions.argument = condition->argument;
		exceptions.values[exceptions.n++] = (uint32_t)condition->value;
	}
	*ret = exceptions;
	return clauses->n > 1 && clauses->list[clauses->n - 1].action == SECCOMP_RET_ALLOW;
}

/* A single refusal of values of several int arguments, then everything allowed. */
static bool is_all_but_together(const struct profile_clauses *clauses)
{
	const struct profile_clause *refusal = &clauses->list[0];

	for (size_t i = 0; i < refusal->n_conditions; i++)
		if (refusal->conditions[i].mask != UINT32_MAX)
			return false;
	return clauses->n == 2 && refusal->action == (SECCOMP_RET_ERRNO | EPERM) &&
	       clauses->list[1].action == SECCOMP_RET_ALLOW;
}

/* One argument that differs is enough. */
static void write_all_but_together(struct json_writer *writer, const char *name, const struct profile_clause *refusal)
{
	for (size_t i = 0; i < refusal->n_conditions; i++) {
		const struct seccomp_condition *condition = &refusal->conditions[i];

		write_all_but(writer,
			      &(struct exceptions){ name, condition->argument, { (uint32_t)condition->value }, 1 });
	}
}

/* ---- the document ---- */

/* Without capabilities: what needs one is left out. What falls to the default, EPERM, needs no rule. */
static int write_conditional(struct json_writer *writer, const struct call *call, struct error *err)
{
	const struct profile_clauses *clauses = &call->clauses;
	struct exceptions exceptions;

	if (is_all_but(clauses, &exceptions)) {
		exceptions.name = call->name;
		write_all_but(writer, &exceptions);
		return 0;
	}
	if (is_all_but_together(clauses)) {
		write_all_but_together(writer, call->name, &clauses->list[0]);
		return 0;
	}
	if (clauses->list[clauses->n - 1].action != (SECCOMP_RET_ERRNO | EPERM))
		return error_invalid(err,
				     "%s: OCI JSON can't say this: of what is allowed only single values of one `int`, "
				     "or of several together, may be refused",
				     call->name);
	for (size_t i = 0; i + 1 < clauses->n; i++)
		if (clauses->list[i].needs == 0 && clauses->list[i].n_conditions > 0)
			write_clause(writer, call->name, &clauses->list[i]);
	return 0;
}

static bool has_conditions(const struct call *call)
{
	for (size_t i = 0; i + 1 < call->clauses.n; i++)
		if (call->clauses.list[i].needs == 0)
			return true;
	return false;
}

static void write_plain(struct json_writer *writer, const struct calls *calls, uint32_t action)
{
	json_write_object_begin(writer);
	json_write_key(writer, "names");
	json_write_array_begin(writer);
	for (size_t i = 0; i < calls->n; i++) {
		const struct profile_clauses *clauses = &calls->list[i].clauses;

		if (!has_conditions(&calls->list[i]) && clauses->list[clauses->n - 1].action == action)
			json_write_string(writer, calls->list[i].name);
	}
	json_write_array_end(writer);
	write_action(writer, action);
	json_write_object_end(writer);
}

static int write_calls(struct json_writer *writer, const struct calls *calls, struct error *err)
{
	json_write_key(writer, "syscalls");
	json_write_array_begin(writer);
	write_plain(writer, calls, SECCOMP_RET_ALLOW);
	write_plain(writer, calls, SECCOMP_RET_ERRNO | ENOSYS);
	/* The default does the same; runtimes answer ENOSYS to numbers beyond all that they find here. */
	write_plain(writer, calls, SECCOMP_RET_ERRNO | EPERM);
	for (size_t i = 0; i < calls->n; i++)
		if (has_conditions(&calls->list[i]) && write_conditional(writer, &calls->list[i], err) < 0)
			return -EINVAL;
	json_write_array_end(writer);
	return 0;
}

int profile_json(const struct profile *profile, struct arena *arena, struct buffer *json, struct error *err)
{
	struct json_writer writer = json_writer_on(json, /* indent= */ 1);
	struct calls calls = { .n = 0 };

	if (collect(profile, arena, &calls) < 0)
		return error_memory(err);
	json_write_object_begin(&writer);
	json_write_member(&writer, "defaultAction", "SCMP_ACT_ERRNO");
	json_write_member_uint(&writer, "defaultErrnoRet", EPERM);
	json_write_key(&writer, "architectures");
	json_write_array_begin(&writer);
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
		json_write_string(&writer, names_text(&names_seccomp_archs, architectures[i]));
	json_write_array_end(&writer);
	if (write_calls(&writer, &calls, err) < 0)
		return -EINVAL;
	json_write_object_end(&writer);
	buffer_append_text(json, "\n");
	return json->failed ? error_memory(err) : 0;
}
