/* The programs themselves. What they share is in egress_match.c. */
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "parent/cgroup/egress_internal.h"

/* Bounds for the memory of one program. Were they too small, the code would be marked as broken and not be loaded. */
#define ENTRY_INSNS_MAX 48 /* of an entry of the list, which may be in two of its parts */
#define FRAME_INSNS 320	   /* all else */
#define LOOPBACK_IFINDEX 1 /* in each network namespace (LOOPBACK_IFINDEX in the kernel's net/loopback.h) */

#define KEY(member) (EGRESS_STACK_KEY + (int)offsetof(struct egress_denied_key, member))
#define REPLY(member) (EGRESS_STACK_REPLY + (int)offsetof(struct egress_reply_key, member))
#define TCP_FLAGS (EGRESS_STACK_PORTS + 13)
#define TCP_SYN 0x02
#define TCP_ACK 0x10

const struct egress_program_kind egress_program_kinds[EGRESS_N_PROGRAMS] = {
	[EGRESS_PROGRAM_CONNECT4] = { "brig_eg_conn4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT },
	[EGRESS_PROGRAM_CONNECT6] = { "brig_eg_conn6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_CONNECT },
	[EGRESS_PROGRAM_SEND4] = { "brig_eg_send4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG },
	[EGRESS_PROGRAM_SEND6] = { "brig_eg_send6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_SENDMSG },
	[EGRESS_PROGRAM_SOCKET] = { "brig_eg_sock", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE },
	[EGRESS_PROGRAM_OUT] = { "brig_eg_out", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS },
	[EGRESS_PROGRAM_IN] = { "brig_eg_in", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS },
	[EGRESS_PROGRAM_OPTION] = { "brig_eg_opt", BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT },
};

/* Numbers of the network's byte order from and to the processor's. */
static void emit_swap(struct egress_code *code, unsigned dst)
{
	egress_code_emit(code, BPF_ALU | BPF_END | BPF_TO_BE, dst, 0, 16);
}

/* ---- connect and send: an early answer to the program, EPERM; what is held is held by the packets' program ---- */

#define ADDRESS(member) ((int)offsetof(struct bpf_sock_addr, member))

/* 0.0.0.0 and :: mean this very machine, as 127.0.0.1 and ::1 do. Which other addresses are the namespace's own nobody can ask
 * here: what has a socket there is let through, and the packets' program sees whether it stays on loopback. R6 is the context,
 * R7 the protocol, R8 the port, R9 a word of the address as the network has it. */
static void emit_ipv4_address(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_code_store(code, BPF_W, BPF_REG_10, KEY(address), BPF_REG_9);
	egress_code_store_number(code, BPF_B, BPF_REG_10, KEY(family), AF_INET);
	if (!builder->egress->own_network)
		return;
	egress_code_jump(code, BPF_JEQ, BPF_REG_9, 0, EGRESS_LABEL_ALLOW);
	egress_code_emit(code, BPF_ALU | BPF_AND | BPF_K, BPF_REG_9, 0, (int32_t)htonl(0xff000000));
	egress_code_jump(code, BPF_JEQ, BPF_REG_9, (int32_t)htonl(INADDR_LOOPBACK & 0xff000000), EGRESS_LABEL_ALLOW);
}

static void emit_ipv6_address(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	for (int word = 0; word < 4; word++) {
		egress_code_load(code, BPF_W, BPF_REG_9, BPF_REG_6, ADDRESS(user_ip6) + 4 * word);
		egress_code_store(code, BPF_W, BPF_REG_10, KEY(address) + 4 * word, BPF_REG_9);
	}
	egress_code_store_number(code, BPF_B, BPF_REG_10, KEY(family), AF_INET6);
	egress_code_load(code, BPF_DW, BPF_REG_2, BPF_REG_10, KEY(address));
	egress_code_jump_wide(code, BPF_JNE, BPF_REG_2, 0, EGRESS_LABEL_TRANSPORT);
	egress_code_load(code, BPF_W, BPF_REG_2, BPF_REG_10, KEY(address) + 8);
	egress_code_jump(code, BPF_JEQ, BPF_REG_2, (int32_t)htonl(0xffff), EGRESS_LABEL_V4);
	if (!builder->egress->own_network) {
		egress_code_jump(code, BPF_JA, 0, 0, EGRESS_LABEL_TRANSPORT);
	} else {
		egress_code_jump(code, BPF_JNE, BPF_REG_2, 0, EGRESS_LABEL_TRANSPORT);
		egress_code_jump(code, BPF_JEQ, BPF_REG_9, 0, EGRESS_LABEL_ALLOW);
		egress_code_jump(code, BPF_JEQ, BPF_REG_9, (int32_t)htonl(1), EGRESS_LABEL_ALLOW);
		egress_code_jump(code, BPF_JA, 0, 0, EGRESS_LABEL_TRANSPORT);
	}
	egress_code_label(code, EGRESS_LABEL_V4);
	egress_code_store_number(code, BPF_DW, BPF_REG_10, KEY(address), 0);
	egress_code_store_number(code, BPF_DW, BPF_REG_10, KEY(address) + 8, 0);
}

/* A server may answer, also from another socket than the one that was asked, if it has the same port. */
static void emit_answer(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_code_jump(code, BPF_JNE, BPF_REG_7, IPPROTO_UDP, EGRESS_LABEL_LOCAL);
	egress_match_reply_key(builder);
	egress_code_load(code, BPF_DW, BPF_REG_1, BPF_REG_6, ADDRESS(sk));
	egress_code_load(code, BPF_W, BPF_REG_2, BPF_REG_1, offsetof(struct bpf_sock, src_port));
	emit_swap(code, BPF_REG_2);
	egress_code_store(code, BPF_H, BPF_REG_10, REPLY(local_port), BPF_REG_2);
	egress_match_reply(builder);
	if (!builder->egress->own_network) {
		egress_code_store_number(code, BPF_B, BPF_REG_10, REPLY(on_loopback), 1);
		egress_match_reply(builder);
	}
	egress_code_label(code, EGRESS_LABEL_LOCAL);
}

/* bpf-helpers(7), sk_lookup: a socket that it finds is held, and has to be let go of before the program ends, or the kernel
 * does not load it. */
static void emit_lookup(struct egress_builder *builder, int helper, size_t size)
{
	struct egress_code *code = &builder->code;

	egress_code_copy(code, BPF_REG_1, BPF_REG_6);
	egress_code_stack(code, BPF_REG_2, EGRESS_STACK_TUPLE);
	egress_code_set(code, BPF_REG_3, (int32_t)size);
	egress_code_set(code, BPF_REG_4, BPF_F_CURRENT_NETNS);
	egress_code_set(code, BPF_REG_5, 0);
	egress_code_call(code, helper);
	egress_code_jump_wide(code, BPF_JEQ, BPF_REG_0, 0, EGRESS_LABEL_DENY);
	egress_code_copy(code, BPF_REG_1, BPF_REG_0);
	egress_code_call(code, BPF_FUNC_sk_release);
	egress_code_jump(code, BPF_JA, 0, 0, EGRESS_LABEL_ALLOW);
}

static void emit_local_family(struct egress_builder *builder, uint8_t family)
{
	struct egress_code *code = &builder->code;
	size_t bytes = family == AF_INET ? 4 : 16, size = 2 * bytes + 2 * sizeof(uint16_t);

	for (size_t off = 0; off < bytes; off += 4) {
		egress_code_store_number(code, BPF_W, BPF_REG_10, EGRESS_STACK_TUPLE + (int)off, 0);
		egress_code_load(code, BPF_W, BPF_REG_2, BPF_REG_10, KEY(address) + (int)off);
		egress_code_store(code, BPF_W, BPF_REG_10, EGRESS_STACK_TUPLE + (int)(bytes + off), BPF_REG_2);
	}
	egress_code_store_number(code, BPF_H, BPF_REG_10, EGRESS_STACK_TUPLE + (int)(2 * bytes), 0);
	egress_code_load(code, BPF_H, BPF_REG_2, BPF_REG_10, KEY(port));
	egress_code_store(code, BPF_H, BPF_REG_10, EGRESS_STACK_TUPLE + (int)(2 * bytes) + 2, BPF_REG_2);
	egress_code_jump(code, BPF_JEQ, BPF_REG_7, IPPROTO_UDP, EGRESS_LABEL_OVER);
	egress_code_jump(code, BPF_JNE, BPF_REG_7, IPPROTO_TCP, EGRESS_LABEL_DENY);
	emit_lookup(builder, BPF_FUNC_sk_lookup_tcp, size);
	egress_code_label(code, EGRESS_LABEL_OVER);
	emit_lookup(builder, BPF_FUNC_sk_lookup_udp, size);
}

static void emit_local(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	if (!builder->egress->own_network)
		return;
	egress_code_load(code, BPF_B, BPF_REG_2, BPF_REG_10, KEY(family));
	egress_code_jump(code, BPF_JEQ, BPF_REG_2, AF_INET6, EGRESS_LABEL_V6);
	emit_local_family(builder, AF_INET);
	egress_code_label(code, EGRESS_LABEL_V6);
	emit_local_family(builder, AF_INET6);
}

static void emit_sock_addr(struct egress_builder *builder, bool ipv6)
{
	struct egress_code *code = &builder->code;

	egress_match_begin(builder);
	egress_code_load(code, BPF_W, BPF_REG_7, BPF_REG_6, ADDRESS(protocol));
	egress_code_store(code, BPF_W, BPF_REG_10, KEY(protocol), BPF_REG_7);
	egress_code_load(code, BPF_W, BPF_REG_8, BPF_REG_6, ADDRESS(user_port));
	egress_code_jump(code, BPF_JEQ, BPF_REG_7, IPPROTO_TCP, EGRESS_LABEL_OVER);
	egress_code_jump(code, BPF_JEQ, BPF_REG_7, IPPROTO_UDP, EGRESS_LABEL_OVER);
	/* ping's has one that means nothing. */
	egress_code_set(code, BPF_REG_8, 0);
	egress_code_label(code, EGRESS_LABEL_OVER);
	egress_code_store(code, BPF_H, BPF_REG_10, KEY(port), BPF_REG_8);
	emit_swap(code, BPF_REG_8);
	if (ipv6)
		emit_ipv6_address(builder);
	else
		egress_code_load(code, BPF_W, BPF_REG_9, BPF_REG_6, ADDRESS(user_ip4));
	emit_ipv4_address(builder);
	egress_code_label(code, EGRESS_LABEL_TRANSPORT);
	egress_match_list(builder);
	emit_answer(builder);
	emit_local(builder);
	egress_match_end(builder);
}

/* ---- sockets: of the protocols alone that the packets' program knows ---- */

#define SOCKET(member) ((int)offsetof(struct bpf_sock, member))

static void emit_socket(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_match_begin(builder);
	egress_code_load(code, BPF_W, BPF_REG_7, BPF_REG_6, SOCKET(protocol));
	egress_code_load(code, BPF_W, BPF_REG_8, BPF_REG_6, SOCKET(type));
	egress_code_load(code, BPF_W, BPF_REG_9, BPF_REG_6, SOCKET(family));
	egress_code_store(code, BPF_W, BPF_REG_10, KEY(protocol), BPF_REG_7);
	egress_code_store(code, BPF_H, BPF_REG_10, KEY(port), BPF_REG_8);
	egress_code_store(code, BPF_B, BPF_REG_10, KEY(family), BPF_REG_9);
	egress_code_jump(code, BPF_JEQ, BPF_REG_8, SOCK_DGRAM, EGRESS_LABEL_OVER);
	egress_code_jump(code, BPF_JNE, BPF_REG_8, SOCK_STREAM, EGRESS_LABEL_DENY);
	egress_code_jump(code, BPF_JEQ, BPF_REG_7, IPPROTO_TCP, EGRESS_LABEL_ALLOW);
	egress_code_jump(code, BPF_JA, 0, 0, EGRESS_LABEL_DENY);
	egress_code_label(code, EGRESS_LABEL_OVER);
	egress_code_jump(code, BPF_JEQ, BPF_REG_7, IPPROTO_UDP, EGRESS_LABEL_ALLOW);
	egress_code_jump(code, BPF_JEQ, BPF_REG_7, IPPROTO_ICMP, EGRESS_LABEL_ALLOW);
	egress_code_jump(code, BPF_JEQ, BPF_REG_7, IPPROTO_ICMPV6, EGRESS_LABEL_ALLOW);
	egress_match_end(builder);
}

/* ---- packets ---- */

#define PACKET(member) ((int)offsetof(struct __sk_buff, member))

static void emit_load_bytes(struct egress_builder *builder, int where, int length)
{
	struct egress_code *code = &builder->code;

	egress_code_copy(code, BPF_REG_1, BPF_REG_6);
	egress_code_set(code, BPF_REG_2, 0);
	egress_code_stack(code, BPF_REG_3, where);
	egress_code_set(code, BPF_REG_4, length);
	egress_code_call(code, BPF_FUNC_skb_load_bytes);
}

/* The IP header at its place, and behind it 14 bytes of the transport's, or 8 where there are no more: register 7 is the protocol.
 * unknown: where what can't be understood goes. */
static void emit_headers(struct egress_builder *builder, bool ipv6, enum egress_label unknown)
{
	struct egress_code *code = &builder->code;
	int where = ipv6 ? EGRESS_STACK_IPV6 : EGRESS_STACK_IPV4, length = EGRESS_STACK_PORTS - where;

	emit_load_bytes(builder, where, length + 14);
	egress_code_load(code, BPF_B, BPF_REG_7, BPF_REG_10, where + (ipv6 ? 6 : 9));
	egress_code_jump_wide(code, BPF_JEQ, BPF_REG_0, 0, EGRESS_LABEL_OVER);
	emit_load_bytes(builder, where, length + 8);
	egress_code_jump_wide(code, BPF_JNE, BPF_REG_0, 0, unknown);
	egress_code_load(code, BPF_B, BPF_REG_7, BPF_REG_10, where + (ipv6 ? 6 : 9));
	egress_code_jump(code, BPF_JEQ, BPF_REG_7, IPPROTO_TCP, unknown);
	egress_code_label(code, EGRESS_LABEL_OVER);
	egress_code_store(code, BPF_W, BPF_REG_10, KEY(protocol), BPF_REG_7);
	egress_code_store_number(code, BPF_B, BPF_REG_10, KEY(family), ipv6 ? AF_INET6 : AF_INET);
}

/* off: of the address in the header: the source's or the destination's. */
static void emit_packet_address(struct egress_builder *builder, bool ipv6, int off)
{
	struct egress_code *code = &builder->code;
	int where = (ipv6 ? EGRESS_STACK_IPV6 : EGRESS_STACK_IPV4) + off;

	for (int word = 0; word < (ipv6 ? 4 : 1); word++) {
		egress_code_load(code, BPF_W, BPF_REG_2, BPF_REG_10, where + 4 * word);
		egress_code_store(code, BPF_W, BPF_REG_10, KEY(address) + 4 * word, BPF_REG_2);
	}
}

/* Options may name a further destination (source routes; an IPv6 one takes no privilege), and a fragment has no ports: no such packet
 * leaves. A header of 20 bytes has no options; an IPv6 extension header is a protocol that no entry allows. */
static void emit_plain(struct egress_builder *builder, enum egress_label unknown)
{
	struct egress_code *code = &builder->code;

	egress_code_load(code, BPF_B, BPF_REG_2, BPF_REG_10, EGRESS_STACK_IPV4);
	egress_code_jump(code, BPF_JNE, BPF_REG_2, 0x45, unknown);
	egress_code_load(code, BPF_H, BPF_REG_2, BPF_REG_10, EGRESS_STACK_IPV4 + 6);
	egress_code_emit(code, BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, htons(0x3fff));
	egress_code_jump(code, BPF_JNE, BPF_REG_2, 0, unknown);
}

static void emit_family(struct egress_builder *builder, enum egress_label unknown)
{
	struct egress_code *code = &builder->code;

	egress_code_load(code, BPF_W, BPF_REG_2, BPF_REG_6, PACKET(protocol));
	egress_code_jump(code, BPF_JEQ, BPF_REG_2, htons(ETH_P_IPV6), EGRESS_LABEL_V6);
	egress_code_jump(code, BPF_JNE, BPF_REG_2, htons(ETH_P_IP), unknown);
}

/* Behind the headers: only a packet that begins something has to be in the list. What is no SYN belongs to a connection that was
 * begun; a SYN with ACK to one that began outside. */
static void emit_transport(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_code_set(code, BPF_REG_8, 0);
	egress_code_jump(code, BPF_JEQ, BPF_REG_7, IPPROTO_UDP, EGRESS_LABEL_PORTS);
	egress_code_jump(code, BPF_JNE, BPF_REG_7, IPPROTO_TCP, EGRESS_LABEL_LISTED);
	egress_code_load(code, BPF_B, BPF_REG_2, BPF_REG_10, TCP_FLAGS);
	egress_code_emit(code, BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, TCP_SYN | TCP_ACK);
	egress_code_jump(code, BPF_JEQ, BPF_REG_2, TCP_SYN | TCP_ACK, EGRESS_LABEL_PORTS);
	egress_code_jump(code, BPF_JNE, BPF_REG_2, TCP_SYN, EGRESS_LABEL_ALLOW);
	egress_code_label(code, EGRESS_LABEL_PORTS);
	egress_code_load(code, BPF_H, BPF_REG_8, BPF_REG_10, EGRESS_STACK_PORTS + 2);
	egress_code_store(code, BPF_H, BPF_REG_10, KEY(port), BPF_REG_8);
	emit_swap(code, BPF_REG_8);
	egress_code_jump(code, BPF_JNE, BPF_REG_7, IPPROTO_TCP, EGRESS_LABEL_LISTED);
	egress_code_load(code, BPF_B, BPF_REG_2, BPF_REG_10, TCP_FLAGS);
	egress_code_emit(code, BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, TCP_ACK);
	egress_code_jump(code, BPF_JNE, BPF_REG_2, 0, EGRESS_LABEL_UNLISTED);
}

/* On the host's network loopback is no way past the list, and who asks by it is answered by it alone. */
static void emit_on_loopback(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	if (builder->egress->own_network)
		return;
	egress_code_load(code, BPF_W, BPF_REG_2, BPF_REG_6, PACKET(ifindex));
	egress_code_jump(code, BPF_JNE, BPF_REG_2, LOOPBACK_IFINDEX, EGRESS_LABEL_OVER);
	egress_code_store_number(code, BPF_B, BPF_REG_10, REPLY(on_loopback), 1);
	egress_code_label(code, EGRESS_LABEL_OVER);
}

/* Packets to an address of the namespace's own go by loopback, whatever the address. */
static void emit_pass_loopback(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	if (!builder->egress->own_network)
		return;
	egress_code_load(code, BPF_W, BPF_REG_2, BPF_REG_6, PACKET(ifindex));
	egress_code_jump(code, BPF_JEQ, BPF_REG_2, LOOPBACK_IFINDEX, EGRESS_LABEL_ALLOW);
}

static void emit_out(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_match_begin(builder);
	emit_pass_loopback(builder);
	emit_family(builder, EGRESS_LABEL_DENY);
	emit_headers(builder, /* ipv6= */ false, EGRESS_LABEL_DENY);
	emit_packet_address(builder, /* ipv6= */ false, 16);
	emit_plain(builder, EGRESS_LABEL_DENY);
	egress_code_jump(code, BPF_JEQ, BPF_REG_7, IPPROTO_ICMP, EGRESS_LABEL_TRANSPORT);
	egress_code_jump(code, BPF_JA, 0, 0, EGRESS_LABEL_DONE);
	egress_code_label(code, EGRESS_LABEL_V6);
	emit_headers(builder, /* ipv6= */ true, EGRESS_LABEL_DENY);
	emit_packet_address(builder, /* ipv6= */ true, 24);
	egress_code_jump(code, BPF_JEQ, BPF_REG_7, IPPROTO_ICMPV6, EGRESS_LABEL_TRANSPORT);
	egress_code_label(code, EGRESS_LABEL_DONE);
	egress_code_jump(code, BPF_JEQ, BPF_REG_7, IPPROTO_TCP, EGRESS_LABEL_TRANSPORT);
	egress_code_jump(code, BPF_JNE, BPF_REG_7, IPPROTO_UDP, EGRESS_LABEL_DENY);
	egress_code_label(code, EGRESS_LABEL_TRANSPORT);
	emit_transport(builder);
	egress_match_list(builder);
	egress_match_reply_key(builder);
	egress_code_load(code, BPF_H, BPF_REG_2, BPF_REG_10, EGRESS_STACK_PORTS);
	egress_code_store(code, BPF_H, BPF_REG_10, REPLY(local_port), BPF_REG_2);
	emit_on_loopback(builder);
	/* ICMP has no ports, and nobody's answer is waited for: the kernel itself sends those. */
	egress_code_jump(code, BPF_JEQ, BPF_REG_8, 0, EGRESS_LABEL_DENY);
	egress_match_reply(builder);
	egress_match_end(builder);
}

/* Registers 1 and 2 for a call about those who came from outside. */
static void emit_replies(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_code_map(code, BPF_REG_1, builder->maps->replies_fd);
	egress_code_stack(code, BPF_REG_2, EGRESS_STACK_REPLY);
}

/* One who is known has his time set anew, which costs a fifth of taking somebody in. */
static void emit_keep(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	emit_replies(builder);
	egress_code_call(code, BPF_FUNC_map_lookup_elem);
	egress_code_copy(code, BPF_REG_9, BPF_REG_0);
	egress_code_jump_wide(code, BPF_JEQ, BPF_REG_9, 0, EGRESS_LABEL_OVER);
	egress_code_call(code, BPF_FUNC_ktime_get_boot_ns);
	egress_code_store(code, BPF_DW, BPF_REG_9, 0, BPF_REG_0);
	egress_code_jump(code, BPF_JA, 0, 0, EGRESS_LABEL_ALLOW);
	egress_code_label(code, EGRESS_LABEL_OVER);
	egress_code_call(code, BPF_FUNC_ktime_get_boot_ns);
	egress_code_store(code, BPF_DW, BPF_REG_10, EGRESS_STACK_VALUE, BPF_REG_0);
	emit_replies(builder);
	egress_code_stack(code, BPF_REG_3, EGRESS_STACK_VALUE);
	egress_code_set(code, BPF_REG_4, BPF_ANY);
	egress_code_call(code, BPF_FUNC_map_update_elem);
}

/* Keeps in mind who has sent a datagram, or begun a connection. Not who came by loopback, where that passes anyway: a source address
 * there can be anybody's (IPV6_FREEBIND takes no privilege), and would open the way to him. */
static void emit_remember(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_code_jump(code, BPF_JEQ, BPF_REG_7, IPPROTO_UDP, EGRESS_LABEL_PORTS);
	egress_code_jump(code, BPF_JNE, BPF_REG_7, IPPROTO_TCP, EGRESS_LABEL_ALLOW);
	egress_code_load(code, BPF_B, BPF_REG_2, BPF_REG_10, TCP_FLAGS);
	egress_code_emit(code, BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, TCP_SYN | TCP_ACK);
	egress_code_jump(code, BPF_JNE, BPF_REG_2, TCP_SYN, EGRESS_LABEL_ALLOW);
	egress_code_label(code, EGRESS_LABEL_PORTS);
	egress_code_load(code, BPF_H, BPF_REG_2, BPF_REG_10, EGRESS_STACK_PORTS);
	egress_code_store(code, BPF_H, BPF_REG_10, KEY(port), BPF_REG_2);
	egress_match_reply_key(builder);
	egress_code_load(code, BPF_H, BPF_REG_2, BPF_REG_10, EGRESS_STACK_PORTS + 2);
	egress_code_store(code, BPF_H, BPF_REG_10, REPLY(local_port), BPF_REG_2);
	emit_on_loopback(builder);
	emit_keep(builder);
}

static void emit_in(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_match_begin(builder);
	emit_pass_loopback(builder);
	emit_family(builder, EGRESS_LABEL_ALLOW);
	emit_headers(builder, /* ipv6= */ false, EGRESS_LABEL_ALLOW);
	emit_packet_address(builder, /* ipv6= */ false, 12);
	emit_plain(builder, EGRESS_LABEL_ALLOW);
	egress_code_jump(code, BPF_JA, 0, 0, EGRESS_LABEL_TRANSPORT);
	egress_code_label(code, EGRESS_LABEL_V6);
	emit_headers(builder, /* ipv6= */ true, EGRESS_LABEL_ALLOW);
	emit_packet_address(builder, /* ipv6= */ true, 8);
	egress_code_label(code, EGRESS_LABEL_TRANSPORT);
	emit_remember(builder);
	egress_code_label(code, EGRESS_LABEL_ALLOW);
	egress_code_set(code, BPF_REG_0, 1);
	egress_code_emit(code, BPF_JMP | BPF_EXIT, 0, 0, 0);
}

/* ---- all of them ---- */

static void emit(enum egress_program program, struct egress_builder *builder)
{
	switch (program) {
	case EGRESS_PROGRAM_CONNECT4:
	case EGRESS_PROGRAM_CONNECT6:
		builder->hook = EGRESS_HOOK_CONNECT;
		emit_sock_addr(builder, program == EGRESS_PROGRAM_CONNECT6);
		break;
	case EGRESS_PROGRAM_SEND4:
	case EGRESS_PROGRAM_SEND6:
		builder->hook = EGRESS_HOOK_SEND;
		emit_sock_addr(builder, program == EGRESS_PROGRAM_SEND6);
		break;
	case EGRESS_PROGRAM_SOCKET:
		builder->hook = EGRESS_HOOK_SOCKET;
		emit_socket(builder);
		break;
	case EGRESS_PROGRAM_OUT:
		builder->hook = EGRESS_HOOK_PACKET;
		builder->counts = true;
		emit_out(builder);
		break;
	case EGRESS_PROGRAM_IN:
		emit_in(builder);
		break;
	case EGRESS_PROGRAM_OPTION:
		builder->hook = EGRESS_HOOK_PACKET;
		egress_option_emit(builder);
		break;
	case EGRESS_N_PROGRAMS:
		break;
	}
}

int egress_programs_build(enum egress_program program, const struct egress_means *means, struct egress_builder **ret,
			  struct error *err)
{
	struct egress_builder *builder = arena_new_of(means->arena, struct egress_builder);
	size_t n = means->egress->n * ENTRY_INSNS_MAX + FRAME_INSNS;

	if (!builder || egress_code_init(&builder->code, n, means->arena) < 0)
		return error_memory(err);
	builder->egress = means->egress;
	builder->maps = means->maps;
	emit(program, builder);
	if (egress_code_check(&builder->code) < 0)
		return error_set(err, ERROR_INTERNAL, EOVERFLOW, "the program %s is malformed",
				 egress_program_kinds[program].name);
	*ret = builder;
	return 0;
}
