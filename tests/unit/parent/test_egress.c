/* The egress programs: made for any list, and run by the kernel on packets of ours. What takes sockets is in tests/floor/egress.bats. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "parent/cgroup/cgroup_bpf.h"
#include "parent/cgroup/egress_internal.h"

#define LIST_MAX 128

struct fixture {
	struct arena *arena;
	struct endpoint list[LIST_MAX];
	struct plan_egress egress;
	struct egress_maps maps;
	int out_fd, in_fd;
};

static int make_map(enum bpf_map_type type, uint32_t key, size_t value, uint32_t n)
{
	union bpf_attr attr = { .map_type = type, .key_size = key, .value_size = (uint32_t)value, .max_entries = n };
	int fd = cgroup_bpf_call(BPF_MAP_CREATE, &attr);

	if (fd == -EPERM)
		cr_skip_test("needs CAP_BPF");
	cr_assert_geq(fd, 0, "%s", strerror(-fd));
	return fd;
}

static int load(struct fixture *f, enum egress_program program)
{
	static char log[64 * 1024];
	const struct egress_means means = { &f->egress, &f->maps, f->arena };
	struct egress_builder *builder = NULL;
	struct error err = { 0 };
	union bpf_attr attr = { .prog_type = egress_program_kinds[program].type,
				.expected_attach_type = egress_program_kinds[program].attach,
				.license = (uintptr_t) "Apache-2.0",
				.log_level = 1,
				.log_buf = (uintptr_t)log,
				.log_size = sizeof(log) };
	int fd;

	cr_assert_eq(egress_programs_build(program, &means, &builder, &err), 0, "%s", err.message);
	attr.insns = (uintptr_t)builder->code.insns;
	attr.insn_cnt = (uint32_t)builder->code.n;
	fd = cgroup_bpf_call(BPF_PROG_LOAD, &attr);
	/* The log is too long for a buffer of ours where all is well with a long list. */
	if (fd == -ENOSPC) {
		attr.log_level = attr.log_size = 0;
		attr.log_buf = 0;
		fd = cgroup_bpf_call(BPF_PROG_LOAD, &attr);
	}
	cr_assert_geq(fd, 0, "%s: %s: %s", egress_program_kinds[program].name, strerror(-fd),
		      log + (strlen(log) > 800 ? strlen(log) - 800 : 0));
	return fd;
}

static void set_up(struct fixture *f, const char *const *entries, size_t n)
{
	memset(f, 0, sizeof(*f));
	f->arena = arena_new((size_t)16 * 1024 * 1024);
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(endpoint_parse(entries[i], &f->list[i], NULL), 0, "%s", entries[i]);
	f->egress = (struct plan_egress){ .enforced = true, .list = f->list, .n = n };
	f->maps.counts_fd =
		make_map(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct egress_counters) + n * sizeof(struct egress_pair), 1);
	f->maps.denied_fd = make_map(BPF_MAP_TYPE_HASH, sizeof(struct egress_denied_key),
				     sizeof(struct egress_denied_value), EGRESS_DENIED_MAX);
	f->maps.replies_fd = make_map(BPF_MAP_TYPE_LRU_HASH, sizeof(struct egress_reply_key), sizeof(uint64_t), 256);
	f->out_fd = load(f, EGRESS_PROGRAM_OUT);
	f->in_fd = load(f, EGRESS_PROGRAM_IN);
}

static void tear_down(struct fixture *f)
{
	close(f->out_fd);
	close(f->in_fd);
	close(f->maps.counts_fd);
	close(f->maps.denied_fd);
	close(f->maps.replies_fd);
	arena_free(f->arena);
}

/* ---- packets ---- */

#define SYN 0x02
#define SYN_ACK 0x12
#define ACK 0x10

struct packet {
	const char *from, *to;
	uint8_t protocol, flags;
	uint16_t from_port, to_port;
	uint8_t first;	   /* IPv4: in place of 0x45 */
	uint16_t fragment; /* IPv4: flags and offset */
	bool is_short;	   /* ends behind the ports */
};

