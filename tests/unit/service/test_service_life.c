/* Calls that wait, peers that go away, options, events, and the end. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "shim/proto/events.pb-c.h"
#include "shim/proto/options.pb-c.h"
#include "shim/proto/task.pb-c.h"
#include "tests/unit/service/service_fixture.h"

#define N_WAITS 1000

static struct service_fixture fixture;
static struct service_answer answers[N_WAITS];

static void set_up(void)
{
	service_fixture_init(&fixture);
}

static void tear_down(void)
{
	service_fixture_done(&fixture);
}

TestSuite(service_life, .init = set_up, .fini = tear_down);

static void send_wait(struct client *client, struct service_answer *answer, int64_t timeout)
{
	Wire__ProcessRequest request = WIRE__PROCESS_REQUEST__INIT;

	request.id = "web";
	service_fixture_send(client, answer,
			     (struct service_question){ .method = "Wait", .message = &request, .timeout = timeout });
}

Test(service_life, a_thousand_waits_side_by_side)
{
	Wire__ProcessRequest request = WIRE__PROCESS_REQUEST__INIT;

	service_fixture_create(&fixture);
	request.id = "web";
	for (size_t i = 0; i < N_WAITS; i++)
		send_wait(fixture.client, &answers[i], 0);
	service_fixture_settle(&fixture);
	cr_assert_eq(fake.n_replies, N_WAITS);
	service_fixture_expect(&fixture, "State", &request, STATUS_OK, NULL);
	for (size_t i = 0; i < N_WAITS; i++) {
		cr_expect_not(answers[i].is_done);
		fake.info.exit_status = (int)(i % 256);
		fake_tasks_reply(NULL);
	}
	for (size_t i = 0; i < N_WAITS; i++) {
		Wire__WaitResponse *wait;

		service_fixture_wait(&fixture, &answers[i]);
		wait = service_fixture_unpack(&answers[i], &wire__wait_response__descriptor);
		cr_expect_eq(wait->exit_status, i % 256, "each its own");
		wire__wait_response__free_unpacked(wait, NULL);
	}
}

Test(service_life, waits_of_a_peer_that_went_are_abandoned)
{
	struct client *other = service_fixture_connect(&fixture);

	service_fixture_create(&fixture);
	for (size_t i = 0; i < 50; i++)
		send_wait(i % 2 ? other : fixture.client, &answers[i], 0);
	service_fixture_settle(&fixture);
	cr_assert_eq(fake.n_replies, 50);
	client_free(other);
	service_fixture_settle(&fixture);
	cr_expect_eq(fake.n_abandoned, 25);
	cr_assert_eq(fake.n_replies, 25);
	while (fake.n_replies > 0)
		fake_tasks_reply(NULL);
	for (size_t i = 0; i < 50; i += 2)
		service_fixture_wait(&fixture, &answers[i]);
}

Test(service_life, a_wait_ends_with_its_deadline)
{
	service_fixture_create(&fixture);
	send_wait(fixture.client, &answers[0], 1000000);
	service_fixture_wait(&fixture, &answers[0]);
	cr_expect(answers[0].code == STATUS_DEADLINE_EXCEEDED || answers[0].code == STATUS_UNAVAILABLE);
	for (uint64_t deadline = loop_now() + UINT64_C(5000000000); fake.n_abandoned == 0 && loop_now() < deadline;)
		loop_step(fixture.loop, 5);
	cr_expect_eq(fake.n_abandoned, 1);
}

Test(service_life, the_end_with_calls_open_leaves_nothing)
{
	service_fixture_create(&fixture);
	for (size_t i = 0; i < 10; i++)
		send_wait(fixture.client, &answers[i], 0);
	service_fixture_settle(&fixture);
	cr_expect_eq(fake.n_replies, 10);
}

static void expect_stopped(bool is_stopped)
{
	Wire__ProcessRequest request = WIRE__PROCESS_REQUEST__INIT;
	const struct service_answer *answer = NULL;

	cr_expect_eq(scratch_has(&fixture.scratch, "s/socket"), !is_stopped);
	if (is_stopped) {
		/* Stopped loops return at once; others would wait for events for ever. */
		alarm(60);
		cr_expect_eq(loop_run(fixture.loop), 0);
		alarm(0);
		return;
	}
	answer = service_fixture_ask(&fixture, "Connect", &request);
	cr_expect_eq(answer->code, STATUS_OK);
}

