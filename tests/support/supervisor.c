/* supervisor ROOT [POLICY [systemd]]: what the shim does with the library, one line of stdin after the other. A subreaper, whose requests run in a
 * forked worker each, so that the containers become its children:
 *
 *   create ID BUNDLE [TYPE SOURCE OPTION,...]   and opens its group; prints "pid N"
 *   start ID | update ID JSON | thaw ID | delete ID
 *   exec ID EXEC-ID PROCESS-FILE                prints "exec N"
 *   processes|kill|signal|release|stuck [EXEC-ID|-] [SIGNAL]
 *   metrics | oom                               prints a line of JSON | "oom N"
 *   wait-oom                                    until the count rises
 *   watch-oom                                   nothing: as a supervisor that has not come to look yet
 *   wait                                        for the container's first process, as its parent: prints "status N"
 *   wait-exec                                   the same for the last exec's
 *   sh COMMAND                                  a shell command that has to succeed
 *
 * An error ends it with status 1, but where the line begins with "!": then it has to fail, and the message is printed. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "container/brig.h"
#include "container/brig_group.h"
#include "container/starter.h"

#define WORDS_MAX 8

struct supervisor {
	struct brig brig;
	struct brig_process container, exec;
	struct brig_group *group;
};

struct request {
	struct supervisor *supervisor;
	const char *words[WORDS_MAX];
};

struct answer {
	int rc;
	struct error err;
	struct brig_process process;
};

static char *read_file(const char *path, size_t *ret_length, struct error *err)
{
	struct buffer text = { 0 };
	FILE *file = fopen(path, "re");
	int rc = file ? fd_read_all(fileno(file), 1 << 20, &text, path, err) : error_system(err, errno, "%s", path);

	if (file)
		fclose(file);
	*ret_length = text.length;
	return rc < 0 ? NULL : buffer_steal(&text);
}

static int work_create(const struct request *request, struct brig_process *ret, struct error *err)
{
	const char *const *words = request->words;
	char *rest = words[5] ? strdup(words[5]) : NULL;
	const char *options[64] = { 0 };
	struct brig_mount mount = { .type = words[3], .source = words[4], .options = options };
	struct brig_supervisor supervisor = { .console_fd = -EBADF, .mounts = &mount, .n_mounts = words[3] ? 1 : 0 };
	struct brig_create create = { .id = words[1], .bundle = words[2], .supervisor = &supervisor };

	for (size_t i = 0; rest && i < 63; i++)
		options[i] = strsep(&rest, ",");
	return brig_create(&request->supervisor->brig, &create, ret, err);
}

/* What becomes of an exec's process after brig_exec_supervised: that its program runs, or why not. */
static int follow(const struct supervisor *supervisor, const char *id, const struct brig_process *exec, struct error *err)
{
	AUTO(starter_free) struct starter *starter = NULL;
	enum starter_answer answer = STARTER_WAITS;
	int denials_fd = -EBADF, rc;

	if (exec->newborn_fd < 0)
		return 0;
	rc = starter_new_exec(id, supervisor->container.pid, exec, &starter);
	if (rc < 0)
		return error_system(err, -rc, "listen to process %d", (int)exec->pid);
	while (answer == STARTER_WAITS) {
		struct pollfd polled = { .fd = starter_fd(starter), .events = POLLIN };

		if (poll(&polled, 1, 10000) <= 0)
			return error_set(err, ERROR_TIMEOUT, ETIME, "process %d has said nothing in ten seconds",
					 (int)exec->pid);
		answer = starter_answer(starter, &denials_fd, err);
		close_and_reset(&denials_fd);
	}
	return answer == STARTER_RUNS ? 0 : -err->code;
}

static int work_exec(const struct request *request, struct brig_process *ret, struct error *err)
{
	struct brig_supervisor supervisor = { .console_fd = -EBADF, .exec_id = request->words[2] };
	struct brig_exec exec = { .id = request->words[1], .detach = true, .supervisor = &supervisor };
	int rc;

	exec.process_json = read_file(request->words[3], &exec.process_length, err);
	if (!exec.process_json)
		return -err->code;
	rc = brig_exec_supervised(&request->supervisor->brig, &exec, ret, err);
	return rc < 0 ? rc : follow(request->supervisor, exec.id, ret, err);
}

