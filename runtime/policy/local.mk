runtime_policy_sources = \
	runtime/policy/limit_value.c \
	runtime/policy/limit_value.h \
	runtime/policy/policy.c \
	runtime/policy/policy.h \
	runtime/policy/policy_file.c \
	runtime/policy/policy_internal.h

folder_docs += runtime/policy/README.md
