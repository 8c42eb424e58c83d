#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "cmd/shim/bundle.h"
#include "cmd/shim/cmd.h"
#include "cmd/shim/handler_options.h"
#include "cmd/shim/pod_socket.h"
#include "cmd/shim/spawn.h"
#include "cmd/shim/stream.h"
#include "shim/bootstrap/address.h"
#include "shim/bootstrap/answer.h"
#include "shim/bootstrap/bundle_root.h"
#include "shim/service/service.h"

#define MEMORY_MAX ((size_t)64 * 1024 * 1024) /* what a config.json can make us allocate */

/* What its steps find out, one after the other. */
struct start {
	const struct cmd *cmd;
	struct arena *arena;
	int bundle_fd;
	const char *bundle;
	struct bootstrap bootstrap;
	struct options options;
	const char *address, *socket_path;
};

static int find_group(const struct start *start, const char **ret, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	const char *id = start->cmd->arguments.id;
	int r = file_read_at(start->bundle_fd, "config.json", ADDRESS_CONFIG_MAX, &text, err);

	/* A sandbox that containerd makes without a container has no config.json, or an empty one. */
	if (r == -ENOENT || (r == 0 && text.length == 0)) {
		*ret = id;
		return 0;
	}
	if (r < 0)
		return r;
	return address_group((struct address_config){ text.data, text.length }, id, start->arena, ret, err);
}

/* The same name for each container of a pod, without asking anybody: that is how the second `start` finds the first one's shim. */
static int find_address(struct start *start, struct error *err)
{
	const struct arguments *arguments = &start->cmd->arguments;
	const char *directory = start->bootstrap.socket_dir;
	struct address_parts parts = {
		.directory = *directory ? directory : ADDRESS_DIRECTORY,
		.containerd = *arguments->address ? arguments->address : start->bootstrap.grpc_address,
		.namespace = arguments->namespace,
	};
	int r = find_group(start, &parts.group, err);

	if (r == 0)
		r = address_format(&parts, start->arena, &start->address, err);
	if (r == 0)
		start->socket_path = start->address + strlen(ADDRESS_SCHEME);
	return r;
}

/* What `delete`, and containerd 1.6, look for in the bundle. */
static int leave_files(const struct start *start, struct error *err)
{
	const char *root = start->options.root;
	int r = bundle_write_address(start->bundle_fd, start->address, err);

	if (r < 0 || !root)
		return r;
	root = arena_printf(start->arena, "%s/%s", root, start->cmd->arguments.namespace);
	return root ? bundle_root_write(start->bundle_fd, root, err) : error_memory(err);
}

static int print_answer(const struct start *start, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer answer = { 0 };

	/* Both versions of the task service are on each socket, so a shim that was there already has what is promised here. */
	answer_start(start->bootstrap.form, bootstrap_version(&start->bootstrap, start->options.version),
		     start->address, &answer);
	return stream_write_answer(&answer, err);
}

/* The answer comes once the socket listens and `serve` is being executed: containerd connects as soon as it has it. */
static int spawn_and_answer(const struct start *start, struct error *err)
{
	const struct bootstrap *bootstrap = &start->bootstrap;
	const struct arguments *arguments = &start->cmd->arguments;
	const struct spawn spawn = {
		.arguments = arguments,
		.program = start->cmd->argv[0],
		.bundle = start->bundle,
		.socket_path = start->socket_path,
		.ttrpc_address = *bootstrap->ttrpc_address ? bootstrap->ttrpc_address : (getenv("TTRPC_ADDRESS") ?: ""),
		.shim_cgroup = start->options.shim_cgroup,
		.policy = start->options.policy,
		.log_level = handler_options_log_level(&start->options, bootstrap, arguments->debug),
	};
	pid_t pid;
	int r;

	/* For each container of a pod but the first there is nothing to make. */
	if (pod_socket_is_served(start->socket_path))
		return print_answer(start, err);
	r = spawn_serve(&spawn, &pid, err);
	if (r < 0)
		return err->kind == ERROR_EXISTS ? print_answer(start, err) : r;
	r = print_answer(start, err);
	/* Nobody would ever find it. */
	if (r < 0) {
		kill(pid, SIGKILL);
		unlink(start->socket_path);
	}
	return r;
}

static int run(struct start *start, struct error *err)
{
	int r = handler_options_read(&start->bootstrap, start->arena, &start->options, err) ?: find_address(start, err);

	if (r == 0)
		r = leave_files(start, err);
	return r < 0 ? r : spawn_and_answer(start, err);
}

int cmd_start(const struct cmd *cmd, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer input = { 0 };
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY_MAX);
	AUTO_CLOSE int bundle_fd = bundle_open(cmd->arguments.bundle, err);
	struct start start = { .cmd = cmd, .arena = arena, .bundle_fd = bundle_fd };
	int r;

	if (!arena)
		return error_memory(err);
	if (bundle_fd < 0)
		return bundle_fd;
	r = bundle_path(cmd->arguments.bundle, arena, &start.bundle, err)
		    ?: stream_read_input(BOOTSTRAP_STDIN_MAX, &input, err);
	if (r == 0)
		r = bootstrap_decode((struct wire_bytes){ (const uint8_t *)input.data, input.length }, &cmd->arguments,
				     arena, &start.bootstrap, err);
	return r < 0 ? r : run(&start, err);
}
