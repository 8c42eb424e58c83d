#include "spec/spec_check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/number_list.h"

const char *spec_check_place(const struct spec_place *place, char text[SPEC_PLACE_MAX])
{
	snprintf(text, SPEC_PLACE_MAX, "%s%s[%zu]%s", place->where, place->list, place->index,
		 place->member ? place->member : "");
	return text;
}

int spec_check_absolute(const char *path, const struct spec_place *place, struct error *err)
{
	char text[SPEC_PLACE_MAX];

	if (path && path[0] == '/')
		return 0;
	return error_invalid(err, "%s: \"%.*s\" is not an absolute path; it has to begin with \"/\"",
			     spec_check_place(place, text), SPEC_SHOWN, path ? path : "");
}

static int check_env_entry(const char *entry, const struct spec_place *place, struct error *err)
{
	const char *equals = strchr(entry, '=');
	char text[SPEC_PLACE_MAX];

	if (!equals || equals == entry)
		/* Not what it is: the whole entry may be a secret whose name was forgotten. */
		return error_invalid(err, "%s: is not of the form NAME=VALUE", spec_check_place(place, text));
	/* A line break in HOME adds lines to files that are made from it (CVE-2022-4318). */
	if (strncmp(entry, "HOME=", 5) == 0 && strpbrk(equals, "\n\r"))
		return error_invalid(err, "%s: a line break in HOME is not allowed", spec_check_place(place, text));
	return 0;
}

int spec_check_env(const char *const *env, size_t n_env, const char *where, struct error *err)
{
	struct spec_place place = { .where = where, .list = "env" };
	int r = 0;

	for (place.index = 0; place.index < n_env && r == 0; place.index++)
		r = check_env_entry(env[place.index], &place, err);
	return r;
}

int spec_check_cpu_list(const char *list, const char *where, const char *name, struct error *err)
{
	struct number_list parsed;

	if (!list || number_list_parse(list, &parsed) >= 0)
		return 0;
	return error_invalid(err, "%s%s: \"%.*s\" is not a list such as \"0-3,7\"", where, name, SPEC_SHOWN, list);
}

int spec_check_plain(const char *text, const char *where, const char *name, struct error *err)
{
	for (; text && *text; text++)
		if (iscntrl((unsigned char)*text))
			return error_invalid(err, "%s%s: the control character 0x%02x is not allowed", where, name,
					     (unsigned char)*text);
	return 0;
}

bool spec_check_charset(const char *text, const char *more)
{
	if (!*text)
		return false;
	for (; *text; text++)
		if (!(*text >= 'a' && *text <= 'z') && !(*text >= 'A' && *text <= 'Z') &&
		    !(*text >= '0' && *text <= '9') && !strchr(more, *text))
			return false;
	return true;
}
