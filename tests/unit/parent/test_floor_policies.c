/* The texts of brig's own filters: complete, and each mistake named with its line. And the OCI JSON made of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <seccomp.h>

#include "base/names.h"
#include "parent/seccomp/seccomp_compile.h"
#include "seccomp-profiles/profile.h"
#include "spec/spec.h"
#include "tests/support/bpf_simulator.h"
#include "tests/support/policy_reading.h"
#include "tests/support/seccomp_libseccomp.h"
#include "tests/support/seccomp_profile.h"

#define MEMORY ((size_t)64 << 20)

static const char *const policies[] = { "strict", "baseline" };

/* A profile_open. */
static const char *open_policy(void *context, const char *name)
{
	return policy_reading_text(context, name);
}

static int parse(struct arena *arena, const char *text, struct profile *ret, struct error *err)
{
	struct profile_source source = { "x.policy", text, open_policy, arena };
	int r;

	*err = (struct error){ 0 };
	r = profile_parse(&source, arena, ret, err);
	return r < 0 ? r : profile_calls_check(ret, err);
}

static void read_policy(struct arena *arena, const char *name, struct profile *ret)
{
	struct error err;

	cr_assert_eq(parse(arena, policy_reading_text(arena, name), ret, &err), 0, "%s", err.message);
}

Test(floor_policies, each_call_is_spoken_of)
{
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		AUTO(arena_free) struct arena *arena = arena_new(MEMORY);
		struct error err = { 0 };
		struct profile profile;

		read_policy(arena, policies[i], &profile);
		cr_expect_eq(profile_calls_complete(&profile, arena, &err), 0, "%s.policy: %s", policies[i], err.message);
	}
}

Test(floor_policies, a_forgotten_call_is_named)
{
	static const struct {
		const char *text, *named;
	} cases[] = { { "absent statmount listmount listns:", "statmount" },
		      { "allow uprobe uretprobe:", "ret" },
		      { "allow splice tee:", "splice" },
		      { "allow socketcall:", "socketcall" } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(arena_free) struct arena *arena = arena_new(MEMORY);
		char *text = policy_reading_text(arena, "strict"), *line = strstr(text, cases[i].text);
		struct profile profile;
		struct error err;

		/* What goes on from it becomes a comment's. */
		cr_assert_not_null(line);
		*line = '#';
		for (char *next = strchr(line, '\n'); next && next[1] == '\t'; next = strchr(next + 1, '\n'))
			next[0] = ' ';
		cr_assert_eq(parse(arena, text, &profile, &err), 0, "%s", err.message);
		cr_expect_eq(profile_calls_complete(&profile, arena, &err), -EINVAL);
		cr_expect_not_null(strstr(err.message, cases[i].named), "%s", err.message);
		cr_expect_not_null(strstr(err.message, "is in no rule"), "%s", err.message);
	}
}

struct mistake {
	const char *text, *message;
};

static const struct mistake mistakes[] = {
	{ "allow read: r\n", "x.policy:1: a rule outside of any [group]" },
	{ "\n# c\n[g]\nallow read\n", "x.policy:4: without a reason" },
	{ "[g]\nallow read:\n", "x.policy:2: without a reason" },
	{ "[g]\nallow read: \t \n", "x.policy:2: without a reason" },
	{ "[g]\nallow: r\n", "x.policy:2: a rule without a system call" },
	{ "[g]\nallow : r\n", "x.policy:2: a rule without a system call" },
	{ "[g]\npermit read: r\n", "x.policy:2: permit is none of" },
	{ "[g]\nallow read2write: r\n", "no system call read2write" },
	{ "[g]\nallow READ: r\n", "READ is no name of a system call" },
	{ "[g]\nallow read read: r\n", "x.policy:2: read twice" },
	{ "[g]\nallow read: r\nallow read: r\n", "x.policy:3: read: x.policy:2 says so too" },
	{ "[g]\nallow read: r\nrefuse read: r\n", "x.policy:3: read: x.policy:2 says something else" },
	{ "[g]\nrefuse read: r\nabsent read: r\n", "says something else" },
	{ "[g]\n\tallow read: r\n", "`needs CAP_...`" },
	{ "\tallow read: r\n", "x.policy:1: indented" },
	{ "[g\nallow read: r\n", "x.policy:1: a group is written" },
	{ "[]\n", "a group is written" },
	{ "[g] wants CAP_CHOWN\n", "`needs CAP_...`" },
	{ "[g] needs\n", "`needs CAP_...`" },
	{ "[g] needs CAP_NONE\n", "CAP_NONE is no capability" },
	{ "[g] needs CAP_CHOWN CAP_KILL\n", "one capability at most" },
	{ "[g] needs CAP_CHOWN\nrefuse read: r\n", "`allow` alone" },
	{ "[g] for 64-bit\n", "`for 32-bit`" },
	{ "[g] for 32-bit\nrefuse read: r\n", "refusals with a condition only" },
	{ "[g] for 32-bit\nallow read if arg0 == 1: r\n", "refusals with a condition only" },
	{ "[g]\nallow read if: r\n", "the end of the line is none of" },
	{ "[g]\nallow read if arg6 == 1: r\n", "arg6 is none of" },
	{ "[g]\nallow read if arg0 = 1: r\n", "`== VALUE` is missing" },
	{ "[g]\nallow read if arg0 == A: r\n", "A is not defined" },
	{ "[g]\nallow read if arg0 == 1x: r\n", "1x is no number" },
	{ "[g]\nallow read if arg0 == 0x10000000000000000: r\n", "is no number of 64 bits" },
	{ "[g]\nallow read if arg0 == -1: r\n", "-1 is no number" },
	{ "[g]\nallow read if int arg0 == 0x100000000: r\n", "bits that are masked off" },
	{ "[g]\nallow read if arg0 & 3 == 4: r\n", "bits that are masked off" },
	{ "[g]\nallow read if arg0 & 0 == 0: r\n", "a mask of 0" },
	{ "[g]\nallow read if arg0 == 1 arg1 == 2: r\n", "nothing more is expected" },
	{ "[g]\nallow read if arg0 == 1 and: r\n", "the end of the line is none of" },
	{ "[g]\nallow read with EACCES: r\n", "`with` is for" },
	{ "[g]\nrefuse read if arg0 == 1 with ENOENT: r\n", "`with` wants" },
	{ "[g]\nabsent read if arg0 == 1: r\n", "absent altogether" },
	{ "define a 1\n", "in capital letters" },
	{ "define A\n", "a name and a value" },
	{ "define A 1 2\n", "a name and a value" },
	{ "define A B\n", "B is no number" },
	{ "define A 1\ndefine A 2\n", "x.policy:2: A is defined twice" },
	{ "include\n", "x.policy:1: " },
	{ "include a b\n", "wants the name" },
	{ "[g]\nallow read: r\ninclude strict\n", "before all rules" },
};

