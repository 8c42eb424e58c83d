/* brig's own filters in the kernel: what works under them, what does not, and what they cost. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "base/fd.h"
#include "parent/seccomp/seccomp_floor.h"
#include "tests/support/bpf_simulator.h"
#include "tests/support/seccomp_both.h"
#include "tests/support/seccomp_libseccomp.h"
#include "tests/support/seccomp_profile.h"

#define WAIT_MS 20000

static void get(enum plan_floor floor, bool notifies, struct seccomp_program *ret)
{
	struct error err = { 0 };

	cr_assert_eq(seccomp_floor_program(floor, /* capabilities= */ 0, notifies, ret, &err), 0, "%s", err.message);
}

/* Runs body in a child under the filter: its exit status, or -1 where a signal ended it. */
static int run_under(enum plan_floor floor, int (*body)(void))
{
	struct seccomp_program program = { 0 };
	int status = 0, listener_fd;
	pid_t pid;

	get(floor, /* notifies= */ false, &program);
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_install(&program, &listener_fd, NULL) < 0)
			_exit(255);
		_exit(body());
	}
	seccomp_program_done(&program);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- what works ---- */

static void *add_one(void *number)
{
	__atomic_add_fetch((int *)number, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static bool threads_run(void)
{
	pthread_t threads[4];
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		if (pthread_create(&threads[i], NULL, add_one, &n) != 0)
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	return n == (int)ARRAY_SIZE(threads);
}

static bool programs_run(void)
{
	return system("x=$(echo in a pipe | cat) && test \"$x\" = 'in a pipe'") == 0;
}

static bool files_work(void)
{
	char path[] = "/tmp/brig-floor-XXXXXX", folder[] = "/tmp/brig-floor-XXXXXX";
	AUTO_CLOSE int fd = mkstemp(path);
	struct stat status;
	bool works = fd >= 0 && write(fd, "text", 4) == 4 && fstat(fd, &status) == 0 && status.st_size == 4 &&
		     fchmod(fd, 0600) == 0 && unlink(path) == 0 && mkdtemp(folder) && rmdir(folder) == 0;

	works = works && mkfifo(path, 0600) == 0;
	unlink(path);
	return works;
}

static bool memory_works(void)
{
	AUTO_CLOSE int fd = memfd_create("floor", MFD_CLOEXEC);
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return fd >= 0 && page != MAP_FAILED && mprotect(page, 4096, PROT_READ) == 0 && munmap(page, 4096) == 0;
}

static bool waiting_works(void)
{
	struct timespec moment = { .tv_nsec = 1 };
	AUTO_CLOSE int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	return epoll_fd >= 0 && nanosleep(&moment, NULL) == 0 && poll(NULL, 0, 0) == 0;
}

static bool opens(int family, int type, int protocol)
{
	AUTO_CLOSE int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	return fd >= 0;
}

static bool sockets_work(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	AUTO_CLOSE int server_fd = socket(AF_INET, SOCK_STREAM, 0);
	int pair[2];

	return bind(server_fd, (struct sockaddr *)&here, sizeof(here)) == 0 && listen(server_fd, 1) == 0 &&
	       opens(AF_UNIX, SOCK_SEQPACKET, 0) && opens(AF_INET, SOCK_DGRAM, IPPROTO_UDP) &&
	       opens(AF_NETLINK, SOCK_RAW, 0) && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0;
}

static int try_allowed(void)
{
	static bool (*const tries[])(void) = { threads_run,  programs_run,  files_work,
					       memory_works, waiting_works, sockets_work };

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++)
		if (!tries[i]())
			return (int)i + 1;
	/* The exceptions from what is refused. */
	if (syscall(SYS_personality, 0xffffffff) < 0)
		return 20;
	return 0;
}

/* ---- what does not ---- */

static bool fails_with(long r, int code)
{
	return r < 0 && errno == code;
}

/* The kernel looks at 32 bits of the request: so does the filter. (ENOTTY would be the kernel's word.) */
static bool terminals_are_safe(void)
{
	AUTO_CLOSE int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	static const unsigned long requests[] = { 0x5412, 0x541c, 0x5423 };

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		if (!fails_with(syscall(SYS_ioctl, fd, requests[i], ""), EPERM) ||
		    !fails_with(syscall(SYS_ioctl, fd, requests[i] | 0x7fffffff00000000, ""), EPERM))
			return false;
	return fails_with(syscall(SYS_ioctl, fd, 0x5401, ""), ENOTTY);
}

static bool families_are_few(void)
{
	for (int family = 0; family < 64; family++) {
		bool allowed = family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK;

		if (!allowed && !fails_with(socket(family, SOCK_STREAM, 0), EPERM))
			return false;
	}
	return fails_with(syscall(SYS_socket, 0x100000026, SOCK_SEQPACKET, 0), EPERM) &&
	       fails_with(socket(AF_NETLINK, SOCK_RAW, 12), EPERM) &&
	       fails_with(socket(AF_NETLINK, SOCK_RAW, 9), EPROTONOSUPPORT) &&
	       fails_with(socket(AF_INET, SOCK_PACKET, 0x300), EPERM) && fails_with(socket(AF_INET, SOCK_RAW, 1), EPERM);
}

static bool tcp_stays_tcp(void)
{
	const int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fails_with(setsockopt(fd, IPPROTO_TCP, 31 /* TCP_ULP */, "tls", 3), EPERM) &&
	       setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof(one)) == 0;
}

