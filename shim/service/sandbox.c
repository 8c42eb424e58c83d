#include "shim/service/sandbox.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/log.h"
#include "shim/proto/sandbox.pb-c.h"
#include "shim/proto/task.pb-c.h"
#include "shim/service/service_core.h"
#include "shim/service/task_time.h"

#define SPEC_TYPE "types.containerd.io/opencontainers/runtime-spec/1/Spec"
#define SANDBOX_MEMORY ((size_t)1024 * 1024)

void sandbox_done(struct sandbox *sandbox)
{
	sandbox_files_remove(&sandbox->files);
	holder_free(steal_ptr(&sandbox->holder));
	arena_free(steal_ptr(&sandbox->arena));
}

/* May the sandbox of that id be asked this, in its state? */
static int step(const struct service_call *call, const char *id, enum sandbox_event event, struct sandbox_step *ret,
		struct error *err)
{
	const struct sandbox *sandbox = &call->service->sandbox;
	int r = call_check_id("sandbox_id", id, err);

	if (r == 0 && event != SANDBOX_ASKED_CREATE && sandbox->id && strcmp(sandbox->id, id) != 0)
		r = error_set(err, ERROR_NOT_FOUND, ENOENT, "this shim is there for another one");
	if (r == 0)
		r = sandbox_state_step(sandbox->state, event, ret, err);
	return r < 0 ? error_prefix(err, "sandbox %.200s", id) : 0;
}

static int read_config(const Wire__CreateSandboxRequest *asked, struct arena *arena, struct sandbox_config *ret,
		       struct error *err)
{
	struct wire_bytes message = { 0 };
	const char *type = asked->options ? strrchr(asked->options->type_url, '.') : NULL;

	if (asked->options && strcmp(type ? type + 1 : "", SANDBOX_CONFIG_TYPE) != 0)
		return error_invalid(err, "options: of type \"%.200s\"; brig takes runtime.v1." SANDBOX_CONFIG_TYPE,
				     asked->options->type_url);
	if (asked->options)
		message = (struct wire_bytes){ asked->options->value.data, asked->options->value.len };
	return sandbox_config_decode(message, asked->netns_path, arena, ret, err);
}

/* The containers will be told the same; here before the pod has anything. config.json's place is not known yet. */
static int check_namespaces(const struct service *service, const struct sandbox_config *config, struct error *err)
{
	const char *policy = service->options.refuses_the_hosts;
	static const uint64_t kinds[] = { CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWPID };

	for (size_t i = 0; policy && *policy && i < ARRAY_SIZE(kinds); i++) {
		if (config->of_the_host & kinds[i])
			return brig_refuse_the_hosts(policy, kinds[i], err);
	}
	return 0;
}

static int create(struct service_call *call, const void *request, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(SANDBOX_MEMORY);
	struct sandbox *sandbox = &call->service->sandbox;
	const Wire__CreateSandboxRequest *asked = request;
	struct sandbox_config config;
	struct sandbox_step step_to;
	const char *id;
	int r;

	if (call->service->is_ending)
		return error_set(err, ERROR_STATE, EBUSY, "sandbox %.200s: this shim is about to end", asked->sandbox_id);
	r = step(call, asked->sandbox_id, SANDBOX_ASKED_CREATE, &step_to, err);
	if (r < 0)
		return r;
	id = arena ? arena_strdup(arena, asked->sandbox_id) : NULL;
	r = id ? read_config(asked, arena, &config, err) : error_memory(err);
	if (r == 0)
		r = check_namespaces(call->service, &config, err);
	if (r < 0)
		return error_prefix(err, "create sandbox %.200s", asked->sandbox_id);
	sandbox->arena = steal_ptr(&arena);
	sandbox->id = id;
	sandbox->config = config;
	sandbox->state = step_to.next;
	return call_answer_empty(call);
}

/* WaitSandbox: of an end that has been. */
static void answer_wait(struct service_call *call)
{
	const struct sandbox *sandbox = &call->service->sandbox;
	Wire__WaitResponse answer = WIRE__WAIT_RESPONSE__INIT;
	Wire__Timestamp exited_at;

	answer.exit_status = (uint32_t)sandbox->exit_status;
	answer.exited_at = task_time(sandbox->exited_at, &exited_at);
	call_answer(call, &answer);
}

