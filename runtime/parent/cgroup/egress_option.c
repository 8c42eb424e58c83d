/* What a container asks of the network by setsockopt(2): to be in a group (multicast). The kernel itself then tells the neighbourhood so, in a
 * packet that belongs to no socket and that no other program sees (IGMP, RFC 3376; MLD, RFC 3810): the group's address, 28 or 112
 * bits of the container's choice at a time, would leave past every list. Where the list has a group it may join any: what it sends to that
 * one reaches the same neighbours. The kernel does not ask about calls of 32-bit programs (__sys_setsockopt()): brig's own filters refuse these
 * (seccomp-profiles/strict.policy). */
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "parent/cgroup/egress_internal.h"

#define KEY(member) (EGRESS_STACK_KEY + (int)offsetof(struct egress_denied_key, member))
#define OPTION(member) ((int)offsetof(struct bpf_sockopt, member))

/* ip(7), ipv6(7); the last two of each are the same for both families. */
static const int joins_ipv4[] = { IP_ADD_MEMBERSHIP, IP_ADD_SOURCE_MEMBERSHIP, MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP };
static const int joins_ipv6[] = { IPV6_ADD_MEMBERSHIP, IPV6_JOIN_ANYCAST, MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP };

/* Are there addresses of groups, which begin with these bits, in the entry? */
static bool has_groups(const struct endpoint *entry, uint8_t group, unsigned group_bits)
{
	unsigned bits = entry->bits < group_bits ? entry->bits : group_bits;
	uint8_t mask = (uint8_t) ~(0xffU >> bits);

	return (entry->address[0] & mask) == (group & mask);
}

static bool may_join(const struct plan_egress *egress, uint8_t family)
{
	for (size_t i = 0; i < egress->n; i++) {
		const struct endpoint *entry = &egress->list[i];

		if (entry->family == family &&
		    (family == AF_INET ? has_groups(entry, 0xe0, 4) : has_groups(entry, 0xff, 8)))
			return true;
	}
	return false;
}

/* To DENY, with the packet that does not leave as what is counted. */
static void emit_joins(struct egress_builder *builder, const int *options, size_t n, int protocol)
{
	struct egress_code *code = &builder->code;

	egress_code_store_number(code, BPF_W, BPF_REG_10, KEY(protocol), protocol);
	for (size_t i = 0; i < n; i++)
		egress_code_jump(code, BPF_JEQ, BPF_REG_8, options[i], EGRESS_LABEL_DENY);
	egress_code_jump(code, BPF_JA, 0, 0, EGRESS_LABEL_ALLOW);
}

static void emit_ipv4(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_code_jump(code, BPF_JNE, BPF_REG_7, IPPROTO_IP, EGRESS_LABEL_V6);
	egress_code_store_number(code, BPF_B, BPF_REG_10, KEY(family), AF_INET);
	egress_code_store_number(code, BPF_W, BPF_REG_10, KEY(address), (int32_t)htonl(0xe0000016)); /* 224.0.0.22 */
	emit_joins(builder, joins_ipv4, ARRAY_SIZE(joins_ipv4), IPPROTO_IGMP);
	egress_code_label(code, EGRESS_LABEL_V6);
}

static void emit_ipv6(struct egress_builder *builder)
{
	struct egress_code *code = &builder->code;

	egress_code_jump(code, BPF_JNE, BPF_REG_7, IPPROTO_IPV6, EGRESS_LABEL_ALLOW);
	egress_code_store_number(code, BPF_B, BPF_REG_10, KEY(family), AF_INET6);
	egress_code_store_number(code, BPF_W, BPF_REG_10, KEY(address), (int32_t)htonl(0xff020000)); /* ff02::16 */
	egress_code_store_number(code, BPF_W, BPF_REG_10, KEY(address) + 12, (int32_t)htonl(0x16));
	emit_joins(builder, joins_ipv6, ARRAY_SIZE(joins_ipv6), IPPROTO_ICMPV6);
}

void egress_option_emit(struct egress_builder *builder)
{
	bool ipv4 = may_join(builder->egress, AF_INET), ipv6 = may_join(builder->egress, AF_INET6);
	struct egress_code *code = &builder->code;

	egress_match_begin(builder);
	egress_code_load(code, BPF_W, BPF_REG_7, BPF_REG_6, OPTION(level));
	egress_code_load(code, BPF_W, BPF_REG_8, BPF_REG_6, OPTION(optname));
	/* The value is taken from where the program has it: what is longer than a page is refused otherwise. */
	egress_code_set(code, BPF_REG_2, 0);
	egress_code_store(code, BPF_W, BPF_REG_6, OPTION(optlen), BPF_REG_2);
	if (ipv4 && ipv6) {
		egress_code_set(code, BPF_REG_0, 1);
		egress_code_emit(code, BPF_JMP | BPF_EXIT, 0, 0, 0);
		return;
	}
	if (!ipv4)
		emit_ipv4(builder);
	if (!ipv6)
		emit_ipv6(builder);
	else
		egress_code_jump(code, BPF_JA, 0, 0, EGRESS_LABEL_ALLOW);
	egress_match_end(builder);
}
