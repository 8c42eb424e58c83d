shim_ttrpc_sources = \
	shim/ttrpc/calls.c \
	shim/ttrpc/calls.h \
	shim/ttrpc/client.c \
	shim/ttrpc/client.h \
	shim/ttrpc/connection.c \
	shim/ttrpc/connection.h \
	shim/ttrpc/frame.c \
	shim/ttrpc/frame.h \
	shim/ttrpc/frame_reader.c \
	shim/ttrpc/frame_reader.h \
	shim/ttrpc/listener.c \
	shim/ttrpc/listener.h \
	shim/ttrpc/message.c \
	shim/ttrpc/message.h \
	shim/ttrpc/output.c \
	shim/ttrpc/output.h \
	shim/ttrpc/request.c \
	shim/ttrpc/request.h \
	shim/ttrpc/response.c \
	shim/ttrpc/response.h \
	shim/ttrpc/server.c \
	shim/ttrpc/server.h \
	shim/ttrpc/session.c \
	shim/ttrpc/session.h \
	shim/ttrpc/status.c \
	shim/ttrpc/status.h

folder_docs += shim/ttrpc/README.md
