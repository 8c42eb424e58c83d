/* The device program, run in a small interpreter of the BPF instructions that it is made of, against the rule list read
 * as OCI has it. */
#include <criterion/criterion.h>
#include <string.h>

#include "parent/cgroup/cgroup_devices.h"

static uint32_t load_context(const struct bpf_cgroup_dev_ctx *context, int offset)
{
	cr_assert(offset == 0 || offset == 4 || offset == 8, "offset %d", offset);
	return offset == 0 ? context->access_type : offset == 4 ? context->major : context->minor;
}

static uint64_t alu(uint8_t operation, uint64_t value, uint64_t operand)
{
	switch (operation) {
	case BPF_MOV:
		return operand;
	case BPF_AND:
		return value & operand;
	case BPF_OR:
		return value | operand;
	case BPF_XOR:
		return value ^ operand;
	case BPF_SUB:
		return value - operand;
	case BPF_LSH:
		return value << operand;
	case BPF_RSH:
		return value >> operand;
	case BPF_MUL:
		return value * operand;
	default:
		cr_assert(false, "operation 0x%x", operation);
		return 0;
	}
}

static void run_alu(const struct bpf_insn *insn, uint64_t *registers)
{
	uint64_t operand = BPF_SRC(insn->code) == BPF_X ? registers[insn->src_reg] : (uint64_t)(int64_t)insn->imm;
	uint64_t *value = &registers[insn->dst_reg];

	*value = alu(BPF_OP(insn->code), *value, operand);
	if (BPF_CLASS(insn->code) == BPF_ALU)
		*value = (uint32_t)*value;
}

static uint64_t simulate(const struct bpf_insn *insns, size_t n, const struct bpf_cgroup_dev_ctx *context)
{
	uint64_t registers[11] = { 0 };

	for (size_t pc = 0; pc < n; pc++) {
		const struct bpf_insn *insn = &insns[pc];

		switch (BPF_CLASS(insn->code)) {
		case BPF_LDX:
			cr_assert_eq(insn->src_reg, BPF_REG_1);
			registers[insn->dst_reg] = load_context(context, insn->off);
			break;
		case BPF_ALU:
		case BPF_ALU64:
			run_alu(insn, registers);
			break;
		case BPF_JMP:
			cr_assert_eq(BPF_OP(insn->code), BPF_EXIT);
			cr_assert_leq(registers[0], 1);
			return registers[0];
		default:
			cr_assert(false, "class of 0x%x", insn->code);
		}
	}
	cr_assert(false, "ran off the end");
	return 0;
}

/* The specification, as plainly as it can be written: each kind of access by itself, the last rule that matches counts. */
static bool evaluate(const struct plan_device_rule *rules, size_t n, char type, const uint32_t number[2], unsigned access)
{
	for (unsigned bit = 1; bit <= 4; bit <<= 1) {
		bool allowed = false;

		if (!(access & bit))
			continue;
		for (size_t i = 0; i < n; i++)
			if ((rules[i].type == 'a' || rules[i].type == type) &&
			    (rules[i].major < 0 || rules[i].major == number[0]) &&
			    (rules[i].minor < 0 || rules[i].minor == number[1]) && rules[i].access & bit)
				allowed = rules[i].allow;
		if (!allowed)
			return false;
	}
	return true;
}

/* With the highest bits too. */
static const uint32_t majors[4] = { 0, 1, 2048, 4095 }, minors[4] = { 0, 1, 0x80000, 0xfffff };

