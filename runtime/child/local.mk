runtime_child_sources = \
	runtime/child/capabilities.c \
	runtime/child/child.c \
	runtime/child/child.h \
	runtime/child/command_line.c \
	runtime/child/command_line.h \
	runtime/child/console.c \
	runtime/child/copy_up.c \
	runtime/child/copy_up.h \
	runtime/child/descriptors.c \
	runtime/child/devices.c \
	runtime/child/devices.h \
	runtime/child/filter.c \
	runtime/child/guarded.c \
	runtime/child/handshake.c \
	runtime/child/handshake.h \
	runtime/child/home.c \
	runtime/child/home.h \
	runtime/child/hooks.c \
	runtime/child/hooks.h \
	runtime/child/hooks_child.c \
	runtime/child/identity.c \
	runtime/child/init.c \
	runtime/child/init.h \
	runtime/child/init_listen.c \
	runtime/child/init_listen.h \
	runtime/child/interpreter.c \
	runtime/child/interpreter.h \
	runtime/child/landlock.c \
	runtime/child/loopback.c \
	runtime/child/loopback.h \
	runtime/child/mount_make.c \
	runtime/child/mount_make.h \
	runtime/child/mounts.c \
	runtime/child/namespaces.c \
	runtime/child/placement.c \
	runtime/child/placement.h \
	runtime/child/private_proc.c \
	runtime/child/process.c \
	runtime/child/program.c \
	runtime/child/rootfs.c \
	runtime/child/state_json.c \
	runtime/child/state_json.h \
	runtime/child/steps.h \
	runtime/child/tcp_filter.c \
	runtime/child/tcp_filter.h

folder_docs += runtime/child/README.md
