runtime_parent_sources = \
	runtime/parent/allowances.c \
	runtime/parent/allowances.h \
	runtime/parent/await.c \
	runtime/parent/await.h \
	runtime/parent/birth.c \
	runtime/parent/birth_abort.c \
	runtime/parent/birth.h \
	runtime/parent/birth_wait.c \
	runtime/parent/birth_wait.h \
	runtime/parent/host.c \
	runtime/parent/host.h \
	runtime/parent/host_idmap.c \
	runtime/parent/host_idmap.h \
	runtime/parent/host_mounts.c \
	runtime/parent/host_mounts.h \
	runtime/parent/host_sources.c \
	runtime/parent/host_sources.h \
	runtime/parent/idmap.c \
	runtime/parent/idmap.h \
	runtime/parent/join.c \
	runtime/parent/join.h \
	runtime/parent/listener.c \
	runtime/parent/listener.h \
	runtime/parent/namespace_holder.c \
	runtime/parent/namespace_holder.h \
	runtime/parent/net_devices.c \
	runtime/parent/net_devices.h \
	runtime/parent/netlink.c \
	runtime/parent/netlink.h \
	runtime/parent/network.c \
	runtime/parent/network.h \
	runtime/parent/overlay.c \
	runtime/parent/overlay.h \
	runtime/parent/prepare.c \
	runtime/parent/prepare.h \
	runtime/parent/root_mount.c \
	runtime/parent/root_mount.h \
	runtime/parent/stdio.c \
	runtime/parent/stdio.h

folder_docs += runtime/parent/README.md
