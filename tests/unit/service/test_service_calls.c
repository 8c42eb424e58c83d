/* What each call asks of tasks, and what it answers. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "shim/proto/metrics.pb-c.h"
#include "shim/proto/task.pb-c.h"
#include "tests/unit/service/service_fixture.h"

static struct service_fixture fixture;

static void set_up(void)
{
	service_fixture_init(&fixture);
	service_fixture_create(&fixture);
}

static void tear_down(void)
{
	service_fixture_done(&fixture);
}

TestSuite(service_calls, .init = set_up, .fini = tear_down);

static Wire__ProcessRequest name(char *id, char *exec_id)
{
	Wire__ProcessRequest request = WIRE__PROCESS_REQUEST__INIT;

	request.id = id;
	request.exec_id = exec_id;
	return request;
}

Test(service_calls, create_hands_over_all_that_was_asked)
{
	char *options[] = { "lowerdir=/l", "ro" };
	Wire__Mount overlay = WIRE__MOUNT__INIT, bind = WIRE__MOUNT__INIT, *mounts[] = { &overlay, &bind };
	Wire__CreateTaskRequest create = WIRE__CREATE_TASK_REQUEST__INIT;
	Wire__PidResponse *pid;

	overlay.type = "overlay";
	overlay.source = "overlay";
	overlay.options = options;
	overlay.n_options = 2;
	bind.type = "bind";
	bind.source = "/s";
	bind.target = "/";
	create.id = "db";
	create.bundle = "/run/b";
	create.rootfs = mounts;
	create.n_rootfs = 2;
	create.stdin = "/i";
	create.stdout = "binary:///log?a=b";
	create.stderr = "/e";
	create.terminal = 1;
	fake.answers_at_once = true;
	fake.info.pid = 4711;
	pid = service_fixture_unpack(service_fixture_ask(&fixture, "Create", &create), &wire__pid_response__descriptor);
	cr_expect_eq(pid->pid, 4711);
	cr_expect_str_eq(fake.asked, "create db bundle /run/b streams /i binary:///log?a=b /e terminal mounts "
				     "overlay:overlay:lowerdir=/l bind:/s:");
	cr_expect_eq(fake.n_made, 1, "the second container is one of the same tasks");
	wire__pid_response__free_unpacked(pid, NULL);
}

Test(service_calls, start_answers_with_the_pid)
{
	Wire__ProcessRequest request = name("web", "probe");
	Wire__PidResponse *pid;

	fake.answers_at_once = true;
	fake.info.pid = 12;
	pid = service_fixture_unpack(service_fixture_ask(&fixture, "Start", &request), &wire__pid_response__descriptor);
	cr_expect_eq(pid->pid, 12);
	cr_expect_str_eq(fake.asked, "start web/probe");
	wire__pid_response__free_unpacked(pid, NULL);
}

Test(service_calls, state_tells_everything)
{
	static const struct {
		enum process_state state;
		Wire__TaskStatus status;
	} cases[] = {
		{ PROCESS_CREATED, WIRE__TASK_STATUS__TASK_CREATED },
		{ PROCESS_RUNNING, WIRE__TASK_STATUS__TASK_RUNNING },
		{ PROCESS_PAUSED, WIRE__TASK_STATUS__TASK_PAUSED },
		{ PROCESS_STOPPED, WIRE__TASK_STATUS__TASK_STOPPED },
		{ PROCESS_DELETED, WIRE__TASK_STATUS__TASK_STOPPED },
	};
	Wire__ProcessRequest request = name("web", "probe");

	fake.info =
		(struct task_info){ "web", "probe", "/b", "/i", "/o", "/e", 99, PROCESS_CREATED, true, 137, { 8, 9 } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		Wire__StateResponse *state;

		fake.info.state = cases[i].state;
		state = service_fixture_unpack(service_fixture_ask(&fixture, "State", &request),
					       &wire__state_response__descriptor);
		cr_expect_str_eq(fake.asked, "state web/probe");
		cr_expect_eq(state->status, cases[i].status, "%zu", i);
		cr_expect_str_eq(state->id, "web");
		cr_expect_str_eq(state->exec_id, "probe");
		cr_expect_str_eq(state->bundle, "/b");
		cr_expect_str_eq(state->stdin, "/i");
		cr_expect_str_eq(state->stdout, "/o");
		cr_expect_str_eq(state->stderr, "/e");
		cr_expect_eq(state->pid, 99);
		cr_expect(state->terminal);
		cr_expect_eq(state->exit_status, 137);
		cr_assert_not_null(state->exited_at);
		cr_expect_eq(state->exited_at->seconds, 8);
		cr_expect_eq(state->exited_at->nanos, 9);
		wire__state_response__free_unpacked(state, NULL);
	}
}

Test(service_calls, state_of_what_has_not_ended_names_no_time)
{
	Wire__ProcessRequest request = name("web", "");
	Wire__StateResponse *state = service_fixture_unpack(service_fixture_ask(&fixture, "State", &request),
							    &wire__state_response__descriptor);

	cr_expect_null(state->exited_at);
	wire__state_response__free_unpacked(state, NULL);
}

Test(service_calls, delete_answers_how_it_ended)
{
	Wire__ProcessRequest request = name("web", "");
	Wire__DeleteResponse *deleted;

	fake.answers_at_once = true;
	fake.info.pid = 5;
	fake.info.exit_status = 143;
	fake.info.exited_at = (struct timespec){ 1700000000, 1 };
	deleted = service_fixture_unpack(service_fixture_ask(&fixture, "Delete", &request),
					 &wire__delete_response__descriptor);
	cr_expect_str_eq(fake.asked, "delete web");
	cr_expect_eq(deleted->pid, 5);
	cr_expect_eq(deleted->exit_status, 143);
	cr_expect_eq(deleted->exited_at->seconds, 1700000000);
	wire__delete_response__free_unpacked(deleted, NULL);
}

/* The fake looks at the names after it has replied. */
Test(service_calls, wait_may_be_answered_from_within)
{
	Wire__ProcessRequest request = name("web", "probe");
	Wire__WaitResponse *wait;

	fake.answers_at_once = true;
	fake.info.exit_status = 3;
	fake.info.exited_at = (struct timespec){ 44, 55 };
	wait = service_fixture_unpack(service_fixture_ask(&fixture, "Wait", &request), &wire__wait_response__descriptor);
	cr_expect_str_eq(fake.asked, "wait web/probe");
	cr_expect_eq(wait->exit_status, 3);
	cr_expect_eq(wait->exited_at->seconds, 44);
	cr_expect_eq(wait->exited_at->nanos, 55);
	wire__wait_response__free_unpacked(wait, NULL);
}

