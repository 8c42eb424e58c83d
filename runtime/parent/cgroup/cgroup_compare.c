/* Does a file have what was written to it? The kernel rounds numbers, sorts lists and adds words. Pure. */
#include "parent/cgroup/cgroup_settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIST_MAX 8192 /* CPUs or memory nodes: as large as the kernel can be built for */

/* v1 shows "no limit" as LONG_MAX rounded down to pages, or to huge pages. */
#define UNLIMITED_FROM (UINT64_C(1) << 62)

/* "max", "-1" and huge numbers are UINT64_MAX. */
static bool parse_number(const char *text, uint64_t *ret)
{
	char *end;

	if (strcmp(text, "max") == 0 || strcmp(text, "-1") == 0) {
		*ret = UINT64_MAX;
		return true;
	}
	if (!isdigit((unsigned char)text[0]))
		return false;
	*ret = strtoull(text, &end, 10);
	if (*ret >= UNLIMITED_FROM)
		*ret = UINT64_MAX;
	return *end == '\0';
}

static bool numbers_match(const char *wanted, const char *got, uint64_t unit)
{
	uint64_t a, b;

	if (!parse_number(wanted, &a) || !parse_number(got, &b))
		return false;
	if (a != UINT64_MAX)
		a -= a % unit;
	return a == b;
}

/* "0-2,5" as bits. */
static bool parse_list(const char *text, uint8_t bits[LIST_MAX / 8])
{
	memset(bits, 0, LIST_MAX / 8);
	while (*text && *text != '\n') {
		unsigned long first, last;
		char *end;

		if (!isdigit((unsigned char)*text))
			return false;
		first = last = strtoul(text, &end, 10);
		if (*end == '-' && isdigit((unsigned char)end[1]))
			last = strtoul(end + 1, &end, 10);
		if (last < first || last >= LIST_MAX)
			return false;
		for (unsigned long n = first; n <= last; n++)
			bits[n / 8] |= (uint8_t)(1 << n % 8);
		if (*end != ',' && *end != '\0' && *end != '\n')
			return false;
		text = *end == ',' ? end + 1 : end;
	}
	return true;
}

static bool lists_match(const char *wanted, const char *got)
{
	uint8_t a[LIST_MAX / 8], b[LIST_MAX / 8];

	return parse_list(wanted, a) && parse_list(got, b) && memcmp(a, b, sizeof(a)) == 0;
}

bool cgroup_compare_list_within(const char *list, const char *allowed)
{
	uint8_t a[LIST_MAX / 8], b[LIST_MAX / 8];

	if (!parse_list(list, a) || !parse_list(allowed, b))
		return false;
	for (size_t i = 0; i < sizeof(a); i++)
		if (a[i] & ~b[i])
			return false;
	return true;
}

/* The rest of the line that begins with the word key, or NULL. */
static const char *find_line(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += line != text;
		if (strncmp(line, key, length) == 0 && line[length] == ' ')
			return line + length + 1;
	}
	return NULL;
}

/* What follows "field=" in this line, or NULL. */
static const char *find_field(const char *line, const char *field)
{
	size_t length = strlen(field);

	while (*line && *line != '\n') {
		if (strncmp(line, field, length) == 0 && line[length] == '=')
			return line + length + 1;
		line += strcspn(line, " \n");
		line += *line == ' ';
	}
	return NULL;
}

void cgroup_compare_extract(const struct cgroup_setting *setting, const char *text, char *value, size_t size)
{
	const char *found = text, *stop = "";

	if (setting->compare == CGROUP_COMPARE_OOM_CONTROL) {
		found = find_line(text, "oom_kill_disable");
		stop = "\n";
	}

	if (setting->key) {
		found = find_line(text, setting->key);
		stop = "\n";
	}
	if (found && setting->field) {
		found = find_field(found, setting->field);
		stop = " \n";
	}
	if (!found)
		snprintf(value, size, "%s", setting->absent ?: "");
	else
		snprintf(value, size, "%.*s", (int)strcspn(found, stop), found);
}

bool cgroup_compare_matches(const struct cgroup_setting *setting, const char *text)
{
	char got[4096];
	uint64_t number;

	cgroup_compare_extract(setting, text, got, sizeof(got));
	switch (setting->compare) {
	case CGROUP_COMPARE_NUMBER:
		return numbers_match(setting->value, got, setting->unit);
	case CGROUP_COMPARE_OOM_CONTROL:
	case CGROUP_COMPARE_TEXT:
		return strcmp(setting->value, got) == 0;
	case CGROUP_COMPARE_LIST:
		return lists_match(setting->value, got);
	case CGROUP_COMPARE_LOOSE:
		if (!parse_number(setting->value, &number) || !parse_number(got, &number))
			return true;
		return numbers_match(setting->value, got, 1) ||
		       numbers_match(setting->value, got, (uint64_t)sysconf(_SC_PAGESIZE));
	}
	return false;
}
