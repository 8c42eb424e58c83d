#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "shim/ttrpc/client.h"
#include "shim/ttrpc/listener.h"
#include "tests/unit/shim/ttrpc_fixture.h"

#define MS 1000000

Test(ttrpc_server, answers_a_call)
{
	struct ttrpc_fixture fixture;
	struct ttrpc_answer answer;
	int fd;

	ttrpc_fixture_init(&fixture);
	fd = ttrpc_fixture_connect(&fixture);
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 1, &(struct request){ .method = "Echo", .payload = { "hello", 5 } }));
	cr_assert(ttrpc_fixture_receive(&fixture, fd, &answer));
	cr_expect_eq(answer.header.stream_id, 1);
	cr_expect_eq(answer.header.flags, 0);
	cr_expect_eq(answer.code, STATUS_OK);
	cr_expect_eq(answer.payload_length, 5);
	free(answer.body);
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 3, &(struct request){ .method = "Fail" }));
	cr_assert(ttrpc_fixture_receive(&fixture, fd, &answer));
	cr_expect_eq(answer.code, STATUS_NOT_FOUND);
	cr_expect_str_eq(answer.message, "container web: there is none");
	free(answer.body);
	close(fd);
	ttrpc_fixture_done(&fixture);
}

Test(ttrpc_server, what_is_not_served_is_unimplemented)
{
	struct ttrpc_fixture fixture;
	struct ttrpc_answer answer;
	int fd;

	ttrpc_fixture_init(&fixture);
	fd = ttrpc_fixture_connect(&fixture);
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 1, &(struct request){ .method = "Other" }));
	cr_assert(ttrpc_fixture_receive(&fixture, fd, &answer));
	cr_expect_eq(answer.code, STATUS_UNIMPLEMENTED);
	cr_expect_str_eq(answer.message, "test/Other: the method is not served here");
	free(answer.body);
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 3, &(struct request){ .service = "other", .method = "Echo" }));
	cr_assert(ttrpc_fixture_receive(&fixture, fd, &answer));
	cr_expect_eq(answer.code, STATUS_UNIMPLEMENTED);
	cr_expect_str_eq(answer.message, "other/Echo: the service is not served here");
	free(answer.body);
	close(fd);
	ttrpc_fixture_done(&fixture);
}

Test(ttrpc_server, calls_wait_side_by_side)
{
	struct ttrpc_fixture fixture;
	int fd;

	ttrpc_fixture_init(&fixture);
	fd = ttrpc_fixture_connect(&fixture);
	for (uint32_t id = 1; id <= 5; id += 2)
		cr_assert(ttrpc_fixture_ask(&fixture, fd, id, &(struct request){ .method = "Keep" }));
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 7, &(struct request){ .method = "Echo" }));
	ttrpc_fixture_expect(&fixture, fd, 7, STATUS_OK);
	cr_expect_eq(fixture.n_kept, 3);
	for (int i = 2; i >= 0; i--) {
		cr_assert_eq(server_answer(fixture.server, fixture.kept[i], (struct message_bytes){ 0 }), 0);
		ttrpc_fixture_expect(&fixture, fd, fixture.kept[i].stream_id, STATUS_OK);
		cr_expect_eq(server_answer(fixture.server, fixture.kept[i], (struct message_bytes){ 0 }), -ENOENT,
			     "once");
	}
	close(fd);
	ttrpc_fixture_done(&fixture);
}

Test(ttrpc_server, deadlines_end_calls)
{
	struct ttrpc_fixture fixture;
	int fd;

	ttrpc_fixture_init(&fixture);
	fd = ttrpc_fixture_connect(&fixture);
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 1, &(struct request){ .method = "Keep" }));
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 3, &(struct request){ .method = "Keep", .timeout = 200 * MS }));
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 5, &(struct request){ .method = "Keep", .timeout = 50 * MS }));
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 7, &(struct request){ .method = "Keep", .timeout = -1 }));
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 9, &(struct request){ .method = "Keep", .timeout = INT64_MAX }));
	ttrpc_fixture_expect(&fixture, fd, 7, STATUS_DEADLINE_EXCEEDED);
	ttrpc_fixture_expect(&fixture, fd, 5, STATUS_DEADLINE_EXCEEDED);
	ttrpc_fixture_expect(&fixture, fd, 3, STATUS_DEADLINE_EXCEEDED);
	cr_expect_eq(fixture.n_ended[SERVER_TIMED_OUT], 3);
	cr_expect_eq(server_answer(fixture.server, fixture.kept[2], (struct message_bytes){ 0 }), -ENOENT);
	cr_expect_eq(server_answer(fixture.server, fixture.kept[0], (struct message_bytes){ 0 }), 0);
	ttrpc_fixture_expect(&fixture, fd, 1, STATUS_OK);
	close(fd);
	ttrpc_fixture_done(&fixture);
}

