#include "cmd/systemd/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"

int place_read(char place[static PLACE_MAX], struct error *err)
{
	char text[UNIT_REQUEST_ANSWER_MAX];
	ssize_t n = fd_read_file_at(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text));
	const char *line = n > 0 ? text : NULL;

	/* At a line's beginning: in v1's lines are names that others have chosen. */
	while (line && strncmp(line, "0::/", strlen("0::/")) != 0) {
		line = strchr(line, '\n');
		line += line != NULL;
	}
	if (!line)
		return error_system(err, n < 0 ? (int)-n : ENOENT, "find our own cgroup in /proc/self/cgroup");
	line += strlen("0::");
	snprintf(place, PLACE_MAX, "%.*s", (int)strcspn(line, "\n"), line);
	return 0;
}

bool place_is_in(const char *unit)
{
	struct error ignored;
	char place[PLACE_MAX];
	const char *name;

	if (place_read(place, &ignored) < 0)
		return false;
	name = strrchr(place, '/') + 1;
	/* A name that could be taken for one of the kernel's files has an underscore before it. */
	return strcmp(name + (name[0] == '_'), unit) == 0 || strcmp(name, unit) == 0;
}
