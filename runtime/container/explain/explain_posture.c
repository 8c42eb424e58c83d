/* What the kernel says of a container that runs. */
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/names.h"
#include "container/explain/explain.h"

#define FINDINGS_FIRST 32 /* as a rule all that there are */

static struct explain_finding *add(struct explain_findings *findings)
{
	size_t capacity = findings->capacity ? 2 * findings->capacity : FINDINGS_FIRST;
	struct explain_finding *list;

	if (findings->n < findings->capacity)
		return &findings->list[findings->n++];
	list = arena_array_of(findings->arena, capacity, struct explain_finding);
	if (!list)
		return NULL;
	if (findings->n)
		memcpy(list, findings->list, findings->n * sizeof(*list));
	findings->list = list;
	findings->capacity = capacity;
	return &list[findings->n++];
}

/* detail is bounded, not checked: what it quotes is the kernel's own text, and the container's names in it are made visible
 * when printed. */
void explain_find(struct explain_findings *findings, const char *name, bool agrees, const char *format, ...)
{
	struct explain_finding *finding = add(findings);
	va_list args;

	findings->n_flagged += !agrees;
	if (!finding)
		return;
	finding->name = name;
	finding->disagrees = !agrees;
	finding->holds = 0;
	va_start(args, format);
	vsnprintf(finding->detail, sizeof(finding->detail), format, args);
	va_end(args);
}

void explain_holds(struct explain_findings *findings, const char *name, uint64_t holds)
{
	/* Another one is the last where there was no room for it. */
	if (findings->n > 0 && strcmp(findings->list[findings->n - 1].name, name) == 0)
		findings->list[findings->n - 1].holds = holds;
}

static uint64_t number(const char *status, const char *key, int base)
{
	uint64_t value = 0;

	explain_status_number(status, key, base, &value);
	return value;
}

static void find_capabilities(const char *status, const struct expectation *expected, struct explain_findings *findings)
{
	const struct {
		const char *key, *name;
		uint64_t most;
	} sets[] = {
		{ "CapBnd", "capability-bounding", expected->bounding },
		{ "CapPrm", "capability-permitted", expected->bounding },
		{ "CapEff", "capability-effective", expected->bounding },
		{ "CapInh", "capability-inheritable", expected->inheritable },
		{ "CapAmb", "capability-ambient", expected->ambient },
	};

	/* A program may have given some up. */
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		uint64_t found = number(status, sets[i].key, 16);

		explain_find(findings, sets[i].name, !(found & ~sets[i].most),
			     "0x%" PRIx64 ", of 0x%" PRIx64 " in the plan", found, sets[i].most);
	}
}

/* proc_pid_status(5). Each line is what the kernel holds the process to now, so that it can't be talked into another answer. */
static void find_status(int proc_fd, const struct expectation *expected, struct explain_findings *findings)
{
	bool wants_filter = strcmp(expected->filter, "none") != 0;
	uint64_t mode, n_filters;
	char status[8192];

	if (fd_read_file_at(proc_fd, "status", status, sizeof(status)) <= 0) {
		explain_find(findings, "status", false, "the process has ended, or can't be looked at");
		return;
	}
	explain_find(findings, "no_new_privs", number(status, "NoNewPrivs", 10) || !expected->no_new_privileges,
		     "%s, %s in the plan", number(status, "NoNewPrivs", 10) ? "set" : "not set",
		     expected->no_new_privileges ? "set" : "not set");
	mode = number(status, "Seccomp", 10);
	n_filters = number(status, "Seccomp_filters", 10);
	explain_find(findings, "seccomp", !wants_filter || (mode == 2 && n_filters > 0),
		     "mode %" PRIu64 ", filters: %" PRIu64 "; in the plan: %s", mode, n_filters, expected->filter);
	/* A program may have added some; a kernel before 5.9 does not tell. */
	if (expected->filters && explain_status_number(status, "Seccomp_filters", 10, &n_filters))
		explain_find(findings, "seccomp-filters", n_filters >= expected->filters,
			     "%" PRIu64 ", at least %" PRIu64 " in the plan", n_filters, expected->filters);
	find_capabilities(status, expected, findings);
}

/* Both limits of the line "Max core file size" are 0. */
static void find_core(int proc_fd, const struct expectation *expected, struct explain_findings *findings)
{
	static const char key[] = "Max core file size";
	char text[4096], soft[32] = "not known", hard[32] = "not known";
	const char *line;

	if (!expected->core_dumps.set)
		return;
	line = fd_read_file_at(proc_fd, "limits", text, sizeof(text)) > 0 ? strstr(text, key) : NULL;
	if (line)
		sscanf(line + strlen(key), "%31s %31s", soft, hard);
	explain_find(findings, "core-dump", expected->core_dumps.value || strcmp(hard, "0") == 0,
		     "at most %s bytes, %s in the plan", hard, expected->core_dumps.value ? "allowed" : "none");
}

