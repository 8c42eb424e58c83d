/* brig metrics: the node as numbers. What there is now comes from the state directories and /proc; what has happened, from the
 * audit trail's sums. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"

#include "audit/audit.h"
#include "audit/audit_record.h"
#include "audit/tally.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "container/brig.h"
#include "container/metrics/exposition.h"
#include "container/metrics/shim_memory.h"
#include "policy/policy.h"

#define LIST_ARENA ((size_t)64 * 1024 * 1024)
#define VALUES(...) ((const char *const[EXPOSITION_LABELS]){ __VA_ARGS__ })
#define COUNTER(name, ...)                                    \
	{                                                     \
		"brig_" name "_total", "counter", __VA_ARGS__ \
	}
#define GAUGE(name, ...)                           \
	{                                          \
		"brig_" name, "gauge", __VA_ARGS__ \
	}

_Static_assert(EXPOSITION_LABELS == TALLY_LABELS, "a counter's labels are a sample's");

/* In the order of output. docs/monitoring.md, the dashboard and the alerts name them. */
static const struct {
	enum tally_family family;
	struct exposition_family text;
} counters[] = {
	{ TALLY_CREATES, COUNTER("creates", { "policy" }, "Containers that were made") },
	{ TALLY_STARTS, COUNTER("starts", { "policy" }, "Containers whose program was let go") },
	{ TALLY_EXECS, COUNTER("execs", { "policy" }, "Processes that were added to containers") },
	{ TALLY_FAILURES, COUNTER("failures", { "operation", "reason" }, "What failed, refusals not among them") },
	{ TALLY_REFUSALS, COUNTER("refusals", { "rule" }, "What the policy refused") },
	{ TALLY_ADJUSTMENTS, COUNTER("adjustments", { "rule", "level" },
				     "Places of config.json that the policy's rules changed or remarked on") },
	{ TALLY_DENIALS,
	  COUNTER("denials", { "call" }, "System calls that the floor refused to containers that have ended") },
	{ TALLY_EGRESS_DENIALS,
	  COUNTER("egress_denials", { "by" },
		  "What egress lists refused to containers that have ended, and proxies to sandboxes") },
	{ TALLY_OOM_KILLS, COUNTER("oom_kills", { NULL }, "Processes killed because their container was out of memory") },
	{ TALLY_DEADLINES, COUNTER("deadlines", { "limit" }, "Containers ended by a limit of time or output") },
	{ TALLY_POLICY_CHANGES,
	  COUNTER("policy_changes", { NULL }, "Times that another policy was in force than before") },
	{ TALLY_BROKEN_LINES, COUNTER("audit_broken_lines", { NULL }, "Lines in the audit trail that are not brig's") },
	{ TALLY_UNCOUNTED, COUNTER("uncounted", { NULL }, "Events with labels for which there is no room") },
};

static const struct exposition_family startup = {
	"brig_startup_seconds",
	"histogram",
	{ "phase" },
	"From the request to make a container, or to start one that waits, until brig had done so"
};
static const struct exposition_family build = GAUGE("build_info", { "version" }, "1; what program printed this");
static const struct exposition_family floor_info =
	GAUGE("floor_info", { "policy", "sha256" }, "1; the policy that holds for a container that is made now");
static const struct exposition_family audited =
	GAUGE("audit_trail", { NULL }, "1 where there is an audit trail to count from");
static const struct exposition_family now =
	GAUGE("metrics_time_seconds", { NULL }, "When this was printed, in seconds since 1970");
static const struct exposition_family sandboxes = GAUGE("sandboxes", { "kind", "state" }, "Containers that there are");
static const struct exposition_family shims = GAUGE("shims", { NULL }, "Shims that run, one for each pod");
static const struct exposition_family shim_memory =
	GAUGE("shim_memory_bytes", { "kind" },
	      "Memory of all shims together: resident, its proportional share, private dirty pages");

/* ---- what there is now ---- */

#define N_STATES (BRIG_STOPPED + 1)
enum kind { KIND_CONTAINER, KIND_POD, N_KINDS };
static const char *const kinds[] = { "container", "pod" };

