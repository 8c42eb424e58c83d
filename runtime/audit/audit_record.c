#include "audit/audit_record.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_write.h"
#include "base/names.h"
#include "base/quantity.h"
#include "base/timestamp.h"
#include "base/utf8.h"

/* A byte becomes six at most (\u001f), so that all of these together stay below AUDIT_LINE_MAX: a unit test has them all full. */
#define NAME_TEXT_MAX 256u
#define PATH_TEXT_MAX 1024u
#define ARG_TEXT_MAX 256u
#define ARGS_TEXT_MAX 2048u /* of all arguments */
#define RULE_TEXT_MAX 48u
#define WHERE_TEXT_MAX 160u
#define REPORT_TEXT_MAX 2048u /* of all lines */
#define ERROR_TEXT_MAX 1016u

/* The writer puts the time in under the trail's lock, in this place (AUDIT_TIME_OFFSET): only so are lines in the order of their times. */
static const char no_time[] = "0000-00-00T00:00:00.000000000Z";

static const struct name events[] = {
	{ "create", AUDIT_CREATE }, { "start", AUDIT_START },	{ "exec", AUDIT_EXEC },
	{ "exit", AUDIT_EXIT },	    { "delete", AUDIT_DELETE }, { "refusal", AUDIT_REFUSAL },
	{ "policy", AUDIT_POLICY }, { "update", AUDIT_UPDATE }, { "egress", AUDIT_EGRESS },
};
static const struct name_table event_names = { "event", events, ARRAY_SIZE(events) };

const char *audit_record_event_name(enum audit_event event)
{
	return names_text(&event_names, event);
}

bool audit_record_event_find(const char *name, enum audit_event *ret)
{
	uint64_t value;

	if (!names_find(&event_names, name, &value))
		return false;
	*ret = (enum audit_event)value;
	return true;
}

const char *audit_record_digest(const uint8_t digest[static 32], char text[static AUDIT_DIGEST_TEXT])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < 32; i++) {
		text[2 * i] = digits[digest[i] >> 4];
		text[2 * i + 1] = digits[digest[i] & 0xf];
	}
	text[64] = '\0';
	return text;
}

/* As much of text as max bytes hold; a character is not cut in two. Returns how many bytes went in. Whatever the text is (an
 * argument, an annotation), it takes a bounded part of the line: a record that did not fit would be an event that nobody sees. */
static size_t write_capped(struct json_writer *writer, const char *text, size_t max)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	char cut[PATH_TEXT_MAX + sizeof(ellipsis)];
	/* A character more, so that one across the end is seen as one. */
	size_t length = strnlen(text, max + 4), kept = 0, size;

	if (length <= max) {
		json_write_string_n(writer, text, length);
		return length;
	}
	/* Bytes that are no UTF-8 count one each. */
	while (kept < max) {
		size = utf8_character(text + kept, length - kept) ?: 1;
		if (kept + size > max)
			break;
		kept += size;
	}
	memcpy(cut, text, kept);
	memcpy(cut + kept, ellipsis, sizeof(ellipsis) - 1);
	json_write_string_n(writer, cut, kept + sizeof(ellipsis) - 1);
	return kept;
}

static void write_text(struct json_writer *writer, const char *key, const char *text, size_t max)
{
	if (!text)
		return;
	json_write_key(writer, key);
	write_capped(writer, text, max);
}

static void begin_line(struct json_writer *writer, enum audit_event event)
{
	json_write_object_begin(writer);
	json_write_member(writer, "time", no_time);
	json_write_member(writer, "event", audit_record_event_name(event));
}

static void end_line(struct json_writer *writer)
{
	json_write_object_end(writer);
	buffer_append(writer->buffer, "\n", 1);
}

static void write_caller(struct json_writer *writer, const struct audit_caller *caller)
{
	if (caller->pid <= 0)
		return;
	json_write_key(writer, "caller");
	json_write_object_begin(writer);
	json_write_member_int(writer, "pid", caller->pid);
	write_text(writer, "name", caller->name, NAME_TEXT_MAX);
	if (caller->login_uid >= 0)
		json_write_member_int(writer, "loginuid", caller->login_uid);
	json_write_object_end(writer);
}