/* Every device and access that the rules below can tell apart. Returns how many requests are allowed. */
static unsigned check_all(const struct plan_device_rule *rules, size_t n_rules)
{
	struct arena *arena = arena_new(1024 * 1024);
	struct cgroup_device_program program;
	struct error err = { 0 };
	unsigned n_allowed = 0;

	cr_assert_eq(cgroup_devices_program(rules, n_rules, arena, &program, &err), 0, "%s", err.message);
	for (unsigned i = 0; i < 2 * 4 * 4 * 7; i++) {
		uint32_t number[2] = { majors[i / 14 % 4], minors[i / 56] };
		unsigned access = i / 2 % 7 + 1;
		char type = i % 2 ? 'b' : 'c';
		struct bpf_cgroup_dev_ctx context = {
			.access_type = access << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
			.major = number[0],
			.minor = number[1],
		};
		bool wanted = evaluate(rules, n_rules, type, number, access);

		cr_assert_eq(simulate(program.insns, program.n, &context), wanted, "%c %u:%u access %u: wanted %d",
			     type, number[0], number[1], access, wanted);
		n_allowed += wanted;
	}
	arena_free(arena);
	return n_allowed;
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static int64_t random_number(uint32_t *state, const uint32_t numbers[4])
{
	uint32_t n = next_random(state) % 5;

	return n == 4 ? -1 : (int64_t)numbers[n];
}

Test(cgroup_devices, random_rules_mean_what_the_list_says)
{
	uint32_t state = 20260131;
	unsigned n_allowed = 0;

	for (int round = 0; round < 600; round++) {
		struct plan_device_rule rules[12];
		size_t n = next_random(&state) % 13;

		for (size_t i = 0; i < n; i++)
			rules[i] = (struct plan_device_rule){
				.allow = next_random(&state) % 2,
				.type = "abc"[next_random(&state) % 3],
				.major = random_number(&state, majors),
				.minor = random_number(&state, minors),
				.access = next_random(&state) % 8,
			};
		n_allowed += check_all(rules, n);
	}
	cr_expect_gt(n_allowed, 1000, "the rules were not all the same");
}

Test(cgroup_devices, wide_rules_mean_what_the_list_says)
{
	uint32_t state = 7;

	/* Mostly wildcards: what a trimmed list and partial access are about. */
	for (int round = 0; round < 300; round++) {
		struct plan_device_rule rules[6];

		for (size_t i = 0; i < 6; i++)
			rules[i] = (struct plan_device_rule){
				.allow = next_random(&state) % 2,
				.type = "aaabc"[next_random(&state) % 5],
				.major = next_random(&state) % 4 ? -1 : 1,
				.minor = next_random(&state) % 4 ? -1 : 1,
				.access = next_random(&state) % 2 ? 7 : next_random(&state) % 8,
			};
		check_all(rules, 6);
	}
}

Test(cgroup_devices, usual_list)
{
	const struct plan_device_rule rules[] = {
		{ .allow = false, .type = 'a', .major = -1, .minor = -1, .access = 7 },
		{ .allow = true, .type = 'c', .major = 1, .minor = 3, .access = 7 },
		{ .allow = true, .type = 'c', .major = -1, .minor = -1, .access = BPF_DEVCG_ACC_MKNOD },
	};

	check_all(rules, 3);
	cr_expect_not(cgroup_devices_program_allows_all(rules, 3));
}

Test(cgroup_devices, allows_all)
{
	const struct plan_device_rule rules[] = {
		{ .allow = false, .type = 'c', .major = 1, .minor = 3, .access = 7 },
		{ .allow = true, .type = 'a', .major = -1, .minor = -1, .access = 7 },
		{ .allow = true, .type = 'b', .major = 8, .minor = 0, .access = 2 },
		{ .allow = false, .type = 'b', .major = 8, .minor = 0, .access = 4 },
	};

	cr_expect(cgroup_devices_program_allows_all(rules, 0), "no list: no program");
	cr_expect_not(cgroup_devices_program_allows_all(rules, 1));
	cr_expect(cgroup_devices_program_allows_all(rules, 2));
	cr_expect(cgroup_devices_program_allows_all(rules, 3));
	cr_expect_not(cgroup_devices_program_allows_all(rules, 4));
}

Test(cgroup_devices, numbers_that_no_device_has)
{
	const struct plan_device_rule rules[] = {
		{ .allow = true, .type = 'c', .major = INT64_C(1) << 32, .minor = -1, .access = 7 },
		{ .allow = true, .type = 'c', .major = 1, .minor = (INT64_C(1) << 32) + 3, .access = 7 },
	};

	cr_expect_eq(check_all(rules, 2), 0, "a number isn't cut to 32 bits");
}

Test(cgroup_devices, too_many_rules)
{
	static struct plan_device_rule rules[CGROUP_DEVICES_RULES_MAX + 1];
	struct arena *arena = arena_new(1024 * 1024);
	struct error err = { 0 };
	struct cgroup_device_program program;

	for (size_t i = 0; i < CGROUP_DEVICES_RULES_MAX + 1; i++)
		rules[i] = (struct plan_device_rule){ .allow = true, .type = 'c', .major = 1, .minor = 1, .access = 7 };
	cr_expect_eq(cgroup_devices_program(rules, CGROUP_DEVICES_RULES_MAX + 1, arena, &program, &err), -EINVAL);
	cr_expect_eq(cgroup_devices_program(rules, CGROUP_DEVICES_RULES_MAX, arena, &program, &err), 0);
	arena_free(arena);
}
