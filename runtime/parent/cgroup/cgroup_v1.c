#include "parent/cgroup/cgroup_v1.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "parent/cgroup/cgroup_devices.h"
#include "parent/cgroup/cgroup_file.h"
#include "parent/cgroup/cgroup_v2.h"

#define KILL_ROUNDS 32 /* without a freezer: how often those forked meanwhile are looked for */
#define KILL_FREEZE_MS 500

/* v1's cpuset lets no process into a group without CPUs and memory nodes: those of the parent, where it has none. */
static int inherit(int parent_fd, int fd, const char *file)
{
	char text[4096];

	if (fd_read_file_at(fd, file, text, sizeof(text)) != 0)
		return 0;
	if (fd_read_file_at(parent_fd, file, text, sizeof(text)) <= 0)
		return -EINVAL;
	return fd_write_file_at(fd, file, text);
}

static int inherit_cpuset(struct cgroup *cgroup, struct error *err)
{
	int root_fd = cgroup->trees[CGROUP_CPUSET].root_fd, r = 0;
	AUTO_CLOSE int parent_fd = cgroup_tree_open_at(root_fd, ".");
	char prefix[CGROUP_PATH_MAX];

	for (const char *end = cgroup->path; r == 0 && *end; end += *end == '/') {
		int fd;

		end += strcspn(end, "/");
		snprintf(prefix, sizeof(prefix), "%.*s", (int)(end - cgroup->path), cgroup->path);
		r = fd = cgroup_tree_open_at(root_fd, prefix);
		if (fd >= 0)
			r = inherit(parent_fd, fd, "cpuset.cpus");
		if (r == 0)
			r = inherit(parent_fd, fd, "cpuset.mems");
		close_and_reset(&parent_fd);
		parent_fd = fd;
	}
	return r < 0 ? error_system(err, -r, "give the cpuset cgroup %s its parent's CPUs and memory nodes", cgroup->path)
		     : 0;
}

static int v1_enable(struct cgroup *cgroup, const struct cgroup_settings *settings, uint32_t controllers,
		     struct error *err)
{
	uint32_t v2 = controllers & cgroup->v2_controllers;
	int r = v2 ? cgroup_v2_driver.enable(cgroup, settings, v2, err) : 0;

	controllers &= ~v2;
	for (enum cgroup_controller c = 0; r == 0 && c < CGROUP_N_CONTROLLERS; c++) {
		if (!(controllers & UINT32_C(1) << c) || cgroup_tree_fd(cgroup, c) >= 0)
			continue;
		r = cgroup_tree_make(cgroup, c, err);
		if (r == -ENOENT)
			return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
					 "%s: the %s controller is not mounted (" CGROUP_ROOT
					 "/%s), so this can't be enforced; mount it, or leave it out",
					 cgroup_settings_where(settings, c), cgroup_settings_controller_name(c, false),
					 cgroup_settings_controller_name(c, false));
		if (r == 0 && c == CGROUP_CPUSET)
			r = inherit_cpuset(cgroup, err);
	}
	return r;
}

static void v1_facts(struct cgroup *cgroup, const struct plan_resources *resources, struct cgroup_facts *ret)
{
	*ret = (struct cgroup_facts)CGROUP_FACTS_NEW;
	ret->v2_controllers = cgroup->v2_controllers;
	if (resources->set & (PLAN_MEMORY_SWAP | PLAN_MEMORY_LIMIT)) {
		int fd = cgroup_tree_fd(cgroup, CGROUP_MEMORY);

		ret->memory_limit = cgroup_file_number(fd, "memory.limit_in_bytes", -1);
		ret->memory_swap = cgroup_file_number(fd, "memory.memsw.limit_in_bytes", -1);
	}
	if (resources->set & (PLAN_CPU_QUOTA | PLAN_CPU_PERIOD | PLAN_CPU_BURST)) {
		int fd = cgroup_tree_fd(cgroup, CGROUP_CPU);

		ret->cpu_quota = cgroup_file_number(fd, "cpu.cfs_quota_us", -1);
		ret->cpu_period = (uint64_t)cgroup_file_number(fd, "cpu.cfs_period_us", 100000);
		ret->cpu_burst = (uint64_t)cgroup_file_number(fd, "cpu.cfs_burst_us", 0);
	}
}

static bool v1_is_frozen(struct cgroup *cgroup)
{
	char state[32];

	return fd_read_file_at(cgroup_tree_fd(cgroup, CGROUP_FREEZER), "freezer.state", state, sizeof(state)) > 0 &&
	       strcmp(state, "FROZEN") == 0;
}