Test(service_calls, pids_name_the_execs)
{
	struct task_pid list[] = { { 10, "" }, { 11, "probe" } };
	Wire__ProcessRequest request = name("web", "");
	Wire__ProcessDetails *details;
	Wire__PidsResponse *pids;
	Wire__Any *info;

	fake.pids = list;
	fake.n_pids = 2;
	pids = service_fixture_unpack(service_fixture_ask(&fixture, "Pids", &request), &wire__pids_response__descriptor);
	cr_assert_eq(pids->n_processes, 2);
	cr_expect_eq(pids->processes[0]->pid, 10);
	cr_expect_null(pids->processes[0]->info);
	cr_expect_eq(pids->processes[1]->pid, 11);
	info = pids->processes[1]->info;
	cr_assert_not_null(info);
	cr_expect_str_eq(info->type_url, "containerd.runc.v1.ProcessDetails");
	details = wire__process_details__unpack(NULL, info->value.len, info->value.data);
	cr_expect_str_eq(details->exec_id, "probe");
	wire__process_details__free_unpacked(details, NULL);
	wire__pids_response__free_unpacked(pids, NULL);
}

Test(service_calls, pause_and_resume_answer_once_it_is_done)
{
	Wire__ProcessRequest request = name("web", "");
	struct service_answer answer;

	service_fixture_send(fixture.client, &answer,
			     (struct service_question){ .method = "Pause", .message = &request });
	service_fixture_settle(&fixture);
	cr_expect_str_eq(fake.asked, "pause web");
	cr_expect_not(answer.is_done);
	fake_tasks_reply(NULL);
	service_fixture_wait(&fixture, &answer);
	cr_expect_eq(answer.code, STATUS_OK);
	cr_expect_eq(answer.length, 0);
	fake.answers_at_once = true;
	service_fixture_expect(&fixture, "Resume", &request, STATUS_OK, NULL);
	cr_expect_str_eq(fake.asked, "resume web");
}

