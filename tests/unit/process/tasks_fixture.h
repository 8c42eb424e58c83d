/* One shim's tasks over the fake runtime, and a record of what they told. */
#pragma once

#include <criterion/criterion.h>

#include "fake_runtime.h"
#include "shim/process/tasks.h"

#define EVENTS_TEXT_MAX 4096

struct fixture_reply {
	struct task_reply reply; /* first */
	unsigned n_answers;
	bool has_failed;
	struct error err;
	pid_t pid;
	int exit_status;
	enum process_state state;
	const char *name; /* where not NULL: added to the fixture's events */
};

struct fixture {
	struct loop *loop;
	struct tasks *tasks;
	char events[EVENTS_TEXT_MAX]; /* "create start exit:7 exec-start/e " */
};

extern struct fixture fixture;

void fixture_begin(void);
/* With bounds, and a cap on workers. */
void fixture_begin_with(const struct tasks_bounds *bounds, unsigned max_workers);
void fixture_end(void);
void fixture_reply_init(struct fixture_reply *reply, const char *name);

/* Steps the loop until condition, for 20 s at most. */
#define fixture_until(condition)                                                                                  \
	do {                                                                                                      \
		uint64_t deadline_ = loop_now() + UINT64_C(20000000000);                                          \
		while (!(condition)) {                                                                            \
			cr_assert_lt(loop_now(), deadline_, "in vain: %s; told: %s", #condition, fixture.events); \
			cr_assert_geq(loop_step(fixture.loop, 20), 0);                                            \
		}                                                                                                 \
	} while (0)
/* Whatever is ready now. */
void fixture_settle(void);

int fixture_create(const char *id, struct fixture_reply *reply, struct error *err);
int fixture_exec(const char *id, const char *exec_id, struct error *err);
struct task_name fixture_name(const char *id, const char *exec_id);
/* Containers and execs in a state, with what it takes to get there checked. */
void fixture_make(const char *id, enum process_state state);
void fixture_make_exec(const char *id, const char *exec_id, enum process_state state);
int fixture_kill(const char *id, const char *exec_id, int signal);
/* The answer to one request, waited for: 0 or the kind of the error. */
enum error_kind fixture_start(const char *id, const char *exec_id);
enum error_kind fixture_delete(const char *id, const char *exec_id);
enum process_state fixture_state(const char *id, const char *exec_id);