/* Behind an Ethernet header, which the kernel takes off. */
static size_t write_packet(const struct packet *packet, uint8_t bytes[static 128])
{
	bool v6 = strchr(packet->to, ':');
	size_t header = v6 ? 40 : 20, length = header + (packet->is_short ? 8 : 20);
	uint8_t *ip = bytes + 14, *transport = ip + header;
	uint16_t ports[] = { htons(packet->from_port), htons(packet->to_port) };

	memset(bytes, 0, 128);
	bytes[12] = v6 ? 0x86 : 0x08;
	bytes[13] = v6 ? 0xdd : 0;
	ip[0] = v6 ? 0x60 : packet->first ? packet->first : 0x45;
	ip[v6 ? 6 : 9] = packet->protocol;
	if (!v6) {
		ip[3] = (uint8_t)length;
		ip[6] = (uint8_t)(packet->fragment >> 8);
		ip[7] = (uint8_t)packet->fragment;
	}
	inet_pton(v6 ? AF_INET6 : AF_INET, packet->from, ip + (v6 ? 8 : 12));
	inet_pton(v6 ? AF_INET6 : AF_INET, packet->to, ip + (v6 ? 24 : 16));
	memcpy(transport, ports, sizeof(ports));
	if (!packet->is_short)
		transport[13] = packet->flags;
	return 14 + length;
}

/* 1: it passes. */
static uint32_t run(int program_fd, const struct packet *packet)
{
	uint8_t bytes[128], back[256];
	union bpf_attr attr = { .test = { .prog_fd = (uint32_t)program_fd,
					  .data_in = (uintptr_t)bytes,
					  .data_size_in = (uint32_t)write_packet(packet, bytes),
					  .data_out = (uintptr_t)back,
					  .data_size_out = sizeof(back) } };
	int r = cgroup_bpf_call(BPF_PROG_TEST_RUN, &attr);

	cr_assert_eq(r, 0, "BPF_PROG_TEST_RUN: %s", strerror(-r));
	return attr.test.retval;
}

#define V4(to_address, ...)                                         \
	{                                                           \
		.from = "10.0.0.1", .to = (to_address), __VA_ARGS__ \
	}
#define V6(to_address, ...)                                            \
	{                                                              \
		.from = "2001:db8::1", .to = (to_address), __VA_ARGS__ \
	}
#define TCP_SYN(port) .protocol = IPPROTO_TCP, .flags = SYN, .from_port = 40000, .to_port = (port)
#define UDP(port) .protocol = IPPROTO_UDP, .from_port = 40000, .to_port = (port), .is_short = true

