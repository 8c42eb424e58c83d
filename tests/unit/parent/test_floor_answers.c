/* brig's own filters: for every number of every architecture what the text of the policy says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <linux/capability.h>
#include <seccomp.h>

#include "parent/seccomp/seccomp_floor.h"
#include "parent/seccomp/seccomp_floor_compile.h"
#include "tests/support/bpf_simulator.h"
#include "tests/support/policy_reading.h"
#include "tests/support/seccomp_profile.h"

#define X32_BIT 0x40000000u
#define ALLOW SECCOMP_RET_ALLOW
#define REFUSED (SECCOMP_RET_ERRNO | EPERM)
#define ABSENT (SECCOMP_RET_ERRNO | ENOSYS)
#define MACHINES 2

static const struct {
	const struct seccomp_floor_machine *machine;
	uint32_t architectures[2];
} machines[MACHINES] = { { &seccomp_floor_x86_64, { SCMP_ARCH_X86_64, SCMP_ARCH_X86 } },
			 { &seccomp_floor_aarch64, { SCMP_ARCH_AARCH64, SCMP_ARCH_ARM } } };
static const char *const names[PLAN_N_FLOORS] = { NULL, "strict", "baseline" };

struct subject {
	struct arena *arena;
	const struct policy_reading *reading;
	struct seccomp_program program;
	uint64_t capabilities;
	uint64_t seed;
	size_t n_asked;
};

static uint32_t simulate(const struct seccomp_program *program, const struct seccomp_data *data)
{
	uint32_t answer = 0;

	cr_assert_eq(bpf_simulator_run(program->instructions, program->n, data, &answer, NULL), 0);
	return answer;
}

static void check(struct subject *subject, const struct seccomp_data *data)
{
	uint32_t expected = policy_reading_answer(subject->reading, data, subject->capabilities);
	uint32_t answer = simulate(&subject->program, data);

	subject->n_asked++;
	cr_assert_eq(answer, expected, "arch %x nr %d args %llx %llx %llx capabilities %llx: 0x%x instead of 0x%x",
		     data->arch, data->nr, data->args[0], data->args[1], data->args[2],
		     (unsigned long long)subject->capabilities, answer, expected);
}

/* Often what the text is about, or next to it, with and without bits above the 32nd. */
static uint64_t sample(struct subject *subject)
{
	uint64_t random = seccomp_profile_random_number(&subject->seed);
	uint64_t value = policy_reading_value(subject->reading, (random >> 8) % 56);

	switch (random % 8) {
	case 0:
		return value + 1;
	case 1:
		return value ^ (1ull << (random >> 20) % 64);
	case 2:
		return value | 0xdeadbeef00000000;
	case 3:
		return value | (random >> 30 & 0xfff);
	case 4:
		return seccomp_profile_random_number(&subject->seed);
	default:
		return value;
	}
}

static void check_number(struct subject *subject, uint32_t arch, uint32_t number)
{
	const char *name = policy_reading_name(subject->arena, arch, number);
	bool has_conditions = name && policy_reading_has_conditions(subject->reading, name);
	/* Capabilities add rules, of which the texts have few with conditions. */
	size_t rounds = !has_conditions ? 1 : subject->capabilities ? 100 : 1500;

	for (size_t i = 0; i < rounds; i++) {
		struct seccomp_data data = { .nr = (int)number, .arch = arch };

		for (size_t k = 0; k < 6; k++)
			data.args[k] = sample(subject);
		check(subject, &data);
	}
}

static void check_architecture(struct subject *subject, uint32_t arch)
{
	static const uint32_t edges[] = { 601,		 0xeffff,    X32_BIT - 1, X32_BIT,    X32_BIT + 59,
					  X32_BIT + 600, 0x7fffffff, 0x80000000,  0xfffffffe, 0xffffffff };

	for (uint32_t number = 0; number <= 600; number++)
		check_number(subject, arch, number);
	for (uint32_t number = 0xf0000; number < 0xf0020; number++)
		check_number(subject, arch, number);
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
		check_number(subject, arch, edges[i]);
}

