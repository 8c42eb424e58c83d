/* The property that the floor is made for: whatever config.json says, no plan under strict is weaker than the floor. Tried with
 * random documents; and each rule switched off, and each function taken out, has to let one of them through, or the property would not look
 * at it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "floor_functions.h"
#include "floor_properties.h"
#include "spec_generator.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define BRIG_SANITIZED
#endif
#endif

/* The sanitizers take ten times as long, and look for something else: fewer documents, and some of the rules. */
#if defined(__SANITIZE_ADDRESS__) || defined(BRIG_SANITIZED)
#define DOCUMENTS 1500
#define RULES_STEP 6
#else
#define DOCUMENTS 12000
#define RULES_STEP 1
#endif
/* Until a switched-off rule has let one through: one in a thousand would do. */
#define DOCUMENTS_OFF 12000

static struct policy strict(void)
{
	struct policy policy = { 0 };
	struct error err = { 0 };

	cr_assert_eq(policy_parse(floor_properties_policy, strlen(floor_properties_policy), &policy, &err), 0, "%s",
		     err.message);
	return policy;
}

/* Strict but for one rule. */
static struct policy strict_without(enum policy_rule rule)
{
	struct policy policy = strict();

	policy.levels[rule] = POLICY_OFF;
	return policy;
}

static uint64_t seed(void)
{
	const char *text = getenv("BRIG_SEED");
	uint64_t value = text ? strtoull(text, NULL, 10) : 0;

	while (value == 0)
		cr_assert_eq(getrandom(&value, sizeof(value), 0), sizeof(value));
	/* tests/support/unit shows such lines also where nothing failed. */
	fprintf(stderr, "BRIG_SEED=%llu\n", (unsigned long long)value);
	return value;
}

/* What no rule is about: it holds for who asks. */
static bool gives_tcp_back(const struct plan_fixture *fixture)
{
	return plan_tcp_is_asked(fixture->spec) &&
	       (!fixture->plan->landlock.refuses_tcp || !fixture->plan->process.no_new_privileges);
}

/* One document; true: there is a plan. */
static bool try(struct spec_generator *generator, const struct policy *policy, struct plan_fixture *fixture,
		struct buffer *text)
{
	spec_generator_next(generator, fixture, text);
	fixture->request.policy = policy;
	cr_assert_eq(spec_parse(text->data, text->length, &fixture->spec, &fixture->err), 0, "%s: %s", text->data,
		     fixture->err.message);
	fixture->request.spec = fixture->spec;
	fixture->request.host = &fixture->host;
	cr_assert_eq(plan_userns_is_wanted(&fixture->request, &fixture->request.ids.granted, &fixture->err), 0);
	fixture->rc = plan_build(&fixture->request, &fixture->plan, &fixture->report, &fixture->err);
	return fixture->rc >= 0;
}

Test(plan_floor, no_plan_under_strict_is_weaker_than_the_floor)
{
	struct spec_generator generator = { .state = seed() };
	AUTO(policy_done) struct policy policy = strict();
	size_t planned = 0, refused = 0, n_without_tcp = 0;

	for (size_t n = 0; n < DOCUMENTS; n++) {
		uint64_t state = generator.state;
		__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
		PLAN_FIXTURE(fixture);

		if (!try(&generator, &policy, &fixture, &text)) {
			cr_expect_eq(fixture.err.kind, ERROR_REFUSED, "%s: %s", fixture.err.message, text.data);
			refused++;
			continue;
		}
		planned++;
		n_without_tcp += plan_tcp_is_asked(fixture.spec);
		cr_assert_not(gives_tcp_back(&fixture), "BRIG_SEED=%llu: %s", (unsigned long long)state, text.data);
		for (size_t i = 0; i < n_floor_properties; i++)
			cr_assert_not(floor_properties[i].violated(&fixture), "%s: %s, BRIG_SEED=%llu: %s",
				      policy_rule_name(floor_properties[i].rule), floor_properties[i].what,
				      (unsigned long long)state, text.data);
	}
	cr_expect_gt(planned, DOCUMENTS / 20, "the generator has to get past the refusals: %zu of %d", planned,
		     DOCUMENTS);
	cr_expect_gt(refused, DOCUMENTS / 20);
	cr_expect_gt(n_without_tcp, 0);
}

static bool lets_through(struct spec_generator *generator, const struct policy *policy,
			 const struct floor_property *property)
{
	bool found = false;

	for (size_t n = 0; !found && n < DOCUMENTS_OFF; n++) {
		__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
		PLAN_FIXTURE(fixture);

		found = try(generator, policy, &fixture, &text) && property->violated(&fixture);
	}
	return found;
}

Test(plan_floor, each_rule_switched_off_lets_something_through)
{
	uint64_t first = seed();
	struct spec_generator generator = { .state = first };

	for (size_t i = 0; i < n_floor_properties; i += RULES_STEP) {
		const struct floor_property *property = &floor_properties[i];
		AUTO(policy_done) struct policy policy = strict_without(property->rule);

		cr_expect(lets_through(&generator, &policy, property), "%s: %s: nothing got through, BRIG_SEED=%llu",
			  policy_rule_name(property->rule), property->what, (unsigned long long)first);
	}
}

/* As if the function had been forgotten, or had lost its line in the table. */
Test(plan_floor, each_function_taken_out_lets_something_through)
{
	uint64_t first = seed();
	struct spec_generator generator = { .state = first };
	AUTO(policy_done) struct policy policy = strict();

	for (size_t i = 0; i < n_floor_properties; i += RULES_STEP) {
		const struct floor_property *property = &floor_properties[i];

		if (!property->function)
			continue;
		floor_functions_take_out(property->function);
		cr_expect(lets_through(&generator, &policy, property), "%s: %s: nothing got through, BRIG_SEED=%llu",
			  property->function, property->what, (unsigned long long)first);
	}
}

Test(plan_floor, every_rule_of_the_floor_is_looked_at)
{
	for (int rule = POLICY_FLOOR_FIRST; rule < POLICY_N_RULES; rule++) {
		bool looked_at = false;

		for (size_t i = 0; i < n_floor_properties; i++)
			looked_at |= (int)floor_properties[i].rule == rule;
		cr_expect(looked_at, "%s", policy_rule_name((enum policy_rule)rule));
	}
}

Test(plan_floor, every_function_of_the_floor_is_looked_at)
{
	for (size_t k = 0; k < n_floor_functions; k++) {
		bool looked_at = false;

		for (size_t i = 0; i < n_floor_properties; i++)
			looked_at |= floor_properties[i].function &&
				     strcmp(floor_properties[i].function, floor_functions[k]) == 0;
		cr_expect(looked_at, "%s", floor_functions[k]);
	}
}

/* The table as brig's source has it: a line that is new there is one for floor_functions.h, and for a property. */
Test(plan_floor, the_table_has_these_functions)
{
	FILE *source = fopen(TEST_SOURCE_DIR "/runtime/plan/plan_harden.c", "re");
	char line[256], name[64];
	size_t n = 0;

	cr_assert_not_null(source);
	while (fgets(line, sizeof(line), source)) {
		if (sscanf(line, "\t{ plan_harden_%63[a-z_],", name) != 1)
			continue;
		cr_assert_lt(n, n_floor_functions - FLOOR_FUNCTIONS_BEFORE, "%s", name);
		cr_expect_str_eq(name, floor_functions[n++]);
	}
	fclose(source);
	cr_expect_eq(n, n_floor_functions - FLOOR_FUNCTIONS_BEFORE);
}
