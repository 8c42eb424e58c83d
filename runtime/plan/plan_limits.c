/* What a supervisor holds: how long a container may run, and how much it may write. */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/quantity.h"
#include "plan/plan_builder.h"
#include "plan/plan_egress.h"
#include "plan/plan_levels.h"
#include "plan/plan_tcp.h"
#include "policy/limit_value.h"

#define ANNOTATION_PREFIX "brig.dev/"
#define ANNOTATION_CONTAINER_TYPE "io.kubernetes.cri.container-type"
#define ANNOTATION_SANDBOX_CPU "io.kubernetes.cri.sandbox-cpu-"
#define ANNOTATION_SANDBOX_MEMORY "io.kubernetes.cri.sandbox-memory"

struct limit {
	const char *annotation, *policy_key;
	int (*parse)(const char *where, const char *text, uint64_t *ret, struct error *err);
	size_t in_policy; /* offsetof(struct policy_limits) */
	size_t in_plan;	  /* offsetof(struct plan_limits) */
	unsigned held_bit;
	const char *why_unheld;
};

static const struct limit limits[] = {
	{ ANNOTATION_PREFIX "timeout", "limits.timeout", limit_value_timeout, offsetof(struct policy_limits, timeout),
	  offsetof(struct plan_limits, timeout), PLAN_HOLDS_TIMEOUT, "nobody stays to end the container" },
	{ ANNOTATION_PREFIX "max-output", "limits.max_output", limit_value_bytes,
	  offsetof(struct policy_limits, max_output), offsetof(struct plan_limits, max_output), PLAN_HOLDS_MAX_OUTPUT,
	  "the container's output does not go through brig" },
};

static const char *value_text(const struct plan_builder *builder, const struct limit *limit, uint64_t value,
			      struct error *err)
{
	char text[QUANTITY_TEXT_MAX];

	if (limit->held_bit == PLAN_HOLDS_TIMEOUT)
		return plan_builder_text(builder, err, "%s", quantity_format_duration(value, text));
	return plan_builder_text(builder, err, "%" PRIu64 " bytes", value);
}

static const char *annotation_where(const struct plan_builder *builder, const char *name, struct error *err)
{
	return plan_builder_text(builder, err, "annotations[\"%.200s\"]", name);
}

/* A workload's annotation can tighten what the site says, never loosen it. */
static int report_raise(const struct plan_builder *builder, const struct limit *limit, const struct plan_limit *asked,
			const struct plan_limit *site, struct error *err)
{
	struct report_line line = { .where = annotation_where(builder, limit->annotation, err),
				    .asked = value_text(builder, limit, asked->value, err),
				    .applied = value_text(builder, limit, site->value, err),
				    .why = "the site's policy has a lower maximum" };

	if (!line.where || !line.asked || !line.applied)
		return -ENOMEM;
	return plan_withheld_report(builder, POLICY_LIMIT_RAISE, &line, err);
}

static int report_unheld(const struct plan_builder *builder, const struct limit *limit, const struct plan_limit *wanted,
			 struct error *err)
{
	struct report_line line = { .where = limit->policy_key,
				    .asked = value_text(builder, limit, wanted->value, err),
				    .applied = "no limit",
				    .why = limit->why_unheld };

	if (!wanted->by_site)
		line.where = annotation_where(builder, limit->annotation, err);
	if (!line.where || !line.asked)
		return -ENOMEM;
	return plan_withheld_report(builder, POLICY_LIMIT_UNSUPERVISED, &line, err);
}

/* A name comes once only: spec/ has seen to it. */
static int find_asked(const struct plan_builder *builder, const struct limit *limit, struct plan_limit *ret,
		      struct error *err)
{
	const char *where;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < builder->spec->n_annotations; i++) {
		const struct json_pair *annotation = &builder->spec->annotations[i];

		if (strcmp(annotation->name, limit->annotation) != 0)
			continue;
		where = annotation_where(builder, limit->annotation, err);
		rc = where ? limit->parse(where, annotation->value, &ret->value, err) : -ENOMEM;
	}
	return rc;
}

