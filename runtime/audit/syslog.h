/* Lines of the audit trail to the local syslog daemon or journald, which both listen on /dev/log. Internal to audit/. */
#pragma once

#include "audit/audit_record.h"
#include "base/buffer.h"

#define SYSLOG_SOCKET "/dev/log"
#define SYSLOG_LINE_MAX 8192u /* rsyslog's default for one message; what is longer is cut */

/* One datagram as RFC 3164 has it, without a host's name, as syslog(3) writes it; facility authpriv. Waits 50 ms at most for room in
 * the reader's queue. Returns 0 or a negative errno. */
int syslog_send(const char *socket_path, enum audit_event event, const struct buffer *line);
