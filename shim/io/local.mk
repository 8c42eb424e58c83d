shim_io_sources = \
	shim/io/copy.c \
	shim/io/copy.h \
	shim/io/endpoint.c \
	shim/io/endpoint.h \
	shim/io/io.c \
	shim/io/io.h \
	shim/io/io_core.h \
	shim/io/io_run.c \
	shim/io/logger.c \
	shim/io/logger.h \
	shim/io/stream.h \
	shim/io/stream_in.c \
	shim/io/stream_out.c \
	shim/io/streams.c \
	shim/io/streams.h \
	shim/io/terminal.c \
	shim/io/terminal.h \
	shim/io/uri.c \
	shim/io/uri.h

folder_docs += shim/io/README.md