static int build_one(struct plan_builder *builder, const struct limit *limit, struct error *err)
{
	const struct policy_limits policy = policy_limits(builder->request->policy);
	struct plan_limit asked = { 0 }, site = { .by_site = true }, chosen;
	int rc = find_asked(builder, limit, &asked, err);

	if (rc < 0)
		return rc;
	memcpy(&site.value, (const char *)&policy + limit->in_policy, sizeof(site.value));
	chosen = asked;
	if (site.value != 0 && (asked.value == 0 || asked.value > site.value))
		chosen = site;
	if (chosen.value == 0)
		return 0;
	if (chosen.by_site && asked.value != 0)
		rc = report_raise(builder, limit, &asked, &site, err);
	if (rc >= 0 && !(builder->request->holds & limit->held_bit))
		return report_unheld(builder, limit, &chosen, err);
	if (rc >= 0)
		memcpy((char *)&builder->plan->limits + limit->in_plan, &chosen, sizeof(chosen));
	return rc;
}

static bool is_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (strcmp(name, limits[i].annotation) == 0)
			return true;
	}
	return plan_egress_knows(name) || plan_tcp_knows(name);
}

/* One that is misspelt must not be one that silently does not hold. */
static int report_unknown(struct plan_builder *builder, const char *name, struct error *err)
{
	struct report_line line = {
		.level = REPORT_WARNING,
		.rule = "annotation-unknown",
		.where = annotation_where(builder, name, err),
		.why = "brig knows brig.dev/timeout, brig.dev/max-output, brig.dev/egress, brig.dev/tcp, and brig.dev/RULE for each rule of the "
		       "policy"
	};

	return line.where ? report_add(builder->report, &line, err) : -ENOMEM;
}

/* Meant for runtimes that have to give a pod's machine its size at once. The kubelet has set these limits on the cgroup above the
 * pod's containers, which holds for whatever is in it. */
static int report_pod_size(struct plan_builder *builder, const struct json_pair *annotation, struct error *err)
{
	struct report_line line = { .level = REPORT_NOTE,
				    .rule = "pod-size",
				    .where = annotation_where(builder, annotation->name, err),
				    .asked = plan_builder_text(builder, err, "%.64s", annotation->value),
				    .why = "it is held by the cgroup of the pod, which the kubelet makes" };

	return line.where && line.asked ? report_add(builder->report, &line, err) : -ENOMEM;
}

static int report_annotations(struct plan_builder *builder, bool *ret_is_sandbox, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < builder->spec->n_annotations; i++) {
		const struct json_pair *annotation = &builder->spec->annotations[i];
		const char *name = annotation->name;

		if (strcmp(name, ANNOTATION_CONTAINER_TYPE) == 0)
			*ret_is_sandbox = strcmp(annotation->value, "sandbox") == 0;
		else if (strncmp(name, ANNOTATION_PREFIX, strlen(ANNOTATION_PREFIX)) == 0 && !is_known(name) &&
			 !plan_levels_knows(builder, name))
			rc = report_unknown(builder, name, err);
		else if (strncmp(name, ANNOTATION_SANDBOX_CPU, strlen(ANNOTATION_SANDBOX_CPU)) == 0 ||
			 strcmp(name, ANNOTATION_SANDBOX_MEMORY) == 0)
			rc = report_pod_size(builder, annotation, err);
	}
	return rc;
}

int plan_limits_build(struct plan_builder *builder, struct error *err)
{
	bool is_sandbox = false;
	int rc = report_annotations(builder, &is_sandbox, err);

	/* A pod's pause container runs nothing of the workload's, and its end would be the pod's: the pod's annotations, which it gets as
	 * well, and the site's maximum are for the containers in it. */
	for (size_t i = 0; rc >= 0 && !is_sandbox && i < ARRAY_SIZE(limits); i++)
		rc = build_one(builder, &limits[i], err);
	return rc;
}
