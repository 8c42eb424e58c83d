/* One line of a policy, word by word. */
#include "seccomp-profiles/profile.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define MASK_INT UINT64_C(0xffffffff)

/* The words of a line, the current one first: NULL at the end. */
struct words {
	char *rest;
	const char *current;
};

static void next(struct words *words)
{
	words->current = strtok_r(NULL, " \t\n", &words->rest);
}

static bool is(const struct words *words, const char *text)
{
	return words->current && strcmp(words->current, text) == 0;
}

static bool skip(struct words *words, const char *text)
{
	if (!is(words, text))
		return false;
	next(words);
	return true;
}

/* ---- values ---- */

static bool is_name(const char *text, int (*letter)(int))
{
	for (const char *c = text; *c; c++)
		if (*c != '_' && !isdigit((unsigned char)*c) && !letter((unsigned char)*c))
			return false;
	return *text && !isdigit((unsigned char)*text);
}

static int parse_number(const char *text, uint64_t *ret, struct error *err)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return error_invalid(err, "%s is no number", text);
	errno = 0;
	*ret = strtoull(text, &end, 0);
	return *end || errno ? error_invalid(err, "%s is no number of 64 bits", text) : 0;
}

static int parse_value(const struct profile *profile, const char *text, uint64_t *ret, struct error *err)
{
	for (size_t i = 0; i < profile->n_defines; i++)
		if (strcmp(profile->defines[i].name, text) == 0) {
			*ret = profile->defines[i].value;
			return 0;
		}
	if (is_name(text, isupper))
		return error_invalid(err, "%s is not defined", text);
	return parse_number(text, ret, err);
}

int profile_words_define(struct arena *arena, struct profile *profile, char *text, struct error *err)
{
	char *rest = NULL, *name = strtok_r(text, " \t\n", &rest), *value = strtok_r(NULL, " \t\n", &rest);
	struct profile_define define;

	if (!name || !value || strtok_r(NULL, " \t\n", &rest))
		return error_invalid(err, "`define` wants a name and a value");
	if (!is_name(name, isupper))
		return error_invalid(err, "%s: the name of a value is in capital letters", name);
	for (size_t i = 0; i < profile->n_defines; i++)
		if (strcmp(profile->defines[i].name, name) == 0)
			return error_invalid(err, "%s is defined twice", name);
	if (profile->n_defines == PROFILE_DEFINES_MAX)
		return error_invalid(err, "more than %d definitions", PROFILE_DEFINES_MAX);
	if (parse_number(value, &define.value, err) < 0)
		return -EINVAL;
	define.name = arena_strdup(arena, name);
	if (!define.name)
		return error_memory(err);
	profile->defines[profile->n_defines++] = define;
	return 0;
}

/* ---- conditions: [int] argN [& MASK] == VALUE[|VALUE...] ---- */

static int parse_values(const struct profile *profile, char *text, struct profile_condition *condition, struct error *err)
{
	char *rest = NULL;

	for (char *one = strtok_r(text, "|", &rest); one; one = strtok_r(NULL, "|", &rest)) {
		uint64_t value;

		if (condition->n_values == PROFILE_VALUES_MAX)
			return error_invalid(err, "more than %d values", PROFILE_VALUES_MAX);
		if (parse_value(profile, one, &value, err) < 0)
			return -EINVAL;
		if (value & ~condition->mask)
			return error_invalid(err, "%s has bits that are masked off: it can never be", one);
		condition->values[condition->n_values++] = value;
	}
	return 0;
}

static int parse_argument(struct words *words, struct profile_condition *condition, struct error *err)
{
	const char *text = words->current;

	if (!text || strncmp(text, "arg", 3) != 0 || text[3] < '0' || text[3] > '5' || text[4])
		return error_invalid(err, "%s is none of arg0 to arg5", text ? text : "the end of the line");
	condition->argument = (unsigned)(text[3] - '0');
	next(words);
	return 0;
}

static int parse_condition(const struct profile *profile, struct words *words, struct profile_condition *ret,
			   struct error *err)
{
	struct profile_condition condition = { .is_int = skip(words, "int") };
	uint64_t mask = UINT64_MAX;