struct census {
	uint64_t counts[N_KINDS][N_STATES];
};

/* A pod's own container, which holds its namespaces. */
static enum kind kind_of(const struct brig_info *info)
{
	static const char *const names[] = { "io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType" };

	for (size_t i = 0; i < info->n_annotations; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(names); j++) {
			if (strcmp(info->annotations[i].name, names[j]) == 0)
				return strcmp(info->annotations[i].value, "sandbox") == 0 ? KIND_POD : KIND_CONTAINER;
		}
	}
	return KIND_CONTAINER;
}

/* One after the other with its own memory: a node has some hundred containers, each of which may have annotations of a
 * megabyte. */
static int count_root(const struct brig *brig, const char *root, struct census *census, struct error *err)
{
	struct brig there = *brig;
	AUTO(arena_free) struct arena *arena = arena_new(LIST_ARENA);
	struct brig_info *infos = NULL;
	size_t n = 0;
	int rc;

	there.root = root;
	if (!arena)
		return error_memory(err);
	rc = brig_list(&there, arena, &infos, &n, err);
	for (size_t i = 0; rc >= 0 && i < n; i++)
		census->counts[kind_of(&infos[i])][infos[i].status]++;
	return rc < 0 ? error_prefix(err, "count the containers of %s", root) : 0;
}

/* containerd's namespaces have a folder each. */
static int count_namespaces(const struct brig *brig, const char *directory, struct census *census, struct error *err)
{
	char root[PATH_MAX];
	DIR *folders = opendir(directory);
	struct dirent *entry;
	int rc = 0;

	if (!folders && errno == ENOENT)
		return 0;
	if (!folders)
		return error_system(err, errno, "open %s", directory);
	while (rc >= 0 && (entry = readdir(folders))) {
		if (entry->d_name[0] == '.' || entry->d_type != DT_DIR)
			continue;
		snprintf(root, sizeof(root), "%.2048s/%s", directory, entry->d_name);
		rc = count_root(brig, root, census, err);
	}
	closedir(folders);
	return rc;
}

static int print_sandboxes(const struct brig *brig, const struct brig_metrics_request *request, struct buffer *out,
			   struct error *err)
{
	struct census census = { 0 };
	int rc = count_root(brig, brig->root, &census, err);

	if (rc >= 0)
		rc = count_namespaces(brig, request->containerd, &census, err);
	if (rc < 0)
		return rc;
	exposition_begin(out, &sandboxes);
	for (enum kind kind = 0; kind < N_KINDS; kind++) {
		for (enum brig_status status = 0; status < N_STATES; status++)
			exposition_sample(out, &sandboxes, VALUES(kinds[kind], brig_status_name(status)),
					  census.counts[kind][status]);
	}
	return 0;
}

static int print_shims(struct buffer *out, struct error *err)
{
	AUTO_CLOSE int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct shim_memory memory;
	int rc = proc_fd < 0 ? error_system(err, errno, "open /proc") : shim_memory_read(proc_fd, &memory, err);

	if (rc < 0)
		return rc;
	exposition_begin(out, &shims);
	exposition_sample(out, &shims, VALUES(NULL), memory.n);
	/* A sum that lacks some is no sum. */
	if (memory.n_hidden > 0)
		return 0;
	exposition_begin(out, &shim_memory);
	exposition_sample(out, &shim_memory, VALUES("rss"), memory.resident);
	exposition_sample(out, &shim_memory, VALUES("pss"), memory.proportional);
	exposition_sample(out, &shim_memory, VALUES("private_dirty"), memory.private_dirty);
	return 0;
}

/* ---- what has happened ---- */

/* What can happen and has not is 0, and not missing: the first time is then a step that an alert sees. */
static void print_zeros(const struct tally *tally, enum tally_family family, const struct exposition_family *text,
			struct buffer *out)
{
	static const char *const limits[] = { "timeout", "max-output" }, *const refusers[] = { "list", "proxy" };

