/* What the egress programs, who attaches them and who reads their counts share. Not for others. docs/adr/0011-egress.md. */
#pragma once

#include <linux/bpf.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "parent/cgroup/egress.h"
#include "parent/cgroup/egress_code.h"
#include "plan/plan.h"

/* ---- maps ---- */

#define EGRESS_DENIED_MAX 256 /* different destinations; what comes beyond is counted together */
#define EGRESS_REPLIES_MAX 2048
#define EGRESS_COUNTS_NAME "brig_eg_counts"
#define EGRESS_DENIED_NAME "brig_eg_denied"

struct egress_maps {
	int counts_fd;	/* array of one struct egress_counters with a pair for each entry of the list */
	int denied_fd;	/* hash: struct egress_denied_key -> struct egress_denied_value */
	int replies_fd; /* LRU hash: struct egress_reply_key -> when the last packet came, ns of CLOCK_BOOTTIME */
};

struct egress_pair {
	uint64_t connections, datagrams;
};

struct egress_counters {
	uint64_t denied; /* all */
	uint64_t others; /* of them: those without a place in the table */
	struct egress_pair entries[];
};

struct egress_denied_key {
	uint8_t address[16]; /* IPv4: the first four */
	uint16_t port;	     /* network order; of a socket: its type, in that of the host */
	uint8_t hook;	     /* enum egress_hook */
	uint8_t family;
	uint32_t protocol;
};

struct egress_denied_value {
	uint64_t count, first, last; /* ns of CLOCK_BOOTTIME */
};

struct egress_reply_key {
	uint8_t address[16];		  /* of who sent something */
	uint16_t remote_port, local_port; /* network order */
	uint8_t protocol, family;
	uint8_t on_loopback; /* it came that way, and a reply may go no other */
	uint8_t zero;
};

/* ---- programs ---- */

enum egress_program {
	EGRESS_PROGRAM_CONNECT4,
	EGRESS_PROGRAM_CONNECT6,
	EGRESS_PROGRAM_SEND4,
	EGRESS_PROGRAM_SEND6,
	EGRESS_PROGRAM_SOCKET,
	EGRESS_PROGRAM_OUT,
	EGRESS_PROGRAM_IN,
	EGRESS_PROGRAM_OPTION,
	EGRESS_N_PROGRAMS,
};

struct egress_program_kind {
	const char *name;
	enum bpf_prog_type type;
	enum bpf_attach_type attach;
};
extern const struct egress_program_kind egress_program_kinds[EGRESS_N_PROGRAMS];

/* What one program is made with. */
struct egress_builder {
	struct egress_code code;
	const struct plan_egress *egress;
	const struct egress_maps *maps;
	enum egress_hook hook; /* whose denials these are */
	bool counts;	       /* what passes */
};

struct egress_means {
	const struct plan_egress *egress;
	const struct egress_maps *maps;
	struct arena *arena; /* where the program is made */
};

/* Pure. ERROR_INTERNAL. */
int egress_programs_build(enum egress_program program, const struct egress_means *means, struct egress_builder **ret,
			  struct error *err);

/* ---- egress_match.c: parts of them ---- */

/* Registers: 6 is the context; from LISTED on 7 is the protocol and 8 the port in the host's order, 0 where there is none. The stack,
 * from its end: */
enum {
	EGRESS_STACK_KEY = -24,	  /* struct egress_denied_key: the destination */
	EGRESS_STACK_REPLY = -48, /* struct egress_reply_key */
	EGRESS_STACK_PORTS = -64, /* 16 bytes of the transport header */
	EGRESS_STACK_IPV4 = EGRESS_STACK_PORTS - 20,
	EGRESS_STACK_IPV6 = EGRESS_STACK_PORTS - 40,
	EGRESS_STACK_TUPLE = EGRESS_STACK_IPV6, /* struct bpf_sock_tuple, where no packet is */
	EGRESS_STACK_VALUE = EGRESS_STACK_IPV6 - 24,
};

/* Register 6 is the context, the key is zeros. */
void egress_match_begin(struct egress_builder *builder);
/* LISTED: jumps to ALLOW where an entry of the list lets the destination through; else goes on behind it. */
void egress_match_list(struct egress_builder *builder);
/* The reply's key but for what the caller knows: local_port, on_loopback. */
void egress_match_reply_key(struct egress_builder *builder);
/* Jumps to ALLOW where the one whom the key names has sent something lately; else goes on. */
void egress_match_reply(struct egress_builder *builder);
/* DENY and ALLOW, and the program's end. */
void egress_match_end(struct egress_builder *builder);

/* egress_option.c: all of the program at setsockopt(2). */
void egress_option_emit(struct egress_builder *builder);