Test(ttrpc_server, an_answer_after_the_connection_goes_nowhere)
{
	struct ttrpc_fixture fixture;
	int fd;

	ttrpc_fixture_init(&fixture);
	fd = ttrpc_fixture_connect(&fixture);
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 1, &(struct request){ .method = "Keep" }));
	close(fd);
	ttrpc_fixture_settle(&fixture);
	cr_expect_eq(fixture.n_ended[SERVER_DISCONNECTED], 1);
	cr_expect_eq(server_n_connections(fixture.server), 0);

	/* The same slot and stream id again: the old handle does not fit. */
	fd = ttrpc_fixture_connect(&fixture);
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 1, &(struct request){ .method = "Keep" }));
	cr_assert_eq(fixture.n_kept, 2);
	cr_expect_eq(fixture.kept[0].slot, fixture.kept[1].slot);
	cr_expect_eq(server_answer(fixture.server, fixture.kept[0], (struct message_bytes){ 0 }), -ENOENT);
	cr_expect_eq(server_answer(fixture.server, fixture.kept[1], (struct message_bytes){ 0 }), 0);
	ttrpc_fixture_expect(&fixture, fd, 1, STATUS_OK);
	close(fd);
	ttrpc_fixture_done(&fixture);
}

Test(ttrpc_server, takes_and_sends_streams_of_data)
{
	static const struct frame_header open = { .stream_id = 1, .type = FRAME_REQUEST, .flags = FRAME_REMOTE_OPEN };
	static const char request[] = "\x0a\4test\x12\3Sum";
	struct ttrpc_fixture fixture;
	struct ttrpc_answer answer;
	int fd;

	ttrpc_fixture_init(&fixture);
	fd = ttrpc_fixture_connect(&fixture);
	ttrpc_fixture_send_frame(&fixture, fd, open, request, sizeof(request) - 1);
	ttrpc_fixture_send_frame(&fixture, fd, (struct frame_header){ .stream_id = 1, .type = FRAME_DATA }, "12345", 5);
	ttrpc_fixture_send_frame(&fixture, fd, (struct frame_header){ .stream_id = 1, .type = FRAME_DATA }, "", 0);
	ttrpc_fixture_send_frame(
		&fixture, fd,
		(struct frame_header){ .stream_id = 1, .type = FRAME_DATA, .flags = FRAME_REMOTE_CLOSED | FRAME_NO_DATA },
		"", 0);
	cr_assert(ttrpc_fixture_receive(&fixture, fd, &answer));
	cr_expect_eq(answer.header.type, FRAME_DATA);
	cr_expect_str_eq(answer.body, "5");
	free(answer.body);
	cr_assert(ttrpc_fixture_receive(&fixture, fd, &answer));
	cr_expect_eq(answer.header.flags, FRAME_REMOTE_CLOSED | FRAME_NO_DATA);
	free(answer.body);

	ttrpc_fixture_send_frame(&fixture, fd, (struct frame_header){ .stream_id = 1, .type = FRAME_DATA }, "6", 1);
	ttrpc_fixture_expect(&fixture, fd, 1, STATUS_INVALID_ARGUMENT);
	close(fd);
	ttrpc_fixture_done(&fixture);
}

Test(ttrpc_server, data_for_a_plain_call_ends_it)
{
	struct ttrpc_fixture fixture;
	int fd;

	ttrpc_fixture_init(&fixture);
	fd = ttrpc_fixture_connect(&fixture);
	cr_assert(ttrpc_fixture_ask(&fixture, fd, 1, &(struct request){ .method = "Keep" }));
	ttrpc_fixture_send_frame(&fixture, fd, (struct frame_header){ .stream_id = 1, .type = FRAME_DATA }, "6", 1);
	ttrpc_fixture_expect(&fixture, fd, 1, STATUS_INVALID_ARGUMENT);
	cr_expect_eq(fixture.n_ended[SERVER_MISUSED], 1);
	close(fd);
	ttrpc_fixture_done(&fixture);
}

Test(ttrpc_listener, makes_a_private_socket)
{
	struct ttrpc_fixture fixture;
	struct error err = { 0 };

	ttrpc_fixture_init(&fixture);
	cr_expect_eq(scratch_mode(&fixture.scratch, "s") & 07777, 0700);
	cr_expect_eq(scratch_mode(&fixture.scratch, "s/socket") & 07777, 0600);
	cr_expect_eq(listener_open(fixture.path, &err), -EADDRINUSE);
	cr_expect_not_null(strstr(err.message, fixture.path), "%s", err.message);
	ttrpc_fixture_done(&fixture);
}

