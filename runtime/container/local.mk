runtime_container_sources = \
	runtime/container/brig.h \
	runtime/container/brig_group.c \
	runtime/container/brig_group.h \
	runtime/container/console_ends.c \
	runtime/container/console_ends.h \
	runtime/container/creation.c \
	runtime/container/creation.h \
	runtime/container/creation_root.c \
	runtime/container/creation_root.h \
	runtime/container/delete.c \
	runtime/container/delete.h \
	runtime/container/exec.c \
	runtime/container/exec_process.c \
	runtime/container/exec_process.h \
	runtime/container/features.c \
	runtime/container/foreground.c \
	runtime/container/foreground.h \
	runtime/container/freeze.c \
	runtime/container/info.c \
	runtime/container/last_words.c \
	runtime/container/metrics.c \
	runtime/container/metrics.h \
	runtime/container/metrics_parse.c \
	runtime/container/metrics_parse.h \
	runtime/container/resources.c \
	runtime/container/rootfs_mark.c \
	runtime/container/rootfs_mark.h \
	runtime/container/run.c \
	runtime/container/selfexec.c \
	runtime/container/show.c \
	runtime/container/signal.c \
	runtime/container/start.c \
	runtime/container/start.h \
	runtime/container/state.c \
	runtime/container/state.h \
	runtime/container/status.c \
	runtime/container/status.h \
	runtime/container/store.c \
	runtime/container/store.h \
	runtime/container/stored_plan.c \
	runtime/container/stored_plan.h \
	runtime/container/stuck.c \
	runtime/container/stuck.h \
	runtime/container/template.c

folder_docs += runtime/container/README.md
