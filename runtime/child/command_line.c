#include "child/command_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define LENGTH_MAX (16 * 1024 * 1024)

/* In the memory of a process it begins at the name; the environment follows it, and what the program was executed by. */
int command_line_hide(const char *name, struct command_line *ret, struct error *err)
{
	char *begin = program_invocation_name;
	char *end = environ && environ[0] ? environ[0] : (char *)getauxval(AT_EXECFN); /* env -i */
	struct command_line hidden = { 0 };

	*ret = hidden;
	if (!begin || !end || end <= begin || end - begin > LENGTH_MAX)
		return 0;
	hidden.length = (size_t)(end - begin);
	hidden.saved = malloc(hidden.length);
	if (!hidden.saved)
		return error_memory(err);
	hidden.begin = begin;
	memcpy(hidden.saved, begin, hidden.length);
	explicit_bzero(begin, hidden.length);
	strncpy(begin, name, hidden.length - 1);
	*ret = hidden;
	return 0;
}

void command_line_show(struct command_line *hidden)
{
	if (hidden->saved)
		memcpy(hidden->begin, hidden->saved, hidden->length);
	free(hidden->saved);
	hidden->saved = NULL;
}
