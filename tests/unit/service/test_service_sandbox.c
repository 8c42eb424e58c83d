/* The sandbox service: a pod's life, who is told of its end, and what ends the shim. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "shim/proto/sandbox.pb-c.h"
#include "shim/proto/task.pb-c.h"
#include "shim/service/service_core.h"
#include "shim/ttrpc/status.h"
#include "tests/unit/service/fake_holder.h"
#include "tests/unit/service/service_fixture.h"

static struct service_fixture fixture;

static void set_up(void)
{
	memset(&fake_holder, 0, sizeof(fake_holder));
	service_fixture_init(&fixture);
}

static void tear_down(void)
{
	service_fixture_done(&fixture);
	cr_expect_not(fake_holder.is_there, "the holder goes with the service");
}

TestSuite(service_sandbox, .init = set_up, .fini = tear_down);

static const struct service_answer *ask(const char *method, const void *message)
{
	static struct service_answer answer;

	service_fixture_send(fixture.client, &answer,
			     (struct service_question){ .service = SANDBOX, .method = method, .message = message });
	service_fixture_wait(&fixture, &answer);
	return &answer;
}

static void expect(const char *method, const void *message, enum status_code code, const char *reason)
{
	const struct service_answer *answer = ask(method, message);

	cr_expect_eq(answer->code, code, "%s: %d: %s", method, answer->code, answer->message);
	if (reason)
		cr_expect_not_null(strstr(answer->message, reason), "%s: %s", method, answer->message);
}

static const Wire__SandboxRequest *pod(const char *id)
{
	static Wire__SandboxRequest request;

	wire__sandbox_request__init(&request);
	request.sandbox_id = (char *)id;
	return &request;
}

static void create(enum status_code code, const char *reason)
{
	/* hostname "web"; linux { security_context { namespace_options { pid: CONTAINER } } sysctls { net.a: 1 } } */
	static uint8_t config[] = "\x12\x03web\x42\x12\x12\x04\x0a\x02\x10\x01\x1a\x0a\x0a\x05net.a\x12\x01"
				  "1";
	Wire__CreateSandboxRequest request = WIRE__CREATE_SANDBOX_REQUEST__INIT;
	Wire__Any options = WIRE__ANY__INIT;

	options.type_url = "runtime.v1.PodSandboxConfig";
	options.value = (ProtobufCBinaryData){ .data = config, .len = sizeof(config) - 1 };
	request.sandbox_id = "pod";
	request.bundle_path = "/b";
	request.netns_path = "/run/netns/a";
	request.options = &options;
	expect("CreateSandbox", &request, code, reason);
}

/* field: 1 network, 2 pid, 3 ipc of NamespaceOption, which is to be NODE */
static void create_with_the_hosts(uint8_t field, enum status_code code, const char *reason)
{
	/* linux { security_context { namespace_options { FIELD: NODE } } } */
	uint8_t config[] = { 0x42, 6, 0x12, 4, 0x0a, 2, (uint8_t)(field << 3), 2 };
	Wire__CreateSandboxRequest request = WIRE__CREATE_SANDBOX_REQUEST__INIT;
	Wire__Any options = WIRE__ANY__INIT;

	options.type_url = "runtime.v1.PodSandboxConfig";
	options.value = (ProtobufCBinaryData){ .data = config, .len = sizeof(config) };
	request.sandbox_id = "pod";
	request.bundle_path = "/b";
	request.options = &options;
	expect("CreateSandbox", &request, code, reason);
}

Test(service_sandbox, a_policy_refuses_the_hosts_namespaces)
{
	static const struct {
		uint8_t field;
		const char *reason;
	} kinds[] = { { 1, "network" }, { 2, "pid" }, { 3, "ipc" } };
	char reason[64];

	fixture.service->options.refuses_the_hosts = "strict";
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		snprintf(reason, sizeof(reason), "asked for the host's %s namespace, but ", kinds[i].reason);
		create_with_the_hosts(kinds[i].field, STATUS_PERMISSION_DENIED, reason);
		create_with_the_hosts(kinds[i].field, STATUS_PERMISSION_DENIED,
				      "; rule host-namespace of policy strict refuses that: ");
	}
	/* Nothing of it is left: the id is free, and a pod of its own namespaces is made. */
	create(STATUS_OK, NULL);
}

Test(service_sandbox, without_such_a_policy_it_has_the_hosts_namespaces)
{
	fixture.service->options.refuses_the_hosts = "";
	create_with_the_hosts(1, STATUS_OK, NULL);
}

static void start(void)
{
	Wire__StartSandboxResponse *answer;

	create(STATUS_OK, NULL);
	answer = service_fixture_unpack(ask("StartSandbox", pod("pod")), &wire__start_sandbox_response__descriptor);
	cr_expect_eq(answer->pid, 4242);
	cr_assert_not_null(answer->created_at);
	cr_expect_gt(answer->created_at->seconds, 1700000000);
	cr_assert_not_null(answer->spec);
	cr_expect_str_eq(answer->spec->type_url, "types.containerd.io/opencontainers/runtime-spec/1/Spec");
	wire__start_sandbox_response__free_unpacked(answer, NULL);
}