Test(ttrpc_listener, refuses_bad_places)
{
	SCRATCH(scratch);
	char path[256];
	struct error err = { 0 };

	cr_expect_eq(listener_open("s/socket", &err), -EINVAL);
	snprintf(path, sizeof(path), "/%0106d", 1);
	cr_expect_eq(listener_open(path, &err), -ENAMETOOLONG);
	cr_expect_not_null(strstr(err.message, "107 bytes"), "%s", err.message);

	scratch_directory(&scratch, "open");
	cr_assert_eq(fchmodat(scratch.fd, "open", 0777, 0), 0);
	snprintf(path, sizeof(path), "%s/open/socket", scratch.path);
	cr_expect_eq(listener_open(path, &err), -EPERM, "%s", err.message);
	cr_expect_not_null(strstr(err.message, "mode 0777"), "%s", err.message);
	cr_expect_not(scratch_has(&scratch, "open/socket"));
}

/* The child becomes nobody and connects; it ends with 0 where the server hung up on it. */
static int connect_as_nobody(const struct ttrpc_fixture *fixture)
{
	int fd;
	char byte;

	if (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
		return 2;
	fd = ttrpc_fixture_connect(fixture);
	fcntl(fd, F_SETFL, 0);
	return read(fd, &byte, 1) == 0 ? 0 : 1;
}

Test(ttrpc_listener, refuses_peers_other_than_root)
{
	struct ttrpc_fixture fixture;
	int status = -1;
	pid_t pid;

	if (geteuid() != 0)
		cr_skip("needs root");
	ttrpc_fixture_init(&fixture);
	cr_assert_eq(chmod(fixture.scratch.path, 0711), 0);
	cr_assert_eq(fchmodat(fixture.scratch.fd, "s", 0711, 0), 0);
	cr_assert_eq(fchmodat(fixture.scratch.fd, "s/socket", 0666, 0), 0);
	pid = fork();
	if (pid == 0)
		_exit(connect_as_nobody(&fixture));
	for (int i = 0; i < 500 && waitpid(pid, &status, WNOHANG) == 0; i++)
		loop_step(fixture.loop, 10);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status 0x%x", status);
	cr_expect_eq(server_n_connections(fixture.server), 0);
	ttrpc_fixture_done(&fixture);
}

struct outcome {
	unsigned n;
	enum status_code code;
	int error;
};

static void take_outcome(void *context, const struct response *response, const struct error *err)
{
	struct outcome *outcome = context;

	outcome->n++;
	if (response)
		outcome->code = response->code;
	else
		outcome->error = err->code;
}

Test(ttrpc_client, calls_end_with_one_callback)
{
	static const char *const methods[] = { "Echo", "Fail", "Keep", "Keep" };
	struct ttrpc_fixture fixture;
	struct client *client = NULL;
	struct outcome outcomes[4] = { 0 };
	struct client_call calls[4];
	struct error err = { 0 };

	ttrpc_fixture_init(&fixture);
	cr_assert_eq(client_connect(fixture.loop, fixture.path, &client, &err), 0, "%s", err.message);
	for (int i = 0; i < 4; i++) {
		struct request request = { .service = "test", .method = methods[i], .timeout = i == 2 ? 20 * MS : 0 };

		calls[i] = (struct client_call){ .done = take_outcome, .context = &outcomes[i] };
		cr_assert_eq(client_send(client, &calls[i], &request, &err), 0, "%s", err.message);
	}
	while (outcomes[2].n == 0)
		loop_step(fixture.loop, 50);
	cr_expect(outcomes[0].n == 1 && outcomes[0].code == STATUS_OK && outcomes[0].error == 0);
	cr_expect(outcomes[1].n == 1 && outcomes[1].code == STATUS_NOT_FOUND);
	cr_expect(outcomes[2].error == ETIMEDOUT || outcomes[2].code == STATUS_DEADLINE_EXCEEDED);
	cr_expect_eq(outcomes[3].n, 0);

	server_free(fixture.server);
	fixture.server = NULL;
	ttrpc_fixture_settle(&fixture);
	cr_expect_eq(outcomes[3].error, ECONNRESET);
	cr_expect_eq(outcomes[2].n, 1);
	cr_expect_not(client_is_connected(client));
	cr_expect_eq(client_send(client, &calls[0], &(struct request){ .service = "s", .method = "m" }, &err), -ENOTCONN);
	client_free(client);
	ttrpc_fixture_done(&fixture);
}

Test(ttrpc_client, freeing_forgets_open_calls)
{
	struct ttrpc_fixture fixture;
	struct client *client = NULL;
	struct outcome outcome = { 0 };
	struct client_call call = { .done = take_outcome, .context = &outcome };

	ttrpc_fixture_init(&fixture);
	cr_assert_eq(client_connect(fixture.loop, fixture.path, &client, NULL), 0);
	cr_assert_eq(client_send(client, &call, &(struct request){ "test", "Keep", .timeout = MS }, NULL), 0);
	client_free(client);
	usleep(2000);
	ttrpc_fixture_settle(&fixture);
	cr_expect_eq(outcome.n, 0);
	cr_expect_eq(client_connect(fixture.loop, "/nowhere/at/all", &client, NULL), -ENOENT);
	ttrpc_fixture_done(&fixture);
}
