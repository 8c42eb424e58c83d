runtime_spec_sources = \
	runtime/spec/spec.c \
	runtime/spec/spec.h \
	runtime/spec/spec_check.c \
	runtime/spec/spec_check.h \
	runtime/spec/spec_types.c \
	runtime/spec/spec_types.h \
	runtime/spec/spec_types_linux.c \
	runtime/spec/spec_types_process.c \
	runtime/spec/spec_types_resources.c \
	runtime/spec/spec_types_seccomp.c \
	runtime/spec/spec_validate.c \
	runtime/spec/spec_validate.h \
	runtime/spec/spec_validate_linux.c \
	runtime/spec/spec_validate_process.c \
	runtime/spec/spec_validate_resources.c \
	runtime/spec/spec_validate_seccomp.c

folder_docs += runtime/spec/README.md
