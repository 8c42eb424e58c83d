#include "parent/seccomp/seccomp_compile.h"

#include <errno.h>

#include <linux/audit.h>
#include <linux/seccomp.h>

#include "base/log.h"
#include "parent/seccomp/seccomp_tree.h"

/* A hostile profile of a megabyte stays far below. */
#define MEMORY_MAX ((size_t)256 * 1024 * 1024)
#define ARCHITECTURES_MAX 32

struct architectures {
	const struct seccomp_arch *list[ARCHITECTURES_MAX];
	size_t n;
};

static bool contains(const struct architectures *architectures, const struct seccomp_arch *arch)
{
	for (size_t i = 0; i < architectures->n; i++)
		if (architectures->list[i] == arch)
			return true;
	return false;
}

/* Our own comes first, whether the plan lists it or not: a container without calls of its own could not even start. */
static int select_architectures(const struct plan_seccomp *plan, struct architectures *ret, struct error *err)
{
	struct architectures selected = { .n = 0 };
	const struct seccomp_arch *arch = seccomp_arch_own();

	if (!arch)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP, "no seccomp filters on this machine's architecture");
	selected.list[selected.n++] = arch;
	for (size_t i = 0; i < plan->n_architectures; i++) {
		arch = seccomp_arch_find(plan->architectures[i]);
		/* What is left out is killed like any architecture that nobody lists; here it can't even call. */
		if (!arch || !seccomp_arch_has_our_byte_order(arch))
			log_debug("seccomp: architecture 0x%08x can't run on this machine: left out",
				  plan->architectures[i]);
		else if (!contains(&selected, arch) && selected.n < ARCHITECTURES_MAX)
			selected.list[selected.n++] = arch;
	}
	*ret = selected;
	return 0;
}

static bool is_x32(const struct seccomp_arch *arch)
{
	return arch->base == SECCOMP_ARCH_X32_BIT;
}

static const struct seccomp_rules *find_x32(const struct seccomp_rules *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_x32(rules[i].arch))
			return &rules[i];
	return NULL;
}

/* One section for each of the kernel's architectures: x32 goes into that of x86_64. */
static int build_sections(const struct plan_seccomp *plan, const struct architectures *architectures,
			  struct arena *arena, struct seccomp_section *sections, struct error *err)
{
	struct seccomp_rules rules[ARCHITECTURES_MAX];
	int n = 0, r;

	for (size_t i = 0; i < architectures->n; i++) {
		r = seccomp_rules_resolve(plan, architectures->list[i], arena, &rules[i], err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < architectures->n; i++) {
		bool x86_64 = rules[i].arch->token == AUDIT_ARCH_X86_64;

		if (is_x32(rules[i].arch))
			continue;
		r = seccomp_ranges_build(&rules[i], x86_64 ? find_x32(rules, architectures->n) : NULL, arena,
					 &sections[n], err);
		if (r < 0)
			return r;
		n++;
	}
	return n;
}

static int write_program(const struct plan_seccomp *plan, struct arena *arena, struct seccomp_code **ret,
			 struct error *err)
{
	struct seccomp_section sections[ARCHITECTURES_MAX];
	struct seccomp_code *code = seccomp_code_new(arena);
	struct architectures architectures = { .n = 0 };
	int n, r;

	if (!code)
		return error_memory(err);
	r = select_architectures(plan, &architectures, err);
	if (r < 0)
		return r;
	n = build_sections(plan, &architectures, arena, sections, err);
	if (n < 0)
		return n;
	r = seccomp_tree_write(code, sections, (size_t)n, arena, err);
	if (r < 0)
		return r;
	if (code->overflow)
		return error_set(
			err, ERROR_INVALID, E2BIG,
			"linux.seccomp: the filter needs more than the %d instructions that the kernel takes: use fewer "
			"rules with arguments, or fewer architectures",
			SECCOMP_CODE_MAX);
	*ret = code;
	return 0;
}

static bool notifies(const struct plan_seccomp *plan)
{
	for (size_t i = 0; i < plan->n_rules; i++)
		if ((plan->rules[i].action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
			return true;
	return false;
}

int seccomp_compile_flags(const struct plan_seccomp *plan, uint64_t *ret_flags, struct error *err)
{
	uint64_t known = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW |
			 SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	uint64_t flags = plan->flags;

	if (flags & ~known)
		return error_invalid(err,
				     "linux.seccomp.flags: unknown bits 0x%llx (known are TSYNC, LOG, SPEC_ALLOW and "
				     "WAIT_KILLABLE_RECV)",
				     (unsigned long long)(flags & ~known));
	/* The child has one thread only, and the kernel takes no TSYNC beside a listener. */
	flags &= ~(uint64_t)SECCOMP_FILTER_FLAG_TSYNC;
	if (notifies(plan))
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	else /* The kernel takes this one with a listener only. */
		flags &= ~(uint64_t)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	*ret_flags = flags;
	return 0;
}

int seccomp_compile(const struct plan_seccomp *plan, struct seccomp_program *ret, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY_MAX);
	struct seccomp_program program = { .cached = false };
	struct seccomp_code *code = NULL;
	int r;

	if (!arena)
		return error_memory(err);
	/* Nobody could answer for the call that hands the listener over; runc refuses it too. */
	if ((plan->default_action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
		return error_invalid(err,
				     "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY can't be the default, only the action "
				     "of a rule");
	r = seccomp_compile_flags(plan, &program.flags, err);
	if (r == 0)
		r = write_program(plan, arena, &code, err);
	if (r < 0)
		return r;
	program.instructions = seccomp_code_steal(code);
	if (!program.instructions)
		return error_memory(err);
	program.n = code->n;
	*ret = program;
	return 0;
}
