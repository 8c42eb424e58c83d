/* From a request to the config.json of its container. Pure. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "image/image.h"
#include "sandbox/sandbox.h"

struct sandbox_config {
	const struct sandbox_request *request;
	/* What is to run, where the image has a say as well as the request. */
	const char *const *argv, *const *env, *cwd;
	const char *root; /* absolute: the root file system, read-only */
	/* Binds that the root consists of, beside the request's. */
	const struct sandbox_bind *parts;
	size_t n_parts;
	const char *resolv_conf; /* a file of the host, to be seen at /etc/resolv.conf; or NULL */
	bool rootless;		 /* a user namespace with one id, the caller's */
	const char *cgroup_path; /* or NULL: brig's own choice */
	bool lacks_cpu;		 /* the group can hold no --cpus */
	bool has_cgroup;	 /* else each process has limits of its own */
	uid_t uid;
	gid_t gid;     /* rootless: the caller's */
	int oom_score; /* of the caller: proc_pid_oom_score_adj(5) */
};

/* How large each tmpfs may grow: a fourth of the memory, so that a full disk is ENOSPC before it is out of memory. */
uint64_t sandbox_config_disk(const struct sandbox_limits *limits);
/* argv, env and cwd, of the request and of the image's process (NULLs: there is no image); joined ones are arena's. ERROR_USAGE: neither
 * names a program, or what is to go into the document is not UTF-8. */
int sandbox_config_choose(struct sandbox_config *config, const struct image_config *image, struct arena *arena,
			  struct error *err);
/* Appends the document. */
void sandbox_config_write(const struct sandbox_config *config, struct buffer *out);

#define SANDBOX_PLACE_MAX 480
/* What a place of that document is to who asked for the sandbox. */
struct sandbox_place {
	size_t length;		      /* of the place's name: "mounts[7].source" */
	bool is_asked;		      /* what is there was asked for by name */
	char text[SANDBOX_PLACE_MAX]; /* "option --bind-ro /a:/b" */
};
/* Does text begin with the name of a place? */
bool sandbox_config_place(const struct sandbox_config *config, const char *text, struct sandbox_place *ret);
