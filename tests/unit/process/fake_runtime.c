#include "fake_runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/syscalls.h"
#include "container/brig.h"
#include "container/brig_group.h"
#include "shim/process/reaper.h"
#include "tests/unit/process/lifetime.h"

struct fake *fake;

struct brig_group {
	char path[64];
};

void fake_init(void)
{
	fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fake == MAP_FAILED)
		abort();
	fake->test_pid = getpid();
	fake->exit_code = 7;
	fake->oom_fd = -EBADF;
}

void fake_done(void)
{
	for (unsigned i = 0; i < fake->n_processes; i++) {
		if (fake->processes[i].pid > 0)
			kill(fake->processes[i].pid, SIGKILL);
	}
	munmap(fake, sizeof(*fake));
}

pid_t fake_pid(const char *exec_id)
{
	for (unsigned i = fake->n_processes; i > 0; i--) {
		if (strcmp(fake->processes[i - 1].exec_id, exec_id) == 0)
			return fake->processes[i - 1].pid;
	}
	return 0;
}

static void wait_for_release(void)
{
	while (!fake->release && kill(fake->test_pid, 0) == 0)
		usleep(1000);
}

static int behave_before(enum fake_behaviour behaviour, struct error *err)
{
	if (behaviour == FAKE_FAILS)
		return error_set(err, ERROR_REFUSED, EPERM, "the policy says no");
	if (behaviour == FAKE_CRASHES)
		raise(SIGSEGV);
	if (behaviour == FAKE_HANGS)
		wait_for_release();
	return 0;
}

static void behave_after(enum fake_behaviour behaviour)
{
	if (behaviour == FAKE_CRASHES_LATE)
		raise(SIGABRT);
}

__attribute__((noreturn)) static void live(int ready_fd)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (write(ready_fd, "r", 1) != 1)
		_exit(99);
	close(ready_fd);
	while (sigtimedwait(&set, NULL, &LIFETIME_LOOK) < 0) {
		if (kill(fake->test_pid, 0) < 0)
			break;
	}
	_exit(fake->exit_code);
}

static int make_process(const char *exec_id, enum fake_behaviour behaviour, struct brig_process *ret)
{
	struct fake_process *process = &fake->processes[fake->n_processes % FAKE_PROCESSES_MAX];
	int ready[2], newborn_fd = fake_make_newborn(exec_id);
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0 && behaviour == FAKE_EXITS_AT_ONCE)
		_exit(fake->exit_code);
	if (pid == 0)
		live(ready[1]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) < 0)
		abort();
	close(ready[0]);
	*ret = (struct brig_process){
		.pid = pid,
		.pidfd = sys_pidfd_open(pid, 0),
		.denials_fd = -EBADF,
		.newborn_fd = newborn_fd,
		.may_pass_listener = fake->may_pass_listener,
		.is_audited = fake->audits,
		.starts_simply = fake->starts_simply,
	};
	snprintf(ret->cgroup_path, sizeof(ret->cgroup_path), "%s", fake->no_groups ? "" : "group");
	snprintf(process->exec_id, sizeof(process->exec_id), "%s", exec_id);
	process->pid = pid;
	fake->n_processes++;
	return 0;
}

int brig_create(const struct brig *brig, const struct brig_create *request, struct brig_process *ret_process,
		struct error *err)
{
	/* Whoever sees that it has begun may want the next one to behave in another way. */
	enum fake_behaviour behaviour = fake->create;
	int r;

	(void)brig;
	fake->n_creates++;
	if (request->supervisor->n_mounts > 0)
		snprintf(fake->seen_mount, sizeof(fake->seen_mount), "%s:%s", request->supervisor->mounts[0].source,
			 request->supervisor->mounts[0].options[0]);
	r = behave_before(behaviour, err);
	if (r < 0)
		return r;
	r = request->supervisor->decided(request->supervisor->context, &fake->limits, err);
	if (r < 0)
		return r;
	r = make_process("", behaviour, ret_process);
	behave_after(behaviour);
	return r;
}

int brig_write_last_words(const struct brig *brig, const char *id, const char *text, struct error *err)
{
	(void)brig;
	(void)id;
	snprintf(fake->last_words, sizeof(fake->last_words), "%s", text);
	fake->n_last_words++;
	return behave_before(fake->words, err);
}

int brig_record_exit(const struct brig *brig, const struct brig_exit *exit, struct error *err)
{
	(void)brig;
	snprintf(fake->recorded[fake->n_recorded % FAKE_PROCESSES_MAX], sizeof(fake->recorded[0]), "%s %s %d %s",
		 exit->id, exit->exec_id ?: "-", exit->status, exit->ended_by ?: exit->error ?: "-");
	fake->recorded_pid = exit->pid;
	fake->n_recorded++;
	return behave_before(fake->record, err);
}

int brig_start_supervised(const struct brig *brig, const char *id, int *ret_denials_fd, struct error *err)
{
	int r;

	(void)brig;
	(void)id;
	(void)ret_denials_fd;
	fake->n_starts++;
	if (fake->start == FAKE_EXITS_AT_ONCE) {
		kill(fake_pid(""), SIGTERM);
		wait_for_release();
	}
	r = behave_before(fake->start, err);
	behave_after(fake->start);
	return r;
}

int brig_exec_supervised(const struct brig *brig, const struct brig_exec *request, struct brig_process *ret_process,
			 struct error *err)
{
	int r;

	(void)brig;
	fake->n_execs++;
	r = behave_before(fake->exec, err) ?: make_process(request->supervisor->exec_id, fake->exec, ret_process);
	behave_after(fake->exec);
	return r;
}

