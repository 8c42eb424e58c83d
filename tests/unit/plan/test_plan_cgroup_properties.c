#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "plan_fixture.h"

static void build(struct plan_fixture *fixture, const char *name, const char *value)
{
	char json[512];

	fixture->request.cgroup_manager = PLAN_CGROUP_SYSTEMD;
	snprintf(json, sizeof(json), ",'annotations':{'org.systemd.property.%s':'%s'}", name, value);
	plan_fixture_build(fixture, &(struct plan_fixture_json){ .top = json });
}

Test(plan_cgroup_properties, values)
{
	static const struct {
		const char *name, *value, *signature, *property, *wanted;
	} cases[] = {
		{ "TimeoutStopUSec", "uint64 7000000", "t", "TimeoutStopUSec", "7000000" },
		{ "TimeoutStopSec", "5", "t", "TimeoutStopUSec", "5000000" },
		{ "RuntimeMaxSec", "int32 2", "t", "RuntimeMaxUSec", "2000000" },
		{ "KillSignal", "int32 37", "i", "KillSignal", "37" },
		{ "DefaultDependencies", "true", "b", "DefaultDependencies", "true" },
		{ "CollectMode", "\\\"inactive\\\"", "s", "CollectMode", "inactive" },
		{ "After", "[\\\"a.service\\\"]", "as", "After", "a.service" },
		{ "Before", "[ \\\"a.service\\\" , \\\"b.target\\\" ]", "as", "Before", "a.service b.target" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		build(&fixture, cases[i].name, cases[i].value);
		cr_assert_eq(fixture.rc, 0, "%s: %s", cases[i].name, fixture.err.message);
		cr_assert_eq(fixture.plan->cgroup.n_properties, 1, "%s", cases[i].name);
		cr_expect_str_eq(fixture.plan->cgroup.properties[0].signature, cases[i].signature);
		cr_expect_str_eq(fixture.plan->cgroup.properties[0].name, cases[i].property);
		cr_expect_str_eq(fixture.plan->cgroup.properties[0].value, cases[i].wanted);
	}
}

/* Nothing that would become a line of its own in the request, or a value of another type. */
Test(plan_cgroup_properties, refused_values)
{
	static const struct {
		const char *name, *value;
	} cases[] = {
		{ "TimeoutStopUSec", "" },
		{ "TimeoutStopUSec", "-1" },
		{ "TimeoutStopUSec", "uint64 -1" },
		{ "TimeoutStopUSec", "5 s" },
		{ "TimeoutStopUSec", "5\\nproperty t MemoryMax 1" },
		{ "TimeoutStopSec", "18446744073709551615" },
		{ "TimeoutStopUSec", "99999999999999999999" },
		{ "DefaultDependencies", "yes" },
		{ "CollectMode", "inactive" },
		{ "CollectMode", "\\\"\\\"" },
		{ "CollectMode", "\\\"a\\\" b" },
		{ "Description", "\\\"a\\nproperty t MemoryMax 1\\\"" },
		{ "After", "[]" },
		{ "After", "[\\\"a\\\"" },
		{ "After", "[\\\"a\\\"] x" },
		{ "After", "[\\\"a b\\\"]" },
		{ "After", "[\\\"a\\\",,\\\"b\\\"]" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		build(&fixture, cases[i].name, cases[i].value);
		cr_expect_lt(fixture.rc, 0, "%s %s", cases[i].name, cases[i].value);
		cr_expect_not_null(strstr(fixture.err.message, cases[i].name), "%s", fixture.err.message);
	}
}

Test(plan_cgroup_properties, others_are_not_obeyed)
{
	static const char *const names[] = { "MemoryMax", "ExecStart", "DeviceAllow", "Slice", "PIDs", "" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		PLAN_FIXTURE(fixture);

		build(&fixture, names[i], "uint64 1");
		cr_assert_eq(fixture.rc, 0, "%s", fixture.err.message);
		cr_expect_eq(fixture.plan->cgroup.n_properties, 0, "%s", names[i]);
	}
}

Test(plan_cgroup_properties, without_systemd_there_are_none)
{
	PLAN_FIXTURE(fixture);

	plan_fixture_good(&fixture, &(struct plan_fixture_json){
					    .top = ",'annotations':{'org.systemd.property.TimeoutStopUSec':'bad'}" });
	cr_expect_eq(fixture.plan->cgroup.n_properties, 0);
}
