runtime_base_sources = \
	runtime/base/arena.c \
	runtime/base/arena.h \
	runtime/base/buffer.c \
	runtime/base/buffer.h \
	runtime/base/cleanup.h \
	runtime/base/clock.h \
	runtime/base/endpoint.c \
	runtime/base/endpoint.h \
	runtime/base/error.c \
	runtime/base/error.h \
	runtime/base/fd.c \
	runtime/base/fd.h \
	runtime/base/file.c \
	runtime/base/file.h \
	runtime/base/json.c \
	runtime/base/json.h \
	runtime/base/json_build.c \
	runtime/base/json_build.h \
	runtime/base/json_encode.c \
	runtime/base/json_encode.h \
	runtime/base/json_scalar.c \
	runtime/base/json_scalar.h \
	runtime/base/json_types.c \
	runtime/base/json_write.c \
	runtime/base/json_write.h \
	runtime/base/log.c \
	runtime/base/log.h \
	runtime/base/names.c \
	runtime/base/names.h \
	runtime/base/names_tables.c \
	runtime/base/number_list.c \
	runtime/base/number_list.h \
	runtime/base/path.c \
	runtime/base/path.h \
	runtime/base/quantity.c \
	runtime/base/quantity.h \
	runtime/base/raw_call.h \
	runtime/base/reap.h \
	runtime/base/syscalls.h \
	runtime/base/timestamp.c \
	runtime/base/timestamp.h \
	runtime/base/unit_request.h \
	runtime/base/utf8.c \
	runtime/base/utf8.h

folder_docs += runtime/base/README.md