	if (parse_argument(words, &condition, err) < 0)
		return -EINVAL;
	if (skip(words, "&")) {
		if (!words->current || parse_value(profile, words->current, &mask, err) < 0)
			return words->current ? -EINVAL : error_invalid(err, "a mask is missing after &");
		next(words);
	}
	if (mask == 0)
		return error_invalid(err, "a mask of 0 leaves nothing to compare");
	condition.mask = condition.is_int ? mask & MASK_INT : mask;
	if (!skip(words, "==") || !words->current)
		return error_invalid(err, "`== VALUE` is missing in a condition");
	if (parse_values(profile, (char *)words->current, &condition, err) < 0)
		return -EINVAL;
	next(words);
	*ret = condition;
	return 0;
}

static int parse_conditions(const struct profile *profile, struct words *words, struct profile_rule *rule,
			    struct error *err)
{
	do {
		if (rule->n_conditions == PROFILE_CONDITIONS_MAX)
			return error_invalid(err, "more than %d conditions", PROFILE_CONDITIONS_MAX);
		if (parse_condition(profile, words, &rule->conditions[rule->n_conditions], err) < 0)
			return -EINVAL;
		rule->n_conditions++;
	} while (skip(words, "and"));
	return 0;
}

/* ---- rules: KIND CALL... [if CONDITION [and CONDITION]...] [with ERRNO] ---- */

static int parse_kind(const char *text, enum profile_kind *ret, struct error *err)
{
	static const char *const kinds[] = {
		[PROFILE_ALLOW] = "allow", [PROFILE_REFUSE] = "refuse", [PROFILE_ABSENT] = "absent"
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (text && strcmp(kinds[i], text) == 0) {
			*ret = (enum profile_kind)i;
			return 0;
		}
	return error_invalid(err, "%s is none of allow, refuse, absent, define, include, [GROUP]",
			     text ? text : "nothing");
}

static int parse_names(struct arena *arena, struct words *words, struct profile_rule *rule, struct error *err)
{
	for (; words->current && !is(words, "if") && !is(words, "with"); next(words)) {
		if (rule->n_names == PROFILE_NAMES_MAX)
			return error_invalid(err, "more than %d calls in one rule", PROFILE_NAMES_MAX);
		if (!is_name(words->current, islower))
			return error_invalid(err, "%s is no name of a system call", words->current);
		rule->names[rule->n_names] = arena_strdup(arena, words->current);
		if (!rule->names[rule->n_names++])
			return error_memory(err);
	}
	return rule->n_names > 0 ? 0 : error_invalid(err, "a rule without a system call");
}

static int parse_errno(struct words *words, struct profile_rule *rule, struct error *err)
{
	static const struct {
		const char *name;
		unsigned errnum;
	} errnos[] = { { "EPROTONOSUPPORT", EPROTONOSUPPORT }, { "EAFNOSUPPORT", EAFNOSUPPORT }, { "EACCES", EACCES } };

	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++)
		if (skip(words, errnos[i].name)) {
			rule->errnum = errnos[i].errnum;
			return 0;
		}
	return error_invalid(err, "`with` wants EPROTONOSUPPORT, EAFNOSUPPORT or EACCES");
}

/* A refusal without conditions is what one may allow elsewhere, in words of conditions or capabilities; so it has no say. */
static int check_rule(const struct profile_rule *rule, struct error *err)
{
	if (rule->kind == PROFILE_ABSENT && rule->n_conditions > 0)
		return error_invalid(err, "a call is absent altogether, or not at all: no `if`");
	if (rule->errnum != EPERM && (rule->kind != PROFILE_REFUSE || rule->n_conditions == 0))
		return error_invalid(err, "`with` is for `refuse ... if` alone");
	return 0;
}

int profile_words_rule(struct arena *arena, const struct profile *profile, char *text, struct profile_rule *rule,
		       struct error *err)
{
	struct words words = { 0 };
	int r;

	words.current = strtok_r(text, " \t\n", &words.rest);
	r = parse_kind(words.current, &rule->kind, err);
	if (r < 0)
		return r;
	next(&words);
	rule->errnum = EPERM;
	r = parse_names(arena, &words, rule, err);
	if (r == 0 && skip(&words, "if"))
		r = parse_conditions(profile, &words, rule, err);
	if (r == 0 && skip(&words, "with"))
		r = parse_errno(&words, rule, err);
	if (r < 0)
		return r;
	if (words.current)
		return error_invalid(err, "%s: nothing more is expected here", words.current);
	return check_rule(rule, err);
}
