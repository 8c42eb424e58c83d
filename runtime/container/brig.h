/* The library's face: what a command of brig or a service method of the shim calls. Each function is one whole request;
 * it takes the container's lock where it needs it, leaves nothing half done, and reports through err. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

#define BRIG_ROOT_DEFAULT "/run/brig"
#define BRIG_ID_MAX 1024
#define BRIG_CGROUP_PATH_MAX 2048
#define BRIG_POLICY_NAME_MAX 192

struct namespace_holder;
struct record_session;

struct brig {		    /* one invocation's surroundings: the global options */
	const char *root;   /* state directory, absolute; BRIG_ROOT_DEFAULT, or an ordinary user's own */
	const char *policy; /* --policy NAME|FILE; NULL: the built-in one */
	bool redact_args; /* --redact-args: no output, log or record has a program's arguments; the policy can demand it as well */
	bool systemd_cgroup;	   /* --systemd-cgroup, --cgroup-manager=systemd */
	const char *no_cgroup_why; /* cgroup_disabled, but not by that option: why, and what would mend it; or NULL */
	bool cgroup_disabled;	   /* --cgroup-manager=disabled */
	struct record_session *session; /* internal: what several lines of the audit trail have in common; NULL for callers */
};

/* Our own executable out of the container's reach (CVE-2019-5736): executes this program again, with the same arguments, from a
 * detached read-only clone of the mount that its file is on. Returns 0 where that has been done before, or where we may not
 * make mounts; does not return where it succeeds for the first time. For create, run and exec. See docs/adr/0005. */
int brig_protect_executable(char *const *argv, struct error *err);
/* After that, while there is nothing else to do: closes what the second execution was made by. The mount stays ours until we end; the
 * close waits for all processors (a tenth of a millisecond, and more where they are busy). No error where nothing is open. */
void brig_release_executable(void);
/* Our own program with other arguments, from such a mount at once; from where it lies where we may not make mounts. Returns only
 * in case of failure. */
int brig_execute_protected(char *const *argv, char *const *envp, struct error *err);

enum brig_status { BRIG_CREATING, BRIG_CREATED, BRIG_RUNNING, BRIG_PAUSED, BRIG_STOPPED };
/* The word of the OCI runtime-spec (runtime.md, "State"), and "paused", which runc adds to it. A string constant. */
const char *brig_status_name(enum brig_status status);

struct brig_annotation {
	const char *name, *value;
};

struct brig_info { /* what `state` and `list` print; strings live in the arena passed in */
	const char *oci_version, *id, *bundle, *rootfs, *created /* RFC 3339 */, *owner /* user name or number */;
	enum brig_status status;
	pid_t pid; /* 0 when stopped */
	const struct brig_annotation *annotations;
	size_t n_annotations;
};

/* One mount of a root file system, as containerd's snapshotters name it. */
struct brig_mount {
	const char *type, *source;
	const char *const *options; /* NULL-terminated, or NULL */
};

/* A place of the host's that the containers of one pod share. */
struct brig_bind {
	const char *source, *destination; /* absolute */
	bool follows_root;		  /* read-only where the container's root file system is; else writable */
};

struct brig_process {
	pid_t pid;
	int pidfd;	/* the caller's to close */
	int denials_fd; /* the same: see brig_start_supervised; or -EBADF */
	int newborn_fd; /* exec: where it says what becomes of it, for starter_new_exec; or -EBADF: its program runs */
	bool may_pass_listener; /* ... before that: it is to be listened to, or execve may wait */
	bool is_audited;	/* its end is to be told: brig_record_exit */
	bool starts_simply;	/* create: starter.h can start it; else brig_start_supervised has to */
	uint32_t cgroup_manager;
	char cgroup_path[BRIG_CGROUP_PATH_MAX]; /* of the container; with the manager: for brig_group_open */
};

/* How long a container may run and how much it may write, by its annotations and the site's policy. 0: no limit. */
struct brig_limits {
	uint64_t timeout;    /* nanoseconds from the start: then all of it is to be killed, exit status 124 */
	uint64_t max_output; /* bytes of stdout, and of stderr: beyond them it is to be killed, exit status 137 */
	bool timeout_by_site, max_output_by_site; /* the policy's maximum, not an annotation's */
};
#define BRIG_STATUS_TIMEOUT 124 /* as timeout(1) has it */
#define BRIG_STATUS_KILLED 137

/* What a supervisor (the shim) asks of create and exec beyond the command line: it keeps the processes that it had made. With
 * one, the container's cgroup has a group of the container's own below it, and one more for each exec (brig_group.h). */
