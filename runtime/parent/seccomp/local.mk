runtime_parent_seccomp_sources = \
	runtime/parent/seccomp/seccomp.h \
	runtime/parent/seccomp/seccomp_arch.c \
	runtime/parent/seccomp/seccomp_arch.h \
	runtime/parent/seccomp/seccomp_cache.c \
	runtime/parent/seccomp/seccomp_cache.h \
	runtime/parent/seccomp/seccomp_calls.c \
	runtime/parent/seccomp/seccomp_calls.h \
	runtime/parent/seccomp/seccomp_code.c \
	runtime/parent/seccomp/seccomp_code.h \
	runtime/parent/seccomp/seccomp_compile.c \
	runtime/parent/seccomp/seccomp_compile.h \
	runtime/parent/seccomp/seccomp_compose.c \
	runtime/parent/seccomp/seccomp_compose.h \
	runtime/parent/seccomp/seccomp_evaluate.c \
	runtime/parent/seccomp/seccomp_evaluate.h \
	runtime/parent/seccomp/seccomp_fold.c \
	runtime/parent/seccomp/seccomp_fold.h \
	runtime/parent/seccomp/seccomp_floor.c \
	runtime/parent/seccomp/seccomp_floor.h \
	runtime/parent/seccomp/seccomp_floor_compile.c \
	runtime/parent/seccomp/seccomp_floor_compile.h \
	runtime/parent/seccomp/seccomp_floor_data.h \
	runtime/parent/seccomp/seccomp_install.c \
	runtime/parent/seccomp/seccomp_match.c \
	runtime/parent/seccomp/seccomp_match.h \
	runtime/parent/seccomp/seccomp_message.c \
	runtime/parent/seccomp/seccomp_message.h \
	runtime/parent/seccomp/seccomp_new_calls.c \
	runtime/parent/seccomp/seccomp_new_calls.h \
	runtime/parent/seccomp/seccomp_program.c \
	runtime/parent/seccomp/seccomp_ranges.c \
	runtime/parent/seccomp/seccomp_ranges.h \
	runtime/parent/seccomp/seccomp_record.c \
	runtime/parent/seccomp/seccomp_record.h \
	runtime/parent/seccomp/seccomp_rules.c \
	runtime/parent/seccomp/seccomp_rules.h \
	runtime/parent/seccomp/seccomp_tree.c \
	runtime/parent/seccomp/seccomp_tree.h

folder_docs += runtime/parent/seccomp/README.md
