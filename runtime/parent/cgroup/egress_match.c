/* Parts that the egress programs share: where the packet's words lie, the list as code, answers to what was sent, the counting
 * of denials. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "parent/cgroup/egress_internal.h"

/* How long who has sent something may be answered, in units of 2^30 ns: three minutes, as conntrack has it for a stream of datagrams. */
#define REPLY_SHIFT 30
#define REPLY_UNITS 168

#define KEY(member) (EGRESS_STACK_KEY + (int)offsetof(struct egress_denied_key, member))
#define REPLY(member) (EGRESS_STACK_REPLY + (int)offsetof(struct egress_reply_key, member))

void egress_match_begin(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_code_copy(code, BPF_REG_6, BPF_REG_1);
	for (int off = 0; off < (int)sizeof(struct egress_denied_key); off += 8)
		egress_code_store_number(code, BPF_DW, BPF_REG_10, EGRESS_STACK_KEY + off, 0);
}

/* ---- the list ---- */

/* As it lies in memory, whatever the machine's order. */
static int32_t word_of(const uint8_t *bytes)
{
	int32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static int32_t mask_of(unsigned bits)
{
	uint8_t bytes[4] = { 0 };

	for (unsigned i = 0; i < 4; i++) {
		unsigned kept = bits > 8 * i ? bits - 8 * i : 0;

		bytes[i] = kept >= 8 ? 0xff : (uint8_t) ~(0xffU >> kept);
	}
	return word_of(bytes);
}

static void emit_address(struct egress_builder *builder, const struct endpoint *entry)
{
	struct egress_code *code = &builder->code;

	for (unsigned word = 0; 32 * word < entry->bits; word++) {
		unsigned bits = entry->bits - 32 * word;

		egress_code_load(code, BPF_W, BPF_REG_2, BPF_REG_10, KEY(address) + 4 * (int)word);
		if (bits < 32)
			egress_code_emit(code, BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, mask_of(bits));
		egress_code_jump(code, BPF_JNE, BPF_REG_2, word_of(entry->address + sizeof(int32_t) * word),
				 EGRESS_LABEL_NEXT);
	}
}

static void emit_count(struct egress_builder *builder, size_t index)
{
	struct egress_code *code = &builder->code;
	size_t off = offsetof(struct egress_counters, entries) + index * sizeof(struct egress_pair);
	uint8_t protocol = builder->egress->list[index].protocol;

	egress_code_map_value(code, BPF_REG_2, builder->maps->counts_fd, off);
	egress_code_set(code, BPF_REG_1, 1);
	if (protocol == 0)
		egress_code_jump(code, BPF_JEQ, BPF_REG_7, IPPROTO_TCP, EGRESS_LABEL_OVER);
	if (protocol != IPPROTO_TCP)
		egress_code_add(code, BPF_REG_2, offsetof(struct egress_pair, datagrams), BPF_REG_1);
	if (protocol == 0)
		egress_code_jump(code, BPF_JA, 0, 0, EGRESS_LABEL_ALLOW);
	egress_code_label(code, EGRESS_LABEL_OVER);
	if (protocol != IPPROTO_UDP)
		egress_code_add(code, BPF_REG_2, offsetof(struct egress_pair, connections), BPF_REG_1);
}

/* Is nothing left to compare? */
static bool is_all(const struct endpoint *entry)
{
	return entry->bits == 0 && entry->port == 0 && entry->protocol == 0;
}

static void emit_entry(struct egress_builder *builder, size_t index)
{
	const struct endpoint *entry = &builder->egress->list[index];
	struct egress_code *code = &builder->code;

	emit_address(builder, entry);
	if (entry->protocol)
		egress_code_jump(code, BPF_JNE, BPF_REG_7, entry->protocol, EGRESS_LABEL_NEXT);
	if (entry->port && !entry->is_resolver)
		egress_code_jump(code, BPF_JNE, BPF_REG_8, entry->port, EGRESS_LABEL_NEXT);
	if (builder->counts)
		emit_count(builder, index);
	egress_code_jump(code, BPF_JA, 0, 0, EGRESS_LABEL_ALLOW);
	egress_code_label(code, EGRESS_LABEL_NEXT);
}

/* What a packet can be to an entry. Each has a list of its own, in which no comparison has an outcome that the kernel's verifier knows beforehand:
 * it would go back over all entries before, at each of them, and take ten times as long for a long list. */
enum destination { WITH_PORT, WITHOUT_PORT, RESOLVER };

static bool concerns(const struct endpoint *entry, enum destination destination)
{
	switch (destination) {
	case WITH_PORT:
		return !entry->is_resolver;
	case WITHOUT_PORT:
		return entry->port == 0 && entry->protocol == 0;
	case RESOLVER:
		return entry->is_resolver;
	}
	return false;
}

static void emit_entries(struct egress_builder *builder, uint8_t family, enum destination destination)
{
	for (size_t i = 0; i < builder->egress->n; i++) {
		const struct endpoint *entry = &builder->egress->list[i];

		if (entry->family != family || !concerns(entry, destination))
			continue;
		emit_entry(builder, i);
		/* The kernel takes no program with a part that is never reached. */
		if (is_all(entry))
			return;
	}
	egress_code_jump(&builder->code, BPF_JA, 0, 0, EGRESS_LABEL_UNLISTED);
}

/* Again, so that the verifier forgets what it knows of it. */
static void emit_protocol(struct egress_builder *builder, uint8_t family)
{
	struct egress_code *code = &builder->code;
	int off = family == AF_INET ? EGRESS_STACK_IPV4 + 9 : EGRESS_STACK_IPV6 + 6;

	if (builder->hook == EGRESS_HOOK_PACKET)
		egress_code_load(code, BPF_B, BPF_REG_7, BPF_REG_10, off);
	else
		egress_code_load(code, BPF_W, BPF_REG_7, BPF_REG_6, offsetof(struct bpf_sock_addr, protocol));
}

static void emit_family(struct egress_builder *builder, uint8_t family)
{
	struct egress_code *code = &builder->code;

	emit_protocol(builder, family);
	egress_code_jump(code, BPF_JEQ, BPF_REG_8, 0, EGRESS_LABEL_PING);
	egress_code_jump(code, BPF_JEQ, BPF_REG_8, ENDPOINT_DNS_PORT, EGRESS_LABEL_DNS);
	emit_entries(builder, family, WITH_PORT);
	egress_code_label(code, EGRESS_LABEL_PING);
	emit_entries(builder, family, WITHOUT_PORT);
	egress_code_label(code, EGRESS_LABEL_DNS);
	emit_entries(builder, family, RESOLVER);
}

void egress_match_list(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_code_label(code, EGRESS_LABEL_LISTED);
	egress_code_load(code, BPF_B, BPF_REG_2, BPF_REG_10, KEY(family));
	egress_code_jump(code, BPF_JEQ, BPF_REG_2, AF_INET6, EGRESS_LABEL_V6);
	emit_family(builder, AF_INET);
	egress_code_label(code, EGRESS_LABEL_V6);
	emit_family(builder, AF_INET6);
	egress_code_label(code, EGRESS_LABEL_UNLISTED);
}

/* ---- replies ---- */

void egress_match_reply_key(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_code_store_number(code, BPF_DW, BPF_REG_10, EGRESS_STACK_REPLY + 16, 0);
	for (int off = 0; off < 16; off += 8) {
		egress_code_load(code, BPF_DW, BPF_REG_2, BPF_REG_10, KEY(address) + off);
		egress_code_store(code, BPF_DW, BPF_REG_10, REPLY(address) + off, BPF_REG_2);
	}
	egress_code_load(code, BPF_H, BPF_REG_2, BPF_REG_10, KEY(port));
	egress_code_store(code, BPF_H, BPF_REG_10, REPLY(remote_port), BPF_REG_2);
	egress_code_store(code, BPF_B, BPF_REG_10, REPLY(protocol), BPF_REG_7);
	egress_code_load(code, BPF_B, BPF_REG_2, BPF_REG_10, KEY(family));
	egress_code_store(code, BPF_B, BPF_REG_10, REPLY(family), BPF_REG_2);
}

void egress_match_reply(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_code_map(code, BPF_REG_1, builder->maps->replies_fd);
	egress_code_stack(code, BPF_REG_2, EGRESS_STACK_REPLY);
	egress_code_call(code, BPF_FUNC_map_lookup_elem);
	egress_code_jump_wide(code, BPF_JEQ, BPF_REG_0, 0, EGRESS_LABEL_OVER);
	egress_code_load(code, BPF_DW, BPF_REG_9, BPF_REG_0, 0);
	egress_code_call(code, BPF_FUNC_ktime_get_boot_ns);
	egress_code_emit(code, BPF_ALU64 | BPF_SUB | BPF_X, BPF_REG_0, BPF_REG_9, 0);
	egress_code_emit(code, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_0, 0, REPLY_SHIFT);
	egress_code_jump_wide(code, BPF_JLE, BPF_REG_0, REPLY_UNITS, EGRESS_LABEL_ALLOW);
	egress_code_label(code, EGRESS_LABEL_OVER);
}

/* ---- the end ---- */

static void emit_increment(struct egress_builder *builder, size_t off)
{
	struct egress_code *code = &builder->code;

	egress_code_map_value(code, BPF_REG_2, builder->maps->counts_fd, off);
	egress_code_set(code, BPF_REG_1, 1);
	egress_code_add(code, BPF_REG_2, 0, BPF_REG_1);
}

/* Registers 1 and 2 for a call about the table of denials. */
static void emit_table(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_code_map(code, BPF_REG_1, builder->maps->denied_fd);
	egress_code_stack(code, BPF_REG_2, EGRESS_STACK_KEY);
}

/* A destination that has a place in the table keeps it, so that nobody can drive it out by many others. */
static void emit_new_denial(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_code_store_number(code, BPF_DW, BPF_REG_10, EGRESS_STACK_VALUE, 1);
	egress_code_store(code, BPF_DW, BPF_REG_10, EGRESS_STACK_VALUE + 8, BPF_REG_8);
	egress_code_store(code, BPF_DW, BPF_REG_10, EGRESS_STACK_VALUE + 16, BPF_REG_8);
	emit_table(builder);
	egress_code_stack(code, BPF_REG_3, EGRESS_STACK_VALUE);
	egress_code_set(code, BPF_REG_4, BPF_NOEXIST);
	egress_code_call(code, BPF_FUNC_map_update_elem);
	egress_code_jump_wide(code, BPF_JEQ, BPF_REG_0, 0, EGRESS_LABEL_DONE);
	emit_increment(builder, offsetof(struct egress_counters, others));
}

static void emit_denial(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_code_store_number(code, BPF_B, BPF_REG_10, KEY(hook), (int32_t)builder->hook);
	egress_code_call(code, BPF_FUNC_ktime_get_boot_ns);
	egress_code_copy(code, BPF_REG_8, BPF_REG_0);
	emit_table(builder);
	egress_code_call(code, BPF_FUNC_map_lookup_elem);
	egress_code_jump_wide(code, BPF_JEQ, BPF_REG_0, 0, EGRESS_LABEL_OVER);
	egress_code_set(code, BPF_REG_1, 1);
	egress_code_add(code, BPF_REG_0, offsetof(struct egress_denied_value, count), BPF_REG_1);
	egress_code_store(code, BPF_DW, BPF_REG_0, offsetof(struct egress_denied_value, last), BPF_REG_8);
	egress_code_jump(code, BPF_JA, 0, 0, EGRESS_LABEL_DONE);
	egress_code_label(code, EGRESS_LABEL_OVER);
	emit_new_denial(builder);
	egress_code_label(code, EGRESS_LABEL_DONE);
	emit_increment(builder, offsetof(struct egress_counters, denied));
}

void egress_match_end(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_code_label(code, EGRESS_LABEL_DENY);
	emit_denial(builder);
	egress_code_set(code, BPF_REG_0, 0);
	egress_code_emit(code, BPF_JMP | BPF_EXIT, 0, 0, 0);
	egress_code_label(code, EGRESS_LABEL_ALLOW);
	egress_code_set(code, BPF_REG_0, 1);
	egress_code_emit(code, BPF_JMP | BPF_EXIT, 0, 0, 0);
}
