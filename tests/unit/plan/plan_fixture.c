#include "plan_fixture.h"

#include <string.h>

#include <criterion/criterion.h>

#include "base/buffer.h"

/* So that a test says which rules it is about, whatever the built-in set is. */
static const struct policy *conformant(void)
{
	static struct policy policy;

	cr_assert_eq(policy_load("conformant", &policy, NULL), 0);
	return &policy;
}

struct plan_fixture plan_fixture_new(void)
{
	struct plan_fixture fixture = { .host = { .capabilities = PLAN_FIXTURE_ALL_CAPABILITIES,
						  .capability_bounding = PLAN_FIXTURE_ALL_CAPABILITIES,
						  .last_capability = 40,
						  .cgroup_layout = HOST_CGROUP_V2 },
					.request = { .id = "box", .bundle = "/bundle", .policy = conformant() } };

	for (size_t i = 0; i < 16; i++)
		fixture.host.rlimit_hard[i] = UINT64_MAX;
	return fixture;
}

void plan_fixture_done(struct plan_fixture *fixture)
{
	plan_free(fixture->plan);
	spec_free(fixture->spec);
	fixture->plan = NULL;
	fixture->spec = NULL;
}

void plan_fixture_parse(struct plan_fixture *fixture, const struct plan_fixture_json *json)
{
	struct buffer text = { 0 };

	buffer_printf(&text,
		      "{'ociVersion':'1.2.0','root':{'path':'rootfs'},"
		      "'process':{'user':{'uid':0,'gid':0},'args':['sh'],'cwd':'/'%s},"
		      "'mounts':[%s],'linux':{'namespaces':[{'type':'mount'}%s]%s}%s}",
		      json->process ?: "", json->mounts ?: "", json->namespaces ?: "", json->linux_ ?: "",
		      json->top ?: "");
	for (char *letter = text.data; *letter; letter++) {
		if (*letter == '\'')
			*letter = '"';
	}
	cr_assert_eq(spec_parse(text.data, text.length, &fixture->spec, &fixture->err), 0, "%s: %s", text.data,
		     fixture->err.message);
	buffer_done(&text);
	fixture->request.spec = fixture->spec;
	fixture->request.host = &fixture->host;
}

void plan_fixture_build(struct plan_fixture *fixture, const struct plan_fixture_json *json)
{
	plan_fixture_parse(fixture, json);
	fixture->rc = plan_build(&fixture->request, &fixture->plan, &fixture->report, &fixture->err);
}

void plan_fixture_good(struct plan_fixture *fixture, const struct plan_fixture_json *json)
{
	plan_fixture_build(fixture, json);
	cr_assert_eq(fixture->rc, 0, "%s", fixture->err.message);
	cr_assert_not_null(fixture->plan);
}

void plan_fixture_refused(const struct plan_fixture_json *json, enum error_kind kind, const char *words)
{
	PLAN_FIXTURE(fixture);

	plan_fixture_build(&fixture, json);
	cr_assert_lt(fixture.rc, 0, "planned, though expected: %s", words);
	cr_expect_eq(fixture.err.kind, kind, "kind %d: %s", fixture.err.kind, fixture.err.message);
	cr_expect_not_null(strstr(fixture.err.message, words), "expected \"%s\" in: %s", words, fixture.err.message);
	cr_expect_null(fixture.plan, "a failed build must not touch its output");
	cr_expect_eq(fixture.report.n_lines, 0, "the report's memory is gone with the plan");
}

const struct report_line *plan_fixture_line(const struct plan_fixture *fixture, const char *rule)
{
	for (size_t i = 0; i < fixture->report.n_lines; i++) {
		if (strcmp(fixture->report.lines[i].rule, rule) == 0)
			return &fixture->report.lines[i];
	}
	cr_assert_fail("no line of the rule %s in the report", rule);
	return NULL;
}

bool plan_fixture_has_line(const struct plan_fixture *fixture, const char *rule)
{
	for (size_t i = 0; i < fixture->report.n_lines; i++) {
		if (strcmp(fixture->report.lines[i].rule, rule) == 0)
			return true;
	}
	return false;
}
