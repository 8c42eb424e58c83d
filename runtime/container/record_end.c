/* The end of a container or of an exec, and what it has used. */
#include <stdlib.h>
#include <unistd.h>

#include "audit/denials.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "container/explain/denial_listener.h"
#include "container/metrics/metrics_parse.h"
#include "container/record.h"
#include "container/record_target.h"
#include "parent/cgroup/cgroup.h"
#include "parent/cgroup/egress.h"
#include "parent/seccomp/seccomp_calls.h"

#define EGRESS_ARENA ((size_t)1024 * 1024)

static uint64_t count(int fd, const char *file)
{
	char text[64];

	return fd >= 0 && fd_read_file_at(fd, file, text, sizeof(text)) > 0 ? strtoull(text, NULL, 10) : 0;
}

/* Every group of a v2 tree counts time, whatever controllers there are. */
static uint64_t cpu_usec(struct cgroup *cgroup)
{
	struct brig_metrics metrics = { 0 };
	int fd = cgroup_files(cgroup, "", NULL);
	char text[4096];

	if (fd < 0 || fd_read_file_at(fd, "cpu.stat", text, sizeof(text)) < 0)
		return count(cgroup_files(cgroup, "cpuacct", NULL), "cpuacct.usage") / 1000;
	metrics_parse_cpu(text, &metrics);
	return metrics.cpu.usage_usec;
}

void record_usage(struct cgroup *cgroup, struct audit_usage *ret)
{
	bool v2 = true;
	int fd;

	if (!cgroup || !cgroup_exists(cgroup))
		return;
	fd = cgroup_files(cgroup, "memory", &v2);
	*ret = (struct audit_usage){
		.is_known = true,
		.oom_kills = cgroup_oom_count(cgroup),
		.cpu_usec = cpu_usec(cgroup),
		.memory_peak = count(fd, v2 ? "memory.peak" : "memory.max_usage_in_bytes"),
	};
}

/* Which calls, and how often each. The arguments are for brig explain. */
static void take_denials(const struct denial_listener *listener, struct audit_record *record,
			 struct audit_denied denied[static AUDIT_DENIED_MAX],
			 char names[static AUDIT_DENIED_MAX][SECCOMP_CALLS_NAME_MAX])
{
	struct denials_count counts[AUDIT_DENIED_MAX];

	record->has_denials = true;
	record->denials = denial_listener_total(listener);
	record->n_denied = denial_listener_counts(listener, counts, AUDIT_DENIED_MAX);
	record->denied = denied;
	for (size_t i = 0; i < record->n_denied; i++)
		denied[i] = (struct audit_denied){
			.call = seccomp_calls_name(counts[i].architecture, counts[i].number, names[i]),
			.count = counts[i].count,
		};
}

static void take_egress(const struct egress_report *report, struct audit_record *record,
			struct audit_egress denied[static AUDIT_DENIED_MAX],
			char texts[static AUDIT_DENIED_MAX][EGRESS_DENIAL_TEXT_MAX])
{
	record->has_egress = true;
	record->egress_denials = report->denied;
	record->egress_denied = denied;
	for (size_t i = 0; i < report->n_denials && i < AUDIT_DENIED_MAX; i++)
		denied[record->n_egress_denied++] = (struct audit_egress){
			.what = egress_denial_format(&report->denials[i], texts[i]),
			.count = report->denials[i].count,
		};
}

void record_exit(const struct brig *brig, const struct state *state, const struct record_exit *exit)
{
	struct audit_record record = {
		.event = AUDIT_EXIT,
		.id = state->id,
		.exec_id = exit->exec_id,
		.pid = exit->pid,
		.has_status = exit->has_status,
		.status = exit->status,
		.exited = exit->at,
		.ended_by = exit->ended_by,
		.error = exit->error,
	};
	AUTO(arena_free) struct arena *arena = arena_new(EGRESS_ARENA);
	char names[AUDIT_DENIED_MAX][SECCOMP_CALLS_NAME_MAX];
	char places[AUDIT_DENIED_MAX][EGRESS_DENIAL_TEXT_MAX];
	struct audit_egress egress_denied[AUDIT_DENIED_MAX];
	struct audit_denied denied[AUDIT_DENIED_MAX];
	struct egress_report egress;
	struct record_target target;

	if (!record_target_of_state(brig, state, &target))
		return;
	record.workload = record_target_workload(state->annotations, state->n_annotations);
	if (exit->usage)
		record.usage = *exit->usage;
	else
		record_usage(exit->cgroup, &record.usage);
	if (exit->denials)
		take_denials(exit->denials, &record, denied, names);
	if (exit->cgroup && arena && egress_read(exit->cgroup, arena, &egress, NULL) >= 0)
		take_egress(&egress, &record, egress_denied, places);
	record_target_write(&target, &record, /* binding= */ false, NULL);
}

int record_egress(const struct brig *brig, const struct state *state, const struct audit_request *request,
		  struct error *err)
{
	struct audit_record record = { .event = AUDIT_EGRESS, .id = state->id, .request = request };
	struct record_target target;

	if (!record_target_of_state(brig, state, &target))
		return 0;
	record.workload = record_target_workload(state->annotations, state->n_annotations);
	return record_target_write(&target, &record, /* binding= */ true, err);
}

void record_delete(const struct brig *brig, const struct state *state, const struct audit_usage *usage)
{
	struct audit_record record = { .event = AUDIT_DELETE, .id = state->id, .usage = *usage };
	struct record_target target;

	if (!record_target_of_state(brig, state, &target))
		return;
	record.workload = record_target_workload(state->annotations, state->n_annotations);
	record_target_write(&target, &record, /* binding= */ false, NULL);
}

int brig_record_exit(const struct brig *brig, const struct brig_exit *exit, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	struct container container;
	struct record_exit record = {
		.pid = exit->pid,
		.exec_id = exit->exec_id && exit->exec_id[0] ? exit->exec_id : NULL,
		.has_status = !exit->error,
		.status = exit->status,
		.at = exit->error ? NULL : &exit->at,
		.error = exit->error,
		.ended_by = exit->ended_by,
		.denials = exit->denials,
	};
	int rc = store_open(brig, exit->id, STORE_UNLOCKED, &container, err);

	if (rc < 0)
		return rc;
	/* An exec has no limits and counters of its own. */
	if (!record.exec_id && container.state.cgroup_path &&
	    cgroup_open(container.state.cgroup_manager, container.state.cgroup_path, &cgroup, NULL) >= 0)
		record.cgroup = cgroup;
	record_exit(brig, &container.state, &record);
	store_done(&container);
	return 0;
}