int brig_delete(const struct brig *brig, const char *id, bool force, struct error *err)
{
	int r;

	(void)brig;
	(void)id;
	fake->n_deletes++;
	if (!force)
		abort();
	r = behave_before(fake->delete, err);
	if (r >= 0 && fake_pid("") > 0)
		kill(fake_pid(""), SIGKILL);
	return r;
}

int brig_pause(const struct brig *brig, const char *id, struct error *err)
{
	(void)brig;
	(void)id;
	fake->n_pauses++;
	return behave_before(fake->pause, err);
}

int brig_thaw(const struct brig *brig, const char *id, struct error *err)
{
	(void)brig;
	(void)id;
	(void)err;
	fake->n_thaws++;
	return 0;
}

int brig_resume(const struct brig *brig, const char *id, struct error *err)
{
	(void)brig;
	(void)id;
	fake->n_resumes++;
	return behave_before(fake->resume, err);
}

int brig_update(const struct brig *brig, const char *id, const char *resources_json, size_t length, struct error *err)
{
	(void)brig;
	(void)id;
	fake->n_updates++;
	snprintf(fake->last_update, sizeof(fake->last_update), "%.*s", (int)length, resources_json);
	return behave_before(fake->update, err);
}

int brig_checkpoint(const struct brig *brig, const char *id, const struct brig_images *images, struct error *err)
{
	(void)brig;
	(void)id;
	snprintf(fake->last_images, sizeof(fake->last_images), "%s %s", images->path, images->work_path ?: "-");
	return behave_before(fake->checkpoint, err);
}

int brig_group_open(const struct brig_process *process, struct brig_group **ret, struct error *err)
{
	struct brig_group *group;

	if (fake->group_open_fails)
		return error_set(err, ERROR_SYSTEM, ENOENT, "no such group");
	group = calloc(1, sizeof(*group));
	snprintf(group->path, sizeof(group->path), "%.32s", process->cgroup_path);
	*ret = group;
	return 0;
}

void brig_group_free(struct brig_group *group)
{
	free(group);
}

static void signal_all(const char *exec_id, int signal)
{
	for (unsigned i = 0; i < fake->n_processes; i++) {
		if (fake->processes[i].pid > 0 && fake->processes[i].pid != fake->unkillable &&
		    (!exec_id || strcmp(fake->processes[i].exec_id, exec_id) == 0))
			kill(fake->processes[i].pid, signal);
	}
}

/* The linker has task_kill.c and the others call it in place of the reaper's (tests/unit/local.mk). */
int __real_reaper_signal(const struct reaper_child *child, int signal);
int __wrap_reaper_signal(const struct reaper_child *child, int signal);
int __wrap_reaper_signal(const struct reaper_child *child, int signal)
{
	/* Tests of the reaper alone have no fake. */
	return fake && child->pid > 0 && child->pid == fake->unkillable ? 0 : __real_reaper_signal(child, signal);
}

int brig_group_kill(struct brig_group *group, const char *exec_id, struct error *err)
{
	(void)group;
	(void)err;
	fake->n_group_kills++;
	fake->n_group_kills_all += !exec_id;
	if (!fake->kill_does_nothing)
		signal_all(exec_id, SIGKILL);
	return 0;
}

int brig_group_signal(struct brig_group *group, const char *exec_id, int signal, struct error *err)
{
	(void)group;
	(void)err;
	fake->n_group_signals++;
	signal_all(exec_id, signal);
	return 0;
}

int brig_group_processes(struct brig_group *group, const char *exec_id, struct arena *arena, struct brig_pids *ret,
			 struct error *err)
{
	(void)group;
	(void)exec_id;
	(void)err;
	if (fake->group_is_empty)
		return 0;
	ret->list = arena_array_of(arena, fake->n_processes, pid_t);
	/* Backwards: nobody said that they were sorted. */
	for (unsigned i = 0; i < fake->n_processes; i++)
		ret->list[i] = fake->processes[fake->n_processes - 1 - i].pid;
	ret->n = fake->n_processes;
	return 0;
}

int brig_group_release(struct brig_group *group, const char *exec_id, struct error *err)
{
	(void)group;
	(void)exec_id;
	(void)err;
	fake->n_group_releases++;
	return 0;
}

bool brig_group_is_frozen(struct brig_group *group)
{
	(void)group;
	return fake->is_frozen;
}

int brig_group_stuck(struct brig_group *group, struct buffer *text, struct error *err)
{
	(void)group;
	(void)err;
	fake->n_stuck_asked++;
	buffer_append_text(text, "7 dd: wait_on_page");
	return 0;
}

int brig_group_oom_fd(struct brig_group *group, uint32_t *ret_events, struct error *err)
{
	(void)group;
	(void)err;
	fake->oom_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	*ret_events = EPOLLIN;
	return dup(fake->oom_fd);
}

void brig_group_oom_acknowledge(int fd)
{
	eventfd_t value;

	eventfd_read(fd, &value);
}

uint64_t brig_group_oom_count(struct brig_group *group)
{
	(void)group;
	return fake->oom_count;
}

int brig_group_metrics(struct brig_group *group, struct arena *arena, struct brig_metrics *ret, struct error *err)
{
	(void)group;
	(void)arena;
	(void)err;
	ret->pids.current = fake->n_processes;
	return 0;
}

void fake_report_oom(uint64_t count)
{
	fake->oom_count = count;
	eventfd_write(fake->oom_fd, 1);
}
