/* The listener of a real filter: what a child is refused is counted and refused, whatever the child does meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <linux/seccomp.h>

#include "audit/denials.h"
#include "base/fd.h"
#include "container/explain/denial_listener.h"
#include "parent/seccomp/seccomp_compile.h"

#define WAIT_MS 20000

static const char *const refused_calls[] = { "mount", "unshare", "getppid" };

struct scene {
	struct denial_listener *listener;
	int listener_fd, channel_fd;
	pid_t pid;
};

static void install_and_run(const struct seccomp_program *program, int channel_fd, int (*body)(int channel_fd))
{
	int listener_fd;

	/* A test that fails leaves nobody behind. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    seccomp_install(program, &listener_fd, NULL) < 0 || fd_send(channel_fd, "x", 1, listener_fd) < 0)
		_exit(99);
	close(listener_fd);
	_exit(body(channel_fd));
}

static void scene_init_with(struct scene *scene, const struct denials_limits *limits,
			    const struct seccomp_program *program, int (*body)(int channel_fd))
{
	int channel[2];
	char byte;

	*scene = (struct scene){ .listener = denial_listener_new(limits), .listener_fd = -EBADF };
	cr_assert_not_null(scene->listener);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), 0);
	scene->pid = fork();
	if (scene->pid == 0) {
		close(channel[0]);
		install_and_run(program, channel[1], body);
	}
	close(channel[1]);
	scene->channel_fd = channel[0];
	cr_assert_eq(fd_receive(channel[0], &byte, 1, &scene->listener_fd), 1);
	cr_assert_geq(scene->listener_fd, 0);
}

static void scene_init(struct scene *scene, const struct denials_limits *limits, int (*body)(int channel_fd))
{
	struct plan_seccomp_rule rule = { refused_calls, ARRAY_SIZE(refused_calls), SECCOMP_RET_USER_NOTIF, NULL, 0 };
	struct plan_seccomp plan = { .enabled = true, .default_action = SECCOMP_RET_ALLOW, .rules = &rule, .n_rules = 1 };
	struct seccomp_program program = { 0 };

	cr_assert_eq(seccomp_compile(&plan, &program, NULL), 0);
	scene_init_with(scene, limits, &program, body);
	seccomp_program_done(&program);
}

static bool wait_for(int fd)
{
	struct pollfd waiting = { .fd = fd, .events = POLLIN };

	return poll(&waiting, 1, WAIT_MS) == 1;
}

/* As the owner's loop does; the last result. */
static int serve_until_end(struct scene *scene)
{
	int r = 1;

	while (r > 0 && wait_for(scene->listener_fd))
		r = denial_listener_serve(scene->listener, scene->listener_fd);
	close_and_reset(&scene->listener_fd);
	return r;
}

static int end_of(struct scene *scene)
{
	int status = 0;

	cr_assert_eq(waitpid(scene->pid, &status, 0), scene->pid);
	return status;
}

static void scene_done(struct scene *scene)
{
	denial_listener_free(scene->listener);
	close_and_reset(&scene->listener_fd);
	close(scene->channel_fd);
}

static char *document(const struct scene *scene)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct json_writer writer = json_writer_on(&text, 0);

	denial_listener_write_json(scene->listener, &writer);
	return strndup((const char *)text.data, text.length);
}

static bool is_refused(long r)
{
	return r == -1 && errno == EPERM;
}

/* ---- what is counted ---- */

static int make_calls(int channel_fd)
{
	(void)channel_fd;
	prctl(PR_SET_NAME, "evil\x1b[2Jname");
	for (int i = 0; i < 3; i++)
		if (!is_refused(syscall(SYS_mount, "a", "b", "c", 5, NULL)))
			return 1;
	/* Allowed, were it not for the filter. */
	if (!is_refused(syscall(SYS_getppid)))
		return 2;
	return is_refused(syscall(SYS_unshare, 0x10000000)) && is_refused(syscall(SYS_unshare, 0x20000)) ? 0 : 3;
}