/* More than in the plan is what a program may have asked for itself. */
static void find_oom_score(int proc_fd, const struct expectation *expected, struct explain_findings *findings)
{
	char text[32] = "";

	if (!expected->oom_score_adj.set || fd_read_file_at(proc_fd, "oom_score_adj", text, sizeof(text)) <= 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	explain_find(findings, "oom-score", atoi(text) >= expected->oom_score_adj.value, "%s, %d in the plan", text,
		     expected->oom_score_adj.value);
}

/* Of the first process's user namespace, whose maps can be written once and never changed (user_namespaces(7)). */
static void find_map(int proc_fd, const char *file, const struct expected_range *ranges, size_t n,
		     struct explain_findings *findings)
{
	char text[4096];

	if (n == 0)
		return;
	if (fd_read_file_at(proc_fd, file, text, sizeof(text)) < 0)
		text[0] = '\0';
	explain_find(findings, file, explain_map_agrees(text, ranges, n),
		     "%u to %u are %u to %u of the host in the plan", ranges[0].inside,
		     ranges[0].inside + ranges[0].count - 1, ranges[0].outside, ranges[0].outside + ranges[0].count - 1);
}

/* "The host's" are those of whoever asks. */
static void find_namespaces(int proc_fd, const struct expectation *expected, struct explain_findings *findings)
{
	static const struct {
		const char *file, *name;
		uint64_t flag;
	} kinds[] = {
		{ "ns/user", "namespace-user", CLONE_NEWUSER },	      { "ns/mnt", "namespace-mount", CLONE_NEWNS },
		{ "ns/pid", "namespace-pid", CLONE_NEWPID },	      { "ns/net", "namespace-network", CLONE_NEWNET },
		{ "ns/ipc", "namespace-ipc", CLONE_NEWIPC },	      { "ns/uts", "namespace-uts", CLONE_NEWUTS },
		{ "ns/cgroup", "namespace-cgroup", CLONE_NEWCGROUP }, { "ns/time", "namespace-time", CLONE_NEWTIME },
	};
	AUTO_CLOSE int own_fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char theirs[64] = "", ours[64] = "";
		bool is_known = readlinkat(proc_fd, kinds[i].file, theirs, sizeof(theirs) - 1) > 0 &&
				readlinkat(own_fd, kinds[i].file, ours, sizeof(ours) - 1) > 0;
		bool is_own = is_known && strcmp(theirs, ours) != 0;

		explain_find(findings, kinds[i].name, is_own || !(expected->namespaces & kinds[i].flag), "%s: %s",
			     is_known ? theirs : "not known", is_own ? "not the host's" : "the host's");
	}
}

/* The kernel shows it nowhere: what is compared are two notes of brig's own. */
static void find_landlock(const struct container *container, const struct expectation *expected,
			  struct explain_findings *findings)
{
	bool is_kept = container->state.landlock;

	explain_find(findings, "landlock", is_kept == expected->landlock,
		     "%s when it was made (the kernel does not show it); places that may be written to: %zu",
		     is_kept ? "locked" : "not locked", is_kept ? container->state.landlock->n_places : 0);
}

static bool is_annotated(const struct state *state, const char *name)
{
	for (size_t i = 0; i < state->n_annotations; i++) {
		if (strcmp(state->annotations[i].name, name) == 0)
			return true;
	}
	return false;
}

/* The same for the annotation that asks for it. */
static void find_tcp(const struct container *container, const struct expectation *expected,
		     struct explain_findings *findings)
{
	bool is_asked = is_annotated(&container->state, "brig.dev/tcp");

	if (is_asked || expected->refuses_tcp)
		explain_find(findings, "tcp", is_asked && expected->refuses_tcp,
			     expected->refuses_tcp
				     ? "connect and bind refused since it was made (the kernel does not show it)"
				     : "not refused");
}

void explain_posture(const struct container *container, const struct expectation *expected,
		     struct explain_findings *findings)
{
	AUTO_CLOSE int proc_fd = -EBADF;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", container->state.pid);
	proc_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	find_status(proc_fd, expected, findings);
	find_core(proc_fd, expected, findings);
	find_oom_score(proc_fd, expected, findings);
	find_map(proc_fd, "uid_map", expected->uids, expected->n_uids, findings);
	find_map(proc_fd, "gid_map", expected->gids, expected->n_gids, findings);
	find_namespaces(proc_fd, expected, findings);
	explain_mounts(proc_fd, expected, findings);
	find_landlock(container, expected, findings);
	find_tcp(container, expected, findings);
}
