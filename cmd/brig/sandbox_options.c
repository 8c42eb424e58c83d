#include "cmd/brig/sandbox_options.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/quantity.h"

#define NS_PER_MS UINT64_C(1000000)
#define TIME_MOST (UINT64_C(7) * 24 * 3600 * 1000 * NS_PER_MS)
#define MEMORY_LEAST ((int64_t)1024 * 1024)
#define MEMORY_MOST ((int64_t)1 << 46)
#define OUTPUT_MOST ((int64_t)1024 * 1024 * 1024)
#define KEPT_MOST ((int64_t)16 * 1024 * 1024)
#define PIDS_MOST 4194304u /* PID_MAX_LIMIT of the kernel */
#define CPUS_MOST 8192u
#define CPUS_LEAST 10 /* thousandths: with the usual period of 100 ms the kernel's least quota, 1 ms */
#define LIST_MOST 1024

const struct sandbox_options sandbox_options_defaults = {
	.timeout = "30s",
	.memory = { .value = (int64_t)512 * 1024 * 1024 },
	.max_output = { .value = (int64_t)1024 * 1024 },
	.pids = 256,
	.cpus = "1",
};

static int refuse(struct error *err, const char *option, const char *found, const char *wanted)
{
	return error_set(err, ERROR_USAGE, EINVAL,
			 "option --%s: found \"%.200s\", expected %s; see \"brig sandbox --help\"", option, found,
			 wanted);
}

static int refuse_number(struct error *err, const char *option, int64_t found, const char *wanted)
{
	return error_set(err, ERROR_USAGE, EINVAL,
			 "option --%s: found %" PRId64 ", expected %s; see \"brig sandbox --help\"", option, found,
			 wanted);
}

static int parse_cpus(const char *text, uint64_t *ret, struct error *err)
{
	static const char wanted[] = "processors such as 1, 0.5 or 2.125: from 0.01 to 8192, with three decimals at most";
	char whole[16];
	uint64_t cpus;

	/* ".5", as people know it from docker; a policy file has the digit. */
	if (text[0] == '.' && snprintf(whole, sizeof(whole), "0%s", text) < (int)sizeof(whole))
		text = whole;
	if (quantity_thousandths(text, CPUS_MOST, &cpus) < 0 || cpus < CPUS_LEAST || cpus > CPUS_MOST * 1000)
		return refuse(err, "cpus", text, wanted);
	*ret = cpus;
	return 0;
}

/* Nanoseconds. A time of nothing is a mistake, and not the word for no limit. */
static int parse_time(const char *text, const char *option, uint64_t *ret, struct error *err)
{
	uint64_t time;

	if (quantity_duration(text, &time) < 0 || time < NS_PER_MS || time > TIME_MOST)
		return refuse(err, option, text, "a duration from 1ms to 168h, such as 2s, 1m30s or 250ms");
	*ret = time;
	return 0;
}

static int check_limits(const struct sandbox_options *options, struct error *err)
{
	if (options->memory.value < MEMORY_LEAST || options->memory.value > MEMORY_MOST)
		return refuse_number(err, "memory", options->memory.value, "1m to 64t, in bytes");
	if (options->max_output.value < 1 || options->max_output.value > (options->json ? KEPT_MOST : OUTPUT_MOST))
		return refuse_number(err, "max-output", options->max_output.value,
				     options->json ? "1 to 16m, in bytes: --json keeps it in memory (1g without)"
						   : "1 to 1g, in bytes (16m with --json, which keeps it in memory)");
	if (options->pids < 1 || options->pids > PIDS_MOST)
		return refuse_number(err, "pids", options->pids, "1 to 4194304 processes");
	return 0;
}

static int take_limits(const struct sandbox_options *options, struct sandbox_limits *ret, struct error *err)
{
	int rc = check_limits(options, err);

	*ret = (struct sandbox_limits){ .memory = (uint64_t)options->memory.value,
					.pids = options->pids,
					.max_output = (uint64_t)options->max_output.value };
	if (rc >= 0)
		rc = parse_time(options->timeout, "timeout", &ret->timeout, err);
	if (rc >= 0 && options->cpu_time)
		rc = parse_time(options->cpu_time, "cpu-time", &ret->cpu_time, err);
	return rc < 0 ? rc : parse_cpus(options->cpus, &ret->cpus, err);
}

static int check_count(const struct option_list *list, const char *option, struct error *err)
{
	if (list->n_items > LIST_MOST)
		return error_set(err, ERROR_USAGE, EINVAL, "option --%s: given %zu times, %d are the most", option,
				 list->n_items, LIST_MOST);
	return 0;
}

/* SRC[:DST]; without DST the same place. */
static int take_bind(const char *text, const char *option, struct arena *arena, struct sandbox_bind *ret,
		     struct error *err)
{
	static const char wanted[] = "SRC:DST, both absolute paths, or SRC for the same place";
	const char *colon = strchr(text, ':');
	AUTO_FREE char *source = strndup(text, colon ? (size_t)(colon - text) : strlen(text));
	const char *destination = colon ? colon + 1 : text;