Test(floor_policies, mistakes_are_named_with_their_line)
{
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		AUTO(arena_free) struct arena *arena = arena_new(MEMORY);
		struct profile profile = { .n_rules = 42 };
		struct error err;
		int r = parse(arena, mistakes[i].text, &profile, &err);

		cr_expect_eq(r, -EINVAL, "%s", mistakes[i].text);
		cr_expect_not_null(strstr(err.message, mistakes[i].message), "%s: %s", mistakes[i].text, err.message);
	}
}

Test(floor_policies, what_is_included_may_be_opened_further_but_not_closed)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY);
	struct profile profile;
	struct error err;

	cr_expect_eq(parse(arena, "include strict\n[g]\nallow bpf: r\n", &profile, &err), 0, "%s", err.message);
	cr_expect_eq(parse(arena, "include strict\n[g]\nrefuse read: r\n", &profile, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "x.policy:3: read: strict.policy:"), "%s", err.message);
	cr_expect_eq(parse(arena, "include strict\ndefine AF_UNIX 2\n", &profile, &err), -EINVAL);
}

static const char *open_itself(void *context, const char *name)
{
	(void)context;
	(void)name;
	return "include again\n";
}

static const char *open_nothing(void *context, const char *name)
{
	(void)context;
	(void)name;
	return NULL;
}

Test(floor_policies, inclusion_ends)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY);
	struct profile_source source = { "x.policy", "include again\n", open_itself, NULL };
	struct profile profile;
	struct error err = { 0 };

	cr_expect_eq(profile_parse(&source, arena, &profile, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "nest more than"), "%s", err.message);
	source.open = open_nothing;
	cr_expect_eq(profile_parse(&source, arena, &profile, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "there is no policy again"), "%s", err.message);
}

Test(floor_policies, a_line_has_an_end)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY);
	char *text = arena_alloc(arena, 20000);
	struct profile profile;
	struct error err;

	strcpy(text, "[g]\nallow");
	for (size_t i = 0; i < 2000; i++)
		strcat(text, " read\n\t");
	strcat(text, ": r\n");
	cr_expect_eq(parse(arena, text, &profile, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "bytes in a line"), "%s", err.message);
}

/* ---- OCI JSON ---- */

static struct spec *parse_json(const struct buffer *json)
{
	AUTO_FREE char *text = NULL;
	struct error err = { 0 };
	struct spec *spec = NULL;
	int length = asprintf(&text, "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"/\"},\"linux\":{\"seccomp\":%s}}",
			      json->data);

	cr_assert_gt(length, 0);
	cr_assert_eq(spec_parse(text, (size_t)length, &spec, &err), 0, "%s", err.message);
	return spec;
}

static struct plan_seccomp_rule make_rule(struct arena *arena, const struct spec_seccomp_rule *rule)
{
	struct plan_seccomp_arg *args = arena_array_of(arena, rule->n_args, struct plan_seccomp_arg);

	for (size_t i = 0; i < rule->n_args; i++)
		args[i] = (struct plan_seccomp_arg){ rule->args[i].index, rule->args[i].value, rule->args[i].value_two,
						     names_text(&names_seccomp_operators, (uint64_t)rule->args[i].op) };
	return (struct plan_seccomp_rule){ rule->names, rule->n_names,
					   rule->action | (rule->errno_ret.set ? rule->errno_ret.value : 0), args,
					   rule->n_args };
}

