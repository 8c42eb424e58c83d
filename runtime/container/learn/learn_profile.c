#include "container/learn/learn_profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <linux/seccomp.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "spec/spec_types.h"

#define PROFILE_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define ARENA_MAX ((size_t)64 * 1024 * 1024)

/* What of docker's own form no other has. */
struct nothing {
	char unused;
};
static const struct json_field nothing_fields[] = { { 0 } };
static const struct json_type nothing_type = JSON_OBJECT_OF(struct nothing, nothing_fields);
static const struct json_type nothings_type = JSON_ARRAY_OF(&nothing_type);

struct document {
	const struct spec_seccomp *seccomp; /* linux.seccomp of a config.json */
	const struct nothing *arch_map;
	size_t n_arch_map;
};

static const struct json_type seccomp_type = JSON_POINTER_TO(&spec_type_seccomp);
static const struct json_field linux_fields[] = {
	{ "seccomp", &seccomp_type, offsetof(struct document, seccomp), 0 },
	{ 0 },
};
/* Its only member goes straight into the document. */
static const struct json_type linux_type = JSON_OBJECT_OF(struct document, linux_fields);
static const struct json_field document_fields[] = {
	{ "linux", &linux_type, 0, 0 },
	{ "archMap", &nothings_type, JSON_COUNTED(struct document, arch_map), 0 },
	{ 0 },
};
static const struct json_type document_type = JSON_OBJECT_OF(struct document, document_fields);

int learn_profile_init(struct learn_profile *ret, struct error *err)
{
	*ret = (struct learn_profile){ .arena = arena_new(ARENA_MAX), .default_action = SECCOMP_RET_ERRNO | EPERM };
	return ret->arena ? 0 : error_memory(err);
}

void learn_profile_done(struct learn_profile *profile)
{
	free(profile->rules);
	arena_free(profile->arena);
	*profile = (struct learn_profile){ 0 };
}

int learn_profile_add(struct learn_profile *profile, const struct learn_rule *rule, struct error *err)
{
	size_t room = profile->room ? 2 * profile->room : 256;
	struct learn_rule *rules;

	if (profile->n_rules == profile->room) {
		if (room > LEARN_RULES_MAX)
			return error_set(err, ERROR_INVALID, E2BIG, "the profile has more than %u rules",
					 LEARN_RULES_MAX);
		rules = reallocarray(profile->rules, room, sizeof(*rules));
		if (!rules)
			return error_memory(err);
		profile->rules = rules;
		profile->room = room;
	}
	profile->rules[profile->n_rules++] = *rule;
	return 0;
}

int learn_profile_add_architecture(struct learn_profile *profile, uint32_t architecture, struct error *err)
{
	for (size_t i = 0; i < profile->n_architectures; i++)
		if (profile->architectures[i] == architecture)
			return 0;
	if (profile->n_architectures == LEARN_ARCHITECTURES_MAX)
		return error_set(err, ERROR_INVALID, E2BIG, "the profile has more than %u architectures",
				 LEARN_ARCHITECTURES_MAX);
	profile->architectures[profile->n_architectures++] = architecture;
	return 0;
}

/* OCI: EPERM where it is left out. Other actions have no use for it. */
static uint32_t with_data(uint32_t action, const struct opt_u32 *data)
{
	if (action != SECCOMP_RET_ERRNO && action != SECCOMP_RET_TRACE)
		return action;
	return action | (data->set ? data->value & SECCOMP_RET_DATA : EPERM);
}

static int add_rules(struct learn_profile *profile, const struct spec_seccomp_rule *rule, struct error *err)
{
	struct learn_rule each = { .action = with_data(rule->action, &rule->errno_ret), .n_args = rule->n_args };
	int r = 0;

	if (rule->n_args > LEARN_ARGS_MAX)
		return error_invalid(err, "%zu conditions in one rule: a system call has six arguments", rule->n_args);
	for (size_t i = 0; i < rule->n_args; i++)
		each.args[i] = rule->args[i];
	for (size_t i = 0; i < rule->n_names && r >= 0; i++) {
		each.name = rule->names[i];
		r = learn_profile_add(profile, &each, err);
	}
	return r;
}