static void expect_text(const char *document, const char *text)
{
	cr_expect_not_null(strstr(document, text), "%s is missing in %s", text, document);
}

Test(denial_listener, calls_are_refused_and_counted)
{
	AUTO_FREE char *text = NULL;
	struct scene scene;
	char expected[64];

	scene_init(&scene, NULL, make_calls);
	cr_expect_eq(serve_until_end(&scene), 0);
	cr_expect_eq(end_of(&scene), 0);
	cr_expect_eq(denial_listener_total(scene.listener), 6);
	denial_listener_end(scene.listener);
	text = document(&scene);
	expect_text(text, "{\"state\":\"ended\",\"total\":6,\"others\":0,");
	snprintf(expected, sizeof(expected), "\"number\":%d,", SYS_mount);
	expect_text(text, expected);
	expect_text(text, "\"0x5\",\"0x0\"");
	expect_text(text, "\"count\":3");
	expect_text(text, "\"programs\":[\"evil?[2Jname\"]");
	expect_text(text, "\"arguments\":[\"0x10000000\",");
	expect_text(text, "\"arguments\":[\"0x20000\",");
	scene_done(&scene);
}

Test(denial_listener, nothing_waits_where_nothing_is)
{
	struct scene scene;

	scene_init(&scene, NULL, make_calls);
	cr_assert(wait_for(scene.listener_fd));
	kill(scene.pid, SIGKILL);
	end_of(&scene);
	/* One call may have been waiting; nobody is left to make another. */
	while (denial_listener_serve(scene.listener, scene.listener_fd) > 0) {}
	cr_expect_eq(denial_listener_serve(scene.listener, scene.listener_fd), 0, "it does not block");
	scene_done(&scene);
}

/* ---- the one who asks is gone ---- */

static int call_in_children(int channel_fd)
{
	char byte;

	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			syscall(SYS_getppid);
			_exit(0);
		}
		/* The other side sees the call wait and says when; it has a look at nothing before the next one. */
		if (read(channel_fd, &byte, 1) != 1)
			return 1;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (write(channel_fd, "x", 1) != 1 || read(channel_fd, &byte, 1) != 1)
			return 2;
	}
	return 0;
}

Test(denial_listener, a_caller_that_is_killed_while_it_waits)
{
	struct scene scene;
	char byte;

	scene_init(&scene, NULL, call_in_children);
	for (int i = 0; i < 20; i++) {
		cr_assert(wait_for(scene.listener_fd));
		cr_assert_eq(write(scene.channel_fd, "x", 1), 1);
		cr_assert_eq(read(scene.channel_fd, &byte, 1), 1);
		cr_expect_eq(denial_listener_serve(scene.listener, scene.listener_fd), 1);
		cr_assert_eq(write(scene.channel_fd, "x", 1), 1);
	}
	cr_expect_eq(serve_until_end(&scene), 0);
	cr_expect_eq(end_of(&scene), 0);
	cr_expect_eq(denial_listener_total(scene.listener), 0, "who was killed was not refused");
	scene_done(&scene);
}

/* ---- the real floor's denials ---- */

/* The floor refuses keyctl; config.json's filter logs it, refuses mount by itself, and is long with n_padding. */
static void make_program(size_t n_padding, struct seccomp_program *ret)
{
	static const char *const logged[] = { "keyctl" }, *const refused[] = { "mount" }, *const other[] = { "sysinfo" };
	struct plan_seccomp_rule rules[900] = { { logged, 1, SECCOMP_RET_LOG, NULL, 0 },
						{ refused, 1, SECCOMP_RET_ERRNO | EXDEV, NULL, 0 } };
	struct plan_seccomp_arg args[900];
	struct plan_seccomp plan = { .floor = PLAN_FLOOR_STRICT,
				     .floor_notifies = true,
				     .enabled = true,
				     .default_action = SECCOMP_RET_ALLOW,
				     .rules = rules,
				     .n_rules = 2 + n_padding };
	struct error err = { 0 };

	for (size_t i = 2; i < plan.n_rules; i++) {
		args[i] = (struct plan_seccomp_arg){ 1, 0x100000000 + i, 0, "SCMP_CMP_EQ" };
		rules[i] = (struct plan_seccomp_rule){ other, 1, SECCOMP_RET_ERRNO | (uint32_t)i, &args[i], 1 };
	}
	cr_assert_eq(seccomp_program_get(&plan, -EBADF, ret, &err), 0, "%s", err.message);
	cr_assert_eq(ret->n_floor > 0, n_padding > 0, "%zu instructions", ret->n);
}

