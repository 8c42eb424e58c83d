#include "container/exec_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"

static size_t count(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* first and then second, in one array of the arena; NULL: no memory. */
static const char *const *join(struct arena *arena, const char *const *first, size_t n_first, const char *const *second,
			       size_t n_second)
{
	const char **joined = arena_array_of(arena, n_first + n_second + 1, const char *);

	if (!joined)
		return NULL;
	if (n_first)
		memcpy(joined, first, n_first * sizeof(*joined));
	if (n_second)
		memcpy(joined + n_first, second, n_second * sizeof(*joined));
	return joined;
}

static int parse_id(const char *text, const char *end, uint32_t *ret)
{
	char *stop;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &stop, 10);
	/* Whole, decimal, in range: an odd number must not become root (CVE-2016-3697, CVE-2024-40635). */
	if (text == end || stop != end || errno || value > UINT32_MAX - 1 || text[0] < '0' || text[0] > '9')
		return -EINVAL;
	*ret = (uint32_t)value;
	return 0;
}

static int set_user(const char *text, struct spec_user *user, struct error *err)
{
	const char *colon = strchrnul(text, ':');

	if (parse_id(text, colon, &user->uid) < 0 ||
	    (*colon && parse_id(colon + 1, colon + strlen(colon), &user->gid) < 0))
		return error_set(err, ERROR_USAGE, EINVAL, "--user %s: expected UID or UID:GID as numbers", text);
	return 0;
}

static int add_capabilities(const struct brig_exec *request, struct arena *arena, struct spec_process *process,
			    struct error *err)
{
	static const struct spec_capabilities none;
	size_t n = count(request->capabilities);
	const struct spec_capabilities *old = process->capabilities ?: &none;
	struct spec_capabilities *added = arena_new_of(arena, struct spec_capabilities);

	if (n == 0)
		return 0;
	if (!added)
		return error_memory(err);
	*added = *old;
	/* Not inheritable nor ambient: see CVE-2022-29162. */
	added->bounding = join(arena, old->bounding, old->n_bounding, request->capabilities, n);
	added->effective = join(arena, old->effective, old->n_effective, request->capabilities, n);
	added->permitted = join(arena, old->permitted, old->n_permitted, request->capabilities, n);
	if (!added->bounding || !added->effective || !added->permitted)
		return error_memory(err);
	added->n_bounding += n;
	added->n_effective += n;
	added->n_permitted += n;
	process->capabilities = added;
	return 0;
}

static int override_fields(const struct brig_exec *request, struct arena *arena, struct spec_process *process,
			   struct error *err)
{
	size_t n_env = count(request->env);

	process->args = request->argv;
	process->n_args = count(request->argv);
	process->cwd = request->cwd ?: process->cwd;
	process->apparmor_profile = request->apparmor ?: process->apparmor_profile;
	process->selinux_label = request->process_label ?: process->selinux_label;
	if (request->set_tty)
		process->terminal = request->tty;
	if (request->set_no_new_privileges)
		process->no_new_privileges = request->no_new_privileges;
	if (n_env) {
		process->env = join(arena, process->env, process->n_env, request->env, n_env);
		process->n_env += n_env;
		if (!process->env)
			return error_memory(err);
	}
	if (request->n_additional_gids) {
		process->user.additional_gids = request->additional_gids;
		process->user.n_additional_gids = request->n_additional_gids;
	}
	return request->user ? set_user(request->user, &process->user, err) : 0;
}

static int read_file(const char *path, struct arena *arena, struct spec_process *ret, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	/* A pipe is fine here: it is the caller's word, as in `--process <(...)`. */
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc;

	if (fd < 0)
		return error_system(err, errno, "--process: open %s", path);
	rc = fd_read_all(fd, SPEC_BYTES_MAX, &text, path, err);
	if (rc >= 0)
		rc = spec_parse_process(text.data, text.length, arena, ret, err);
	return rc < 0 ? error_prefix(err, "--process %s", path) : 0;
}

static int read_text(const struct brig_exec *request, struct arena *arena, struct spec_process *ret, struct error *err)
{
	int rc;

	if (request->process_length > SPEC_BYTES_MAX)
		return error_invalid(err, "the process of an exec has %zu bytes, %zu are the most",
				     request->process_length, (size_t)SPEC_BYTES_MAX);
	rc = spec_parse_process(request->process_json, request->process_length, arena, ret, err);
	return rc < 0 ? error_prefix(err, "the process of an exec") : 0;
}

/* What holds the container's program holds what is executed beside it too, unless the object has a word of its own on it: one
 * that names a program and a directory alone is no way to have more than the container, or nothing. As runc does, and the
 * resource limits besides. noNewPrivileges is not among them: an object that is written without it asks for false. */
static void inherit(const struct spec_process *container, struct spec_process *process)
{
	process->capabilities = process->capabilities ?: container->capabilities;
	process->apparmor_profile = process->apparmor_profile ?: container->apparmor_profile;
	process->selinux_label = process->selinux_label ?: container->selinux_label;
	process->scheduler = process->scheduler ?: container->scheduler;
	process->io_priority = process->io_priority ?: container->io_priority;
	process->exec_cpu_affinity = process->exec_cpu_affinity ?: container->exec_cpu_affinity;
	if (!process->n_rlimits) {
		process->rlimits = container->rlimits;
		process->n_rlimits = container->n_rlimits;
	}
	if (!process->oom_score_adj.set)
		process->oom_score_adj = container->oom_score_adj;
	if (!process->user.umask.set)
		process->user.umask = container->user.umask;
}

static int read_process(const struct brig_exec *request, struct spec *container, struct spec_process *ret,
			struct error *err)
{
	int rc = request->process_json ? read_text(request, container->arena, ret, err)
				       : read_file(request->process_file, container->arena, ret, err);

	if (rc < 0)
		return rc;
	if (request->set_tty)
		ret->terminal = request->tty;
	if (container->process)
		inherit(container->process, ret);
	return 0;
}

int exec_process_build(const struct brig_exec *request, struct spec *container, struct spec_process *ret,
		       struct error *err)
{
	int rc;

	if (request->process_json || request->process_file)
		return read_process(request, container, ret, err);
	if (!container->process)
		return error_invalid(err, "the container has no process of its own to begin with: give --process");
	*ret = *container->process;
	rc = override_fields(request, container->arena, ret, err);
	return rc < 0 ? rc : add_capabilities(request, container->arena, ret, err);
}
