/* brig explain: what the policy made of a container, whether that holds, and what was refused to it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_write.h"
#include "container/brig.h"
#include "container/explain/explain.h"
#include "container/explain/explain_egress.h"
#include "container/explain/explain_kernel_log.h"
#include "container/status.h"
#include "parent/seccomp/seccomp_calls.h"

#define MEMORY_MAX ((size_t)64 * 1024 * 1024)

/* All that is shown, gathered first and printed afterwards: text and JSON are two views of one thing, and neither looks at the
 * system. */
struct explanation {
	const char *id, *status;
	const char *ended; /* of --last: when, else NULL */
	int exit_status;
	bool has_ids;	    /* of the host's: a range of its own */
	bool is_conformant; /* nothing was planned that could be held against it */
	struct expectation expected;
	struct denial_document denials;
	struct denial_document logged; /* by the kernel, where nobody counts */
	struct explain_findings findings;
	struct explain_egress egress;
};

/* ---- finding out ---- */

static int look_at(const struct container *container, struct explanation *ret, struct error *err)
{
	/* Unlocked and in several looks, and the container may end in the middle of it: a look at the kernel that fails becomes
	 * a finding, or is left out. Only what brig itself has on record has to be readable. */
	enum brig_status status = status_of(container, /* ret_pidfd= */ NULL);
	int rc = expectation_read(container->dir_fd, container->arena, &ret->expected, err);

	ret->id = container->state.id;
	ret->status = brig_status_name(status);
	ret->is_conformant = rc == -ENOENT;
	ret->has_ids = container->state.ids_size > 0;
	ret->findings.arena = container->arena;
	if (rc < 0)
		return ret->is_conformant ? 0 : rc;
	rc = denial_document_read(container->dir_fd, container->arena, &ret->denials, err);
	if (rc >= 0 && !ret->expected.counts && (!ret->expected.logs.set || ret->expected.logs.value))
		explain_kernel_log(&container->state, container->arena, &ret->logged);
	if (rc >= 0 && status != BRIG_CREATING)
		explain_egress_find(container, &ret->expected, &ret->egress, &ret->findings);
	if (rc < 0 || status == BRIG_STOPPED || status == BRIG_CREATING)
		return rc;
	explain_limits(container, &ret->expected, &ret->findings);
	/* Before its start it has not given up what it will. */
	if (status != BRIG_CREATED)
		explain_posture(container, &ret->expected, &ret->findings);
	return 0;
}

/* There is nothing to look at: the state directory, the cgroup and the processes of a foreground run are gone. What is told was
 * written down at its end (expectation_keep_last). */
static int look_at_last(const struct brig *brig, struct arena *arena, struct explanation *ret, struct error *err)
{
	AUTO_CLOSE int root_fd = store_open_root(brig, /* make= */ false, err);
	struct expectation_last last = { 0 };
	int rc = root_fd < 0 ? root_fd : expectation_read_last(root_fd, arena, &last, err);

	if (rc == -ENOENT)
		return error_set(err, ERROR_NOT_FOUND, ENOENT,
				 "no container has been run to its end in the foreground under a policy here (%s)",
				 brig->root);
	if (rc < 0)
		return rc;
	ret->id = last.id;
	ret->status = brig_status_name(BRIG_STOPPED);
	ret->ended = last.ended;
	ret->exit_status = last.status;
	ret->expected = *last.expected;
	if (last.denials)
		ret->denials = *last.denials;
	return 0;
}

/* ---- for people ---- */

/* All texts of the report may carry what somebody wrote into config.json, hence buffer_append_labelled(): an escape sequence in
 * a path of a mount is not to reach the terminal of who asks about it. */