static void expect_status(const char *state, uint32_t pid, bool has_exited)
{
	Wire__SandboxStatusResponse *answer;

	answer = service_fixture_unpack(ask("SandboxStatus", pod("pod")), &wire__sandbox_status_response__descriptor);
	cr_expect_str_eq(answer->state, state);
	cr_expect_str_eq(answer->sandbox_id, "pod");
	cr_expect_eq(answer->pid, pid);
	cr_expect_eq(answer->exited_at != NULL, has_exited);
	wire__sandbox_status_response__free_unpacked(answer, NULL);
}

Test(service_sandbox, a_life)
{
	static struct service_answer waiting;
	Wire__WaitResponse *waited;

	start();
	cr_expect_eq(fake_holder.namespaces, CLONE_NEWIPC | CLONE_NEWUTS);
	cr_expect_str_eq(fake_holder.network_path, "/run/netns/a");
	cr_expect_str_eq(fake_holder.hostname, "web");
	cr_expect_str_eq(fake_holder.sysctls, "net.a=1 ");
	cr_expect_not(fake_holder.with_network_owner);
	expect("PingSandbox", pod("pod"), STATUS_OK, NULL);
	expect_status("SANDBOX_READY", 4242, false);
	service_fixture_send(
		fixture.client, &waiting,
		(struct service_question){ .service = SANDBOX, .method = "WaitSandbox", .message = pod("pod") });
	service_fixture_settle(&fixture);
	cr_expect_not(waiting.is_done);
	cr_expect(fake_holder.is_there);
	expect("StopSandbox", pod("pod"), STATUS_OK, NULL);
	cr_expect_not(fake_holder.is_there);
	service_fixture_wait(&fixture, &waiting);
	waited = service_fixture_unpack(&waiting, &wire__wait_response__descriptor);
	cr_expect_eq(waited->exit_status, 0);
	cr_assert_not_null(waited->exited_at);
	wire__wait_response__free_unpacked(waited, NULL);
	expect_status("SANDBOX_NOTREADY", 4242, true);
	expect("StopSandbox", pod("pod"), STATUS_OK, NULL);
	expect("WaitSandbox", pod("pod"), STATUS_OK, NULL);
	expect("StartSandbox", pod("pod"), STATUS_FAILED_PRECONDITION, "was stopped");
	expect("ShutdownSandbox", pod("pod"), STATUS_OK, NULL);
	cr_expect_not(scratch_has(&fixture.scratch, "s/socket"));
	alarm(60);
	cr_expect_eq(loop_run(fixture.loop), 0);
	alarm(0);
}

Test(service_sandbox, the_holders_death_is_the_sandboxs_end)
{
	static struct service_answer waiting[2];
	struct client *other = service_fixture_connect(&fixture);
	Wire__WaitResponse *waited;

	start();
	service_fixture_send(
		fixture.client, &waiting[0],
		(struct service_question){ .service = SANDBOX, .method = "WaitSandbox", .message = pod("pod") });
	service_fixture_send(
		other, &waiting[1],
		(struct service_question){ .service = SANDBOX, .method = "WaitSandbox", .message = pod("pod") });
	service_fixture_settle(&fixture);
	client_free(other);
	service_fixture_settle(&fixture);
	fake_holder.ended(fake_holder.context);
	service_fixture_wait(&fixture, &waiting[0]);
	waited = service_fixture_unpack(&waiting[0], &wire__wait_response__descriptor);
	cr_expect_eq(waited->exit_status, 137);
	wire__wait_response__free_unpacked(waited, NULL);
	cr_expect_not(waiting[1].is_done);
	expect_status("SANDBOX_NOTREADY", 4242, true);
}

Test(service_sandbox, containers_get_the_pods_files)
{
	char path[256];

	start();
	cr_expect(fake_holder.has_files);
	service_fixture_create(&fixture);
	cr_assert_eq(fake.n_binds, 1);
	snprintf(path, sizeof(path), "%s/hosts", fixture.bundle);
	cr_expect_str_eq(fake.binds[0].source, path);
	cr_expect_str_eq(fake.binds[0].destination, "/etc/hosts");
	cr_expect(fake.binds[0].follows_root);
	expect("StopSandbox", pod("pod"), STATUS_OK, NULL);
	cr_expect_not(fake_holder.has_files);
}