static bool calls_are_refused(void)
{
	static const char *const refused[] = { "mount",
					       "umount2",
					       "fsopen",
					       "open_tree",
					       "move_mount",
					       "unshare",
					       "setns",
					       "bpf",
					       "keyctl",
					       "perf_event_open",
					       "ptrace",
					       "chroot",
					       "pivot_root",
					       "kexec_load",
					       "io_uring_setup",
					       "userfaultfd",
					       "open_by_handle_at",
					       "reboot",
					       "syslog",
					       "swapon",
					       "quotactl",
					       "process_vm_readv",
					       "finit_module",
					       "name_to_handle_at",
					       "acct",
					       "sethostname" };

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		/* All bits set is nothing that the kernel would do. */
		if (!fails_with(syscall(seccomp_syscall_resolve_name(refused[i]), -1, -1, -1, -1, -1, -1), EPERM))
			return false;
	return fails_with(syscall(SYS_clone, 0x10000000 | SIGCHLD, NULL, NULL, NULL, NULL), EPERM) &&
	       fails_with(syscall(SYS_personality, 0x0400000), EPERM);
}

static bool the_unknown_is_absent(void)
{
	return fails_with(syscall(SYS_clone3, NULL, 0), ENOSYS) && fails_with(syscall(600), ENOSYS) &&
	       fails_with(syscall(-1), ENOSYS) && fails_with(syscall(0x40000000 | 39), ENOSYS) &&
	       fails_with(syscall(457), ENOSYS);
}

#if defined(__x86_64__)
static long call_32(long number, long first, long second)
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "0"(number), "b"(first), "c"(second)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)r;
}

/* CVE-2026-31431's way round filters of socket(2). */
static bool socketcall_is_no_way_round(void)
{
	uint32_t *arguments = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long r;

	if (arguments == MAP_FAILED)
		return false;
	arguments[0] = 38;
	arguments[1] = SOCK_SEQPACKET;
	r = call_32(102, 1, (long)arguments);
	/* A kernel without 32-bit programs has none of it. */
	return r == -EPERM || r == -ENOSYS;
}
#else
static bool socketcall_is_no_way_round(void)
{
	return true;
}
#endif

static int try_refused(void)
{
	static bool (*const tries[])(void) = { terminals_are_safe, families_are_few,	  tcp_stays_tcp,
					       calls_are_refused,  the_unknown_is_absent, socketcall_is_no_way_round };

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++)
		if (!tries[i]())
			return (int)i + 1;
	return 0;
}

Test(floor_inside, programs_work)
{
	cr_expect_eq(run_under(PLAN_FLOOR_STRICT, try_allowed), 0);
	cr_expect_eq(run_under(PLAN_FLOOR_BASELINE, try_allowed), 0);
}

Test(floor_inside, the_rest_does_not)
{
	cr_expect_eq(run_under(PLAN_FLOOR_STRICT, try_refused), 0);
}

static int try_baseline(void)
{
	if (syscall(SYS_unshare, 0x200 /* CLONE_FS */) < 0 || !fails_with(syscall(SYS_unshare, 0x10000200), EPERM))
		return 1;
	if (!fails_with(syscall(SYS_ptrace, -1, 0, 0, 0), ESRCH) && errno != EIO)
		return 2;
	return families_are_few() ? 0 : 3;
}

Test(floor_inside, baseline_has_its_own_exceptions)
{
	cr_expect_eq(run_under(PLAN_FLOOR_BASELINE, try_baseline), 0);
}

/* ---- a listener ---- */

struct watched {
	struct seccomp_program program;
	int listener_fd;
	int refused, allowed; /* errno of what the thread did */
	pthread_barrier_t installed;
};

/* The filter is the thread's alone; the descriptors are the process's. */
static void *call_under_watch(void *context)
{
	struct watched *watched = context;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (seccomp_install(&watched->program, &watched->listener_fd, NULL) < 0)
		watched->listener_fd = -EBADF;
	pthread_barrier_wait(&watched->installed);
	if (watched->listener_fd < 0)
		return NULL;
	watched->allowed = socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 0 : errno;
	watched->refused = socket(38, SOCK_SEQPACKET, 0) >= 0 ? 0 : errno;
	return NULL;
}

