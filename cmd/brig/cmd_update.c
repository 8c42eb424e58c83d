#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/container_argument.h"
#include "cmd/brig/update_request.h"

#define RESOURCES_MAX ((size_t)1024 * 1024)

#define AT(member) offsetof(struct update_request, member)

static const struct command_option update_options[] = {
	{ "resources", 'r', OPTION_STRING, 0, AT(resources), "FILE", NULL,
	  "read a linux.resources object as JSON from FILE, or from the standard input where FILE is -; no other option then" },
	{ "memory", 0, OPTION_SIZE, 0, AT(memory), "BYTES", NULL, "the most memory; 512m and the like are understood" },
	{ "memory-reservation", 0, OPTION_SIZE, 0, AT(memory_reservation), "BYTES", NULL,
	  "memory to keep back for it when the host runs short" },
	{ "memory-swap", 0, OPTION_SIZE, 0, AT(memory_swap), "BYTES", NULL,
	  "the most memory and swap together; -1: no limit" },
	{ "cpu-share", 0, OPTION_NUMBER, 0, AT(cpu_shares), "N", NULL,
	  "processor time in relation to others, of 2 to 262144" },
	{ "cpu-quota", 0, OPTION_NUMBER, 0, AT(cpu_quota), "MICROSECONDS", NULL,
	  "processor time in each period; -1: no limit" },
	{ "cpu-period", 0, OPTION_NUMBER, 0, AT(cpu_period), "MICROSECONDS", NULL, "the period of --cpu-quota" },
	{ "cpu-burst", 0, OPTION_NUMBER, 0, AT(cpu_burst), "MICROSECONDS", NULL,
	  "unused time that may be saved for later" },
	{ "cpu-rt-runtime", 0, OPTION_NUMBER, 0, AT(cpu_rt_runtime), "MICROSECONDS", NULL, "real-time quota (cgroup v1)" },
	{ "cpu-rt-period", 0, OPTION_NUMBER, 0, AT(cpu_rt_period), "MICROSECONDS", NULL, "real-time period (cgroup v1)" },
	{ "cpu-idle", 0, OPTION_NUMBER, 0, AT(cpu_idle), "0|1", NULL, "1: only time that nobody else wants (cgroup v2)" },
	{ "cpuset-cpus", 0, OPTION_STRING, 0, AT(cpus), "LIST", NULL, "processors to run on, such as 0-3,7" },
	{ "cpuset-mems", 0, OPTION_STRING, 0, AT(mems), "LIST", NULL, "memory nodes to use" },
	{ "pids-limit", 0, OPTION_NUMBER, 0, AT(pids_limit), "N", NULL, "the most processes and threads; -1: no limit" },
	{ "blkio-weight", 0, OPTION_NUMBER, 0, AT(blkio_weight), "N", NULL,
	  "disk time in relation to others, of 10 to 1000" },
	{ "kernel-memory", 0, OPTION_SIZE, OPTION_HIDDEN | OPTION_WITHOUT_EFFECT, AT(kernel_memory), "BYTES", NULL,
	  "the kernel has no such limit any more" },
	{ "kernel-memory-tcp", 0, OPTION_SIZE, OPTION_HIDDEN | OPTION_WITHOUT_EFFECT, AT(kernel_memory_tcp), "BYTES",
	  NULL, "the kernel has no such limit any more" },
	{ "l3-cache-schema", 0, OPTION_STRING, OPTION_HIDDEN, AT(l3_cache_schema), "SCHEMA", NULL, "Intel RDT" },
	{ "mem-bw-schema", 0, OPTION_STRING, OPTION_HIDDEN, AT(mem_bw_schema), "SCHEMA", NULL, "Intel RDT" },
	{ 0 },
};

static const struct command_positional positionals[] = {
	CONTAINER_ARGUMENT(struct update_request, id),
	{ 0 },
};

static const struct command_example examples[] = {
	{ "brig update --memory 512m --pids-limit 100 box1", "two limits at once" },
	{ "echo '{\"cpu\":{\"quota\":50000,\"period\":100000}}' | brig update --resources - box1", "half a processor" },
	{ 0 },
};

/* As much as a config.json's resources ever are; the library parses it. */
static int read_resources(const char *path, struct buffer *json, struct error *err)
{
	AUTO_CLOSE int opened_fd = -EBADF;

	if (!strcmp(path, "-"))
		return fd_read_all(STDIN_FILENO, RESOURCES_MAX, json, "--resources from the standard input", err);
	opened_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (opened_fd < 0)
		return error_system(err, errno, "open %s (--resources)", path);
	return fd_read_all(opened_fd, RESOURCES_MAX, json, path, err);
}

/* Options become the same document that --resources reads, so that there is one way in. */
static int collect(const struct update_request *request, struct buffer *json, struct error *err)
{
	size_t n;

	if (request->l3_cache_schema || request->mem_bw_schema)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP, "option --%s: brig does not support Intel RDT",
				 request->l3_cache_schema ? "l3-cache-schema" : "mem-bw-schema");
	n = update_request_format(request, json);
	if (request->resources && n > 0)
		return error_set(
			err, ERROR_USAGE, EINVAL,
			"option --resources: the file says all, so no other limit can be given; see \"brig update --help\"");
	if (!request->resources)
		return json->failed ? error_memory(err) : 0;
	buffer_done(json);
	return read_resources(request->resources, json, err);
}

static int run(const struct brig *brig, const void *data, struct error *err)
{
	const struct update_request *request = data;
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer json = { 0 };
	int r = collect(request, &json, err);

	if (r < 0)
		return r;
	return brig_update(brig, request->id, json.data ?: "", json.length, err);
}

const struct command cmd_update = {
	.name = "update",
	.summary = "change the limits of a container",
	.description =
		"What no option names stays as it is, and what FILE leaves out or gives as 0. All or nothing: where the kernel refuses "
		"one limit, those set before it are set back, and the error names it. What the policy makes of a limit (one above "
		"its maximum is lowered) is a warning.",
	.group = COMMAND_CHANGES,
	.options_size = COMMAND_OPTIONS_SIZE(struct update_request),
	.options = update_options,
	.positionals = positionals,
	.examples = examples,
	.run = run,
};
