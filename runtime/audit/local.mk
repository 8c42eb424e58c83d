runtime_audit_sources = \
	runtime/audit/audit.c \
	runtime/audit/audit.h \
	runtime/audit/audit_read.c \
	runtime/audit/audit_read.h \
	runtime/audit/audit_record.c \
	runtime/audit/audit_record.h \
	runtime/audit/datagram.c \
	runtime/audit/datagram.h \
	runtime/audit/denials.c \
	runtime/audit/denials.h \
	runtime/audit/denials_arguments.c \
	runtime/audit/journal.c \
	runtime/audit/journal.h \
	runtime/audit/syslog.c \
	runtime/audit/syslog.h \
	runtime/audit/tally.c \
	runtime/audit/tally.h \
	runtime/audit/tally_file.c \
	runtime/audit/trail.c \
	runtime/audit/trail.h

folder_docs += runtime/audit/README.md