Test(service_sandbox, a_pod_that_can_not_be_held_leaves_no_files)
{
	create(STATUS_OK, NULL);
	error_set(&fake_holder.failure, ERROR_REFUSED, EPERM, "no namespaces today");
	expect("StartSandbox", pod("pod"), status_from_error(&fake_holder.failure), "no namespaces today");
	cr_expect_not(fake_holder.has_files);
	error_set(&fake_holder.files_failure, ERROR_SYSTEM, EROFS, "no files today");
	fake_holder.failure = (struct error){ 0 };
	expect("StartSandbox", pod("pod"), status_from_error(&fake_holder.files_failure), "no files today");
	cr_expect_eq(fake_holder.n_started, 0);
}

Test(service_sandbox, platform_is_the_hosts)
{
	Wire__PlatformResponse *answer;
	struct utsname names;

	create(STATUS_OK, NULL);
	answer = service_fixture_unpack(ask("Platform", pod("pod")), &wire__platform_response__descriptor);
	cr_expect_str_eq(answer->platform->os, "linux");
	cr_assert_eq(uname(&names), 0);
	if (strcmp(names.machine, "x86_64") == 0)
		cr_expect_str_eq(answer->platform->architecture, "amd64");
	else
		cr_expect_gt(strlen(answer->platform->architecture), 0);
	wire__platform_response__free_unpacked(answer, NULL);
}

Test(service_sandbox, there_is_one_and_it_has_a_name)
{
	static const char *const methods[] = { "StartSandbox",	"Platform",    "StopSandbox",	"WaitSandbox",
					       "SandboxStatus", "PingSandbox", "SandboxMetrics" };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		expect(methods[i], pod("pod"), STATUS_NOT_FOUND, "sandbox pod: there is no sandbox");
		expect(methods[i], pod(""), STATUS_INVALID_ARGUMENT, "sandbox_id: none was given");
	}
	create(STATUS_OK, NULL);
	create(STATUS_ALREADY_EXISTS, "sandbox pod");
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		expect(methods[i], pod("other"), STATUS_NOT_FOUND, "sandbox other");
	expect("ShutdownSandbox", pod("other"), STATUS_NOT_FOUND, "sandbox other");
	expect("SandboxMetrics", pod("pod"), STATUS_UNIMPLEMENTED, "cgroup_parent");
	expect("UpdateSandbox", pod("pod"), STATUS_UNIMPLEMENTED, NULL);
}

Test(service_sandbox, bad_options_make_none)
{
	Wire__CreateSandboxRequest request = WIRE__CREATE_SANDBOX_REQUEST__INIT;
	Wire__Any options = WIRE__ANY__INIT;

	request.sandbox_id = "pod";
	request.options = &options;
	options.type_url = "runtime.v1.Something";
	expect("CreateSandbox", &request, STATUS_INVALID_ARGUMENT, "runtime.v1.Something");
	options.type_url = "runtime.v1.PodSandboxConfig";
	options.value = (ProtobufCBinaryData){ .data = (uint8_t *)"\x42\x7f", .len = 2 };
	expect("CreateSandbox", &request, STATUS_INVALID_ARGUMENT, "malformed");
	expect("PingSandbox", pod("pod"), STATUS_NOT_FOUND, NULL);
	request.options = NULL;
	expect("CreateSandbox", &request, STATUS_OK, NULL);
}

Test(service_sandbox, a_failed_start_can_be_cleaned_up)
{
	create(STATUS_OK, NULL);
	error_set(&fake_holder.failure, ERROR_SYSTEM, ENOSPC, "no namespaces left");
	expect("StartSandbox", pod("pod"), STATUS_UNKNOWN, "start sandbox pod: no namespaces left");
	expect_status("SANDBOX_NOTREADY", 0, false);
	expect("ShutdownSandbox", pod("pod"), STATUS_OK, NULL);
	cr_expect_not(scratch_has(&fixture.scratch, "s/socket"));
}

Test(service_sandbox, shutdown_without_a_sandbox_ends_the_shim)
{
	expect("ShutdownSandbox", pod("pod"), STATUS_OK, NULL);
	cr_expect_not(scratch_has(&fixture.scratch, "s/socket"));
	create(STATUS_FAILED_PRECONDITION, NULL);
}

Test(service_sandbox, the_last_container_does_not_end_the_shim)
{
	Wire__ShutdownRequest request = WIRE__SHUTDOWN_REQUEST__INIT;

	start();
	service_fixture_create(&fixture);
	expect("ShutdownSandbox", pod("pod"), STATUS_FAILED_PRECONDITION, "containers left");
	cr_expect(fake_holder.is_there);
	fake.count = 0;
	service_fixture_expect(&fixture, "Shutdown", &request, STATUS_OK, NULL);
	expect("PingSandbox", pod("pod"), STATUS_OK, NULL);
	cr_expect(scratch_has(&fixture.scratch, "s/socket"));
	expect("ShutdownSandbox", pod("pod"), STATUS_OK, NULL);
	cr_expect_not(fake_holder.is_there);
	cr_expect_not(scratch_has(&fixture.scratch, "s/socket"));
}
