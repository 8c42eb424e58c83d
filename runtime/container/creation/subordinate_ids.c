#include "container/creation/subordinate_ids.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"

const char *const subordinate_ids_files[] = { "/etc/subuid", "/etc/subgid", NULL };

struct range {
	uint64_t first, end; /* end: the first behind it */
};

/* OWNER:FIRST:COUNT. Numbers as newuidmap reads them, in any base; what follows them is no reason to take the ids for nobody's. */
static bool parse(const char *line, struct range *ret)
{
	const char *first = strchr(line, ':'), *count = first ? strchr(first + 1, ':') : NULL;
	uint64_t n;
	char *end;

	if (!count)
		return false;
	ret->first = strtoull(first + 1, &end, 0);
	if (end != count || ret->first > UINT32_MAX)
		return false;
	n = strtoull(count + 1, &end, 0);
	ret->end = ret->first + (n < UINT32_MAX ? n : UINT32_MAX);
	return end != count + 1 && n > 0;
}

/* What can be printed of it. */
static void keep_line(const char *file, const char *line, struct subordinate_ids *ret)
{
	int n = 0;

	while (n < 100 && isprint((unsigned char)line[n]))
		n++;
	snprintf(ret->line, sizeof(ret->line), "%.20s: %.*s", file, n, line);
}

static void read_line(const char *file, const char *line, const struct policy_ids *asked, struct subordinate_ids *ret)
{
	const uint64_t asked_end = (uint64_t)asked->first + asked->count;
	struct range range;

	if (!parse(line, &range) || range.first >= asked_end || range.end <= asked->first)
		return;
	range.first = range.first > asked->first ? range.first : asked->first;
	range.end = range.end < asked_end ? range.end : asked_end;
	for (uint64_t unit = range.first / SUBORDINATE_IDS_UNIT; unit <= (range.end - 1) / SUBORDINATE_IDS_UNIT; unit++)
		ret->units[unit / 64] |= UINT64_C(1) << unit % 64;
	if (!ret->line[0])
		keep_line(file, line, ret);
}

/* On the way of every start: four system calls. A FIFO in its place has nobody wait. */
static int read_file(const char *file, const struct policy_ids *asked, struct subordinate_ids *ret, struct error *err)
{
	AUTO_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	int rc;

	if (fd < 0)
		return errno == ENOENT ? 0 : error_system(err, errno, "open %s", file);
	rc = fd_read_all(fd, SUBORDINATE_IDS_FILE_MAX, &text, file, err);
	for (char *line = text.data, *end; rc >= 0 && line < text.data + text.length; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text.data + text.length - line)) ?: text.data + text.length;
		*end = '\0';
		read_line(file, line, asked, ret);
	}
	return rc;
}

int subordinate_ids_read(const char *const *files, const struct policy_ids *asked, struct subordinate_ids *ret,
			 struct error *err)
{
	int rc = 0;

	*ret = (struct subordinate_ids){ 0 };
	for (; rc >= 0 && files && *files; files++)
		rc = read_file(*files, asked, ret, err);
	if (rc >= 0)
		return 0;
	/* Whatever is wrong with the host's file, nobody who asks for a container can mend it. */
	err->kind = ERROR_SYSTEM;
	return error_prefix(err, "ids that the site gives to users");
}

bool subordinate_ids_has(const struct subordinate_ids *ids, uint32_t first, uint32_t count)
{
	const uint32_t last = (first + (count - 1)) / SUBORDINATE_IDS_UNIT;

	for (uint32_t unit = first / SUBORDINATE_IDS_UNIT; unit <= last; unit++) {
		if (ids->units[unit / 64] >> unit % 64 & 1)
			return true;
	}
	return false;
}