static void check_table(enum plan_floor floor, size_t machine, uint64_t capabilities)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 24);
	struct subject subject = { .arena = arena, .capabilities = capabilities, .seed = 0x2545f4914f6cdd1d + machine };
	const struct seccomp_floor_table *table = &machines[machine].machine->profiles[floor];
	struct error err = { 0 };

	subject.reading = policy_reading_new(arena, names[floor]);
	cr_assert_eq(table->gates, policy_reading_gates(subject.reading));
	cr_assert_eq(seccomp_floor_compile(table, capabilities, &subject.program, &err), 0, "%s", err.message);
	if (!(capabilities & table->gates)) {
		cr_assert_eq(subject.program.n, table->n_instructions);
		cr_assert_eq(memcmp(subject.program.instructions, table->instructions,
				    table->n_instructions * sizeof(*table->instructions)),
			     0, "what is built in is not what comes of the table");
	}
	for (size_t i = 0; i < 2; i++)
		check_architecture(&subject, machines[machine].architectures[i]);
	cr_expect_eq(simulate(&subject.program, &(struct seccomp_data){ .arch = SCMP_ARCH_S390X }),
		     SECCOMP_RET_KILL_THREAD);
	cr_expect_gt(subject.n_asked, capabilities ? 1500 : 10000);
	seccomp_program_done(&subject.program);
}

static void check_all(enum plan_floor floor)
{
	for (size_t machine = 0; machine < MACHINES; machine++) {
		uint64_t gates = machines[machine].machine->profiles[floor].gates;

		check_table(floor, machine, 0);
		check_table(floor, machine, ~gates);
		check_table(floor, machine, UINT64_MAX);
		for (uint64_t rest = gates; rest; rest &= rest - 1)
			check_table(floor, machine, rest & -rest);
	}
}

Test(floor_answers, strict)
{
	check_all(PLAN_FLOOR_STRICT);
}

Test(floor_answers, baseline)
{
	check_all(PLAN_FLOOR_BASELINE);
}

/* ---- what has to hold whatever the texts say ---- */

struct sharp {
	uint32_t arch;
	const char *name;
	uint64_t args[3];
	uint32_t strict;
};

