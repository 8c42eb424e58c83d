#include "sandbox/sandbox_words.h"

#include <stdio.h>
#include <string.h>

/* Does one begin there? Not in the middle of a path or a word. */
static bool may_begin(const char *text, const char *at)
{
	return at == text || at[-1] == ' ' || at[-1] == '(';
}

static bool find(const struct sandbox_config *config, const char *text, struct sandbox_place *ret, size_t *ret_at)
{
	for (const char *at = text; *at; at++) {
		if (may_begin(text, at) && sandbox_config_place(config, at, ret)) {
			*ret_at = (size_t)(at - text);
			return true;
		}
	}
	return false;
}

bool sandbox_words_put(const struct sandbox_config *config, const char *text, char ret[static SANDBOX_WORDS_MAX])
{
	struct sandbox_place place = { 0 };
	char changed[SANDBOX_WORDS_MAX];
	size_t at;

	if (find(config, text, &place, &at))
		snprintf(changed, sizeof(changed), "%.*s%s%s", (int)at, text, place.text, text + at + place.length);
	else
		snprintf(changed, sizeof(changed), "%s", text);
	memcpy(ret, changed, sizeof(changed));
	return place.is_asked;
}

void sandbox_words_mend(const struct sandbox_config *config, struct error *err)
{
	/* Before there was a document, what failed was found by who looks at options. */
	if (!config->request)
		return;
	_Static_assert(sizeof(err->message) == SANDBOX_WORDS_MAX, "a message fits");
	if (sandbox_words_put(config, err->message, err->message) && err->kind == ERROR_SYSTEM)
		err->kind = error_kind_of_name(err->code);
}