/* Without any of them the object is left out: a container of brig run's has no pod. */
static void write_workload(struct json_writer *writer, const struct audit_workload *workload)
{
	const char *const texts[] = { workload->pod,	   workload->namespace, workload->uid,
				      workload->container, workload->image,	workload->sandbox };
	static const char *const keys[] = { "pod", "namespace", "uid", "container", "image", "sandbox" };
	bool is_known = false;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		is_known |= texts[i] != NULL;
	if (!is_known)
		return;
	json_write_key(writer, "workload");
	json_write_object_begin(writer);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		write_text(writer, keys[i], texts[i], NAME_TEXT_MAX);
	json_write_object_end(writer);
}

static void write_policy(struct json_writer *writer, const struct audit_policy *policy)
{
	if (!policy->name)
		return;
	json_write_key(writer, "policy");
	json_write_object_begin(writer);
	write_text(writer, "name", policy->name, NAME_TEXT_MAX);
	write_text(writer, "sha256", policy->digest, AUDIT_DIGEST_TEXT);
	json_write_object_end(writer);
}

/* AUDIT_ARGS_MAX and ARGS_TEXT_MAX bound them together; how many were left out is in the record, so that a shortened line does
 * not pass for a whole one. */
static void write_args(struct json_writer *writer, const struct audit_record *record)
{
	size_t n = 0, written = 0, left = ARGS_TEXT_MAX;

	if (!record->args)
		return;
	while (record->args[n])
		n++;
	if (!record->redact_args) {
		json_write_key(writer, "args");
		json_write_array_begin(writer);
		while (written < n && written < AUDIT_ARGS_MAX && left > 0) {
			left -= write_capped(writer, record->args[written], left < ARG_TEXT_MAX ? left : ARG_TEXT_MAX);
			written++;
		}
		json_write_array_end(writer);
	}
	if (written < n)
		json_write_member_uint(writer, "args_omitted", n - written);
}

static void write_limits(struct json_writer *writer, const struct audit_limits *limits)
{
	char text[QUANTITY_TEXT_MAX];

	if (!limits)
		return;
	json_write_key(writer, "limits");
	json_write_object_begin(writer);
	if (limits->memory >= 0)
		json_write_member_int(writer, "memory", limits->memory);
	if (limits->pids >= 0)
		json_write_member_int(writer, "pids", limits->pids);
	if (limits->cpu_quota >= 0) {
		json_write_member_int(writer, "cpu_quota", limits->cpu_quota);
		json_write_member_uint(writer, "cpu_period", limits->cpu_period);
	}
	if (limits->timeout_ns)
		json_write_member(writer, "timeout", quantity_format_duration(limits->timeout_ns, text));
	if (limits->max_output)
		json_write_member_uint(writer, "max_output", limits->max_output);
	json_write_object_end(writer);
}

static size_t length_of(const char *text, size_t max)
{
	return text ? strnlen(text, max) : 0;
}

