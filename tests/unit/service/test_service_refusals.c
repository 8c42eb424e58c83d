/* What is refused, with which status, and that the service goes on. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "shim/bootstrap/arguments.h"
#include "shim/proto/options.pb-c.h"
#include "shim/proto/task.pb-c.h"
#include "tests/unit/service/service_fixture.h"

static struct service_fixture fixture;

static void set_up(void)
{
	service_fixture_init(&fixture);
}

static void tear_down(void)
{
	service_fixture_done(&fixture);
}

TestSuite(service_refusals, .init = set_up, .fini = tear_down);

static const char *const methods[] = { "State",	    "Create", "Start",	    "Delete", "Pids",
				       "Pause",	    "Resume", "Kill",	    "Exec",   "CloseIO",
				       "ResizePty", "Update", "Checkpoint", "Wait",   "Stats" };

/* Fields 1 (id) and 2 are texts in all of them but Update, whose 2 is an Any: there it is the other way round. */
Test(service_refusals, every_call_refuses_what_is_malformed)
{
	static const char *const raw[] = { "\x0a\x05"
					   "ab",
					   "\x0a\x02\xff\xfe",
					   "\x0a\x03"
					   "a\0b",
					   "\x08\x01",
					   "\x0b\x0c",
					   "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
					   "\x00" };
	static const size_t lengths[] = { 4, 4, 5, 2, 2, 11, 1 };

	service_fixture_create(&fixture);
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(raw); j++) {
			struct service_answer answer;

			*fake.asked = '\0';
			service_fixture_send(fixture.client, &answer,
					     (struct service_question){ .method = methods[i],
									.raw = { raw[j], lengths[j] } });
			service_fixture_wait(&fixture, &answer);
			cr_expect_eq(answer.code, STATUS_INVALID_ARGUMENT, "%s %zu: %d: %s", methods[i], j, answer.code,
				     answer.message);
			cr_expect_str_eq(fake.asked, "", "%s %zu", methods[i], j);
		}
	}
}

Test(service_refusals, every_call_wants_an_id)
{
	service_fixture_create(&fixture);
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		Wire__ProcessRequest empty = WIRE__PROCESS_REQUEST__INIT;

		service_fixture_expect(&fixture, methods[i], &empty, STATUS_INVALID_ARGUMENT, "id: none was given");
	}
}

Test(service_refusals, ids_are_names_of_a_length)
{
	static char id[BRIG_ID_MAX + 2];
	Wire__ProcessRequest request = WIRE__PROCESS_REQUEST__INIT;

	service_fixture_create(&fixture);
	memset(id, 'x', BRIG_ID_MAX + 1);
	request.id = id;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		service_fixture_expect(&fixture, methods[i], &request, STATUS_RESOURCE_EXHAUSTED, "1025 bytes");
	id[ARGUMENTS_NAME_MAX] = '\0';
	service_fixture_expect(&fixture, "State", &request, STATUS_OK, NULL);
	id[ARGUMENTS_NAME_MAX] = 'x';
	id[ARGUMENTS_NAME_MAX + 1] = '\0';
	service_fixture_expect(&fixture, "State", &request, STATUS_INVALID_ARGUMENT, "at most 250");
	request.id = "../up";
	service_fixture_expect(&fixture, "State", &request, STATUS_INVALID_ARGUMENT, "id is \"../up\"");
	request.id = "web";
	memset(id, 'x', BRIG_ID_MAX + 1);
	request.exec_id = id;
	service_fixture_expect(&fixture, "State", &request, STATUS_RESOURCE_EXHAUSTED, "exec_id: 1025 bytes");
}