/* The namespaces go once the last process in them does: containers that still run keep theirs. Who waits hears of it now. */
static void stop_now(struct service *service, int exit_status)
{
	struct sandbox *sandbox = &service->sandbox;
	struct service_call *call = service->calls;

	holder_free(steal_ptr(&sandbox->holder));
	sandbox_files_remove(&sandbox->files);
	sandbox->state = SANDBOX_STOPPED;
	sandbox->exit_status = exit_status;
	clock_gettime(CLOCK_REALTIME, &sandbox->exited_at);
	while (call) {
		struct service_call *next = call->next;

		if (call->waits_for_sandbox)
			answer_wait(call);
		call = next;
	}
}

/* The holder was killed by somebody else, for memory say: its pod is as good as gone, and containerd has to hear that it is not ready. */
static void handle_end(void *context)
{
	struct service *service = context;
	struct sandbox_step step_to;
	struct error err;

	log_warning("sandbox %s: the process that keeps its namespaces is gone", service->sandbox.id);
	if (sandbox_state_step(service->sandbox.state, SANDBOX_ENDED, &step_to, &err) == 0 && step_to.act)
		stop_now(service, 128 + SIGKILL);
}

/* Files first, and the holder last: a failure in between leaves nothing that runs, and can be tried again. */
static int start(struct service_call *call, const void *request, struct error *err)
{
	struct sandbox *sandbox = &call->service->sandbox;
	const Wire__SandboxRequest *asked = request;
	const struct holder_options options = {
		.loop = call->service->options.loop,
		.namespaces = sandbox->config.namespaces,
		.network_path = sandbox->config.network_path,
		.with_network_owner = sandbox->config.has_user_namespace,
		.hostname = sandbox->config.hostname,
		.sysctls = sandbox->config.sysctls,
		.n_sysctls = sandbox->config.n_sysctls,
		.ended = handle_end,
		.context = call->service,
	};
	static const char empty_spec[] = "{}";
	Wire__StartSandboxResponse answer = WIRE__START_SANDBOX_RESPONSE__INIT;
	Wire__Any spec = WIRE__ANY__INIT;
	struct sandbox_step step_to;
	Wire__Timestamp created_at;
	int r = step(call, asked->sandbox_id, SANDBOX_ASKED_START, &step_to, err);

	if (r < 0)
		return r;
	r = sandbox_files_make(call->service->options.bundle, &sandbox->config, sandbox->arena, &sandbox->files, err);
	if (r == 0)
		r = holder_start(&options, &sandbox->holder, err);
	if (r < 0) {
		sandbox_files_remove(&sandbox->files);
		return error_prefix(err, "start sandbox %s", sandbox->id);
	}
	sandbox->state = step_to.next;
	sandbox->pid = holder_pid(sandbox->holder);
	clock_gettime(CLOCK_REALTIME, &sandbox->created_at);
	answer.pid = (uint32_t)sandbox->pid;
	answer.created_at = task_time(sandbox->created_at, &created_at);
	/* containerd takes it for NRI, and complains of one without a type: a pod's holder has none, so it says nothing. */
	spec.type_url = (char *)SPEC_TYPE;
	spec.value = (ProtobufCBinaryData){ .data = (uint8_t *)empty_spec, .len = strlen(empty_spec) };
	answer.spec = &spec;
	return call_answer(call, &answer);
}

/* Go's name of what the kernel calls it. */
static const char *architecture(const char *machine)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "armv7l", "arm" }, { "i686", "386" }
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(machine, names[i][0]) == 0)
			return names[i][1];
	}
	return machine; /* riscv64, ppc64le, s390x: the same */
}

static int platform(struct service_call *call, const void *request, struct error *err)
{
	const Wire__SandboxRequest *asked = request;
	Wire__PlatformResponse answer = WIRE__PLATFORM_RESPONSE__INIT;
	Wire__Platform platform = WIRE__PLATFORM__INIT;
	struct sandbox_step unused;
	struct utsname names;
	int r = step(call, asked->sandbox_id, SANDBOX_ASKED, &unused, err);

	if (r < 0)
		return r;
	if (uname(&names) < 0)
		return error_system(err, errno, "uname");
	platform.os = (char *)"linux";
	platform.architecture = (char *)architecture(names.machine);
	answer.platform = &platform;
	return call_answer(call, &answer);
}