/* The first profile's default holds, and its listener: what is learned is only added to it. */
static int add_all(struct learn_profile *profile, const struct spec_seccomp *seccomp, struct error *err)
{
	bool is_empty = profile->n_rules == 0;
	int r = 0;

	if (is_empty) {
		profile->default_action = with_data(seccomp->default_action, &seccomp->default_errno_ret);
		profile->flags = seccomp->flags;
		profile->listener_path = seccomp->listener_path;
		profile->listener_metadata = seccomp->listener_metadata;
	}
	for (size_t i = 0; i < seccomp->n_architectures && r >= 0; i++)
		r = learn_profile_add_architecture(profile, seccomp->architectures[i], err);
	for (size_t i = 0; i < seccomp->n_syscalls && r >= 0; i++)
		r = add_rules(profile, &seccomp->syscalls[i], err);
	return r;
}

/* A config.json or linux.seccomp by itself, told apart by the member "linux". */
int learn_profile_parse(struct learn_profile *profile, const struct buffer *text, const char *name, struct error *err)
{
	const struct json_input input = { .text = text->data, .length = text->length };
	struct document document = { 0 };
	struct spec_seccomp seccomp = { 0 };
	int r = json_decode(&input, &document_type, &document, profile->arena, err);

	if (r >= 0 && document.n_arch_map > 0)
		r = error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			      "this is docker's own form (archMap), whose rules depend on the container's capabilities; take "
			      "linux.seccomp of a container's config.json");
	if (r >= 0 && !document.seccomp)
		r = json_decode(&input, &spec_type_seccomp, &seccomp, profile->arena, err);
	if (r >= 0)
		r = add_all(profile, document.seccomp ? document.seccomp : &seccomp, err);
	return r < 0 ? error_prefix(err, "seccomp profile %s", name) : 0;
}

int learn_profile_read(struct learn_profile *profile, const char *path, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r;

	if (fd < 0)
		return error_system(err, errno, "open the seccomp profile %s", path);
	r = fd_read_all(fd, PROFILE_BYTES_MAX, &text, path, err);
	return r < 0 ? r : learn_profile_parse(profile, &text, path, err);
}

/* ---- order ---- */

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_args(const struct learn_rule *a, const struct learn_rule *b)
{
	int r = compare_numbers(a->n_args, b->n_args);

	for (size_t i = 0; i < a->n_args && r == 0; i++) {
		const struct spec_seccomp_arg *left = &a->args[i], *right = &b->args[i];

		r = compare_numbers(left->index, right->index);
		r = r ? r : left->op - right->op;
		r = r ? r : compare_numbers(left->value, right->value);
		r = r ? r : compare_numbers(left->value_two, right->value_two);
	}
	return r;
}

/* By name, and of one call what is allowed first, so that a refusal by the same conditions comes after it. */
static int compare_rules(const void *a, const void *b)
{
	const struct learn_rule *left = a, *right = b;
	int r = strcmp(left->name, right->name);

	r = r ? r : compare_args(left, right);
	return r ? r : compare_numbers(right->action, left->action);
}

static bool is_same_call(const struct learn_rule *a, const struct learn_rule *b)
{
	return strcmp(a->name, b->name) == 0;
}

/* What happens anyway. whole: the rule about the same call without conditions, or NULL; what differs from it is an exception, and stays. */
static bool says_nothing(const struct learn_profile *profile, const struct learn_rule *rule,
			 const struct learn_rule *whole)
{
	return rule->action == (whole ? whole->action : profile->default_action);
}

/* Sorted, of rules that differ in nothing but their action the first one counts: the one that allows. */
static void drop_doubles(struct learn_profile *profile)
{
	struct learn_rule *rules = profile->rules;
	size_t n = 0;

	for (size_t i = 0; i < profile->n_rules; i++) {
		if (n > 0 && is_same_call(&rules[n - 1], &rules[i]) && compare_args(&rules[n - 1], &rules[i]) == 0)
			continue;
		rules[n++] = rules[i];
	}
	profile->n_rules = n;
}

void learn_profile_tidy(struct learn_profile *profile)
{
	struct learn_rule whole = { 0 };
	size_t n = 0;

	qsort(profile->rules, profile->n_rules, sizeof(*profile->rules), compare_rules);
	drop_doubles(profile);
	for (size_t i = 0; i < profile->n_rules; i++) {
		const struct learn_rule rule = profile->rules[i];
		bool has_whole;

		if (rule.n_args == 0)
			whole = rule;
		has_whole = whole.name && is_same_call(&whole, &rule);
		if (says_nothing(profile, &rule, has_whole && rule.n_args > 0 ? &whole : NULL))
			continue;
		profile->rules[n++] = rule;
	}
	profile->n_rules = n;
}