Test(service_refusals, nothing_is_found_before_the_first_create)
{
	static const char *const asking[] = { "State", "Start",	  "Delete",	"Pids", "Pause", "Resume",
					      "Kill",  "CloseIO", "Checkpoint", "Wait", "Stats" };
	Wire__ProcessRequest request = WIRE__PROCESS_REQUEST__INIT;

	request.id = "web";
	for (size_t i = 0; i < ARRAY_SIZE(asking); i++)
		service_fixture_expect(&fixture, asking[i], &request, STATUS_NOT_FOUND, "container web");
	service_fixture_expect(&fixture, "Connect", &request, STATUS_OK, NULL);
}

Test(service_refusals, errors_of_tasks_become_statuses)
{
	static const struct {
		enum error_kind kind;
		int code;
		enum status_code status;
	} cases[] = {
		{ ERROR_NOT_FOUND, ENOENT, STATUS_NOT_FOUND },
		{ ERROR_EXISTS, EEXIST, STATUS_ALREADY_EXISTS },
		{ ERROR_STATE, EBUSY, STATUS_FAILED_PRECONDITION },
		{ ERROR_NOT_RUNNING, ESRCH, STATUS_NOT_FOUND },
		{ ERROR_INVALID, EINVAL, STATUS_INVALID_ARGUMENT },
		{ ERROR_REFUSED, EPERM, STATUS_PERMISSION_DENIED },
		{ ERROR_UNSUPPORTED, ENOSYS, STATUS_UNIMPLEMENTED },
		{ ERROR_TIMEOUT, ETIMEDOUT, STATUS_DEADLINE_EXCEEDED },
		{ ERROR_SYSTEM, EPERM, STATUS_UNKNOWN },
		{ ERROR_INTERNAL, EINVAL, STATUS_INTERNAL },
	};
	Wire__ProcessRequest request = WIRE__PROCESS_REQUEST__INIT;

	service_fixture_create(&fixture);
	request.id = "web";
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct service_answer answer;
		struct error err;

		/* From within the request, and later. */
		error_set(&fake.failure, cases[i].kind, cases[i].code, "a reason");
		service_fixture_expect(&fixture, "Start", &request, cases[i].status, "a reason");
		fake.failure.kind = ERROR_NONE;
		service_fixture_send(fixture.client, &answer,
				     (struct service_question){ .method = "Start", .message = &request });
		service_fixture_settle(&fixture);
		error_set(&err, cases[i].kind, cases[i].code, "another reason");
		fake_tasks_reply(&err);
		service_fixture_wait(&fixture, &answer);
		cr_expect_eq(answer.code, cases[i].status);
		cr_expect_str_eq(answer.message, "another reason");
	}
}

Test(service_refusals, unknown_methods_and_services_are_unimplemented)
{
	static const char *const services[] = { TASK_V2, TASK_V3, "containerd.task.v4.Task", SANDBOX };

	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		struct service_answer answer;

		service_fixture_send(fixture.client, &answer,
				     (struct service_question){ .service = services[i], .method = "Frobnicate" });
		service_fixture_wait(&fixture, &answer);
		cr_expect_eq(answer.code, STATUS_UNIMPLEMENTED, "%d: %s", answer.code, answer.message);
	}
}

static void expect_json(const char *method, const char *type, size_t length, enum status_code code, const char *reason)
{
	Wire__UpdateTaskRequest update = WIRE__UPDATE_TASK_REQUEST__INIT;
	Wire__ExecProcessRequest exec = WIRE__EXEC_PROCESS_REQUEST__INIT;
	bool is_exec = strcmp(method, "Exec") == 0;
	Wire__Any any = WIRE__ANY__INIT;
	char *json = calloc(1, length + 1);

	memset(json, ' ', length);
	any.type_url = (char *)type;
	any.value = (ProtobufCBinaryData){ .data = (uint8_t *)json, .len = length };
	update.id = exec.id = "web";
	exec.exec_id = "probe";
	if (type)
		update.resources = exec.spec = &any;
	*fake.asked = '\0';
	service_fixture_expect(&fixture, method, is_exec ? (void *)&exec : (void *)&update, code, reason);
	cr_expect_str_eq(fake.asked, "");
	free(json);
}

