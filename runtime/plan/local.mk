runtime_plan_sources = \
	runtime/plan/plan.c \
	runtime/plan/plan.h \
	runtime/plan/plan_build.c \
	runtime/plan/plan_build.h \
	runtime/plan/plan_builder.c \
	runtime/plan/plan_builder.h \
	runtime/plan/plan_capabilities.c \
	runtime/plan/plan_cgroup.c \
	runtime/plan/plan_devices.c \
	runtime/plan/plan_digest.c \
	runtime/plan/plan_digest.h \
	runtime/plan/plan_hooks.c \
	runtime/plan/plan_limits.c \
	runtime/plan/plan_mount_kinds.c \
	runtime/plan/plan_mount_kinds.h \
	runtime/plan/plan_mount_options.c \
	runtime/plan/plan_mount_options.h \
	runtime/plan/plan_mounts.c \
	runtime/plan/plan_namespaces.c \
	runtime/plan/plan_print.c \
	runtime/plan/plan_print.h \
	runtime/plan/plan_print_files.c \
	runtime/plan/plan_print_limits.c \
	runtime/plan/plan_print_process.c \
	runtime/plan/plan_print_seccomp.c \
	runtime/plan/plan_printer.c \
	runtime/plan/plan_printer.h \
	runtime/plan/plan_process.c \
	runtime/plan/plan_refusals.c \
	runtime/plan/plan_resources.c \
	runtime/plan/plan_resources.h \
	runtime/plan/plan_resources_devices.c \
	runtime/plan/plan_resources_devices.h \
	runtime/plan/plan_resources_lists.c \
	runtime/plan/plan_resources_lists.h \
	runtime/plan/plan_rlimits.c \
	runtime/plan/plan_root_mount.c \
	runtime/plan/plan_root_mount.h \
	runtime/plan/plan_rootfs.c \
	runtime/plan/plan_seccomp.c \
	runtime/plan/plan_sysctl.c \
	runtime/plan/plan_withheld.c \
	runtime/plan/report.c \
	runtime/plan/report.h

folder_docs += runtime/plan/README.md