Test(service_life, shutdown_with_containers_left_changes_nothing)
{
	Wire__ShutdownRequest request = WIRE__SHUTDOWN_REQUEST__INIT;

	service_fixture_create(&fixture);
	request.id = "web";
	request.now = 1;
	service_fixture_expect(&fixture, "Shutdown", &request, STATUS_OK, NULL);
	expect_stopped(false);
}

Test(service_life, shutdown_answers_publishes_and_stops)
{
	Wire__CreateTaskRequest create = WIRE__CREATE_TASK_REQUEST__INIT;
	Wire__ShutdownRequest request = WIRE__SHUTDOWN_REQUEST__INIT;

	service_fixture_create(&fixture);
	fake.count = 0;
	fake.publisher_waits = true;
	service_fixture_expect(&fixture, "Shutdown", &request, STATUS_OK, NULL);
	cr_expect_eq(fake.finish_timeout, UINT64_C(3000000000));
	cr_expect_not(scratch_has(&fixture.scratch, "s/socket"), "a new shim may listen there already");
	create.id = "late";
	create.bundle = "/b";
	service_fixture_expect(&fixture, "Create", &create, STATUS_FAILED_PRECONDITION, "about to end");
	service_fixture_expect(&fixture, "Shutdown", &request, STATUS_OK, NULL);
	/* The file of the next shim is not ours to remove. */
	scratch_file(&fixture.scratch, "s/socket", "", 0600);
	fake_publisher_idle();
	alarm(60);
	cr_expect_eq(loop_run(fixture.loop), 0);
	alarm(0);
	service_free(steal_ptr(&fixture.service));
	cr_expect(scratch_has(&fixture.scratch, "s/socket"));
	unlink(fixture.path);
}

struct leaving {
	struct loop_timer timer;
	bool has_left;
};

static void leave(void *context)
{
	struct leaving *leaving = context;

	leaving->has_left = true;
	client_free(steal_ptr(&fixture.client));
}

/* Go's client takes either of an answer and the end of its connection, where it finds both. */
Test(service_life, the_end_waits_for_the_reader_of_the_last_answer)
{
	struct leaving leaving = { .timer = { .expired = leave, .context = &leaving } };
	Wire__ShutdownRequest request = WIRE__SHUTDOWN_REQUEST__INIT;

	service_fixture_expect(&fixture, "Shutdown", &request, STATUS_OK, NULL);
	cr_expect_not(scratch_has(&fixture.scratch, "s/socket"));
	loop_set_timer(fixture.loop, &leaving.timer, loop_now() + UINT64_C(20000000));
	alarm(60);
	cr_expect_eq(loop_run(fixture.loop), 0);
	alarm(0);
	cr_expect(leaving.has_left, "ended before its peer was gone");
}

static void become_quiet(void *context)
{
	struct leaving *leaving = context;

	leaving->has_left = true;
	fake.has_unread = fake.has_unsent = false;
}

/* Whoever hears that it has stopped reads no more, and deletes it. */
Test(service_life, state_of_the_stopped_comes_after_its_output_and_events)
{
	Wire__ProcessRequest request = WIRE__PROCESS_REQUEST__INIT;

	service_fixture_create(&fixture);
	request.id = "web";
	fake.info.state = PROCESS_STOPPED;
	for (unsigned i = 0; i < 2; i++) {
		struct leaving leaving = { .timer = { .expired = become_quiet, .context = &leaving } };

		fake.has_unread = i == 0;
		fake.has_unsent = i == 1;
		loop_set_timer(fixture.loop, &leaving.timer, loop_now() + UINT64_C(20000000));
		service_fixture_expect(&fixture, "State", &request, STATUS_OK, NULL);
		cr_expect(leaving.has_left, "%u: answered at once", i);
		cr_expect_eq(fake.n_hurried, i + 1);
	}
	/* Nobody reads, and nobody takes events: it is answered all the same. */
	fake.has_unread = fake.has_unsent = true;
	service_fixture_expect(&fixture, "State", &request, STATUS_OK, NULL);
	fake.info.state = PROCESS_RUNNING;
	service_fixture_expect(&fixture, "State", &request, STATUS_OK, NULL);
	cr_expect_eq(fake.n_hurried, 3, "only what has stopped is waited for");
	fake.info.state = PROCESS_STOPPED;
	fake.info.exec_id = "probe";
	service_fixture_expect(&fixture, "State", &request, STATUS_OK, NULL);
	cr_expect_eq(fake.n_hurried, 3, "of execs nothing is waited for");
}

