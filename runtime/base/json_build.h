/* The events of a parser played against tables: a stack of frames, one an open object or array. Internal to json. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/json_scalar.h"

struct json_frame {
	const struct json_type *type; /* of object, array, map or flags */
	char *target;		      /* the struct; for an array or map the pointer and count; for flags the integer */
	const struct json_field *field; /* object: whose value comes next; NULL: an unknown one */
	const char *key;		/* map: the key of the current entry */
	uint64_t seen, given;		/* object: fields met, and those that weren't null */
	char *items;			/* array, map */
	size_t n, capacity;
};

struct json_build {
	struct json_limits limits;
	bool strict;
	const struct json_type *type; /* of the document */
	void *target;
	struct arena *arena;
	unsigned n_frames;
	unsigned skipped; /* open objects and arrays inside a value that is ignored */
	struct json_frame frames[JSON_DEPTH_MAX];
	struct error error;
};

/* build needs no other initialisation but its limits and strict. target is zeroed by the caller. */
void json_build_init(struct json_build *build, const struct json_type *type, void *target, struct arena *arena);
/* One value begins: a scalar whole, an object or array with its opening bracket. These three return 0, or a negative errno
 * with build->error set, path included. */
int json_build_value(struct json_build *build, const struct json_value *given);
/* The key of the value that comes next; text is not terminated. */
int json_build_key(struct json_build *build, const char *text, size_t length);
/* The innermost object or array ends. */
int json_build_end(struct json_build *build);