static const struct sharp sharp[] = {
	{ SCMP_ARCH_X86_64, "ioctl", { 0, 0x5412 }, REFUSED },
	{ SCMP_ARCH_X86_64, "ioctl", { 0, 0x100005412 }, REFUSED },
	{ SCMP_ARCH_X86_64, "ioctl", { 0, 0xffffffff00005412 }, REFUSED },
	{ SCMP_ARCH_X86_64, "ioctl", { 0, 0x800000000000541c }, REFUSED },
	{ SCMP_ARCH_X86_64, "ioctl", { 0, 0x541c }, REFUSED },
	{ SCMP_ARCH_X86_64, "ioctl", { 0, 0x5423 }, REFUSED },
	{ SCMP_ARCH_X86_64, "ioctl", { 0, 0x5401 }, ALLOW },
	{ SCMP_ARCH_X86_64, "ioctl", { 0, 0x5413 }, ALLOW },
	{ SCMP_ARCH_X86, "ioctl", { 0, 0x5412 }, REFUSED },
	{ SCMP_ARCH_X86, "ioctl", { 0, 0x541c }, REFUSED },
	{ SCMP_ARCH_X86, "ioctl", { 0, 0x5423 }, REFUSED },
	{ SCMP_ARCH_X86, "ioctl", { 0, 0xffffffff0000541c }, REFUSED },
	{ SCMP_ARCH_X86, "ioctl", { 0, 0x5401 }, ALLOW },
	{ SCMP_ARCH_AARCH64, "ioctl", { 0, 0x5412 }, REFUSED },
	{ SCMP_ARCH_AARCH64, "ioctl", { 0, 0x541c }, REFUSED },
	{ SCMP_ARCH_AARCH64, "ioctl", { 0, 0x5423 }, REFUSED },
	{ SCMP_ARCH_AARCH64, "ioctl", { 0, 0x100005412 }, REFUSED },
	{ SCMP_ARCH_AARCH64, "ioctl", { 0, 0x800000000000541c }, REFUSED },
	{ SCMP_ARCH_AARCH64, "ioctl", { 0, 0xffffffff00005423 }, REFUSED },
	{ SCMP_ARCH_AARCH64, "ioctl", { 0, 0x5413 }, ALLOW },
	{ SCMP_ARCH_ARM, "ioctl", { 0, 0x5412 }, REFUSED },
	{ SCMP_ARCH_ARM, "ioctl", { 0, 0x541c }, REFUSED },
	{ SCMP_ARCH_ARM, "ioctl", { 0, 0x5423 }, REFUSED },
	{ SCMP_ARCH_ARM, "ioctl", { 0, 0x100005412 }, REFUSED },
	{ SCMP_ARCH_ARM, "ioctl", { 0, 0x5401 }, ALLOW },
	{ SCMP_ARCH_X86_64, "clone", { 0x3d0f00 }, ALLOW },  /* a thread */
	{ SCMP_ARCH_X86_64, "clone", { 0x1200011 }, ALLOW }, /* fork(3) */
	{ SCMP_ARCH_X86_64, "clone", { 0x10000000 | 17 }, REFUSED },
	{ SCMP_ARCH_X86_64, "clone", { 0x40000000 }, REFUSED },
	{ SCMP_ARCH_X86_64, "clone", { 0x20000 }, REFUSED },
	{ SCMP_ARCH_AARCH64, "clone", { 0xffff000010000011 }, REFUSED },
	{ SCMP_ARCH_X86, "clone", { 0x02000000 }, REFUSED },
	{ SCMP_ARCH_X86_64, "clone3", { 0 }, ABSENT },
	{ SCMP_ARCH_X86, "clone3", { 0 }, ABSENT },
	{ SCMP_ARCH_X86_64, "unshare", { 0 }, REFUSED },
	{ SCMP_ARCH_X86_64, "unshare", { 0x80 /* CLONE_NEWTIME */ }, REFUSED },
	{ SCMP_ARCH_X86_64, "personality", { 0 }, ALLOW },
	{ SCMP_ARCH_X86_64, "personality", { 8 }, ALLOW },
	{ SCMP_ARCH_X86_64, "personality", { 0xffffffff }, ALLOW },
	{ SCMP_ARCH_X86_64, "personality", { 0x0400000 /* READ_IMPLIES_EXEC */ }, REFUSED },
	{ SCMP_ARCH_X86_64, "personality", { 0xffffffff00400000 }, REFUSED },
	{ SCMP_ARCH_AARCH64, "personality", { 0xffffffff00400000 }, REFUSED },
	{ SCMP_ARCH_X86_64, "socket", { 1, 1, 0 }, ALLOW },
	{ SCMP_ARCH_X86_64, "socket", { 2, 0x80801, 6 }, ALLOW },
	{ SCMP_ARCH_X86_64, "socket", { 10, 2, 58 }, ALLOW },
	{ SCMP_ARCH_X86_64, "socket", { 16, 0x80003, 0 }, ALLOW },
	{ SCMP_ARCH_X86_64, "socket", { 16, 3, 12 /* nftables */ }, REFUSED },
	{ SCMP_ARCH_X86_64, "socket", { 16, 3, 9 }, SECCOMP_RET_ERRNO | EPROTONOSUPPORT },
	{ SCMP_ARCH_X86_64, "socket", { 10, 1, 262 }, SECCOMP_RET_ERRNO | EPROTONOSUPPORT },
	{ SCMP_ARCH_X86_64, "socket", { 2, 10 /* SOCK_PACKET: the kernel makes AF_PACKET of it */, 0x300 }, REFUSED },
	{ SCMP_ARCH_X86_64, "socket", { 2, 6 /* SOCK_DCCP */, 33 }, REFUSED },
	{ SCMP_ARCH_X86_64, "socket", { 2, 5, 132 /* SCTP */ }, REFUSED },
	{ SCMP_ARCH_X86_64, "socket", { 38 /* AF_ALG */, 5, 0 }, REFUSED },
	{ SCMP_ARCH_X86_64, "socket", { 40 /* AF_VSOCK */, 1, 0 }, REFUSED },
	{ SCMP_ARCH_X86_64, "socket", { 0x100000026, 5, 0 }, REFUSED },
	{ SCMP_ARCH_AARCH64, "socket", { 0x100000026, 5, 0 }, REFUSED },
	{ SCMP_ARCH_X86_64, "socketpair", { 1, 1, 0 }, ALLOW },
	{ SCMP_ARCH_X86_64, "socketpair", { 30 /* AF_TIPC */, 1, 0 }, REFUSED },
	{ SCMP_ARCH_X86, "socketcall", { 1 }, REFUSED },
	{ SCMP_ARCH_X86, "socketcall", { 8 }, REFUSED },
	{ SCMP_ARCH_X86, "socketcall", { 14 }, REFUSED },
	{ SCMP_ARCH_X86, "socketcall", { 3 }, ALLOW },
	{ SCMP_ARCH_X86_64, "setsockopt", { 3, 6, 31 /* TCP_ULP */ }, REFUSED },
	{ SCMP_ARCH_X86_64, "setsockopt", { 3, 0x700000006, 0xffffffff0000001f }, REFUSED },
	{ SCMP_ARCH_X86_64, "setsockopt", { 3, 6, 1 /* TCP_NODELAY */ }, ALLOW },
	{ SCMP_ARCH_X86_64, "setsockopt", { 3, 1, 31 /* SO_PEERSEC */ }, ALLOW },
	{ SCMP_ARCH_AARCH64, "setsockopt", { 3, 6, 31 }, REFUSED },
	{ SCMP_ARCH_AARCH64, "setsockopt", { 3, 0x700000006, 0xffffffff0000001f }, REFUSED },
	{ SCMP_ARCH_ARM, "setsockopt", { 3, 6, 31 }, REFUSED },
	{ SCMP_ARCH_X86, "setsockopt", { 3, 0, 35 /* IP_ADD_MEMBERSHIP */ }, REFUSED },
	{ SCMP_ARCH_X86, "setsockopt", { 3, 0, 36 /* IP_DROP_MEMBERSHIP */ }, ALLOW },
	{ SCMP_ARCH_X86, "setsockopt", { 3, 1, 35 /* SO_TIMESTAMPNS */ }, ALLOW },
	{ SCMP_ARCH_X86, "setsockopt", { 3, 41, 27 /* IPV6_JOIN_ANYCAST */ }, REFUSED },
	{ SCMP_ARCH_X86, "setsockopt", { 3, 41, 26 /* IPV6_V6ONLY */ }, ALLOW },
	{ SCMP_ARCH_ARM, "setsockopt", { 3, 0, 46 /* MCAST_JOIN_SOURCE_GROUP */ }, REFUSED },
	{ SCMP_ARCH_ARM, "setsockopt", { 3, 41, 42 /* MCAST_JOIN_GROUP */ }, REFUSED },
	{ SCMP_ARCH_X86_64, "setsockopt", { 3, 0, 35 }, ALLOW },
	{ SCMP_ARCH_AARCH64, "setsockopt", { 3, 41, 20 }, ALLOW },
	{ SCMP_ARCH_X86_64, "mknodat", { 0, 0, 0x11a4 }, ALLOW },
	{ SCMP_ARCH_X86_64, "mknodat", { 0, 0, 0x21a4 }, REFUSED },
	{ SCMP_ARCH_X86_64, "mknodat", { 0, 0, 0xffff000000006180 }, REFUSED },
	{ SCMP_ARCH_AARCH64, "mknodat", { 0, 0, 0xffff000000006180 }, REFUSED },
};