struct brig_supervisor {
	int console_fd;	     /* a connected socket, in place of a console socket's path, or -EBADF */
	const char *exec_id; /* exec: names its group; checked as an id is */
	/* create: the root file system, made of these in order, each over the one before; none: it is at root.path already. It is
	 * never visible on the host unless hooks have to see it, and goes with the container. */
	const struct brig_mount *mounts;
	size_t n_mounts;
	/* create: bound over what the root file system has there, but where config.json has a mount at that very destination; a new tmpfs
	 * there (containerd's default for /dev/shm) gives way. */
	const struct brig_bind *binds;
	size_t n_binds;
	/* create: before anything is made; a failure ends it. It takes holding the limits upon itself. NULL: there is nothing to hold
	 * them with. */
	int (*decided)(void *context, const struct brig_limits *limits, struct error *err);
	void *context;
	bool counts_denials; /* it serves the listener that brig_start_supervised, or of an exec brig_process, gives it */
};

struct creation;
struct learn;

/* What runtime/sandbox asks of run: it made config.json, it serves the program's streams, and brig's own init is the container's
 * first process, so that signals end the program as they do outside, and brig's end ends all (child/init.c). */
struct brig_attendant {
	const char *config; /* the document's text, in place of the bundle's */
	size_t config_length;
	int stdio[3]; /* the program's standard streams; output is bounded by the attendant, time too */
	int init_fd;  /* a SOCK_SEQPACKET socket: child/init.h has the messages */
	const char *handed_over; /* a directory in the container whose descriptor comes by init_fd before the program runs, or NULL */
	/* With it come sockets that listen in the container's network: at this port of 127.0.0.1, at this path; 0, NULL: none. */
	uint16_t listen_port;
	const char *listen_path;
	bool accounts; /* processor time is counted, also where no limit needs it */
	/* Before anything is made: the creation has its plan and its report, whose warnings are the attendant's to tell. */
	void (*decided)(void *context, const struct creation *creation);
	void *context;
};

/* A container's processes saved to files by CRIU, and brought back from them (docs/checkpoint.md). */
struct brig_images {
	const char *path;	 /* of their folder */
	const char *work_path;	 /* of the logs' folder; NULL: path */
	const char *parent_path; /* checkpoint: of the images of an earlier pre-dump, relative to path; or NULL */
	bool leave_running, pre_dump, auto_dedup; /* checkpoint */
	bool tcp_established, external_unix_sockets, shell_job, file_locks;
};

struct brig_create {
	const char *id, *bundle;    /* bundle: as given, made absolute by brig */
	const char *pid_file;	    /* or NULL */
	const char *console_socket; /* or NULL */
	const char *pidfd_socket;   /* or NULL */
	bool no_pivot, no_new_keyring;
	unsigned preserve_fds;
	/* run only: */
	bool detach, keep, no_subreaper;
	const struct brig_images *images; /* its processes are brought back from there; NULL: its program is started */
	struct learn *learn; /* without detach: what the programs call is recorded there (learn.h); or NULL */
	const struct brig_supervisor *supervisor; /* create only; or NULL */
	const struct brig_attendant *attendant;	  /* run only, by creation_run; or NULL */
	struct namespace_holder *holder; /* the same: of what the plan will want as a rule, creation_run's from then on; or NULL */
	/* for looking alone (brig_plan, brig_check): */
	const char *config; /* the document's name in the bundle, or NULL: config.json */
	bool collects;	    /* what the policy refuses does not end planning */
};

/* OCI create: afterwards the container waits for brig_start. ret_process: NULL is allowed. */
int brig_create(const struct brig *brig, const struct brig_create *request, struct brig_process *ret_process,
		struct error *err);
int brig_start(const struct brig *brig, const char *id, struct error *err);
/* For a supervisor that counts denials. *ret_denials_fd: the listener of what the floor's filter refuses, to be served at once
 * (denial_keeper.h): such a call waits for its answer, and fails with ENOSYS where the listener is closed. -EBADF where create has
 * given it (the filter went in then), or where there is none. */
int brig_start_supervised(const struct brig *brig, const char *id, int *ret_denials_fd, struct error *err);
/* create + start; without detach waits for the end, forwards signals and the terminal, deletes the container unless keep,
 * and gives the exit status as a shell would (128 + signal). */
int brig_run(const struct brig *brig, const struct brig_create *request, int *ret_exit_status, struct error *err);
/* Saves the processes of a running or paused container; without leave_running and pre_dump they are ended. ERROR_UNSUPPORTED: CRIU is not there,
 * or can't; ERROR_REFUSED: something would be lost that the policy, or config.json, holds the container with. */
