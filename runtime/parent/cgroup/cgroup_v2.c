#include "parent/cgroup/cgroup_v2.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/clock.h"
#include "base/fd.h"
#include "parent/cgroup/cgroup_devices.h"
#include "parent/cgroup/cgroup_file.h"

bool cgroup_v2_offers(int fd, enum cgroup_controller controller)
{
	char list[512];

	return fd_read_file_at(fd, "cgroup.controllers", list, sizeof(list)) >= 0 &&
	       cgroup_file_has_word(list, cgroup_settings_controller_name(controller, /* v2= */ true));
}

/* Those of controllers that the directory does not offer. */
static uint32_t missing_in(int fd, uint32_t controllers)
{
	char list[512];

	if (fd_read_file_at(fd, "cgroup.controllers", list, sizeof(list)) < 0)
		return controllers;
	for (enum cgroup_controller c = 0; c < CGROUP_N_CONTROLLERS; c++)
		if (cgroup_file_has_word(list, cgroup_settings_controller_name(c, /* v2= */ true)))
			controllers &= ~(UINT32_C(1) << c);
	return controllers;
}

void cgroup_v2_find_controllers(struct cgroup *cgroup, const struct plan_resources *resources)
{
	const uint32_t all = (UINT32_C(1) << CGROUP_N_CONTROLLERS) - 1;

	/* Those that no v1 hierarchy claims: hugetlb and rdma as a rule. */
	if (cgroup->layout == HOST_CGROUP_HYBRID && (resources->n_hugepages || resources->n_rdma || resources->n_unified))
		cgroup->v2_controllers = all & ~missing_in(cgroup->trees[CGROUP_TREE_V2].root_fd, all);
}

static int not_offered(const struct cgroup *cgroup, const struct cgroup_settings *settings, uint32_t missing,
		       struct error *err)
{
	enum cgroup_controller c = (enum cgroup_controller)__builtin_ctz(missing);
	char root[64];

	cgroup_tree_root(cgroup, CGROUP_TREE_V2, root);
	return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			 "%s: the %s controller is not among those that %s offers (cgroup.controllers), so the limit can't be "
			 "enforced; give the controller to this cgroup tree, or leave the limit out",
			 cgroup_settings_where(settings, c), cgroup_settings_controller_name(c, /* v2= */ true), root);
}

/* Turns controllers on for the groups below dir_fd. prefix: its path, for messages; "" for the root. */
static int enable_below(int dir_fd, const char *prefix, const char *words, const char *where, struct error *err)
{
	int r = fd_write_file_at(dir_fd, "cgroup.subtree_control", words);

	if (r >= 0)
		return 0;
	return error_set(err, r == -EBUSY ? ERROR_STATE : ERROR_SYSTEM, -r,
			 "%s: write \"%s\" to /%s%scgroup.subtree_control: %s; %s", where, words, prefix,
			 prefix[0] ? "/" : "", strerrordesc_np(-r) ?: "unknown error",
			 r == -EBUSY ? "a cgroup with processes of its own can't have limits below it: choose another path"
				     : "delegate the controller to this user, or leave the limit out");
}

/* A group has a controller only if every group above it passes it on (cgroup-v2.rst, "Top-down Constraint"). What is on already
 * is written once more, which changes nothing. */
static int enable_on_the_way(struct cgroup *cgroup, const char *words, const char *where, struct error *err)
{
	int root_fd = cgroup->trees[CGROUP_TREE_V2].root_fd;
	char prefix[CGROUP_PATH_MAX];
	int r = enable_below(root_fd, "", words, where, err);

	for (const char *slash = strchr(cgroup->path, '/'); r == 0 && slash; slash = strchr(slash + 1, '/')) {
		AUTO_CLOSE int fd = -EBADF;

		snprintf(prefix, sizeof(prefix), "%.*s", (int)(slash - cgroup->path), cgroup->path);
		fd = cgroup_tree_open_at(root_fd, prefix);
		if (fd < 0)
			return error_system(err, -fd, "open the cgroup /%s", prefix);
		r = enable_below(fd, prefix, words, where, err);
	}
	return r;
}

/* Only where the group lacks one: where its parents pass it on already, nothing is written. */
static int v2_enable(struct cgroup *cgroup, const struct cgroup_settings *settings, uint32_t controllers,
		     struct error *err)
{
	uint32_t missing = missing_in(cgroup->trees[CGROUP_TREE_V2].fd, controllers), not_there;
	char words[256] = "";

	if (missing == 0)
		return 0;
	not_there = missing_in(cgroup->trees[CGROUP_TREE_V2].root_fd, missing);
	if (not_there)
		return not_offered(cgroup, settings, not_there, err);
	for (enum cgroup_controller c = 0; c < CGROUP_N_CONTROLLERS; c++) {
		size_t used = strlen(words);

		if (missing & UINT32_C(1) << c)
			snprintf(words + used, sizeof(words) - used, "%s+%s", used ? " " : "",
				 cgroup_settings_controller_name(c, /* v2= */ true));
	}
	return enable_on_the_way(cgroup, words,
				 cgroup_settings_where(settings, (enum cgroup_controller)__builtin_ctz(missing)), err);
}