static void print_report(const struct expectation *expected, struct buffer *out)
{
	buffer_printf(out, "\nWhat policy %s made of config.json\n", expected->policy);
	if (expected->n_report == 0)
		buffer_append_text(out, "  nothing was changed\n");
	for (size_t i = 0; i < expected->n_report; i++) {
		const struct expected_line *line = &expected->report[i];

		buffer_printf(out, "  %-9s %-20s ", line->level, line->rule);
		buffer_append_labelled(out, "", line->where ?: "");
		buffer_append_labelled(out, line->asked ? ": asked for " : "", line->asked ?: "");
		buffer_append_labelled(out, line->applied ? ", applied " : "", line->applied ?: "");
		buffer_append_labelled(out, ": ", line->why ?: "");
		buffer_append_text(out, "\n");
	}
}

static void print_findings(const struct explanation *explanation, struct buffer *out)
{
	const struct explain_findings *findings = &explanation->findings;

	buffer_append_text(out, "\nWhether it holds\n");
	if (findings->n == 0)
		buffer_printf(out, "  the container is %s: there is nothing to look at\n", explanation->status);
	for (size_t i = 0; i < findings->n; i++) {
		buffer_printf(out, "  %-8s %-22s ", findings->list[i].disagrees ? "FLAGGED" : "ok",
			      findings->list[i].name);
		buffer_append_labelled(out, "", findings->list[i].detail);
		buffer_append_text(out, "\n");
	}
}

static void print_call(const struct denial_call *call, struct buffer *out)
{
	char name[SECCOMP_CALLS_NAME_MAX];

	seccomp_calls_name(call->architecture, call->number, name);
	buffer_printf(out, "  %s(", name);
	for (size_t i = 0; i < call->n_arguments; i++)
		buffer_printf(out, "%s%s", i ? ", " : "", call->arguments[i]);
	buffer_printf(out, "): count %" PRIu64 ", %s to %s, by", call->count, call->first, call->last);
	for (size_t i = 0; i < call->n_programs; i++)
		buffer_append_labelled(out, i ? ", " : " ", call->programs[i]);
	buffer_append_text(out, call->n_programs ? "\n    in config.json: " : " somebody\n    in config.json: ");
	explain_rule(call, name, out);
	buffer_printf(out, "\n    it would open: %s\n", explain_what_opens(name));
}

/* Said once, below the calls: the rule that is printed for each is true, yet it is not enough where the floor refuses the call
 * as well. */
static const char *beneath(const struct expectation *expected)
{
	return expected->counts
		       ? "A rule of config.json alone does not lower the floor: brig's filter lies beneath, and what config.json's own "
			 "refuses with EPERM is counted here as well. What allows such a "
			 "call is a policy with another filter (the set baseline allows more than strict, see "
			 "seccomp-profiles/), or with the rule seccomp at the level warn for workloads that are trusted."
		       : "";
}

#define NONE_LOGGED "  Of them the kernel's log has none that is known to be this container's"
/* Without ids of its own. */
#define WHOSE ", of processes that still run"

/* With SECCOMP_FILTER_FLAG_LOG the kernel logs what a filter answers with an action listed in
 * /proc/sys/kernel/seccomp/actions_logged (seccomp(2)); where no audit daemon takes such lines they go through printk's limit
 * on their rate. */
static void print_logged(const struct explanation *explanation, struct buffer *out)
{
	const struct denial_document *logged = &explanation->logged;
	const struct opt_bool *logs = &explanation->expected.logs;

	if (logs->set && !logs->value) {
		buffer_append_text(
			out,
			"  The kernel's log has none of them either: the policy's \"audit\": { \"kernel_log\": true } was off "
			"when the container was made (docs/explain.md).\n");
		return;
	}
	if (logged->total == 0) {
		/* Of --last nobody looked. */
		if (logs->set && !explanation->ended)
			buffer_append_text(out, explanation->has_ids ? NONE_LOGGED ".\n" : NONE_LOGGED WHOSE ".\n");
		return;
	}
	buffer_printf(out,
		      "  of them the kernel's log has, with what config.json's own filter refused (its rate is bounded: these are "
		      "some%s)\n",
		      explanation->has_ids ? "" : WHOSE);
	for (size_t i = 0; i < logged->n_calls; i++)
		print_call(&logged->calls[i], out);
	if (logged->others > 0)
		buffer_printf(out, "  and %" PRIu64 " calls of further kinds\n", logged->others);
}

