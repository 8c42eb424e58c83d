/* A list of device rules as a BPF program. Pure. */
#include "parent/cgroup/cgroup_devices.h"

#include <errno.h>
#include <string.h>

#define ACCESS_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define MINOR_BITS 20 /* the kernel's own dev_t: 12 bits of major, 20 of minor */
#define MAJOR_MAX 0xfff
#define MINOR_MAX 0xfffff
#define RULE_INSNS_MAX 12
#define FRAME_INSNS 24 /* before and after the rules */

/* The program's registers. R1 is the context, R0 the result. A key is major << 20 | minor; those of one type have a bit
 * above, which is set where the device is of the other type: then no rule's number is equal to it. */
enum {
	REGISTER_ACCESS = BPF_REG_2,  /* what is asked for */
	REGISTER_ALLOWED = BPF_REG_3, /* what the rules up to here allow for this device */
	REGISTER_KEY = BPF_REG_4,
	REGISTER_CHAR_KEY = BPF_REG_5,
	REGISTER_MATCH = BPF_REG_6,
	REGISTER_BLOCK_KEY = BPF_REG_7,
	REGISTER_SCRATCH = BPF_REG_8,
};

static void emit(struct cgroup_device_program *program, uint8_t code, unsigned dst, unsigned src, int32_t imm)
{
	program->insns[program->n++] =
		(struct bpf_insn){ .code = code, .dst_reg = dst & 0xf, .src_reg = src & 0xf, .imm = imm };
}

/* dst = dst operation number, in 64 bits; the number is sign-extended. */
static void emit_number(struct cgroup_device_program *program, uint8_t operation, unsigned dst, int32_t number)
{
	emit(program, BPF_ALU64 | operation | BPF_K, dst, 0, number);
}

static void emit_register(struct cgroup_device_program *program, uint8_t operation, unsigned dst, unsigned src)
{
	emit(program, BPF_ALU64 | operation | BPF_X, dst, src, 0);
}

/* A word of struct bpf_cgroup_dev_ctx. */
static void emit_load(struct cgroup_device_program *program, unsigned dst, size_t offset)
{
	emit(program, BPF_LDX | BPF_MEM | BPF_W, dst, BPF_REG_1, 0);
	program->insns[program->n - 1].off = (int16_t)offset;
}

static bool matches_every_device(const struct plan_device_rule *rule)
{
	return rule->type == 'a' && rule->major < 0 && rule->minor < 0 && (rule->access & ACCESS_ALL) == ACCESS_ALL;
}

struct cgroup_device_list cgroup_devices_program_trim(const struct plan_device_rule *rules, size_t n_rules)
{
	struct cgroup_device_list list = { .allow = false, .rules = rules, .n_rules = n_rules };

	for (size_t i = n_rules; i-- > 0;) {
		if (!matches_every_device(&rules[i]))
			continue;
		list.allow = rules[i].allow;
		list.rules = rules + i + 1;
		list.n_rules = n_rules - i - 1;
		break;
	}
	return list;
}

bool cgroup_devices_program_allows_all(const struct plan_device_rule *rules, size_t n_rules)
{
	struct cgroup_device_list list = cgroup_devices_program_trim(rules, n_rules);

	if (n_rules == 0)
		return true;
	for (size_t i = 0; i < list.n_rules; i++)
		if (!list.rules[i].allow)
			return false;
	return list.allow;
}

static unsigned key_register(char type)
{
	return type == 'a' ? REGISTER_KEY : type == 'b' ? REGISTER_BLOCK_KEY : REGISTER_CHAR_KEY;
}

/* REGISTER_MATCH becomes 0 where the rule is about this device. */
static void emit_difference(struct cgroup_device_program *program, const struct plan_device_rule *rule)
{
	unsigned key = key_register(rule->type);

	if (rule->major >= 0 && rule->minor >= 0) {
		/* In 32 bits, which clears the upper half: the number may have its highest bit set. */
		emit(program, BPF_ALU | BPF_MOV | BPF_K, REGISTER_MATCH, 0,
		     (int32_t)((uint32_t)rule->major << MINOR_BITS | (uint32_t)rule->minor));
		emit_register(program, BPF_XOR, REGISTER_MATCH, key);
		return;
	}
	emit_register(program, BPF_MOV, REGISTER_MATCH, key);
	if (rule->major >= 0) {
		emit_number(program, BPF_RSH, REGISTER_MATCH, MINOR_BITS);
		emit_number(program, BPF_XOR, REGISTER_MATCH, (int32_t)rule->major);
	} else if (rule->minor >= 0) {
		emit_number(program, BPF_AND, REGISTER_MATCH, MINOR_MAX);
		emit_number(program, BPF_XOR, REGISTER_MATCH, (int32_t)rule->minor);
		emit_register(program, BPF_MOV, REGISTER_SCRATCH, key);
		emit_number(program, BPF_RSH, REGISTER_SCRATCH, 32);
		emit_register(program, BPF_OR, REGISTER_MATCH, REGISTER_SCRATCH);
	} else {
		emit_number(program, BPF_RSH, REGISTER_MATCH, 32);
	}
}