Test(service_calls, kill_passes_signal_and_scope)
{
	Wire__KillRequest kill = WIRE__KILL_REQUEST__INIT;

	kill.id = "web";
	kill.signal = 15;
	service_fixture_expect(&fixture, "Kill", &kill, STATUS_OK, NULL);
	cr_expect_str_eq(fake.asked, "kill web 15");
	kill.exec_id = "probe";
	kill.signal = 64;
	kill.all = 1;
	service_fixture_expect(&fixture, "Kill", &kill, STATUS_OK, NULL);
	cr_expect_str_eq(fake.asked, "kill web/probe 64 all");
}

Test(service_calls, exec_hands_over_the_process)
{
	static const char process[] = "{\"args\":[\"/bin/true\"]}";
	static const char *const types[] = { "types.containerd.io/opencontainers/runtime-spec/1/Process", "Process",
					     "elsewhere.example/Process" };
	Wire__ExecProcessRequest exec = WIRE__EXEC_PROCESS_REQUEST__INIT;
	Wire__Any spec = WIRE__ANY__INIT;

	exec.id = "web";
	exec.exec_id = "probe";
	exec.stdin = "/i";
	exec.stdout = "/o";
	exec.stderr = "/e";
	exec.terminal = 1;
	exec.spec = &spec;
	spec.value = (ProtobufCBinaryData){ .data = (uint8_t *)process, .len = strlen(process) };
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		spec.type_url = (char *)types[i];
		*fake.asked = '\0';
		service_fixture_expect(&fixture, "Exec", &exec, STATUS_OK, NULL);
		cr_expect_str_eq(fake.asked,
				 "exec web/probe streams /i /o /e terminal process {\"args\":[\"/bin/true\"]}");
	}
}

Test(service_calls, update_hands_over_the_resources)
{
	Wire__UpdateTaskRequest update = WIRE__UPDATE_TASK_REQUEST__INIT;
	Wire__Any resources = WIRE__ANY__INIT;

	update.id = "web";
	update.resources = &resources;
	resources.type_url = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";
	resources.value = (ProtobufCBinaryData){ .data = (uint8_t *)"{}", .len = 2 };
	fake.answers_at_once = true;
	service_fixture_expect(&fixture, "Update", &update, STATUS_OK, NULL);
	cr_expect_str_eq(fake.asked, "update web {}");
}

Test(service_calls, resize_and_close_io)
{
	Wire__ResizePtyRequest resize = WIRE__RESIZE_PTY_REQUEST__INIT;
	Wire__CloseIORequest close_io = WIRE__CLOSE_IOREQUEST__INIT;

	resize.id = "web";
	resize.exec_id = "probe";
	resize.width = 80;
	resize.height = 25;
	service_fixture_expect(&fixture, "ResizePty", &resize, STATUS_OK, NULL);
	cr_expect_str_eq(fake.asked, "resize web/probe 80x25");
	close_io.id = "web";
	close_io.stdin = 1;
	service_fixture_expect(&fixture, "CloseIO", &close_io, STATUS_OK, NULL);
	cr_expect_str_eq(fake.asked, "close_in web");
	close_io.stdin = 0;
	service_fixture_expect(&fixture, "CloseIO", &close_io, STATUS_OK, NULL);
	cr_expect_str_eq(fake.asked, "state web", "nothing to close, but it has to exist");
}

Test(service_calls, connect_knows_both_pids)
{
	Wire__ProcessRequest request = name("web", "");
	Wire__ConnectResponse *connected;

	fake.info.pid = 77;
	connected = service_fixture_unpack(service_fixture_ask(&fixture, "Connect", &request),
					   &wire__connect_response__descriptor);
	cr_expect_eq((pid_t)connected->shim_pid, getpid());
	cr_expect_eq(connected->task_pid, 77);
	wire__connect_response__free_unpacked(connected, NULL);
	error_set(&fake.failure, ERROR_NOT_FOUND, ENOENT, "there is none");
	connected = service_fixture_unpack(service_fixture_ask(&fixture, "Connect", &request),
					   &wire__connect_response__descriptor);
	cr_expect_eq((pid_t)connected->shim_pid, getpid(), "containerd asks before it knows whether there is a task");
	cr_expect_eq(connected->task_pid, 0);
	wire__connect_response__free_unpacked(connected, NULL);
}