static void v2_facts(struct cgroup *cgroup, const struct plan_resources *resources, struct cgroup_facts *ret)
{
	int fd = cgroup_tree_fd(cgroup, CGROUP_TREE_V2);
	char text[64];
	char *end;

	*ret = (struct cgroup_facts)CGROUP_FACTS_NEW;
	if (resources->set & PLAN_MEMORY_SWAP)
		ret->memory_limit = cgroup_file_number(fd, "memory.max", -1);
	if (resources->set & (PLAN_CPU_QUOTA | PLAN_CPU_PERIOD) &&
	    fd_read_file_at(fd, "cpu.max", text, sizeof(text)) > 0) {
		ret->cpu_quota = strncmp(text, "max", 3) == 0 ? -1 : strtoll(text, NULL, 10);
		end = strchr(text, ' ');
		ret->cpu_period = end ? strtoull(end, NULL, 10) : ret->cpu_period;
	}
	if (resources->set & PLAN_CPU_BURST)
		ret->cpu_burst = (uint64_t)cgroup_file_number(fd, "cpu.max.burst", 0);
}

static int v2_devices(struct cgroup *cgroup, const struct plan_resources *resources, bool fresh, struct error *err)
{
	int fd = cgroup_tree_fd(cgroup, CGROUP_TREE_V2);

	if (resources->n_devices == 0)
		return 0;
	return cgroup_devices_install(fd, resources->devices, resources->n_devices, fresh, err);
}

static bool is_frozen_now(int events_fd)
{
	char text[256];
	ssize_t n = pread(events_fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return strstr(text, "frozen 1");
}

static bool v2_is_frozen(struct cgroup *cgroup)
{
	AUTO_CLOSE int fd = openat(cgroup_tree_fd(cgroup, CGROUP_TREE_V2), "cgroup.events", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && is_frozen_now(fd);
}

/* cgroup.events says when it changes: the wait costs nothing where the group is frozen at once. */
static int wait_frozen(int events_fd, bool frozen, int timeout_ms)
{
	struct pollfd changed = { .fd = events_fd, .events = POLLPRI };
	int64_t deadline = clock_ms() + timeout_ms;

	while (is_frozen_now(events_fd) != frozen) {
		int64_t left = deadline - clock_ms();

		if (left <= 0)
			return -ETIME;
		/* Short turns: an event just before poll(2) was consumed by the read. */
		poll(&changed, 1, left < 20 ? (int)left : 20);
	}
	return 0;
}

static int v2_freeze(struct cgroup *cgroup, bool freeze, int timeout_ms, struct error *err)
{
	int dir_fd = cgroup_tree_fd(cgroup, CGROUP_TREE_V2);
	AUTO_CLOSE int fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return error_system(err, errno, "open cgroup.events of the cgroup %s", cgroup->path);
	r = fd_write_file_at(dir_fd, "cgroup.freeze", freeze ? "1" : "0");
	if (r < 0)
		return error_system(err, -r, "write cgroup.freeze of the cgroup %s", cgroup->path);
	if (wait_frozen(fd, freeze, timeout_ms) == 0)
		return 0;
	if (!freeze)
		return error_set(err, ERROR_TIMEOUT, ETIME,
				 "the cgroup %s is not thawed after %d ms: one of its parents is frozen", cgroup->path,
				 timeout_ms);
	(void)fd_write_file_at(dir_fd, "cgroup.freeze", "0");
	return error_set(err, ERROR_TIMEOUT, ETIME,
			 "the cgroup %s is not frozen after %d ms (a process hangs in the kernel); it runs on",
			 cgroup->path, timeout_ms);
}

static int v2_kill(struct cgroup *cgroup, struct error *err)
{
	int fd = cgroup_tree_fd(cgroup, CGROUP_TREE_V2), r;

	/* On a hybrid host a removal that was cut short may have left v1's groups alone: nobody was in this one any more. */
	r = fd < 0 ? 0 : fd_write_file_at(fd, "cgroup.kill", "1");
	return r < 0 && r != -ENODEV ? error_system(err, -r, "write cgroup.kill of the cgroup %s", cgroup->path) : 0;
}

/* memory.events raises a file-modified event when one of its numbers changes (cgroup-v2.rst), which inotify(7) reads. Its path
 * goes through our own descriptor: it is this group's file, whatever has its name. */
static int v2_oom_fd(struct cgroup *cgroup, struct error *err)
{
	AUTO_CLOSE int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[64];

	if (fd < 0)
		return error_system(err, errno, "make an inotify instance");
	snprintf(path, sizeof(path), "/proc/self/fd/%d/memory.events", cgroup_tree_fd(cgroup, CGROUP_TREE_V2));
	if (inotify_add_watch(fd, path, IN_MODIFY) >= 0)
		return steal_fd(&fd);
	if (errno == ENOENT)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "the cgroup %s has no memory controller to tell of out-of-memory kills; "
				 "set linux.resources.memory.limit",
				 cgroup->path);
	return error_system(err, errno, "watch memory.events of the cgroup %s", cgroup->path);
}

static uint64_t v2_oom_count(struct cgroup *cgroup)
{
	return cgroup_file_keyed(cgroup_tree_fd(cgroup, CGROUP_TREE_V2), "memory.events", "oom_kill", 0);
}

const struct cgroup_driver cgroup_v2_driver = {
	.name = "v2",
	.settings = cgroup_v2_settings,
	.facts = v2_facts,
	.enable = v2_enable,
	.devices = v2_devices,
	.freeze = v2_freeze,
	.is_frozen = v2_is_frozen,
	.kill = v2_kill,
	.statistics = cgroup_v2_statistics,
	.oom_fd = v2_oom_fd,
	.oom_count = v2_oom_count,
};
