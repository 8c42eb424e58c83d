shim_events_sources = \
	shim/events/backlog.c \
	shim/events/backlog.h \
	shim/events/publisher.c \
	shim/events/publisher.h \
	shim/events/queue.c \
	shim/events/queue.h \
	shim/events/queue_format.c \
	shim/events/queue_format.h

folder_docs += shim/events/README.md