/* Without a branch: the kernel's verifier follows every path there is, which at 15 rules with jumps costs 0.2 ms a
 * container; this is a tenth of it. Nor by an arithmetic shift: newer verifiers take 0 or -1 for a branch as well. */
static void emit_rule(struct cgroup_device_program *program, const struct plan_device_rule *rule)
{
	emit_difference(program, rule);
	/* 0 becomes 1, any other difference (below 2^33) becomes 0. */
	emit_number(program, BPF_SUB, REGISTER_MATCH, 1);
	emit_number(program, BPF_RSH, REGISTER_MATCH, 63);
	emit_number(program, BPF_MUL, REGISTER_MATCH, (int32_t)(rule->access & ACCESS_ALL));
	if (rule->allow) {
		emit_register(program, BPF_OR, REGISTER_ALLOWED, REGISTER_MATCH);
	} else {
		emit_number(program, BPF_XOR, REGISTER_MATCH, -1);
		emit_register(program, BPF_AND, REGISTER_ALLOWED, REGISTER_MATCH);
	}
}

/* A key that has bit 32 set for devices of the type whose number in the context is `other`. */
static void emit_typed_key(struct cgroup_device_program *program, unsigned dst, int32_t other)
{
	emit_register(program, BPF_MOV, dst, REGISTER_SCRATCH);
	emit_number(program, BPF_AND, dst, other);
	emit_number(program, BPF_LSH, dst, other == BPF_DEVCG_DEV_BLOCK ? 32 : 31);
	emit_register(program, BPF_OR, dst, REGISTER_KEY);
}

static void emit_context(struct cgroup_device_program *program, bool allow)
{
	emit_load(program, REGISTER_KEY, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_number(program, BPF_LSH, REGISTER_KEY, MINOR_BITS);
	emit_load(program, REGISTER_SCRATCH, offsetof(struct bpf_cgroup_dev_ctx, minor));
	emit_register(program, BPF_OR, REGISTER_KEY, REGISTER_SCRATCH);
	emit_load(program, REGISTER_SCRATCH, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit_typed_key(program, REGISTER_CHAR_KEY, BPF_DEVCG_DEV_BLOCK);
	emit_typed_key(program, REGISTER_BLOCK_KEY, BPF_DEVCG_DEV_CHAR);
	emit_register(program, BPF_MOV, REGISTER_ACCESS, REGISTER_SCRATCH);
	emit_number(program, BPF_RSH, REGISTER_ACCESS, 16);
	emit_number(program, BPF_MOV, REGISTER_ALLOWED, allow ? ACCESS_ALL : 0);
}

/* 1 where nothing is asked for that isn't allowed. */
static void emit_return(struct cgroup_device_program *program)
{
	emit_number(program, BPF_XOR, REGISTER_ALLOWED, -1);
	emit_register(program, BPF_AND, REGISTER_ACCESS, REGISTER_ALLOWED);
	emit_register(program, BPF_MOV, BPF_REG_0, REGISTER_ACCESS);
	emit_number(program, BPF_SUB, BPF_REG_0, 1);
	emit_number(program, BPF_RSH, BPF_REG_0, 63);
	emit(program, BPF_JMP | BPF_EXIT, 0, 0, 0);
}

/* A larger number is no device's, so its rule can't match, and has no room in a key. */
static bool can_match(const struct plan_device_rule *rule)
{
	return rule->access & ACCESS_ALL && rule->major <= MAJOR_MAX && rule->minor <= MINOR_MAX;
}

int cgroup_devices_program(const struct plan_device_rule *rules, size_t n_rules, struct arena *arena,
			   struct cgroup_device_program *ret, struct error *err)
{
	struct cgroup_device_list list = cgroup_devices_program_trim(rules, n_rules);
	struct cgroup_device_program program = { 0 };

	if (list.n_rules > CGROUP_DEVICES_RULES_MAX)
		return error_invalid(err, "linux.resources.devices: %zu rules; at most %d are allowed", list.n_rules,
				     CGROUP_DEVICES_RULES_MAX);
	program.insns = arena_array_of(arena, list.n_rules * RULE_INSNS_MAX + FRAME_INSNS, struct bpf_insn);
	if (!program.insns)
		return error_memory(err);
	emit_context(&program, list.allow);
	for (size_t i = 0; i < list.n_rules; i++)
		if (can_match(&list.rules[i]))
			emit_rule(&program, &list.rules[i]);
	emit_return(&program);
	*ret = program;
	return 0;
}