static struct plan_seccomp make_plan(struct arena *arena, const struct spec *spec)
{
	const struct spec_seccomp *seccomp = spec->linux_.seccomp;
	struct plan_seccomp_rule *rules = arena_array_of(arena, seccomp->n_syscalls, struct plan_seccomp_rule);

	for (size_t i = 0; i < seccomp->n_syscalls; i++)
		rules[i] = make_rule(arena, &seccomp->syscalls[i]);
	return (struct plan_seccomp){ .enabled = true,
				      .default_action = seccomp->default_action | seccomp->default_errno_ret.value,
				      .architectures = seccomp->architectures,
				      .n_architectures = seccomp->n_architectures,
				      .rules = rules,
				      .n_rules = seccomp->n_syscalls };
}

struct document {
	const struct policy_reading *reading;
	struct seccomp_program ours;
	struct sock_filter *theirs;
	size_t n_theirs, n_compared;
};

static uint32_t simulate(const struct sock_filter *program, size_t n, const struct seccomp_data *data)
{
	uint32_t answer = 0;

	cr_assert_eq(bpf_simulator_run(program, n, data, &answer, NULL), 0);
	return answer;
}

/* What has no name gets the default from them, EPERM, where there are gaps between the numbers. */
static void compare(struct document *document, const struct seccomp_data *data)
{
	uint32_t expected = policy_reading_answer(document->reading, data, /* capabilities= */ 0);

	document->n_compared++;
	cr_assert_eq(simulate(document->ours.instructions, document->ours.n, data), expected,
		     "arch %x nr %d args %llx %llx %llx", data->arch, data->nr, data->args[0], data->args[1],
		     data->args[2]);
	/* libseccomp can't be told of calls that it does not know. */
	if (data->nr < 457 && data->nr != 335 && data->nr != 336)
		cr_assert_eq(simulate(document->theirs, document->n_theirs, data), expected,
			     "libseccomp: arch %x nr %d args %llx %llx %llx", data->arch, data->nr, data->args[0],
			     data->args[1], data->args[2]);
}

static void compare_architecture(struct document *document, struct arena *arena, uint32_t arch)
{
	uint64_t seed = 0x9e3779b97f4a7c15, random;
	uint32_t number = 0;
	const char *name;

	for (; (name = profile_calls_next(arch, arena, &number)); number++) {
		size_t rounds = policy_reading_has_conditions(document->reading, name) ? 2000 : 2;

		for (size_t i = 0; i < rounds; i++) {
			struct seccomp_data data = { .nr = (int)number, .arch = arch };

			for (size_t k = 0; k < 6; k++) {
				random = seccomp_profile_random_number(&seed);
				data.args[k] = policy_reading_value(document->reading, random % 56) ^
					       (random & 0x300 ? 0 : 1ull << (random >> 10) % 64);
			}
			compare(document, &data);
		}
	}
}

Test(floor_policies, the_json_says_what_the_text_says)
{
	static const uint32_t architectures[] = { SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64, SCMP_ARCH_ARM };

	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		AUTO(arena_free) struct arena *arena = arena_new(MEMORY);
		struct document document = { .reading = policy_reading_of_json(arena, policies[i]) };
		AUTO(spec_free) struct spec *spec = NULL;
		struct buffer json = { 0 };
		struct error err = { 0 };
		struct plan_seccomp plan;
		struct profile profile;

		read_policy(arena, policies[i], &profile);
		cr_assert_eq(profile_json(&profile, arena, &json, &err), 0, "%s", err.message);
		spec = parse_json(&json);
		plan = make_plan(arena, spec);
		cr_assert_eq(seccomp_compile(&plan, &document.ours, &err), 0, "%s", err.message);
		document.theirs = seccomp_libseccomp_compile(&plan, &document.n_theirs);
		cr_assert_not_null(document.theirs);
		for (size_t k = 0; k < ARRAY_SIZE(architectures); k++)
			compare_architecture(&document, arena, architectures[k]);
		cr_expect_gt(document.n_compared, 20000);
		/* 32-bit x86 is none of the document's. */
		cr_expect_neq(simulate(document.ours.instructions, document.ours.n,
				       &(struct seccomp_data){ .arch = SCMP_ARCH_X86, .nr = 20 }),
			      SECCOMP_RET_ALLOW);
		seccomp_program_done(&document.ours);
		free(document.theirs);
		buffer_done(&json);
	}
}

Test(floor_policies, what_json_cannot_say_is_refused)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY);
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer json = { 0 };
	struct profile profile;
	struct error err;

	cr_assert_eq(parse(arena, "[g]\nallow kill: r\nrefuse kill if arg0 & 3 == 1: r\n", &profile, &err), 0, "%s",
		     err.message);
	cr_expect_eq(profile_json(&profile, arena, &json, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "kill: OCI JSON can't say this"), "%s", err.message);
}
