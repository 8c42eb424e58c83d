/* brig sandbox: one program that nobody vouches for, run once, with bounds on all that it can use up; what comes back is its output,
 * how it ended and why. A container like any other (creation_run), made without image or bundle: no second way to start a process.
 * docs/sandbox.md tells what it is for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "container/brig.h"

#define SANDBOX_ID_MAX 64
/* The working directory, a tmpfs: what is copied in and out lies there. */
#define SANDBOX_WORK "/work"
#define SANDBOX_UID 1000 /* and gid, inside */

struct learn;

struct sandbox_limits {
	uint64_t timeout;    /* wall time, nanoseconds from the program's start */
	uint64_t cpu_time;   /* processor time of all its processes, nanoseconds; 0: no limit */
	uint64_t memory;     /* bytes, what lies in /tmp and /work included */
	uint64_t cpus;	     /* thousandths of a processor */
	uint64_t pids;	     /* processes and threads */
	uint64_t max_output; /* bytes of stdout, and of stderr */
};

struct sandbox_bind {
	const char *source, *destination; /* both absolute */
	bool writable;
};

/* One file copied between host and work directory. */
struct sandbox_copy {
	const char *name; /* in the work directory: relative, without "..", "." or empty parts */
	const char *path; /* on the host; collect: NULL is into the result */
};

struct sandbox_request {
	const char *name;	   /* the container's id; NULL: one is made up */
	const char *const *argv;   /* NULL-terminated; NULL with an image: what the image says */
	const char *const *env;	   /* NAME=VALUE, NULL-terminated, or NULL */
	const char *cwd;	   /* absolute, or NULL: the work directory */
	const char *rootfs;	   /* a directory of the host's, or NULL: what belongs to the host's /usr */
	const char *oci, *oci_tag; /* an image layout (image/image.h) in place of that, or NULL; the tag may be NULL */
	const char *egress;	   /* where it may connect to (docs/egress.md), or NULL: nowhere */
	const char *egress_proxy;  /* in place of that: whom it may ask the egress proxy for, or NULL */
	const char *stdin_path;	   /* "-": our own standard input; NULL: there is none */
	const struct sandbox_bind *binds; /* mounted in this order, over all else that is there */
	const struct sandbox_copy *files, *collects;
	size_t n_binds, n_files, n_collects;
	struct sandbox_limits limits;
	struct learn *learn; /* which system calls it makes is recorded there (container/learn/learn.h); or NULL */
	bool refuses_tcp;    /* connect and bind of TCP sockets, on its loopback as well */
	bool keeps_output;   /* in the result; else it is passed on to our own stdout and stderr as it comes */
};

/* How it ended. The names in the JSON object are these, in lower case. */
enum sandbox_verdict {
	SANDBOX_OK,	   /* exit status 0 */
	SANDBOX_EXIT,	   /* another exit status */
	SANDBOX_SIGNAL,	   /* by a signal that is not ours */
	SANDBOX_WALL_TIME, /* killed: the timeout */
	SANDBOX_CPU_TIME,  /* killed: processor time */
	SANDBOX_MEMORY,	   /* it failed, and the kernel had killed some of it for memory */
	SANDBOX_OUTPUT,	   /* killed: more output than allowed */
	SANDBOX_PIDS,	   /* it failed, and the kernel had refused it more processes */
	SANDBOX_REFUSED,   /* nothing ran: the request can't be met as it is, or the policy says no */
	SANDBOX_INTERNAL,  /* brig or its host failed, or brig was told to stop */
	SANDBOX_N_VERDICTS,
};
/* In lower case, as the JSON object and the exit line have it. A string constant. */
const char *sandbox_verdict_name(enum sandbox_verdict verdict);

struct sandbox_output {
	struct buffer data; /* what was kept */
	uint64_t bytes;	    /* how many were taken */
	bool truncated;	    /* there was more */
};

struct sandbox_collected {
	const char *name;
	struct buffer data; /* empty where it went to path */
	const char *path;   /* on the host, or NULL */
	uint64_t bytes;
	const char *error; /* why it is not there, or NULL */
};

struct sandbox_denied {
	const char *call;
	uint64_t count;
};

/* To the egress proxy. */
struct sandbox_request_out {
	const char *host; /* NULL: it could not be understood */
	uint16_t port;
	bool is_connect, is_allowed;
	const char *outcome;
	uint64_t bytes_out, bytes_in;
};

struct sandbox_egress {
	uint64_t allowed, refused, bytes_out, bytes_in;
	struct sandbox_request_out *requests; /* the first ones */
	size_t n_requests;
};

struct sandbox_phases { /* nanoseconds */
	uint64_t prepare /* the folder, config.json */, start /* until the program runs */, run,
		end /* until nothing is left */;
};

struct sandbox_result {
	struct arena *arena; /* owns the strings and lists */
	char id[SANDBOX_ID_MAX + 1];
	enum sandbox_verdict verdict;
	int exit_status;	      /* brig's own */
	int exit_code;		      /* the program's; -1: it did not exit */
	int signal;		      /* that ended it, or 0 */
	uint64_t wall_time, cpu_time; /* nanoseconds */
	uint64_t peak_memory;	      /* bytes; 0: nobody counted */
	bool oom;
	struct sandbox_output output[2]; /* stdout, stderr */
	struct sandbox_collected *files;
	size_t n_files;
	struct sandbox_denied *denied;
	size_t n_denied;
	struct sandbox_egress *egress; /* NULL: there was no proxy */
	struct sandbox_limits limits;  /* in effect */
	uint64_t work_bytes;	       /* the size of /work, of /tmp, and of /dev/shm */
	bool by_cgroup;		       /* limits are a cgroup's; else each process's own */
	const char **warnings;
	size_t n_warnings, max_warnings;
	const char *policy; /* its name, or NULL where nothing was decided */
	struct sandbox_phases phases;
	struct error error; /* kind ERROR_NONE: none */
};

/* Is name one that struct sandbox_copy may have? */
bool sandbox_is_name(const char *name);
/* Runs it to its end. What fails on the way is in *ret (verdict, exit_status, error): for sandbox_result_done() in any case. */
void sandbox_run(const struct brig *brig, const struct sandbox_request *request, struct sandbox_result *ret);
void sandbox_result_done(struct sandbox_result *result);
/* The object of docs/sandbox.schema.json, and a newline. */
void sandbox_json_write(const struct sandbox_result *result, struct buffer *out);
