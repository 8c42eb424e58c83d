#include "proxy/allow_list.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define LABEL_MAX 63

static bool is_name_letter(char letter)
{
	return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';
}

/* The last label of an address is a number; of a name it never is. */
static bool ends_in_number(const char *name)
{
	const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;

	return strspn(last, "0123456789") == strlen(last) || (last[0] == '0' && last[1] == 'x');
}

static bool has_good_labels(const char *name)
{
	while (*name) {
		size_t length = strcspn(name, ".");

		if (length == 0 || length > LABEL_MAX || name[0] == '-' || name[length - 1] == '-')
			return false;
		for (size_t i = 0; i < length; i++) {
			if (!is_name_letter(name[i]))
				return false;
		}
		name += length;
		if (*name == '.' && !*++name)
			return false;
	}
	return true;
}

/* One form for what clients, certificates and lists write in several: letters small, without the root's dot. Addresses have no
 * place: a list of names that let them through would be no list. */
int allow_list_normalise(const char *text, size_t length, char ret[static ALLOW_LIST_NAME_MAX + 1])
{
	char name[ALLOW_LIST_NAME_MAX + 1];

	if (length > 0 && text[length - 1] == '.')
		length--;
	if (length == 0 || length > ALLOW_LIST_NAME_MAX || memchr(text, '\0', length))
		return -EINVAL;
	for (size_t i = 0; i < length; i++)
		name[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);
	name[length] = '\0';
	if (!has_good_labels(name) || ends_in_number(name))
		return -EINVAL;
	memcpy(ret, name, length + 1);
	return 0;
}

static int refuse(struct error *err, const char *entry, const char *why)
{
	return error_invalid(err,
			     "\"%.200s\": %s; expected NAME[:PORT][=ADDRESS[/BITS]] with commas between, where NAME may begin "
			     "with \"*.\"",
			     entry, why);
}

static int take_port(const char *text, uint16_t *ret)
{
	unsigned long port = 0;

	if (!*text || strlen(text) > 5 || strspn(text, "0123456789") != strlen(text) || *text == '0')
		return -EINVAL;
	for (; *text; text++)
		port = port * 10 + (unsigned long)(*text - '0');
	if (port > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

/* ADDRESS[/BITS] and nothing of what else an egress list may say. */
static int take_range(const char *text, struct endpoint *ret, struct error *err)
{
	int rc = endpoint_parse(text, ret, err);

	if (rc < 0)
		return rc;
	if (ret->is_resolver || ret->port != 0 || ret->protocol != 0)
		return refuse(err, text, "only ADDRESS or ADDRESS/BITS may follow \"=\"");
	return 0;
}

static int parse_entry(char *text, struct allowed_name *ret, struct error *err)
{
	char whole[256];
	char *sign = strchr(text, '='), *colon, *name = text;
	int rc;

	strncpy(whole, text, sizeof(whole) - 1);
	whole[sizeof(whole) - 1] = '\0';
	*ret = (struct allowed_name){ .has_range = sign != NULL };
	if (sign) {
		*sign = '\0';
		rc = take_range(sign + 1, &ret->range, err);
		if (rc < 0)
			return error_prefix(err, "\"%.200s\"", whole);
	}
	colon = strchr(name, ':');
	if (colon) {
		*colon = '\0';
		if (take_port(colon + 1, &ret->port) < 0)
			return refuse(err, whole, "this is no port from 1 to 65535");
	}
	ret->is_suffix = strncmp(name, "*.", 2) == 0;
	name += ret->is_suffix ? 2 : 0;
	if (allow_list_normalise(name, strlen(name), ret->name) < 0)
		return refuse(err, whole, "this is no name of a host (addresses are for --egress)");
	return 0;
}

int allow_list_parse(const char *text, struct allow_list *ret, struct error *err)
{
	char copy[ALLOW_LIST_BYTES_MAX + 1];
	size_t length = strlen(text);
	int rc = 0;

	if (length > ALLOW_LIST_BYTES_MAX)
		return error_invalid(err, "%zu bytes, %zu are the most", length, ALLOW_LIST_BYTES_MAX);
	memcpy(copy, text, length + 1);
	ret->n = 0;
	for (char *entry = copy, *comma; rc >= 0 && entry; entry = comma ? comma + 1 : NULL) {
		comma = strchr(entry, ',');
		if (comma)
			*comma = '\0';
		if (ret->n == ALLOW_LIST_ENTRIES_MAX)
			return error_invalid(err, "more than %d entries", ALLOW_LIST_ENTRIES_MAX);
		rc = parse_entry(entry, &ret->entries[ret->n++], err);
	}
	return rc;
}

/* "*.example.org" is any name below it, at any depth, and not example.org itself. */
static bool name_fits(const struct allowed_name *entry, const char *name)
{
	size_t length = strlen(name), wanted = strlen(entry->name);

	if (!entry->is_suffix)
		return strcmp(name, entry->name) == 0;
	return length > wanted + 1 && name[length - wanted - 1] == '.' &&
	       strcmp(name + length - wanted, entry->name) == 0;
}

const struct allowed_name *allow_list_find(const struct allow_list *list, const char *name, uint16_t port,
					   uint16_t default_port)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct allowed_name *entry = &list->entries[i];

		if ((entry->port ?: default_port) == port && name_fits(entry, name))
			return entry;
	}
	return NULL;
}
