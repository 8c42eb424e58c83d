/* What brig doctor knows without looking at the host. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "container/explain/doctor.h"
#include "parent/host_idmap.h"

static void expect_taken(uint32_t first, uint32_t count, const char *by)
{
	const struct policy_ids ids = { .first = first, .count = count, .size = 65536 };
	const char *taken = doctor_ids_taken(&ids);

	if (by)
		cr_expect(taken && strstr(taken, by), "%u ids from %u on are %s", count, first, taken ?: "nobody's");
	else
		cr_expect_null(taken, "%u ids from %u on are %s", count, first, taken);
}

Test(doctor, ids_that_others_use)
{
	expect_taken(65536, 65536, "kubelet");
	expect_taken(7274495, 65536, "kubelet");
	expect_taken(7274496, 65536, "systemd");
	expect_taken(1879048191, 65536, "systemd");
	expect_taken(1879048192 - 65536, 65536, "systemd");
	expect_taken(1879048192 - 65536, 65537, "systemd");
	expect_taken(1879048192, 65536, NULL);
	expect_taken(UINT32_MAX - 65536, 65536, NULL);
	expect_taken(65536, UINT32_MAX - 65536, "kubelet");
}

Test(doctor, the_range_that_brig_has_unless_told_otherwise_is_nobodys)
{
	struct policy policy = { 0 };
	struct policy_ids ids;
	struct error err = { 0 };

	cr_assert_eq(policy_load("strict", &policy, &err), 0, "%s", err.message);
	ids = policy_ids(&policy);
	cr_expect_null(doctor_ids_taken(&ids));
	policy_done(&policy);
}

static const char *remedy_of(const char *name)
{
	for (const struct doctor_check *check = doctor_checks; check->name; check++) {
		if (strcmp(check->name, name) == 0)
			return check->remedy;
	}
	return "";
}

/* docs/user-namespaces.md, and what the shim does (creation_root.c). */
Test(doctor, an_overlay_works_from_the_kernel_on_that_maps_its_layers)
{
	static const struct {
		unsigned kernel;
		enum doctor_state state;
	} cases[] = {
		{ 0, DOCTOR_LACKS },
		{ HOST_IDMAP_VERSION(5, 19), DOCTOR_LACKS },
		{ HOST_IDMAP_VERSION(6, 1), DOCTOR_LACKS },
		{ HOST_IDMAP_VERSION(6, 12), DOCTOR_LACKS },
		{ HOST_IDMAP_VERSION(6, 14), DOCTOR_LACKS },
		{ HOST_IDMAP_VERSION(6, 15), DOCTOR_WORKS },
		{ HOST_IDMAP_VERSION(6, 16), DOCTOR_WORKS },
		{ HOST_IDMAP_VERSION(7, 0), DOCTOR_WORKS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct doctor_finding finding = { 0 };

		doctor_judge_overlay(cases[i].kernel, &finding);
		cr_expect_eq(finding.state, cases[i].state, "kernel %x: %s", cases[i].kernel, finding.detail);
		cr_expect_eq(strncmp(finding.detail, "without ", 8) == 0, cases[i].state == DOCTOR_LACKS);
	}
}

Test(doctor, the_remedy_names_the_kernel_that_the_verdict_asks_for)
{
	char version[32];

	snprintf(version, sizeof(version), "Linux %u.%u or later", HOST_IDMAP_LAYERS_SINCE >> 16,
		 HOST_IDMAP_LAYERS_SINCE & 0xffff);
	cr_expect_not_null(strstr(remedy_of("overlay"), version), "%s: %s", version, remedy_of("overlay"));
}

Test(doctor, a_host_is_as_its_worst_finding)
{
	static const struct {
		enum doctor_state found[3];
		enum brig_health health;
	} cases[] = {
		{ { DOCTOR_WORKS, DOCTOR_WORKS, DOCTOR_WORKS }, BRIG_HEALTHY },
		{ { DOCTOR_LACKS, DOCTOR_WORKS, DOCTOR_WORKS }, BRIG_LACKS_SOME },
		{ { DOCTOR_WORKS, DOCTOR_WORKS, DOCTOR_LACKS }, BRIG_LACKS_SOME },
		{ { DOCTOR_NEEDED, DOCTOR_WORKS, DOCTOR_WORKS }, BRIG_LACKS_NEEDED },
		{ { DOCTOR_NEEDED, DOCTOR_LACKS, DOCTOR_WORKS }, BRIG_LACKS_NEEDED },
		{ { DOCTOR_WORKS, DOCTOR_LACKS, DOCTOR_NEEDED }, BRIG_LACKS_NEEDED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum brig_health health = BRIG_HEALTHY;

		for (size_t k = 0; k < ARRAY_SIZE(cases[i].found); k++)
			health = doctor_worse(health, cases[i].found[k]);
		cr_expect_eq(health, cases[i].health, "row %zu: %d", i, (int)health);
	}
}
