#include "parent/cgroup/cgroup_oom_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define RECORD_MAX 8192	  /* the kernel's own, and EINVAL for less room than a record needs */
#define RECORDS_MAX 65536 /* others write while we read */
#define GROUP_KEY ",task_memcg=/"
#define NAME_BYTES 15 /* of a program's (comm) */

int cgroup_oom_log_open(void)
{
	AUTO_CLOSE int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && lseek(fd, 0, SEEK_END) == 0 ? steal_fd(&fd) : -EBADF;
}

/* What follows path at the start of text, where the log escapes backslashes; NULL: it is another one. */
static const char *skip_path(const char *text, const char *path)
{
	static const char backslash[] = "\\x5c";

	for (; *path; path++) {
		size_t length = *path == '\\' ? strlen(backslash) : 1;

		if (strncmp(text, *path == '\\' ? backslash : path, length) != 0)
			return NULL;
		text += length;
	}
	return text;
}

/* The text of what the kernel says of a kill; NULL: it is something else, such as a refusal that names a file as a program has called
 * it. The beginning is longer than a program's name. Where somebody else writes meanwhile, the rest of the line is a record of its
 * own, which begins with one of the fields (mm/oom_kill.c). */
static const char *find_kill(const char *record)
{
	static const char *const rests[] = { ",cpuset=", ",mems_allowed=", ",oom_memcg=", ",global_oom", ",task_memcg=" };
	static const char whole[] = "oom-kill:constraint=";
	const char *text = strchr(record, ';'), *flags = record;

	/* What a process has written has another facility than 0, which is the kernel's. */
	if (!text || strtoul(record, NULL, 10) >= 8)
		return NULL;
	text++;
	if (strncmp(text, whole, strlen(whole)) == 0)
		return text;
	/* "priority,number,time,flags" */
	for (unsigned i = 0; i < 3 && (flags = strchr(flags, ',')); i++)
		flags++;
	for (size_t i = 0; flags && *flags == 'c' && i < ARRAY_SIZE(rests); i++) {
		if (strncmp(text, rests[i], strlen(rests[i])) == 0)
			return text;
	}
	return NULL;
}

/* Is that a part of the name that the program has given itself, the last field that anybody chooses? A key in a group's name is further
 * from its end: ",task=" is between them. */
static bool is_in_name(const char *key)
{
	const char *end = key;
	size_t n = 0;

	for (const char *pid = key; (pid = strstr(pid + 1, ",pid="));)
		end = pid;
	for (const char *c = key; c < end; n++)
		c += strncmp(c, "\\x", 2) == 0 ? strlen("\\xff") : 1;
	return n > 0 && n <= NAME_BYTES;
}

bool cgroup_oom_log_names(const char *record, const char *path)
{
	const char *text = find_kill(record), *group = text ? strstr(text, GROUP_KEY) : NULL, *second, *rest;

	if (!group)
		return false;
	/* Who may make groups can put anything into their names: two keys are no answer. */
	second = strstr(group + 1, GROUP_KEY);
	if (is_in_name(group) || (second && !is_in_name(second)))
		return false;
	rest = skip_path(group + strlen(GROUP_KEY), path);
	return rest && (*rest == '/' || strncmp(rest, ",task=", strlen(",task=")) == 0);
}

uint64_t cgroup_oom_log_count(int log_fd, const char *path)
{
	char record[RECORD_MAX + 1];
	uint64_t count = 0;

	for (unsigned i = 0; i < RECORDS_MAX; i++) {
		ssize_t n = read(log_fd, record, RECORD_MAX);

		/* EPIPE: what was to come was overwritten, the next one is there. */
		if (n < 0 && errno != EPIPE && errno != EINTR)
			break;
		record[n > 0 ? n : 0] = '\0';
		count += cgroup_oom_log_names(record, path);
	}
	return count;
}
