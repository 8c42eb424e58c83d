/* A line of the kernel's audit that says that a filter refused a call, as the kernel's own messages and auditd's file have it. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct kernel_record {
	uint32_t uid, architecture, number; /* uid: the host's */
	uint32_t pid;			    /* of the process, in the first pid namespace */
	uint64_t milliseconds;		    /* since 1970 */
	uint64_t serial;		    /* of the event */
	char program[16];
};

/* A record of /dev/kmsg: is it the kernel's own word (facility 0) of such a call (type 1326, with an errno)?
 * Source: kernel's Documentation/ABI/testing/dev-kmsg, audit_seccomp() in kernel/auditsc.c. */
bool kernel_record_of_kmsg(const char *record, struct kernel_record *ret);
/* The same for a line of auditd's file, raw or enriched. */
bool kernel_record_of_auditd(const char *line, struct kernel_record *ret);
