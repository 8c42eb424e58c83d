/* What the text of a seccomp policy (*.policy of seccomp-profiles/) says about one call, read plainly, line by line: for
 * comparison with the filters that the build makes of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/seccomp.h>

#include "base/arena.h"

struct policy_reading;

/* name: "strict". Everything is in arena; a text that can't be read fails the test. */
struct policy_reading *policy_reading_new(struct arena *arena, const char *name);
/* The same without what OCI JSON can't say: rules for 32-bit programs alone. */
struct policy_reading *policy_reading_of_json(struct arena *arena, const char *name);
/* The answer to a call in a container whose bounding set has capabilities. */
uint32_t policy_reading_answer(const struct policy_reading *reading, const struct seccomp_data *data,
			       uint64_t capabilities);
/* All capabilities that a group needs. */
uint64_t policy_reading_gates(const struct policy_reading *reading);
/* The n-th value that the text defines, for samples of arguments; 0 at the end is no value of use. */
uint64_t policy_reading_value(const struct policy_reading *reading, size_t n);
/* Some line has a condition for the call. */
bool policy_reading_has_conditions(const struct policy_reading *reading, const char *call);
/* The call's name, or NULL where nobody knows one of that number. In arena. */
const char *policy_reading_name(struct arena *arena, uint32_t audit, uint32_t number);
/* The whole of a file of seccomp-profiles/, in arena. */
char *policy_reading_text(struct arena *arena, const char *name);
