#include "container/stuck.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

#define THREADS_MAX 4096 /* looked at in one process */
#define FRAMES_MAX 24

char stuck_parse_stat(const char *stat, char name[64])
{
	/* The name may hold anything, also ")": the last one ends it. */
	const char *begin = strchr(stat, '('), *end = strrchr(stat, ')');

	if (!begin || !end || end < begin || end[1] != ' ')
		return '\0';
	snprintf(name, 64, "%.*s", (int)(end - begin - 1), begin + 1);
	for (char *c = name; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	return end[2];
}

void stuck_format_stack(const char *stack, struct buffer *text)
{
	int n = 0;

	for (const char *line = stack; *line && n < FRAMES_MAX; line += strspn(line, "\n")) {
		size_t length = strcspn(line, "\n");
		const char *begin = memchr(line, ']', length);

		begin = begin ? begin + 1 + strspn(begin + 1, " ") : line;
		if (begin < line + length && strcspn(begin, "+\n") > 0)
			buffer_printf(text, "%s%.*s", n++ ? " < " : "", (int)strcspn(begin, "+\n"), begin);
		line += length;
	}
}

static bool describe_thread(int tasks_fd, const char *thread, pid_t pid, struct buffer *text)
{
	char path[NAME_MAX + 16], stat[1024], stack[8192], name[64];

	snprintf(path, sizeof(path), "%s/stat", thread);
	if (fd_read_file_at(tasks_fd, path, stat, sizeof(stat)) <= 0 || stuck_parse_stat(stat, name) != 'D')
		return false;
	buffer_printf(text, "pid %d (%s) in state D: ", (int)pid, name);
	snprintf(path, sizeof(path), "%s/stack", thread);
	if (fd_read_file_at(tasks_fd, path, stack, sizeof(stack)) > 0)
		stuck_format_stack(stack, text);
	else
		buffer_append_text(text, "its kernel stack can't be read");
	buffer_append_text(text, "\n");
	return true;
}

void stuck_describe(pid_t pid, struct buffer *text)
{
	AUTO(closedir) DIR *directory = NULL;
	const struct dirent *entry;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	directory = opendir(path);
	for (int n = 0; directory && n < THREADS_MAX && (entry = readdir(directory)); n++) {
		if (entry->d_name[0] != '.' && describe_thread(dirfd(directory), entry->d_name, pid, text))
			return;
	}
}
