#include "container/state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json_encode.h"
#include "base/syscalls.h"
#include "plan/plan.h"

#define STATE_FILE "state.json"
#define STATE_BYTES_MAX ((size_t)16 * 1024 * 1024)
/* In field 9 of proc_pid_stat(5): */
#define PROCESS_EXITING 0x4	  /* PF_EXITING */
#define PROCESS_NOT_EXECUTED 0x40 /* PF_FORKNOEXEC */

static const struct json_type manager_type = JSON_UNSIGNED_OF(uint32_t, PLAN_CGROUP_DISABLED);

static const struct json_field audit_fields[] = {
	{ "path", &json_string, offsetof(struct state_audit, path), JSON_REQUIRED },
	{ "maxBytes", &json_u64, offsetof(struct state_audit, max_bytes), JSON_REQUIRED },
	{ "keep", &json_u32, offsetof(struct state_audit, keep), JSON_REQUIRED },
	{ "syslog", &json_bool, offsetof(struct state_audit, syslog), JSON_REQUIRED },
	{ "required", &json_bool, offsetof(struct state_audit, required), JSON_REQUIRED },
	{ "journald", &json_bool, offsetof(struct state_audit, journald), 0 }, /* not in states of earlier versions */
	{ "redactArgs", &json_bool, offsetof(struct state_audit, redact_args), JSON_REQUIRED },
	{ "policy", &json_string, offsetof(struct state_audit, policy), JSON_REQUIRED },
	{ "policyDigest", &json_string, offsetof(struct state_audit, policy_digest), JSON_REQUIRED },
	{ "planDigest", &json_string, offsetof(struct state_audit, plan_digest), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type audit_type = JSON_OBJECT_OF(struct state_audit, audit_fields);
static const struct json_type audit_pointer_type = JSON_POINTER_TO(&audit_type);

static const struct json_field landlock_fields[] = {
	{ "places", &json_strings, JSON_COUNTED(struct state_landlock, places), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type landlock_type = JSON_OBJECT_OF(struct state_landlock, landlock_fields);
static const struct json_type landlock_pointer_type = JSON_POINTER_TO(&landlock_type);

/* Members that came later are not JSON_REQUIRED: a newer brig has to be able to delete what an older one made. */
static const struct json_field state_fields[] = {
	{ "ociVersion", &json_string, offsetof(struct state, oci_version), JSON_REQUIRED },
	{ "id", &json_string, offsetof(struct state, id), JSON_REQUIRED },
	{ "bundle", &json_string, offsetof(struct state, bundle), JSON_REQUIRED },
	{ "rootfs", &json_string, offsetof(struct state, rootfs), JSON_REQUIRED },
	{ "created", &json_string, offsetof(struct state, created), JSON_REQUIRED },
	{ "owner", &json_string, offsetof(struct state, owner), JSON_REQUIRED },
	{ "pid", &json_int, offsetof(struct state, pid), JSON_REQUIRED },
	{ "pidStartTime", &json_u64, offsetof(struct state, pid_start_time), JSON_REQUIRED },
	{ "cgroupPath", &json_string, offsetof(struct state, cgroup_path), JSON_REQUIRED },
	{ "cgroupManager", &manager_type, offsetof(struct state, cgroup_manager), JSON_REQUIRED },
	{ "splitCgroup", &json_bool, offsetof(struct state, split_cgroup), 0 },
	{ "userNamespace", &json_bool, offsetof(struct state, user_namespace), JSON_REQUIRED },
	{ "pidNamespace", &json_bool, offsetof(struct state, pid_namespace), JSON_REQUIRED },
	{ "lateWork", &json_bool, offsetof(struct state, late_work), JSON_REQUIRED },
	{ "listenerHeld", &json_bool, offsetof(struct state, listener_held), 0 },
	{ "idsFirst", &json_u32, offsetof(struct state, ids_first), 0 },
	{ "idsSize", &json_u32, offsetof(struct state, ids_size), 0 },
	{ "addedNamespaces", &json_u64, offsetof(struct state, added_namespaces), 0 },
	{ "annotations", &json_pairs, JSON_COUNTED(struct state, annotations), 0 },
	{ "audit", &audit_pointer_type, offsetof(struct state, audit), 0 },
	{ "landlock", &landlock_pointer_type, offsetof(struct state, landlock), 0 },
	{ "policy", &json_string, offsetof(struct state, policy), 0 },
	{ "policyName", &json_string, offsetof(struct state, policy_name), 0 },
	{ "hooksLeftOut", &json_strings, JSON_COUNTED(struct state, hooks_left_out), 0 },
	{ 0 },
};

static const struct json_type state_type = JSON_OBJECT_OF(struct state, state_fields);

int state_read(int dir_fd, struct arena *arena, struct state *ret, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct state state = { 0 };
	struct json_input input;
	int rc;

	rc = file_read_at(dir_fd, STATE_FILE, STATE_BYTES_MAX, &text, err);
	if (rc < 0)
		return rc;
	input = (struct json_input){ .text = text.data, .length = text.length };
	rc = json_decode(&input, &state_type, &state, arena, err);
	if (rc < 0)
		return error_prefix(err, "read the container's " STATE_FILE);
	*ret = state;
	return 0;
}

int state_write(int dir_fd, const struct state *state, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct json_writer writer = json_writer_on(&text, /* indent= */ 0);

	json_encode(&writer, &state_type, state);
	if (text.failed)
		return error_memory(err);
	return file_replace_at(dir_fd, STATE_FILE, &text, 0600, err);
}

/* proc_pid_stat(5): fields 3 (state), 9 (flags) and 22 (start time, in clock ticks since boot). 0: there is no such process, or
 * it is dead and waits to be reaped. */
static uint64_t read_process(int pid, unsigned *ret_flags)
{
	char path[32], text[1024], *after_name;
	uint64_t start_time = 0;
	char condition;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return 0;
	/* The name may hold anything, also ")": the last one ends it. */
	after_name = strrchr(text, ')');
	if (!after_name ||
	    sscanf(after_name, ") %c %*s %*s %*s %*s %*s %u %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64,
		   &condition, ret_flags, &start_time) != 3)
		return 0;
	return condition == 'Z' || condition == 'X' ? 0 : start_time;
}

uint64_t state_process_start_time(int pid)
{
	unsigned flags;

	return read_process(pid, &flags);
}

bool state_process_is_ending(const struct state *state)
{
	unsigned flags = 0;

	return read_process(state->pid, &flags) != state->pid_start_time || flags & PROCESS_EXITING;
}

bool state_process_has_executed(int pid)
{
	unsigned flags = 0;

	return read_process(pid, &flags) > 0 && !(flags & PROCESS_NOT_EXECUTED);
}

/* A pid is only a number, and may be another process's: its start time, which was noted at create, tells them apart. */
int state_open_process(const struct state *state)
{
	AUTO_CLOSE int pidfd = -EBADF;

	if (state->pid <= 0)
		return -ESRCH;
	pidfd = sys_pidfd_open(state->pid, 0);
	if (pidfd < 0)
		return errno == EINVAL ? -ESRCH : -errno;
	/* After the pidfd is open the number can't be taken by another process any more. */
	if (state_process_start_time(state->pid) != state->pid_start_time)
		return -ESRCH;
	return steal_fd(&pidfd);
}
