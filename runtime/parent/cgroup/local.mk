runtime_parent_cgroup_sources = \
	runtime/parent/cgroup/cgroup.c \
	runtime/parent/cgroup/cgroup.h \
	runtime/parent/cgroup/cgroup_apply.c \
	runtime/parent/cgroup/cgroup_bpf.c \
	runtime/parent/cgroup/cgroup_bpf.h \
	runtime/parent/cgroup/cgroup_compare.c \
	runtime/parent/cgroup/cgroup_convert.c \
	runtime/parent/cgroup/cgroup_delegate.c \
	runtime/parent/cgroup/cgroup_destroy.c \
	runtime/parent/cgroup/cgroup_devices.c \
	runtime/parent/cgroup/cgroup_devices.h \
	runtime/parent/cgroup/cgroup_devices_program.c \
	runtime/parent/cgroup/cgroup_entry.c \
	runtime/parent/cgroup/cgroup_file.c \
	runtime/parent/cgroup/cgroup_file.h \
	runtime/parent/cgroup/cgroup_files.c \
	runtime/parent/cgroup/cgroup_helper.c \
	runtime/parent/cgroup/cgroup_helper.h \
	runtime/parent/cgroup/cgroup_internal.h \
	runtime/parent/cgroup/cgroup_layout.c \
	runtime/parent/cgroup/cgroup_oom.c \
	runtime/parent/cgroup/cgroup_oom_log.c \
	runtime/parent/cgroup/cgroup_oom_log.h \
	runtime/parent/cgroup/cgroup_parents.c \
	runtime/parent/cgroup/cgroup_parents.h \
	runtime/parent/cgroup/cgroup_pids.c \
	runtime/parent/cgroup/cgroup_settings.c \
	runtime/parent/cgroup/cgroup_settings.h \
	runtime/parent/cgroup/cgroup_show.c \
	runtime/parent/cgroup/cgroup_signal.c \
	runtime/parent/cgroup/cgroup_statistics.c \
	runtime/parent/cgroup/cgroup_statistics.h \
	runtime/parent/cgroup/cgroup_systemd.c \
	runtime/parent/cgroup/cgroup_systemd.h \
	runtime/parent/cgroup/cgroup_tree.c \
	runtime/parent/cgroup/cgroup_unit.c \
	runtime/parent/cgroup/cgroup_unit.h \
	runtime/parent/cgroup/cgroup_unit_properties.c \
	runtime/parent/cgroup/cgroup_update.c \
	runtime/parent/cgroup/cgroup_v1.c \
	runtime/parent/cgroup/cgroup_v1.h \
	runtime/parent/cgroup/cgroup_v1_devices.c \
	runtime/parent/cgroup/cgroup_v1_settings.c \
	runtime/parent/cgroup/cgroup_v1_statistics.c \
	runtime/parent/cgroup/cgroup_v2.c \
	runtime/parent/cgroup/cgroup_v2.h \
	runtime/parent/cgroup/cgroup_v2_settings.c \
	runtime/parent/cgroup/cgroup_v2_statistics.c \
	runtime/parent/cgroup/cgroup_walk.c \
	runtime/parent/cgroup/egress.c \
	runtime/parent/cgroup/egress.h \
	runtime/parent/cgroup/egress_code.c \
	runtime/parent/cgroup/egress_code.h \
	runtime/parent/cgroup/egress_internal.h \
	runtime/parent/cgroup/egress_match.c \
	runtime/parent/cgroup/egress_option.c \
	runtime/parent/cgroup/egress_programs.c \
	runtime/parent/cgroup/egress_read.c

folder_docs += runtime/parent/cgroup/README.md

# The generated header has to be there before the first compilation knows who includes it.
runtime/parent/cgroup/cgroup_helper.$(OBJEXT) runtime/container/features.$(OBJEXT): | brig-places.h