Test(service_refusals, json_of_another_type_or_size)
{
	service_fixture_create(&fixture);
	expect_json("Exec", NULL, 2, STATUS_INVALID_ARGUMENT, "spec: none was given");
	expect_json("Exec", "", 2, STATUS_INVALID_ARGUMENT, "spec: of type \"\"");
	expect_json("Exec", "types.containerd.io/opencontainers/runtime-spec/1/Spec", 2, STATUS_INVALID_ARGUMENT,
		    "runtime-spec/1/Spec\"; give");
	expect_json("Exec", "x/MyProcess", 2, STATUS_INVALID_ARGUMENT, "MyProcess");
	expect_json("Exec", "Process", (size_t)2 * 1024 * 1024 + 1, STATUS_RESOURCE_EXHAUSTED, "2097153 bytes");
	expect_json("Update", NULL, 2, STATUS_INVALID_ARGUMENT, "resources: none was given");
	expect_json("Update", "x/Process", 2, STATUS_INVALID_ARGUMENT, "LinuxResources");
	expect_json("Update", "x/LinuxResources", (size_t)256 * 1024 + 1, STATUS_RESOURCE_EXHAUSTED, "262145 bytes");
}

Test(service_refusals, create_checks_what_it_gets)
{
	static char url[16 * 1024 + 2];
	Wire__CreateTaskRequest create = WIRE__CREATE_TASK_REQUEST__INIT;
	Wire__Mount mount = WIRE__MOUNT__INIT, *mounts[129];

	create.id = "web";
	service_fixture_expect(&fixture, "Create", &create, STATUS_INVALID_ARGUMENT, "bundle");
	create.bundle = "relative";
	service_fixture_expect(&fixture, "Create", &create, STATUS_INVALID_ARGUMENT, "\"relative\" is no absolute path");
	create.bundle = "/b";
	create.checkpoint = "c";
	service_fixture_expect(&fixture, "Create", &create, STATUS_INVALID_ARGUMENT, "checkpoint");
	create.checkpoint = "";
	create.parent_checkpoint = "/c";
	service_fixture_expect(&fixture, "Create", &create, STATUS_UNIMPLEMENTED, "checkpoint");
	create.parent_checkpoint = "";
	memset(url, 'x', sizeof(url) - 1);
	create.stdout = url;
	service_fixture_expect(&fixture, "Create", &create, STATUS_RESOURCE_EXHAUSTED, "stdout: 16385 bytes");
	create.stdout = "";
	create.rootfs = mounts;
	create.n_rootfs = 1;
	mounts[0] = &mount;
	mount.type = "bind";
	mount.target = "/etc";
	service_fixture_expect(&fixture, "Create", &create, STATUS_UNIMPLEMENTED, "\"/etc\"");
	mount.target = "";
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		mounts[i] = &mount;
	create.n_rootfs = 129;
	service_fixture_expect(&fixture, "Create", &create, STATUS_RESOURCE_EXHAUSTED, "129 mounts");
	cr_expect_str_eq(fake.asked, "");
	create.n_rootfs = 128;
	fake.answers_at_once = true;
	service_fixture_expect(&fixture, "Create", &create, STATUS_OK, NULL);
}

Test(service_refusals, a_signal_has_a_number)
{
	static const uint32_t numbers[] = { 65, 0x80000001, UINT32_MAX };
	Wire__KillRequest kill = WIRE__KILL_REQUEST__INIT;

	service_fixture_create(&fixture);
	kill.id = "web";
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		kill.signal = numbers[i];
		service_fixture_expect(&fixture, "Kill", &kill, STATUS_INVALID_ARGUMENT, "signal");
	}
}