Test(service_life, shutdown_before_any_container_stops)
{
	Wire__ShutdownRequest request = WIRE__SHUTDOWN_REQUEST__INIT;

	service_fixture_expect(&fixture, "Shutdown", &request, STATUS_OK, NULL);
	expect_stopped(true);
}

Test(service_life, shutdown_while_a_container_is_made_changes_nothing)
{
	Wire__CreateTaskRequest create = WIRE__CREATE_TASK_REQUEST__INIT;
	Wire__ShutdownRequest request = WIRE__SHUTDOWN_REQUEST__INIT;

	create.id = "web";
	create.bundle = "/b";
	service_fixture_send(fixture.client, &answers[0],
			     (struct service_question){ .method = "Create", .message = &create });
	service_fixture_settle(&fixture);
	service_fixture_expect(&fixture, "Shutdown", &request, STATUS_OK, NULL);
	expect_stopped(false);
	fake_tasks_reply(NULL);
	service_fixture_wait(&fixture, &answers[0]);
	cr_expect_eq(answers[0].code, STATUS_OK);
}

static void create_with(const char *type, const void *value, size_t length, enum status_code code, const char *reason)
{
	Wire__CreateTaskRequest create = WIRE__CREATE_TASK_REQUEST__INIT;
	Wire__Any options = WIRE__ANY__INIT;

	create.id = "web";
	create.bundle = fixture.bundle;
	create.options = &options;
	options.type_url = (char *)type;
	options.value = (ProtobufCBinaryData){ .data = (uint8_t *)value, .len = length };
	fake.answers_at_once = true;
	service_fixture_expect(&fixture, "Create", &create, code, reason);
}

static void create_with_toml(const char *toml, enum status_code code, const char *reason)
{
	Wire__RuntimeOptions options = WIRE__RUNTIME_OPTIONS__INIT;
	uint8_t packed[512];

	options.config_body = (ProtobufCBinaryData){ .data = (uint8_t *)toml, .len = strlen(toml) };
	create_with("runtimeoptions.v1.Options", packed, wire__runtime_options__pack(&options, packed), code, reason);
}

Test(service_life, without_options_the_defaults_hold)
{
	service_fixture_create(&fixture);
	cr_expect_str_eq(fake.root, SERVICE_ROOT_DEFAULT "/k8s.io");
	cr_expect_str_eq(fake.options.namespace, "k8s.io");
	cr_expect_not(fake.options.brig.systemd_cgroup);
	cr_expect_not(fake.options.no_pivot);
}

Test(service_life, the_first_create_brings_the_options)
{
	char text[64];

	create_with_toml("root = \"/r\"\npolicy = \"conformant\"\ncgroup_driver = \"systemd\"\nno_pivot = true\n",
			 STATUS_OK, NULL);
	cr_expect_str_eq(fake.root, "/r/k8s.io");
	cr_expect_str_eq(fake.policy, "conformant");
	cr_expect(fake.options.brig.systemd_cgroup);
	cr_expect(fake.options.no_pivot);
	cr_expect_str_eq(scratch_text(&fixture.scratch, "bundle/brig-root", text, sizeof(text)), "/r/k8s.io",
			 "what the delete command goes by");
	create_with_toml("no_pivot = true\npolicy = \"conformant\"\ncgroup_driver = \"systemd\"\nroot = \"/r\"\n",
			 STATUS_OK, NULL);
	create_with_toml("root = \"/r\"\npolicy = \"strict\"\ncgroup_driver = \"systemd\"\nno_pivot = true\n",
			 STATUS_FAILED_PRECONDITION, "options: they differ");
	create_with("", NULL, 0, STATUS_OK, NULL);
	cr_expect_eq(fake.n_made, 1);
}