static Wire__Metrics *stats(void)
{
	Wire__ProcessRequest request = name("web", "");
	Wire__StatsResponse *answer = service_fixture_unpack(service_fixture_ask(&fixture, "Stats", &request),
							     &wire__stats_response__descriptor);
	Wire__Metrics *metrics;

	cr_expect_str_eq(fake.asked, "metrics web");
	cr_assert_str_eq(answer->stats->type_url, "io.containerd.cgroups.v2.Metrics");
	metrics = wire__metrics__unpack(NULL, answer->stats->value.len, answer->stats->value.data);
	cr_assert_not_null(metrics);
	wire__stats_response__free_unpacked(answer, NULL);
	return metrics;
}

Test(service_calls, stats_carry_every_number)
{
	struct brig_io_entry io[] = { { 8, 0, 1, 2, 3, 4 }, { 8, 16, 5, 6, 7, 8 } };
	struct brig_hugepages pages[] = { { "2MB", 11, 12, 13 } };
	const uint64_t *first = &fake.metrics.memory.anon;
	Wire__Metrics *metrics;

	/* Each number of memory its own: 37 of them, in the order of the message's fields. */
	for (uint64_t i = 0; i < 37; i++)
		((uint64_t *)first)[i] = 100 + i;
	fake.metrics.pids.current = 1;
	fake.metrics.pids.limit = UINT64_MAX;
	fake.metrics.cpu.usage_usec = 2;
	fake.metrics.cpu.user_usec = 3;
	fake.metrics.cpu.system_usec = 4;
	fake.metrics.cpu.nr_periods = 5;
	fake.metrics.cpu.nr_throttled = 6;
	fake.metrics.cpu.throttled_usec = 7;
	fake.metrics.cpu.psi = (struct brig_pressure){ true, { 0.5, 1.5, 2.5, 9 }, { 3.5, 4.5, 5.5, 10 } };
	fake.metrics.memory_events.oom_kill = 21;
	fake.metrics.memory_events.oom_group_kill = 22;
	fake.metrics.io = io;
	fake.metrics.n_io = 2;
	fake.metrics.hugepages = pages;
	fake.metrics.n_hugepages = 1;

	metrics = stats();
	cr_expect_eq(metrics->pids->current, 1);
	cr_expect_eq(metrics->pids->limit, UINT64_MAX);
	cr_expect_eq(metrics->cpu->usage_usec, 2);
	cr_expect_eq(metrics->cpu->user_usec, 3);
	cr_expect_eq(metrics->cpu->system_usec, 4);
	cr_expect_eq(metrics->cpu->nr_periods, 5);
	cr_expect_eq(metrics->cpu->nr_throttled, 6);
	cr_expect_eq(metrics->cpu->throttled_usec, 7);
	cr_assert_not_null(metrics->cpu->psi);
	cr_expect_eq(metrics->cpu->psi->some->avg60, 1.5);
	cr_expect_eq(metrics->cpu->psi->full->avg300, 5.5);
	cr_expect_eq(metrics->cpu->psi->full->total, 10);
	for (uint64_t i = 0; i < 37; i++)
		cr_expect_eq((&metrics->memory->anon)[i], 100 + i, "number %llu of memory", (unsigned long long)i);
	cr_expect_null(metrics->memory->psi, "what the host does not count is no zero");
	cr_expect_eq(metrics->memory_events->oom_kill, 21);
	cr_expect_eq(metrics->memory_events->oom_group_kill, 22);
	cr_assert_eq(metrics->io->n_usage, 2);
	cr_expect_eq(metrics->io->usage[1]->minor, 16);
	cr_expect_eq(metrics->io->usage[1]->rbytes, 5);
	cr_expect_eq(metrics->io->usage[1]->wios, 8);
	cr_assert_eq(metrics->n_hugetlb, 1);
	cr_expect_str_eq(metrics->hugetlb[0]->pagesize, "2MB");
	cr_expect_eq(metrics->hugetlb[0]->failcnt, 13);
	wire__metrics__free_unpacked(metrics, NULL);
}

Test(service_calls, both_versions_serve_the_same)
{
	Wire__ProcessRequest request = name("web", "");
	struct service_answer answer;

	service_fixture_send(fixture.client, &answer,
			     (struct service_question){ .service = TASK_V3, .method = "State", .message = &request });
	service_fixture_wait(&fixture, &answer);
	cr_expect_eq(answer.code, STATUS_OK, "%s", answer.message);
	cr_expect_str_eq(fake.asked, "state web");
}
