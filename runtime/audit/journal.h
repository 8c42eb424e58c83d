/* Lines of the audit trail to journald by its own protocol: whole, with fields to search by. Internal to audit/. */
#pragma once

#include "audit/audit_record.h"
#include "base/buffer.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* MESSAGE is the line; BRIG_EVENT, and BRIG_CONTAINER where id is not NULL, tell what of. As syslog_send otherwise.
 * Source: systemd's "Native Journal Protocol". */
int journal_send(const char *socket_path, enum audit_event event, const char *id, const struct buffer *line);