/* The gates are closed, and the baseline opens none of these but unshare(0). */
Test(floor_answers, sharp_edges)
{
	for (size_t i = 0; i < ARRAY_SIZE(sharp); i++) {
		const struct sharp *edge = &sharp[i];
		bool arm = edge->arch == SCMP_ARCH_AARCH64 || edge->arch == SCMP_ARCH_ARM;
		struct seccomp_data data = { .nr = seccomp_syscall_resolve_name_arch(edge->arch, edge->name),
					     .arch = edge->arch,
					     .args = { edge->args[0], edge->args[1], edge->args[2] } };

		/* libseccomp's numbers for what goes through socketcall too are none. */
		if (edge->arch == SCMP_ARCH_X86 && strcmp(edge->name, "setsockopt") == 0)
			data.nr = 366;
		cr_assert_geq(data.nr, 0, "%s", edge->name);
		for (enum plan_floor floor = PLAN_FLOOR_STRICT; floor < PLAN_N_FLOORS; floor++) {
			const struct seccomp_floor_table *table = &machines[arm].machine->profiles[floor];
			struct seccomp_program program = { (struct sock_filter *)table->instructions,
							   table->n_instructions };
			uint32_t answer = simulate(&program, &data);
			bool harmless = floor == PLAN_FLOOR_BASELINE && strcmp(edge->name, "unshare") == 0 &&
					edge->args[0] == 0;

			cr_expect_eq(answer, harmless ? ALLOW : edge->strict, "%s: %s %llx %llx %llx: 0x%x",
				     names[floor], edge->name, (unsigned long long)edge->args[0],
				     (unsigned long long)edge->args[1], (unsigned long long)edge->args[2], answer);
		}
	}
}

