#include "shim/service/service.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "shim/io/streams.h"
#include "shim/service/call.h"
#include "shim/service/methods.h"
#include "shim/service/service_core.h"
#include "shim/service/streaming.h"
#include "shim/service/task_events.h"

/* Nanoseconds for the last events: containerd waits for three seconds in all. */
#define END_TIMEOUT UINT64_C(3000000000)
/* Nanoseconds for the peers to go. Go's ttrpc client picks at random between an answer and the end of the connection when it
 * finds both: an answer counts only once its reader has closed. */
#define LINGER_TIMEOUT UINT64_C(1000000000)
/* Nanoseconds between two looks of a shim that was asked for nothing yet. */
#define LOOK_INTERVAL UINT64_C(3000000000)

/* For Shutdown: containerd sends it after each container's delete. */
bool service_has_tasks(const struct service *service)
{
	/* Whether a container that is being made counts already is up to tasks. */
	for (const struct service_call *call = service->calls; call; call = call->next) {
		if (call->waits_for_tasks)
			return true;
	}
	return service->tasks && tasks_count(service->tasks) > 0;
}

static void stop(void *context)
{
	struct service *service = context;

	loop_stop(service->options.loop);
}

static void linger(void *context)
{
	struct service *service = context;

	if (server_n_connections(service->server) == 0) {
		stop(service);
		return;
	}
	service->linger = (struct loop_timer){ .expired = stop, .context = service };
	loop_set_timer(service->options.loop, &service->linger, loop_now() + LINGER_TIMEOUT);
}

/* The last one has its answer: no reason to stay for the rest of the time. */
static void handle_disconnected(void *context)
{
	struct service *service = context;

	if (service->linger.is_active && server_n_connections(service->server) == 0)
		stop(service);
}

static void handle_ended(void *context, struct server_call id, enum server_ended why)
{
	streaming_ended(context, id);
	call_ended(context, id, why);
}

/* Once only: by the end of this process the path may belong to the next shim. */
static void remove_socket(struct service *service)
{
	if (service->options.socket_path)
		unlink(service->options.socket_path);
	service->options.socket_path = NULL;
}

void service_end(struct service *service)
{
	if (service->is_ending)
		return;
	service->is_ending = true;
	remove_socket(service);
	publisher_finish(service->publisher, END_TIMEOUT, linger, service);
}

static bool bundle_is_gone(const struct service *service)
{
	struct stat ours, there;

	if (fstat(service->bundle_fd, &ours) < 0)
		return false;
	if (stat(service->options.bundle, &there) < 0)
		return errno == ENOENT;
	return ours.st_dev != there.st_dev || ours.st_ino != there.st_ino;
}

/* A containerd that gives up while it starts a shim kills `start`, and where that has started us already never hears of us; it removes the
 * bundle. */
static void look(void *context)
{
	struct service *service = context;

	if (service->is_ending || service->sandbox.state != SANDBOX_NONE || service_has_tasks(service))
		return;
	if (server_n_connections(service->server) == 0 && bundle_is_gone(service)) {
		log_info("shim of %s: nobody asked for anything, and the bundle is gone", service->options.id);
		service_end(service);
		return;
	}
	loop_set_timer(service->options.loop, &service->look, loop_now() + LOOK_INTERVAL);
}

/* It becomes a part of paths. containerd checks it, and so does the command line: this is for those who come another way. */
static int check_namespace(const char *namespace, struct error *err)
{
	if (!*namespace || *namespace == '.' || strchr(namespace, '/'))
		return error_invalid(err, "namespace \"%.100s\": not the name of one", namespace);
	return 0;
}

/* With what an earlier shim of this bundle has not got rid of. */
static int open_publisher(struct service *service, struct error *err)
{
	const struct publisher_options options = {
		.loop = service->options.loop,
		.address = service->options.ttrpc_address,
		.namespace = service->options.namespace,
		.directory_fd = service->bundle_fd,
	};

	return publisher_new(&options, &service->publisher, err);
}

static int open_server(struct service *service, struct error *err)
{
	struct server_options options = {
		.loop = service->options.loop,
		.context = service,
		.ended = handle_ended,
		.disconnected = handle_disconnected,
	};

	options.methods = methods_list(&options.n_methods);
	return server_new(&options, service->options.listen_fd, &service->server, err);
}

int service_new(const struct service_options *options, struct service **ret, struct error *err)
{
	AUTO(service_free) struct service *service = NULL;
	int r = check_namespace(options->namespace, err);

	if (r < 0)
		return r;
	service = calloc(1, sizeof(*service));
	if (!service)
		return error_memory(err);
	service->options = *options;
	service->options.socket_path = NULL; /* the caller's until we have its descriptor */
	service->bundle_fd = open(options->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (service->bundle_fd < 0)
		return error_system(err, errno, "open bundle %s", options->bundle);
	r = open_publisher(service, err);
	if (r == 0)
		r = streams_new(options->loop, options->socket_path ?: "", &service->streams, err);
	if (r == 0)
		r = open_server(service, err);
	if (r < 0)
		return r;
	service->options.socket_path = options->socket_path;
	service->look = (struct loop_timer){ .expired = look, .context = service };
	loop_set_timer(options->loop, &service->look, loop_now() + LOOK_INTERVAL);
	*ret = steal_ptr(&service);
	return 0;
}

void service_free(struct service *service)
{
	if (!service)
		return;
	remove_socket(service);
	loop_clear_timer(service->options.loop, &service->look);
	loop_clear_timer(service->options.loop, &service->linger);
	loop_clear_timer(service->options.loop, &service->quiet);
	streaming_free_all(service);
	server_free(service->server);
	tasks_free(service->tasks);
	streams_free(service->streams);
	call_free_all(service);
	sandbox_done(&service->sandbox);
	publisher_free(service->publisher);
	close_and_reset(&service->bundle_fd);
	arena_free(service->handler_arena);
	free(service);
}