static int work(const struct request *request, struct brig_process *ret, struct error *err)
{
	const struct brig *brig = &request->supervisor->brig;
	const char *const *words = request->words;

	if (strcmp(words[0], "create") == 0)
		return work_create(request, ret, err);
	if (strcmp(words[0], "exec") == 0)
		return work_exec(request, ret, err);
	if (strcmp(words[0], "start") == 0)
		return brig_start(brig, words[1], err);
	if (strcmp(words[0], "update") == 0)
		return brig_update(brig, words[1], words[2], strlen(words[2]), err);
	if (strcmp(words[0], "thaw") == 0)
		return brig_thaw(brig, words[1], err);
	return brig_delete(brig, words[1], /* force= */ false, err);
}

/* In a worker that ends with the request: nobody but the subreaper is left to wait for what it made. */
static int in_worker(const struct request *request, struct brig_process *ret, struct error *err)
{
	struct answer answer = { .process = { .pidfd = -EBADF, .newborn_fd = -EBADF } };
	int fds[2], status, pidfd = -EBADF;
	pid_t worker;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0 || fflush(NULL) < 0)
		return error_system(err, errno, "socketpair");
	worker = fork();
	if (worker == 0) {
		answer.rc = work(request, &answer.process, &answer.err);
		_exit(fd_send(fds[1], &answer, sizeof(answer), answer.process.pidfd) < 0);
	}
	close(fds[1]);
	if (fd_receive(fds[0], &answer, sizeof(answer), &pidfd) != sizeof(answer))
		return error_set(err, ERROR_INTERNAL, EPROTO, "the worker said nothing");
	close(fds[0]);
	if (waitpid(worker, &status, 0) != worker || status != 0)
		return error_set(err, ERROR_INTERNAL, EPROTO, "the worker ended with status %d", status);
	answer.process.pidfd = pidfd;
	*err = answer.err;
	*ret = answer.process;
	return answer.rc;
}

