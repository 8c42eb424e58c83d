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

bool cgroup_oom_log_names(const char *record, const char *path)
{
	const char *group = strstr(record, GROUP_KEY), *rest;

	/* What a process has written has another facility than 0, which is the kernel's; and who may make groups can put anything into their
	 * names: a second key is no answer. */
	if (!group || strtoul(record, NULL, 10) >= 8 || strstr(group + 1, GROUP_KEY))
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
