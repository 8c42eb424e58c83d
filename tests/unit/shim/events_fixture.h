/* containerd's side of events: a ttrpc server that keeps what is forwarded, in the test's own thread, and a publisher. */
#pragma once

#include "shim/events/publisher.h"
#include "shim/loop/loop.h"
#include "shim/ttrpc/server.h"
#include "tests/support/scratch.h"

#define EVENTS_FIXTURE_MAX 4096

enum events_answer { EVENTS_TAKE, EVENTS_REFUSE, EVENTS_KEEP_SILENT };

struct events_fixture {
	struct scratch scratch; /* the bundle */
	char path[192];
	struct loop *loop;
	struct server *server;
	struct publisher *publisher;
	enum events_answer answer;
	enum status_code refusal;
	struct server_call last_call;
	unsigned refuse_first; /* that many are refused, in place of `answer` */
	/* What came, answered in whatever way: the number in its topic. */
	int received[EVENTS_FIXTURE_MAX];
	size_t n_received;
	bool is_told; /* by publisher_finish */
};

/* Without a server, and without a publisher. */
void events_fixture_init(struct events_fixture *fixture);
void events_fixture_done(struct events_fixture *fixture);
void events_fixture_serve(struct events_fixture *fixture);
/* containerd ends; its socket's file goes too. */
void events_fixture_hang_up(struct events_fixture *fixture);
void events_fixture_open(struct events_fixture *fixture);
/* Events number first, first + 1, ...: topic /tasks/NUMBER, value "value NUMBER". */
void events_fixture_publish(struct events_fixture *fixture, int first, int n);
/* Lets everybody work until so many have come (20 seconds at most, then the test fails). */
void events_fixture_expect_count(struct events_fixture *fixture, size_t n);
/* ... and until nothing waits any more. */
void events_fixture_expect_idle(struct events_fixture *fixture);
/* Those received from place on are first, first + 1, ..., n of them. */
void events_fixture_expect_run(const struct events_fixture *fixture, size_t place, int first, size_t n);
/* For publisher_finish. */
void events_fixture_tell(void *context);