static void print_denials(const struct explanation *explanation, struct buffer *out)
{
	const struct denial_document *denials = &explanation->denials;
	bool is_flood = denials->state && strcmp(denials->state, "flood") == 0;

	buffer_append_text(out, "\nWhat brig's filter refused\n");
	if (!explanation->expected.counts) {
		buffer_append_text(
			out,
			"  nobody counts: brig run in the foreground and the shim do. Refused calls fail with EPERM.\n");
		print_logged(explanation, out);
		if (denials->total == 0)
			return;
		buffer_append_text(out, "  Of processes that brig exec stayed with:\n");
	}
	if (denials->total == 0)
		buffer_append_text(out, "  nothing\n");
	for (size_t i = 0; i < denials->n_calls; i++)
		print_call(&denials->calls[i], out);
	if (denials->others > 0)
		buffer_printf(out, "  and %" PRIu64 " calls of further kinds\n", denials->others);
	if (is_flood)
		buffer_printf(
			out,
			"  FLOOD: after %" PRIu64
			" calls the listener was closed: what is refused since then fails with ENOSYS, and is not counted\n",
			denials->total);
	if (denials->total > 0)
		buffer_printf(out, "  %s\n", beneath(&explanation->expected));
}

static void print_text(const struct explanation *explanation, struct buffer *out)
{
	buffer_printf(out, "container %s, %s", explanation->id, explanation->status);
	if (explanation->ended)
		buffer_printf(out, " at %s with exit status %d", explanation->ended, explanation->exit_status);
	buffer_append_text(out, "\n");
	if (explanation->is_conformant) {
		buffer_append_text(out, "made under a policy that changes nothing: config.json was done as it stands\n");
		return;
	}
	print_report(&explanation->expected, out);
	print_findings(explanation, out);
	print_denials(explanation, out);
	explain_egress_print(&explanation->expected, &explanation->egress, out);
}

/* ---- for programs ---- */

