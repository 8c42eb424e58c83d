#include "container/record_target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"

#define NO_LOGIN UINT32_MAX /* audit_login: "unset" */

void record_target_rest(struct record_session *session)
{
	audit_kept_done(&session->kept);
}

bool record_target_of_state(const struct brig *brig, const struct state *state, struct record_target *ret)
{
	const struct state_audit *audit = state->audit;

	if (!audit)
		return false;
	*ret = (struct record_target){
		.session = brig->session,
		.trail = { .path = audit->path,
			   .max_bytes = audit->max_bytes,
			   .keep = audit->keep,
			   .syslog = audit->syslog,
			   .journald = audit->journald,
			   .required = audit->required },
		.policy = { .name = audit->policy, .digest = audit->policy_digest },
		.plan_digest = audit->plan_digest,
		.redact_args = audit->redact_args,
	};
	return true;
}

bool record_target_of_policy(const struct brig *brig, const struct policy *policy, bool in_user_namespace,
			     struct record_target *ret)
{
	const struct policy_audit *audit = &policy->audit;

	if (!audit->enabled || geteuid() != 0 || in_user_namespace)
		return false;
	*ret = (struct record_target){
		.session = brig->session,
		.trail = { .path = audit->path[0] ? audit->path : AUDIT_PATH_DEFAULT,
			   .max_bytes = audit->max_bytes ?: AUDIT_BYTES_DEFAULT,
			   .keep = audit->keep ?: AUDIT_KEEP_DEFAULT,
			   .syslog = audit->syslog,
			   .journald = audit->journald,
			   .required = audit->required },
		.policy = { .name = policy->name, .source = brig->policy ?: "default" },
		.redact_args = audit->redact_args || brig->redact_args,
	};
	ret->policy.digest = audit_record_digest(policy->digest, ret->policy_digest);
	return true;
}

/* The first of the names that is there and not empty: the engine's own before what a pod's author may write. */
static const char *annotation(const struct json_pair *annotations, size_t n, const char *const *names)
{
	for (; *names; names++) {
		for (size_t i = 0; i < n; i++) {
			if (strcmp(annotations[i].name, *names) == 0 && annotations[i].value[0])
				return annotations[i].value;
		}
	}
	return NULL;
}

struct audit_workload record_target_workload(const struct json_pair *annotations, size_t n)
{
	/* containerd's CRI plugin, the kubelet's own labels as CRI-O hands them on, CRI-O. */
	static const char *const pods[] = { "io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name",
					    "io.kubernetes.cri-o.KubeName", NULL };
	static const char *const namespaces[] = { "io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace",
						  "io.kubernetes.cri-o.Namespace", NULL };
	static const char *const uids[] = { "io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid", NULL };
	static const char *const containers[] = { "io.kubernetes.cri.container-name", "io.kubernetes.container.name",
						  "io.kubernetes.cri-o.ContainerName", NULL };
	static const char *const images[] = { "io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName",
					      "io.kubernetes.cri-o.Image", NULL };
	static const char *const sandboxes[] = { "io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID", NULL };

	return (struct audit_workload){
		.pod = annotation(annotations, n, pods),
		.namespace = annotation(annotations, n, namespaces),
		.uid = annotation(annotations, n, uids),
		.container = annotation(annotations, n, containers),
		.image = annotation(annotations, n, images),
		.sandbox = annotation(annotations, n, sandboxes),
	};
}

/* Who asked: the process that called brig, and as whom it once logged in. For people who read the trail, not as proof: comm is
 * a name that a process gives itself (prctl(2), PR_SET_NAME). The login uid is set once, by pam_loginuid(8), and inherited. */
static void find_caller(struct audit_caller *caller, char name[static RECORD_COMMAND_NAME_MAX])
{
	char path[32], login[16];
	unsigned long login_uid;

	*caller = (struct audit_caller){ .pid = getppid(), .login_uid = -1 };
	snprintf(path, sizeof(path), "/proc/%d/comm", caller->pid);
	if (fd_read_file_at(AT_FDCWD, path, name, RECORD_COMMAND_NAME_MAX) > 0)
		caller->name = name;
	if (fd_read_file_at(AT_FDCWD, "/proc/self/loginuid", login, sizeof(login)) <= 0)
		return;
	login_uid = strtoul(login, NULL, 10);
	if (login_uid < NO_LOGIN)
		caller->login_uid = (int64_t)login_uid;
}

int record_target_write(const struct record_target *target, struct audit_record *record, bool binding, struct error *err)
{
	struct record_session once = RECORD_SESSION_INIT, *session = target->session ?: &once;
	struct audit_target trail = target->trail;
	struct error failure = { 0 };

	if (session->caller.pid == 0)
		find_caller(&session->caller, session->name);
	record->caller = session->caller;
	trail.kept = target->session ? &target->session->kept : NULL;
	record->policy = target->policy;
	if (!record->plan_digest)
		record->plan_digest = target->plan_digest;
	record->redact_args = target->redact_args;
	if (audit_write(&trail, record, &failure) >= 0)
		return 0;
	if (!binding || !target->trail.required) {
		log_warning("%s of container %s is not in the audit trail: %s", audit_record_event_name(record->event),
			    record->id, failure.message);
		return 0;
	}
	if (err)
		*err = failure;
	return error_prefix(err, "nothing is done unrecorded (audit.required of policy %.192s)", target->policy.name);
}