/* Calls that no policy of ours lets through, whatever the capabilities and the arguments. */
Test(floor_answers, never)
{
	static const char *const never[] = { "io_uring_setup",
					     "io_uring_enter",
					     "io_uring_register",
					     "bpf",
					     "userfaultfd",
					     "keyctl",
					     "add_key",
					     "request_key",
					     "kexec_load",
					     "kexec_file_load",
					     "init_module",
					     "finit_module",
					     "delete_module",
					     "open_by_handle_at",
					     "swapon",
					     "settimeofday",
					     "clock_settime",
					     "iopl",
					     "ioperm",
					     "quotactl" };

	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		for (size_t k = 0; k < 2 * MACHINES; k++)
			for (enum plan_floor floor = PLAN_FLOOR_STRICT; floor < PLAN_N_FLOORS; floor++) {
				uint32_t arch = machines[k / 2].architectures[k % 2];
				struct seccomp_data data = { .nr = seccomp_syscall_resolve_name_arch(arch, never[i]),
							     .arch = arch };
				struct seccomp_program program = { 0 };

				if (data.nr < 0)
					continue;
				cr_assert_eq(seccomp_floor_compile(&machines[k / 2].machine->profiles[floor],
								   UINT64_MAX, &program, NULL),
					     0);
				cr_expect_eq(simulate(&program, &data), REFUSED, "%s", never[i]);
				seccomp_program_done(&program);
			}
}

/* What strict.policy leaves out, said once more: a line that is lost there fails here. */
static const char *const left_out[] = { "unshare",
					"setns",
					"mount",
					"umount",
					"umount2",
					"pivot_root",
					"open_tree",
					"open_tree_attr",
					"move_mount",
					"mount_setattr",
					"fsopen",
					"fsconfig",
					"fsmount",
					"fspick",
					"chroot",
					"sethostname",
					"setdomainname",
					"open_by_handle_at",
					"name_to_handle_at",
					"fanotify_init",
					"fanotify_mark",
					"swapon",
					"swapoff",
					"quotactl",
					"quotactl_fd",
					"acct",
					"io_uring_setup",
					"io_uring_enter",
					"io_uring_register",
					"bpf",
					"perf_event_open",
					"userfaultfd",
					"keyctl",
					"add_key",
					"request_key",
					"vmsplice",
					"memfd_secret",
					"modify_ldt",
					"vm86",
					"vm86old",
					"iopl",
					"ioperm",
					"kexec_load",
					"kexec_file_load",
					"init_module",
					"finit_module",
					"delete_module",
					"ptrace",
					"process_vm_readv",
					"process_vm_writev",
					"process_madvise",
					"kcmp",
					"pidfd_getfd",
					"process_mrelease",
					"get_mempolicy",
					"set_mempolicy",
					"set_mempolicy_home_node",
					"mbind",
					"migrate_pages",
					"move_pages",
					"reboot",
					"syslog",
					"vhangup",
					"settimeofday",
					"clock_settime",
					"clock_settime64",
					"stime",
					"adjtimex",
					"clock_adjtime",
					"clock_adjtime64",
					"lookup_dcookie",
					"remap_file_pages" };

/* Without capabilities, on each machine that has it. */
Test(floor_answers, left_out_by_strict)
{
	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++) {
		size_t n_found = 0;

		for (size_t k = 0; k < 2 * MACHINES; k++) {
			const struct seccomp_floor_table *table = &machines[k / 2].machine->profiles[PLAN_FLOOR_STRICT];
			struct seccomp_program program = { (struct sock_filter *)table->instructions,
							   table->n_instructions };
			uint32_t arch = machines[k / 2].architectures[k % 2];
			struct seccomp_data data = { .nr = seccomp_syscall_resolve_name_arch(arch, left_out[i]),
						     .arch = arch };

			if (data.nr < 0)
				continue;
			n_found++;
			cr_expect_eq(simulate(&program, &data), REFUSED, "%s, architecture %zu", left_out[i], k);
		}
		cr_expect(n_found > 0 || strcmp(left_out[i], "open_tree_attr") == 0, "%s has no number", left_out[i]);
	}
}