static void write_report(const struct expectation *expected, struct json_writer *writer)
{
	json_write_key(writer, "report");
	json_write_array_begin(writer);
	for (size_t i = 0; i < expected->n_report; i++) {
		const struct expected_line *line = &expected->report[i];

		json_write_object_begin(writer);
		json_write_member(writer, "level", line->level);
		json_write_member(writer, "rule", line->rule);
		json_write_member(writer, "where", line->where);
		json_write_member(writer, "asked", line->asked);
		json_write_member(writer, "applied", line->applied);
		json_write_member(writer, "why", line->why);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

static void write_findings(const struct explain_findings *findings, struct json_writer *writer)
{
	json_write_key(writer, "posture");
	json_write_array_begin(writer);
	for (size_t i = 0; i < findings->n; i++) {
		json_write_object_begin(writer);
		json_write_member(writer, "name", findings->list[i].name);
		json_write_member(writer, "state", findings->list[i].disagrees ? "flagged" : "ok");
		json_write_member(writer, "found", findings->list[i].detail);
		if (findings->list[i].holds)
			json_write_member_uint(writer, "holds", findings->list[i].holds);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
	json_write_member_uint(writer, "flagged", findings->n_flagged);
}

static void write_call(const struct denial_call *call, struct json_writer *writer)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer rule = { 0 };
	char name[SECCOMP_CALLS_NAME_MAX];

	seccomp_calls_name(call->architecture, call->number, name);
	explain_rule(call, name, &rule);
	json_write_object_begin(writer);
	json_write_member(writer, "call", name);
	json_write_member_uint(writer, "architecture", call->architecture);
	json_write_member_uint(writer, "number", call->number);
	json_write_member_strings(writer, "arguments", call->arguments, call->n_arguments);
	json_write_member_strings(writer, "programs", call->programs, call->n_programs);
	json_write_member_uint(writer, "count", call->count);
	json_write_member(writer, "first", call->first);
	json_write_member(writer, "last", call->last);
	json_write_key(writer, "rule");
	json_write_raw(writer, rule.data ?: "null");
	json_write_member(writer, "opens", explain_what_opens(name));
	json_write_object_end(writer);
}

static void write_logged(const struct explanation *explanation, struct json_writer *writer)
{
	const struct denial_document *logged = &explanation->logged;

	if (explanation->expected.logs.set)
		json_write_member_bool(writer, "kernelLogOn", explanation->expected.logs.value);
	json_write_key(writer, "kernelLog");
	json_write_array_begin(writer);
	for (size_t i = 0; i < logged->n_calls; i++)
		write_call(&logged->calls[i], writer);
	json_write_array_end(writer);
}

static void write_denials(const struct explanation *explanation, struct json_writer *writer)
{
	const struct denial_document *denials = &explanation->denials;

	json_write_key(writer, "denials");
	if (!explanation->expected.counts && denials->total == 0) {
		json_write_null(writer);
		return;
	}
	json_write_object_begin(writer);
	json_write_member(writer, "state", denials->state ?: explanation->expected.counts ? "listening" : "execs");
	json_write_member_uint(writer, "total", denials->total);
	json_write_member_uint(writer, "others", denials->others);
	json_write_key(writer, "calls");
	json_write_array_begin(writer);
	for (size_t i = 0; i < denials->n_calls; i++)
		write_call(&denials->calls[i], writer);
	json_write_array_end(writer);
	json_write_object_end(writer);
}

static void write_json(const struct explanation *explanation, struct buffer *out)
{
	struct json_writer writer = json_writer_on(out, /* indent= */ 2);

	json_write_object_begin(&writer);
	json_write_member(&writer, "id", explanation->id);
	json_write_member(&writer, "status", explanation->status);
	if (explanation->ended) {
		json_write_member(&writer, "ended", explanation->ended);
		json_write_member_int(&writer, "exitStatus", explanation->exit_status);
	}
	if (!explanation->is_conformant) {
		json_write_member(&writer, "policy", explanation->expected.policy);
		json_write_member(&writer, "filter", explanation->expected.filter);
		write_report(&explanation->expected, &writer);
		write_findings(&explanation->findings, &writer);
		write_denials(explanation, &writer);
		write_logged(explanation, &writer);
		json_write_key(&writer, "egress");
		explain_egress_write(&explanation->expected, &explanation->egress, &writer);
	}
	json_write_object_end(&writer);
	buffer_append_text(out, "\n");
}

static int print(const struct explanation *explanation, bool json, struct buffer *out, struct error *err)
{
	if (json)
		write_json(explanation, out);
	else
		print_text(explanation, out);
	return out->failed ? error_memory(err) : 0;
}

int brig_explain(const struct brig *brig, const struct brig_explain *request, struct buffer *out, bool *ret_flagged,
		 struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY_MAX);
	struct explanation explanation = { 0 };
	struct container container;
	int rc;

	if (!arena)
		return error_memory(err);
	if (request->last) {
		rc = look_at_last(brig, arena, &explanation, err);
		if (rc >= 0)
			rc = print(&explanation, request->json, out, err);
		if (rc >= 0)
			*ret_flagged = false;
		return rc;
	}
	rc = store_open(brig, request->id, STORE_UNLOCKED, &container, err);
	if (rc < 0)
		return rc;
	rc = look_at(&container, &explanation, err);
	if (rc >= 0)
		rc = print(&explanation, request->json, out, err);
	store_done(&container);
	if (rc >= 0)
		*ret_flagged = explanation.findings.n_flagged > 0;
	return rc;
}