	if (!source)
		return error_memory(err);
	if (source[0] != '/' || destination[0] != '/' || strchr(destination, ':'))
		return refuse(err, option, text, wanted);
	ret->source = arena_strdup(arena, source);
	ret->destination = path_normalise(arena, destination);
	if (!ret->source || !ret->destination)
		return error_memory(err);
	if (strcmp(ret->destination, "/") == 0)
		return refuse(err, option, text, "a DST below /");
	/* Files copied in and out, and what was given to the program there, would be the host's. */
	if (path_is_below(ret->destination, SANDBOX_WORK))
		return refuse(err, option, text, "a DST outside of " SANDBOX_WORK ", which is the sandbox's own");
	return 0;
}

static size_t depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/* Mounted in this order: a place in another bind's is to be seen, and to be as it was asked for. */
static int insert_bind(struct sandbox_bind *binds, size_t n, const struct sandbox_bind *bind, struct error *err)
{
	static const char *const names[] = { "ro", "rw" };
	size_t at = n;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(binds[i].destination, bind->destination) == 0)
			return error_set(
				err, ERROR_USAGE, EINVAL,
				"options --bind-%s %.200s:%.200s and --bind-%s %.200s:%.200s: one of them would hide the other; "
				"give each a DST of its own",
				names[binds[i].writable], binds[i].source, binds[i].destination, names[bind->writable],
				bind->source, bind->destination);
		if (at == n && depth(binds[i].destination) > depth(bind->destination))
			at = i;
	}
	memmove(&binds[at + 1], &binds[at], (n - at) * sizeof(*binds));
	binds[at] = *bind;
	return 0;
}

/* Those to be written to go first: where a link makes one place of two names as deep as each other, what is read-only stays so. */
static int take_binds(const struct sandbox_options *options, struct arena *arena, struct sandbox_request *ret,
		      struct error *err)
{
	const struct option_list *lists[] = { &options->rw_binds, &options->ro_binds };
	static const char *const names[] = { "bind-rw", "bind-ro" };
	struct sandbox_bind *binds =
		arena_array_of(arena, options->ro_binds.n_items + options->rw_binds.n_items, struct sandbox_bind);
	int rc = binds ? 0 : error_memory(err);

	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(lists); i++) {
		rc = check_count(lists[i], names[i], err);
		for (size_t j = 0; rc >= 0 && j < lists[i]->n_items; j++) {
			struct sandbox_bind bind = { .writable = lists[i] == &options->rw_binds };

			rc = take_bind(lists[i]->items[j], names[i], arena, &bind, err);
			if (rc >= 0)
				rc = insert_bind(binds, ret->n_binds, &bind, err);
			ret->n_binds += rc >= 0;
		}
	}
	ret->binds = binds;
	return rc;
}

/* "./a" and "/work/a", as people write it who think of the program's view. */
static const char *skip_work(const char *name)
{
	if (strncmp(name, SANDBOX_WORK "/", strlen(SANDBOX_WORK "/")) == 0)
		return name + strlen(SANDBOX_WORK "/");
	return strncmp(name, "./", 2) == 0 ? name + 2 : name;
}

/* NAME=PATH; where the path may be missing, NAME alone as well. */
static int take_copy(const char *text, bool path_is_optional, struct arena *arena, struct sandbox_copy *ret)
{
	const char *name = skip_work(text), *sign = strchr(name, '=');

	ret->name = arena_strndup(arena, name, sign ? (size_t)(sign - name) : strlen(name));
	ret->path = sign ? sign + 1 : NULL;
	if (!ret->name)
		return -ENOMEM;
	if ((!sign && !path_is_optional) || (sign && !*ret->path) || !sandbox_is_name(ret->name))
		return -EINVAL;
	return 0;
}

static int take_files(const struct sandbox_options *options, struct arena *arena, struct sandbox_request *ret,
		      struct error *err)
{
	struct sandbox_copy *files = arena_array_of(arena, options->files.n_items, struct sandbox_copy);
	int rc = files ? check_count(&options->files, "file", err) : error_memory(err);

	for (size_t i = 0; rc >= 0 && i < options->files.n_items; i++) {
		rc = take_copy(options->files.items[i], /* path_is_optional= */ false, arena, &files[i]);
		if (rc == -EINVAL)
			return refuse(
				err, "file", options->files.items[i],
				"NAME=PATH: NAME in the work directory, without \"..\" and not absolute, PATH on the host");
	}
	ret->files = files;
	ret->n_files = options->files.n_items;
	return rc == -ENOMEM ? error_memory(err) : rc;
}

static int take_collects(const struct sandbox_options *options, struct arena *arena, struct sandbox_request *ret,
			 struct error *err)
{
	struct sandbox_copy *collects = arena_array_of(arena, options->collects.n_items, struct sandbox_copy);
	int rc = collects ? check_count(&options->collects, "collect", err) : error_memory(err);

