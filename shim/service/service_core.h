/* What the files of the service share. Internal to it. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "shim/events/publisher.h"
#include "shim/process/tasks.h"
#include "shim/service/options.h"
#include "shim/service/sandbox.h"
#include "shim/service/service.h"
#include "shim/ttrpc/server.h"

struct service_call;
struct streaming_call;
struct streams;

struct service {
	struct service_options options;
	struct server *server;
	struct publisher *publisher;
	int bundle_fd;		/* the publisher's queue is there */
	struct tasks *tasks;	/* NULL before the first Create: that brings the options that hold for all */
	struct options handler; /* these options; strings in handler_arena */
	const char *root;	/* what they make of the state directory */
	struct arena *handler_arena;
	struct service_call *calls; /* those that wait for their answer */
	struct streaming_call *streaming_calls;
	struct streams *streams; /* what these are about */
	struct sandbox sandbox;	 /* with it, the shim stays when its last container goes */
	bool is_ending;
	struct loop_timer quiet;  /* calls with a quiet_deadline are to be looked at */
	struct loop_timer look;	  /* whether anybody will ever ask for something: until there is a task or a sandbox */
	struct loop_timer linger; /* the last answers are out, and their readers have yet to go */
};

/* Also one that is being made. */
bool service_has_tasks(const struct service *service);
/* The socket's file goes, what events there are still go to containerd, its connections are waited for (both bounded), and the loop
 * stops. */
void service_end(struct service *service);