	for (enum policy_rule rule = 0; family == TALLY_REFUSALS && rule < POLICY_N_RULES; rule++) {
		if (!tally_value(tally, family, VALUES(policy_rule_name(rule))))
			exposition_sample(out, text, VALUES(policy_rule_name(rule)), 0);
	}
	if (family == TALLY_REFUSALS && !tally_value(tally, family, VALUES("built-in")))
		exposition_sample(out, text, VALUES("built-in"), 0);
	for (size_t i = 0; family == TALLY_DEADLINES && i < ARRAY_SIZE(limits); i++) {
		if (!tally_value(tally, family, VALUES(limits[i])))
			exposition_sample(out, text, VALUES(limits[i]), 0);
	}
	for (size_t i = 0; family == TALLY_EGRESS_DENIALS && i < ARRAY_SIZE(refusers); i++) {
		if (!tally_value(tally, family, VALUES(refusers[i])))
			exposition_sample(out, text, VALUES(refusers[i]), 0);
	}
	if (!text->labels[0] && !tally_value(tally, family, VALUES(NULL)))
		exposition_sample(out, text, VALUES(NULL), 0);
}

static void print_counters(const struct tally *tally, struct buffer *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		exposition_begin(out, &counters[i].text);
		print_zeros(tally, counters[i].family, &counters[i].text, out);
		for (size_t j = 0; j < tally->n_counters; j++) {
			const struct tally_counter *counter = &tally->counters[j];

			if (counter->family == counters[i].family && counter->value > 0)
				exposition_sample(out, &counters[i].text,
						  VALUES(counter->labels[0], counter->labels[1]), counter->value);
		}
	}
}

/* The tally's name for creates is none: tally.h. */
static void print_startup(const struct tally *tally, const char *phase, struct buffer *out)
{
	uint64_t counts[TALLY_BUCKETS + 1];
	struct exposition_histogram histogram = { tally_bounds, counts, TALLY_BUCKETS, 0 };
	char index[24];

	for (size_t i = 0; i <= TALLY_BUCKETS; i++) {
		snprintf(index, sizeof(index), "%zu", i);
		counts[i] = tally_value(tally, TALLY_STARTUPS, VALUES(index, phase));
	}
	histogram.sum_usec = tally_value(tally, TALLY_STARTUP_USEC, VALUES(phase));
	exposition_histogram(out, &startup, VALUES(phase ?: "create"), &histogram);
}

static int print_history(const struct policy *policy, const struct brig_metrics_request *request, struct buffer *out,
			 struct error *err)
{
	const char *path = request->file ?: policy->audit.path[0] ? policy->audit.path : AUDIT_PATH_DEFAULT;
	struct tally tally = { 0 };
	int rc = tally_update(path, &tally, err);

	if (rc < 0)
		return rc;
	exposition_begin(out, &audited);
	exposition_sample(out, &audited, VALUES(NULL), tally.is_found);
	print_counters(&tally, out);
	exposition_begin(out, &startup);
	print_startup(&tally, /* phase= */ NULL, out);
	print_startup(&tally, "start", out);
	tally_done(&tally);
	return 0;
}

/* The digest tells of a policy that was changed under the same name, which the node's configuration management may not know of. */
static void print_programs(const struct policy *policy, struct buffer *out)
{
	char digest[AUDIT_DIGEST_TEXT];

	exposition_begin(out, &build);
	exposition_sample(out, &build, VALUES(PACKAGE_VERSION), 1);
	exposition_begin(out, &floor_info);
	exposition_sample(out, &floor_info, VALUES(policy_name(policy), audit_record_digest(policy->digest, digest)), 1);
	exposition_begin(out, &now);
	exposition_sample(out, &now, VALUES(NULL), (uint64_t)time(NULL));
}

int brig_metrics(const struct brig *brig, const struct brig_metrics_request *request, struct buffer *out,
		 struct error *err)
{
	struct policy policy = { 0 };
	int rc = policy_load(brig->policy, &policy, err);

	if (rc >= 0) {
		print_programs(&policy, out);
		rc = print_history(&policy, request, out, err);
	}
	if (rc >= 0)
		rc = print_sandboxes(brig, request, out, err);
	if (rc >= 0)
		rc = print_shims(out, err);
	policy_done(&policy);
	if (rc >= 0 && out->failed)
		rc = error_memory(err);
	return rc;
}
