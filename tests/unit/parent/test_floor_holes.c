/* The table of holes in docs/seccomp.md: brig's own filters answer the calls of each row as it says. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <seccomp.h>

#include "base/cleanup.h"
#include "parent/seccomp/seccomp_floor_compile.h"
#include "tests/support/bpf_simulator.h"

#define LINE_MAX_LENGTH 1024
#define ROWS_LEAST 19
#define CELLS 4

static const struct {
	const struct seccomp_floor_machine *machine;
	uint32_t arch;
} architectures[] = { { &seccomp_floor_x86_64, SCMP_ARCH_X86_64 },
		      { &seccomp_floor_x86_64, SCMP_ARCH_X86 },
		      { &seccomp_floor_aarch64, SCMP_ARCH_AARCH64 },
		      { &seccomp_floor_aarch64, SCMP_ARCH_ARM } };

struct row {
	char *hole, *rule, *calls; /* within the line */
};

struct call {
	char name[64];
	uint64_t args[6];
	uint32_t strict, baseline;
};

/* False: it is no row of the table. */
static bool read_row(char *line, struct row *ret)
{
	char *cells[CELLS + 1] = { NULL };

	if (strncmp(line, "| ", 2) != 0 || strncmp(line, "| hole", 6) == 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
		cells[i] = line;
		line = strchr(line, '|');
		cr_assert_not_null(line, "too few cells: %s", cells[0]);
		*line++ = '\0';
	}
	*ret = (struct row){ .hole = cells[1], .rule = cells[3], .calls = cells[4] };
	return true;
}

/* "NAME(ARGUMENT, ...)", "NAME() ENOSYS" */
static void read_call(const struct row *row, char *text, struct call *ret)
{
	char *arguments = strchr(text, '('), *end = strchr(text, ')');

	*ret = (struct call){ .strict = SECCOMP_RET_ERRNO | EPERM };
	cr_assert(arguments && end && (size_t)(arguments - text) < sizeof(ret->name), "%s: %s", row->hole, text);
	memcpy(ret->name, text, (size_t)(arguments - text));
	for (size_t i = 0; i < ARRAY_SIZE(ret->args) && ++arguments < end; i++)
		ret->args[i] = strtoull(arguments, &arguments, 0);
	cr_assert_geq(arguments, end, "%s: %s", row->hole, text);
	if (strcmp(end + 1, " ENOSYS") == 0)
		ret->strict = SECCOMP_RET_ERRNO | ENOSYS;
	else
		cr_assert_str_empty(end + 1, "%s: %s", row->hole, text);
	ret->baseline = strstr(row->rule, "of strict") ? SECCOMP_RET_ALLOW : ret->strict;
}

/* Negative: the architecture has none. */
static int number_of(uint32_t arch, const char *name)
{
	/* What goes through socketcall too has none for libseccomp. */
	static const struct {
		const char *name;
		int number;
	} of_x86[] = { { "socket", 359 }, { "socketpair", 360 }, { "setsockopt", 366 } };

	for (size_t i = 0; arch == SCMP_ARCH_X86 && i < ARRAY_SIZE(of_x86); i++) {
		if (strcmp(name, of_x86[i].name) == 0)
			return of_x86[i].number;
	}
	return seccomp_syscall_resolve_name_arch(arch, name);
}

static uint32_t answer_of(const struct seccomp_floor_table *table, const struct seccomp_data *data)
{
	uint32_t answer = 0;

	cr_assert_eq(bpf_simulator_run(table->instructions, table->n_instructions, data, &answer, NULL), 0);
	return answer;
}

static void check_call(const struct row *row, const struct call *call)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++) {
		const struct seccomp_floor_table *profiles = architectures[i].machine->profiles;
		struct seccomp_data data = { .nr = number_of(architectures[i].arch, call->name),
					     .arch = architectures[i].arch };

		if (data.nr < 0)
			continue;
		n++;
		memcpy(data.args, call->args, sizeof(data.args));
		cr_expect_eq(answer_of(&profiles[PLAN_FLOOR_STRICT], &data), call->strict, "%s: %s, architecture %zu",
			     row->hole, call->name, i);
		cr_expect_eq(answer_of(&profiles[PLAN_FLOOR_BASELINE], &data), call->baseline,
			     "%s: %s, architecture %zu, baseline", row->hole, call->name, i);
	}
	cr_expect_gt(n, 0, "%s: no architecture has %s", row->hole, call->name);
}

/* Each of them in backquotes. */
static void check_calls(const struct row *row)
{
	size_t n = 0;

	for (char *text = strchr(row->calls, '`'), *end; text; text = strchr(end + 1, '`'), n++) {
		struct call call;

		end = strchr(++text, '`');
		cr_assert_not_null(end, "%s", row->hole);
		*end = '\0';
		read_call(row, text, &call);
		check_call(row, &call);
	}
	cr_expect_gt(n, 0, "%s: no calls", row->hole);
}

Test(floor_holes, each_row_of_the_table_holds)
{
	FILE *table = fopen(TEST_SOURCE_DIR "/docs/seccomp.md", "re");
	char line[LINE_MAX_LENGTH];
	bool inside = false;
	size_t n = 0;

	cr_assert_not_null(table);
	while (fgets(line, sizeof(line), table)) {
		struct row row;

		cr_assert_not_null(strchr(line, '\n'), "a line is too long: %.60s", line);
		if (strncmp(line, "## ", 3) == 0)
			inside = strncmp(line, "## Holes", 8) == 0;
		if (!inside || !read_row(line, &row))
			continue;
		check_calls(&row);
		n++;
	}
	fclose(table);
	cr_expect_geq(n, ROWS_LEAST);
}
