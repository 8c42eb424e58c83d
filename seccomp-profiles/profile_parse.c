/* The text of a policy: lines that go on where they are indented, groups, inclusion. */
#include "seccomp-profiles/profile.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/names.h"

#define DEPTH_MAX 4
#define LINE_MAX_BYTES 4096

struct reader {
	const struct profile_source *source;
	struct arena *arena;
	struct profile *profile;
	const char *position;
	unsigned line, next_line, depth;
	bool in_group, narrow; /* narrow, needs: of the group */
	uint64_t needs;
};

static bool is_blank(const char *line, size_t length)
{
	while (length > 0 && isspace((unsigned char)*line)) {
		line++;
		length--;
	}
	return length == 0 || *line == '#';
}

/* Adds one line of the file to text. Returns its length, or -1 where there is no room. */
static int take_line(struct reader *reader, char *text, size_t size)
{
	size_t length = strcspn(reader->position, "\n");

	if (strlen(text) + length + 2 > size)
		return -1;
	strncat(text, reader->position, length);
	strcat(text, " ");
	reader->position += length + (reader->position[length] == '\n');
	reader->next_line++;
	return (int)length;
}

/* Puts the next line that says something, with those that go on with it, into text. Returns 1, 0 at the end. */
static int read_line(struct reader *reader, char *text, size_t size, struct error *err)
{
	for (;;) {
		text[0] = '\0';
		if (!*reader->position)
			return 0;
		reader->line = reader->next_line;
		if (take_line(reader, text, size) < 0)
			return error_invalid(err, "more than %zu bytes in a line", size);
		if (!is_blank(text, strlen(text)))
			break;
	}
	if (isspace((unsigned char)text[0]))
		return error_invalid(err, "indented: but there is nothing to go on with");
	while ((*reader->position == '\t' || *reader->position == ' ') &&
	       !is_blank(reader->position, strcspn(reader->position, "\n")))
		if (take_line(reader, text, size) < 0)
			return error_invalid(err, "more than %zu bytes in a line and those that go on with it", size);
	return 1;
}

static void trim(char *text)
{
	size_t length = strlen(text);

	while (length > 0 && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
}

/* [NAME], [NAME] needs CAP_X or [NAME] for 32-bit */
static int read_group(struct reader *reader, char *text, struct error *err)
{
	char *end = strchr(text, ']'), *rest = NULL, *word;
	uint64_t capability;

	if (!end || end == text + 1)
		return error_invalid(err, "a group is written as [name]");
	reader->in_group = true;
	reader->needs = 0;
	trim(end + 1);
	reader->narrow = strcmp(end + 1, " for 32-bit") == 0;
	word = strtok_r(end + 1, " \t", &rest);
	if (!word || reader->narrow)
		return 0;
	if (strcmp(word, "needs") != 0 || !(word = strtok_r(NULL, " \t", &rest)))
		return error_invalid(err, "after [name] there may be `needs CAP_...` or `for 32-bit`");
	if (!names_find(&names_capabilities, word, &capability))
		return error_invalid(err, "%s is no capability", word);
	if (strtok_r(NULL, " \t", &rest))
		return error_invalid(err, "a group needs one capability at most");
	reader->needs = UINT64_C(1) << capability;
	return 0;
}

/* Runs of blanks, which come of the lines' ends, become one. */
static void squeeze(char *text)
{
	char *out = text;

	for (const char *in = text; *in; in++)
		if (!isspace((unsigned char)*in))
			*out++ = *in;
		else if (out > text && out[-1] != ' ')
			*out++ = ' ';
	*out = '\0';
	trim(text);
}

static int read_rule(struct reader *reader, char *text, struct error *err)
{
	struct profile *profile = reader->profile;
	struct profile_rule *rule = &profile->rules[profile->n_rules];
	char *reason = strstr(text, ": ");

	if (!reader->in_group)
		return error_invalid(err, "a rule outside of any [group]");
	if (profile->n_rules == PROFILE_RULES_MAX)
		return error_invalid(err, "more than %d rules", PROFILE_RULES_MAX);
	if (!reason)
		return error_invalid(err, "without a reason: it comes after a colon");
	*reason++ = '\0';
	squeeze(reason);
	if (!*reason)
		return error_invalid(err, "without a reason: it comes after a colon");
	*rule = (struct profile_rule){ .needs = reader->needs,
				       .narrow = reader->narrow,
				       .reason = arena_strdup(reader->arena, reason),
				       .file = reader->source->file,
				       .line = reader->line,
				       .depth = reader->depth };
	if (!rule->reason)
		return error_memory(err);
	if (profile_words_rule(reader->arena, profile, text, rule, err) < 0)
		return -EINVAL;
	if (rule->needs && rule->kind != PROFILE_ALLOW)
		return error_invalid(err, "a capability can't take anything away: `allow` alone here");
	if (rule->narrow && (rule->kind != PROFILE_REFUSE || rule->n_conditions == 0))
		return error_invalid(err, "for 32-bit programs alone there are refusals with a condition only");
	profile->n_rules++;
	return 0;
}

static int read_source(const struct profile_source *source, struct arena *arena, unsigned depth,
		       struct profile *profile, struct error *err);

static int read_include(struct reader *reader, char *text, struct error *err)
{
	struct profile_source source = *reader->source;
	char *rest = NULL, *name = strtok_r(text, " \t", &rest);

	if (!name || strtok_r(NULL, " \t", &rest))
		return error_invalid(err, "`include` wants the name of a policy");
	if (reader->in_group || reader->profile->n_rules > 0)
		return error_invalid(err, "`include` comes before all rules, and once");
	if (reader->depth == DEPTH_MAX)
		return error_invalid(err, "includes nest more than %d deep", DEPTH_MAX);
	source.file = arena_printf(reader->arena, "%s.policy", name);
	source.text = source.open ? source.open(source.context, name) : NULL;
	if (!source.file)
		return error_memory(err);
	if (!source.text)
		return error_invalid(err, "there is no policy %s", name);
	return read_source(&source, reader->arena, reader->depth + 1, reader->profile, err);
}

static bool starts_with(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0 && isspace((unsigned char)text[strlen(word)]);
}

static int read_statement(struct reader *reader, char *text, struct error *err)
{
	if (text[0] == '[')
		return read_group(reader, text, err);
	if (starts_with(text, "define"))
		return profile_words_define(reader->arena, reader->profile, text + strlen("define"), err);
	if (starts_with(text, "include"))
		return read_include(reader, text + strlen("include"), err);
	return read_rule(reader, text, err);
}

static int read_source(const struct profile_source *source, struct arena *arena, unsigned depth,
		       struct profile *profile, struct error *err)
{
	struct reader reader = {
		.source = source, .arena = arena, .profile = profile, .position = source->text, .next_line = 1, .depth = depth
	};
	char text[LINE_MAX_BYTES];
	int r;

	while ((r = read_line(&reader, text, sizeof(text), err)) > 0) {
		r = read_statement(&reader, text, err);
		if (r < 0)
			break;
	}
	return r < 0 ? error_prefix(err, "%s:%u", source->file, reader.line) : 0;
}

int profile_parse(const struct profile_source *source, struct arena *arena, struct profile *ret, struct error *err)
{
	struct profile *profile = arena_new_of(arena, struct profile);
	int r;

	if (!profile)
		return error_memory(err);
	profile->rules = arena_array_of(arena, PROFILE_RULES_MAX, struct profile_rule);
	if (!profile->rules)
		return error_memory(err);
	r = read_source(source, arena, /* depth= */ 0, profile, err);
	if (r < 0)
		return r;
	*ret = *profile;
	return 0;
}