Test(service_refusals, checkpoint_checks_what_it_gets)
{
	Wire__CheckpointTaskRequest checkpoint = WIRE__CHECKPOINT_TASK_REQUEST__INIT;
	Wire__RuncCheckpointOptions options = WIRE__RUNC_CHECKPOINT_OPTIONS__INIT;
	Wire__Any any = WIRE__ANY__INIT;
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer packed = { 0 };
	char *empty[] = { "network" };

	service_fixture_create(&fixture);
	checkpoint.id = "web";
	checkpoint.path = "images";
	service_fixture_expect(&fixture, "Checkpoint", &checkpoint, STATUS_INVALID_ARGUMENT,
			       "\"images\" is no absolute path");
	checkpoint.path = "/images";
	checkpoint.options = &any;
	any.type_url = "containerd.runc.v1.Options";
	service_fixture_expect(&fixture, "Checkpoint", &checkpoint, STATUS_INVALID_ARGUMENT, "CheckpointOptions");
	any.type_url = "types.containerd.io/containerd.runc.v1.CheckpointOptions";
	options.empty_namespaces = empty;
	options.n_empty_namespaces = 1;
	message_pack(&options.base, &packed);
	any.value.data = (uint8_t *)packed.data;
	any.value.len = packed.length;
	service_fixture_expect(&fixture, "Checkpoint", &checkpoint, STATUS_UNIMPLEMENTED, "empty_namespaces");
	cr_expect_null(strstr(fake.asked, "checkpoint"));
}

Test(service_refusals, checkpoint_hands_on_what_it_is_told)
{
	Wire__CheckpointTaskRequest checkpoint = WIRE__CHECKPOINT_TASK_REQUEST__INIT;
	Wire__RuncCheckpointOptions options = WIRE__RUNC_CHECKPOINT_OPTIONS__INIT;
	Wire__Any any = WIRE__ANY__INIT;
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer packed = { 0 };

	service_fixture_create(&fixture);
	fake.answers_at_once = true;
	checkpoint.id = "web";
	checkpoint.path = "/images";
	service_fixture_expect(&fixture, "Checkpoint", &checkpoint, STATUS_OK, NULL);
	cr_expect_str_eq(fake.asked, "checkpoint web to /images and goes on");
	options.exit = true;
	options.open_tcp = true;
	options.work_path = "/work";
	message_pack(&options.base, &packed);
	any.type_url = "containerd.runc.v1.CheckpointOptions";
	any.value.data = (uint8_t *)packed.data;
	any.value.len = packed.length;
	checkpoint.options = &any;
	service_fixture_expect(&fixture, "Checkpoint", &checkpoint, STATUS_OK, NULL);
	cr_expect_str_eq(fake.asked, "checkpoint web to /images tcp/work");
	fake.answers_at_once = false;
	error_set(&fake.failure, ERROR_NOT_FOUND, ENOENT, "container db: there is none");
	service_fixture_expect(&fixture, "Checkpoint", &checkpoint, STATUS_NOT_FOUND, "there is none");
}

Test(service_refusals, service_new_names_what_is_wrong)
{
	struct service_options options = { .loop = fixture.loop,
					   .listen_fd = -EBADF,
					   .namespace = "../x",
					   .bundle = fixture.bundle,
					   .socket_path = fixture.path };
	struct service *service = NULL;
	struct error err = { 0 };

	cr_expect_eq(service_new(&options, &service, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "namespace \"../x\""), "%s", err.message);
	options.namespace = "k8s.io";
	options.bundle = "/nowhere/at/all";
	cr_expect_eq(service_new(&options, &service, &err), -ENOENT);
	cr_expect_not_null(strstr(err.message, "/nowhere/at/all"), "%s", err.message);
	options.bundle = fixture.bundle;
	cr_expect_lt(service_new(&options, &service, &err), 0, "no socket");
	fake.publisher_fails = true;
	cr_expect_eq(service_new(&options, &service, &err), -EIO);
	cr_expect_null(service);
	cr_expect(scratch_has(&fixture.scratch, "s/socket"), "a service that was never there removes nothing");
}
