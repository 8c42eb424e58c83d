# One program, where the shim is built at all.
if WITH_SHIM
bin_PROGRAMS += containerd-shim-brig-v2
endif
containerd_shim_brig_v2_SOURCES = \
	cmd/shim/bundle.c \
	cmd/shim/bundle.h \
	cmd/shim/cmd.h \
	cmd/shim/cmd_delete.c \
	cmd/shim/cmd_info.c \
	cmd/shim/cmd_serve.c \
	cmd/shim/cmd_start.c \
	cmd/shim/handler_options.c \
	cmd/shim/handler_options.h \
	cmd/shim/log_fifo.c \
	cmd/shim/log_fifo.h \
	cmd/shim/main.c \
	cmd/shim/pod_socket.c \
	cmd/shim/pod_socket.h \
	cmd/shim/shim_cgroup.c \
	cmd/shim/shim_cgroup.h \
	cmd/shim/spawn.c \
	cmd/shim/spawn.h \
	cmd/shim/stream.c \
	cmd/shim/stream.h
containerd_shim_brig_v2_LDADD = $(shim_libs)
containerd_shim_brig_v2_LDFLAGS = $(program_ldflags)

folder_docs += cmd/shim/README.md

# The generated headers have to be there before the first compilation knows who includes them.
$(containerd_shim_brig_v2_OBJECTS): | brig-version.h $(shim_proto_headers)