Test(egress, packets_against_a_list)
{
	static const char *const list[] = { "192.0.2.0/24:443/tcp",  "198.51.100.7",	      "203.0.113.0/25/udp",
					    "dns=192.0.2.53",	     "[2001:db8:1::]/48:443", "2001:db8:2::7",
					    "2001:db8:8000::/33/tcp" };
	static const struct {
		uint32_t passes;
		struct packet packet;
	} table[] = {
		{ 1, V4("192.0.2.1", TCP_SYN(443)) },
		{ 1, V4("192.0.2.255", TCP_SYN(443)) },
		{ 0, V4("192.0.3.0", TCP_SYN(443)) },
		{ 0, V4("192.0.2.1", TCP_SYN(80)) },
		{ 0, V4("192.0.2.1", UDP(443)) },
		{ 1, V4("198.51.100.7", TCP_SYN(1)) },
		{ 1, V4("198.51.100.7", UDP(65535)) },
		{ 1, V4("198.51.100.7", .protocol = IPPROTO_ICMP, .is_short = true) },
		{ 0, V4("198.51.100.8", .protocol = IPPROTO_ICMP, .is_short = true) },
		{ 0, V4("192.0.2.1", .protocol = IPPROTO_ICMP, .is_short = true) },
		{ 0, V4("198.51.100.7", UDP(53)) },
		{ 0, V4("198.51.100.7", TCP_SYN(53)) },
		{ 1, V4("192.0.2.53", UDP(53)) },
		{ 1, V4("192.0.2.53", TCP_SYN(53)) },
		{ 0, V4("192.0.2.54", UDP(53)) },
		{ 1, V4("203.0.113.127", UDP(9)) },
		{ 0, V4("203.0.113.128", UDP(9)) },
		{ 0, V4("203.0.113.1", TCP_SYN(9)) },
		/* What belongs to a connection passes; what would begin one that nobody asked for does not. */
		{ 1, V4("192.0.3.0", .protocol = IPPROTO_TCP, .flags = ACK, .to_port = 80) },
		{ 0, V4("192.0.3.0", .protocol = IPPROTO_TCP, .flags = SYN_ACK, .to_port = 80) },
		{ 0, V4("192.0.2.1", .protocol = IPPROTO_TCP, .flags = SYN_ACK, .to_port = 443) },
		{ 0, V4("192.0.3.0", .protocol = IPPROTO_TCP, .flags = SYN | 0x01, .to_port = 80) },
		/* Other protocols, options, fragments, cut-off headers. */
		{ 0, V4("198.51.100.7", .protocol = IPPROTO_SCTP) },
		{ 0, V4("198.51.100.7", .protocol = IPPROTO_UDPLITE) },
		{ 0, V4("198.51.100.7", .protocol = IPPROTO_IPIP) },
		{ 0, V4("198.51.100.7", .protocol = IPPROTO_ICMPV6) },
		{ 0, V4("198.51.100.7", TCP_SYN(1), .first = 0x46) },
		{ 0, V4("192.0.3.0", .protocol = IPPROTO_TCP, .flags = ACK, .first = 0x46) },
		{ 0, V4("198.51.100.7", UDP(1), .fragment = 0x2000) },
		{ 0, V4("198.51.100.7", UDP(1), .fragment = 0x0001) },
		{ 1, V4("198.51.100.7", UDP(1), .fragment = 0x4000) },
		{ 0, V4("198.51.100.7", .protocol = IPPROTO_TCP, .is_short = true) },
		{ 1, V6("2001:db8:1::1", TCP_SYN(443)) },
		{ 1, V6("2001:db8:1:ffff::1", UDP(443)) },
		{ 0, V6("2001:db8:3::1", TCP_SYN(443)) },
		{ 0, V6("2001:db8:1::1", TCP_SYN(444)) },
		{ 1, V6("2001:db8:2::7", UDP(1)) },
		{ 0, V6("2001:db8:2::8", UDP(1)) },
		{ 1, V6("2001:db8:2::7", .protocol = IPPROTO_ICMPV6, .is_short = true) },
		{ 0, V6("2001:db8:2::7", .protocol = IPPROTO_ICMP, .is_short = true) },
		{ 1, V6("2001:db8:8000::1", TCP_SYN(1)) },
		{ 0, V6("2001:db8:7fff::1", TCP_SYN(1)) },
		{ 0, V6("2001:db8:2::7", UDP(53)) },
		{ 1, V6("2001:db8:3::1", .protocol = IPPROTO_TCP, .flags = ACK) },
		/* Extension headers: hop by hop, routing, fragment, destination. */
		{ 0, V6("2001:db8:2::7", .protocol = 0) },
		{ 0, V6("2001:db8:2::7", .protocol = IPPROTO_ROUTING) },
		{ 0, V6("2001:db8:2::7", .protocol = IPPROTO_FRAGMENT) },
		{ 0, V6("2001:db8:2::7", .protocol = IPPROTO_DSTOPTS) },
		{ 0, V6("::ffff:198.51.100.7", UDP(1)) },
	};
	struct fixture f;

	set_up(&f, list, ARRAY_SIZE(list));
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		cr_expect_eq(run(f.out_fd, &table[i].packet), table[i].passes, "packet %zu, to %s port %u", i,
			     table[i].packet.to, table[i].packet.to_port);
	tear_down(&f);
}

static struct egress_counters *counters_of(const struct fixture *f)
{
	static union {
		struct egress_counters counters;
		uint64_t room[2 + 2 * LIST_MAX];
	} value;
	const uint32_t key = 0;
	union bpf_attr attr = { .map_fd = (uint32_t)f->maps.counts_fd, .key = (uintptr_t)&key, .value = (uintptr_t)&value };

	cr_assert_eq(cgroup_bpf_call(BPF_MAP_LOOKUP_ELEM, &attr), 0);
	return &value.counters;
}