Test(floor_inside, a_listener_hears_of_refusals)
{
	struct watched watched = { .listener_fd = -EBADF };
	struct seccomp_notif heard = { 0 };
	struct seccomp_notif_resp answer = { .error = -EPERM };
	struct pollfd ready;
	pthread_t thread;

	get(PLAN_FLOOR_STRICT, /* notifies= */ true, &watched.program);
	pthread_barrier_init(&watched.installed, NULL, 2);
	cr_assert_eq(pthread_create(&thread, NULL, call_under_watch, &watched), 0);
	pthread_barrier_wait(&watched.installed);
	cr_assert_geq(watched.listener_fd, 0);
	ready = (struct pollfd){ .fd = watched.listener_fd, .events = POLLIN };
	cr_assert_eq(poll(&ready, 1, WAIT_MS), 1);
	cr_assert_eq(ioctl(watched.listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &heard), 0);
	cr_expect_eq(heard.data.nr, SYS_socket);
	cr_expect_eq(heard.data.args[0], 38);
	answer.id = heard.id;
	cr_expect_eq(ioctl(watched.listener_fd, SECCOMP_IOCTL_NOTIF_SEND, &answer), 0);
	pthread_join(thread, NULL);
	cr_expect_eq(watched.allowed, 0);
	cr_expect_eq(watched.refused, EPERM);
	close(watched.listener_fd);
	seccomp_program_done(&watched.program);
}

/* ---- what it costs ---- */

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static size_t count_allowed(const struct seccomp_program *program, double *ret_steps)
{
	size_t n = 0, sum = 0, steps = 0;

	for (int nr = 0; nr < 470; nr++) {
		struct seccomp_data data = { .nr = nr, .arch = seccomp_arch_native() };
		uint32_t answer = 0;

		bpf_simulator_run(program->instructions, program->n, &data, &answer, &steps);
		n += answer == SECCOMP_RET_ALLOW;
		sum += steps;
	}
	*ret_steps = (double)sum / 470;
	return n;
}

Test(floor_inside, costs)
{
	static const char *const names[PLAN_N_FLOORS] = { NULL, "strict", "baseline" };

	for (enum plan_floor floor = PLAN_FLOOR_STRICT; floor < PLAN_N_FLOORS; floor++) {
		struct seccomp_program program = { 0 }, gated = { 0 };
		double made = now(), steps;
		size_t allowed;

		get(floor, /* notifies= */ false, &program);
		made = now() - made;
		allowed = count_allowed(&program, &steps);
		printf("%-8s %zu calls allowed with arguments of 0, %zu instructions, %.1f run on average, made in %.1f us\n",
		       names[floor], allowed, program.n, steps, made);
		cr_expect_gt(allowed, 250);
		cr_expect_lt(program.n, 500);
		cr_expect_lt(steps, 20.0);
		cr_assert_eq(seccomp_floor_program(floor, UINT64_MAX, false, &gated, NULL), 0);
		cr_expect_gt(count_allowed(&gated, &steps), allowed);
		seccomp_program_done(&program);
		seccomp_program_done(&gated);
	}
}

/* Of the calls that an engine's profile lets through whatever their arguments, these have arguments that strict looks at. */
static const char *const looked_at[] = { "ioctl", "setsockopt", "mknod", "mknodat" };

static bool is_looked_at(int nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(looked_at); i++) {
		if (seccomp_syscall_resolve_name(looked_at[i]) == nr)
			return true;
	}
	return false;
}

/* What a clock shows depends on the machine; what makes the difference is what the kernel has to run at a call. */
Test(floor_inside, an_allowed_call_costs_no_more_than_under_an_engines_profile)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	size_t n_engine, n_free = 0, steps, engine_steps;
	AUTO_FREE struct sock_filter *engine = seccomp_libseccomp_compile(seccomp_profile_engine(arena), &n_engine);
	struct seccomp_program strict = { 0 };

	get(PLAN_FLOOR_STRICT, /* notifies= */ true, &strict);
	for (int nr = 0; nr < 470; nr++) {
		struct seccomp_data data = { .nr = nr, .arch = seccomp_arch_native() };
		uint32_t answer = 0, engines = 0;

		bpf_simulator_run(strict.instructions, strict.n, &data, &answer, &steps);
		bpf_simulator_run(engine, n_engine, &data, &engines, &engine_steps);
		if (answer != SECCOMP_RET_ALLOW || engines != SECCOMP_RET_ALLOW)
			continue;
		/* The kernel runs no filter at all at a call whose answer it knows beforehand. */
		if (seccomp_both_is_constant(strict.instructions, strict.n, nr, data.arch, &answer)) {
			n_free++;
			continue;
		}
		if (seccomp_both_is_constant(engine, n_engine, nr, data.arch, &engines))
			cr_expect(is_looked_at(nr) && steps < 20, "call %d: %zu instructions, the engine's none", nr,
				  steps);
		else
			cr_expect_leq(steps, engine_steps, "call %d", nr);
	}
	cr_expect_gt(n_free, 250, "%zu", n_free);
	seccomp_program_done(&strict);
}
