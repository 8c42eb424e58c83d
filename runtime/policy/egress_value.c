#include "policy/egress_value.h"

#include <errno.h>
#include <string.h>

/* The text of one entry at a time; *rest then points behind its comma, or is NULL. */
static int parse_entry(const char *where, const char **rest, struct endpoint *ret, struct error *err)
{
	size_t length = strcspn(*rest, ",");
	char text[ENDPOINT_TEXT_MAX + 32];

	if (length == 0)
		return error_invalid(
			err, "%s: an entry is empty: give entries with one comma between them, or \"none\" alone", where);
	if (length >= sizeof(text))
		return error_invalid(err, "%s: \"%.40s...\" is longer than any address with its port", where, *rest);
	memcpy(text, *rest, length);
	text[length] = '\0';
	*rest = (*rest)[length] ? *rest + length + 1 : NULL;
	if (strcmp(text, "none") == 0)
		return error_invalid(err, "%s: \"none\" stands alone, or not at all", where);
	return endpoint_parse(text, ret, err) < 0 ? error_prefix(err, "%s", where) : 0;
}

int egress_value_parse(const char *where, const char *text, struct arena *arena, struct egress_value *ret,
		       struct error *err)
{
	size_t length = strnlen(text, EGRESS_VALUE_BYTES_MAX + 1), n_entries = 1, n = 0;
	struct endpoint *list;

	if (length > EGRESS_VALUE_BYTES_MAX)
		return error_invalid(err, "%s: has more than %zu bytes", where, EGRESS_VALUE_BYTES_MAX);
	if (strcmp(text, "none") == 0) {
		*ret = (struct egress_value){ 0 };
		return 0;
	}
	for (size_t i = 0; i < length; i++)
		n_entries += text[i] == ',';
	if (n_entries > EGRESS_VALUE_ENTRIES_MAX)
		return error_invalid(err, "%s: has %zu entries, %d are the most; give ranges of addresses", where,
				     n_entries, EGRESS_VALUE_ENTRIES_MAX);
	list = arena_array_of(arena, n_entries, struct endpoint);
	if (!list)
		return error_memory(err);
	for (const char *rest = text; rest; n++) {
		if (parse_entry(where, &rest, &list[n], err) < 0)
			return -EINVAL;
	}
	*ret = (struct egress_value){ list, n };
	return 0;
}

const char *egress_value_format(const struct egress_value *value, struct arena *arena)
{
	const char *text = value->n ? "" : "none";
	char entry[ENDPOINT_TEXT_MAX];

	for (size_t i = 0; text && i < value->n; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? "," : "", endpoint_format(&value->list[i], entry));
	return text;
}

static bool is_covered(const struct egress_value *site, const struct endpoint *entry)
{
	for (size_t i = 0; i < site->n; i++) {
		if (endpoint_covers(&site->list[i], entry))
			return true;
	}
	return false;
}

const struct endpoint *egress_value_beyond(const struct egress_value *site, const struct egress_value *list)
{
	for (size_t i = 0; i < list->n; i++) {
		if (!is_covered(site, &list->list[i]))
			return &list->list[i];
	}
	return NULL;
}

int egress_value_meet(const struct egress_value *site, const struct egress_value *list, struct arena *arena,
		      struct egress_value *ret, struct error *err)
{
	struct endpoint *both = arena_array_of(arena, EGRESS_VALUE_ENTRIES_MAX, struct endpoint), one;
	size_t n = 0;

	if (!both)
		return error_memory(err);
	for (size_t i = 0; i < list->n; i++) {
		for (size_t k = 0; k < site->n; k++) {
			const struct egress_value so_far = { both, n };

			if (!endpoint_meet(&site->list[k], &list->list[i], &one) || is_covered(&so_far, &one))
				continue;
			if (n == EGRESS_VALUE_ENTRIES_MAX)
				return error_set(err, ERROR_INVALID, E2BIG,
						 "what it has in common with the policy's \"egress\" is more than %d "
						 "entries",
						 EGRESS_VALUE_ENTRIES_MAX);
			both[n++] = one;
		}
	}
	*ret = (struct egress_value){ both, n };
	return 0;
}
