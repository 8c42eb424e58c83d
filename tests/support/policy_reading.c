#include "tests/support/policy_reading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <seccomp.h>

#include "base/cleanup.h"
#include "base/names.h"

#define LINES_MAX 400
#define VALUES_MAX 100

/* One line, with those that go on with it: "allow read write", "int arg0 == 1 and ...", "EPERM". */
struct line {
	char *head, *conditions, *code; /* conditions, code: or NULL */
	uint64_t needs;
	bool narrow; /* about 32-bit programs alone */
	bool outer;  /* of the file that was asked for, not of one that it includes */
};

/* The lines that speak of the call that was asked for last: the tests ask for one with many arguments. */
struct lines_about {
	char call[64];
	const struct line *lines[LINES_MAX];
	size_t n;
};

struct policy_reading {
	struct line lines[LINES_MAX];
	size_t n_lines;
	bool in_narrow_group, is_json;
	char *names[VALUES_MAX];
	uint64_t values[VALUES_MAX];
	size_t n_values;
	struct lines_about *about;
};

char *policy_reading_text(struct arena *arena, const char *name)
{
	char *path = arena_printf(arena, "%s/seccomp-profiles/%s.policy", TEST_SOURCE_DIR, name);
	char *text = arena_alloc(arena, 1 << 17);
	FILE *file = fopen(path, "re");

	cr_assert_not_null(file, "%s", path);
	cr_assert_lt(fread(text, 1, (1 << 17) - 1, file), (1 << 17) - 1);
	fclose(file);
	return text;
}

static void read_policy(struct arena *arena, const char *name, bool outer, struct policy_reading *reading);

static char *cut(char *text, const char *mark)
{
	char *found = strstr(text, mark);

	if (!found)
		return NULL;
	*found = '\0';
	return found + strlen(mark);
}

static void read_rule(char *text, uint64_t needs, bool outer, struct policy_reading *reading)
{
	struct line *line = &reading->lines[reading->n_lines++];

	cr_assert_lt(reading->n_lines, LINES_MAX);
	cr_assert_not_null(cut(text, ": "), "no reason: %s", text);
	*line = (struct line){
		.code = cut(text, " with "), .needs = needs, .narrow = reading->in_narrow_group, .outer = outer
	};
	line->conditions = cut(text, " if ");
	line->head = text;
}

static uint64_t read_needs(const char *group)
{
	const char *needs = strstr(group, "needs ");
	uint64_t number;

	if (!needs)
		return 0;
	for (size_t i = 0; i < names_capabilities.n; i++)
		if (strncmp(names_capabilities.list[i].text, needs + 6, strlen(names_capabilities.list[i].text)) == 0 &&
		    strspn(needs + 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == strlen(names_capabilities.list[i].text)) {
			number = names_capabilities.list[i].value;
			return UINT64_C(1) << number;
		}
	cr_assert_fail("%s", group);
	return 0;
}

static void read_define(struct arena *arena, const char *text, struct policy_reading *reading)
{
	char name[64];
	unsigned long long value;

	cr_assert_eq(sscanf(text, "define %63s %lli", name, (long long *)&value), 2, "%s", text);
	/* %lli stops at the largest signed number. */
	if (strrchr(text, 'x'))
		value = strtoull(strrchr(text, 'x') + 1, NULL, 16);
	reading->names[reading->n_values] = arena_strdup(arena, name);
	reading->values[reading->n_values++] = value;
}

static void read_policy(struct arena *arena, const char *name, bool outer, struct policy_reading *reading)
{
	char *text = policy_reading_text(arena, name), *rest = NULL;
	uint64_t needs = 0;

	/* One line each: a tab at the start goes on with the one before. */
	for (char *c; (c = strstr(text, "\n\t"));)
		c[0] = c[1] = ' ';
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (line[0] == '#')
			continue;
		if (line[0] == '[') {
			needs = read_needs(line);
			reading->in_narrow_group = strstr(line, "] for 32-bit");
		} else if (strncmp(line, "define ", 7) == 0)
			read_define(arena, line, reading);
		else if (strncmp(line, "include ", 8) == 0)
			read_policy(arena, line + 8, /* outer= */ false, reading);
		else
			read_rule(line, needs, outer, reading);
	}
}

struct policy_reading *policy_reading_new(struct arena *arena, const char *name)
{
	struct policy_reading *reading = arena_new_of(arena, struct policy_reading);

	reading->about = arena_new_of(arena, struct lines_about);
	read_policy(arena, name, /* outer= */ true, reading);
	return reading;
}

struct policy_reading *policy_reading_of_json(struct arena *arena, const char *name)
{
	struct policy_reading *reading = policy_reading_new(arena, name);

	reading->is_json = true;
	return reading;
}

uint64_t policy_reading_gates(const struct policy_reading *reading)
{
	uint64_t gates = 0;

	for (size_t i = 0; i < reading->n_lines; i++)
		gates |= reading->lines[i].needs;
	return gates;
}

uint64_t policy_reading_value(const struct policy_reading *reading, size_t n)
{
	return n < reading->n_values ? reading->values[n] : 0;
}

/* ---- names of calls ---- */

/* Those that libseccomp 2.5.4 does not know, from 457 on. */
static const char *const late[] = { "statmount",	"listmount",	 "lsm_get_self_attr", "lsm_set_self_attr",
				    "lsm_list_modules", "mseal",	 "setxattrat",	      "getxattrat",
				    "listxattrat",	"removexattrat", "open_tree_attr",    "file_getattr",
				    "file_setattr",	"listns" };

