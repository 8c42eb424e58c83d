#include "shim/proto/sandbox.pb-c.h"
#include "shim/service/sandbox.h"
#include "shim/service/service_core.h"
#include "shim/service/task_metrics.h"
#include "shim/service/task_time.h"

/* The group is the kubelet's, and its limits too: it is only read here. */
static int open_group(const struct sandbox *sandbox, struct brig_group **ret, struct error *err)
{
	const char *path = sandbox->config.cgroup_path;

	if (!path)
		return error_set(err, ERROR_UNSUPPORTED, ENOSYS,
				 "it has no control group (cgroup_parent); ask for the metrics of its containers instead");
	return brig_group_open_parent(path, ret, err);
}

/* The pod's figures hold the containers' as well: the kubelet put them below the group. */
int sandbox_metrics_answer(struct service_call *call, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer packed = { 0 };
	const struct sandbox *sandbox = &call->service->sandbox;
	Wire__SandboxMetricsResponse answer = WIRE__SANDBOX_METRICS_RESPONSE__INIT;
	AUTO(brig_group_free) struct brig_group *group = NULL;
	Wire__Metric metric = WIRE__METRIC__INIT;
	Wire__Any any = WIRE__ANY__INIT;
	struct brig_metrics from = { 0 };
	Wire__Timestamp timestamp;
	struct timespec now;
	int r = open_group(sandbox, &group, err);

	if (r == 0)
		r = brig_group_metrics(group, call->arena, &from, err)
			    ?: task_metrics_pack(&from, call->arena, &packed, err);
	if (r < 0)
		return error_prefix(err, "sandbox %s", sandbox->id);
	clock_gettime(CLOCK_REALTIME, &now);
	any.type_url = (char *)TASK_METRICS_TYPE;
	any.value = (ProtobufCBinaryData){ .data = (uint8_t *)packed.data, .len = packed.length };
	metric.timestamp = task_time(now, &timestamp);
	metric.id = (char *)sandbox->id;
	metric.data = &any;
	answer.metrics = &metric;
	return call_answer(call, &answer);
}