static int wait_for(const struct brig_process *process, struct error *err)
{
	int status;

	/* ECHILD if the worker had reaped it, or if it were anybody else's child. */
	if (waitpid(process->pid, &status, 0) != process->pid)
		return error_system(err, errno, "wait for %d", process->pid);
	printf("status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}

static int print_processes(struct brig_group *group, const char *exec_id, struct error *err)
{
	struct arena *arena = arena_new(1 << 20);
	struct brig_pids pids;
	int rc = brig_group_processes(group, exec_id, arena, &pids, err);

	if (rc >= 0) {
		printf("processes %zu", pids.n);
		for (size_t i = 0; i < pids.n; i++)
			printf(" %d", pids.list[i]);
		printf("\n");
	}
	arena_free(arena);
	return rc;
}

static int print_metrics(struct brig_group *group, struct error *err)
{
	struct arena *arena = arena_new(1 << 20);
	struct brig_metrics m;
	int rc = brig_group_metrics(group, arena, &m, err);

	if (rc >= 0)
		printf("{\"pids\":%" PRIu64 ",\"pids_limit\":%" PRIu64 ",\"cpu_usec\":%" PRIu64 ",\"memory\":%" PRIu64
		       ",\"memory_limit\":%" PRIu64 ",\"anon\":%" PRIu64 ",\"oom_kill\":%" PRIu64
		       ",\"io\":%zu,\"psi\":%d}\n",
		       m.pids.current, m.pids.limit, m.cpu.usage_usec, m.memory.usage, m.memory.usage_limit,
		       m.memory.anon, m.memory_events.oom_kill, m.n_io, m.cpu.psi.is_known);
	arena_free(arena);
	return rc;
}

static int wait_oom(struct brig_group *group, struct error *err)
{
	uint32_t events = 0;
	int fd = brig_group_oom_fd(group, &events, err), n = 1;
	struct pollfd polled = { .fd = fd, .events = (short)events };

	if (fd < 0)
		return fd;
	while (n > 0 && brig_group_oom_count(group) == 0) {
		n = poll(&polled, 1, 10000);
		brig_group_oom_acknowledge(fd);
		/* v1 tells of it before it is counted. */
		usleep(100000);
	}
	if (poll(&polled, 1, 0) > 0 && brig_group_oom_count(group) == 0)
		n = 0;
	close(fd);
	return n > 0 ? 0 : error_set(err, ERROR_TIMEOUT, ETIME, "no out-of-memory kill in ten seconds");
}

static int watch_oom(struct brig_group *group, struct error *err)
{
	uint32_t events = 0;
	int fd = brig_group_oom_fd(group, &events, err);

	return fd < 0 ? fd : close(fd);
}

static int print_stuck(struct brig_group *group, struct error *err)
{
	struct buffer text = { 0 };
	int rc = brig_group_stuck(group, &text, err);

	printf("stuck \"%s\"\n", text.data);
	buffer_done(&text);
	return rc;
}

static int ask_group(struct brig_group *group, const char *const *words, struct error *err)
{
	const char *exec_id = words[1] && strcmp(words[1], "-") != 0 ? words[1] : NULL;

	if (strcmp(words[0], "processes") == 0)
		return print_processes(group, exec_id, err);
	if (strcmp(words[0], "kill") == 0)
		return brig_group_kill(group, exec_id, err);
	if (strcmp(words[0], "signal") == 0)
		return brig_group_signal(group, exec_id, atoi(words[2]), err);
	if (strcmp(words[0], "release") == 0)
		return brig_group_release(group, exec_id, err);
	if (strcmp(words[0], "metrics") == 0)
		return print_metrics(group, err);
	if (strcmp(words[0], "wait-oom") == 0)
		return wait_oom(group, err);
	if (strcmp(words[0], "watch-oom") == 0)
		return watch_oom(group, err);
	if (strcmp(words[0], "stuck") == 0)
		return print_stuck(group, err);
	if (strcmp(words[0], "oom") == 0)
		return printf("oom %" PRIu64 "\n", brig_group_oom_count(group)), 0;
	return error_set(err, ERROR_USAGE, EINVAL, "unknown word %s", words[0]);
}

/* One that was made and whose program does not run is the supervisor's to clear away. */
static void clear_exec(const struct supervisor *supervisor, const char *exec_id, const struct brig_process *exec)
{
	struct error ignored = { 0 };

	if (exec->pid > 0 && waitpid(exec->pid, NULL, 0) == exec->pid && supervisor->group)
		brig_group_release(supervisor->group, exec_id, &ignored);
}

static int run_worker_word(struct supervisor *supervisor, const struct request *request, struct error *err)
{
	const char *word = request->words[0];
	struct brig_process process;
	int rc = in_worker(request, &process, err);

	if (rc >= 0 && strcmp(word, "create") == 0) {
		supervisor->container = process;
		printf("pid %d\n", process.pid);
		rc = brig_group_open(&process, &supervisor->group, err);
	}
	if (strcmp(word, "exec") != 0)
		return rc;
	if (rc < 0) {
		clear_exec(supervisor, request->words[2], &process);
	} else {
		supervisor->exec = process;
		printf("exec %d\n", process.pid);
	}
	return rc;
}

static int run_line(struct supervisor *supervisor, char *line, struct error *err)
{
	struct request request = { .supervisor = supervisor };
	char *rest = line;

	fflush(NULL);
	if (strncmp(line, "sh ", 3) == 0)
		return system(line + 3) == 0 ? 0 : error_set(err, ERROR_INTERNAL, EIO, "failed: %s", line);
	for (size_t i = 0; i < WORDS_MAX && rest; i++)
		request.words[i] = strsep(&rest, " ");
	if (strcmp(request.words[0], "wait") == 0)
		return wait_for(&supervisor->container, err);
	if (strcmp(request.words[0], "wait-exec") == 0)
		return wait_for(&supervisor->exec, err);
	for (const char *const *word =
		     (const char *const[]){ "create", "exec", "start", "update", "thaw", "delete", NULL };
	     *word; word++) {
		if (strcmp(request.words[0], *word) == 0)
			return run_worker_word(supervisor, &request, err);
	}
	if (!supervisor->group)
		return error_set(err, ERROR_USAGE, EINVAL, "no container was made yet");
	return ask_group(supervisor->group, request.words, err);
}

int main(int argc, char **argv)
{
	struct supervisor supervisor = { .brig = { .root = argc > 1 ? argv[1] : NULL,
						   .policy = argc > 2 ? argv[2] : "conformant",
						   .systemd_cgroup = argc > 3 } };
	char line[4096];

	if (argc < 2 || argc > 4 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return 2;
	while (fgets(line, sizeof(line), stdin)) {
		bool must_fail = line[0] == '!';
		struct error err = { 0 };
		int rc;

		line[strcspn(line, "\n")] = '\0';
		if (!line[0])
			continue;
		rc = run_line(&supervisor, line + must_fail, &err);
		if (rc < 0 && must_fail)
			printf("error %s\n", err.message);
		if ((rc < 0) != must_fail) {
			fprintf(stderr, "supervisor: %s: %s\n", line, rc < 0 ? err.message : "succeeded");
			return 1;
		}
	}
	brig_group_free(supervisor.group);
	return 0;
}