int brig_checkpoint(const struct brig *brig, const char *id, const struct brig_images *images, struct error *err);
/* Appends text, at most 4096 bytes of it, to the file that the container's supervisor reads as its last words: the one mounted where
 * the annotation io.kubernetes.container.terminationMessagePath says, else at /dev/termination-log. ERROR_NOT_FOUND: it has none;
 * ERROR_REFUSED: it is not a regular file, or not the container's to write. */
int brig_write_last_words(const struct brig *brig, const char *id, const char *text, struct error *err);
/* all: every process of the container's cgroup. */
int brig_kill(const struct brig *brig, const char *id, int signal, bool all, struct error *err);
/* force: kills it first; a container that does not exist is no error then. */
int brig_delete(const struct brig *brig, const char *id, bool force, struct error *err);
int brig_pause(const struct brig *brig, const char *id, struct error *err);
int brig_resume(const struct brig *brig, const char *id, struct error *err);
/* Whatever state the container is in: takes back a brig_pause that was cut short, of which nobody knows how far it came. */
int brig_thaw(const struct brig *brig, const char *id, struct error *err);
int brig_state(const struct brig *brig, const char *id, struct arena *arena, struct brig_info *ret, struct error *err);
/* Every container under root, broken ones left out with a warning. */
int brig_list(const struct brig *brig, struct arena *arena, struct brig_info **ret, size_t *ret_n, struct error *err);
/* The pids (in the caller's pid namespace) of all processes in the container. */
struct brig_pids {
	pid_t *list; /* in the arena */
	size_t n;
};
/* Errors: ERROR_NOT_FOUND (no such container), and what reading the cgroup says. Without a cgroup the list is the first process
 * alone. */
int brig_processes(const struct brig *brig, const char *id, struct arena *arena, struct brig_pids *ret,
		   struct error *err);

struct brig_exec {
	const char *id;
	const char *process_file; /* --process; NULL: the fields below, over the container's own process */
	const char *process_json; /* the text of an OCI process object, in place of process_file; or NULL */
	size_t process_length;
	const char *const *argv; /* NULL-terminated */
	const char *cwd, *user /* UID[:GID] */, *apparmor, *process_label;
	const char *const *env, *const *capabilities; /* NULL-terminated, or NULL */
	const uint32_t *additional_gids;
	size_t n_additional_gids;
	const char *cgroup; /* --cgroup: a path below the container's cgroup */
	bool set_tty, tty, set_no_new_privileges, no_new_privileges, detach, ignore_paused;
	const char *pid_file, *console_socket, *pidfd_socket;
	unsigned preserve_fds;
	const struct brig_supervisor *supervisor; /* with detach only; or NULL */
};

/* Without detach waits for the end and gives the exit status as a shell would. */
int brig_exec(const struct brig *brig, const struct brig_exec *request, int *ret_exit_status, struct error *err);
/* exec with detach and a supervisor, up to where the exec's process goes its own way (ret_process->newborn_fd). Where its start fails after
 * that, the supervisor tells the audit trail (brig_record_exit), and releases its control group. Of a process in which no signal is ignored,
 * blocked or handled, its child does not see to that again, and that ends now: its memory goes with it. */
int brig_exec_supervised(const struct brig *brig, const struct brig_exec *request, struct brig_process *ret_process,
			 struct error *err);

struct denial_listener;
/* The end of a process that a supervisor has seen, for the audit trail. */
struct brig_exit {
	const char *id, *exec_id; /* exec_id: NULL or "" for the container's first process */
	pid_t pid;
	int status; /* as a shell has it */
	struct timespec at;
	const char *error;		       /* why its program has not run: no status and no time then; or NULL */
	const char *ended_by;		       /* "timeout", "max-output", or NULL */
	const struct denial_listener *denials; /* who has counted the system calls that were refused; or NULL */
};
/* Before the container is deleted. A trail that can't be written is a warning. */
int brig_record_exit(const struct brig *brig, const struct brig_exit *exit, struct error *err);

/* resources_json: the text of an OCI linux.resources object: what changes. All or nothing: what was set is set back on failure. */
int brig_update(const struct brig *brig, const char *id, const char *resources_json, size_t length, struct error *err);
/* One statistics object as the contract's `events` "data" has it, appended to json. */
int brig_statistics(const struct brig *brig, const char *id, struct buffer *json, struct error *err);
/* Waits until the container is out of memory (returns 1, once for each kill), ends (0), or timeout_ms passed (-ETIME). */
int brig_wait_oom(const struct brig *brig, const char *id, int timeout_ms, struct error *err);

