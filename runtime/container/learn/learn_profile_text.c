/* A profile written: as OCI's JSON, and as lines that tell two of them apart. */
#include <stdlib.h>
#include <string.h>

#include <linux/seccomp.h>

#include "base/cleanup.h"
#include "base/json_write.h"
#include "base/names.h"
#include "container/learn/learn_profile.h"

static const char *action_name(uint32_t action)
{
	return names_text(&names_seccomp_actions, action & SECCOMP_RET_ACTION_FULL);
}

static void write_action(struct json_writer *writer, const char *key, const char *data_key, uint32_t action)
{
	uint32_t kind = action & SECCOMP_RET_ACTION_FULL;

	json_write_member(writer, key, action_name(action));
	if (kind == SECCOMP_RET_ERRNO || kind == SECCOMP_RET_TRACE)
		json_write_member_uint(writer, data_key, action & SECCOMP_RET_DATA);
}

static void write_args(struct json_writer *writer, const struct learn_rule *rule)
{
	json_write_key(writer, "args");
	json_write_array_begin(writer);
	for (size_t i = 0; i < rule->n_args; i++) {
		const struct spec_seccomp_arg *arg = &rule->args[i];

		json_write_object_begin(writer);
		json_write_member_uint(writer, "index", arg->index);
		json_write_member_uint(writer, "value", arg->value);
		if (arg->op == SECCOMP_OPERATOR_MASKED_EQ || arg->value_two != 0)
			json_write_member_uint(writer, "valueTwo", arg->value_two);
		json_write_member(writer, "op", names_text(&names_seccomp_operators, (uint64_t)arg->op));
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

static void write_rule(struct json_writer *writer, const struct learn_rule *rule)
{
	json_write_object_begin(writer);
	json_write_member_strings(writer, "names", &rule->name, 1);
	write_action(writer, "action", "errnoRet", rule->action);
	write_args(writer, rule);
	json_write_object_end(writer);
}

static bool was_before(const struct learn_profile *profile, size_t i)
{
	for (size_t before = 0; before < i; before++)
		if (profile->rules[before].n_args == 0 && profile->rules[before].action == profile->rules[i].action)
			return true;
	return false;
}

/* All calls that get the same answer without conditions, in one rule. */
static void write_together(struct json_writer *writer, const struct learn_profile *profile, uint32_t action)
{
	json_write_object_begin(writer);
	json_write_key(writer, "names");
	json_write_array_begin(writer);
	for (size_t i = 0; i < profile->n_rules; i++)
		if (profile->rules[i].n_args == 0 && profile->rules[i].action == action)
			json_write_string(writer, profile->rules[i].name);
	json_write_array_end(writer);
	write_action(writer, "action", "errnoRet", action);
	json_write_object_end(writer);
}

/* Calls without conditions first, together: a reader sees at a glance what is allowed whatever its arguments. */
static void write_rules(struct json_writer *writer, const struct learn_profile *profile)
{
	json_write_key(writer, "syscalls");
	json_write_array_begin(writer);
	for (size_t i = 0; i < profile->n_rules; i++)
		if (profile->rules[i].n_args == 0 && !was_before(profile, i))
			write_together(writer, profile, profile->rules[i].action);
	for (size_t i = 0; i < profile->n_rules; i++)
		if (profile->rules[i].n_args > 0)
			write_rule(writer, &profile->rules[i]);
	json_write_array_end(writer);
}

static void write_flags(struct json_writer *writer, uint64_t flags)
{
	json_write_key(writer, "flags");
	json_write_array_begin(writer);
	for (size_t i = 0; i < names_seccomp_flags.n; i++)
		if (flags & names_seccomp_flags.list[i].value)
			json_write_string(writer, names_seccomp_flags.list[i].text);
	json_write_array_end(writer);
}

void learn_profile_write(const struct learn_profile *profile, struct buffer *out)
{
	struct json_writer writer = json_writer_on(out, /* indent= */ 2);

	json_write_object_begin(&writer);
	write_action(&writer, "defaultAction", "defaultErrnoRet", profile->default_action);
	json_write_key(&writer, "architectures");
	json_write_array_begin(&writer);
	for (size_t i = 0; i < profile->n_architectures; i++)
		json_write_string(&writer, names_text(&names_seccomp_archs, profile->architectures[i]));
	json_write_array_end(&writer);
	if (profile->flags.set)
		write_flags(&writer, profile->flags.value);
	if (profile->listener_path)
		json_write_member(&writer, "listenerPath", profile->listener_path);
	if (profile->listener_metadata)
		json_write_member(&writer, "listenerMetadata", profile->listener_metadata);
	write_rules(&writer, profile);
	json_write_object_end(&writer);
	buffer_append_text(out, "\n");
}

/* ---- comparison ---- */

struct lines {
	struct arena *arena;
	char **list;
	size_t n, room;
	bool failed;
};

static void add_line(struct lines *lines, char *line)
{
	if (!line || lines->n == lines->room)
		lines->failed = true;
	else
		lines->list[lines->n++] = line;
}

static char *action_text(struct lines *lines, uint32_t action)
{
	if ((action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW)
		return arena_strdup(lines->arena, "allow");
	if (action & SECCOMP_RET_DATA)
		return arena_printf(lines->arena, "%s %u", action_name(action), action & SECCOMP_RET_DATA);
	return arena_strdup(lines->arena, action_name(action));
}

static char *arg_text(struct lines *lines, const char *before, const struct spec_seccomp_arg *arg)
{
	static const char *const signs[] = {
		[SECCOMP_OPERATOR_NE] = "!=", [SECCOMP_OPERATOR_LT] = "<",  [SECCOMP_OPERATOR_LE] = "<=",
		[SECCOMP_OPERATOR_EQ] = "==", [SECCOMP_OPERATOR_GE] = ">=", [SECCOMP_OPERATOR_GT] = ">",
	};

	if (arg->op == SECCOMP_OPERATOR_MASKED_EQ)
		return arena_printf(lines->arena, "%s arg%u & %#llx == %#llx", before, arg->index,
				    (unsigned long long)arg->value, (unsigned long long)arg->value_two);
	return arena_printf(lines->arena, "%s arg%u %s %#llx", before, arg->index, signs[arg->op],
			    (unsigned long long)arg->value);
}

static char *rule_text(struct lines *lines, const struct learn_rule *rule)
{
	const char *action = action_text(lines, rule->action);
	char *text = action ? arena_printf(lines->arena, "%s %s", action, rule->name) : NULL;

	for (size_t i = 0; i < rule->n_args && text; i++) {
		char *arg = arg_text(lines, i == 0 ? " if" : " and", &rule->args[i]);

		text = arg ? arena_printf(lines->arena, "%s%s", text, arg) : NULL;
	}
	return text;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void describe(const struct learn_profile *profile, struct lines *lines)
{
	const char *action = action_text(lines, profile->default_action);

	lines->room = profile->n_rules + profile->n_architectures + 1;
	lines->list = arena_array_of(lines->arena, lines->room, char *);
	if (!lines->list || !action) {
		lines->failed = true;
		return;
	}
	add_line(lines, arena_printf(lines->arena, "default %s", action));
	for (size_t i = 0; i < profile->n_architectures; i++)
		add_line(lines, arena_printf(lines->arena, "architecture %s",
					     names_text(&names_seccomp_archs, profile->architectures[i])));
	for (size_t i = 0; i < profile->n_rules; i++)
		add_line(lines, rule_text(lines, &profile->rules[i]));
	qsort(lines->list, lines->n, sizeof(*lines->list), compare_lines);
}

/* Both sorted. */
static bool write_difference(const struct lines *before, const struct lines *after, struct buffer *out)
{
	bool differs = false;
	size_t i = 0, j = 0;
	int r;

	while (i < before->n || j < after->n) {
		r = i == before->n ? 1 : j == after->n ? -1 : strcmp(before->list[i], after->list[j]);
		if (r == 0) {
			i++;
			j++;
			continue;
		}
		differs = true;
		buffer_printf(out, "%c%s\n", r < 0 ? '-' : '+', r < 0 ? before->list[i] : after->list[j]);
		if (r < 0)
			i++;
		else
			j++;
	}
	return differs;
}

int learn_profile_compare(const struct learn_profile *before, const struct learn_profile *after, struct buffer *out,
			  bool *ret_differs, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new((size_t)256 * 1024 * 1024);
	struct lines left = { .arena = arena }, right = { .arena = arena };

	if (!arena)
		return error_memory(err);
	describe(before, &left);
	describe(after, &right);
	if (left.failed || right.failed)
		return error_memory(err);
	*ret_differs = write_difference(&left, &right, out);
	return out->failed ? error_memory(err) : 0;
}