Test(service_life, runc_options_are_taken_too)
{
	Wire__RuncOptions options = WIRE__RUNC_OPTIONS__INIT;
	uint8_t packed[128];

	options.systemd_cgroup = 1;
	options.no_new_keyring = 1;
	create_with("containerd.runc.v1.Options", packed, wire__runc_options__pack(&options, packed), STATUS_OK, NULL);
	cr_expect(fake.options.brig.systemd_cgroup);
	cr_expect(fake.options.no_new_keyring);
}

Test(service_life, bad_options_are_named_and_bind_nobody)
{
	create_with_toml("polcy = \"strict\"\n", STATUS_INVALID_ARGUMENT, "unknown key \"polcy\"");
	create_with("example.Options", "", 0, STATUS_INVALID_ARGUMENT, "example.Options");
	cr_expect_eq(fake.n_made, 0);
	create_with_toml("policy = \"baseline\"\n", STATUS_OK, NULL);
	cr_expect_str_eq(fake.policy, "baseline");
}

Test(service_life, options_may_be_in_a_file)
{
	Wire__RuntimeOptions options = WIRE__RUNTIME_OPTIONS__INIT;
	uint8_t packed[512];
	char path[256];

	snprintf(path, sizeof(path), "%s/options.toml", fixture.scratch.path);
	options.config_path = path;
	create_with("runtimeoptions.v1.Options", packed, wire__runtime_options__pack(&options, packed), STATUS_UNKNOWN,
		    "options.toml");
	scratch_file(&fixture.scratch, "options.toml", "policy = \"baseline\"\n", 0600);
	create_with("runtimeoptions.v1.Options", packed, wire__runtime_options__pack(&options, packed), STATUS_OK, NULL);
	cr_expect_str_eq(fake.policy, "baseline");
}

static void *event(size_t i, const char *topic, const ProtobufCMessageDescriptor *type)
{
	void *message;
	char url[64];

	snprintf(url, sizeof(url), "containerd.events.%s", type->short_name);
	cr_assert_lt(i, fake.n_events);
	cr_expect_str_eq(fake.events[i].topic, topic);
	cr_expect_str_eq(fake.events[i].type_url, url);
	message = protobuf_c_message_unpack(type, NULL, fake.events[i].length, fake.events[i].value);
	cr_assert_not_null(message);
	return message;
}

Test(service_life, the_create_event_has_the_request)
{
	Wire__CreateTaskRequest create = WIRE__CREATE_TASK_REQUEST__INIT;
	Wire__Mount mount = WIRE__MOUNT__INIT, *mounts[] = { &mount };
	Wire__TaskCreate *created;

	create.id = "web";
	create.bundle = "/b";
	create.rootfs = mounts;
	create.n_rootfs = 1;
	create.checkpoint = "/c";
	mount.type = "overlay";
	service_fixture_send(fixture.client, &answers[0],
			     (struct service_question){ .method = "Create", .message = &create });
	service_fixture_settle(&fixture);
	fake.info.pid = 9;
	fake.info.in = "/i";
	fake.info.out = "/o";
	fake.info.err = "/e";
	fake.info.terminal = true;
	fake_tasks_event(TASK_CREATED);
	fake_tasks_reply(NULL);
	service_fixture_wait(&fixture, &answers[0]);
	/* Once more, with nobody left who asked. */
	fake_tasks_event(TASK_CREATED);
	created = event(0, "/tasks/create", &wire__task_create__descriptor);
	cr_expect_str_eq(created->container_id, "web");
	cr_expect_str_eq(created->bundle, "/b");
	cr_expect_eq(created->pid, 9);
	cr_expect_str_eq(created->io->stdin, "/i");
	cr_expect_str_eq(created->io->stdout, "/o");
	cr_expect_str_eq(created->io->stderr, "/e");
	cr_expect(created->io->terminal);
	cr_assert_eq(created->n_rootfs, 1);
	cr_expect_str_eq(created->rootfs[0]->type, "overlay");
	cr_expect_str_eq(created->checkpoint, "/c");
	wire__task_create__free_unpacked(created, NULL);
	created = event(1, "/tasks/create", &wire__task_create__descriptor);
	cr_expect_eq(created->n_rootfs, 0);
	wire__task_create__free_unpacked(created, NULL);
}

