#include "audit/journal.h"

#include <string.h>

#include "audit/datagram.h"

#define FACILITY_AUTHPRIV 10
#define PRIORITY_WARNING 4
#define PRIORITY_INFO 6

/* NAME=VALUE ends with its line: a value with a newline in it would be more fields. Ours have none, being JSON and ids. */
static void append_field(struct buffer *message, const char *name, const char *value, size_t length)
{
	buffer_append_text(message, name);
	buffer_append_text(message, "=");
	for (size_t i = 0; i < length; i++)
		buffer_append(message, value[i] == '\n' ? " " : &value[i], 1);
	buffer_append_text(message, "\n");
}

int journal_send(const char *socket_path, enum audit_event event, const char *id, const struct buffer *line)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer message = { 0 };
	const char *name = audit_record_event_name(event);

	if (line->length == 0)
		return 0;
	buffer_printf(&message, "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=brig\n",
		      event == AUDIT_REFUSAL || event == AUDIT_POLICY ? PRIORITY_WARNING : PRIORITY_INFO,
		      FACILITY_AUTHPRIV);
	append_field(&message, "BRIG_EVENT", name, strlen(name));
	if (id)
		append_field(&message, "BRIG_CONTAINER", id, strlen(id));
	/* The newline is the file's. */
	append_field(&message, "MESSAGE", line->data, line->length - 1);
	return message.failed ? message.failed : datagram_send(socket_path, message.data, message.length);
}