const char *policy_reading_name(struct arena *arena, uint32_t audit, uint32_t number)
{
	AUTO_FREE char *known = seccomp_syscall_resolve_num_arch(audit, (int)number);

	if (known && number < 0x40000000)
		return arena_strdup(arena, known);
	if (number >= 457 && number < 457 + ARRAY_SIZE(late))
		return late[number - 457];
	if (audit == SCMP_ARCH_X86_64 && (number == 335 || number == 336))
		return number == 335 ? "uretprobe" : "uprobe";
	return NULL;
}

/* ---- what the lines say ---- */

static bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *c = text; (c = strstr(c, word)); c += length)
		if ((c == text || c[-1] == ' ') && (c[length] == ' ' || c[length] == '\0'))
			return true;
	return false;
}

bool policy_reading_has_conditions(const struct policy_reading *reading, const char *call)
{
	for (size_t i = 0; i < reading->n_lines; i++)
		if (reading->lines[i].conditions && has_word(reading->lines[i].head, call))
			return true;
	return false;
}

static uint64_t value_of(const struct policy_reading *reading, const char *text)
{
	for (size_t i = 0; i < reading->n_values; i++)
		if (strcmp(reading->names[i], text) == 0)
			return reading->values[i];
	cr_assert_lt(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), 1, "%s", text);
	return strtoull(text, NULL, 0);
}

/* "int arg1 & 0xf == A|B" */
static bool condition_holds(const struct policy_reading *reading, const char *text, const uint64_t args[6])
{
	char copy[1024], *value, *mask, *rest = NULL;
	bool is_int = strncmp(text, "int ", 4) == 0, found = false;
	uint64_t argument, bits = UINT64_MAX;

	snprintf(copy, sizeof(copy), "%s", text + (is_int ? 4 : 0));
	value = cut(copy, " == ");
	cr_assert_not_null(value, "%s", text);
	mask = cut(copy, " & ");
	argument = args[copy[3] - '0'];
	if (is_int)
		argument = (uint32_t)argument;
	if (mask)
		bits = value_of(reading, mask);
	for (char *one = strtok_r(value, "| ", &rest); one; one = strtok_r(NULL, "| ", &rest))
		found = found || (argument & bits) == value_of(reading, one);
	return found;
}

static bool conditions_hold(const struct policy_reading *reading, const struct line *line, const uint64_t args[6])
{
	char copy[1024], *text = copy, *next;
	bool hold = true;

	if (!line->conditions)
		return true;
	/* Where a line went on, its tab is a second blank. */
	snprintf(copy, sizeof(copy), "%s", line->conditions);
	for (char *c; (c = strstr(copy, "  "));)
		memmove(c, c + 1, strlen(c));
	do {
		next = cut(text, " and ");
		hold = hold && condition_holds(reading, text, args);
		text = next;
	} while (text);
	return hold;
}

static uint32_t refusal(const struct line *line)
{
	if (!line->code)
		return SECCOMP_RET_ERRNO | EPERM;
	cr_assert(has_word(line->code, "EPROTONOSUPPORT"), "%s", line->code);
	return SECCOMP_RET_ERRNO | EPROTONOSUPPORT;
}

static bool says(const struct line *line, const char *kind, const char *name)
{
	return strncmp(line->head, kind, strlen(kind)) == 0 && has_word(line->head + strlen(kind), name);
}

static const struct lines_about *lines_about(const struct policy_reading *reading, const char *call)
{
	struct lines_about *about = reading->about;

	if (strcmp(about->call, call) == 0)
		return about;
	cr_assert_lt(strlen(call), sizeof(about->call), "%s", call);
	strcpy(about->call, call);
	about->n = 0;
	for (size_t i = 0; i < reading->n_lines; i++)
		if (has_word(reading->lines[i].head, call))
			about->lines[about->n++] = &reading->lines[i];
	return about;
}

static uint32_t answer_of(const struct policy_reading *reading, const char *name, bool wide, const uint64_t args[6],
			  uint64_t capabilities)
{
	const struct lines_about *about = lines_about(reading, name);
	const struct line *left_out = NULL;
	bool conditional = false;

	for (size_t i = 0; i < about->n; i++)
		if (says(about->lines[i], "refuse ", name) && about->lines[i]->conditions &&
		    !(about->lines[i]->narrow && wide) && conditions_hold(reading, about->lines[i], args))
			return refusal(about->lines[i]);
	for (size_t i = 0; i < about->n; i++) {
		const struct line *line = about->lines[i];

		if (says(line, "allow ", name) && !(line->needs & ~capabilities) && conditions_hold(reading, line, args))
			return SECCOMP_RET_ALLOW;
		conditional = conditional || says(line, "allow ", name);
		if ((says(line, "refuse ", name) || says(line, "absent ", name)) && !line->conditions &&
		    (!left_out || line->outer))
			left_out = line;
	}
	if (left_out)
		return SECCOMP_RET_ERRNO | (left_out->head[0] == 'a' ? ENOSYS : EPERM);
	return SECCOMP_RET_ERRNO | (conditional ? EPERM : ENOSYS);
}

uint32_t policy_reading_answer(const struct policy_reading *reading, const struct seccomp_data *data,
			       uint64_t capabilities)
{
	AUTO(arena_free) struct arena *arena = arena_new(4096);
	bool wide = data->arch == SCMP_ARCH_X86_64 || data->arch == SCMP_ARCH_AARCH64;
	const char *name;
	uint64_t args[6];

	/* A call that a tracer has done already. */
	if (data->nr == -1)
		return SECCOMP_RET_ALLOW;
	for (size_t i = 0; i < 6; i++)
		args[i] = wide ? data->args[i] : (uint32_t)data->args[i];
	name = policy_reading_name(arena, data->arch, (uint32_t)data->nr);
	return name ? answer_of(reading, name, wide || reading->is_json, args, capabilities) : SECCOMP_RET_ERRNO | ENOSYS;
}