Test(egress, counts_by_entry_and_what_is_refused)
{
	static const char *const list[] = { "192.0.2.0/24", "198.51.100.7:1" };
	const struct packet syn = V4("192.0.2.1", TCP_SYN(1)), datagram = V4("192.0.2.1", UDP(1));
	const struct packet second = V4("198.51.100.7", UDP(1)), refused = V4("198.51.100.8", UDP(1));
	struct egress_counters *counters;
	struct fixture f;

	set_up(&f, list, ARRAY_SIZE(list));
	run(f.out_fd, &syn);
	run(f.out_fd, &datagram);
	run(f.out_fd, &datagram);
	run(f.out_fd, &second);
	for (int i = 0; i < 3; i++)
		run(f.out_fd, &refused);
	counters = counters_of(&f);
	cr_expect_eq(counters->entries[0].connections, 1);
	cr_expect_eq(counters->entries[0].datagrams, 2);
	cr_expect_eq(counters->entries[1].datagrams, 1);
	cr_expect_eq(counters->denied, 3);
	cr_expect_eq(counters->others, 0);
	tear_down(&f);
}

Test(egress, the_table_of_denials_is_bounded)
{
	struct packet packet = V4("198.51.100.8", UDP(1));
	struct egress_counters *counters;
	struct fixture f;

	set_up(&f, NULL, 0);
	for (uint16_t i = 0; i < EGRESS_DENIED_MAX + 50; i++) {
		packet.to_port = (uint16_t)(1 + i);
		cr_expect_eq(run(f.out_fd, &packet), 0);
	}
	counters = counters_of(&f);
	cr_expect_eq(counters->denied, EGRESS_DENIED_MAX + 50);
	cr_expect_eq(counters->others, 50);
	tear_down(&f);
}

Test(egress, who_has_sent_something_is_answered)
{
	const struct packet question = {
		.from = "198.51.100.8", .to = "10.0.0.1", .protocol = IPPROTO_UDP, .from_port = 7, .to_port = 9
	};
	const struct packet knock = { .from = "2001:db8:9::9",
				      .to = "2001:db8::1",
				      .protocol = IPPROTO_TCP,
				      .flags = SYN,
				      .from_port = 7,
				      .to_port = 9 };
	const struct packet reply = V4("198.51.100.8", .protocol = IPPROTO_UDP, .from_port = 9, .to_port = 7);
	const struct packet other_port = V4("198.51.100.8", .protocol = IPPROTO_UDP, .from_port = 9, .to_port = 8);
	const struct packet from_other = V4("198.51.100.8", .protocol = IPPROTO_UDP, .from_port = 8, .to_port = 7);
	const struct packet by_tcp =
		V4("198.51.100.8", .protocol = IPPROTO_TCP, .flags = SYN, .from_port = 9, .to_port = 7);
	const struct packet accepted =
		V6("2001:db8:9::9", .protocol = IPPROTO_TCP, .flags = SYN_ACK, .from_port = 9, .to_port = 7);
	const struct packet back =
		V6("2001:db8:9::9", .protocol = IPPROTO_TCP, .flags = SYN, .from_port = 9, .to_port = 8);
	struct fixture f;

	set_up(&f, NULL, 0);
	cr_expect_eq(run(f.out_fd, &reply), 0, "nobody has asked yet");
	cr_expect_eq(run(f.in_fd, &question), 1);
	cr_expect_eq(run(f.out_fd, &reply), 1);
	cr_expect_eq(run(f.out_fd, &other_port), 0);
	cr_expect_eq(run(f.out_fd, &from_other), 0);
	cr_expect_eq(run(f.out_fd, &by_tcp), 0);
	cr_expect_eq(run(f.out_fd, &accepted), 0);
	cr_expect_eq(run(f.in_fd, &knock), 1);
	cr_expect_eq(run(f.out_fd, &accepted), 1);
	cr_expect_eq(run(f.out_fd, &back), 0);
	tear_down(&f);
}

/* Each with all of its jumps in reach, and few enough instructions and branches for the kernel to check. */
Test(egress, the_longest_list_is_loaded)
{
	static char texts[LIST_MAX][ENDPOINT_TEXT_MAX];
	const char *list[LIST_MAX];
	struct fixture f;

	for (int i = 0; i < LIST_MAX; i++) {
		snprintf(texts[i], sizeof(texts[i]),
			 i % 2 ? "[2001:db8:%x:%x:8000::]/65:%d/tcp" : "10.%d.%d.0/24:%d/udp", i, i + 1, 1000 + i);
		list[i] = texts[i];
	}
	set_up(&f, list, LIST_MAX);
	f.egress.own_network = true;
	for (unsigned i = 0; i < EGRESS_N_PROGRAMS; i++)
		close(load(&f, i));
	tear_down(&f);
}