static int v1_freeze(struct cgroup *cgroup, bool freeze, int timeout_ms, struct error *err)
{
	int fd = cgroup_tree_fd(cgroup, CGROUP_FREEZER);
	int64_t deadline = clock_ms() + timeout_ms;
	struct timespec pause = { .tv_nsec = 200 * 1000 };

	if (fd < 0)
		return error_set(
			err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			"the cgroup %s has no freezer: it needs cgroup version 2, or the freezer controller mounted",
			cgroup->path);
	for (;;) {
		/* Written again each time: the kernel freezes those that were forked meanwhile only when asked. */
		int r = fd_write_file_at(fd, "freezer.state", freeze ? "FROZEN" : "THAWED");

		if (r < 0)
			return error_system(err, -r, "write freezer.state of the cgroup %s", cgroup->path);
		if (v1_is_frozen(cgroup) == freeze)
			return 0;
		if (clock_ms() >= deadline)
			break;
		nanosleep(&pause, NULL);
		pause.tv_nsec = pause.tv_nsec < 10 * 1000 * 1000 ? pause.tv_nsec * 2 : pause.tv_nsec;
	}
	if (freeze)
		(void)fd_write_file_at(fd, "freezer.state", "THAWED");
	return error_set(err, ERROR_TIMEOUT, ETIME, "the cgroup %s is not %s after %d ms; %s", cgroup->path,
			 freeze ? "frozen" : "thawed", timeout_ms,
			 freeze ? "a process hangs in the kernel: it runs on" : "one of its parents is frozen");
}

/* By number: v1 has no cgroup.kill. A number is one of the group's at the moment of the look; frozen, none of them can go away
 * before the signal. */
static int kill_frozen(struct cgroup *cgroup, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(/* limit= */ 64 * 1024 * 1024);
	pid_t *pids;
	size_t n;
	int r;

	if (!arena)
		return error_memory(err);
	r = cgroup_pids(cgroup, arena, &pids, &n, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		kill(pids[i], SIGKILL);
	return r;
}

/* They fork and end while we look: what was one's number may be a stranger's before the signal, so it goes by pidfd. */
static int kill_running(struct cgroup *cgroup, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(/* limit= */ 64 * 1024 * 1024);
	pid_t *pids;
	size_t n = 1;
	int r = arena ? 0 : error_memory(err);

	for (int round = 0; r == 0 && n > 0 && round < KILL_ROUNDS; round++) {
		r = cgroup_signal(cgroup, SIGKILL, err);
		if (r == 0)
			r = cgroup_pids(cgroup, arena, &pids, &n, err);
	}
	return r;
}

/* Frozen processes fork no more: then one look finds all. The signal takes effect when they are thawed. */
static int v1_kill(struct cgroup *cgroup, struct error *err)
{
	bool frozen = v1_freeze(cgroup, /* freeze= */ true, KILL_FREEZE_MS, NULL) == 0;
	int r = frozen ? kill_frozen(cgroup, err) : kill_running(cgroup, err);

	if (cgroup_tree_fd(cgroup, CGROUP_FREEZER) >= 0)
		(void)fd_write_file_at(cgroup_tree_fd(cgroup, CGROUP_FREEZER), "freezer.state", "THAWED");
	return r;
}

/* memory.txt of the kernel's cgroup-v1 documentation, "OOM Control": an eventfd, registered with the file's descriptor. */
static int v1_oom_fd(struct cgroup *cgroup, struct error *err)
{
	int dir_fd = cgroup_tree_fd(cgroup, CGROUP_MEMORY), r;
	AUTO_CLOSE int fd = -EBADF, control_fd = -EBADF;
	char text[64];

	if (dir_fd < 0)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "the cgroup %s has no memory controller to tell of out-of-memory kills; "
				 "set linux.resources.memory.limit",
				 cgroup->path);
	control_fd = openat(dir_fd, "memory.oom_control", O_RDONLY | O_CLOEXEC);
	if (control_fd < 0)
		return error_system(err, errno, "open memory.oom_control of the cgroup %s", cgroup->path);
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return error_system(err, errno, "make an eventfd");
	snprintf(text, sizeof(text), "%d %d", fd, control_fd);
	r = fd_write_file_at(dir_fd, "cgroup.event_control", text);
	if (r < 0)
		return error_system(err, -r, "write cgroup.event_control of the cgroup %s", cgroup->path);
	return steal_fd(&fd);
}

static uint64_t v1_oom_count(struct cgroup *cgroup)
{
	return cgroup_file_keyed(cgroup_tree_fd(cgroup, CGROUP_MEMORY), "memory.oom_control", "oom_kill", 0);
}

const struct cgroup_driver cgroup_v1_driver = {
	.name = "v1",
	.settings = cgroup_v1_settings,
	.facts = v1_facts,
	.enable = v1_enable,
	.devices = cgroup_v1_devices,
	.freeze = v1_freeze,
	.is_frozen = v1_is_frozen,
	.kill = v1_kill,
	.statistics = cgroup_v1_statistics,
	.oom_fd = v1_oom_fd,
	.oom_count = v1_oom_count,
};
