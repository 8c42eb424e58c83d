/* tasks.h and publisher.h without containers: what is asked is written down, and the test says what comes of it. Linked in place
 * of the shim's own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "shim/events/publisher.h"
#include "shim/process/tasks.h"

#define FAKE_REPLIES_MAX 2048
#define FAKE_TEXT_MAX 8192
#define FAKE_EVENTS_MAX 32

struct fake_event {
	char topic[64], type_url[64];
	uint8_t value[1024];
	size_t length;
};

struct fake_tasks {
	char asked[FAKE_TEXT_MAX]; /* the last request as text: "kill web/probe 9 all" */
	struct error failure;	   /* kind set: what the next requests end with, without a reply */
	bool answers_at_once;	   /* replies come from within the request */
	struct task_info info;	   /* what they say */
	struct task_reply *replies[FAKE_REPLIES_MAX];
	size_t n_replies;
	unsigned n_made, n_freed, n_abandoned;
	size_t count;		      /* of containers */
	struct tasks_options options; /* of tasks_new */
	char root[256], policy[64];
	struct task_pid *pids;
	size_t n_pids;
	struct brig_metrics metrics;
	struct fake_event events[FAKE_EVENTS_MAX];
	size_t n_events;
	bool publisher_fails, publisher_waits; /* publisher_finish: calls back later, by fake_publisher_idle */
	uint64_t finish_timeout;
	bool has_unsent, has_unread; /* events; output of fake.info's container */
	unsigned n_hurried;
	struct brig_bind binds[4]; /* of the last create */
	size_t n_binds;
};

/* The state of this test's process; every test of Criterion's has one of its own. */
extern struct fake_tasks fake;

/* Answers the first reply that waits. err: NULL for success with fake.info. */
void fake_tasks_reply(const struct error *err);
void fake_tasks_event(enum task_event event);
void fake_publisher_idle(void);