static int call_what_the_floor_refuses(int channel_fd)
{
	(void)channel_fd;
	if (!is_refused(syscall(SYS_keyctl, 0, 0, 0, 0, 0)))
		return 1;
	if (syscall(SYS_mount, NULL, NULL, NULL, 0, NULL) != -1 || errno != EXDEV)
		return 2;
	return getppid() > 0 && is_refused(syscall(SYS_keyctl, 0, 0, 0, 0, 0)) ? 0 : 3;
}

Test(denial_listener, what_the_floor_refuses_comes_here)
{
	for (size_t n_padding = 0; n_padding <= 800; n_padding += 800) {
		struct seccomp_program program = { 0 };
		AUTO_FREE char *text = NULL;
		struct scene scene;

		make_program(n_padding, &program);
		scene_init_with(&scene, NULL, &program, call_what_the_floor_refuses);
		cr_expect_eq(serve_until_end(&scene), 0);
		cr_expect_eq(end_of(&scene), 0);
		text = document(&scene);
		expect_text(text, "\"total\":2,");
		expect_text(text, "\"count\":2,");
		scene_done(&scene);
		seccomp_program_done(&program);
	}
}

/* ---- a flood ---- */

/* Another one than mount's own when the listener is gone. */
static int flood(int channel_fd)
{
	int n_refused = 0;

	(void)channel_fd;
	while (n_refused < 1000000 && is_refused(syscall(SYS_unshare, n_refused)))
		n_refused++;
	if (errno != ENOSYS)
		return 1;
	/* From now on without anybody's help. */
	for (int i = 0; i < 1000; i++)
		if (syscall(SYS_mount, NULL, NULL, NULL, 0, NULL) != -1 || errno != ENOSYS)
			return 2;
	return 0;
}

Test(denial_listener, a_flood_closes_the_listener)
{
	static const struct denials_limits limits = { .n_entries = 16, .rate = 1, .burst = 5000 };
	AUTO_FREE char *text = NULL;
	struct scene scene;

	scene_init(&scene, &limits, flood);
	cr_expect_eq(serve_until_end(&scene), 0);
	cr_expect_eq(end_of(&scene), 0);
	cr_expect_geq(denial_listener_total(scene.listener), 5001);
	cr_expect_leq(denial_listener_total(scene.listener), 5001 + 120, "one a second more");
	text = document(&scene);
	expect_text(text, "{\"state\":\"flood\",");
	cr_expect_lt(strlen(text), 8192);
	cr_expect_eq(denial_listener_serve(scene.listener, -1), 0, "so are the container's other listeners");
	scene_done(&scene);
}

/* ---- what is no listener ---- */

Test(denial_listener, something_else_is_an_error)
{
	AUTO(denial_listener_free) struct denial_listener *listener = denial_listener_new(NULL);
	int pipe_fds[2];

	cr_assert_eq(pipe(pipe_fds), 0);
	cr_assert_eq(write(pipe_fds[1], "x", 1), 1);
	cr_expect_eq(denial_listener_serve(listener, pipe_fds[0]), -ENOTTY);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	cr_expect_eq(denial_listener_serve(listener, pipe_fds[0]), -EBADF);
}
