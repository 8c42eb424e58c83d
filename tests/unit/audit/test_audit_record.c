/* Events as lines of JSON. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "audit/audit_record.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/utf8.h"

static const char digest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/* The whole line, checked for what each line has to be: one, JSON, UTF-8, not too long. To be freed. */
static char *format(const struct audit_record *record)
{
	static const struct json_field fields[] = { { 0 } };
	static const struct json_type any = { .kind = JSON_OBJECT, .size = 1, .fields = fields };
	AUTO(arena_free) struct arena *arena = arena_new((size_t)1 << 20);
	struct buffer text = { 0 };
	struct json_input input;
	struct error err = { 0 };
	char target;

	audit_record_format(record, &text);
	cr_assert_eq(text.failed, 0);
	cr_assert_leq(text.length, AUDIT_LINE_MAX);
	cr_assert_eq(strchr(text.data, '\n'), text.data + text.length - 1, "one newline, at the end: %s", text.data);
	cr_assert_eq(utf8_valid_length(text.data, text.length), text.length);
	input = (struct json_input){ .text = text.data, .length = text.length - 1 };
	cr_assert_eq(json_decode(&input, &any, &target, arena, &err), 0, "%s: %s", err.message, text.data);
	cr_assert_eq(strncmp(text.data + AUDIT_TIME_OFFSET, "0000-00-00T00:00:00.000000000Z\"", AUDIT_TIME_LENGTH + 1),
		     0);
	return buffer_steal(&text);
}

static void expect(const struct audit_record *record, const char *rest)
{
	AUTO_FREE char *line = format(record);

	cr_expect_str_eq(line + AUDIT_TIME_OFFSET + AUDIT_TIME_LENGTH + 2, rest);
}

Test(audit_record, what_is_not_known_is_left_out)
{
	expect(&(struct audit_record){ .event = AUDIT_START, .id = "box" }, "\"event\":\"start\",\"id\":\"box\"}\n");
}

Test(audit_record, all_that_a_create_has)
{
	static const struct audit_limits limits = {
		.memory = 1024, .pids = 7, .cpu_quota = 500, .cpu_period = 1000, .timeout_ns = 1500000000, .max_output = 9
	};
	static const struct audit_report_line report[] = { { "capability", "process.capabilities.bounding", "adjusted" },
							   { "new-privileges", NULL, "adjusted" } };
	const struct audit_record record = {
		.event = AUDIT_CREATE,
		.id = "box",
		.bundle = "/b",
		.pid = 12,
		.caller = { .pid = 3, .name = "shim", .login_uid = 1000 },
		.workload = { .pod = "p", .namespace = "n", .uid = "u", .container = "c", .image = "i", .sandbox = "s" },
		.policy = { .name = "strict", .digest = digest },
		.plan_digest = digest,
		.args = (const char *const[]){ "sh", "-c", "a \"b\"\n", NULL },
		.has_user = true,
		.uid = 1,
		.gid = 2,
		.limits = &limits,
		.report = report,
		.n_report = 2,
	};

	expect(&record,
	       "\"event\":\"create\",\"id\":\"box\",\"pid\":12,\"caller\":{\"pid\":3,\"name\":\"shim\",\"loginuid\":1000},"
	       "\"bundle\":\"/b\",\"workload\":{\"pod\":\"p\",\"namespace\":\"n\",\"uid\":\"u\",\"container\":\"c\","
	       "\"image\":\"i\",\"sandbox\":\"s\"},\"policy\":{\"name\":\"strict\",\"sha256\":"
	       "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"},\"plan\":"
	       "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"uid\":1,\"gid\":2,"
	       "\"args\":[\"sh\",\"-c\",\"a \\\"b\\\"\\n\"],\"limits\":{\"memory\":1024,\"pids\":7,\"cpu_quota\":500,"
	       "\"cpu_period\":1000,\"timeout\":\"1.5s\",\"max_output\":9},\"report\":[{\"rule\":\"capability\",\"where\":"
	       "\"process.capabilities.bounding\",\"level\":\"adjusted\"},{\"rule\":\"new-privileges\",\"level\":"
	       "\"adjusted\"}]}\n");
}

Test(audit_record, all_that_an_exit_has)
{
	static const struct timespec at = { .tv_sec = 951782400, .tv_nsec = 5 };
	const struct audit_record record = {
		.event = AUDIT_EXIT,
		.id = "box",
		.exec_id = "e",
		.pid = 9,
		.caller = { .pid = 1, .login_uid = -1 },
		.has_status = true,
		.status = 137,
		.exited = &at,
		.ended_by = "timeout",
		.has_denials = true,
		.denials = 4,
		.denied = (const struct audit_denied[]){ { "mount", 3 }, { "bpf", 1 } },
		.n_denied = 2,
		.usage = { .is_known = true, .oom_kills = 1, .cpu_usec = 2, .memory_peak = 3 }
	};

	expect(&record, "\"event\":\"exit\",\"id\":\"box\",\"exec\":\"e\",\"pid\":9,\"caller\":{\"pid\":1},\"status\":137,"
			"\"exited\":\"2000-02-29T00:00:00.000000005Z\",\"ended_by\":\"timeout\",\"denials\":4,"
			"\"denied\":[{\"call\":\"mount\",\"count\":3},{\"call\":\"bpf\",\"count\":1}],"
			"\"usage\":{\"oom_kills\":1,\"cpu_usec\":2,\"memory_peak\":3}}\n");
}

