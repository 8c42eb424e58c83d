#include "image/entry_name.h"

#include <errno.h>
#include <string.h>

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"

static int refuse(const char *why, struct error *err)
{
	return error_set(err, ERROR_REFUSED, EBADMSG, "%s", why);
}

/* Makes leaf a part of parent, and component the leaf. */
static int push(struct entry_name *name, size_t *end, const char *component, size_t length)
{
	size_t leaf_length = strlen(name->leaf);

	if (leaf_length > 0) {
		if (*end + leaf_length + 2 > sizeof(name->parent))
			return -ENAMETOOLONG;
		if (*end > 0)
			name->parent[(*end)++] = '/';
		memcpy(name->parent + *end, name->leaf, leaf_length);
		*end += leaf_length;
	}
	memcpy(name->leaf, component, length);
	name->leaf[length] = '\0';
	name->depth++;
	return 0;
}

int entry_name_cut(const char *name, struct entry_name *ret, struct error *err)
{
	struct entry_name cut = { 0 };
	size_t end = 0, length;

	if (name[0] == '/')
		return refuse("an absolute name", err);
	for (; *name; name += length, name += strspn(name, "/")) {
		length = strcspn(name, "/");
		if (length == 1 && name[0] == '.')
			continue;
		if (length == 2 && name[0] == '.' && name[1] == '.')
			return refuse("\"..\" in the name", err);
		if (length > NAME_MAX)
			return refuse("a component of the name has more than 255 bytes", err);
		if (cut.depth == ENTRY_DEPTH_MAX)
			return error_set(err, ERROR_REFUSED, EBADMSG, "more than %d folders, one in the other",
					 ENTRY_DEPTH_MAX);
		if (push(&cut, &end, name, length) < 0)
			return refuse("the name is too long", err);
	}
	cut.parent[end] = '\0';
	if (end == 0)
		strcpy(cut.parent, ".");
	*ret = cut;
	return 0;
}

int entry_name_whiteout(const struct entry_name *name, enum entry_whiteout *ret, struct error *err)
{
	const char *hidden = name->leaf + strlen(WHITEOUT);

	if (strncmp(name->parent, WHITEOUT, strlen(WHITEOUT)) == 0 || strstr(name->parent, "/" WHITEOUT))
		return refuse("a folder with the name of a whiteout (" WHITEOUT ")", err);
	if (strncmp(name->leaf, WHITEOUT, strlen(WHITEOUT)) != 0) {
		*ret = ENTRY_PLAIN;
		return 0;
	}
	if (strcmp(name->leaf, OPAQUE) == 0) {
		*ret = ENTRY_OPAQUE;
		return 0;
	}
	if (*hidden == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0 ||
	    strncmp(hidden, WHITEOUT, strlen(WHITEOUT)) == 0)
		return refuse("the name begins like a whiteout (" WHITEOUT ") and is none", err);
	*ret = ENTRY_WHITEOUT;
	return 0;
}

const char *entry_name_hidden(const struct entry_name *name)
{
	return name->leaf + strlen(WHITEOUT);
}
