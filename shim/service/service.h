/* The shim at work: a ttrpc server with the task services (v2 and v3) and the sandbox service on one socket, the pod's tasks,
 * and the way of their events to containerd. */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "container/brig.h"
#include "shim/loop/loop.h"

struct service;

#define SERVICE_ROOT_DEFAULT "/run/containerd/brig" /* state directories: below it, one folder a namespace */

struct service_options {	       /* strings outlive the service */
	struct loop *loop;	       /* stopped once the shim has nothing left to do */
	int listen_fd;		       /* of listener_open; taken over in case of success */
	const char *socket_path;       /* its file, removed at the end */
	const char *namespace, *id;    /* -namespace; -id: of the container that this shim was started for */
	const char *bundle;	       /* absolute */
	const char *ttrpc_address;     /* containerd's, or "": who asks (CRI-O) takes no events */
	const char *refuses_the_hosts; /* what brig_refuses_the_hosts() says of the handler's policy, or NULL */
	struct brig brig;	       /* defaults; options that Create brings override them */
};

/* Serves from the next turn of the loop on, as long as that runs. Returns 0, or a negative errno with err set; the socket stays the
 * caller's then. */
int service_new(const struct service_options *options, struct service **ret, struct error *err);
/* Everything of it, the socket's file included; containers stay as they are. NULL is allowed. */
void service_free(struct service *service);
DEFINE_CLEANUP(struct service *, service_free);