static void expect_loaded(const char *const *list, size_t n, bool own_network)
{
	struct fixture f;

	set_up(&f, list, n);
	f.egress.own_network = own_network;
	for (unsigned i = 0; i < EGRESS_N_PROGRAMS; i++)
		close(load(&f, i));
	tear_down(&f);
}

/* The kernel refuses a program with instructions that nothing leads to. */
Test(egress, lists_of_any_shape_are_loaded)
{
	static const char *const lists[][3] = {
		{ "0.0.0.0/0", "192.0.2.1", "::/0" },	      { "::/0", "dns=2001:db8::53", "2001:db8::1" },
		{ "0.0.0.0/0:443", "0.0.0.0/0", "[::]/0:1" }, { "0.0.0.0/0/tcp", "0.0.0.0/0/udp", "::/0/tcp" },
		{ "dns=192.0.2.53", "::1", "127.0.0.1" },     { "128.0.0.0/1", "8000::/1", "[::]/0:443/udp" },
		{ "239.0.0.1", "ff02::fb", "fe80::1" },	      { "ff00::/8", "192.0.2.1", "224.0.0.0/3" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		for (size_t n = 0; n <= 3; n++) {
			expect_loaded(lists[i], n, false);
			expect_loaded(lists[i], n, true);
		}
	}
}

Test(egress, what_stands_behind_an_entry_for_all_changes_nothing)
{
	static const char *const list[] = { "0.0.0.0/0", "192.0.2.1:443", "dns=192.0.2.53", "::/0/tcp" };
	const struct packet any = V4("198.51.100.1", UDP(9)), ping = V4("198.51.100.1", .protocol = IPPROTO_ICMP);
	const struct packet dns = V4("198.51.100.1", UDP(53)), resolver = V4("192.0.2.53", UDP(53));
	const struct packet tcp6 = V6("2001:db8:9::1", TCP_SYN(80)), udp6 = V6("2001:db8:9::1", UDP(80));
	struct fixture f;

	set_up(&f, list, ARRAY_SIZE(list));
	cr_expect_eq(run(f.out_fd, &any), 1);
	cr_expect_eq(run(f.out_fd, &ping), 1);
	cr_expect_eq(run(f.out_fd, &dns), 0);
	cr_expect_eq(run(f.out_fd, &resolver), 1);
	cr_expect_eq(run(f.out_fd, &tcp6), 1);
	cr_expect_eq(run(f.out_fd, &udp6), 0);
	tear_down(&f);
}

Test(egress, denials_are_written_as_people_say_them)
{
	struct egress_denial denial = { .hook = EGRESS_HOOK_CONNECT,
					.family = AF_INET,
					.protocol = IPPROTO_TCP,
					.port = 443,
					.address = { 192, 0, 2, 1 } };
	char text[EGRESS_DENIAL_TEXT_MAX];

	cr_expect_str_eq(egress_denial_format(&denial, text), "connect tcp 192.0.2.1:443");
	denial = (struct egress_denial){ .hook = EGRESS_HOOK_SEND,
					 .family = AF_INET6,
					 .protocol = IPPROTO_UDP,
					 .port = 5353,
					 .address = { 0x20, 1, 0xd, 0xb8, [15] = 7 } };
	cr_expect_str_eq(egress_denial_format(&denial, text), "send udp [2001:db8::7]:5353");
	denial = (struct egress_denial){ .hook = EGRESS_HOOK_PACKET, .family = AF_INET6, .protocol = IPPROTO_ICMPV6 };
	cr_expect_str_eq(egress_denial_format(&denial, text), "packet icmp ::");
	denial = (struct egress_denial){
		.hook = EGRESS_HOOK_PACKET, .family = 77, .protocol = UINT32_MAX, .port = UINT16_MAX
	};
	memset(denial.address, 0xff, sizeof(denial.address));
	cr_expect_str_eq(egress_denial_format(&denial, text),
			 "packet protocol-4294967295 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:65535");
	denial = (struct egress_denial){
		.hook = EGRESS_HOOK_SOCKET, .family = AF_INET, .protocol = IPPROTO_ICMP, .port = 3
	};
	cr_expect_str_eq(egress_denial_format(&denial, text), "socket AF_INET, type 3, icmp");
}