/* ---- the program of this machine ---- */

Test(floor_answers, notifications_stand_for_eperm_alone)
{
	struct seccomp_program plain = { 0 }, notifying = { 0 };
	struct error err = { 0 };
	size_t n_different = 0;

	cr_assert_eq(seccomp_floor_program(PLAN_FLOOR_STRICT, 0, false, &plain, &err), 0, "%s", err.message);
	cr_assert_eq(seccomp_floor_program(PLAN_FLOOR_STRICT, 0, true, &notifying, &err), 0, "%s", err.message);
	cr_expect_eq(plain.flags, 0);
	cr_expect_eq(notifying.flags, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	cr_assert_eq(plain.n, notifying.n);
	for (int nr = 0; nr < 600; nr++) {
		struct seccomp_data data = { .nr = nr, .arch = seccomp_arch_native(), .args = { 38, 0x5412 } };
		uint32_t answer = simulate(&plain, &data);

		n_different += answer == REFUSED;
		cr_expect_eq(simulate(&notifying, &data), answer == REFUSED ? SECCOMP_RET_USER_NOTIF : answer);
	}
	cr_expect_gt(n_different, 50);
	seccomp_program_done(&plain);
	seccomp_program_done(&notifying);
}

Test(floor_answers, capabilities_open_their_calls)
{
	struct seccomp_data data = { .nr = seccomp_syscall_resolve_name("mount"), .arch = seccomp_arch_native() };
	static const struct {
		uint64_t capabilities;
		uint32_t answer;
	} cases[] = { { 0, REFUSED },
		      { UINT64_C(1) << CAP_CHOWN, REFUSED },
		      { UINT64_C(1) << CAP_SYS_CHROOT, REFUSED },
		      { UINT64_C(1) << CAP_SYS_ADMIN, ALLOW },
		      { UINT64_MAX, ALLOW } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seccomp_program program = { 0 };

		cr_assert_eq(seccomp_floor_program(PLAN_FLOOR_STRICT, cases[i].capabilities, false, &program, NULL), 0);
		cr_expect_eq(simulate(&program, &data), cases[i].answer);
		seccomp_program_done(&program);
	}
}

Test(floor_answers, no_floor_is_an_error)
{
	static const enum plan_floor floors[] = { PLAN_FLOOR_NONE, PLAN_N_FLOORS, (enum plan_floor) - 1 };

	for (size_t i = 0; i < ARRAY_SIZE(floors); i++) {
		struct seccomp_program program = { .n = 42 };
		struct error err = { 0 };

		cr_expect_eq(seccomp_floor_program(floors[i], 0, false, &program, &err), -EINVAL);
		cr_expect_eq(program.n, 42, "a failure must not touch its output");
		cr_expect_not_null(strstr(err.message, "no system call filter"));
	}
}

Test(floor_answers, a_plan_with_a_floor_alone_gets_it)
{
	struct plan_seccomp plan = { .floor = PLAN_FLOOR_BASELINE, .floor_notifies = true };
	struct seccomp_data data = { .nr = seccomp_syscall_resolve_name("bpf"), .arch = seccomp_arch_native() };
	struct seccomp_program program = { 0 };
	struct error err = { 0 };

	cr_assert(plan_has_filter(&plan));
	cr_assert_not(plan_has_filter(&(struct plan_seccomp){ 0 }));
	cr_assert_eq(seccomp_program_get(&plan, -EBADF, &program, &err), 0, "%s", err.message);
	cr_expect_eq(simulate(&program, &data), SECCOMP_RET_USER_NOTIF);
	cr_expect_not(program.cached);
	seccomp_program_done(&program);
}

Test(floor_answers, the_version_is_short_and_has_brigs)
{
	const char *version = seccomp_floor_version();
	const char *digest = strrchr(version, '-');

	cr_assert_not_null(digest, "%s", version);
	cr_expect_eq(strspn(digest + 1, "0123456789abcdef"), 12, "%s", version);
	cr_expect_eq(strlen(digest + 1), 12, "%s", version);
}