Test(audit_record, unlimited_is_no_limit)
{
	static const struct audit_limits none = { .memory = -1, .pids = -1, .cpu_quota = -1, .cpu_period = 100000 };

	expect(&(struct audit_record){ .event = AUDIT_CREATE, .id = "b", .limits = &none },
	       "\"event\":\"create\",\"id\":\"b\",\"limits\":{}}\n");
}

Test(audit_record, redaction_leaves_the_number_of_arguments)
{
	const struct audit_record record = { .event = AUDIT_EXEC,
					     .id = "box",
					     .args = (const char *const[]){ "mysql", "-psecret", NULL },
					     .redact_args = true };

	expect(&record, "\"event\":\"exec\",\"id\":\"box\",\"args_omitted\":2}\n");
}

Test(audit_record, arguments_are_cut)
{
	const char *many[AUDIT_ARGS_MAX + 3], *huge[40];
	char text[1001];
	AUTO_FREE char *line = NULL, *other = NULL;

	for (size_t i = 0; i < AUDIT_ARGS_MAX + 2; i++)
		many[i] = "x";
	many[AUDIT_ARGS_MAX + 2] = NULL;
	line = format(&(struct audit_record){ .event = AUDIT_EXEC, .id = "b", .args = many });
	cr_expect_not_null(strstr(line, "\"args_omitted\":2}"), "%s", line);

	memset(text, 'y', 1000);
	text[1000] = '\0';
	for (size_t i = 0; i < 39; i++)
		huge[i] = text;
	huge[39] = NULL;
	other = format(&(struct audit_record){ .event = AUDIT_EXEC, .id = "b", .args = huge });
	cr_expect_not_null(strstr(other, "y\xe2\x80\xa6\",\"y"), "each: %s", other);
	cr_expect_not_null(strstr(other, "\"args_omitted\":31}"), "and all of them: %s", other);
	cr_expect_lt(strlen(other), 2500);
}

Test(audit_record, a_character_is_not_cut_in_two)
{
	char pod[300];
	AUTO_FREE char *line = NULL;

	/* 255 bytes, and then two of three. */
	memset(pod, 'p', 255);
	strcpy(pod + 255, "\xe2\x82\xac");
	line = format(&(struct audit_record){ .event = AUDIT_START, .id = "b", .workload.pod = pod });
	cr_expect_not_null(strstr(line, "pp\xe2\x80\xa6\"}"), "%s", line);
}

/* Every string as long as it can be, of the byte that takes most room in JSON; and of bytes that are no text at all. */
Test(audit_record, the_longest_line_has_an_end)
{
	static char text[5000], rule[5000];
	static const char bytes[] = { 0x01, '"', (char)0xff, (char)0xe2, 0x7f };
	struct audit_report_line report[200];
	struct audit_denied denied[AUDIT_DENIED_MAX];
	const char *args[200];

	for (size_t b = 0; b < sizeof(bytes); b++) {
		AUTO_FREE char *line = NULL;

		memset(text, bytes[b], sizeof(text) - 1);
		memset(rule, bytes[b], sizeof(rule) - 1);
		for (size_t i = 0; i < 199; i++) {
			args[i] = text;
			report[i] = (struct audit_report_line){ i % 2 ? rule : "r", i % 2 ? "w" : text, "adjusted" };
		}
		for (size_t i = 0; i < AUDIT_DENIED_MAX; i++)
			denied[i] = (struct audit_denied){ text, UINT64_MAX };
		args[199] = NULL;
		line = format(&(struct audit_record){
			.event = AUDIT_REFUSAL,
			.id = text,
			.exec_id = text,
			.bundle = text,
			.caller = { .pid = 1, .name = text },
			.workload = { text, text, text, text, text, text },
			.policy = { .name = text, .digest = digest },
			.plan_digest = digest,
			.args = args,
			.report = report,
			.n_report = 199,
			.ended_by = text,
			.has_denials = true,
			.denials = UINT64_MAX,
			.denied = denied,
			.n_denied = AUDIT_DENIED_MAX,
			.error = text,
		});
		cr_expect_not_null(strstr(line, "\"report_omitted\":"), "%s", line);
	}
}

Test(audit_record, a_change_of_policy)
{
	static const struct audit_policy policy = { .name = "strict", .digest = digest, .source = "default" };
	struct buffer text = { 0 };

	audit_record_format_policy(&policy, "0011", &text);
	cr_expect_str_eq(text.data + AUDIT_TIME_OFFSET + AUDIT_TIME_LENGTH + 2,
			 "\"event\":\"policy\",\"source\":\"default\",\"policy\":{\"name\":\"strict\",\"sha256\":"
			 "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"},\"before\":\"0011\"}\n");
	buffer_done(&text);
}

Test(audit_record, events_have_names)
{
	enum audit_event event = AUDIT_N_EVENTS;

	for (enum audit_event i = 0; i < AUDIT_N_EVENTS; i++) {
		cr_assert_not_null(audit_record_event_name(i));
		cr_assert(audit_record_event_find(audit_record_event_name(i), &event));
		cr_expect_eq(event, i);
	}
	cr_expect_not(audit_record_event_find("nothing", &event));
}

Test(audit_record, digests_as_text)
{
	uint8_t bytes[32] = { 0x01, 0xab, [31] = 0xff };
	char text[AUDIT_DIGEST_TEXT];

	cr_expect_str_eq(audit_record_digest(bytes, text),
			 "01ab0000000000000000000000000000000000000000000000000000000000ff");
}