/* Counted before it is written: a line that is begun has to be ended. */
static void write_report(struct json_writer *writer, const struct audit_record *record)
{
	size_t written = 0, size, left = REPORT_TEXT_MAX;

	if (record->n_report == 0)
		return;
	json_write_key(writer, "report");
	json_write_array_begin(writer);
	for (; written < record->n_report && written < AUDIT_REPORT_MAX; written++) {
		const struct audit_report_line *line = &record->report[written];

		size = length_of(line->rule, RULE_TEXT_MAX) + length_of(line->where, WHERE_TEXT_MAX);
		if (size > left)
			break;
		left -= size;
		json_write_object_begin(writer);
		write_text(writer, "rule", line->rule, RULE_TEXT_MAX);
		write_text(writer, "where", line->where, WHERE_TEXT_MAX);
		write_text(writer, "level", line->level, RULE_TEXT_MAX);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
	if (written < record->n_report)
		json_write_member_uint(writer, "report_omitted", record->n_report - written);
}

static void write_denials(struct json_writer *writer, const struct audit_record *record)
{
	if (!record->has_denials)
		return;
	json_write_member_uint(writer, "denials", record->denials);
	if (record->n_denied == 0)
		return;
	json_write_key(writer, "denied");
	json_write_array_begin(writer);
	for (size_t i = 0; i < record->n_denied && i < AUDIT_DENIED_MAX; i++) {
		json_write_object_begin(writer);
		write_text(writer, "call", record->denied[i].call, RULE_TEXT_MAX);
		json_write_member_uint(writer, "count", record->denied[i].count);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

static void write_egress(struct json_writer *writer, const struct audit_record *record)
{
	if (!record->has_egress)
		return;
	json_write_member_uint(writer, "egress_denials", record->egress_denials);
	if (record->n_egress_denied == 0)
		return;
	json_write_key(writer, "egress_denied");
	json_write_array_begin(writer);
	for (size_t i = 0; i < record->n_egress_denied && i < AUDIT_DENIED_MAX; i++) {
		json_write_object_begin(writer);
		write_text(writer, "what", record->egress_denied[i].what, WHERE_TEXT_MAX);
		json_write_member_uint(writer, "count", record->egress_denied[i].count);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

static void write_request(struct json_writer *writer, const struct audit_request *request)
{
	if (!request)
		return;
	json_write_key(writer, "request");
	json_write_object_begin(writer);
	json_write_member(writer, "method", request->is_connect ? "CONNECT" : "HTTP");
	write_text(writer, "host", request->host, NAME_TEXT_MAX);
	if (request->port)
		json_write_member_uint(writer, "port", request->port);
	json_write_member_bool(writer, "allowed", request->is_allowed);
	write_text(writer, "outcome", request->outcome, RULE_TEXT_MAX);
	json_write_member_uint(writer, "bytes_out", request->bytes_out);
	json_write_member_uint(writer, "bytes_in", request->bytes_in);
	json_write_object_end(writer);
}

static void write_end(struct json_writer *writer, const struct audit_record *record)
{
	char text[TIMESTAMP_MAX];

	if (record->has_status)
		json_write_member_int(writer, "status", record->status);
	if (record->exited)
		json_write_member(writer, "exited", timestamp_format(record->exited, text));
	write_text(writer, "ended_by", record->ended_by, RULE_TEXT_MAX);
	write_denials(writer, record);
	write_egress(writer, record);
	if (!record->usage.is_known)
		return;
	json_write_key(writer, "usage");
	json_write_object_begin(writer);
	json_write_member_uint(writer, "oom_kills", record->usage.oom_kills);
	json_write_member_uint(writer, "cpu_usec", record->usage.cpu_usec);
	if (record->usage.memory_peak)
		json_write_member_uint(writer, "memory_peak", record->usage.memory_peak);
	json_write_object_end(writer);
}

/* The order of the members is part of the format: people read it, and the most telling ones come first. */
void audit_record_format(const struct audit_record *record, struct buffer *out)
{
	struct json_writer writer = json_writer_on(out, /* indent= */ 0);

	begin_line(&writer, record->event);
	write_text(&writer, "id", record->id, PATH_TEXT_MAX);
	write_text(&writer, "exec", record->exec_id, NAME_TEXT_MAX);
	if (record->pid > 0)
		json_write_member_int(&writer, "pid", record->pid);
	write_caller(&writer, &record->caller);
	write_text(&writer, "bundle", record->bundle, PATH_TEXT_MAX);
	write_workload(&writer, &record->workload);
	write_policy(&writer, &record->policy);
	write_text(&writer, "plan", record->plan_digest, AUDIT_DIGEST_TEXT);
	if (record->has_user) {
		json_write_member_uint(&writer, "uid", record->uid);
		json_write_member_uint(&writer, "gid", record->gid);
	}
	write_args(&writer, record);
	write_limits(&writer, record->limits);
	write_report(&writer, record);
	write_end(&writer, record);
	write_request(&writer, record->request);
	if (record->took_usec)
		json_write_member_uint(&writer, "took_usec", record->took_usec);
	write_text(&writer, "reason", record->reason, RULE_TEXT_MAX);
	write_text(&writer, "rule", record->rule, RULE_TEXT_MAX);
	write_text(&writer, "error", record->error, ERROR_TEXT_MAX);
	end_line(&writer);
}

void audit_record_format_policy(const struct audit_policy *policy, const char *before, struct buffer *out)
{
	struct json_writer writer = json_writer_on(out, /* indent= */ 0);

	begin_line(&writer, AUDIT_POLICY);
	write_text(&writer, "source", policy->source, PATH_TEXT_MAX);
	write_policy(&writer, policy);
	write_text(&writer, "before", before, AUDIT_DIGEST_TEXT);
	end_line(&writer);
}
