#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "image/entry_name.h"

Test(entry_name, cut)
{
	static const struct {
		const char *name, *parent, *leaf;
		unsigned depth;
	} list[] = {
		{ ".", ".", "", 0 },
		{ "./", ".", "", 0 },
		{ "././/", ".", "", 0 },
		{ "a", ".", "a", 1 },
		{ "./a/", ".", "a", 1 },
		{ "a/b", "a", "b", 2 },
		{ "a//./b///c/", "a/b", "c", 3 },
		{ "...", ".", "...", 1 },
		{ "..a/b..", "..a", "b..", 2 },
	};
	struct error err = { 0 };
	struct entry_name name;

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		cr_assert_eq(entry_name_cut(list[i].name, &name, &err), 0, "%s: %s", list[i].name, err.message);
		cr_expect_str_eq(name.parent, list[i].parent, "parent of \"%s\": \"%s\"", list[i].name, name.parent);
		cr_expect_str_eq(name.leaf, list[i].leaf, "leaf of \"%s\": \"%s\"", list[i].name, name.leaf);
		cr_expect_eq(name.depth, list[i].depth);
	}
}

Test(entry_name, refuses)
{
	static const char *const list[][2] = {
		{ "/", "absolute" },  { "/etc/passwd", "absolute" }, { "//a", "absolute" }, { "..", "\"..\"" },
		{ "../a", "\"..\"" }, { "a/../b", "\"..\"" },	     { "a/..", "\"..\"" },
	};
	struct entry_name name = { .leaf = "untouched" };

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct error err = { 0 };

		cr_expect_lt(entry_name_cut(list[i][0], &name, &err), 0, "\"%s\"", list[i][0]);
		cr_expect_eq(err.kind, ERROR_REFUSED);
		cr_expect_not_null(strstr(err.message, list[i][1]), "got: %s", err.message);
	}
	cr_expect_str_eq(name.leaf, "untouched");
}

Test(entry_name, bounds)
{
	char text[2 * (ENTRY_DEPTH_MAX + 1) + 1] = "", component[NAME_MAX + 2];
	struct error err = { 0 };
	struct entry_name name;

	for (unsigned i = 0; i < ENTRY_DEPTH_MAX; i++)
		strcat(text, "d/");
	cr_expect_eq(entry_name_cut(text, &name, &err), 0, "%s", err.message);
	cr_expect_eq(name.depth, ENTRY_DEPTH_MAX);
	strcat(text, "d/");
	cr_expect_lt(entry_name_cut(text, &name, &err), 0);
	memset(component, 'c', sizeof(component));
	component[NAME_MAX] = '\0';
	cr_expect_eq(entry_name_cut(component, &name, &err), 0);
	component[NAME_MAX] = 'c';
	component[NAME_MAX + 1] = '\0';
	cr_expect_lt(entry_name_cut(component, &name, &err), 0);
}

Test(entry_name, whiteouts)
{
	static const struct {
		const char *name;
		int rc;
		enum entry_whiteout whiteout;
		const char *hidden;
	} list[] = {
		{ "a", 0, ENTRY_PLAIN, NULL },
		{ "a.wh.b", 0, ENTRY_PLAIN, NULL },
		{ ".wh.a", 0, ENTRY_WHITEOUT, "a" },
		{ "d/.wh.a", 0, ENTRY_WHITEOUT, "a" },
		{ "d/.wh..hidden", 0, ENTRY_WHITEOUT, ".hidden" },
		{ "d/.wh...", -1, ENTRY_PLAIN, NULL },
		{ "d/.wh..", -1, ENTRY_PLAIN, NULL },
		{ "d/.wh.", -1, ENTRY_PLAIN, NULL },
		{ ".wh..wh..opq", 0, ENTRY_OPAQUE, NULL },
		{ ".wh..wh.plnk", -1, ENTRY_PLAIN, NULL },
		{ ".wh.d/a", -1, ENTRY_PLAIN, NULL },
		{ "x/.wh.d/a", -1, ENTRY_PLAIN, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		enum entry_whiteout whiteout = ENTRY_PLAIN;
		struct error err = { 0 };
		struct entry_name name;
		int rc;

		cr_assert_eq(entry_name_cut(list[i].name, &name, &err), 0);
		rc = entry_name_whiteout(&name, &whiteout, &err);
		cr_expect_eq(rc < 0, list[i].rc < 0, "\"%s\"", list[i].name);
		cr_expect_eq(whiteout, list[i].whiteout, "\"%s\"", list[i].name);
		if (list[i].hidden)
			cr_expect_str_eq(entry_name_hidden(&name), list[i].hidden);
	}
}