static int stop(struct service_call *call, const void *request, struct error *err)
{
	const Wire__StopSandboxRequest *asked = request;
	struct sandbox_step step_to;
	int r = step(call, asked->sandbox_id, SANDBOX_ASKED_STOP, &step_to, err);

	if (r < 0)
		return r;
	if (step_to.act)
		stop_now(call->service, 0);
	return call_answer_empty(call);
}

static int wait_for(struct service_call *call, const void *request, struct error *err)
{
	const Wire__SandboxRequest *asked = request;
	struct sandbox_step step_to;
	int r = step(call, asked->sandbox_id, SANDBOX_ASKED, &step_to, err);

	if (r < 0)
		return r;
	if (step_to.next == SANDBOX_STOPPED)
		answer_wait(call);
	else
		call->waits_for_sandbox = true;
	return 0;
}

/* CRI shows it: one that is not ready is made anew by the kubelet. */
static int status(struct service_call *call, const void *request, struct error *err)
{
	const struct sandbox *sandbox = &call->service->sandbox;
	const Wire__SandboxStatusRequest *asked = request;
	Wire__SandboxStatusResponse answer = WIRE__SANDBOX_STATUS_RESPONSE__INIT;
	Wire__Timestamp created_at, exited_at;
	struct sandbox_step unused;
	int r = step(call, asked->sandbox_id, SANDBOX_ASKED, &unused, err);

	if (r < 0)
		return r;
	answer.sandbox_id = (char *)sandbox->id;
	answer.pid = (uint32_t)sandbox->pid;
	answer.state = (char *)(sandbox->state == SANDBOX_READY ? "SANDBOX_READY" : "SANDBOX_NOTREADY");
	answer.created_at = task_time(sandbox->created_at, &created_at);
	answer.exited_at = task_time(sandbox->exited_at, &exited_at);
	return call_answer(call, &answer);
}

/* containerd asks whether the shim is alive: that it answers is the answer. */
static int ping(struct service_call *call, const void *request, struct error *err)
{
	const Wire__SandboxRequest *asked = request;
	struct sandbox_step unused;
	int r = step(call, asked->sandbox_id, SANDBOX_ASKED, &unused, err);

	return r < 0 ? r : call_answer_empty(call);
}

static int metrics(struct service_call *call, const void *request, struct error *err)
{
	const Wire__SandboxRequest *asked = request;
	struct sandbox_step unused;
	int r = step(call, asked->sandbox_id, SANDBOX_ASKED, &unused, err);

	return r < 0 ? r : sandbox_metrics_answer(call, err);
}

/* The one way in which a shim with a sandbox ends. */
static int shut_down(struct service_call *call, const void *request, struct error *err)
{
	const Wire__SandboxRequest *asked = request;
	struct service *service = call->service;
	struct sandbox_step step_to;
	int r = step(call, asked->sandbox_id, SANDBOX_ASKED_SHUTDOWN, &step_to, err);

	if (r < 0)
		return r;
	/* Whom should they be told to, once they end? */
	if (service_has_tasks(service))
		return error_set(err, ERROR_STATE, EBUSY, "sandbox %s: it has containers left; delete them first",
				 asked->sandbox_id);
	if (service->sandbox.state != SANDBOX_STOPPED)
		stop_now(service, 0);
	call_answer_empty(call);
	service_end(service);
	return 0;
}

const struct call_operation sandbox_operations[] = {
	{ "CreateSandbox", &wire__create_sandbox_request__descriptor, create },
	{ "StartSandbox", &wire__sandbox_request__descriptor, start },
	{ "Platform", &wire__sandbox_request__descriptor, platform },
	{ "StopSandbox", &wire__stop_sandbox_request__descriptor, stop },
	{ "WaitSandbox", &wire__sandbox_request__descriptor, wait_for },
	{ "SandboxStatus", &wire__sandbox_status_request__descriptor, status },
	{ "PingSandbox", &wire__sandbox_request__descriptor, ping },
	{ "SandboxMetrics", &wire__sandbox_request__descriptor, metrics },
	{ "ShutdownSandbox", &wire__sandbox_request__descriptor, shut_down },
	{ 0 },
};