Test(service_life, exits_and_deletes_say_of_whom)
{
	Wire__TaskDelete *deleted;
	Wire__TaskExit *exited;

	service_fixture_create(&fixture);
	fake.info.pid = 9;
	fake.info.exit_status = 137;
	fake.info.exited_at = (struct timespec){ 5, 6 };
	fake_tasks_event(TASK_EXITED);
	fake_tasks_event(TASK_DELETED);
	fake.info.exec_id = "probe";
	fake_tasks_event(TASK_EXITED);
	fake_tasks_event(TASK_DELETED);
	for (size_t i = 0; i < 2; i++) {
		exited = event(2 * i, "/tasks/exit", &wire__task_exit__descriptor);
		cr_expect_str_eq(exited->container_id, "web");
		cr_expect_str_eq(exited->id, i ? "probe" : "web");
		cr_expect_eq(exited->pid, 9);
		cr_expect_eq(exited->exit_status, 137);
		cr_expect_eq(exited->exited_at->seconds, 5);
		cr_expect_eq(exited->exited_at->nanos, 6);
		wire__task_exit__free_unpacked(exited, NULL);
		deleted = event(2 * i + 1, "/tasks/delete", &wire__task_delete__descriptor);
		cr_expect_str_eq(deleted->container_id, "web");
		cr_expect_str_eq(deleted->id, i ? "probe" : "");
		cr_expect_eq(deleted->pid, 9);
		cr_expect_eq(deleted->exit_status, 137);
		cr_expect_eq(deleted->exited_at->seconds, 5);
		wire__task_delete__free_unpacked(deleted, NULL);
	}
}

Test(service_life, the_other_events)
{
	static const struct {
		enum task_event event;
		const char *topic;
		const ProtobufCMessageDescriptor *type;
	} cases[] = {
		{ TASK_OOM, "/tasks/oom", &wire__task_oom__descriptor },
		{ TASK_PAUSED, "/tasks/paused", &wire__task_paused__descriptor },
		{ TASK_RESUMED, "/tasks/resumed", &wire__task_resumed__descriptor },
		{ TASK_CHECKPOINTED, "/tasks/checkpointed", &wire__task_checkpointed__descriptor },
		{ TASK_STARTED, "/tasks/start", &wire__task_start__descriptor },
	};
	Wire__TaskExecStarted *started;
	Wire__TaskExecAdded *added;
	size_t i;

	service_fixture_create(&fixture);
	fake.info.pid = 4;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		Wire__TaskStart *message; /* each begins with the container's id */

		fake_tasks_event(cases[i].event);
		message = event(i, cases[i].topic, cases[i].type);
		cr_expect_str_eq(message->container_id, "web");
		if (cases[i].event == TASK_STARTED)
			cr_expect_eq(message->pid, 4);
		protobuf_c_message_free_unpacked((ProtobufCMessage *)message, NULL);
	}
	fake.info.exec_id = "probe";
	fake_tasks_event(TASK_EXEC_ADDED);
	fake_tasks_event(TASK_EXEC_STARTED);
	added = event(i, "/tasks/exec-added", &wire__task_exec_added__descriptor);
	cr_expect_str_eq(added->exec_id, "probe");
	wire__task_exec_added__free_unpacked(added, NULL);
	started = event(i + 1, "/tasks/exec-started", &wire__task_exec_started__descriptor);
	cr_expect_str_eq(started->exec_id, "probe");
	cr_expect_eq(started->pid, 4);
	wire__task_exec_started__free_unpacked(started, NULL);
}