/* The audit trail (docs/audit.md), the oldest line first. */
struct brig_audit_entry { /* "" where the line lacks it; good during the call alone */
	const char *time, *event, *id, *exec_id, *pod, *namespace, *container, *image, *policy, *error;
	bool has_status;
	int64_t status;
	uint64_t oom_kills;
	const char *line; /* the JSON itself */
	size_t length;
};
struct brig_audit {
	const char *file;  /* NULL: the one that the policy names */
	const char *since; /* a time as RFC 3339 has it, or a duration before now such as "2h30m"; NULL: all */
	const char *id, *event;
	int (*take)(void *context, const struct brig_audit_entry *entry, struct error *err);
	/* Follows the trail for ever, and says so before each time that it waits for more; it may end that by a negative errno.
	 * NULL: what is there by now. */
	int (*wait)(void *context, struct error *err);
	void *context;
};
/* Calls take for each line that is meant; it may end the reading by a negative errno. Lines that are not brig's are a warning. */
int brig_audit(const struct brig *brig, const struct brig_audit *request, struct error *err);

/* The node as numbers: what there is, and what has happened by the audit trail, whose sums are kept beside it (docs/monitoring.md).
 * Appends the text exposition format 0.0.4 of Prometheus, which node_exporter's text file collector reads, to out. */
#define BRIG_CONTAINERD_ROOT "/run/containerd/brig"
struct brig_metrics_request {
	const char *file;	/* the audit trail; NULL: the one that the policy names */
	const char *containerd; /* the shim's state directory: a folder for each of containerd's namespaces */
};
/* Errors: those of the policy and of the trail (tally_update), ERROR_SYSTEM. What was appended before an error is for the
 * caller to drop. */
int brig_metrics(const struct brig *brig, const struct brig_metrics_request *request, struct buffer *out,
		 struct error *err);

/* What would be done with this bundle, without doing it, as any user. Text for people or JSON is appended to out. */
struct brig_plan {
	const char *bundle, *id;
	bool json;
};
/* Errors: ERROR_INVALID (config.json), ERROR_REFUSED (the policy says no, as create would), ERROR_NOT_FOUND (no bundle),
 * ERROR_SYSTEM. */
int brig_plan(const struct brig *brig, const struct brig_plan *request, struct buffer *out, struct error *err);
/* What the policy makes of a bundle, or of a config.json by itself, before anything runs. */
enum brig_verdict { BRIG_AS_ASKED, BRIG_ADJUSTED, BRIG_IS_REFUSED };

struct brig_check {
	const char *path; /* of a bundle, or of a document, whose folder is then the bundle */
	bool json;
};
/* Appends each thing that the policy would change or refuse, all of them, to out. Errors: those of the document itself. */
int brig_check(const struct brig *brig, const struct brig_check *request, struct buffer *out, enum brig_verdict *ret,
	       struct error *err);
/* What the policy made of a container, whether that holds in the kernel, and which system calls were refused to it: text or JSON
 * is appended to out. */
struct brig_explain {
	const char *id; /* or NULL with last */
	bool last;	/* the one that brig run ended with last: its state is gone */
	bool json;
};
/* *ret_flagged: something is not as it was planned; never so with last, of which the kernel shows nothing any more. */
int brig_explain(const struct brig *brig, const struct brig_explain *request, struct buffer *out, bool *ret_flagged,
		 struct error *err);
/* Each worse than the one before. */
enum brig_health {
	BRIG_HEALTHY,
	BRIG_LACKS_SOME,   /* a protection less */
	BRIG_LACKS_NEEDED, /* the set strict can't be held */
};
/* What this host can enforce, and how to turn on what is missing: text or JSON is appended to out. */
int brig_doctor(const struct brig *brig, bool json, struct buffer *out, enum brig_health *ret, struct error *err);
/* AppArmor's profile brig-default, into the kernel by apparmor_parser(8), and into a policy namespace for stacking. ERROR_UNSUPPORTED: AppArmor is off, or has no parser here. */
int brig_apparmor_load(struct error *err);
/* Its text, appended to out. */
int brig_apparmor_print(struct buffer *out);
/* For a pod whose containers are still to come: the name of the policy that refuses each of them the host's namespaces whatever its
 * annotations say, or "" (also where the policy can't be read: the first container's creation tells). size: of ret. */
void brig_refuses_the_hosts(const struct brig *brig, char *ret, size_t size);
/* Its refusal of that kind (CLONE_NEW*): -EPERM with err set, ERROR_REFUSED. policy: what brig_refuses_the_hosts() gave. */
int brig_refuse_the_hosts(const char *policy, uint64_t kind, struct error *err);
/* The OCI features document (features.md). */
int brig_features(const struct brig *brig, struct buffer *json, struct error *err);
/* A config.json that is safe as it stands. rootless: with a user namespace and the caller's id mapped. */
int brig_spec(bool rootless, struct buffer *json, struct error *err);
