#include "container/explain/kernel_record.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/seccomp.h>

#include "base/cleanup.h"

/* A record's number begins with facility * 8 + level: what programs write is never the kernel's. */
#define FACILITY_KERNEL_END 8

static const char *skip(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

static bool field(const char *text, const char *name, int base, uint64_t *ret)
{
	const char *at = strstr(text, name);
	char *end;

	if (!at)
		return false;
	at += strlen(name);
	errno = 0;
	*ret = strtoull(at, &end, base);
	return end != at && errno == 0;
}

/* In quotes as it is; a name with odd characters in it comes as hexadecimal digits, and stays so. */
static void copy_program(const char *text, char program[static 16])
{
	const char *at = strstr(text, " comm=");
	size_t length;

	if (!at)
		return;
	at += strlen(" comm=");
	at += *at == '"';
	length = strcspn(at, "\" ");
	snprintf(program, 16, "%.*s", (int)length, at);
}

/* stamp: what follows "audit(". A program's name has no space in it, so that none of these can be its choice. */
static bool parse(const char *stamp, struct kernel_record *ret)
{
	struct kernel_record record = { 0 };
	uint64_t uid, pid, architecture, number, code, seconds;
	unsigned milliseconds;

	if (!field(stamp, "", 10, &seconds) || sscanf(stamp, "%*u.%3u:%" SCNu64, &milliseconds, &record.serial) != 2)
		return false;
	if (!field(stamp, " uid=", 10, &uid) || !field(stamp, " pid=", 10, &pid) ||
	    !field(stamp, " arch=", 16, &architecture) || !field(stamp, " syscall=", 10, &number) ||
	    !field(stamp, " code=", 16, &code) || (code & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO)
		return false;
	record.uid = (uint32_t)uid;
	record.pid = (uint32_t)pid;
	record.architecture = (uint32_t)architecture;
	record.number = (uint32_t)number;
	record.milliseconds = seconds * 1000 + milliseconds;
	copy_program(stamp, record.program);
	*ret = record;
	return true;
}

bool kernel_record_of_kmsg(const char *record, struct kernel_record *ret)
{
	const char *text = strchr(record, ';');
	uint64_t level;

	if (!text || !field(record, "", 10, &level) || level >= FACILITY_KERNEL_END)
		return false;
	text = skip(text + 1, "audit: type=1326 audit(");
	return text && parse(text, ret);
}

bool kernel_record_of_auditd(const char *line, struct kernel_record *ret)
{
	static const char *const heads[] = { "type=SECCOMP msg=audit(", "type=1326 msg=audit(",
					     "type=UNKNOWN[1326] msg=audit(" };

	/* name_format of auditd.conf */
	if (skip(line, "node="))
		line += strcspn(line, " ") + (line[strcspn(line, " ")] == ' ');
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		const char *stamp = skip(line, heads[i]);

		if (stamp)
			return parse(stamp, ret);
	}
	return false;
}