	for (size_t i = 0; rc >= 0 && i < options->collects.n_items; i++) {
		const char *text = options->collects.items[i];

		rc = take_copy(text, /* path_is_optional= */ options->json, arena, &collects[i]);
		if (rc == -EINVAL)
			return refuse(err, "collect", text,
				      options->json ? "NAME or NAME=PATH: NAME in the work directory, PATH on the host"
						    : "NAME=PATH: NAME in the work directory, PATH on the host (NAME "
						      "alone, into the result, takes --json)");
	}
	ret->collects = collects;
	ret->n_collects = options->collects.n_items;
	return rc == -ENOMEM ? error_memory(err) : rc;
}

/* NAME=VALUE; NAME alone is our own value, if there is one. */
static int take_env(const struct sandbox_options *options, struct arena *arena, struct sandbox_request *ret,
		    struct error *err)
{
	const char **env = arena_array_of(arena, options->env.n_items + 1, const char *);
	size_t n = 0;

	if (!env)
		return error_memory(err);
	for (size_t i = 0; i < options->env.n_items; i++) {
		const char *item = options->env.items[i], *value = getenv(item);

		if (!*item || *item == '=')
			return refuse(err, "env", item, "NAME=VALUE, or NAME to pass our own on");
		if (strchr(item, '='))
			env[n++] = item;
		else if (value && !(env[n++] = arena_printf(arena, "%s=%s", item, value)))
			return error_memory(err);
	}
	ret->env = env;
	return 0;
}

/* LAYOUT[:TAG] */
static int take_image(const char *text, struct arena *arena, struct sandbox_request *ret, struct error *err)
{
	const char *slash = strrchr(text, '/'), *colon = strrchr(slash ?: text, ':');

	ret->oci = arena_strndup(arena, text, colon ? (size_t)(colon - text) : strlen(text));
	ret->oci_tag = colon ? colon + 1 : NULL;
	if (!ret->oci)
		return error_memory(err);
	return *ret->oci && (!colon || colon[1]) ? 0 : refuse(err, "oci", text, "LAYOUT or LAYOUT:TAG");
}

static int check_places(const struct sandbox_options *options, struct error *err)
{
	if (options->rootfs && !*options->rootfs)
		return refuse(err, "rootfs", options->rootfs, "a directory of the host");
	if (options->stdin_path && !*options->stdin_path)
		return refuse(err, "stdin", options->stdin_path, "a file of the host, or \"-\"");
	if (options->policy && !*options->policy)
		return refuse(err, "policy", options->policy, "the name of a policy, or a file");
	if (options->learn && !*options->learn)
		return refuse(err, "learn", options->learn, "a file of the host");
	if (options->oci && options->rootfs)
		return error_set(err, ERROR_USAGE, EINVAL, "options --oci and --rootfs: one root file system is enough");
	if (options->cwd && options->cwd[0] != '/')
		return refuse(err, "cwd", options->cwd, "an absolute path in the sandbox");
	return 0;
}

static int check_program(const struct sandbox_options *options, struct error *err)
{
	if (options->oci && !options->argv)
		return 0;
	if (!options->argv || !options->argv[0])
		return error_set(err, ERROR_USAGE, EINVAL,
				 "PROGRAM is missing: brig sandbox [OPTION...] -- PROGRAM [ARGUMENT...]; see \"brig sandbox "
				 "--help\"");
	if (!*options->argv[0])
		return error_set(err, ERROR_USAGE, EINVAL, "PROGRAM is empty");
	return 0;
}

int sandbox_options_request(const struct sandbox_options *options, struct arena *arena, struct sandbox_request *ret,
			    struct error *err)
{
	struct sandbox_request request = { .argv = options->argv,
					   .name = options->name,
					   .rootfs = options->rootfs,
					   .stdin_path = options->stdin_path,
					   .refuses_tcp = options->no_tcp,
					   .keeps_output = options->json };
	int rc = check_places(options, err);

	if (rc >= 0)
		rc = check_program(options, err);
	if (rc >= 0 && options->no_tcp && options->egress_proxy)
		return error_set(
			err, ERROR_USAGE, EINVAL,
			"options --no-tcp and --egress-proxy: the proxy is reached by TCP; leave one of them out");

	/* No network at all is what there is without a list, for users who can't hold one as well. */
	if (options->egress && strcmp(options->egress, "none") != 0)
		request.egress = options->egress;
	request.egress_proxy = options->egress_proxy;
	if (rc >= 0 && options->oci)
		rc = take_image(options->oci, arena, &request, err);
	if (rc >= 0)
		rc = take_limits(options, &request.limits, err);
	if (rc >= 0)
		rc = take_binds(options, arena, &request, err);
	if (rc >= 0)
		rc = take_files(options, arena, &request, err);
	if (rc >= 0)
		rc = take_collects(options, arena, &request, err);
	if (rc >= 0)
		rc = take_env(options, arena, &request, err);
	if (rc >= 0 && options->cwd && !(request.cwd = path_normalise(arena, options->cwd)))
		rc = error_memory(err);
	if (rc >= 0)
		*ret = request;
	return rc;
}
